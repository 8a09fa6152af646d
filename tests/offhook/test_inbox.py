"""Entries between a writer who never waits and a reader who may."""

import asyncio
from itertools import chain

from support.loop import run

from offhook.inbox import Inbox


async def read_all(inbox: Inbox[int]) -> list[int]:
    """To its end."""
    return [entry async for entry in inbox.read()]


def test_entries_come_in_order_and_the_reader_ends_when_the_inbox_is_closed() -> None:
    """What was put before the close is read after it."""

    async def main() -> list[int]:
        inbox = Inbox[int](3)
        for entry in (1, 2, 3):
            inbox.put(entry)
        inbox.close()
        return await read_all(inbox)

    assert [1, 2, 3] == run(main())


def test_a_reader_who_waits_is_woken_by_the_next_entry() -> None:
    """Nothing is polled."""

    async def main() -> list[int]:
        inbox = Inbox[int](3)
        reading = asyncio.ensure_future(read_all(inbox))
        await asyncio.sleep(0)
        inbox.put(7)
        await asyncio.sleep(0)
        inbox.close()
        return await reading

    assert [7] == run(main())


def test_the_oldest_entry_goes_when_one_more_comes_than_may_be_kept() -> None:
    """The limit is crossed by one, and the loss is counted."""

    async def main() -> tuple[list[int], int]:
        inbox = Inbox[int](3)
        for entry in range(4):
            inbox.put(entry)
        inbox.close()
        return await read_all(inbox), inbox.dropped

    assert ([1, 2, 3], 1) == run(main())


def test_two_readers_share_the_entries() -> None:
    """Each entry goes to one of them, and both end."""

    async def main() -> list[int]:
        inbox = Inbox[int](9)
        readers = [asyncio.ensure_future(read_all(inbox)) for _ in range(2)]
        for entry in range(4):
            await asyncio.sleep(0)
            inbox.put(entry)
        inbox.close()
        return sorted(chain.from_iterable(await asyncio.gather(*readers)))

    assert [0, 1, 2, 3] == run(main())
