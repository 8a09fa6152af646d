"""How true the measured latencies are: a comparison with an agent that logs what it really did.

The reference agent knows when it began each response and how long after our turn that was. Each measured turn is
paired with the logged one that is nearest in time, if it is also *its* nearest and not farther than the tolerance;
so a turn that one side missed leaves one unmatched entry and cannot shift all pairs after it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE = 1.0
"""Seconds between the measured and the logged response of one turn: more is another turn."""


@dataclass(frozen=True, slots=True)
class TimedLatency:
    """A turn latency and when it happened, measured or logged."""

    response_s: float
    """Seconds on one clock for both sides: the response began."""
    latency_ms: float
    """Milliseconds from the end of the caller's turn to there."""


@dataclass(frozen=True, slots=True)
class TurnError:
    """One pair."""

    response_s: float
    """Seconds: the measured beginning of the response."""
    measured_ms: float
    """Milliseconds measured."""
    true_ms: float
    """Milliseconds logged by the agent."""
    error_ms: float
    """Measured minus true, milliseconds."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Measured against true, over all pairs of a call or of a run."""

    n: int
    """Pairs."""
    true_mean_ms: float | None
    """Mean of the logged latencies of the pairs, milliseconds."""
    measured_mean_ms: float | None
    """Mean of the measured latencies of the pairs, milliseconds."""
    mean_error_ms: float | None
    """Mean of measured minus true, milliseconds: the bias."""
    error_sd_ms: float | None
    """Sample standard deviation of the errors, milliseconds; None for fewer than two pairs."""
    max_abs_error_ms: float | None
    """The worst error's magnitude, milliseconds."""
    unmatched_measured: int
    """Measured turns that the agent did not log."""
    unmatched_true: int
    """Logged turns that were not measured."""
    errors: tuple[TurnError, ...]
    """Pair by pair, in time."""

    @property
    def sentence(self) -> str:
        """For people: "measured 800 ms agent as 803 ± 12 ms (n=20)"; ± is one standard deviation of the error."""
        if self.true_mean_ms is None or self.measured_mean_ms is None or self.max_abs_error_ms is None:
            return "nothing to compare: no measured turn has a logged one (n=0)"
        spread = "" if self.error_sd_ms is None else f" ± {self.error_sd_ms:.0f}"
        unmatched = self.unmatched_measured + self.unmatched_true
        return (
            f"measured {self.true_mean_ms:.0f} ms agent as {self.measured_mean_ms:.0f}{spread} ms"
            f" (n={self.n}, worst error {self.max_abs_error_ms:.0f} ms"
            + (f", {unmatched} unmatched)" if unmatched else ")")
        )


def compare(measured: Sequence[TimedLatency], logged: Sequence[TimedLatency], tolerance: float = TOLERANCE) -> Accuracy:
    """Pair measured with logged latencies and tell the errors. Both in any order; `tolerance` in seconds."""
    ours = sorted(measured, key=_when)
    theirs = sorted(logged, key=_when)
    pairs = [(ours[i], theirs[j]) for i, j in _mutual(ours, theirs, tolerance)]
    errors = tuple(TurnError(m.response_s, m.latency_ms, t.latency_ms, m.latency_ms - t.latency_ms) for m, t in pairs)
    return Accuracy(
        n=len(errors),
        true_mean_ms=fmean(e.true_ms for e in errors) if errors else None,
        measured_mean_ms=fmean(e.measured_ms for e in errors) if errors else None,
        mean_error_ms=fmean(e.error_ms for e in errors) if errors else None,
        error_sd_ms=stdev(e.error_ms for e in errors) if len(errors) > 1 else None,
        max_abs_error_ms=max((abs(e.error_ms) for e in errors), default=None),
        unmatched_measured=len(ours) - len(errors),
        unmatched_true=len(theirs) - len(errors),
        errors=errors,
    )


def _when(latency: TimedLatency) -> float:
    return latency.response_s


def _mutual(ours: Sequence[TimedLatency], theirs: Sequence[TimedLatency], tolerance: float) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for i, latency in enumerate(ours):
        j = _nearest(theirs, latency.response_s)
        if (
            j is not None
            and abs(theirs[j].response_s - latency.response_s) <= tolerance
            and _nearest(ours, theirs[j].response_s) == i
        ):
            pairs.append((i, j))
    return pairs


def _nearest(latencies: Sequence[TimedLatency], instant: float) -> int | None:
    """Index of the entry nearest in time, the earlier of two equally near; ascending entries."""
    after = bisect_left(latencies, instant, key=_when)
    candidates = [i for i in (after - 1, after) if 0 <= i < len(latencies)]
    return min(candidates, key=lambda i: abs(latencies[i].response_s - instant), default=None)
