"""An INVITE session: what follows when two user agents have agreed to talk (RFC 3261 sections 13 to 15).

:class:`Session` holds what caller and callee have in common once there is a dialog: BYE, re-INVITE, the 2xx that is sent
again until its ACK comes. :mod:`.caller` and :mod:`.callee` add how each side gets there. A session is a machine like the
transactions below it: it is driven by its user's calls, by messages and by deadlines, and it tells what happened as
:mod:`.call_events`. What it wants sent goes through the :class:`Core` that owns it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from .call_events import (
    CallCancelled,
    CallConfirmed,
    CallEnded,
    CallEvent,
    EndedBy,
    InviteFailed,
    SessionAcknowledged,
    SessionOffered,
)
from .exceptions import InvalidState
from .message import Request, Response, response_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .dialog import Dialog
    from .events import Event
    from .flow import Flow
    from .identifiers import Identifiers
    from .timers import Timers
    from .transaction.table import AnyClientTransaction, AnyServerTransaction, AnyTransaction

Pairs = tuple[tuple[str, str], ...]


class SessionState(StrEnum):
    """Where a session stands; the value is what a person is shown."""

    INVITING = "inviting"
    RINGING = "ringing"
    ANSWERED = "answered, not yet acknowledged"
    CONFIRMED = "talking"
    ENDING = "hanging up"
    ENDED = "ended"


class Core(Protocol):
    """What a session may ask of the endpoint that owns it."""

    ids: Identifiers
    timers: Timers

    def via(self, flow: Flow) -> str:
        """Our Via on this flow with a fresh branch."""
        ...

    def contact(self, flow: Flow) -> str:
        """Our Contact on this flow."""
        ...

    def allow(self) -> str:
        """The methods that we accept, for Allow."""
        ...

    def request(self, session: Session, request: Request, flow: Flow, now: float) -> AnyClientTransaction:
        """Send a request in a transaction whose outcome comes back to the session."""
        ...

    def respond(self, transaction: AnyServerTransaction, response: Response, now: float) -> None:
        """Answer in a server transaction."""
        ...

    def send(self, message: Request | Response, flow: Flow) -> None:
        """Send a message outside of any transaction: ACK and repeated 2xx."""
        ...

    def bind(self, dialog: Dialog, session: Session) -> None:
        """Requests inside this dialog belong to this session from now on."""
        ...

    def changed(self, session: Session) -> None:
        """The session's deadline moved, it has something to tell, or it has ended."""
        ...


class Session:
    """What caller and callee have in common."""

    __slots__ = (
        "_bye",
        "_core",
        "_deadlines",
        "_events",
        "_final",
        "_final_interval",
        "_final_sequence",
        "_hang_up_on_ack",
        "_offer",
        "call_id",
        "dialog",
        "flow",
        "invite",
        "listener",
        "state",
    )

    def __init__(self, core: Core, invite: Request, flow: Flow, state: SessionState) -> None:
        self._core = core
        self._events: list[CallEvent] = []
        self._deadlines: dict[str, float] = {}
        self._final: Response | None = None  # the 2xx of ours that waits for its ACK
        self._final_interval = 0.0
        self._final_sequence = 0
        self._hang_up_on_ack = False
        self._bye: AnyClientTransaction | None = None
        self._offer: AnyServerTransaction | None = None  # the server transaction of a re-INVITE that waits for our user
        self.invite = invite
        self.flow = flow
        self.state = state
        self.dialog: Dialog | None = None
        self.call_id = invite.call_id
        self.listener: Callable[[CallEvent], None] | None = None

    # -- the machine's verbs ---------------------------------------------------------------------------------------

    def events(self) -> list[CallEvent]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def next_deadline(self) -> float | None:
        """When :meth:`handle_timeout` wants to be called."""
        return min(self._deadlines.values(), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        for name in [name for name, deadline in self._deadlines.items() if deadline <= now]:
            deadline = self._deadlines.pop(name, None)
            if deadline is not None:
                self._timed_out(name, deadline, now)
        self._core.changed(self)

    def _timed_out(self, name: str, deadline: float, now: float) -> None:
        if name == "2xx" and self._final is not None:
            # RFC 3261 13.3.1.4: "passed to the transport with an interval that starts at T1 seconds and doubles ... T2"
            self._core.send(self._final, self.flow)
            self._final_interval = min(2 * self._final_interval, self._core.timers.t2)
            self._deadlines["2xx"] = max(deadline + self._final_interval, now)
        elif name == "ack":
            # "the dialog is confirmed, but the session SHOULD be terminated. This is accomplished with a BYE"
            self._stop_repeating()
            self._send_bye((), now)
            self._end(EndedBy.NO_ACK, None)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it; its transactions may live on."""
        return self.state is SessionState.ENDED

    # -- what the user asks ----------------------------------------------------------------------------------------

    def bye(self, now: float, headers: Pairs = ()) -> None:
        """Hang up a confirmed session (section 15).

        Raises:
            InvalidState: it is not confirmed; callers cancel and callees reject before that.
        """
        if self.state is SessionState.ANSWERED:
            # 15: "the callee's UA MUST NOT send a BYE on a confirmed dialog until it has received an ACK for its 2xx"
            self._hang_up_on_ack = True
            return
        if self.state is not SessionState.CONFIRMED:
            raise InvalidState(f"nothing to hang up: {self.state}")
        self._send_bye(headers, now)
        self._end(EndedBy.LOCAL, None)
        self._core.changed(self)

    def accept_offer(self, body: bytes, content_type: str, now: float) -> None:
        """Answer the re-INVITE that :class:`SessionOffered` told of."""
        transaction = self._offered()
        fields = (*self._answer_fields(), ("Content-Type", content_type))
        self._send_final(transaction, response_to(transaction.request, 200, headers=fields, body=body), now)
        self._offer = None
        self._core.changed(self)

    def refuse_offer(self, status: int, now: float, headers: Pairs = ()) -> None:
        """Refuse the re-INVITE; the session stays as it is (section 14.2)."""
        transaction = self._offered()
        self._core.respond(transaction, response_to(transaction.request, status, headers=headers), now)
        self._offer = None
        self._core.changed(self)

    def _offered(self) -> AnyServerTransaction:
        if self._offer is None:
            raise InvalidState("no offer waits for an answer")
        return self._offer

    # -- what the network brings -----------------------------------------------------------------------------------

    def receive_request(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        """A request inside the dialog other than ACK and CANCEL; it is always answered, now or by the user."""
        assert self.dialog is not None
        if not self.dialog.accepts(request):
            self._core.respond(transaction, response_to(request, 500, headers=(("Retry-After", "1"),)), now)
        elif request.method == "BYE":
            self._receive_bye(request, transaction, now)
        elif request.method == "INVITE":
            self._receive_reinvite(request, transaction, now)
        elif request.method == "OPTIONS":
            allow = (("Allow", self._core.allow()), ("Accept", "application/sdp"))
            self._core.respond(transaction, response_to(request, 200, headers=allow), now)
        else:
            refusal = response_to(request, 405, headers=(("Allow", self._core.allow()),))
            self._core.respond(transaction, refusal, now)
        self._core.changed(self)

    def receive_ack(self, ack: Request, now: float) -> None:
        """The ACK of a 2xx of ours; those that come again are silent."""
        if self._final is None or ack.cseq.number != self._final_sequence:
            return
        self._stop_repeating()
        if self.state is SessionState.ANSWERED:
            self.state = SessionState.CONFIRMED
            self._events.append(CallConfirmed(ack))
            if self._hang_up_on_ack:
                self.bye(now)
        else:
            self._events.append(SessionAcknowledged(ack))
        self._core.changed(self)

    def receive_outcome(self, transaction: AnyTransaction, event: Event, now: float) -> None:
        """What became of a request of ours; a BYE's fate changes nothing, the session is over either way (15.1.1)."""

    def _receive_bye(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        self._core.respond(transaction, response_to(request, 200), now)
        if self._offer is not None:
            # 15.1.2: "The UAS MUST still respond to any pending requests received for that dialog ... a 487"
            self._core.respond(self._offer, response_to(self._offer.request, 487), now)
            self._offer = None
        if self.state in {SessionState.CONFIRMED, SessionState.ANSWERED}:
            self._stop_repeating()
            self._end(EndedBy.REMOTE, request)

    def _receive_reinvite(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        busy = self._offer is not None or self._final is not None
        if self.state is not SessionState.CONFIRMED or busy:
            # 14.2: a second INVITE before the first is settled: "a 500 ... and MUST include a Retry-After ... 0 to 10"
            self._core.respond(transaction, response_to(request, 500, headers=(("Retry-After", "1"),)), now)
            return
        self._offer = transaction
        assert self.dialog is not None
        self.dialog.refresh_target(request)
        self._events.append(SessionOffered(request))

    # -- what both sides do ----------------------------------------------------------------------------------------

    def _answer_fields(self) -> Pairs:
        return (("Contact", self._core.contact(self.flow)), ("Allow", self._core.allow()))

    def _send_final(self, transaction: AnyServerTransaction, response: Response, now: float) -> None:
        """Send a 2xx to an INVITE and repeat it until the ACK comes, over reliable transports too (13.3.1.4)."""
        self._core.respond(transaction, response, now)
        self._final = response
        self._final_sequence = response.cseq.number
        self._final_interval = self._core.timers.t1
        self._deadlines["2xx"] = now + self._final_interval
        self._deadlines["ack"] = now + self._core.timers.timeout

    def _stop_repeating(self) -> None:
        self._final = None
        self._deadlines.pop("2xx", None)
        self._deadlines.pop("ack", None)

    def _send_bye(self, headers: Iterable[tuple[str, str]], now: float) -> None:
        assert self.dialog is not None
        flow = self._flow_of_dialog()
        request = self.dialog.request("BYE", self._core.via(flow), headers)
        self._bye = self._core.request(self, request, flow, now)

    def _flow_of_dialog(self) -> Flow:
        assert self.dialog is not None
        return self.flow._replace(remote=self.dialog.next_hop())

    def _end(self, by: EndedBy, request: Request | None) -> None:
        self.state = SessionState.ENDED
        self._deadlines.clear()
        self._events.append(CallEnded(by, request))

    def _cancelled(self, request: Request) -> None:
        self.state = SessionState.ENDED
        self._deadlines.clear()
        self._events.append(CallCancelled(request))

    def _failed(self, status: int, reason: str, response: Response | None) -> None:
        self.state = SessionState.ENDED
        self._deadlines.clear()
        self._events.append(InviteFailed(status, reason, response))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.call_id} {self.state.name} {self.flow}>"
