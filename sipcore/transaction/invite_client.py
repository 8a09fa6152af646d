"""The INVITE client transaction: figure 5 of RFC 3261 with the Accepted state of RFC 6026.

The INVITE is sent and, over UDP, sent again at growing distances (timer A) until something comes back or 64·T1 are over
(timer B). A provisional response ends the retransmissions: from then on the callee may ring for as long as its user lets
it, and no timer runs. Then the ways part:

* A 2xx is a matter between the two users: the transaction passes up each one that arrives, from whatever branch of a fork,
  for 64·T1 (timer M) and never writes an ACK for it. RFC 6026 section 8.4: "The client transaction MUST NOT generate an ACK
  to the 2xx response -- its handling is delegated to the TU".
* A response from 300 to 699 is acknowledged here, hop by hop (section 17.1.1.3). Timer D keeps the transaction so that the ACK
  can be repeated should the response come again.
"""

# ruff: noqa: SLF001 - the tables name actions of the base class
from __future__ import annotations

from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, ClassVar

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import ResponseReceived
from offhook.sipcore.message import ack_to
from offhook.sipcore.timers import Timer

from .machine import FAILED_TO_SEND, GIVEN_UP, Transaction, Transition, ignore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offhook.sipcore.message import Request, Response
    from offhook.sipcore.timers import Timers


class State(StrEnum):
    """The boxes of figure 5, and Accepted."""

    CALLING = "Calling"
    PROCEEDING = "Proceeding"
    ACCEPTED = "Accepted"
    COMPLETED = "Completed"
    TERMINATED = "Terminated"


class Stimulus(StrEnum):
    """The labels on the arrows of figure 5."""

    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "300-699"
    TIMER_A = "timer A"
    TIMER_B = "timer B"
    TIMER_D = "timer D"
    TIMER_M = "timer M"
    TRANSPORT_ERROR = FAILED_TO_SEND
    ABANDONED = GIVEN_UP


_CALLING, _PROCEEDING, _ACCEPTED, _COMPLETED, _TERMINATED = State


class InviteClientTransaction(Transaction):
    """Sends an INVITE and sees it through to its final response.

    Args:
        request: the INVITE, with its branch in the topmost Via. It is queued for sending at once.
        reliable: whether the transport delivers by itself.
        timers: the base values.
        now: monotonic seconds.
    """

    __slots__ = ("_accepted_by", "_ack")

    def __init__(self, request: Request, *, reliable: bool, timers: Timers, now: float) -> None:
        super().__init__(request, reliable=reliable, timers=timers)
        self.state = _CALLING
        self._ack: Request | None = None
        self._accepted_by: str | None = None
        self._messages.append(request)
        self._deadlines[Timer.B] = now + timers.timeout
        if not reliable:
            self._deadlines[Timer.A] = now + timers.t1

    def receive_response(self, response: Response, now: float) -> Drop | None:
        """A response that matches by section 17.1.3 came in."""
        status = response.status
        if status < 200:
            return self._step(Stimulus.PROVISIONAL, response, now)
        return self._step(Stimulus.SUCCESS if status < 300 else Stimulus.FAILURE, response, now)

    # --- actions ---

    def _retransmit(self, timer: Timer, now: float) -> None:
        """Send the INVITE again; "the client transaction MUST ... reset the timer with a value of 2*T1" (17.1.1.2)."""
        self._send_at_intervals(timer, self.request, inf, now)

    def _pass_up(self, response: Response, _now: float) -> None:
        """Pass the response to the user."""
        self._events.append(ResponseReceived(response))

    def _accept(self, response: Response, now: float) -> None:
        """Pass the 2xx to the user, start M."""
        self._events.append(ResponseReceived(response))
        self._accepted_by = response.headers.get("to")
        self._start(Timer.M, self.timers.timeout, now)

    def _pass_up_again(self, response: Response, _now: float) -> None:
        """Pass this 2xx to the user as well, who acknowledges it."""
        if response.headers.get("to") == self._accepted_by:  # otherwise another branch of a fork has answered
            self.retransmissions_received += 1
        self._events.append(ResponseReceived(response))

    def _acknowledge(self, response: Response, now: float) -> None:
        """Send an ACK, pass the response to the user, start D."""
        self._ack = ack_to(self.request, response)
        self._messages.append(self._ack)
        self._events.append(ResponseReceived(response))
        self._start(Timer.D, 0.0 if self.reliable else self.timers.d, now)

    def _acknowledge_again(self, _response: Response, _now: float) -> None:
        """Send the ACK again, tell nobody."""
        assert self._ack is not None
        self.retransmissions_received += 1
        self._send_again(self._ack)

    # --- figure 5 ---

    TITLE: ClassVar[str] = "INVITE client"
    FIRES: ClassVar[Mapping[Timer, str]] = {
        Timer.A: Stimulus.TIMER_A,
        Timer.B: Stimulus.TIMER_B,
        Timer.D: Stimulus.TIMER_D,
        Timer.M: Stimulus.TIMER_M,
    }
    TRANSITIONS: ClassVar[Mapping[tuple[str, str], Transition]] = {
        (_CALLING, Stimulus.PROVISIONAL): Transition(_PROCEEDING, _pass_up),
        (_CALLING, Stimulus.SUCCESS): Transition(_ACCEPTED, _accept),
        (_CALLING, Stimulus.FAILURE): Transition(_COMPLETED, _acknowledge),
        (_CALLING, Stimulus.TIMER_A): Transition(_CALLING, _retransmit),
        (_CALLING, Stimulus.TIMER_B): Transition(_TERMINATED, Transaction._time_out),
        (_CALLING, Stimulus.TRANSPORT_ERROR): Transition(_TERMINATED, Transaction._fail),
        (_CALLING, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_PROCEEDING, Stimulus.PROVISIONAL): Transition(_PROCEEDING, _pass_up),
        (_PROCEEDING, Stimulus.SUCCESS): Transition(_ACCEPTED, _accept),
        (_PROCEEDING, Stimulus.FAILURE): Transition(_COMPLETED, _acknowledge),
        (_PROCEEDING, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_ACCEPTED, Stimulus.SUCCESS): Transition(_ACCEPTED, _pass_up_again),
        (_ACCEPTED, Stimulus.TIMER_M): Transition(_TERMINATED, Transaction._end),
        (_ACCEPTED, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_COMPLETED, Stimulus.FAILURE): Transition(_COMPLETED, _acknowledge_again),
        (_COMPLETED, Stimulus.TIMER_D): Transition(_TERMINATED, Transaction._end),
        (_COMPLETED, Stimulus.TRANSPORT_ERROR): Transition(_TERMINATED, Transaction._fail),
        (_COMPLETED, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
    }
    IGNORED: ClassVar[Mapping[tuple[str, str], Drop]] = {
        **ignore([_CALLING], [Stimulus.TIMER_D, Stimulus.TIMER_M], Drop.TIMER_STOPPED),
        **ignore([_PROCEEDING], FIRES.values(), Drop.TIMER_STOPPED),
        **ignore([_ACCEPTED], [Stimulus.TIMER_A, Stimulus.TIMER_B, Stimulus.TIMER_D], Drop.TIMER_STOPPED),
        **ignore([_COMPLETED], [Stimulus.TIMER_A, Stimulus.TIMER_B, Stimulus.TIMER_M], Drop.TIMER_STOPPED),
        # The peer has the INVITE, and the ACK of a 2xx is not ours: whatever failed was none of our messages.
        **ignore([_PROCEEDING, _ACCEPTED], [Stimulus.TRANSPORT_ERROR], Drop.NOTHING_SENT),
        **ignore([_ACCEPTED, _COMPLETED], [Stimulus.PROVISIONAL], Drop.LATE_PROVISIONAL),
        (_ACCEPTED, Stimulus.FAILURE): Drop.LATE_FINAL,
        (_COMPLETED, Stimulus.SUCCESS): Drop.LATE_FINAL,
        **ignore([_TERMINATED], Stimulus, Drop.TRANSACTION_ENDED),
    }
