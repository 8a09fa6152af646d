"""Who has to be woken when: a heap of deadlines in which old entries are skipped, not searched for.

Scheduling and waking cost O(log n) whatever the number of machines that wait. A machine that moves its deadline leaves its
old entry behind; it is recognised when it comes to the top, and when too many have gathered the heap is built anew.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator


class Waiting(Protocol):
    """A machine that knows when it wants to be woken."""

    def next_deadline(self) -> float | None:
        """The instant of its next duty, in seconds; None when it waits for nothing."""
        ...


M = TypeVar("M", bound=Waiting)

_REBUILD_ABOVE: Final = 1_024  # entries; below it, stale ones are not worth a thought


class Deadlines(Generic[M]):
    """The earliest deadline of many machines."""

    __slots__ = ("_armed", "_heap", "_order")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, M]] = []
        self._armed: dict[M, float] = {}
        self._order = 0

    def update(self, machine: M) -> None:
        """Ask the machine for its deadline and remember it; to be called after each input to it."""
        deadline = machine.next_deadline()
        if deadline is None:
            self._armed.pop(machine, None)
        elif self._armed.get(machine) != deadline:
            self._armed[machine] = deadline
            self._order += 1
            heapq.heappush(self._heap, (deadline, self._order, machine))
            if len(self._heap) > _REBUILD_ABOVE + 4 * len(self._armed):
                self._rebuild()

    def forget(self, machine: M) -> None:
        """The machine waits no longer."""
        self._armed.pop(machine, None)

    def next(self) -> float | None:
        """The earliest deadline, or None."""
        heap = self._heap
        while heap:
            deadline, _, machine = heap[0]
            if self._armed.get(machine) == deadline:
                return deadline
            heapq.heappop(heap)
        return None

    def due(self, now: float) -> Iterator[M]:
        """Take out each machine whose deadline has come; the caller wakes it and calls :meth:`update`."""
        while (deadline := self.next()) is not None and deadline <= now:
            machine = heapq.heappop(self._heap)[2]
            del self._armed[machine]
            yield machine

    def _rebuild(self) -> None:
        self._heap = [entry for entry in self._heap if self._armed.get(entry[2]) == entry[0]]
        heapq.heapify(self._heap)

    def __len__(self) -> int:
        return len(self._armed)
