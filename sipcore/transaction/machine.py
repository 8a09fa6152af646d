"""What the four transactions have in common: one step through a table of transitions.

A transaction is driven by three things: a call by its user, a message from the network, a deadline that came. Each of them
is a *stimulus*. ``TRANSITIONS`` maps (state, stimulus) to the next state and to what is done on the way; ``IGNORED`` maps
every other pair to the reason why nothing is done. The two tables of a machine are the machine: the documentation is
rendered from them, and the tests show that no cell is missing.

Deadlines stand in a dictionary that is cleared whenever the state is left, so a forgotten timer cannot exist. In that
dictionary the timer that ends a state stands before the one that retransmits: who wakes up too late gives up and does not
send once more. Retransmissions are counted from the deadline, not from the instant of waking up, so lateness does not add
up, and steps that were slept through are skipped: a late wake-up sends once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, Protocol

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import TransactionTerminated, TransactionTimedOut, TransportFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from offhook.sipcore.events import Event
    from offhook.sipcore.message import Request, Response
    from offhook.sipcore.timers import Timer, Timers

# The two stimuli that every transaction knows; each machine's own enumeration holds them under these words.
FAILED_TO_SEND: Final = "transport error"
GIVEN_UP: Final = "given up by its user"

_TERMINATED_EVENT: Final = TransactionTerminated()


class Machine(Protocol):
    """The contract of every machine of the signalling core: one input, then drain the outputs."""

    @property
    def terminated(self) -> bool:
        """Whether the machine is over; it then ignores whatever still comes."""
        ...

    def handle_timeout(self, now: float) -> None:
        """Do what the deadlines up to ``now`` (monotonic seconds) ask for."""
        ...

    def next_deadline(self) -> float | None:
        """When ``handle_timeout`` wants to be called (monotonic seconds); None while only others can act."""
        ...

    def messages_to_send(self) -> list[Request | Response]:
        """Drain the messages that are to go out, in order."""
        ...

    def events(self) -> list[Event]:
        """Drain what the user is to be told, in order."""
        ...


class Transition(NamedTuple):
    """One cell of a table."""

    state: str
    "The state that is entered."
    action: Callable[[Any, Any, float], None]
    "Called as ``action(transaction, subject, now)``; the subject is the message, the error or the timer."
    keeps: bool = False
    "Whether running timers survive the change of state; only figure 6 has such a transition."


class Transaction:
    """One transaction; see :class:`Machine` for its outputs and the four subclasses for its inputs.

    Each input returns None when it was acted upon, or the :class:`~offhook.sipcore.drops.Drop` by which it was ignored.
    A transaction never raises because of what a peer sent. It holds no more than one message and two events per input
    that was not drained.
    """

    __slots__ = (
        "_deadlines",
        "_events",
        "_interval",
        "_messages",
        "reliable",
        "request",
        "retransmissions_received",
        "retransmitted",
        "state",
        "terminated",
        "timed_out",
        "timers",
    )

    TITLE: ClassVar[str]
    TRANSITIONS: ClassVar[Mapping[tuple[str, str], Transition]]
    IGNORED: ClassVar[Mapping[tuple[str, str], Drop]]
    FIRES: ClassVar[Mapping[Timer, str]]
    "The stimulus that each timer of this machine gives."

    request: Request
    "What began it."
    reliable: bool
    "Whether the transport delivers by itself (TCP, TLS, WebSocket)."
    state: str
    timed_out: Timer | None
    "The timer by which it gave up; None while it lives or when it ended well."
    retransmitted: int
    "Messages that this side sent again."
    retransmissions_received: int
    "Messages that the peer sent again."

    def __init__(self, request: Request, *, reliable: bool, timers: Timers) -> None:
        self.request = request
        self.reliable = reliable
        self.timers = timers
        self.terminated = False
        self.timed_out = None
        self.retransmitted = 0
        self.retransmissions_received = 0
        self._deadlines: dict[Timer, float] = {}
        self._messages: list[Request | Response] = []
        self._events: list[Event] = []
        self._interval = timers.t1

    # --- inputs that all four know ---

    def transport_failed(self, error: Exception, now: float) -> Drop | None:
        """A message of this transaction could not be sent (RFC 3261 sections 17.1.4, 17.2.4; RFC 6026 section 8.8)."""
        return self._step(FAILED_TO_SEND, error, now)

    def abandon(self, now: float) -> Drop | None:
        """The user wants no more of it: it ends at once and sends nothing.

        Of a cancelled request whose server stays silent for 64·T1, RFC 3261 section 9.1 says: the client "SHOULD then consider
        the original transaction cancelled and SHOULD destroy the client transaction handling the original request".
        """
        return self._step(GIVEN_UP, None, now)

    def handle_timeout(self, now: float) -> None:
        """Let each timer fire whose deadline (monotonic seconds) is not after ``now``, once."""
        for timer in tuple(self._deadlines):
            if self._deadlines.get(timer, now + 1.0) <= now:
                self._step(self.FIRES[timer], timer, now)

    # --- outputs ---

    def next_deadline(self) -> float | None:
        """The earliest deadline (monotonic seconds), or None while no timer runs."""
        deadlines = self._deadlines
        return min(deadlines.values()) if deadlines else None

    def messages_to_send(self) -> list[Request | Response]:
        """Drain the messages that are to go out, in order."""
        messages, self._messages = self._messages, []
        return messages

    def events(self) -> list[Event]:
        """Drain what the user is to be told, in order."""
        events, self._events = self._events, []
        return events

    def __repr__(self) -> str:
        return f"<{self.TITLE} transaction {self.state}: {self.request!r}>"

    # --- the step ---

    def _step(self, stimulus: str, subject: object, now: float) -> Drop | None:
        cell = self.TRANSITIONS.get((self.state, stimulus))
        if cell is None:
            drop = self.IGNORED[self.state, stimulus]
            if drop is Drop.RETRANSMISSION_ABSORBED:
                self.retransmissions_received += 1
            return drop
        state, action, keeps = cell
        if state is not self.state:
            self.state = state
            if not keeps:
                self._deadlines.clear()
        action(self, subject, now)
        return None

    # --- what actions are made of ---

    def _start(self, timer: Timer, seconds: float, now: float) -> None:
        """Start a timer; one of zero seconds (D, I, J, K over a reliable transport) fires before this returns."""
        if seconds > 0:
            self._deadlines[timer] = now + seconds
        else:
            self._step(self.FIRES[timer], timer, now)

    def _send_again(self, message: Request | Response) -> None:
        self.retransmitted += 1
        self._messages.append(message)

    def _send_at_intervals(self, timer: Timer, message: Request | Response, longest: float, now: float) -> None:
        """Send ``message`` again and set ``timer`` to the first step after ``now``, doubling up to ``longest`` seconds."""
        self._send_again(message)
        deadline = self._deadlines[timer]
        while deadline <= now:
            self._interval = min(2 * self._interval, longest)
            deadline += self._interval
        self._deadlines[timer] = deadline

    # --- actions that several tables name ---

    def _end(self, _subject: object, _now: float) -> None:
        """End, and say so."""
        self.terminated = True
        self._events.append(_TERMINATED_EVENT)

    def _time_out(self, timer: Timer, now: float) -> None:
        """Tell the user that the peer stayed silent, and end."""
        self.timed_out = timer
        self._events.append(TransactionTimedOut(timer))
        self._end(None, now)

    def _fail(self, error: Exception, now: float) -> None:
        """Tell the user that the message could not be sent, and end."""
        self._events.append(TransportFailed(error))
        self._end(None, now)

    def _report(self, error: Exception, _now: float) -> None:
        """Tell the user that the message could not be sent, and stay."""
        self._events.append(TransportFailed(error))


def ignore(states: Iterable[str], stimuli: Iterable[str], drop: Drop) -> dict[tuple[str, str], Drop]:
    """The cells of all pairs of ``states`` and ``stimuli``, to be ignored for one reason."""
    stimuli = tuple(stimuli)
    return {(state, stimulus): drop for state in states for stimulus in stimuli}
