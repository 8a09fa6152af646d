"""The outline of a waveform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.report.peaks import LEVELS, MAX_BUCKETS, bucket_count, peaks


def test_each_stretch_gives_its_lowest_and_highest_sample() -> None:
    """In thousandths of full scale."""
    pcm = np.array([0, 16_384, -16_384, 0, 1, 2, 3, 4], dtype=np.int16)
    assert [[-500, 500], [0, 0]] == peaks(pcm, 2).tolist()


def test_a_click_of_one_sample_stays_visible() -> None:
    """Extremes, not means."""
    pcm = np.zeros(8_000, dtype=np.int16)
    pcm[4_321] = -32_768
    assert -LEVELS == peaks(pcm, 10)[:, 0].min()


def test_full_scale_of_either_sign_does_not_wrap_around() -> None:
    """-32,768 has no positive twin in 16 bits."""
    pcm = np.array([-32_768, 32_767], dtype=np.int16)
    assert [[-1_000, -1_000], [999, 999]] == peaks(pcm, 2).tolist()


@given(samples=st.integers(1, 400), data=st.data())
def test_no_sample_is_left_out(samples: int, data: st.DataObject) -> None:
    """Stretches tile the recording, also where it does not divide evenly."""
    buckets = data.draw(st.integers(1, samples))
    pcm = np.zeros(samples, dtype=np.int16)
    pcm[data.draw(st.integers(0, samples - 1))] = 32_767
    outline = peaks(pcm, buckets)
    assert (buckets, 2) == outline.shape
    assert 1 == np.count_nonzero(outline[:, 1])


@pytest.mark.parametrize("buckets", [0, -1, 11])
def test_more_buckets_than_samples_are_refused(buckets: int) -> None:
    """An empty stretch has no extremes."""
    with pytest.raises(ValueError, match="cannot fill"):
        peaks(np.zeros(10, dtype=np.int16), buckets)


def test_a_call_is_drawn_with_a_hundred_stretches_a_second() -> None:
    """A started stretch counts; a very short recording has one per sample."""
    assert [2_500, 1, 3] == [bucket_count(200_000, 8_000), bucket_count(79, 8_000), bucket_count(3, 100)]


def test_a_long_call_is_drawn_coarser() -> None:
    """MAX_BUCKETS crossed by one stretch."""
    exact = MAX_BUCKETS * 80
    assert [MAX_BUCKETS] * 2 == [bucket_count(exact, 8_000), bucket_count(exact + 1, 8_000)]
