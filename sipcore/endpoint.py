"""The SIP core of a user agent as one machine: datagrams in; datagrams and events out (RFC 3261 sections 8, 9, 11 to 15).

Below it stand the transactions, above it the sessions. It finds out what a message belongs to - a transaction, a dialog, or
nothing yet - and answers by itself what needs no user: OPTIONS, requests for calls that do not exist (481), methods that it
does not serve (405 with Allow, 501), merged requests (482), extensions that it is required to know and does not (420).

The shell (:mod:`.aio.user_agent`) drives it by five verbs: ``receive_datagram``, ``handle_timeout``, ``next_deadline``,
``datagrams_to_send`` and ``events``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .callee import CalleeSession
from .caller import CallerSession
from .deadlines import Deadlines
from .drops import Drop
from .events import AckReceived, Event, ResponseReceived, TransactionTerminated
from .exceptions import LocalError, MalformedMessage
from .fields import Via
from .identifiers import Dice, Identifiers
from .invite import OutgoingCall, build_invite
from .message import Request, Response, response_to
from .parser import parse
from .session import Session
from .timers import Timers
from .transaction import TransactionTable
from .uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

    from .call_events import CallEvent
    from .dialog import Dialog, DialogId
    from .flow import Flow, HostPort
    from .transaction.table import AnyClientTransaction, AnyServerTransaction, AnyTransaction

MAX_SESSIONS: Final = 20_000  # standing calls of one endpoint; a bound on memory, 2 to 10 kB each
METHODS: Final = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS")  # what this endpoint serves
_OTHER_METHODS: Final = frozenset(
    ("REGISTER", "PRACK", "UPDATE", "INFO", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH")
)
_RETRY_AFTER: Final = (("Retry-After", "5"),)  # seconds; with each 503 of ours (RFC 3261 21.5.4)


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


class Endpoint:
    """The whole signalling core; see the module.

    Args:
        settings: what it is told once.
        dice: source of branches, tags and Call-IDs.
        advertise: the address that a peer on this flow reaches us at; stands in Via and Contact.
    """

    def __init__(self, settings: Settings, dice: Dice, advertise: Callable[[Flow], HostPort]) -> None:
        self.settings = settings
        self.timers = settings.timers
        self.ids = Identifiers(dice)
        self._advertise = advertise
        self._table = TransactionTable(settings.timers)
        self._owners: dict[AnyTransaction, tuple[Session | None, Flow]] = {}  # by transaction
        self._sessions: dict[Session, int] = {}  # with the number of their live transactions
        self._dialogs: dict[DialogId, Session] = {}
        self._callers: dict[tuple[str, str], CallerSession] = {}  # by Call-ID and our tag
        self._callees: dict[AnyTransaction, CalleeSession] = {}  # by the INVITE's transaction
        self._unanswered: set[AnyTransaction] = set()  # requests of ours that wait for a final response
        self._merged: dict[tuple[str, str, int], str] = {}  # Call-ID, From tag, CSeq of an INVITE -> its branch
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
        for session in self._wake.due(now):
            session.handle_timeout(now)
        self._drain(now)

    def next_deadline(self) -> float | None:
        """When :meth:`handle_timeout` wants to be called."""
        deadlines = [d for d in (self._table.next_deadline(), self._wake.next()) if d is not None]
        return min(deadlines, default=None)

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
        for transaction in [t for t, (_, f) in self._owners.items() if f == flow]:
            self._table.transport_failed(transaction, error, now)
        self._drain(now)

    def counts(self) -> EndpointCounts:
        """A snapshot of all counters."""
        table = self._table.counts()
        dropped = self._dropped + Counter(table.drops)
        return EndpointCounts(
            len(self._sessions), len(self._dialogs), len(self._owners), dict(self._received), dict(self._sent),
            dict(dropped), table.retransmitted,
        )  # fmt: skip

    # -- what a user asks ------------------------------------------------------------------------------------------

    def invite(self, call: OutgoingCall, flow: Flow, now: float) -> CallerSession:
        """Place a call.

        Args:
            call: whom, as whom, with which offer and headers.
            flow: over which socket, to which address.
            now: seconds.

        Raises:
            TooManySessions: ``settings.max_sessions`` stand.
            ValueError: a header of the user's breaks out of its line, or is the stack's to write.
        """
        if len(self._sessions) >= self.settings.max_sessions:
            raise TooManySessions(f"{len(self._sessions)} calls stand; the limit is {self.settings.max_sessions}")
        request = build_invite(
            call, self.ids, self.via(flow), self.contact(flow), self.allow(), self.settings.user_agent
        )
        session = CallerSession(self, request, flow, self.settings.ring_timeout)
        self._sessions[session] = 0
        self._callers[request.call_id, request.from_.tag or ""] = session
        session.start(now)
        self._drain(now)
        return session

    def is_waiting(self) -> bool:
        """Whether a request of ours still waits for its final response."""
        return bool(self._unanswered)

    def settle(self, now: float) -> None:
        """Collect what a session's method has brought about; the shell calls it after each."""
        self._drain(now)

    # -- what sessions ask of their core ---------------------------------------------------------------------------

    def via(self, flow: Flow) -> str:
        """Our Via on this flow with a fresh branch; ``rport`` asks for the source port (RFC 3581)."""
        host, port = self._advertise(flow)
        parameters = {"rport": None, "branch": self.ids.branch()}
        return str(Via(flow.transport, host, port, parameters))

    def contact(self, flow: Flow) -> str:
        """Our Contact on this flow."""
        host, port = self._advertise(flow)
        return f"<{SipUri(host, self.settings.user, port)}>"

    def allow(self) -> str:
        """The methods that we serve."""
        return ", ".join(METHODS)

    def request(self, session: Session, request: Request, flow: Flow, now: float) -> AnyClientTransaction:
        """Send a request in a client transaction that belongs to the session."""
        transaction = self._table.create_client(request, flow.reliable, now)
        self._own(transaction, session, flow)
        self._unanswered.add(transaction)
        return transaction

    def respond(self, transaction: AnyServerTransaction, response: Response, now: float) -> None:
        """Answer in a server transaction."""
        response.headers.set("Server", self.settings.user_agent)
        self._table.respond(transaction, response, now)

    def send(self, message: Request | Response, flow: Flow) -> None:
        """Send outside of any transaction."""
        if isinstance(message, Response):
            flow = flow._replace(remote=message.via.response_address())
        self._post(message, flow)

    def bind(self, dialog: Dialog, session: Session) -> None:
        """Requests inside the dialog belong to the session."""
        self._dialogs[dialog.id] = session

    def changed(self, session: Session) -> None:
        """Deadline, news or end of a session."""
        self._news.extend([(session, event) for event in session.events()])
        self._wake.update(session)
        if session.is_over:
            self._forget_if_done(session)

    # -- responses -------------------------------------------------------------------------------------------------

    def _receive_response(self, response: Response, now: float) -> None:
        self._received[f"{response.status // 100}xx"] += 1
        response.validate()
        transaction = self._table.find_client(response)
        if transaction is not None:
            self._table.touched(transaction, transaction.receive_response(response, now))
            return
        # RFC 3261 13.2.2.4: a 2xx may come again when the transaction is gone; the core acknowledges it again.
        session = self._callers.get((response.call_id, response.from_.tag or ""))
        if session is not None and response.is_success and response.cseq.method == "INVITE":
            session.receive_response(response, now)
        else:
            self._dropped[Drop.NO_TRANSACTION] += 1

    # -- requests --------------------------------------------------------------------------------------------------

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        method = request.method
        self._received[method if method in METHODS or method in _OTHER_METHODS else "other"] += 1
        request.headers.replace_first("via", _observed(request, flow))
        request.validate()
        if self._table.receive_request(request, now):
            return
        if method == "ACK":
            self._receive_ack(request, now)
            return
        transaction = self._table.create_server(request, flow.reliable, now)
        if transaction is None:
            self._refuse_statelessly(request, 503, flow, _RETRY_AFTER)
            return
        self._own(transaction, None, flow._replace(remote=request.via.response_address()))
        self._dispatch(request, transaction, flow, now)

    def _dispatch(self, request: Request, transaction: AnyServerTransaction, flow: Flow, now: float) -> None:
        if request.method == "CANCEL":
            self._receive_cancel(request, transaction, now)
        elif request.to.tag is not None:
            self._receive_in_dialog(request, transaction, now)
        elif (refusal := self._inspect(request)) is not None:
            self.respond(transaction, refusal, now)
        elif request.method == "INVITE":
            self._receive_invite(request, transaction, flow, now)
        else:
            self.respond(transaction, self._capabilities(request), now)

    def _inspect(self, request: Request) -> Response | None:
        """Section 8.2.1 to 8.2.3: method, Request-URI, merged requests, Require; None when all is well."""
        tag = self.ids.tag()
        if request.method not in METHODS:
            known = request.method in _OTHER_METHODS
            return response_to(request, 405 if known else 501, to_tag=tag, headers=(("Allow", self.allow()),))
        if request.method == "BYE":
            return response_to(request, 481, to_tag=tag)
        if not isinstance(request.uri, SipUri):
            return response_to(request, 416, to_tag=tag)
        branch = self._merged.get((request.call_id, request.from_.tag or "", request.cseq.number))
        if request.method == "INVITE" and branch is not None and branch != request.via.branch:
            return response_to(request, 482, to_tag=tag)
        required = request.headers.get_list("require")
        if required:
            return response_to(request, 420, to_tag=tag, headers=(("Unsupported", ", ".join(required)),))
        return self._inspect_body(request, tag)

    def _inspect_body(self, request: Request, tag: str) -> Response | None:
        """Section 8.2.3: a body that we cannot read is refused with what we can read."""
        if request.method != "INVITE" or not request.body:
            return None
        encoded = (request.headers.get("content-encoding") or "identity").lower() != "identity"
        if encoded or request.content_type != "application/sdp":
            accept = (("Accept", "application/sdp"), ("Accept-Encoding", "identity"))
            return response_to(request, 415, to_tag=tag, headers=accept)
        return None

    def _capabilities(self, request: Request) -> Response:
        """The answer to OPTIONS (section 11.2)."""
        fields = (("Allow", self.allow()), ("Accept", "application/sdp"), ("Accept-Encoding", "identity"))
        return response_to(request, 200, to_tag=self.ids.tag(), headers=fields)

    def _receive_invite(self, request: Request, transaction: AnyServerTransaction, flow: Flow, now: float) -> None:
        if len(self._sessions) >= self.settings.max_sessions:
            self._dropped[Drop.TOO_MANY_SESSIONS] += 1
            self.respond(transaction, response_to(request, 503, to_tag=self.ids.tag(), headers=_RETRY_AFTER), now)
            return
        try:
            session = CalleeSession(self, request, flow, transaction)
        except MalformedMessage as fault:  # no Contact to send requests to
            self.respond(transaction, response_to(request, fault.status, fault.reason, to_tag=self.ids.tag()), now)
            return
        self._sessions[session] = 0
        self._callees[transaction] = session
        self._merged[request.call_id, request.from_.tag or "", request.cseq.number] = request.via.branch or ""
        self._own(transaction, session, self._owners[transaction][1])
        session.start(now, self.settings.answer_timeout)
        self._news.append(CallReceived(session))

    def _receive_in_dialog(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        session = self._session_of(request)
        if session is None or session.is_over:
            self.respond(transaction, response_to(request, 481), now)
            return
        self._own(transaction, session, self._owners[transaction][1])
        session.receive_request(request, transaction, now)

    def _receive_ack(self, ack: Request, now: float) -> None:
        session = self._session_of(ack)
        if session is None:
            self._dropped[Drop.STRAY_ACK] += 1
        else:
            session.receive_ack(ack, now)

    def _receive_cancel(self, cancel: Request, transaction: AnyServerTransaction, now: float) -> None:
        """Section 9.2: the CANCEL itself is answered, whatever becomes of the INVITE."""
        invited = self._table.find_invite_for_cancel(cancel)
        if invited is None:
            self.respond(transaction, response_to(cancel, 481, to_tag=self.ids.tag()), now)
            return
        session = self._callees.get(invited)
        tag = session.local_tag if session is not None else self.ids.tag()
        self.respond(transaction, response_to(cancel, 200, to_tag=tag), now)
        if session is not None:
            session.receive_cancel(cancel, now)

    def _session_of(self, request: Request) -> Session | None:
        return self._dialogs.get((request.call_id, request.to.tag or "", request.from_.tag or ""))

    # -- refusals without state ------------------------------------------------------------------------------------

    def _refuse(self, fault: MalformedMessage, flow: Flow) -> None:
        """Answer what cannot be read, once and without keeping anything, when it is clear where to."""
        self._dropped[Drop.MALFORMED] += 1
        request = fault.partial
        if isinstance(request, Request) and request.method != "ACK" and "via" in request.headers:
            self._refuse_statelessly(request, fault.status, flow, reason=fault.reason)

    def _refuse_statelessly(
        self,
        request: Request,
        status: int,
        flow: Flow,
        headers: tuple[tuple[str, str], ...] = (),
        reason: str | None = None,
    ) -> None:
        response = response_to(request, status, reason, to_tag=self.ids.tag(), headers=headers)
        try:
            self._post(response, flow._replace(remote=response.via.response_address()))
        except MalformedMessage:
            self._dropped[Drop.UNANSWERABLE] += 1

    # -- plumbing --------------------------------------------------------------------------------------------------

    def _own(self, transaction: AnyTransaction, session: Session | None, flow: Flow) -> None:
        self._owners[transaction] = (session, flow)
        if session is not None:
            self._sessions[session] = self._sessions.get(session, 0) + 1

    def _drain(self, now: float) -> None:
        """Send what the transactions want sent and pass on what they tell, until nothing moves any more."""
        while outputs := self._table.outputs():
            for transaction, messages, events in outputs:
                session, flow = self._owners[transaction]
                for message in messages:
                    self._post(message, flow)
                for event in events:
                    self._transaction_told(transaction, session, event, now)

    def _transaction_told(self, transaction: AnyTransaction, session: Session | None, event: Event, now: float) -> None:
        if not isinstance(event, ResponseReceived) or event.response.is_final:
            self._unanswered.discard(transaction)
        if isinstance(event, TransactionTerminated):
            self._owners.pop(transaction, None)
            self._callees.pop(transaction, None)
            if session is not None:
                self._sessions[session] -= 1
                self._forget_if_done(session)
        elif isinstance(event, AckReceived):
            self._receive_ack(event.request, now)
        elif session is not None:
            session.receive_outcome(transaction, event, now)

    def _forget_if_done(self, session: Session) -> None:
        """A session is kept while one of its transactions may still bring something: a 2xx again, an ACK."""
        if not session.is_over or self._sessions.get(session):
            return
        if self._sessions.pop(session, None) is None:
            return
        self._wake.forget(session)
        invite = session.invite
        if session.dialog is not None:
            self._dialogs.pop(session.dialog.id, None)
        self._callers.pop((session.call_id, invite.from_.tag or ""), None)
        self._merged.pop((session.call_id, invite.from_.tag or "", invite.cseq.number), None)

    def _post(self, message: Request | Response, flow: Flow) -> None:
        kind = message.method if isinstance(message, Request) else f"{message.status // 100}xx"
        self._sent[kind] += 1
        self._outbox.append((message.to_bytes(), flow))


def _observed(request: Request, flow: Flow) -> str:
    """The topmost Via with ``received`` and ``rport`` written on it, those below it on the same line kept."""
    text = request.headers["via"]
    seen = str(request.via.observed_from(flow.remote))
    _, comma, below = text.partition(",")
    return f"{seen}{comma}{below}"


__all__ = ["METHODS", "CallReceived", "Endpoint", "EndpointCounts", "Settings", "TooManySessions"]
