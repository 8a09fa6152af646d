"""An INVITE session: what follows when two user agents have agreed to talk (RFC 3261 sections 13 to 15).

:class:`Session` holds what caller and callee have in common once there is a dialog: BYE, re-INVITE, the 2xx that is sent
again until its ACK comes. :mod:`.caller` and :mod:`.callee` add how each side gets there. A session is a machine like the
transactions below it: it is driven by its user's calls, by messages and by deadlines, and it tells what happened as
:mod:`.call_events`. What it wants sent goes through the :class:`Core` that owns it.

Every end of a session goes through one door (``_over``): there its timers stop, and a re-INVITE that still waits for an
answer gets one, so that nothing outlives the session but transactions that end by themselves.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from .call_events import (
    CallConfirmed,
    CallEnded,
    CallEvent,
    EndedBy,
    SessionAcknowledged,
    SessionOffered,
)
from .dialog import target_of
from .exceptions import InvalidState, MalformedMessage
from .inspection import ALLOW_FIELD, CAPABILITIES
from .invite import check_custom
from .message import Request, Response, response_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from .dialog import Dialog
    from .drops import Drop
    from .events import Event
    from .flow import Flow
    from .identifiers import Dice, Identifiers
    from .timers import Timers
    from .transaction.table import AnyClientTransaction, AnyServerTransaction, AnyTransaction

Pairs = tuple[tuple[str, str], ...]

LONGEST_RETRY_AFTER: Final = 10  # seconds; RFC 3261 14.2: "a randomly chosen value of between 0 and 10 seconds"


class SessionState(StrEnum):
    """Where a session stands; the value is what a person is shown."""

    INVITING = "inviting"
    RINGING = "ringing"
    ANSWERED = "answered, not yet acknowledged"
    CONFIRMED = "talking"
    ENDED = "ended"


class Core(Protocol):
    """What a session may ask of the endpoint that owns it."""

    dice: Dice
    ids: Identifiers
    timers: Timers

    def via(self, flow: Flow) -> str:
        """Our Via on this flow with a fresh branch."""
        ...

    def contact(self, flow: Flow) -> str:
        """Our Contact on this flow."""
        ...

    def request(self, session: Session, request: Request, flow: Flow, now: float) -> AnyClientTransaction | None:
        """Send a request in a transaction whose outcome comes back to the session; None: no room, it was sent once."""
        ...

    def respond(self, transaction: AnyServerTransaction, response: Response, now: float) -> None:
        """Answer in a server transaction."""
        ...

    def abandon(self, transaction: AnyTransaction, now: float) -> None:
        """End a transaction of which nothing is expected any more."""
        ...

    def send(self, message: Request, flow: Flow) -> None:
        """Send a message outside of any transaction: the ACK of a 2xx."""
        ...

    def bind(self, dialog: Dialog, session: Session) -> None:
        """Requests inside this dialog belong to this session from now on."""
        ...

    def changed(self, session: Session) -> None:
        """The session's deadline moved, it has something to tell, or it has ended."""
        ...

    def drop(self, reason: Drop) -> None:
        """Something was ignored."""
        ...


class Session:
    """What caller and callee have in common."""

    __slots__ = (
        "_bye_headers",
        "_core",
        "_deadlines",
        "_events",
        "_final",
        "_final_interval",
        "_offer",
        "_said_bye",
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
        self._final: tuple[AnyServerTransaction, Response] | None = None  # the 2xx of ours that waits for its ACK
        self._final_interval = 0.0
        self._bye_headers: Pairs | None = None  # of the BYE that waits for the ACK of our 2xx
        self._offer: AnyServerTransaction | None = None  # the server transaction of a re-INVITE that waits for our user
        self._said_bye = False
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
        deadlines = self._deadlines
        return min(deadlines.values()) if deadlines else None

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        for name in [name for name, deadline in self._deadlines.items() if deadline <= now]:
            deadline = self._deadlines.pop(name, None)
            if deadline is not None:
                self._timed_out(name, deadline, now)
        self._core.changed(self)

    def _timed_out(self, name: str, deadline: float, now: float) -> None:
        if name == "2xx":
            self._repeat_final(deadline, now)
        elif name == "ack":
            # 13.3.1.4: "the dialog is confirmed, but the session SHOULD be terminated. This is accomplished with a BYE"
            self._send_bye(self._bye_headers or (), now)
            self._over(CallEnded(EndedBy.NO_ACK, None), now)
        elif name == "offer":
            self._refuse_pending_offer(500, now)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it; its transactions may live on."""
        return self.state is SessionState.ENDED

    @property
    def is_hanging_up(self) -> bool:
        """Whether a BYE waits for the ACK of our answer (section 15)."""
        return self._bye_headers is not None

    # -- what the user asks ----------------------------------------------------------------------------------------

    def bye(self, now: float, headers: Pairs = ()) -> None:
        """Hang up a session (section 15); one that is answered and not yet acknowledged hangs up when its ACK comes.

        Raises:
            InvalidState: it is neither; callers cancel and callees reject before that.
            ValueError: a header that must not be sent.
        """
        check_custom(headers)
        if self.state is SessionState.ANSWERED:
            # 15: "the callee's UA MUST NOT send a BYE on a confirmed dialog until it has received an ACK for its 2xx"
            self._bye_headers = headers
        elif self.state is SessionState.CONFIRMED:
            self._send_bye(headers, now)
            self._over(CallEnded(EndedBy.LOCAL, None), now)
        else:
            raise InvalidState(f"nothing to hang up: {self.state}")
        self._core.changed(self)

    def hang_up(self, now: float, headers: Pairs = ()) -> None:
        """End it in whatever way its state asks for; nothing happens when it is over."""
        if self.state in {SessionState.ANSWERED, SessionState.CONFIRMED}:
            self.bye(now, headers)

    def accept_offer(self, body: bytes, content_type: str, now: float) -> None:
        """Answer the re-INVITE that :class:`SessionOffered` told of; the peer's Contact in it is its target from now on.

        Raises:
            InvalidState: no offer waits.
            ValueError: CR, LF or NUL in the content type.
        """
        transaction = self._offered()
        fields = (*self._answer_fields(), ("Content-Type", content_type))
        response = response_to(transaction.request, 200, headers=fields, body=body)
        assert self.dialog is not None
        # 12.2.2: "If a particular request is accepted by the UAS, all the state changes associated with it are performed. If the
        # request is rejected, none of the state changes are performed."
        self.dialog.refresh_target(transaction.request)
        self._forget_offer()
        self._send_final(transaction, response, now)
        self._core.changed(self)

    def refuse_offer(self, status: int, now: float, headers: Pairs = ()) -> None:
        """Refuse the re-INVITE; the session stays as it is (section 14.2).

        Raises:
            InvalidState: no offer waits.
            ValueError: not a status from 300 to 699, or a header that must not be sent.
        """
        must_refuse(status)
        check_custom(headers)
        self._offered()
        self._refuse_pending_offer(status, now, headers)
        self._core.changed(self)

    def _offered(self) -> AnyServerTransaction:
        if self._offer is None:
            raise InvalidState("no offer waits for an answer")
        return self._offer

    # -- what the network brings -----------------------------------------------------------------------------------

    def receive_request(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        """A request inside the dialog other than ACK and CANCEL; it is always answered, now or by the user."""
        assert self.dialog is not None
        if self.is_over:
            # Two BYEs that cross are both right: the dialog ends with the answer to ours and not before (15.1.1).
            crossed = request.method == "BYE" and self._said_bye
            self._core.respond(transaction, response_to(request, 200 if crossed else 481), now)
        elif not self.dialog.accepts(request):
            # 12.2.2: "the request is out of order and MUST be rejected with a 500"
            self._core.respond(transaction, response_to(request, 500), now)
        elif request.method == "BYE":
            self._receive_bye(request, transaction, now)
        elif request.method == "INVITE":
            self._receive_reinvite(request, transaction, now)
        else:
            self._core.respond(transaction, response_to(request, 200, headers=CAPABILITIES), now)
        self._core.changed(self)

    def receive_ack(self, ack: Request, now: float) -> None:
        """The ACK of a 2xx of ours; those that come again are silent."""
        if self._final is None or ack.cseq.number != self._final[1].cseq.number:
            return
        self._stop_repeating()
        if self.state is SessionState.ANSWERED:
            self.state = SessionState.CONFIRMED
            self._events.append(CallConfirmed(ack))
            headers, self._bye_headers = self._bye_headers, None
            if headers is not None:
                self.bye(now, headers)
        else:
            self._events.append(SessionAcknowledged(ack))
        self._core.changed(self)

    def receive_outcome(self, transaction: AnyTransaction, event: Event, now: float) -> None:
        """What became of a request of ours; a BYE's fate changes nothing, the session is over either way (15.1.1)."""

    def _receive_bye(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        self._core.respond(transaction, response_to(request, 200), now)
        self._over(CallEnded(EndedBy.REMOTE, request), now)

    def _receive_reinvite(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        if self.state is not SessionState.CONFIRMED or self._offer is not None or self._final is not None:
            # 14.2, a second INVITE before the first is settled: "MUST return a 500 (Server Internal Error) response ... and MUST
            # include a Retry-After header field with a randomly chosen value of between 0 and 10 seconds"
            seconds = int(self._core.dice.random() * (LONGEST_RETRY_AFTER + 1))
            retry = (("Retry-After", str(seconds)),)
            self._core.respond(transaction, response_to(request, 500, headers=retry), now)
            return
        try:
            target_of(request)
        except MalformedMessage as fault:
            self._core.respond(transaction, response_to(request, fault.status, fault.reason), now)
            return
        self._offer = transaction
        self._deadlines["offer"] = now + self._core.timers.timeout
        self._events.append(SessionOffered(request))

    # -- what both sides do ----------------------------------------------------------------------------------------

    def _answer_fields(self) -> Pairs:
        return (("Contact", self._core.contact(self.flow)), *ALLOW_FIELD)

    def _send_final(self, transaction: AnyServerTransaction, response: Response, now: float) -> None:
        """Send a 2xx to an INVITE and repeat it until the ACK comes, over reliable transports too (13.3.1.4)."""
        self._core.respond(transaction, response, now)
        self._final = (transaction, response)
        self._final_interval = self._core.timers.t1
        self._deadlines["ack"] = now + self._core.timers.timeout  # first, so that who wakes too late gives up
        self._deadlines["2xx"] = now + self._final_interval

    def _repeat_final(self, deadline: float, now: float) -> None:
        """13.3.1.4: "passed to the transport with an interval that starts at T1 seconds and doubles ... until it reaches T2"."""
        assert self._final is not None
        self._core.respond(*self._final, now)
        while deadline <= now:  # steps that were slept through are skipped
            self._final_interval = min(2 * self._final_interval, self._core.timers.t2)
            deadline += self._final_interval
        self._deadlines["2xx"] = deadline

    def _stop_repeating(self) -> None:
        self._final = None
        self._deadlines.pop("2xx", None)
        self._deadlines.pop("ack", None)

    def _forget_offer(self) -> None:
        self._offer = None
        self._deadlines.pop("offer", None)

    def _refuse_pending_offer(self, status: int, now: float, headers: Pairs = ()) -> None:
        transaction = self._offered()
        self._forget_offer()
        self._core.respond(transaction, response_to(transaction.request, status, headers=headers), now)

    def _send_bye(self, headers: Pairs, now: float) -> None:
        assert self.dialog is not None
        flow = self._flow_of(self.dialog)
        self._said_bye = True
        self._core.request(self, self.dialog.request("BYE", self._core.via(flow), headers), flow, now)

    def _flow_of(self, dialog: Dialog) -> Flow:
        return self.flow._replace(remote=dialog.next_hop())

    def _over(self, event: CallEvent | None, now: float) -> None:
        """The one end of every session: no timer is left, and no re-INVITE without an answer."""
        self.state = SessionState.ENDED
        self._final = self._bye_headers = None
        if self._offer is not None:
            # 15.1.2: "The UAS MUST still respond to any pending requests received for that dialog ... a 487"
            self._refuse_pending_offer(487, now)
        self._deadlines.clear()
        if event is not None:
            self._events.append(event)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.call_id} {self.state.name} {self.flow}>"


def must_refuse(status: int) -> None:
    """Raise ValueError for a status that refuses nothing."""
    if not 300 <= status <= 699:
        raise ValueError(f"not a refusal: {status}")
