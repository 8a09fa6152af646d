"""Offhook: cli."""
