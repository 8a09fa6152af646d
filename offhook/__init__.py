"""Offhook calls voice agents and answers for them."""
