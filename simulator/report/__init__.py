"""Offhook: report."""
