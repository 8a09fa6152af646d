"""Offhook: transaction."""
