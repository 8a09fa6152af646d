"""Slots of a wheel: who is due when."""

import pytest

from offhook.rtp.aio.wheel import Wheel


def test_a_member_is_due_once_in_each_turn_of_the_wheel() -> None:
    """Four slots, so every fourth tick."""
    wheel: Wheel[str] = Wheel(4)
    wheel.add("alice", 6)
    assert [(), (), ("alice",), (), (), (), ("alice",)] == [wheel.due(tick) for tick in range(4, 11)]


@pytest.mark.parametrize(("streams", "sizes"), [(3, [0, 1, 1, 1]), (4, [1, 1, 1, 1]), (9, [2, 3, 2, 2])])
def test_newcomers_are_spread_evenly_beginning_with_the_next_slot(streams: int, sizes: list[int]) -> None:
    """No slot ever has two more than another."""
    wheel: Wheel[int] = Wheel(4)
    for stream in range(streams):
        wheel.add(stream, wheel.quietest(101))
    assert sizes == wheel.sizes()


def test_a_newcomer_takes_the_place_of_one_that_left() -> None:
    """The slot that has become the quietest is filled first."""
    wheel: Wheel[str] = Wheel(2)
    for name, tick in (("a", 0), ("b", 1), ("c", 0), ("d", 1)):
        wheel.add(name, tick)
    wheel.remove("b")
    assert 7 == wheel.quietest(6)
    assert 3 == len(wheel)


def test_removing_twice_is_removing_once() -> None:
    """Who is not there is gone already."""
    wheel: Wheel[str] = Wheel(1)
    wheel.add("a", 0)
    wheel.remove("a")
    wheel.remove("a")
    assert 0 == len(wheel)


def test_members_may_leave_while_the_due_ones_are_served() -> None:
    """A player that hangs up in its own tick does not disturb the round."""
    wheel: Wheel[str] = Wheel(1)
    wheel.add("a", 0)
    wheel.add("b", 0)
    served = []
    for name in wheel.due(0):
        wheel.remove("b")
        served.append(name)
    assert ["a", "b"] == served
    assert ("a",) == wheel.due(1)
