"""How numbers are written."""

from __future__ import annotations

import math

import pytest

from offhook.simulator.report.units import clock, difference, milliseconds, number, percent, quantity

THIN, MINUS, DASH = "\u202f", "\u2212", "\u2013"


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (12_345.64, 1, f"12{THIN}345.6"),
        (-3.0, 0, f"{MINUS}3"),
        (-0.2, 0, "0"),
        (0.0, 2, "0.00"),
        (None, 0, DASH),
        (math.nan, 0, DASH),
        (math.inf, 0, DASH),
    ],
)
def test_numbers_have_groups_and_a_true_minus(value: float | None, digits: int, written: str) -> None:
    """What was not measured is a dash, and nothing is less than zero by rounding."""
    assert written == number(value, digits)


def test_a_quantity_keeps_its_unit_close() -> None:
    """A dash has none."""
    assert [f"2.5{THIN}s", "2.5", DASH] == [quantity(2.5, "s", 1), quantity(2.5, "", 1), quantity(None, "s")]


def test_latencies_are_whole_milliseconds() -> None:
    """A frame is twenty of them, so more digits would be a lie."""
    assert [f"803{THIN}ms", DASH] == [milliseconds(0.8032), milliseconds(None)]


@pytest.mark.parametrize(
    ("measured", "truth", "written"),
    [
        (0.803, 0.800, f"+3{THIN}ms"),
        (0.790, 0.800, f"{MINUS}10{THIN}ms"),
        (0.8, 0.8, f"0{THIN}ms"),
        (None, 0.8, DASH),
        (0.8, None, DASH),
        (math.nan, 0.8, DASH),
    ],
)
def test_an_error_carries_its_sign(measured: float | None, truth: float | None, written: str) -> None:
    """Measured less truth."""
    assert written == difference(measured, truth)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, "0:00.00"), (62.345, "1:02.34"), (59.999, "1:00.00"), (-1.5, f"{MINUS}0:01.50"), (-0.001, "0:00.00"), (None, DASH), (math.inf, DASH)],
)  # fmt: skip
def test_a_position_is_a_clock(seconds: float | None, written: str) -> None:
    """Minutes, seconds, hundredths; before the answer it is negative."""
    assert written == clock(seconds)


def test_a_share_of_nothing_is_a_dash() -> None:
    """No packet at all is not zero loss."""
    assert [f"0.16{THIN}%", DASH] == [percent(2, 1_240), percent(0, 0)]
