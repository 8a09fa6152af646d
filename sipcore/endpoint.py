"""The SIP core of a user agent as one machine: datagrams in; datagrams and events out (RFC 3261 sections 8, 9, 11 to 15).

Below it stand the transactions, above it the sessions. It finds out what a message belongs to - a transaction, a dialog, or
nothing yet - and answers by itself what needs no user: OPTIONS, requests for calls that do not exist (481), methods that it
does not serve (405 with Allow, 501), merged requests (482), extensions that it is required to know and does not (420).

The shell (:mod:`.aio.user_agent`) drives it by five verbs: ``receive_datagram``, ``handle_timeout``, ``next_deadline``,
``datagrams_to_send`` and ``events``.

Two limits guard it. New calls are refused when ``max_sessions`` live or when ``max_transactions`` are under way, by one 503
that leaves nothing behind; a quarter more transactions are kept for what comes inside a call, so that a flood of new calls
does not keep the standing ones from ending.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from .callee import CalleeSession
from .caller import CallerSession
from .deadlines import Deadlines
from .drops import Drop
from .events import AckReceived, Event, ResponseReceived, TransactionTerminated
from .exceptions import LocalError, MalformedMessage
from .flow import MAX_DATAGRAM_OCTETS, bracketed
from .headers import Headers
from .identifiers import Dice, Identifiers
from .inspection import ALLOW, CAPABILITIES, KNOWN_METHODS, inspect_method, inspect_request
from .invite import OutgoingCall, build_invite
from .message import Request, Response, response_to
from .parser import parse
from .session import Session
from .session_table import SessionTable
from .timers import Timers
from .transaction import MAX_TRANSACTIONS, TooManyTransactions, TransactionTable
from .uri import quote_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from .call_events import CallEvent
    from .dialog import Dialog
    from .flow import Flow, HostPort
    from .inspection import Refusal
    from .transaction.table import AnyClientTransaction, AnyServerTransaction, AnyTransaction

MAX_SESSIONS: Final = 20_000  # calls that one endpoint remembers; a bound on memory, 2 to 10 kB each
_RETRY_AFTER: Final = (("Retry-After", "5"),)  # seconds; with each 503 of ours (RFC 3261 21.5.4)
_CLASSES: Final = ("", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx")


class TooManySessions(LocalError):
    """The endpoint holds as many calls as it may."""


@dataclass(frozen=True, slots=True)
class CallReceived:
    """An INVITE came that is nobody's yet: ring, accept or reject it."""

    session: CalleeSession


@dataclass(frozen=True, slots=True)
class Settings:
    """What an endpoint is told once."""

    user_agent: str = "Offhook"
    "User-Agent of our requests and Server of our responses."
    user: str = "offhook"
    "The user part of our Contact."
    timers: Timers = field(default_factory=Timers)
    max_sessions: int = MAX_SESSIONS
    ring_timeout: float = 180.0
    "Seconds that a call of ours may ring; then it is cancelled (RFC 3261 13.3.1.1 speaks of three minutes)."
    answer_timeout: float = 180.0
    "Seconds that a call to us may wait for its user; then it is refused with 480."
    max_transactions: int = MAX_TRANSACTIONS
    "Beyond this no new call is taken or placed; a quarter more may be under way for what comes inside of calls."


@dataclass(frozen=True, slots=True)
class EndpointCounts:
    """What went through an endpoint since it began; each figure is a count of messages or of things that live now."""

    sessions: int
    dialogs: int
    transactions: int
    received: dict[str, int]
    "Requests by method and responses by class (``2xx``)."
    sent: dict[str, int]
    dropped: dict[Drop, int]
    "Each message that was not acted upon, by reason."
    retransmitted: int
    "Messages that our transactions sent again."
    retransmissions_received: int
    "Messages that the peers' transactions sent again."


class Endpoint:
    """The whole signalling core; see the module.

    Args:
        settings: what it is told once.
        dice: source of branches, tags and Call-IDs.
        advertise: the address that a peer on this flow reaches us at; stands in Via and Contact.

    Raises:
        ValueError: a name among the settings cannot stand in a header.
    """

    def __init__(self, settings: Settings, dice: Dice, advertise: Callable[[Flow], HostPort]) -> None:
        Headers([("Server", settings.user_agent)])  # refused here rather than in the middle of a call
        self.settings = settings
        self.timers = settings.timers
        self.dice = dice
        self.ids = Identifiers(dice)
        self._advertise = advertise
        self._contact_user = quote_user(settings.user)
        self._secret = dice.getrandbits(128).to_bytes(16, "big")
        limit = settings.max_transactions
        self._table = TransactionTable(settings.timers, limit=limit + limit // 4 + 1)
        self._sessions = SessionTable()
        self._unanswered: set[AnyTransaction] = set()  # requests of ours that wait for a final response
        self._hanging_up: set[Session] = set()  # sessions whose BYE waits for an ACK
        self._wake = Deadlines[Session]()
        self._outbox: list[tuple[bytes, Flow]] = []
        self._news: list[CallReceived | tuple[Session, CallEvent]] = []
        self._received: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._dropped: Counter[Drop] = Counter()

    # -- the machine's verbs ---------------------------------------------------------------------------------------

    def receive_datagram(self, data: bytes, flow: Flow, now: float) -> None:
        """Take in one datagram from ``flow.remote``; nothing that a peer sends raises."""
        if not data.strip(b"\r\n\0 "):
            self._dropped[Drop.KEEP_ALIVE] += 1
            return
        try:
            message = parse(data)
            if isinstance(message, Response):
                self._receive_response(message, now)
            else:
                self._receive_request(message, flow, now)
        except MalformedMessage as fault:
            self._refuse(fault, flow)
        self._drain(now)

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        self._table.handle_timeout(now)
        self._drain(now)
        woken = False
        for session in self._wake.due(now):
            session.handle_timeout(now)
            woken = True
        if woken:
            self._drain(now)

    def next_deadline(self) -> float | None:
        """When :meth:`handle_timeout` wants to be called."""
        one, other = self._table.next_deadline(), self._wake.next()
        if one is None or other is None:
            return other if one is None else one
        return min(one, other)

    def datagrams_to_send(self) -> list[tuple[bytes, Flow]]:
        """What has to go out, in order."""
        out, self._outbox = self._outbox, []
        return out

    def events(self) -> list[CallReceived | tuple[Session, CallEvent]]:
        """New calls, and what happened to those that exist, in order."""
        news, self._news = self._news, []
        return news

    def transport_failed(self, flow: Flow, error: Exception, now: float) -> None:
        """The shell could not send to this flow: transactions that need it end."""
        for transaction in self._sessions.on_flow(flow):
            self._table.transport_failed(transaction, error, now)
        self._drain(now)

    def counts(self) -> EndpointCounts:
        """A snapshot of all counters."""
        table = self._table.counts()
        dropped = self._dropped + Counter(table.drops)
        return EndpointCounts(
            len(self._sessions), self._sessions.dialogs, len(self._table), dict(self._received), dict(self._sent),
            dict(dropped), table.retransmitted, table.retransmissions_received,
        )  # fmt: skip

    # -- what a user asks ------------------------------------------------------------------------------------------

    def invite(self, call: OutgoingCall, flow: Flow, now: float) -> CallerSession:
        """Place a call.

        Args:
            call: whom, as whom, with which offer and headers.
            flow: over which socket, to which address.
            now: seconds.

        Raises:
            TooManySessions: as many calls live, or transactions are under way, as may.
            ValueError: a header of the user's breaks out of its line, or is the stack's to write.
            MalformedMessage: a route of the user's is no sip: address.
        """
        if self._is_full():
            raise TooManySessions(f"{len(self._sessions)} calls live, {len(self._table)} transactions are under way")
        request = build_invite(call, self.ids, self.via(flow), self.contact(flow), ALLOW, self.settings.user_agent)
        session = CallerSession(self, request, flow, self.settings.ring_timeout)
        self._sessions.add_caller(session)
        session.start(now)
        self._drain(now)
        return session

    def hang_up_all(self, now: float) -> None:
        """End every call in whatever way its state asks for."""
        for session in self._sessions.sessions:
            session.hang_up(now)
        self._drain(now)

    def is_waiting(self) -> bool:
        """Whether a request of ours still waits for its final response, or for the ACK before which it may not be sent."""
        return bool(self._unanswered or self._hanging_up)

    def settle(self, now: float) -> None:
        """Collect what a session's method has brought about; the shell calls it after each."""
        self._drain(now)

    def _is_full(self) -> bool:
        settings = self.settings
        return len(self._sessions) >= settings.max_sessions or len(self._table) >= settings.max_transactions

    # -- what sessions ask of their core ---------------------------------------------------------------------------

    def via(self, flow: Flow) -> str:
        """Our Via on this flow with a fresh branch; ``rport`` asks for the source port (RFC 3581)."""
        return f"SIP/2.0/{flow.transport} {bracketed(self._advertise(flow))};rport;branch={self.ids.branch()}"

    def contact(self, flow: Flow) -> str:
        """Our Contact on this flow."""
        return f"<sip:{self._contact_user}@{bracketed(self._advertise(flow))}>"

    def request(self, session: Session, request: Request, flow: Flow, now: float) -> AnyClientTransaction | None:
        """Send a request in a client transaction that belongs to the session; without room for one it is sent once."""
        try:
            transaction = self._table.create_client(request, flow.reliable, now)
        except TooManyTransactions:
            self.drop(Drop.SENT_ONCE)
            self.send(request, flow)
            return None
        self._sessions.own(transaction, session, flow)
        self._unanswered.add(transaction)
        return transaction

    def respond(self, transaction: AnyServerTransaction, response: Response, now: float) -> None:
        """Answer in a server transaction."""
        if "server" not in response.headers:
            response.headers.add("Server", self.settings.user_agent)
        self._table.respond(transaction, response, now)

    def abandon(self, transaction: AnyTransaction, now: float) -> None:
        """End a transaction of which nothing is expected any more."""
        self._table.abandon(transaction, now)

    def send(self, message: Request | Response, flow: Flow) -> None:
        """Send outside of any transaction."""
        self._post(message, flow)

    def bind(self, dialog: Dialog, session: Session) -> None:
        """Requests inside the dialog belong to the session."""
        self._sessions.bind(dialog, session)

    def changed(self, session: Session) -> None:
        """Deadline, news or end of a session."""
        events = session.events()
        if events:
            self._news.extend([(session, event) for event in events])
        self._wake.update(session)
        if session.is_hanging_up:
            self._hanging_up.add(session)
        elif self._hanging_up:
            self._hanging_up.discard(session)
        if session.is_over:
            self._sessions.forget_if_done(session)

    def drop(self, reason: Drop) -> None:
        """Count what was ignored."""
        self._dropped[reason] += 1

    # -- responses -------------------------------------------------------------------------------------------------

    def _receive_response(self, response: Response, now: float) -> None:
        self._received[_CLASSES[response.status // 100]] += 1
        response.validate()
        headers = response.headers
        if headers.count("via") > 1 or "," in headers["via"]:
            # 8.1.3.3: "If more than one Via header field value is present in a response, the UAC SHOULD discard the message."
            self._dropped[Drop.MISROUTED] += 1
            return
        transaction = self._table.find_client(response)
        if transaction is not None:
            self._table.touched(transaction, transaction.receive_response(response, now))
            return
        # 13.2.2.4: a 2xx may come again when its transaction is gone; the core acknowledges it again.
        session = self._sessions.by_response(response)
        if session is not None and response.is_success and response.cseq == session.invite.cseq:
            session.receive_response(response, now)
        else:
            self._dropped[Drop.NO_TRANSACTION] += 1

    # -- requests --------------------------------------------------------------------------------------------------

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        method = request.method
        self._received[method if method in KNOWN_METHODS else "other"] += 1
        request.stamp(flow.remote)
        request.validate()
        if self._table.receive_request(request, now) is not None:
            return
        if method == "ACK":
            self._receive_ack(request, now)
            return
        to_tag = request.to.tag
        if to_tag is None and method != "CANCEL" and self._is_full():
            self._dropped[Drop.TOO_MANY_SESSIONS] += 1
            self._refuse_statelessly(request, 503, flow, _RETRY_AFTER)
            return
        transaction = self._table.create_server(request, flow.reliable, now)
        if transaction is None:  # counted by the table
            self._refuse_statelessly(request, 503, flow, _RETRY_AFTER)
            return
        self._sessions.own(transaction, None, flow._replace(remote=request.via.response_address()))
        if to_tag is None or method == "CANCEL":
            self._dispatch(request, transaction, flow, now)
        else:
            self._receive_in_dialog(request, transaction, now)

    def _dispatch(self, request: Request, transaction: AnyServerTransaction, flow: Flow, now: float) -> None:
        if request.method == "CANCEL":
            self._receive_cancel(request, transaction, now)
        elif (refusal := inspect_method(request)) is not None:
            self._refuse_with(refusal, request, transaction, now)
        elif request.method == "BYE":
            self._answer(request, transaction, 481, now)
        elif self._sessions.is_merged(request, transaction):
            self._answer(request, transaction, 482, now)
        elif (refusal := inspect_request(request)) is not None:
            self._refuse_with(refusal, request, transaction, now)
        elif request.method == "INVITE":
            self._receive_invite(request, transaction, flow, now)
        else:
            self._answer(request, transaction, 200, now, CAPABILITIES)

    def _receive_invite(self, request: Request, transaction: AnyServerTransaction, flow: Flow, now: float) -> None:
        try:
            session = CalleeSession(self, request, flow, transaction)
        except MalformedMessage as fault:  # no Contact to send requests to
            self._answer(request, transaction, fault.status, now, reason=fault.reason)
            return
        self._sessions.add_callee(session, transaction)
        session.start(now, self.settings.answer_timeout)
        self._news.append(CallReceived(session))

    def _receive_in_dialog(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        session = self._sessions.by_dialog(request)
        if (refusal := inspect_method(request)) is not None:
            self._refuse_with(refusal, request, transaction, now)
        elif session is None:
            self._answer(request, transaction, 481, now)
        elif (refusal := inspect_request(request)) is not None:
            self._refuse_with(refusal, request, transaction, now)
        else:
            self._sessions.assign(transaction, session)
            session.receive_request(request, transaction, now)

    def _receive_ack(self, ack: Request, now: float) -> None:
        session = self._sessions.by_dialog(ack)
        if session is None:
            self._dropped[Drop.STRAY_ACK] += 1
        else:
            session.receive_ack(ack, now)

    def _receive_cancel(self, cancel: Request, transaction: AnyServerTransaction, now: float) -> None:
        """Section 9.2: the CANCEL itself is answered, whatever becomes of the INVITE."""
        invited = self._table.find_invite_for_cancel(cancel)
        session = self._sessions.by_invite(invited) if invited is not None else None
        # 9.2: "the To tag of the response to the CANCEL and the To tag in the response to the original request SHOULD be
        # the same"
        tag = session.local_tag if session is not None else None
        self._answer(cancel, transaction, 481 if invited is None else 200, now, tag=tag)
        if session is not None:
            session.receive_cancel(cancel, now)

    # -- answers that need no user ---------------------------------------------------------------------------------

    def _answer(
        self,
        request: Request,
        transaction: AnyServerTransaction,
        status: int,
        now: float,
        headers: tuple[tuple[str, str], ...] = (),
        reason: str | None = None,
        tag: str | None = None,
    ) -> None:
        response = response_to(request, status, reason, to_tag=tag or self.ids.tag(), headers=headers)
        self.respond(transaction, response, now)

    def _refuse_with(self, refusal: Refusal, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        self._answer(request, transaction, refusal.status, now, refusal.headers)

    def _refuse(self, fault: MalformedMessage, flow: Flow) -> None:
        """Answer what cannot be read, once and without keeping anything, when it is clear where to."""
        self._dropped[Drop.MALFORMED] += 1
        request = fault.partial
        if not isinstance(request, Request) or request.method == "ACK":
            return
        try:
            request.stamp(flow.remote)
            self._refuse_statelessly(request, fault.status, flow, reason=fault.reason)
        except MalformedMessage:
            self._dropped[Drop.UNANSWERABLE] += 1

    def _refuse_statelessly(
        self,
        request: Request,
        status: int,
        flow: Flow,
        headers: tuple[tuple[str, str], ...] = (),
        reason: str | None = None,
    ) -> None:
        response = response_to(request, status, reason, to_tag=self._constant_tag(request), headers=headers)
        self._post(response, flow._replace(remote=request.via.response_address()))

    def _constant_tag(self, request: Request) -> str:
        """8.2.7: "in a manner that will generate the same tag for the same request consistently"."""
        fields = "\n".join(request.headers.get(name) or "" for name in ("call-id", "from", "to", "cseq", "via"))
        return blake2b(fields.encode("utf-8", "surrogateescape"), key=self._secret, digest_size=8).hexdigest()

    # -- plumbing --------------------------------------------------------------------------------------------------

    def _drain(self, now: float) -> None:
        """Send what the transactions want sent and pass on what they tell, until nothing moves any more."""
        sessions = self._sessions
        while outputs := self._table.outputs():
            for transaction, messages, events in outputs:
                owned = sessions.owned(transaction)
                for message in messages:
                    if not self._post(message, owned.flow):
                        error = LocalError(f"longer than {MAX_DATAGRAM_OCTETS} octets")
                        self._table.transport_failed(transaction, error, now)
                for event in events:
                    self._transaction_told(transaction, owned.session, event, now)

    def _transaction_told(self, transaction: AnyTransaction, session: Session | None, event: Event, now: float) -> None:
        if isinstance(event, TransactionTerminated):
            self._unanswered.discard(transaction)
            self._sessions.release(transaction)
            if session is not None and session.is_over:
                self._sessions.forget_if_done(session)
        elif isinstance(event, AckReceived):
            self._receive_ack(event.request, now)
        else:
            if isinstance(event, ResponseReceived) and event.response.is_final:
                self._unanswered.discard(transaction)
            if session is not None:
                session.receive_outcome(transaction, event, now)

    def _post(self, message: Request | Response, flow: Flow) -> bool:
        """Put a message into the outbox; False when no datagram can hold it."""
        data = message.to_bytes()
        if len(data) > MAX_DATAGRAM_OCTETS and not flow.reliable:  # a stream knows no such bound
            self._dropped[Drop.TOO_LARGE] += 1
            return False
        self._sent[message.method if isinstance(message, Request) else _CLASSES[message.status // 100]] += 1
        self._outbox.append((data, flow))
        return True


__all__ = ["CallReceived", "Endpoint", "EndpointCounts", "Settings", "TooManySessions"]
