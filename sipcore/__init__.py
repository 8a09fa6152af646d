"""Offhook: sipcore."""
