"""A phone: signalling and media of many calls in one object.

::

    async with offhook.Phone("udp:127.0.0.1:0") as phone:
        async with phone.call("sip:agent@127.0.0.1:5060") as call:
            await call.play("question.wav")

It owns a :class:`~offhook.sipcore.UserAgent`, a :class:`~offhook.rtp.aio.MediaEngine` and its calls, and leaves nothing
behind when it is closed: no socket, no port, no task, no timer, and nobody who waits for a call that will not come.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from .call import Call
from .custom_headers import HeaderInput, pairs_of
from .errors import CallFailed, CallOver
from .media import spoken
from .negotiation import Negotiation, description_in, warning_of
from .rtp.aio import MediaEngine, PortPool
from .sipcore import sdp
from .sipcore.aio import Leg, UserAgent
from .sipcore.exceptions import LocalError
from .sipcore.session import SessionState
from .sipcore.uri import parse_host_port
from .trace import PhoneTrace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from random import Random
    from types import TracebackType

    from .sipcore.endpoint import EndpointCounts, Settings
    from .sipcore.flow import HostPort

MAX_WAITING_CALLS: Final = 256  # incoming calls that nobody has taken yet; more are refused with 486
HANDLERS_END_WITHIN: Final = 2.0  # seconds that closing waits for the handlers that it has cancelled
ANY_HOST: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where one is reached that listens everywhere

_log = logging.getLogger("offhook")


class Phone:
    """Places and takes calls.

    Args:
        listen: ``udp:host:port``; port 0 lets the system choose. ``udp:0.0.0.0:5060`` by default.
        codecs: names, most preferred first.
        caller: who we say we are: ``sip:alice@example.com`` or ``"Alice" <sip:...>``.
        public_address: host that signalling and media are reached at, behind a NAT; by default each peer is told the
            address of ours that faces it.
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
        self._started = False
        self._closed = False
        self.trace = PhoneTrace(self._agent)
        "Captures (pcap) and ladders of this phone's calls."

    # -- life ----------------------------------------------------------------------------------------------------------

    async def start(self) -> Phone:
        """Listen.

        Raises:
            ListenError: an address is taken, or not ours.
            LocalError: it listens already, or has been closed; a phone has one life.
        """
        self._must_be_open()
        if self._started:
            raise LocalError("the phone listens already")
        await self._agent.start()
        self._started = True
        return self

    async def close(self) -> None:
        """Hang up all calls and free every socket, task and timer; closing twice is closing once.

        Callers who wait are told 480. A handler that goes on after it was cancelled is named in the log and left to itself.
        """
        self._closed = True
        self._taken.set()
        try:
            self._hang_up_all()
            await self._agent.close()
            await self._cancel_handlers()
        finally:
            self._hang_up_all()  # what came in the meantime
            await self._engine.close()
            self.trace.close()

    def _hang_up_all(self) -> None:
        for call in tuple(self._calls):
            if call.state is SessionState.RINGING:
                call.reject(480)
            else:
                call.hang_up()

    async def _cancel_handlers(self) -> None:
        handling = self._handling - {asyncio.current_task()}
        for task in handling:
            task.cancel()
        if handling:
            _, stubborn = await asyncio.wait(handling, timeout=HANDLERS_END_WITHIN)
            for task in stubborn:
                _log.error("the handler of a call does not end when it is cancelled: %s", task.get_coro())

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def settled(self, timeout: float = 2.0) -> bool:
        """Wait until every request of ours, the BYE of a finished call among them, has its answer.

        Returns:
            False when an answer is still missing after ``timeout`` seconds.
        """
        return await self._agent.settled(timeout)

    # -- what it knows -------------------------------------------------------------------------------------------------

    @property
    def address(self) -> HostPort:
        """The first listening address, as bound.

        Raises:
            LocalError: the phone does not listen.
        """
        if not self._agent.addresses:
            raise LocalError("the phone does not listen: use `async with`, or await start()")
        return self._agent.addresses[0]

    @property
    def addresses(self) -> list[HostPort]:
        """All listening addresses, as bound."""
        return self._agent.addresses

    @property
    def uri(self) -> str:
        """Where this phone is called: by its public address, or from this machine."""
        host, port = self.address
        host = ANY_HOST.get(host, host)
        if self._public is not None:
            public, given = parse_host_port(self._public)
            host, port = public, given or port
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
        headers: HeaderInput = (),
        codecs: tuple[str, ...] | None = None,
        caller: str | None = None,
    ) -> Call:
        """Send an INVITE and return at once; see ``ringing()`` and ``answered()`` of the call.

        Raises:
            ValueError: a header that must not be sent, or an unknown codec.
            MalformedMessage: the target is no sip: URI.
            UnknownHost: its host has no address.
            NoPortsLeft: every RTP port is taken.
            LocalError: no listening address of ours reaches it, too many calls stand, or the phone is closed.
        """
        self._must_be_open()
        known = spoken(codecs) if codecs else self._codecs
        written: list[Negotiation] = []  # by the agent, once it knows which way the callee lies

        def offer(ours: HostPort) -> bytes:
            self._must_be_open()  # it may have been closed while a name was looked up
            written.append(self._negotiation(known, ours[0], self._bound_like(ours[0])))
            return written[0].offer()

        try:
            leg = await self._agent.invite(
                target, caller=caller or self._caller, headers=pairs_of(headers), offer=offer
            )
        except BaseException:
            for negotiation in written:
                negotiation.close()
            raise
        return self._adopt(leg, written[0])

    @contextlib.asynccontextmanager
    async def call(
        self,
        target: str,
        *,
        headers: HeaderInput = (),
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
            CallFailed: refused, unanswered (408), or no common codec (488).
            ValueError, MalformedMessage, UnknownHost, NoPortsLeft, LocalError: nothing was sent; as :meth:`dial`.
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

        When it returns, the call is hung up; when it raises, the call ends with 500 or BYE and the error is logged. That the
        caller has gone (:class:`~offhook.CallOver`, :class:`~offhook.CallFailed`) is no error.
        """
        self._handler = handler
        return handler

    async def incoming(self) -> AsyncIterator[Call]:
        """Incoming calls, one by one, until the phone is closed."""
        self._takers += 1
        try:
            while True:
                while self._waiting:
                    yield self._waiting.popleft()
                if self._closed:
                    return
                self._taken.clear()
                await self._taken.wait()
        finally:
            self._takers -= 1
            while self._takers == 0 and self._handler is None and self._waiting:
                self._waiting.popleft().reject(480)  # nobody will take it any more

    def _invited(self, leg: Leg) -> None:
        if self._closed or (self._handler is None and self._takers == 0):
            leg.reject(480)
            return
        if self._handler is None and len(self._waiting) >= MAX_WAITING_CALLS:
            leg.reject(486)
            return
        if not self._can_answer(leg):
            return
        bound = leg.session.flow.local[0]
        call = self._adopt(leg, self._negotiation(self._codecs, self._agent.facing(leg), bound))
        if self._handler is None:
            self._waiting.append(call)
            self._taken.set()
        else:
            task = asyncio.get_running_loop().create_task(self._handle(call, self._handler))
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)

    def _can_answer(self, leg: Leg) -> bool:
        """Refuse at once what no answer could meet: 400 for what is no description, 488 for what fits nothing."""
        body = description_in(leg.invite)
        try:
            if body:
                sdp.negotiate(sdp.parse(body), sdp.LocalMedia("127.0.0.1", 9, self._codecs, session_id=0))
        except (sdp.MalformedDescription, sdp.NotAcceptable) as fault:
            leg.reject(fault.status, headers=warning_of(fault))
            return False
        return True

    async def _handle(self, call: Call, handler: Callable[[Call], Awaitable[None]]) -> None:
        try:
            await handler(call)
        except Exception as error:  # noqa: BLE001 - whatever a user's handler raises ends its own call only
            if not (call.is_over and isinstance(error, CallOver | CallFailed)):
                _log.exception("the handler %r of a call failed; its call ends", handler, extra={"call_id": call.id})
                call.fail()
        finally:
            call.hang_up()

    # -- plumbing ------------------------------------------------------------------------------------------------------

    def _must_be_open(self) -> None:
        if self._closed:
            raise LocalError("the phone is closed")

    def _bound_like(self, facing: str) -> str:
        """The address that media to a peer is bound to: that of the first socket of its IP version, as for signalling."""
        for host, _ in self._agent.addresses:
            if (":" in host) == (":" in facing):
                return host
        return self.address[0]

    def _negotiation(self, codecs: tuple[sdp.Codec, ...], facing: str, bind: str) -> Negotiation:
        return Negotiation(
            self._engine, codecs, facing, bind, self._dice, self._agent.now, lambda: self.trace.media_tap
        )

    def _adopt(self, leg: Leg, negotiation: Negotiation) -> Call:
        call = Call(leg, negotiation, self._over)
        if not call.is_over:  # what ended it may have been known already
            self._calls.add(call)
        return call

    def _over(self, call: Call) -> None:
        self._calls.discard(call)
        with contextlib.suppress(ValueError):
            self._waiting.remove(call)

    def __repr__(self) -> str:
        return f"<Phone {self.uri if self._agent.addresses else 'closed'} calls={len(self._calls)}>"
