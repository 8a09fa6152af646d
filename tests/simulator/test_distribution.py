"""Eight numbers for many, n first."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.distribution import MAX_BOOTSTRAP_VALUES, PERCENTILE_METHOD, Distribution, Interval


def test_percentiles_interpolate_between_values() -> None:
    """Hyndman and Fan type 7, by hand: p90 of 1..5 lies 0.6 of the way from 4 to 5."""
    figures = Distribution.of([5, 1, 4, 2, 3])
    assert (5, 1.0, 3.0, 3.0, 5.0) == (figures.n, figures.min, figures.mean, figures.p50, figures.max)
    assert (4.6, 4.8, 4.96) == pytest.approx((figures.p90, figures.p95, figures.p99))
    assert PERCENTILE_METHOD == figures.percentile_method


def test_no_values_have_no_figures() -> None:
    """n says why."""
    assert Distribution(0) == Distribution.of([])
    assert Distribution.of([]).p50 is None


def test_one_value_is_all_its_figures() -> None:
    """And n = 1 says what they are worth."""
    figures = Distribution.of([7.0], random.Random(1))
    assert {7.0} == {figures.min, figures.mean, figures.p50, figures.p90, figures.p95, figures.p99, figures.max}
    assert figures.confidence95 is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_figures_stand_in_their_order(values: list[float]) -> None:
    """min <= p50 <= p90 <= p95 <= p99 <= max, for any values."""
    figures = Distribution.of(values)
    row = [figures.min, figures.p50, figures.p90, figures.p95, figures.p99, figures.max]
    assert sorted(row) == pytest.approx(row)


def test_confidence_comes_only_when_asked_for() -> None:
    """Dice are the question."""
    assert Distribution.of([1, 2, 3]).confidence95 is None
    assert Distribution.of([1, 2, 3], random.Random(1)).confidence95 is not None


def test_the_same_dice_give_the_same_confidence() -> None:
    """A result can be reproduced from its seed."""
    values = [random.Random(3).gauss(800, 50) for _ in range(30)]
    assert Distribution.of(values, random.Random(1)) == Distribution.of(values, random.Random(1))


def test_the_interval_of_the_mean_is_as_wide_as_theory_says() -> None:
    """For 400 normal values of deviation 50: 1.96 * 50 / 20 to each side, here within a quarter."""
    dice = random.Random(5)
    confidence = Distribution.of((dice.gauss(800, 50) for _ in range(400)), dice).confidence95
    assert confidence.mean.low < 800 < confidence.mean.high
    assert 9.8 == pytest.approx(confidence.mean.high - confidence.mean.low, rel=0.25)


def test_equal_values_leave_no_doubt() -> None:
    """The interval has no width."""
    confidence = Distribution.of([5.0] * 10, random.Random(1)).confidence95
    assert [Interval(5.0, 5.0)] * 3 == [confidence.mean, confidence.p50, confidence.p95]


def test_many_values_need_no_bootstrap() -> None:
    """The bound, and one beyond it."""
    dice = random.Random(1)
    assert Distribution.of([1.0] * MAX_BOOTSTRAP_VALUES, dice).confidence95 is not None
    assert Distribution.of([1.0] * (MAX_BOOTSTRAP_VALUES + 1), dice).confidence95 is None
