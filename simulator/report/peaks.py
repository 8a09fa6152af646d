"""The outline of a waveform: the lowest and the highest sample of each stretch.

A page that draws 25 seconds on a thousand pixels needs no 200,000 samples per channel; it needs, for each column, how
far the sound reaches up and down. Taking extremes, not means, keeps a click of one sample visible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BUCKETS_PER_SECOND = 100
"""Stretches of 10 ms: finer than a pixel when a call fills the page, still fine when it is magnified."""

MAX_BUCKETS = 12_000
"""Stretches of one outline: two minutes at full resolution; a longer call is drawn coarser."""

LEVELS = 1_000
"""Steps from silence to full scale: more than a lane has pixels."""


def bucket_count(samples: int, sample_rate: int) -> int:
    """How many stretches a recording of so many samples (per channel) is drawn with."""
    wanted = -(-samples * BUCKETS_PER_SECOND // sample_rate)
    return min(wanted, samples, MAX_BUCKETS)


def peaks(pcm: NDArray[np.int16], buckets: int) -> NDArray[np.int16]:
    """Extremes of one channel.

    Args:
        pcm: samples, shape (n,), n > 0.
        buckets: stretches of equal length (to the sample), from 1 to n.

    Returns:
        Shape (buckets, 2): lowest and highest of each stretch in 1/LEVELS of full scale.

    Raises:
        ValueError: fewer samples than buckets, or no bucket at all.
    """
    if not 0 < buckets <= len(pcm):
        raise ValueError(f"{len(pcm)} samples cannot fill {buckets} buckets")
    starts = np.arange(buckets) * len(pcm) // buckets
    lowest = np.minimum.reduceat(pcm, starts)
    highest = np.maximum.reduceat(pcm, starts)
    extremes = np.stack([lowest, highest], axis=1).astype(np.int32)
    return (extremes * LEVELS // 32_768).astype(np.int16)
