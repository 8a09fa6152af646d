"""Arithmetic on stretches of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.segments import Segment, clipped, gaps, merged, overlaps, speaking_at, total


def spans(*pairs: tuple[float, float]) -> list[Segment]:
    """Segments of pairs."""
    return [Segment(*pair) for pair in pairs]


WHOLE_SECONDS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 10)).map(lambda p: Segment(p[0], p[0] + p[1])), max_size=20
)


def test_a_segment_does_not_end_before_it_starts() -> None:
    """Neither do those whose ends are no numbers."""
    with pytest.raises(ValueError, match="segment"):
        Segment(2.0, 1.0)
    with pytest.raises(ValueError, match="nan"):
        Segment(0.0, float("nan"))
    assert 0.0 == Segment(1.0, 1.0).duration


def test_gaps_up_to_the_bound_are_closed() -> None:
    """Half a second is, a little more is not; the order does not matter."""
    assert spans((0, 2)) == merged(spans((1.5, 2), (0, 1)), 0.5)
    assert spans((0, 1), (1.51, 2)) == merged(spans((0, 1), (1.51, 2)), 0.5)


def test_a_segment_inside_another_adds_nothing() -> None:
    """The longer end stays."""
    assert spans((0, 5)) == merged(spans((0, 5), (1, 2)), 0.0)


def test_a_gap_in_which_somebody_else_spoke_stays_open() -> None:
    """Only if that speech lies in the gap as a whole."""
    both = spans((0, 1), (1.4, 2))
    assert both == merged(both, 0.5, apart=spans((1.1, 1.3)))
    assert spans((0, 2)) == merged(both, 0.5, apart=spans((1.1, 1.5)))
    assert spans((0, 2)) == merged(both, 0.5, apart=spans((0.9, 1.3)))


def test_clipping_leaves_what_lies_between() -> None:
    """Cut at both ends; what only touches is left out."""
    assert spans((1, 2), (3, 4)) == clipped(spans((0, 1), (0, 2), (3, 9), (4, 5)), 1, 4)


def test_a_segment_holds_its_start_and_not_its_end() -> None:
    """So two that touch never hold the same instant."""
    both = spans((0, 1), (1, 2))
    assert both == [speaking_at(both, 0.0), speaking_at(both, 1.0)]
    assert speaking_at(both, 2.0) is None
    assert speaking_at(both, -0.1) is None


def test_overlaps_are_where_both_speak() -> None:
    """Each stretch of one against all of the other."""
    assert spans((1, 2), (3, 4)) == overlaps(spans((0, 2), (3, 5)), spans((1, 4)))
    assert [] == overlaps(spans((0, 1)), spans((1, 2)))


def test_gaps_are_where_nobody_speaks() -> None:
    """Before, between and after."""
    assert spans((0, 1), (2, 3), (4, 5)) == gaps(spans((1, 2), (3, 4)), 0, 5)
    assert [] == gaps(spans((0, 5)), 0, 5)


@given(WHOLE_SECONDS, WHOLE_SECONDS)
def test_two_speakers_and_silence_make_up_the_time(ones: list[Segment], others: list[Segment]) -> None:
    """One + other - both + neither = all, for any two speakers."""
    one, other = merged(ones, 0), merged(others, 0)
    neither = gaps(merged([*one, *other], 0), 0, 100)
    assert 100 == total(one) + total(other) - total(overlaps(one, other)) + total(neither)
