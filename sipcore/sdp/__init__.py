"""Offhook: sdp."""
