"""Two phones in one process, and the agents that answer in their tests."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from offhook import Audio, CallFailed, Phone
from offhook.codecs import tone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from offhook import Call

PATIENCE = 5.0  # seconds that a test waits for something before it fails
OURS, THEIRS = 440.0, 1000.0  # hertz: what the caller and the callee say in tests


def say(frequency: float = OURS, seconds: float = 0.3) -> Audio:
    """A tone."""
    return Audio(tone(frequency, seconds), 8000)


@contextlib.asynccontextmanager
async def phones(
    handler: Callable[[Call], Awaitable[None]] | None = None, **callee: Any
) -> AsyncIterator[tuple[Phone, Phone]]:
    """Caller and callee on 127.0.0.1; the callee serves its calls by the handler. Further arguments are the callee's."""
    async with Phone("udp:127.0.0.1:0") as caller, Phone("udp:127.0.0.1:0", **callee) as called:
        if handler is not None:
            called.on_call(handler)
        yield caller, called


async def talk(call: Call) -> None:
    """Answer, say a tone, wait for the end."""
    await call.answer()
    call.start_playing(say(THEIRS))
    await call.ended()


async def silent(call: Call) -> None:
    """Answer and wait for the end."""
    await call.answer()
    await call.ended()


async def only_ring(call: Call) -> None:
    """Ring until the caller gives up."""
    call.ring()
    await call.ended()


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop turn until it is so; for what nobody tells of."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event: that is what this is for
            await asyncio.sleep(0)


async def failure_of(phone: Phone, uri: str, **arguments: Any) -> CallFailed:
    """How a call that must fail fails; further arguments as of `Phone.call`."""
    try:
        async with phone.call(uri, **arguments):
            raise AssertionError("it was answered")
    except CallFailed as failure:
        return failure.with_traceback(None)  # which would keep all that stood on the stack
