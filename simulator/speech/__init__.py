"""Offhook: speech."""
