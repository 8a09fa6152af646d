"""``python -m offhook``: the command line, which lives in :mod:`offhook.simulator.cli`."""

from .simulator.cli import main

main()
