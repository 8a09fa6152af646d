"""Numbers that wrap: RFC 1982, at its boundaries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.rtp import Unwrapper, sequence_delta, timestamp_delta


@pytest.mark.parametrize(
    ("newer", "older", "delta"),
    [
        (0, 0, 0),
        (1, 0, 1),
        (0, 1, -1),
        (0, 65_535, 1),
        (65_535, 0, -1),
        (2, 65_534, 4),
        (65_534, 2, -4),
        (32_767, 0, 32_767),
        (32_768, 0, -32_768),
        (32_769, 0, -32_767),
        (0, 32_767, -32_767),
        (0, 32_768, -32_768),
        (0, 32_769, 32_767),
        (100, 32_868, -32_768),
        (32_868, 100, -32_768),
        (65_535, 32_767, -32_768),
        (65_535, 32_768, 32_767),
        (65_535, 65_535, 0),
        (40_000, 39_999, 1),
        (5, 60_000, 5_541),
    ],
)
def test_sequence_numbers_are_compared_by_the_shorter_way_round(newer: int, older: int, delta: int) -> None:
    """Less than half a turn ahead is newer; exactly half a turn counts as older (RFC 1982 3.2 leaves it open)."""
    assert delta == sequence_delta(newer, older)


@pytest.mark.parametrize(
    ("newer", "older", "delta"),
    [
        (0, 0xFFFF_FFFF, 1),
        (0xFFFF_FFFF, 0, -1),
        (0x7FFF_FFFF, 0, 0x7FFF_FFFF),
        (0x8000_0000, 0, -0x8000_0000),
        (160, 0xFFFF_FF60, 320),
    ],
)
def test_timestamps_are_compared_by_the_shorter_way_round(newer: int, older: int, delta: int) -> None:
    """The same arithmetic with 32 bits."""
    assert delta == timestamp_delta(newer, older)


def test_the_first_number_stands_for_itself() -> None:
    """There is nothing before it to count from."""
    assert 65_535 == Unwrapper(16).unwrap(65_535)


@pytest.mark.parametrize(
    ("bits", "wrapped", "plain"),
    [
        (16, [65_534, 65_535, 0, 1], [65_534, 65_535, 65_536, 65_537]),
        (16, [0, 65_535, 1], [0, -1, 1]),
        (16, [65_535, 0, 65_535, 1], [65_535, 65_536, 65_535, 65_537]),
        (32, [0xFFFF_FFFF, 159], [0xFFFF_FFFF, 0x1_0000_009F]),
        (16, [0, 32_768], [0, -32_768]),
    ],
    ids=["wraps", "begins with a reordered one", "reordered at the wrap", "32 bits", "half a turn"],
)
def test_an_unwrapped_stream_counts_on(bits: int, wrapped: list[int], plain: list[int]) -> None:
    """Each number becomes the integer nearest to the one before."""
    unwrapper = Unwrapper(bits)
    assert plain == [unwrapper.unwrap(number) for number in wrapped]


@given(st.integers(0, 2**20), st.lists(st.integers(-32_768, 32_767), max_size=50))
def test_unwrapping_gives_back_what_was_wrapped(start: int, steps: list[int]) -> None:
    """As long as no step is half a turn or more, nothing is lost by wrapping."""
    plain, unwrapper = start & 0xFFFF, Unwrapper(16)
    assert plain == unwrapper.unwrap(plain)
    for step in steps:
        plain += step
        assert plain == unwrapper.unwrap(plain & 0xFFFF)
