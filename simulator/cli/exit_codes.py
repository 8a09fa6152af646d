"""What the process tells its caller; the numbers are those that k6's users know."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """One table for all commands."""

    OK = 0
    FAILED = 1
    "A conversation or an evaluation failed."
    USAGE = 2
    "The command line was wrong."
    INTERNAL = 3
    "Our own fault."
    SATURATED = 98
    "The generator was saturated: the run certifies nothing."
    THRESHOLD = 99
    "A threshold was crossed."
    BAD_FILE = 104
    "A file is missing, or is not what it should be."
    ABORTED = 105
    "Stopped from outside."
