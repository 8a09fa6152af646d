"""The heap of deadlines: who is to be woken when."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from offhook.sipcore import deadlines
from offhook.sipcore.deadlines import Deadlines


class Sleeper:
    """A machine that waits for one instant, or for nothing."""

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline

    def next_deadline(self) -> float | None:
        """What it waits for."""
        return self.deadline


def heap(*sleepers: Sleeper) -> Deadlines[Sleeper]:
    """All of them armed."""
    waiting: Deadlines[Sleeper] = Deadlines()
    for sleeper in sleepers:
        waiting.update(sleeper)
    return waiting


def test_who_waits_for_nothing_is_not_there() -> None:
    """Neither at first nor later."""
    sleeper = Sleeper()
    waiting = heap(sleeper)
    assert (0, None) == (len(waiting), waiting.next())
    sleeper.deadline = 1.0
    waiting.update(sleeper)
    assert (1, 1.0) == (len(waiting), waiting.next())
    sleeper.deadline = None
    waiting.update(sleeper)
    assert (0, None) == (len(waiting), waiting.next())


def test_who_moves_its_deadline_is_woken_at_the_new_one() -> None:
    """Earlier or later; the old entry wakes nobody."""
    sleeper = Sleeper(5.0)
    waiting = heap(sleeper)
    for deadline in (2.0, 8.0):
        sleeper.deadline = deadline
        waiting.update(sleeper)
    assert [] == list(waiting.due(7.9))
    assert ([sleeper], 0) == (list(waiting.due(8.0)), len(waiting))


def test_the_due_come_in_order_and_equal_ones_as_they_were_armed() -> None:
    """So that a run with the same dice is the same run."""
    late, first, second = Sleeper(3.0), Sleeper(1.0), Sleeper(1.0)
    assert [first, second, late] == list(heap(late, first, second).due(3.0))


def test_who_is_forgotten_is_not_woken() -> None:
    """And may be forgotten twice."""
    sleeper = Sleeper(1.0)
    waiting = heap(sleeper)
    waiting.forget(sleeper)
    waiting.forget(sleeper)
    assert [] == list(waiting.due(9.0))


def test_who_arms_itself_again_while_woken_is_woken_again_when_due() -> None:
    """A machine that is late has several duties."""
    sleeper = Sleeper(1.0)
    waiting = heap(sleeper)
    woken = []
    for machine in waiting.due(3.0):
        woken.append(machine.deadline)
        machine.deadline += 1.0
        waiting.update(machine)
    assert ([1.0, 2.0, 3.0], 4.0) == (woken, waiting.next())


def test_old_entries_do_not_pile_up() -> None:
    """One entry beyond the bound, and the heap is built anew from those that count."""
    sleeper = Sleeper(0.0)
    waiting = heap(sleeper)
    for step in itertools.count(1):
        sleeper.deadline = float(step)
        waiting.update(sleeper)
        if len(waiting._heap) < step:
            break
    assert (deadlines._REBUILD_ABOVE + 4, 1) == (step, len(waiting._heap))
    assert [sleeper] == list(waiting.due(step))


@given(st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 50)), max_size=60))
def test_the_earliest_is_always_the_earliest(moves: list[tuple[int, int | None]]) -> None:
    """Whoever moved whatever before: as a plain minimum would have it."""
    sleepers = [Sleeper() for _ in range(10)]
    waiting = heap()
    for index, deadline in moves:
        sleepers[index].deadline = deadline
        waiting.update(sleepers[index])
        armed = [sleeper.deadline for sleeper in sleepers if sleeper.deadline is not None]
        assert min(armed, default=None) == waiting.next()
