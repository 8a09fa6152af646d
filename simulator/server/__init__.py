"""Offhook: server."""
