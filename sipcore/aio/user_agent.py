"""The asyncio shell of the SIP core: sockets in, sockets out, one timer.

After each input - a datagram, a deadline, a user's call - the core is drained: datagrams go out, the one timer is set to the
core's next deadline, events go to those who listen. Nothing else happens here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
from typing import TYPE_CHECKING, Final, Self

from offhook.sipcore.address import Address
from offhook.sipcore.drops import Drop
from offhook.sipcore.endpoint import CallReceived, Endpoint, EndpointCounts, Settings
from offhook.sipcore.exceptions import LocalError, MalformedMessage
from offhook.sipcore.flow import Flow, bracketed, is_numeric
from offhook.sipcore.invite import OutgoingCall
from offhook.sipcore.session import SessionState
from offhook.sipcore.uri import SipUri, parse_host_port

from .leg import Leg
from .names import NamedDestinations
from .resolver import LocalAddress, resolve
from .udp import UdpSocket

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from offhook.sipcore.call_events import CallEvent
    from offhook.sipcore.flow import HostPort
    from offhook.sipcore.identifiers import Dice
    from offhook.sipcore.session import Session

_log = logging.getLogger("offhook.sip")
_CLOSE_WITHIN: Final = 2.0  # seconds that closing waits for the answers to its BYEs


class ListenError(LocalError):
    """A listening address is malformed, taken, or not ours."""


class UserAgent:
    """Signalling alone; media is the caller's business.

    ::

        async with UserAgent("udp:127.0.0.1:5060", on_call=answer) as agent:
            leg = await agent.invite("sip:agent@127.0.0.1:5070", body=offer)
            leg.listener = print

    Args:
        listen: ``udp:host:port``; port 0 lets the system choose.
        settings: names, limits and timers of the core.
        on_call: called with a :class:`Leg` for each new INVITE; without it they are refused with 480.
        advertise: host (and port) that peers reach us at, when it is not the address we are bound to.
        dice: source of identifiers; ``secrets`` by default.
    """

    def __init__(
        self,
        *listen: str,
        settings: Settings | None = None,
        on_call: Callable[[Leg], None] | None = None,
        advertise: str | None = None,
        dice: Dice | None = None,
    ) -> None:
        self._wanted = [parse_listen(text) for text in listen or ("udp:0.0.0.0:5060",)]
        self._public = parse_host_port(advertise) if advertise else None
        self._sockets: dict[HostPort, UdpSocket] = {}  # by the address that each is bound to
        self._routes = LocalAddress()
        self._core = Endpoint(settings or Settings(), dice or secrets.SystemRandom(), self._advertise)
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._named = NamedDestinations(self._send, self._failed)
        self._idle: asyncio.Event | None = None  # who closes waits for it
        self._quiet: list[asyncio.Future[None]] = []  # who waits until no request of ours is unanswered
        self._pumping = False
        self.on_call = on_call
        self.taps: list[Callable[[bytes, HostPort, HostPort, float], None]] = []
        "Each is called with octets, source, destination and instant of every message: captures and ladders."

    # -- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind the sockets and begin to listen.

        Raises:
            ListenError: an address is taken, or not ours.
        """
        self._loop = asyncio.get_running_loop()
        self._idle = None
        try:
            for host, port in self._wanted:
                udp = self._bind(host, port)
                self._sockets[udp.address] = udp
        except ListenError:
            self._close_sockets()
            raise

    def _bind(self, host: str, port: int) -> UdpSocket:
        try:
            udp = UdpSocket(
                host,
                port,
                lambda data, source: self._receive(udp, data, source),
                lambda address, error: self._failed(Flow("UDP", udp.address, address), error),
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise ListenError(f"cannot listen on udp:{host}:{port}: {reason}") from error
        udp.start()
        return udp

    async def close(self) -> None:
        """Hang up what stands, refuse what comes, wait shortly for the answers, and free everything."""
        if not self._sockets:
            return
        self._idle = self._idle or asyncio.Event()
        try:
            self._core.hang_up_all(self.now())
            self._pump()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), _CLOSE_WITHIN)
        finally:
            self._close_sockets()
            await self._named.close()

    def _close_sockets(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for udp in self._sockets.values():
            udp.close()
        self._sockets.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- what a user asks ----------------------------------------------------------------------------------------------

    @property
    def addresses(self) -> list[HostPort]:
        """What the sockets are bound to, in the order of ``listen``."""
        return list(self._sockets)

    def counts(self) -> EndpointCounts:
        """A snapshot of the core's counters."""
        return self._core.counts()

    def now(self) -> float:
        """The loop's clock: monotonic seconds."""
        return self._running().time()

    async def invite(
        self,
        target: str | SipUri,
        *,
        body: bytes = b"",
        content_type: str = "application/sdp",
        caller: str | Address | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        offer: Callable[[HostPort], bytes] | None = None,
        listener: Callable[[CallEvent], None] | None = None,
    ) -> Leg:
        """Send an INVITE and return at once; what becomes of it comes to the leg's listener.

        Args:
            target: whom to call.
            body: the offer.
            content_type: of the body.
            caller: From; ``sip:<user>@<our address>`` by default.
            headers: custom fields, sent as they are.
            offer: instead of ``body``: called with our signalling address that faces the callee.
            listener: hears the events from the first one.

        Raises:
            MalformedMessage: the target is no sip: URI.
            UnknownHost: its host has no address.
            ValueError: a header that must not be sent.
        """
        uri = target if isinstance(target, SipUri) else SipUri.parse(target)
        if uri.scheme != "sip" or (uri.transport or "udp") != "udp":
            raise LocalError(f"{uri}: only sip: over UDP is spoken here")
        flow = await self._flow_to(uri)
        if offer is not None:
            body = offer(self._advertise(flow))
        call = OutgoingCall(uri, self._caller(caller, flow), body, content_type, headers)
        session = self._core.invite(call, flow, self.now())
        leg = Leg(self, session)
        leg.listener = listener
        self._pump()
        return leg

    def facing(self, leg: Leg) -> str:
        """Our address as the leg's peer sees it, for its media."""
        return self._advertise(leg.session.flow)[0]

    def address_facing(self, leg: Leg) -> HostPort:
        """Our signalling address on the leg's flow, without what is advertised."""
        flow = leg.session.flow
        return self._seen_as(flow.local, flow.remote)

    def _caller(self, caller: str | Address | None, flow: Flow) -> Address:
        if isinstance(caller, Address):
            return caller
        if caller is not None:
            return Address.parse(caller)
        host, port = self._advertise(flow)
        return Address(SipUri(host, self._core.settings.user, port))

    async def _flow_to(self, uri: SipUri) -> Flow:
        families = {_family(local[0]) for local in self._sockets}
        family = families.pop() if len(families) == 1 else socket.AF_UNSPEC
        remote = await resolve(uri.host, uri.effective_port, family)
        for local in self._sockets:  # perhaps closed while the name was looked up
            if _family(local[0]) == _family(remote[0]):
                return Flow("UDP", local, remote)
        wanted = "IPv6" if ":" in remote[0] else "IPv4"
        raise LocalError(f"no listening socket reaches {remote[0]}: listen on an {wanted} address")

    def drop(self, reason: Drop) -> None:
        """Count something that was ignored."""
        self._core.drop(reason)

    def settle(self) -> None:
        """Drain the core after a user's call."""
        self._core.settle(self.now())
        self._pump()

    async def settled(self, timeout: float) -> bool:
        """Wait until no request of ours waits for an answer; False when that took longer than ``timeout`` seconds."""
        if self._core.is_waiting():
            quiet: asyncio.Future[None] = self._running().create_future()
            self._quiet.append(quiet)
            await asyncio.wait([quiet], timeout=timeout)
            if not quiet.done():
                self._quiet.remove(quiet)
        return not self._core.is_waiting()

    # -- the pump ------------------------------------------------------------------------------------------------------

    def _receive(self, udp: UdpSocket, data: bytes, source: HostPort) -> None:
        local = udp.address
        now = self.now()
        for tap in self.taps:
            tap(data, source, self._seen_as(local, source), now)
        self._core.receive_datagram(data, Flow("UDP", local, source), now)
        self._pump()

    def _timeout(self) -> None:
        timer, self._timer = self._timer, None
        assert timer is not None
        self._core.handle_timeout(max(timer.when(), self.now()))  # a coarse clock may wake us a little early
        self._pump()

    def _pump(self) -> None:
        """One input, then drain; a listener that causes another input is served by the drain that runs already."""
        if self._pumping:
            return
        self._pumping = True
        try:
            moved = True
            while moved:
                moved = self._send_all()
                for news in self._core.events():
                    moved = True
                    self._deliver(news)
        finally:
            self._pumping = False
        self._rearm()
        if (self._idle is not None or self._quiet) and not self._core.is_waiting():
            self._tell_quiet()

    def _tell_quiet(self) -> None:
        if self._idle is not None:
            self._idle.set()
        for waiting in self._quiet:
            if not waiting.done():
                waiting.set_result(None)
        self._quiet.clear()

    def _send_all(self) -> bool:
        out = self._core.datagrams_to_send()
        for data, flow in out:
            if is_numeric(flow.remote[0]):
                self._send(data, flow, flow.remote)
            elif not self._sockets:
                self.drop(Drop.NO_SOCKET)
            elif not self._named.send(data, flow):
                self.drop(Drop.NAME_QUEUE_FULL)
        return bool(out)

    def _send(self, data: bytes, flow: Flow, remote: HostPort) -> None:
        udp = self._sockets.get(flow.local)
        if udp is None:
            self.drop(Drop.NO_SOCKET)
            return
        if self.taps:
            now = self.now()
            for tap in self.taps:
                tap(data, self._seen_as(flow.local, remote), remote, now)
        error = udp.send(data, remote)
        if error is not None:
            self._running().call_soon(self._failed, flow, error)

    def _failed(self, flow: Flow, error: Exception) -> None:
        self._core.transport_failed(flow, error, self.now())
        self._pump()

    def _deliver(self, news: CallReceived | tuple[Session, CallEvent]) -> None:
        if isinstance(news, CallReceived):
            leg = Leg(self, news.session)
            if self._idle is not None:
                leg.hang_up()
            elif self.on_call is None:
                leg.reject(480)
            else:
                self.guard(leg, self.on_call, leg)
            return
        session, event = news
        if session.listener is not None:
            session.listener(event)

    def guard(self, leg: Leg, listener: Callable[..., None], argument: object) -> None:
        """A listener's exception ends its own call and nothing else (500 or BYE, and a log record)."""
        try:
            listener(argument)
        except Exception:  # noqa: BLE001 - whatever a listener raises ends its own call only
            _log.exception("a listener failed; its call is ended", extra={"call_id": leg.session.call_id})
            if leg.state is SessionState.RINGING:
                leg.reject(500)
            else:
                leg.hang_up()

    def _rearm(self) -> None:
        deadline = self._core.next_deadline()
        if self._timer is not None:
            if deadline is not None and self._timer.when() <= deadline:
                return  # it wakes us early at most once, which costs less than setting it anew for each message
            self._timer.cancel()
            self._timer = None
        if deadline is not None and self._sockets:
            self._timer = self._running().call_at(deadline, self._timeout)

    # -- addresses -----------------------------------------------------------------------------------------------------

    def _advertise(self, flow: Flow) -> HostPort:
        host, port = flow.local
        if self._public is not None:
            return self._public[0], self._public[1] or port
        return self._routes.facing(flow.remote[0], host), port

    def _seen_as(self, local: HostPort, remote: HostPort) -> HostPort:
        return self._routes.facing(remote[0], local[0]), local[1]

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise LocalError("not started: use `async with`, or await start()")
        return self._loop

    def __repr__(self) -> str:
        names = ", ".join(f"udp:{bracketed(address)}" for address in self.addresses)
        return f"<UserAgent {names or 'closed'} sessions={self.counts().sessions}>"


def parse_listen(text: str) -> HostPort:
    """Read ``udp:host:port``, ``host:port`` or ``udp:[::1]:port``.

    Raises:
        ListenError: with an example of what is expected.
    """
    transport, _, rest = text.partition(":")
    if transport.lower() != "udp":
        rest = text
        if transport.lower() in {"tcp", "tls", "ws", "wss"}:
            raise ListenError(f"{text}: only UDP is spoken; for example udp:127.0.0.1:5060")
    try:
        host, port = parse_host_port(rest)
    except MalformedMessage as error:
        raise ListenError(f"not a listening address: {text!r}; for example udp:127.0.0.1:5060") from error
    return host, 5060 if port is None else port


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
