"""The callee's side of an INVITE (RFC 3261 section 13.3): ring, accept, reject, be cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .call_events import CallCancelled, InviteFailed
from .dialog import Dialog
from .exceptions import InvalidState
from .inspection import SESSION_BODY
from .invite import check_custom
from .message import Request, Response, response_to
from .session import Core, Pairs, Session, SessionState, must_refuse

if TYPE_CHECKING:
    from .call_events import CallEvent
    from .flow import Flow
    from .transaction.table import AnyServerTransaction

# 13.3.1.1: "the UAS SHOULD send a non-100 provisional response at every minute, to handle the possibility of lost provisional
# responses", and to keep the proxies on the way from cancelling. Seconds.
RING_AGAIN_AFTER: Final = 60.0

_MAY_NAME_CONTENT: Final = frozenset({"content-type"})
_MAY_REDIRECT: Final = frozenset({"contact"})


class CalleeSession(Session):
    """An INVITE that somebody sent us."""

    __slots__ = ("_ringing", "_transaction", "local_tag")

    def __init__(self, core: Core, invite: Request, flow: Flow, transaction: AnyServerTransaction) -> None:
        super().__init__(core, invite, flow, SessionState.RINGING)
        self._transaction = transaction
        self._ringing: Response | None = None
        self.local_tag = core.ids.tag()
        self.dialog = Dialog.from_request(invite, self.local_tag, flow.remote)
        core.bind(self.dialog, self)

    def start(self, now: float, answer_timeout: float) -> None:
        """Wait for the user's decision, at most ``answer_timeout`` seconds; then the caller hears 480.

        13.3.1: an INVITE with Expires is answered with 487 when those seconds are over.
        """
        self._deadlines["answer"] = now + answer_timeout
        expires = self.invite.headers.get("expires")
        if expires is not None:
            self._deadlines["expires"] = now + int(expires)
        self._core.changed(self)

    def _timed_out(self, name: str, deadline: float, now: float) -> None:
        if name == "answer":
            self._refuse(480, now, InviteFailed(480, "Nobody answered in time", None))
        elif name == "expires":
            self._refuse(487, now, InviteFailed(487, "The invitation has expired", None))
        elif name == "ring":
            assert self._ringing is not None
            self._core.respond(self._transaction, self._ringing, now)
            self._deadlines["ring"] = now + RING_AGAIN_AFTER
        else:
            super()._timed_out(name, deadline, now)

    # -- what the user asks ----------------------------------------------------------------------------------------

    def ring(self, now: float, status: int = 180, headers: Pairs = (), body: bytes = b"") -> None:
        """Send a provisional response, and again each minute; 183 with a body (SDP unless named) opens early media.

        Raises:
            InvalidState: answered, refused or cancelled already.
            ValueError: not a provisional status, or a header that must not be sent.
        """
        if not 101 <= status <= 199:
            raise ValueError(f"not a provisional status: {status}")
        self._must_ring("ring")
        check_custom(headers, _MAY_NAME_CONTENT)
        fields = (*self._answer_fields(), *headers)
        response = response_to(self.invite, status, to_tag=self.local_tag, headers=fields, body=body)
        if body and "content-type" not in response.headers:
            response.headers.add("Content-Type", SESSION_BODY)
        self._ringing = response
        self._deadlines["ring"] = now + RING_AGAIN_AFTER
        self._core.respond(self._transaction, response, now)
        self._core.changed(self)

    def accept(self, body: bytes, content_type: str, now: float, headers: Pairs = ()) -> None:
        """Answer with 200; it is repeated until the ACK comes or 64·T1 have passed.

        Raises:
            InvalidState: answered, refused or cancelled already.
            ValueError: a header that must not be sent.
        """
        self._must_ring("answer")
        check_custom(headers)
        fields = (*self._answer_fields(), *headers, ("Content-Type", content_type))
        response = response_to(self.invite, 200, to_tag=self.local_tag, headers=fields, body=body)
        self.state = SessionState.ANSWERED
        self._ringing = None
        self._deadlines.clear()
        self._send_final(self._transaction, response, now)
        self._core.changed(self)

    def reject(self, status: int, now: float, reason: str | None = None, headers: Pairs = ()) -> None:
        """Refuse with a final response of 300 to 699; a redirection names its targets by Contact headers.

        Raises:
            InvalidState: answered, refused or cancelled already.
            ValueError: not such a status, CR, LF or NUL in the reason, or a header that must not be sent.
        """
        must_refuse(status)
        self._must_ring("reject")
        check_custom(headers, _MAY_REDIRECT)
        self._refuse(status, now, None, reason, headers)
        self._core.changed(self)

    def hang_up(self, now: float, headers: Pairs = ()) -> None:
        """Reject with 603 before the answer, BYE after it, nothing when it is over."""
        if self.state is SessionState.RINGING:
            self.reject(603, now, headers=headers)
        super().hang_up(now, headers)

    def _refuse(
        self, status: int, now: float, event: CallEvent | None, reason: str | None = None, headers: Pairs = ()
    ) -> None:
        response = response_to(self.invite, status, reason, to_tag=self.local_tag, headers=headers)
        self._core.respond(self._transaction, response, now)
        self._over(event, now)

    def _must_ring(self, what: str) -> None:
        if self.state is not SessionState.RINGING:
            raise InvalidState(f"too late to {what}: {self.state}")

    # -- what the network brings -----------------------------------------------------------------------------------

    def receive_cancel(self, cancel: Request, now: float) -> None:
        """CANCEL came (section 9.2): 487 when no final response was sent, else nothing."""
        if self.state is SessionState.RINGING:
            self._refuse(487, now, CallCancelled(cancel))
            self._core.changed(self)

    def _receive_bye(self, request: Request, transaction: AnyServerTransaction, now: float) -> None:
        if self.state is not SessionState.RINGING:
            super()._receive_bye(request, transaction, now)
            return
        # 15.1.2, inside the early dialog: the BYE is answered, and the INVITE that still waits gets its 487
        self._core.respond(transaction, response_to(request, 200), now)
        self._refuse(487, now, CallCancelled(request))
