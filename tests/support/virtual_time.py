"""An event loop whose clock jumps: when nothing is ready it goes to the next timer at once, so a minute takes no time.

It is for code whose only input is time and other code. A test that opens sockets runs on `support.loop.run` instead.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from support.loop import leftovers

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Its clock begins at 1,000 seconds, so that no instant is zero by accident."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1_000.0
        really = self._selector.select

        def select(timeout: float | None = None) -> list[Any]:
            if timeout is None:  # nothing is planned: a thread is awaited, or the test hangs; the runner's limit tells
                return really(5.0)
            ready = really(0)
            if not ready:
                self._now += timeout
            return ready

        self._selector.select = select

    def time(self) -> float:
        """Seconds of the virtual clock."""
        return self._now


def run_in_no_time(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to its end on a virtual clock; afterwards no task and no timer may be left.

    Raises:
        AssertionError: something is left.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        result = runner.run(coroutine)
        left = leftovers(runner.get_loop())
        assert [] == left, f"left on the loop: {left}"
    return result


__all__ = ["VirtualTimeLoop", "run_in_no_time"]
