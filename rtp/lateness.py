"""How late things were, in a histogram of fixed size: percentiles without keeping the values.

Theory of operation. Lateness is counted in units of 1/1024 ms, about a microsecond. Up to 32 units each has a bucket of its
own; above that each doubling is cut into 16 buckets, so a bucket is never wider than a sixteenth of what is in it. A
percentile is the upper edge of its bucket (never above the greatest value seen): it may overstate by that sixteenth, and
never flatters. As the unit is a binary fraction, a millisecond is the edge of a bucket, and "within 1 ms" is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

PUNCTUAL = 0.001
"""Seconds: what was less late than this counts as punctual."""

MAX_LATENESS = 64.0
"""Seconds: the last bucket begins here; a process that was stopped for longer is simply `max`."""

_UNITS = 1_024_000  # in a second
_PARTS_BITS = 4  # 16 buckets in each doubling
_LINEAR = 2 << _PARTS_BITS  # units below which each value has its own bucket
_MAX_UNITS = round(MAX_LATENESS * _UNITS)


def _bucket_of(units: int) -> int:
    if units < _LINEAR:
        return units
    shift = units.bit_length() - (_PARTS_BITS + 1)
    return (shift << _PARTS_BITS) + (units >> shift)


def _upper_edge(bucket: int) -> float:
    """Seconds; nothing in the bucket is as late as that."""
    if bucket < _LINEAR:
        return (bucket + 1) / _UNITS
    shift = (bucket >> _PARTS_BITS) - 1
    return ((bucket - (shift << _PARTS_BITS) + 1) << shift) / _UNITS


_PUNCTUAL_BUCKETS = _bucket_of(round(PUNCTUAL * _UNITS))
BUCKETS = _bucket_of(_MAX_UNITS) + 1
"""Numbers that a histogram consists of; it never grows."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late `n` things were; all times in seconds."""

    n: int
    p50: float
    """Half of them were at most so late; 0 if there were none."""
    p99: float
    """99 of 100 were at most so late."""
    max: float
    punctual: int
    """How many of `n` were less than 1 ms late."""
    skipped: int
    """How many more were not done at all, because it was too late for them."""

    @property
    def punctual_share(self) -> float | None:
        """Punctual of all `n`, 0 … 1; None if there were none."""
        return self.punctual / self.n if self.n else None


class LatenessHistogram:
    """Counts lateness; costs the same for one value and for a billion."""

    __slots__ = ("_counts", "_max", "skipped")

    def __init__(self) -> None:
        self._counts = [0] * BUCKETS
        self._max = 0.0
        self.skipped = 0
        """What was not done at all; counted by the user, shown in the snapshot."""

    def __repr__(self) -> str:
        return f"<LatenessHistogram n={sum(self._counts)} max={self._max * 1e3:.3f} ms skipped={self.skipped}>"

    def record(self, seconds: float) -> None:
        """Counts one value; what came too early counts as in time."""
        if seconds > self._max:  # noqa: PLR1730 - once for each packet: a comparison costs a third of a call
            self._max = seconds
        units = int(seconds * _UNITS)
        self._counts[_bucket_of(units) if 0 < units < _MAX_UNITS else 0 if units <= 0 else -1] += 1

    def add(self, other: LatenessHistogram) -> None:
        """Takes over all that another one has counted."""
        self._counts = [ours + theirs for ours, theirs in zip(self._counts, other._counts, strict=True)]
        self._max = max(self._max, other._max)
        self.skipped += other.skipped

    def snapshot(self) -> Lateness:
        """The numbers as they stand; reading changes nothing."""
        n = sum(self._counts)
        return Lateness(
            n=n,
            p50=self._percentile(0.50, n),
            p99=self._percentile(0.99, n),
            max=self._max,
            punctual=sum(self._counts[:_PUNCTUAL_BUCKETS]),
            skipped=self.skipped,
        )

    def _percentile(self, share: float, n: int) -> float:
        """The least edge below which at least this share of the `n` values lies, seconds."""
        rank, seen = math.ceil(share * n), 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= rank > 0:
                return min(_upper_edge(bucket), self._max)
        return 0.0
