"""A wheel of slots: who is due at which tick, without looking at anybody else.

Theory of operation. With a tick of 5 ms and a frame of 20 ms a wheel has four slots, and tick `n` serves slot `n % 4`. A
newcomer goes where the fewest are, so no tick carries all the streams of a process; among equals it goes to the one that
comes first, so that it need not wait.
"""

from __future__ import annotations

from typing import Generic, TypeVar

MemberT = TypeVar("MemberT")


class Wheel(Generic[MemberT]):
    """Members of which each is due every `period` ticks."""

    __slots__ = ("_slots", "period")

    def __init__(self, period: int) -> None:
        self.period = period
        self._slots: list[dict[MemberT, None]] = [{} for _ in range(period)]  # a dict is an ordered set

    def __len__(self) -> int:
        return sum(map(len, self._slots))

    def quietest(self, first: int) -> int:
        """The tick from `first` on, within one period, that the fewest are due at."""
        return min(range(first, first + self.period), key=lambda tick: len(self._slots[tick % self.period]))

    def add(self, member: MemberT, tick: int) -> None:
        """Makes it due at this tick and each `period` after it."""
        self._slots[tick % self.period][member] = None

    def remove(self, member: MemberT) -> None:
        """Forgets it; one that is not there is forgotten already."""
        for slot in self._slots:
            slot.pop(member, None)

    def due(self, tick: int) -> tuple[MemberT, ...]:
        """Who is due at this tick; a copy, so that anybody may come or go meanwhile."""
        return tuple(self._slots[tick % self.period])

    def sizes(self) -> list[int]:
        """How many are in each slot."""
        return [len(slot) for slot in self._slots]
