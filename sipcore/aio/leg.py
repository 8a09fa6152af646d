"""One call as its owner holds it: a session's verbs without clocks, and its events as they come."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from offhook.sipcore.callee import CalleeSession
from offhook.sipcore.caller import CallerSession
from offhook.sipcore.drops import Drop
from offhook.sipcore.exceptions import InvalidState

if TYPE_CHECKING:
    from collections.abc import Callable

    from offhook.sipcore.call_events import CallEvent
    from offhook.sipcore.message import Request
    from offhook.sipcore.session import Pairs, Session, SessionState

    from .user_agent import UserAgent

MAX_KEPT_EVENTS: Final = 64  # that nobody has listened to yet; a callee may send provisional responses without end


class Leg:
    """A call to somebody, or from somebody, as far as signalling goes.

    ``listener`` is called with each :mod:`~offhook.sipcore.call_events` event, in the event loop, in order; what happened
    before it was set is kept for it, the last 64 events at most.
    """

    __slots__ = ("_agent", "_kept", "_listener", "session")

    def __init__(self, agent: UserAgent, session: Session) -> None:
        self._agent = agent
        self._kept: deque[CallEvent] = deque()
        self._listener: Callable[[CallEvent], None] | None = None
        self.session = session
        session.listener = self._hear

    @property
    def listener(self) -> Callable[[CallEvent], None] | None:
        """Who hears the events."""
        return self._listener

    @listener.setter
    def listener(self, listener: Callable[[CallEvent], None] | None) -> None:
        self._listener = listener
        while self._kept and self._listener is not None:
            self._listener(self._kept.popleft())

    def _hear(self, event: CallEvent) -> None:
        if self._listener is not None:
            self._agent.guard(self, self._listener, event)
            return
        if len(self._kept) >= MAX_KEPT_EVENTS:
            self._kept.popleft()
            self._agent.drop(Drop.NOBODY_LISTENS)
        self._kept.append(event)

    @property
    def invite(self) -> Request:
        """The INVITE that began it."""
        return self.session.invite

    @property
    def is_incoming(self) -> bool:
        """Whether somebody called us."""
        return isinstance(self.session, CalleeSession)

    @property
    def state(self) -> SessionState:
        """Where it stands."""
        return self.session.state

    @property
    def local_address(self) -> tuple[str, int]:
        """Our address as the peer sees it."""
        return self._agent.address_facing(self)

    def ring(self, status: int = 180, headers: Pairs = (), body: bytes = b"") -> None:
        """Send a provisional response."""
        self._callee().ring(self._agent.now(), status, headers, body)
        self._agent.settle()

    def accept(self, body: bytes, content_type: str = "application/sdp", headers: Pairs = ()) -> None:
        """Answer with 200."""
        self._callee().accept(body, content_type, self._agent.now(), headers)
        self._agent.settle()

    def reject(self, status: int = 486, reason: str | None = None, headers: Pairs = ()) -> None:
        """Refuse with 300 to 699."""
        self._callee().reject(status, self._agent.now(), reason, headers)
        self._agent.settle()

    def cancel(self, status: int = 487, reason: str = "Cancelled") -> None:
        """Give a call of ours up before it is answered."""
        if not isinstance(self.session, CallerSession):
            raise InvalidState("only the caller cancels")
        self.session.cancel(self._agent.now(), status, reason)
        self._agent.settle()

    def bye(self, headers: Pairs = ()) -> None:
        """Hang up."""
        self.session.bye(self._agent.now(), headers)
        self._agent.settle()

    def hang_up(self, headers: Pairs = ()) -> None:
        """End the call in whatever way its state asks for; nothing happens when it is over."""
        self.session.hang_up(self._agent.now(), headers)
        self._agent.settle()

    def accept_offer(self, body: bytes, content_type: str = "application/sdp") -> None:
        """Answer a re-INVITE."""
        self.session.accept_offer(body, content_type, self._agent.now())
        self._agent.settle()

    def refuse_offer(self, status: int = 488) -> None:
        """Refuse a re-INVITE; the call stays as it is."""
        self.session.refuse_offer(status, self._agent.now())
        self._agent.settle()

    def _callee(self) -> CalleeSession:
        if not isinstance(self.session, CalleeSession):
            raise InvalidState("only the callee rings, accepts and rejects")
        return self.session

    def __repr__(self) -> str:
        return f"<Leg {self.session!r}>"
