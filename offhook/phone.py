"""A phone: signalling and media of many calls in one object.

::

    async with offhook.Phone("udp:127.0.0.1:0") as phone:
        async with phone.call("sip:agent@127.0.0.1:5060") as call:
            await call.play("question.wav")

It owns a :class:`~offhook.sipcore.UserAgent`, a :class:`~offhook.rtp.aio.MediaEngine` and its calls, and leaves nothing
behind when it is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from .call import Call
from .media import spoken
from .negotiation import Negotiation
from .rtp.aio import MediaEngine, PortPool
from .sipcore import sdp
from .sipcore.aio import Leg, UserAgent
from .sipcore.exceptions import LocalError
from .trace import PhoneTrace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from random import Random
    from types import TracebackType

    from .sipcore.endpoint import EndpointCounts, Settings
    from .sipcore.flow import HostPort

MAX_WAITING_CALLS: Final = 256  # incoming calls that nobody has taken yet; more are refused with 486

HeaderInput = "Mapping[str, str] | tuple[tuple[str, str], ...]"

_log = logging.getLogger("offhook")


class Phone:
    """Places and takes calls.

    Args:
        listen: ``udp:host:port``; port 0 lets the system choose. ``udp:0.0.0.0:5060`` by default.
        codecs: names, most preferred first.
        caller: who we say we are: ``sip:alice@example.com`` or ``"Alice" <sip:...>``.
        public_address: host that signalling and media are reached at, behind a NAT.
        rtp_ports: a range to take RTP ports from; the system's choice by default.
        settings: limits, timers and names of the signalling core.
        dice: source of all identifiers; seeded in tests, ``secrets`` by default.
    """

    def __init__(
        self,
        *listen: str,
        codecs: tuple[str, ...] = ("PCMU", "PCMA"),
        caller: str | None = None,
        public_address: str | None = None,
        rtp_ports: range | None = None,
        settings: Settings | None = None,
        dice: Random | None = None,
    ) -> None:
        self._codecs = spoken(codecs)
        self._caller = caller
        self._dice = dice or secrets.SystemRandom()
        self._public = public_address
        self._engine = MediaEngine(ports=PortPool(rtp_ports))
        self._agent = UserAgent(
            *listen, settings=settings, on_call=self._invited, advertise=public_address, dice=self._dice
        )
        self._calls: set[Call] = set()
        self._waiting: deque[Call] = deque()
        self._taken = asyncio.Event()
        self._takers = 0
        self._handler: Callable[[Call], Awaitable[None]] | None = None
        self._handling: set[asyncio.Task[None]] = set()
        self._closed = False
        self.trace = PhoneTrace(self._agent)
        "Captures (pcap) and ladders of this phone's calls."

    # -- life ----------------------------------------------------------------------------------------------------------

    async def start(self) -> Phone:
        """Listen.

        Raises:
            ListenError: an address is taken, or not ours.
        """
        await self._agent.start()
        await self._engine.__aenter__()
        return self

    async def close(self) -> None:
        """Hang up all calls and free every socket, task and timer."""
        self._closed = True
        for call in list(self._calls):
            call.hang_up()
        await self._agent.close()
        current = asyncio.current_task()
        handling = [task for task in self._handling if task is not current]
        for task in handling:
            task.cancel()
        await asyncio.gather(*handling, return_exceptions=True)
        await self._engine.close()
        self.trace.close()
        self._taken.set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- what it knows -------------------------------------------------------------------------------------------------

    @property
    def address(self) -> HostPort:
        """The first listening address, as bound."""
        return self._agent.addresses[0]

    @property
    def addresses(self) -> list[HostPort]:
        """All listening addresses, as bound."""
        return self._agent.addresses

    @property
    def uri(self) -> str:
        """Where this phone is called."""
        host, port = self.address
        shown = f"[{host}]" if ":" in host else host
        return f"sip:{shown}:{port}"

    @property
    def calls(self) -> frozenset[Call]:
        """The calls that are not over."""
        return frozenset(self._calls)

    @property
    def engine(self) -> MediaEngine:
        """The media engine, for its own statistics."""
        return self._engine

    def counts(self) -> EndpointCounts:
        """Counters of the signalling core."""
        return self._agent.counts()

    # -- calling -------------------------------------------------------------------------------------------------------

    async def dial(
        self,
        target: str,
        *,
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        codecs: tuple[str, ...] | None = None,
        caller: str | None = None,
    ) -> Call:
        """Send an INVITE and return at once; see ``ringing()`` and ``answered()`` of the call.

        Raises:
            ValueError: a header that must not be sent, or an unknown codec.
            MalformedMessage: the target is no sip: URI.
            UnknownHost: its host has no address.
            NoPortsLeft: every RTP port is taken.
        """
        facing: list[str] = []
        negotiation = self._negotiation(
            spoken(codecs) if codecs else self._codecs, lambda: self._public or facing[0], self.address[0]
        )

        def offer(ours: HostPort) -> bytes:
            facing.append(ours[0])
            return negotiation.offer()

        try:
            leg = await self._agent.invite(target, caller=caller or self._caller, headers=_pairs(headers), offer=offer)
        except BaseException:
            negotiation.close()
            raise
        return self._adopt(leg, negotiation)

    @contextlib.asynccontextmanager
    async def call(
        self,
        target: str,
        *,
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        codecs: tuple[str, ...] | None = None,
        caller: str | None = None,
        timeout: float = 60.0,
    ) -> AsyncIterator[Call]:
        """Call somebody: enters when the call is answered, hangs up at the end.

        Args:
            target: ``sip:user@host:port``.
            headers: custom headers of the INVITE, written as they are.
            codecs: names, instead of the phone's.
            caller: From, instead of the phone's.
            timeout: seconds to wait for the answer; then the call is cancelled.

        Raises:
            CallFailed: refused, unanswered, or no common codec.
        """
        call = await self.dial(target, headers=headers, codecs=codecs, caller=caller)
        async with call:
            timer = asyncio.get_running_loop().call_later(timeout, call.give_up)
            try:
                await call.answered()
            finally:
                timer.cancel()
            yield call

    # -- being called --------------------------------------------------------------------------------------------------

    def on_call(self, handler: Callable[[Call], Awaitable[None]]) -> Callable[[Call], Awaitable[None]]:
        """Decorator: ``handler(call)`` runs as a task for each incoming call.

        When it returns, the call is hung up; when it raises, the call ends with 500 or BYE and the error is logged.
        """
        self._handler = handler
        return handler

    async def incoming(self) -> AsyncIterator[Call]:
        """Incoming calls, one by one, until the phone is closed."""
        self._takers += 1
        try:
            while not self._closed:
                while self._waiting:
                    call = self._waiting.popleft()
                    if not call.is_over:
                        yield call
                self._taken.clear()
                if not self._closed:
                    await self._taken.wait()
        finally:
            self._takers -= 1

    def _invited(self, leg: Leg) -> None:
        if self._closed or (self._handler is None and self._takers == 0):
            leg.reject(480)
            return
        if self._handler is None and len(self._waiting) >= MAX_WAITING_CALLS:
            leg.reject(486)
            return
        if leg.invite.body and not self._can_answer(leg):
            return
        host = leg.session.flow.local[0]
        call = self._adopt(leg, self._negotiation(self._codecs, lambda: self._public or self._agent.facing(leg), host))
        if self._handler is None:
            self._waiting.append(call)
            self._taken.set()
        else:
            task = asyncio.get_running_loop().create_task(self._handle(call, self._handler))
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)

    def _can_answer(self, leg: Leg) -> bool:
        """Refuse at once what no answer could meet: 400 for what is no description, 488 for what fits nothing."""
        try:
            probe = sdp.LocalMedia("127.0.0.1", 9, self._codecs, session_id=0)
            sdp.negotiate(sdp.parse(leg.invite.body), probe)
        except (sdp.MalformedDescription, sdp.NotAcceptable) as fault:
            leg.reject(fault.status, headers=(("Warning", f'304 offhook "{fault}"'.replace("\n", " ")),))
            return False
        return True

    async def _handle(self, call: Call, handler: Callable[[Call], Awaitable[None]]) -> None:
        try:
            await handler(call)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - whatever a user's handler raises ends its own call only
            if not call.is_over:
                _log.exception("the handler of a call failed; the call is ended", extra={"call_id": call.id})
                call.fail()
        finally:
            call.hang_up()

    # -- plumbing ------------------------------------------------------------------------------------------------------

    def _negotiation(self, codecs: tuple[sdp.Codec, ...], facing: Callable[[], str], bind: str) -> Negotiation:
        if self._closed:
            raise LocalError("the phone is closed")
        return Negotiation(
            self._engine, codecs, facing, bind, self._dice, self._agent.now, lambda: self.trace.media_tap
        )

    def _adopt(self, leg: Leg, negotiation: Negotiation) -> Call:
        call = Call(leg, negotiation, self._calls.discard)
        self._calls.add(call)
        if call.is_over:  # what ended it was already known
            self._calls.discard(call)
        return call

    def __repr__(self) -> str:
        return f"<Phone {self.uri if self._agent.addresses else 'closed'} calls={len(self._calls)}>"


def _pairs(headers: Mapping[str, str] | tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return headers if isinstance(headers, tuple) else tuple(headers.items())
