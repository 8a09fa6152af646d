"""Offhook: aio."""
