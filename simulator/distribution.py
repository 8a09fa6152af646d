"""Many measurements in eight numbers, n first.

Percentiles interpolate linearly between order statistics (Hyndman and Fan, type 7: numpy's default, and k6's), so a
p99 of ten values lies just under their maximum and says little: that is why n stands beside every figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

PERCENTILE_METHOD: Literal["linear interpolation (Hyndman and Fan type 7)"] = (
    "linear interpolation (Hyndman and Fan type 7)"
)

BOOTSTRAP_RESAMPLES = 1_000
"""Resamples: the bounds of a 95 % interval then stand on 25 of them on each side."""

MAX_BOOTSTRAP_VALUES = 2_000
"""Values: above, sampling error is small beside everything else, and resampling would take seconds."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    """Its lower bound, in the unit of the values."""
    high: float
    """Its upper bound, in the unit of the values."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far the figures may be off because only n values were seen: percentile bootstrap, 95 %."""

    mean: Interval
    """Of the mean."""
    p50: Interval
    """Of the median."""
    p95: Interval
    """Of the 95th percentile."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Figures of n values, in the unit that the name of the field holding them gives. All None when n is 0."""

    n: int
    """How many values."""
    min: float | None = None
    """The smallest."""
    mean: float | None = None
    """The arithmetic mean."""
    p50: float | None = None
    """The median."""
    p90: float | None = None
    """90 % of the values are at or below."""
    p95: float | None = None
    """95 % of the values are at or below."""
    p99: float | None = None
    """99 % of the values are at or below."""
    max: float | None = None
    """The largest."""
    confidence95: Confidence | None = None
    """95 % confidence intervals, when they were asked for."""
    percentile_method: str = PERCENTILE_METHOD
    """How percentiles between two values are found."""

    @classmethod
    def of(cls, values: Iterable[float], rng: random.Random | None = None) -> Distribution:
        """Take the figures of `values`.

        Args:
            values: finite numbers.
            rng: dice for confidence intervals; None leaves them out, and so do fewer than 2 or more than
                MAX_BOOTSTRAP_VALUES values.
        """
        seen = np.fromiter(values, np.float64)
        if not seen.size:
            return cls(0)
        p50, p90, p95, p99 = (float(p) for p in np.percentile(seen, (50, 90, 95, 99), method="linear"))
        return cls(
            n=seen.size,
            min=float(seen.min()),
            mean=float(seen.mean()),
            p50=p50,
            p90=p90,
            p95=p95,
            p99=p99,
            max=float(seen.max()),
            confidence95=_confidence(seen, rng) if rng else None,
        )


def _confidence(seen: np.ndarray[tuple[int], np.dtype[np.float64]], rng: random.Random) -> Confidence | None:
    if not 2 <= seen.size <= MAX_BOOTSTRAP_VALUES:
        return None
    dice = np.random.default_rng(rng.getrandbits(64))
    resampled = seen[dice.integers(seen.size, size=(BOOTSTRAP_RESAMPLES, seen.size))]
    p50, p95 = np.percentile(resampled, (50, 95), axis=1)
    figures = (resampled.mean(axis=1), p50, p95)
    return Confidence(*(Interval(*(float(b) for b in np.percentile(f, (2.5, 97.5)))) for f in figures))
