"""Run a coroutine on an event loop of its own, and prove that it leaves nothing behind there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to its end; afterwards no task, timer, reader, writer or asynchronous generator may be left.

    Raises:
        AssertionError: something is left.
    """
    with asyncio.Runner() as runner:
        result = runner.run(coroutine)
        loop = runner.get_loop()
        left = leftovers(loop)
        assert [] == left, f"left on the loop: {left}"
    return result


def leftovers(loop: asyncio.AbstractEventLoop) -> list[object]:
    """What still lives on a loop that does not run."""
    tasks = list(asyncio.all_tasks(loop))
    timers = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
    ours = {loop._ssock.fileno()}  # type: ignore[attr-defined]  # by which threads wake the loop
    watched = [key for key in loop._selector.get_map().values() if key.fd not in ours]  # type: ignore[attr-defined]
    return [*tasks, *timers, *watched, *loop._asyncgens]  # type: ignore[attr-defined]
