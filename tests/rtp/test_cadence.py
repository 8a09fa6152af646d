"""Absolute instants, and what is done when they were missed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.rtp.cadence import EARLY, MAX_BURST, Cadence, catch_up


def test_an_instant_depends_on_the_first_one_and_on_nothing_that_came_between() -> None:
    """The millionth frame of 20 ms is at 20,000 s, not where a million sleeps would have led to."""
    assert Cadence(5.0, 0.020).instant(1_000_000) == pytest.approx(20_005.0, abs=1e-6)


@pytest.mark.parametrize(
    ("now", "index"),
    [(9.0, -50), (9.99, -1), (10.0, 0), (10.019, 0), (10.020, 1), (10.039, 1), (10.060, 3), (11.0, 50)],
)
def test_the_index_is_that_of_the_last_instant_that_was_reached(now: float, index: int) -> None:
    """Before the first one it is negative."""
    assert index == Cadence(10.0, 0.020).index(now)


def test_a_timer_that_fires_a_trifle_early_has_reached_its_instant() -> None:
    """Loops round to their own resolution; a whole tick must not be lost by it."""
    cadence = Cadence(10.0, 0.020)
    assert [4, 3] == [cadence.index(10.080 - EARLY / 2), cadence.index(10.080 - EARLY * 2)]


@given(st.floats(0, 1e7), st.sampled_from([0.0025, 0.005, 0.010, 0.020, 0.030, 0.060]), st.integers(0, 10_000_000))
def test_each_instant_is_reached_when_it_comes(start: float, interval: float, index: int) -> None:
    """Rounding of floats never loses an instant nor doubles one, even after months."""
    cadence = Cadence(start, interval)
    assert index == cadence.index(cadence.instant(index))


@pytest.mark.parametrize(("due", "expected"), [(0, (0, 0)), (1, (0, 1)), (2, (0, 2)), (3, (1, 2)), (50, (48, 2))])
def test_never_more_than_two_frames_are_sent_in_a_burst(due: int, expected: tuple[int, int]) -> None:
    """One more than `MAX_BURST` and the oldest is skipped."""
    assert expected == catch_up(due)
    assert catch_up(due)[1] <= MAX_BURST
