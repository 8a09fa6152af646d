"""Absolute instants: the n-th one is `start + n * interval`, whatever happened to those before it.

Theory of operation. A sender that sleeps for 20 ms between packets adds the lateness of each wake-up to all that follow;
after a minute it is some frames behind, and the peer hears holes. Here each instant is computed from the first one, so a
late wake-up makes one packet late and the next one is in time again. When a wake-up comes so late that several frames are
due, `catch_up` says how many of them are worth sending.
"""

from __future__ import annotations

from dataclasses import dataclass

EARLY = 1e-6
"""Seconds that an instant may lie ahead and still count as reached: more than floats and timers round, less than matters."""

MAX_BURST = 2
"""Frames that are sent in one go after a late wake-up: a jitter buffer of 40 ms takes two, and would drop more of them."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """Instants at equal distance; both fields in monotonic seconds."""

    start: float
    interval: float

    def instant(self, index: int) -> float:
        """When the instant of this index is, monotonic seconds."""
        return self.start + index * self.interval

    def index(self, now: float) -> int:
        """The last instant that has been reached by `now`; -1 or less before the first."""
        return int((now - self.start + EARLY) // self.interval)


def catch_up(due: int) -> tuple[int, int]:
    """What to do with frames that are due at once.

    Args:
        due: how many are due, 0 or more.

    Returns:
        How many of the oldest are skipped, and how many are then sent.
    """
    return (due - MAX_BURST, MAX_BURST) if due > MAX_BURST else (0, due)
