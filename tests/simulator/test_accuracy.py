"""Measured against logged: pairs by time, errors in milliseconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.accuracy import TOLERANCE, TimedLatency, compare


def at(*pairs: tuple[float, float]) -> list[TimedLatency]:
    """Latencies as (seconds, milliseconds)."""
    return [TimedLatency(*pair) for pair in pairs]


def test_errors_are_measured_minus_true() -> None:
    """Pair by pair, then their mean, deviation and worst."""
    accuracy = compare(at((5.0, 805), (10.0, 790), (15.0, 815)), at((5.0, 800), (10.0, 800), (15.0, 800)))
    assert [5, -10, 15] == [error.error_ms for error in accuracy.errors]
    assert (3, 10 / 3, 15) == (accuracy.n, pytest.approx(accuracy.mean_error_ms), accuracy.max_abs_error_ms)
    assert 12.58 == pytest.approx(accuracy.error_sd_ms, abs=0.01)


def test_the_sentence_is_for_people() -> None:
    """What was true, what was measured, how far apart, and of how many."""
    accuracy = compare(at((5.0, 805), (10.0, 790), (15.0, 815)), at((5.0, 800), (10.0, 800), (15.0, 800)))
    assert "measured 800 ms agent as 803 ± 13 ms (n=3, worst error 15 ms)" == accuracy.sentence


def test_one_pair_has_no_deviation() -> None:
    """Nor does its sentence."""
    accuracy = compare(at((5.0, 805)), at((5.0, 800)))
    assert accuracy.error_sd_ms is None
    assert "measured 800 ms agent as 805 ms (n=1, worst error 5 ms)" == accuracy.sentence


def test_a_turn_that_one_side_missed_shifts_no_pair() -> None:
    """The others keep their partners; the sentence tells of it."""
    accuracy = compare(at((5.0, 805), (15.0, 810)), at((5.0, 800), (10.0, 700), (15.0, 800)))
    assert [5, 10] == [error.error_ms for error in accuracy.errors]
    assert (0, 1) == (accuracy.unmatched_measured, accuracy.unmatched_true)
    assert accuracy.sentence.endswith("(n=2, worst error 10 ms, 1 unmatched)")


def test_a_pair_is_nearest_from_both_sides() -> None:
    """The logged turn at 10.0 was missed; the one at 10.8 is not taken from its own measurement."""
    accuracy = compare(at((10.75, 805)), at((10.0, 700), (10.8, 800)))
    assert [800] == [error.true_ms for error in accuracy.errors]


def test_farther_than_the_tolerance_is_another_turn() -> None:
    """At the bound they are a pair, beyond it not."""
    assert 1 == compare(at((5.0 + TOLERANCE, 800)), at((5.0, 800))).n
    beyond = compare(at((5.01 + TOLERANCE, 800)), at((5.0, 800)))
    assert (0, 1, 1) == (beyond.n, beyond.unmatched_measured, beyond.unmatched_true)


def test_nothing_to_compare_is_said() -> None:
    """No figure stands for no pair."""
    accuracy = compare(at((5.0, 800)), [])
    assert "nothing to compare: no measured turn has a logged one (n=0)" == accuracy.sentence
    assert accuracy.mean_error_ms is None


@given(st.lists(st.floats(0, 100), max_size=30), st.lists(st.floats(0, 100), max_size=30))
def test_every_turn_is_in_one_pair_or_unmatched(measured: list[float], logged: list[float]) -> None:
    """None is counted twice or forgotten, whatever the instants."""
    accuracy = compare(at(*((s, 800) for s in measured)), at(*((s, 800) for s in logged)))
    assert len(measured) == accuracy.n + accuracy.unmatched_measured
    assert len(logged) == accuracy.n + accuracy.unmatched_true
