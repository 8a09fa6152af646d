"""Percentiles without keeping the values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.rtp.lateness import BUCKETS, MAX_LATENESS, PUNCTUAL, Lateness, LatenessHistogram

UNIT = 1 / 1_024_000


def histogram(*values: float) -> LatenessHistogram:
    """All of these, counted."""
    made = LatenessHistogram()
    for value in values:
        made.record(value)
    return made


def test_nothing_recorded_is_nothing_late() -> None:
    """All zero, and no share of nothing."""
    snapshot = histogram().snapshot()
    assert Lateness(n=0, p50=0.0, p99=0.0, max=0.0, punctual=0, skipped=0) == snapshot
    assert snapshot.punctual_share is None


def test_one_value_is_median_and_maximum() -> None:
    """The edge of the bucket is never shown above what was seen."""
    snapshot = histogram(0.0123).snapshot()
    assert (0.0123, 0.0123, 0.0123) == (snapshot.p50, snapshot.p99, snapshot.max)


def test_one_bad_value_in_a_hundred_is_not_the_99th_percentile_but_the_maximum() -> None:
    """Nearest rank: 99 of 100 were at most so late."""
    snapshot = histogram(*[0.000_5] * 99, 0.3).snapshot()
    assert snapshot.p99 == pytest.approx(0.000_5, rel=1 / 15)
    assert 0.3 == snapshot.max


def test_what_is_a_whole_millisecond_late_is_not_punctual() -> None:
    """The border is the edge of a bucket, so the share is exact."""
    snapshot = histogram(0.0, PUNCTUAL - UNIT, PUNCTUAL, PUNCTUAL + UNIT).snapshot()
    assert (2, 0.5) == (snapshot.punctual, snapshot.punctual_share)


def test_what_came_too_early_counts_as_in_time() -> None:
    """A negative lateness is none."""
    snapshot = histogram(-0.5).snapshot()
    assert (1, 1, 0.0) == (snapshot.n, snapshot.punctual, snapshot.max)


@pytest.mark.parametrize("seconds", [MAX_LATENESS - UNIT, MAX_LATENESS, MAX_LATENESS + UNIT, 1e9])
def test_the_histogram_does_not_grow_with_the_lateness(seconds: float) -> None:
    """From `MAX_LATENESS` on there is one bucket; the maximum is still told exactly."""
    made = histogram(seconds)
    assert BUCKETS == len(made._counts)
    assert seconds == made.snapshot().max


def test_reading_changes_nothing() -> None:
    """Two snapshots are equal."""
    made = histogram(0.001, 0.002)
    assert made.snapshot() == made.snapshot()


def test_skipped_things_are_shown_beside_the_late_ones() -> None:
    """They have no lateness, so they are in no percentile."""
    made = histogram(0.001)
    made.skipped += 3
    assert (1, 3) == (made.snapshot().n, made.snapshot().skipped)
    assert "<LatenessHistogram n=1 max=1.000 ms skipped=3>" == repr(made)


@given(st.lists(st.floats(0, 70), max_size=200), st.lists(st.floats(0, 70), max_size=200))
def test_two_histograms_together_are_one_of_all_values(first: list[float], second: list[float]) -> None:
    """The sum over streams is what one clock would have counted."""
    both = histogram(*first)
    both.add(histogram(*second))
    assert histogram(*first, *second).snapshot() == both.snapshot()


@given(st.lists(st.floats(0, 60), min_size=1, max_size=300), st.sampled_from([0.50, 0.99]))
def test_a_percentile_never_flatters_and_overstates_by_a_sixteenth_at_most(values: list[float], share: float) -> None:
    """Compared with the sorted values themselves, nearest rank."""
    snapshot = histogram(*values).snapshot()
    true = sorted(values)[math.ceil(share * len(values)) - 1]
    shown = snapshot.p50 if share == 0.50 else snapshot.p99
    assert true <= shown <= true * (1 + 1 / 16) + UNIT
