"""Offhook: simulator."""
