"""Stretches of time, and the arithmetic on them that conversations need.

All lists of segments that come out are ascending. Sorting apart, everything is linear in them or logarithmic.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """A stretch of speech, or of silence.

    Raises:
        ValueError: it ends before it starts.
    """

    start_instant: float
    """Seconds on the clock of all others: the first audible sample on the wire."""
    end_instant: float
    """Seconds: the last audible sample is over."""

    def __post_init__(self) -> None:
        """Refuse what is no stretch of time; NaN is none either."""
        if not self.start_instant <= self.end_instant:
            raise ValueError(f"a segment from {self.start_instant} to {self.end_instant}")

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end_instant - self.start_instant


START = attrgetter("start_instant")
END = attrgetter("end_instant")


def merged(segments: Iterable[Segment], gap: float, apart: Sequence[Segment] = ()) -> list[Segment]:
    """Join segments that overlap or lie at most `gap` seconds apart; any order in, ascending out.

    A gap that holds one of `apart` (ascending, free of overlaps) as a whole is not closed: somebody else spoke in it.
    """
    joined: list[Segment] = []
    for segment in sorted(segments):
        if joined and _close(joined[-1].end_instant, segment.start_instant, gap, apart):
            end = max(joined[-1].end_instant, segment.end_instant)
            joined[-1] = Segment(joined[-1].start_instant, end)
        else:
            joined.append(segment)
    return joined


def _close(end: float, start: float, gap: float, apart: Sequence[Segment]) -> bool:
    if start - end > gap:
        return False
    next_apart = bisect_left(apart, end, key=START)
    return next_apart == len(apart) or apart[next_apart].end_instant > start


def speaking_at(segments: Sequence[Segment], instant: float) -> Segment | None:
    """The segment that holds an instant, its start included and its end not; segments free of overlaps."""
    index = bisect_right(segments, instant, key=START) - 1
    if index >= 0 and instant < segments[index].end_instant:
        return segments[index]
    return None


def clipped(segments: Iterable[Segment], start: float, end: float) -> list[Segment]:
    """What of the segments lies between two instants; what lies outside is left out."""
    return [
        Segment(max(segment.start_instant, start), min(segment.end_instant, end))
        for segment in segments
        if segment.start_instant < end and segment.end_instant > start
    ]


def overlaps(ones: Sequence[Segment], others: Sequence[Segment]) -> list[Segment]:
    """Stretches that lie in both lists; each list free of overlaps in itself."""
    common: list[Segment] = []
    i = j = 0
    while i < len(ones) and j < len(others):
        start = max(ones[i].start_instant, others[j].start_instant)
        end = min(ones[i].end_instant, others[j].end_instant)
        if start < end:
            common.append(Segment(start, end))
        if ones[i].end_instant < others[j].end_instant:
            i += 1
        else:
            j += 1
    return common


def gaps(segments: Sequence[Segment], start: float, end: float) -> list[Segment]:
    """Stretches between two instants that no segment covers; the segments free of overlaps and inside."""
    empty: list[Segment] = []
    at = start
    for segment in segments:
        if segment.start_instant > at:
            empty.append(Segment(at, segment.start_instant))
        at = max(at, segment.end_instant)
    if end > at:
        empty.append(Segment(at, end))
    return empty


def total(segments: Iterable[Segment]) -> float:
    """Sum of the durations, seconds."""
    return sum(segment.duration for segment in segments)
