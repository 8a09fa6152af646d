"""What happened and has not been read yet: a bounded queue between a call and one reader.

The writer never waits. When the reader is too slow, the oldest entries go, and are counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

EntryT = TypeVar("EntryT")


class Inbox(Generic[EntryT]):
    """Entries in order, until it is closed.

    Args:
        limit: entries that are kept for a reader who lags behind.
    """

    def __init__(self, limit: int) -> None:
        self._kept: deque[EntryT] = deque(maxlen=limit)
        self._news = asyncio.Event()
        self._closed = False
        self.dropped = 0
        "Entries that went because nobody read them in time."

    def put(self, entry: EntryT) -> None:
        """Add an entry; the oldest goes where there is no room."""
        self.dropped += len(self._kept) == self._kept.maxlen
        self._kept.append(entry)
        self._news.set()

    def close(self) -> None:
        """Nothing more comes; readers end when they have read what is kept."""
        self._closed = True
        self._news.set()

    async def read(self) -> AsyncIterator[EntryT]:
        """The entries one by one as they come; two readers share them, each entry goes to one."""
        while True:
            while self._kept:
                yield self._kept.popleft()
            if self._closed:
                return
            self._news.clear()
            await self._news.wait()
