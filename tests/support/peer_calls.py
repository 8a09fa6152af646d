"""Calls between a phone and a scripted peer, brought to where a test begins."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from support.phones import until

from offhook import Phone

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.scripted_peer import Peer

    from offhook import Call


@contextlib.asynccontextmanager
async def standing(peer: Peer, **description: Any) -> Any:
    """A call of ours that the peer has answered, the INVITE, and the phone."""
    async with Phone("udp:127.0.0.1:0") as phone:
        call = await phone.dial(peer.uri)
        invite = await peer.expect("INVITE")
        peer.answer(invite, 200, peer.sdp(**description))
        await peer.expect("ACK")
        await call.answered()
        yield call, invite, phone
        if not call.is_over:
            call.hang_up()
            peer.answer(await peer.expect("BYE"), 200)


@contextlib.asynccontextmanager
async def called(peer: Peer, handler: Callable[[Call], Any], body: bytes | None = None) -> Any:
    """A phone that the peer calls; gives the phone and the INVITE."""
    async with Phone("udp:127.0.0.1:0") as phone:
        phone.on_call(handler)
        yield phone, peer.invite(phone.address, peer.sdp() if body is None else body)
        for call in phone.calls:
            call.hang_up()
            with contextlib.suppress(TimeoutError):
                peer.answer(await peer.expect("BYE"), 200)


async def ticks(phone: Phone, count: int) -> None:
    """Let the media clock wake so often: 40 times are ten frames."""
    woken = phone.engine.stats().lateness.n
    await until(lambda: phone.engine.stats().lateness.n >= woken + count)


async def hang_up(peer: Peer, message: Any) -> None:
    """The peer's BYE, and our answer."""
    peer.request("BYE", message)
    await peer.expect(200)


async def events_of(call: Call) -> list[Any]:
    """All that is told until the end."""
    return [event async for event in call.events()]


def kinds(events: list[Any]) -> list[str]:
    """Their names."""
    return [type(event).__name__ for event in events]
