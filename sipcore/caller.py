"""The caller's side of an INVITE (RFC 3261 section 13.2): be rung, be answered, give up.

A 2xx makes a dialog and is acknowledged at once; it is acknowledged again, with the same octets, each time it comes again.
A second 2xx with another tag (a proxy forked the call) is acknowledged and hung up: the first one won. CANCEL waits for a
provisional response (9.1), and when it crosses a 200 the call is acknowledged and hung up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .call_events import CallAnswered, CallProgressed
from .dialog import Dialog
from .events import Event, ResponseReceived, TransactionTimedOut, TransportFailed
from .exceptions import MalformedMessage
from .message import Request, Response, cancel_of
from .session import Core, Session, SessionState

if TYPE_CHECKING:
    from .flow import Flow
    from .transaction.table import AnyTransaction

MAX_FORKS: Final = 16  # dialogs that one INVITE may make; more 2xx are ignored and their senders give up


class CallerSession(Session):
    """An INVITE of ours."""

    __slots__ = ("_acks", "_cancel", "_provisional", "_ring_timeout", "_transaction", "_why")

    def __init__(self, core: Core, invite: Request, flow: Flow, ring_timeout: float) -> None:
        super().__init__(core, invite, flow, SessionState.INVITING)
        self._acks: dict[str, tuple[Request, Flow]] = {}  # by the callee's tag
        self._cancel: AnyTransaction | None = None
        self._provisional = False
        self._ring_timeout = ring_timeout
        self._why: tuple[int, str] | None = None  # set when we gave up: what the end will be called
        self._transaction: AnyTransaction | None = None

    def start(self, now: float) -> None:
        """Send the INVITE."""
        self._deadlines["ring"] = now + self._ring_timeout
        self._transaction = self._core.request(self, self.invite, self.flow, now)
        self._core.changed(self)

    def cancel(self, now: float, status: int = 487, reason: str = "Cancelled") -> None:
        """Give up; nothing happens when the call has been answered or has failed already."""
        if self.state is SessionState.INVITING and self._why is None:
            self._why = (status, reason)
            self._deadlines.pop("ring", None)
            if self._provisional:
                self._send_cancel(now)
            self._core.changed(self)

    def _send_cancel(self, now: float) -> None:
        self._cancel = self._core.request(self, cancel_of(self.invite), self.flow, now)
        # 9.1: "If there is no final response for the original request in 64*T1 seconds ... consider it cancelled"
        self._deadlines["cancel"] = now + self._core.timers.timeout

    def _timed_out(self, name: str, deadline: float, now: float) -> None:
        if name == "ring":
            self.cancel(now, 408, "Not answered in time")
        elif name == "cancel":
            self._give_up()
        else:
            super()._timed_out(name, deadline, now)

    def _give_up(self) -> None:
        status, reason = self._why or (408, "Request Timeout")
        self._failed(status, reason, None)

    def receive_outcome(self, transaction: AnyTransaction, event: Event, now: float) -> None:
        """A response to, or the end of, the INVITE, the CANCEL or the BYE."""
        if transaction is self._transaction:
            if isinstance(event, ResponseReceived):
                self.receive_response(event.response, now)
            elif self.state is SessionState.INVITING and isinstance(event, TransactionTimedOut):
                self._give_up()
            elif self.state is SessionState.INVITING and isinstance(event, TransportFailed):
                self._failed(503, f"Transport failed: {event.error}", None)
            self._core.changed(self)

    def receive_response(self, response: Response, now: float) -> None:
        """A response to the INVITE; a 2xx may also come when its transaction is long over."""
        if response.is_success:
            self._receive_success(response, now)
        elif response.is_provisional:
            self._receive_provisional(response, now)
        elif self.state is SessionState.INVITING:
            status, reason = self._why or (response.status, response.reason)
            self._failed(status, reason, response)
        self._core.changed(self)

    def _receive_provisional(self, response: Response, now: float) -> None:
        if self.state is not SessionState.INVITING:
            return
        self._provisional = True
        if self._why is not None and self._cancel is None:
            self._send_cancel(now)
        elif response.status > 100 and self._why is None:
            self._events.append(CallProgressed(response))

    def _receive_success(self, response: Response, now: float) -> None:
        tag = response.to.tag or ""
        again = self._acks.get(tag)
        if again is not None:
            self._core.send(*again)
            return
        try:
            dialog = Dialog.from_response(self.invite, response, self.flow.remote)
        except MalformedMessage as fault:
            self._failed(502, f"Answer without a usable Contact: {fault.reason}", response)
            return
        if len(self._acks) >= MAX_FORKS:
            return
        self._acknowledge(dialog, tag)
        if self.dialog is None and self._why is None and self.state is SessionState.INVITING:
            self._answered(dialog, response)
        else:
            self._hang_up_unwanted(dialog, now)

    def _acknowledge(self, dialog: Dialog, tag: str) -> None:
        flow = self.flow._replace(remote=dialog.next_hop())
        ack = dialog.ack(self.invite.cseq.number, self._core.via(flow))
        self._acks[tag] = (ack, flow)
        self._core.send(ack, flow)

    def _answered(self, dialog: Dialog, response: Response) -> None:
        self.dialog = dialog
        self.state = SessionState.CONFIRMED
        self._deadlines.clear()
        self._core.bind(dialog, self)
        self._events.append(CallAnswered(response))

    def _hang_up_unwanted(self, dialog: Dialog, now: float) -> None:
        """A fork that lost, or the 200 that crossed our CANCEL."""
        flow = self.flow._replace(remote=dialog.next_hop())
        self._core.request(self, dialog.request("BYE", self._core.via(flow)), flow, now)
        if self.state is SessionState.INVITING:
            self._give_up()
