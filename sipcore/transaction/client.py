"""The non-INVITE client transaction: figure 6 of RFC 3261.

The request is sent and, over UDP, sent again at distances that double up to T2 (timer E). A provisional response slows
the retransmissions down to one per T2 but does not end them, nor does it stop the clock: a request other than INVITE must
be answered within 64·T1 (timer F). After the final response timer K absorbs what the network still holds.
"""

# ruff: noqa: SLF001 - the tables name actions of the base class
from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import ResponseReceived
from offhook.sipcore.timers import Timer

from .machine import FAILED_TO_SEND, GIVEN_UP, Transaction, Transition, ignore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offhook.sipcore.message import Request, Response
    from offhook.sipcore.timers import Timers


class State(StrEnum):
    """The boxes of figure 6."""

    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    TERMINATED = "Terminated"


class Stimulus(StrEnum):
    """The labels on the arrows of figure 6."""

    PROVISIONAL = "1xx"
    FINAL = "200-699"
    TIMER_E = "timer E"
    TIMER_F = "timer F"
    TIMER_K = "timer K"
    TRANSPORT_ERROR = FAILED_TO_SEND
    ABANDONED = GIVEN_UP


_TRYING, _PROCEEDING, _COMPLETED, _TERMINATED = State


class ClientTransaction(Transaction):
    """Sends a request other than INVITE or ACK and sees it through to its final response.

    Args:
        request: the request, with its branch in the topmost Via. It is queued for sending at once.
        reliable: whether the transport delivers by itself.
        timers: the base values.
        now: monotonic seconds.
    """

    __slots__ = ()

    def __init__(self, request: Request, *, reliable: bool, timers: Timers, now: float) -> None:
        super().__init__(request, reliable=reliable, timers=timers)
        self.state = _TRYING
        self._messages.append(request)
        self._deadlines[Timer.F] = now + timers.timeout
        if not reliable:
            self._deadlines[Timer.E] = now + timers.t1

    def receive_response(self, response: Response, now: float) -> Drop | None:
        """A response that matches by section 17.1.3 came in."""
        return self._step(Stimulus.PROVISIONAL if response.status < 200 else Stimulus.FINAL, response, now)

    # --- actions ---

    def _retransmit(self, timer: Timer, now: float) -> None:
        """Send the request again; E is reset to "MIN(2*T1, T2)", then "MIN(4*T1, T2)" (17.1.2.2)."""
        self._send_at_intervals(timer, self.request, self.timers.t2, now)

    def _retransmit_slowly(self, timer: Timer, now: float) -> None:
        """Send the request again, every T2 from now on; "Timer E MUST be reset with a value of T2 seconds" (17.1.2.2)."""
        self._interval = self.timers.t2
        self._send_at_intervals(timer, self.request, self.timers.t2, now)

    def _pass_up(self, response: Response, _now: float) -> None:
        """Pass the response to the user."""
        self._events.append(ResponseReceived(response))

    def _complete(self, response: Response, now: float) -> None:
        """Pass the response to the user, start K."""
        self._events.append(ResponseReceived(response))
        self._start(Timer.K, 0.0 if self.reliable else self.timers.t4, now)

    # --- figure 6 ---

    TITLE: ClassVar[str] = "non-INVITE client"
    FIRES: ClassVar[Mapping[Timer, str]] = {
        Timer.E: Stimulus.TIMER_E,
        Timer.F: Stimulus.TIMER_F,
        Timer.K: Stimulus.TIMER_K,
    }
    TRANSITIONS: ClassVar[Mapping[tuple[str, str], Transition]] = {
        (_TRYING, Stimulus.PROVISIONAL): Transition(_PROCEEDING, _pass_up, keeps=True),
        (_TRYING, Stimulus.FINAL): Transition(_COMPLETED, _complete),
        (_TRYING, Stimulus.TIMER_E): Transition(_TRYING, _retransmit),
        (_TRYING, Stimulus.TIMER_F): Transition(_TERMINATED, Transaction._time_out),
        (_TRYING, Stimulus.TRANSPORT_ERROR): Transition(_TERMINATED, Transaction._fail),
        (_TRYING, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_PROCEEDING, Stimulus.PROVISIONAL): Transition(_PROCEEDING, _pass_up),
        (_PROCEEDING, Stimulus.FINAL): Transition(_COMPLETED, _complete),
        (_PROCEEDING, Stimulus.TIMER_E): Transition(_PROCEEDING, _retransmit_slowly),
        (_PROCEEDING, Stimulus.TIMER_F): Transition(_TERMINATED, Transaction._time_out),
        (_PROCEEDING, Stimulus.TRANSPORT_ERROR): Transition(_TERMINATED, Transaction._fail),
        (_PROCEEDING, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_COMPLETED, Stimulus.TIMER_K): Transition(_TERMINATED, Transaction._end),
        (_COMPLETED, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
    }
    IGNORED: ClassVar[Mapping[tuple[str, str], Drop]] = {
        **ignore([_TRYING, _PROCEEDING], [Stimulus.TIMER_K], Drop.TIMER_STOPPED),
        **ignore([_COMPLETED], [Stimulus.TIMER_E, Stimulus.TIMER_F], Drop.TIMER_STOPPED),
        (_COMPLETED, Stimulus.PROVISIONAL): Drop.LATE_PROVISIONAL,
        (_COMPLETED, Stimulus.FINAL): Drop.RETRANSMISSION_ABSORBED,
        (_COMPLETED, Stimulus.TRANSPORT_ERROR): Drop.NOTHING_SENT,
        **ignore([_TERMINATED], Stimulus, Drop.TRANSACTION_ENDED),
    }
