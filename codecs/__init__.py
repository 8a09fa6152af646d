"""Offhook: codecs."""
