"""Offhook: rtp."""
