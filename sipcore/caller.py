"""The caller's side of an INVITE (RFC 3261 section 13.2): be rung, be answered, give up.

A 2xx makes a dialog and is acknowledged at once; it is acknowledged again, with the same octets, each time it comes again.
A second 2xx with another tag (a proxy forked the call) is acknowledged and hung up: the first one won. CANCEL waits for a
provisional response (9.1), and when it crosses a 200 the call is acknowledged and hung up. A 2xx without a usable Contact
is acknowledged and hung up where the INVITE went: its sender is not left repeating it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .call_events import CallAnswered, CallProgressed, InviteFailed
from .dialog import Dialog
from .drops import Drop
from .events import Event, ResponseReceived, TransactionTimedOut, TransportFailed
from .exceptions import MalformedMessage
from .message import Request, Response, cancel_of
from .session import Core, Pairs, Session, SessionState
from .uri import SipUri

if TYPE_CHECKING:
    from .flow import Flow
    from .transaction.table import AnyTransaction

MAX_FORKS: Final = 16  # dialogs that one INVITE may make; more 2xx are ignored and their senders give up


class CallerSession(Session):
    """An INVITE of ours."""

    __slots__ = ("_acks", "_cancelling", "_provisional", "_ring_timeout", "_told", "_transaction", "_why")

    def __init__(self, core: Core, invite: Request, flow: Flow, ring_timeout: float) -> None:
        super().__init__(core, invite, flow, SessionState.INVITING)
        self._acks: dict[str, tuple[Request, Flow]] = {}  # by the callee's tag
        self._cancelling = False
        self._provisional = False
        self._ring_timeout = ring_timeout
        self._why: tuple[int, str] | None = None  # set when we gave up: what the end will be called
        self._told = False  # whether the user knows of the end before the wire does
        self._transaction: AnyTransaction | None = None

    def start(self, now: float) -> None:
        """Send the INVITE."""
        self._deadlines["ring"] = now + self._ring_timeout
        self._transaction = self._core.request(self, self.invite, self.flow, now)
        self._core.changed(self)

    # -- giving up -------------------------------------------------------------------------------------------------

    def cancel(self, now: float, status: int = 487, reason: str = "Cancelled") -> None:
        """Give up; nothing happens when the call has been answered or has failed already.

        9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent; rather, the client MUST wait
        for the arrival of a provisional response". The user need not wait with it: it is told at once, and what comes later
        is cancelled, or acknowledged and hung up, without a word.
        """
        if self.state is SessionState.INVITING and self._why is None:
            self._why = (status, reason)
            self._deadlines.pop("ring", None)
            if self._provisional:
                self._send_cancel(now)
            else:
                self._told = True
                self._events.append(InviteFailed(status, reason, None))
            self._core.changed(self)

    def hang_up(self, now: float, headers: Pairs = ()) -> None:
        """Cancel before the answer, BYE after it, nothing when it is over."""
        self.cancel(now)
        super().hang_up(now, headers)

    def _send_cancel(self, now: float) -> None:
        self._cancelling = True
        self._core.request(self, cancel_of(self.invite), self.flow, now)
        # 9.1: "If there is no final response for the original request in 64*T1 seconds ... the client SHOULD then consider the
        # original transaction cancelled and SHOULD destroy the client transaction handling the original request."
        self._deadlines["cancel"] = now + self._core.timers.timeout

    def _timed_out(self, name: str, deadline: float, now: float) -> None:
        if name == "ring":
            self.cancel(now, 408, "Not answered in time")
        elif name == "cancel":
            assert self._transaction is not None
            self._core.abandon(self._transaction, now)
            self._fail(408, "Request Timeout", None, now)
        else:
            super()._timed_out(name, deadline, now)

    def _fail(self, status: int, reason: str, response: Response | None, now: float) -> None:
        """The INVITE came to nothing; when we gave up before, that is why."""
        status, reason = self._why or (status, reason)
        self._over(None if self._told else InviteFailed(status, reason, response), now)

    # -- what the network brings -----------------------------------------------------------------------------------

    def receive_outcome(self, transaction: AnyTransaction, event: Event, now: float) -> None:
        """A response to, or the end of, the INVITE, the CANCEL or the BYE."""
        if transaction is not self._transaction:
            return
        if isinstance(event, ResponseReceived):
            self.receive_response(event.response, now)
        elif self.state is SessionState.INVITING:
            if isinstance(event, TransactionTimedOut):
                self._fail(408, "Request Timeout", None, now)
            elif isinstance(event, TransportFailed):
                self._fail(503, f"Transport failed: {_words(event.error)}", None, now)
            self._core.changed(self)

    def receive_response(self, response: Response, now: float) -> None:
        """A response to the INVITE; a 2xx may also come when its transaction is long over."""
        if response.is_success:
            self._receive_success(response, now)
        elif self.state is SessionState.INVITING:
            if response.is_provisional:
                self._receive_provisional(response, now)
            else:
                self._fail(response.status, response.reason, response, now)
        self._core.changed(self)

    def _receive_provisional(self, response: Response, now: float) -> None:
        self._provisional = True
        if self._why is None:
            if response.status > 100:
                self._events.append(CallProgressed(response))
        elif not self._cancelling:
            self._send_cancel(now)

    def _receive_success(self, response: Response, now: float) -> None:
        tag = response.to.tag or ""
        again = self._acks.get(tag)
        if again is not None:
            self._core.send(*again)
            return
        if len(self._acks) >= MAX_FORKS:
            self._core.drop(Drop.TOO_MANY_FORKS)
            return
        try:
            dialog, fault = Dialog.from_response(self.invite, response, self.flow.remote), None
        except MalformedMessage as error:
            dialog, fault = self._dialog_without_contact(response), error
        self._acknowledge(dialog, tag)
        if self.state is not SessionState.INVITING:
            self._hang_up(dialog, now)
        elif fault is not None or self._why is not None:
            self._hang_up(dialog, now)
            reason = "Cancelled" if fault is None else f"Answer without a usable Contact: {fault.reason}"
            self._fail(502, reason, response, now)
        else:
            self._answered(dialog, response)

    def _dialog_without_contact(self, response: Response) -> Dialog:
        """Enough of a dialog to acknowledge and hang up: what follows goes where the INVITE went."""
        return Dialog.from_response(self.invite, response, self.flow.remote, SipUri.parse(self.invite.target))

    def _acknowledge(self, dialog: Dialog, tag: str) -> None:
        flow = self._flow_of(dialog)
        ack = dialog.ack(self.invite.cseq.number, self._core.via(flow))
        self._acks[tag] = (ack, flow)
        self._core.send(ack, flow)

    def _answered(self, dialog: Dialog, response: Response) -> None:
        self.dialog = dialog
        self.state = SessionState.CONFIRMED
        self._deadlines.clear()
        self._core.bind(dialog, self)
        self._events.append(CallAnswered(response))

    def _hang_up(self, dialog: Dialog, now: float) -> None:
        """A fork that lost, or a 2xx that nobody wants any more."""
        flow = self._flow_of(dialog)
        self._core.request(self, dialog.request("BYE", self._core.via(flow)), flow, now)


def _words(error: Exception) -> str:
    """An error without its number."""
    return getattr(error, "strerror", None) or str(error)
