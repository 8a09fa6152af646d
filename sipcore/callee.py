"""The callee's side of an INVITE (RFC 3261 section 13.3): ring, accept, reject, be cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dialog import Dialog
from .exceptions import InvalidState
from .message import Request, response_to
from .session import Core, Pairs, Session, SessionState

if TYPE_CHECKING:
    from .flow import Flow
    from .transaction.table import AnyServerTransaction


class CalleeSession(Session):
    """An INVITE that somebody sent us."""

    __slots__ = ("_transaction", "local_tag")

    def __init__(self, core: Core, invite: Request, flow: Flow, transaction: AnyServerTransaction) -> None:
        super().__init__(core, invite, flow, SessionState.RINGING)
        self._transaction = transaction
        self.local_tag = core.ids.tag()
        self.dialog = Dialog.from_request(invite, self.local_tag, flow.remote)
        core.bind(self.dialog, self)

    def start(self, now: float, answer_timeout: float) -> None:
        """Wait for the user's decision, at most ``answer_timeout`` seconds; then the caller hears 480."""
        self._deadlines["answer"] = now + answer_timeout
        self._core.changed(self)

    def _timed_out(self, name: str, deadline: float, now: float) -> None:
        if name == "answer":
            self.reject(480, now)
            self._failed(480, "Nobody answered in time", None)
        else:
            super()._timed_out(name, deadline, now)

    def ring(self, now: float, status: int = 180, headers: Pairs = (), body: bytes = b"") -> None:
        """Send a provisional response; 183 with a body opens early media.

        Raises:
            InvalidState: answered, refused or cancelled already.
            ValueError: not a provisional status, or CR, LF or NUL in a header.
        """
        if not 101 <= status <= 199:
            raise ValueError(f"not a provisional status: {status}")
        self._must_ring("ring")
        fields = (*self._answer_fields(), *headers)
        response = response_to(self.invite, status, to_tag=self.local_tag, headers=fields, body=body)
        self._core.respond(self._transaction, response, now)
        self._core.changed(self)

    def accept(self, body: bytes, content_type: str, now: float, headers: Pairs = ()) -> None:
        """Answer with 200; it is repeated until the ACK comes or 64·T1 have passed.

        Raises:
            InvalidState: answered, refused or cancelled already.
            ValueError: CR, LF or NUL in a header.
        """
        self._must_ring("answer")
        fields = (*self._answer_fields(), *headers, ("Content-Type", content_type))
        response = response_to(self.invite, 200, to_tag=self.local_tag, headers=fields, body=body)
        self.state = SessionState.ANSWERED
        self._deadlines.clear()
        self._send_final(self._transaction, response, now)
        self._core.changed(self)

    def reject(self, status: int, now: float, reason: str | None = None, headers: Pairs = ()) -> None:
        """Refuse with a final response of 300 to 699.

        Raises:
            InvalidState: answered, refused or cancelled already.
            ValueError: not such a status, or CR, LF or NUL in reason or headers.
        """
        if not 300 <= status <= 699:
            raise ValueError(f"not a refusal: {status}")
        self._must_ring("reject")
        response = response_to(self.invite, status, reason, to_tag=self.local_tag, headers=headers)
        self.state = SessionState.ENDED
        self._deadlines.clear()
        self._core.respond(self._transaction, response, now)
        self._core.changed(self)

    def receive_cancel(self, cancel: Request, now: float) -> None:
        """CANCEL came (section 9.2): 487 when no final response was sent, else nothing."""
        if self.state is SessionState.RINGING:
            self._core.respond(self._transaction, response_to(self.invite, 487, to_tag=self.local_tag), now)
            self._cancelled(cancel)
            self._core.changed(self)

    def _receive_bye(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        if self.state is SessionState.RINGING:  # 15.1.2: a BYE inside the early dialog
            self._core.respond(self._transaction, response_to(self.invite, 487, to_tag=self.local_tag), now)
            self._cancelled(request)
        super()._receive_bye(request, transaction, now)

    def _must_ring(self, what: str) -> None:
        if self.state is not SessionState.RINGING:
            raise InvalidState(f"too late to {what}: {self.state}")
