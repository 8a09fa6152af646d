"""Two SIP endpoints and the link between them, in virtual time.

Alice (127.0.0.1:5070) calls Bob (127.0.0.1:5060). Nothing moves by itself: ``transfer`` carries what lies in the outboxes until
nothing moves any more, ``drop`` throws away what one side wants to send, ``advance`` lets time pass and wakes both at their
deadlines on the way. A link with ``loss`` forgets that share of the datagrams, decided by seeded dice::

    pair = SipPair()
    call = pair.call()                # Alice's session; her INVITE lies in the outbox
    bob = pair.ring()                 # carried over; Bob's session
    bob.accept(SDP, "application/sdp", pair.now)
    pair.transfer()
    assert [CallConfirmed] == pair.kinds(bob)
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from offhook.sipcore.address import Address
from offhook.sipcore.endpoint import CallReceived, Endpoint, Settings
from offhook.sipcore.flow import Flow
from offhook.sipcore.invite import OutgoingCall
from offhook.sipcore.parser import parse
from offhook.sipcore.uri import SipUri

if TYPE_CHECKING:
    from offhook.sipcore.call_events import CallEvent
    from offhook.sipcore.callee import CalleeSession
    from offhook.sipcore.caller import CallerSession
    from offhook.sipcore.message import Request, Response
    from offhook.sipcore.session import Session

ALICE = ("127.0.0.1", 5070)
BOB = ("127.0.0.1", 5060)
ALICE_TO_BOB = Flow("UDP", ALICE, BOB)
BOB_TO_ALICE = Flow("UDP", BOB, ALICE)
SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def outgoing(body: bytes = SDP, **more: Any) -> OutgoingCall:
    """Alice's call to Bob; further arguments as of :class:`OutgoingCall`."""
    return OutgoingCall(SipUri.parse("sip:bob@127.0.0.1:5060"), Address.parse("<sip:alice@127.0.0.1>"), body, **more)


def endpoint(seed: int = 1, **settings: Any) -> Endpoint:
    """An endpoint that is reached where it is bound, with seeded identifiers."""
    return Endpoint(Settings(**settings), random.Random(seed), lambda flow: flow.local)


class SipPair:
    """Two endpoints, a link, a clock."""

    def __init__(self, loss: float = 0.0, seed: int = 7, **settings: Any) -> None:
        self.alice = endpoint(seed, **settings)
        self.bob = endpoint(seed + 1, **settings)
        self.now = 0.0
        self.wire: list[Request | Response] = []
        "Everything that was carried or lost, in order, as read again from its octets."
        self.told: list[tuple[Session, CallEvent]] = []
        self.received: list[CalleeSession] = []
        "Bob's calls (and Alice's), oldest first."
        self._loss = loss
        self._dice = random.Random(seed)

    def call(self, **more: Any) -> CallerSession:
        """Alice calls Bob."""
        return self.alice.invite(outgoing(**more), ALICE_TO_BOB, self.now)

    def ring(self) -> CalleeSession:
        """Carry the INVITE over; the session that Bob got by it."""
        self.transfer()
        return self.received[-1]

    def talk(self) -> tuple[CallerSession, CalleeSession]:
        """A call that stands, with nothing on the wire."""
        caller = self.call()
        callee = self.ring()
        callee.accept(SDP, "application/sdp", self.now)
        self.transfer()
        return caller, callee

    # -- the link --------------------------------------------------------------------------------------------------

    def transfer(self) -> None:
        """Carry datagrams both ways until nothing moves any more."""
        moved = True
        while moved:
            moved = any(
                [self._carry(self.alice, self.bob, BOB_TO_ALICE), self._carry(self.bob, self.alice, ALICE_TO_BOB)]
            )

    def _carry(self, source: Endpoint, destination: Endpoint, flow: Flow) -> bool:
        source.settle(self.now)
        out = source.datagrams_to_send()
        for data, _ in out:
            self.wire.append(parse(data))
            if self._loss == 0.0 or self._dice.random() >= self._loss:
                destination.receive_datagram(data, flow, self.now)
        news = self._collect(source) + self._collect(destination)
        return bool(out) or news > 0

    def drop(self, source: Endpoint) -> list[Request | Response]:
        """Lose what this side wants to send; gives it back, read."""
        source.settle(self.now)
        lost: list[Request | Response] = [parse(data) for data, _ in source.datagrams_to_send()]
        self._collect(source)
        self.wire += lost
        return lost

    def _collect(self, side: Endpoint) -> int:
        news = side.events()
        for item in news:
            if isinstance(item, CallReceived):
                self.received.append(item.session)
                self.incoming(item.session)
            else:
                self.told.append(item)
                self.happened(*item)
        return len(news)

    def incoming(self, session: CalleeSession) -> None:
        """What a user does about a new call; nothing, unless a test says otherwise."""

    def happened(self, session: Session, event: CallEvent) -> None:
        """What a user does about an event; nothing, unless a test says otherwise."""

    # -- the clock -------------------------------------------------------------------------------------------------

    def advance(self, seconds: float, silent: Endpoint | None = None) -> None:
        """Let time pass, with a wake-up at each deadline; what the ``silent`` side sends is lost."""
        goal = self.now + seconds
        while (deadline := self._next_deadline()) is not None and deadline <= goal:
            self.now = max(self.now, deadline)
            self.alice.handle_timeout(self.now)
            self.bob.handle_timeout(self.now)
            if silent is not None:
                self.drop(silent)
            self.transfer()
        self.now = goal

    def _next_deadline(self) -> float | None:
        return min((d for d in (self.alice.next_deadline(), self.bob.next_deadline()) if d is not None), default=None)

    # -- what happened ---------------------------------------------------------------------------------------------

    def kinds(self, session: Session) -> list[type[CallEvent]]:
        """The kinds of events that this session has told of so far."""
        return [type(event) for told, event in self.told if told is session]

    def lines(self) -> list[str]:
        """The wire so far: methods of requests, status codes of responses."""
        return [message.method if hasattr(message, "method") else str(message.status) for message in self.wire]

    def is_empty(self) -> bool:
        """Whether neither side holds anything: no session, dialog, transaction, deadline."""
        return all(_is_empty(side) for side in (self.alice, self.bob))


def _is_empty(side: Endpoint) -> bool:
    counts = side.counts()
    return (counts.sessions, counts.dialogs, counts.transactions, side.next_deadline()) == (0, 0, 0, None)


class Peer:
    """One endpoint (Bob's) against hand-written datagrams from Alice's address."""

    def __init__(self, flow: Flow = BOB_TO_ALICE, **settings: Any) -> None:
        self.core = endpoint(3, **settings)
        self.flow = flow
        self.now = 0.0

    def receive(self, message: Request | Response | bytes, flow: Flow | None = None) -> list[Request | Response]:
        """A datagram comes in; what goes out at once."""
        data = message if isinstance(message, bytes) else message.to_bytes()
        self.core.receive_datagram(data, flow or self.flow, self.now)
        return self.sent()

    def sent(self) -> list[Request | Response]:
        """What lies in the outbox."""
        return [message for message, _ in self.sent_to()]

    def sent_to(self) -> list[tuple[Request | Response, Flow]]:
        """What lies in the outbox, and where to."""
        self.core.settle(self.now)
        return [(parse(data), flow) for data, flow in self.core.datagrams_to_send()]

    def new_call(self) -> CalleeSession:
        """The call that came in last."""
        return [item.session for item in self.core.events() if isinstance(item, CallReceived)][-1]

    def events(self) -> list[CallEvent]:
        """What the calls told."""
        return [item[1] for item in self.core.events() if not isinstance(item, CallReceived)]

    def advance(self, seconds: float) -> list[Request | Response]:
        """Let time pass; what goes out on the way."""
        goal, out = self.now + seconds, []
        while (deadline := self.core.next_deadline()) is not None and deadline <= goal:
            self.now = max(self.now, deadline)
            self.core.handle_timeout(self.now)
            out += self.sent()
        self.now = goal
        return out
