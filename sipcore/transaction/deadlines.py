"""The deadlines of many machines in one heap.

Each item has at most one deadline. Changing it costs O(log n): the new entry is pushed, the old one stays where it lies and
is thrown away when it comes to the top, because its number names nobody any more. An entry holds no item, so that an item
which is done with is freed at once although its entry still lies in the heap; when such entries outnumber the others, the heap
is built anew from those that count, which costs O(1) per change in the long run.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MAX_STALE: Final = 1_024  # entries that may lie about beyond the number of live ones; about 100 KiB


class Deadlines(Generic[T]):
    """Items by the instant (monotonic seconds) at which they want to be woken up; equal instants in order of scheduling."""

    __slots__ = ("_armed", "_heap", "_items", "_number")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._items: dict[int, T] = {}
        self._armed: dict[T, tuple[float, int]] = {}
        self._number = 0

    def __len__(self) -> int:
        """How many items have a deadline."""
        return len(self._items)

    @property
    def heap_size(self) -> int:
        """Entries in the heap, stale ones too: at most twice the items and ``MAX_STALE``."""
        return len(self._heap)

    def schedule(self, item: T, deadline: float | None) -> None:
        """Set the deadline of an item, or take it away by None."""
        armed, items = self._armed, self._items
        entry = armed.get(item)
        if entry is not None:
            if entry[0] == deadline:
                return
            del items[entry[1]]
        if deadline is not None:
            self._number = number = self._number + 1
            armed[item] = entry = (deadline, number)
            items[number] = item
            heappush(self._heap, entry)
        elif entry is not None:
            del armed[item]
        if len(self._heap) > 2 * len(items) + MAX_STALE:
            self._tidy()

    def next_deadline(self) -> float | None:
        """The earliest deadline, or None without one."""
        heap, items = self._heap, self._items
        while heap:
            deadline, number = heap[0]
            if number in items:
                return deadline
            heappop(heap)
        return None

    def pop_due(self, now: float) -> T | None:
        """Take out the item whose deadline is the earliest, if it is not after ``now``; else None."""
        deadline = self.next_deadline()
        if deadline is None or deadline > now:
            return None
        item = self._items.pop(heappop(self._heap)[1])
        del self._armed[item]
        return item

    def _tidy(self) -> None:
        self._heap = list(self._armed.values())
        heapify(self._heap)
