"""The runner finds what a coroutine leaves behind."""

from __future__ import annotations

import asyncio
import socket

import pytest
from support.loop import leftovers, run


async def _tidy() -> int:
    asyncio.get_running_loop().call_later(60.0, print).cancel()
    await asyncio.sleep(0)
    return 7


def test_a_tidy_coroutine_gives_its_result() -> None:
    """A cancelled timer is no leftover."""
    assert 7 == run(_tidy())


@pytest.mark.parametrize("kind", ["timer", "task", "reader", "generator"])
def test_what_is_left_on_the_loop_is_named(kind: str) -> None:
    """One of each kind is found, and gone when it is taken away."""
    ours, theirs = socket.socketpair()
    with asyncio.Runner() as runner, ours, theirs:
        loop = runner.get_loop()
        held = runner.run(_leave(kind, ours))
        assert 1 == len(leftovers(loop))
        runner.run(_take_away(kind, held, ours))


async def _leave(kind: str, endpoint: socket.socket) -> object:
    loop = asyncio.get_running_loop()
    if kind == "timer":
        return loop.call_later(60.0, print)
    if kind == "task":
        return loop.create_task(asyncio.Event().wait())
    if kind == "reader":
        return loop.add_reader(endpoint.fileno(), print)
    generator = _endless()
    await anext(generator)
    return generator


async def _take_away(kind: str, held: object, endpoint: socket.socket) -> None:
    if kind == "reader":
        asyncio.get_running_loop().remove_reader(endpoint.fileno())
    elif isinstance(held, asyncio.Task | asyncio.TimerHandle):
        held.cancel()
    else:
        await held.aclose()  # type: ignore[union-attr]


async def _endless():
    while True:
        yield


def test_the_runner_refuses_what_is_left() -> None:
    """The assertion names the leftover."""

    async def forget() -> None:
        asyncio.get_running_loop().call_later(60.0, print)

    with pytest.raises(AssertionError, match="left on the loop"):
        run(forget())
