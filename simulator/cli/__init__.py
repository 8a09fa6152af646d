"""The command line: ``offhook demo``, ``offhook call``, ``offhook answer``."""

from .app import main

__all__ = ["main"]
