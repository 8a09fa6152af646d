"""The INVITE server transaction: figure 7 of RFC 3261 with the Accepted state of RFC 6026.

An INVITE came in and its user thinks about it. Should he say nothing for 200 ms, the transaction says 100 (Trying) for him,
so that the client ends its retransmissions. A provisional response of his is repeated whenever the INVITE comes again.
Then the ways part:

* After a 2xx the transaction stays for 64·T1 (timer L) and does little: it swallows the INVITE when it comes again, lets its
  user send the 2xx again (he decides when, section 13.3.1.4) and passes each ACK up. That is RFC 6026: before it, a
  retransmitted INVITE was taken for a new call.
* A response from 300 to 699 is sent again at distances that double up to T2 (timer G, over UDP) until its ACK comes, or until
  64·T1 are over (timer H). After the ACK, timer I absorbs further ones.
"""

# ruff: noqa: SLF001 - the tables name actions of the base class
from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import AckReceived
from offhook.sipcore.message import response_to
from offhook.sipcore.timers import Timer

from .machine import FAILED_TO_SEND, GIVEN_UP, Transaction, Transition, ignore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offhook.sipcore.message import Request, Response
    from offhook.sipcore.timers import Timers

# RFC 3261 17.2.1: "The server transaction MUST generate a 100 (Trying) response unless it knows that the TU will generate a
# provisional or final response within 200 ms". Seconds.
TRYING_AFTER: Final = 0.2


class State(StrEnum):
    """The boxes of figure 7, and Accepted."""

    PROCEEDING = "Proceeding"
    ACCEPTED = "Accepted"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    TERMINATED = "Terminated"


class Stimulus(StrEnum):
    """The labels on the arrows of figure 7."""

    INVITE = "INVITE again"
    ACK = "ACK"
    PROVISIONAL = "1xx from its user"
    SUCCESS = "2xx from its user"
    FAILURE = "300-699 from its user"
    TRYING = "200 ms of silence"
    TIMER_G = "timer G"
    TIMER_H = "timer H"
    TIMER_I = "timer I"
    TIMER_L = "timer L"
    TRANSPORT_ERROR = FAILED_TO_SEND
    ABANDONED = GIVEN_UP


_PROCEEDING, _ACCEPTED, _COMPLETED, _CONFIRMED, _TERMINATED = State
_RESPONSES = (Stimulus.PROVISIONAL, Stimulus.SUCCESS, Stimulus.FAILURE)


class InviteServerTransaction(Transaction):
    """Answers an INVITE.

    Args:
        request: the INVITE as received.
        reliable: whether the transport delivers by itself.
        timers: the base values.
        now: monotonic seconds.
    """

    __slots__ = ("_response",)

    def __init__(self, request: Request, *, reliable: bool, timers: Timers, now: float) -> None:
        super().__init__(request, reliable=reliable, timers=timers)
        self.state = _PROCEEDING
        self._response: Response | None = None
        self._deadlines[Timer.TRYING] = now + TRYING_AFTER

    def receive_request(self, request: Request, now: float) -> Drop | None:
        """The INVITE again, or an ACK, that matches by section 17.2.3."""
        return self._step(Stimulus.ACK if request.method == "ACK" else Stimulus.INVITE, request, now)

    def respond(self, response: Response, now: float) -> Drop | None:
        """The user's response; a 2xx may be given several times (RFC 6026 section 7.1), any other final one once."""
        status = response.status
        if status < 200:
            return self._step(Stimulus.PROVISIONAL, response, now)
        return self._step(Stimulus.SUCCESS if status < 300 else Stimulus.FAILURE, response, now)

    # --- actions ---

    def _try(self, timer: Timer, _now: float) -> None:
        """Send 100 (Trying)."""
        del self._deadlines[timer]
        self._response = response_to(self.request, 100)
        self._messages.append(self._response)

    def _ring(self, response: Response, _now: float) -> None:
        """Send the response; 100 (Trying) need not be sent any more."""
        self._deadlines.clear()
        self._response = response
        self._messages.append(response)

    def _accept(self, response: Response, now: float) -> None:
        """Send the response, start L."""
        self._response = response
        self._messages.append(response)
        self._start(Timer.L, self.timers.timeout, now)

    def _accept_again(self, response: Response, _now: float) -> None:
        """Send the response."""
        if response is self._response:
            self.retransmitted += 1
        self._messages.append(response)

    def _refuse(self, response: Response, now: float) -> None:
        """Send the response, start H and, over UDP, G."""
        self._response = response
        self._messages.append(response)
        self._start(Timer.H, self.timers.timeout, now)
        if not self.reliable:
            # 17.2.1: "timer G is set to fire in T1 seconds", then in MIN(2*T1, T2) ...
            self._start(Timer.G, self.timers.t1, now)

    def _answer_again(self, _request: Request, _now: float) -> None:
        """Send the last response again, if there is one."""
        self.retransmissions_received += 1
        if self._response is not None:
            self._send_again(self._response)

    def _retransmit(self, timer: Timer, now: float) -> None:
        """Send the response again, start G anew."""
        assert self._response is not None
        self._send_at_intervals(timer, self._response, self.timers.t2, now)

    def _confirm(self, _ack: Request, now: float) -> None:
        """Start I."""
        self._start(Timer.I, 0.0 if self.reliable else self.timers.t4, now)

    def _pass_up(self, ack: Request, _now: float) -> None:
        """Pass the ACK to the user."""
        self._events.append(AckReceived(ack))

    # --- figure 7 ---

    TITLE: ClassVar[str] = "INVITE server"
    FIRES: ClassVar[Mapping[Timer, str]] = {
        Timer.TRYING: Stimulus.TRYING,
        Timer.G: Stimulus.TIMER_G,
        Timer.H: Stimulus.TIMER_H,
        Timer.I: Stimulus.TIMER_I,
        Timer.L: Stimulus.TIMER_L,
    }
    TRANSITIONS: ClassVar[Mapping[tuple[str, str], Transition]] = {
        (_PROCEEDING, Stimulus.INVITE): Transition(_PROCEEDING, _answer_again),
        (_PROCEEDING, Stimulus.PROVISIONAL): Transition(_PROCEEDING, _ring),
        (_PROCEEDING, Stimulus.SUCCESS): Transition(_ACCEPTED, _accept),
        (_PROCEEDING, Stimulus.FAILURE): Transition(_COMPLETED, _refuse),
        (_PROCEEDING, Stimulus.TRYING): Transition(_PROCEEDING, _try),
        (_PROCEEDING, Stimulus.TRANSPORT_ERROR): Transition(_PROCEEDING, Transaction._report),
        (_PROCEEDING, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_ACCEPTED, Stimulus.ACK): Transition(_ACCEPTED, _pass_up),
        (_ACCEPTED, Stimulus.SUCCESS): Transition(_ACCEPTED, _accept_again),
        (_ACCEPTED, Stimulus.TIMER_L): Transition(_TERMINATED, Transaction._end),
        (_ACCEPTED, Stimulus.TRANSPORT_ERROR): Transition(_ACCEPTED, Transaction._report),
        (_ACCEPTED, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_COMPLETED, Stimulus.INVITE): Transition(_COMPLETED, _answer_again),
        (_COMPLETED, Stimulus.ACK): Transition(_CONFIRMED, _confirm),
        (_COMPLETED, Stimulus.TIMER_G): Transition(_COMPLETED, _retransmit),
        (_COMPLETED, Stimulus.TIMER_H): Transition(_TERMINATED, Transaction._time_out),
        (_COMPLETED, Stimulus.TRANSPORT_ERROR): Transition(_COMPLETED, Transaction._report),
        (_COMPLETED, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_CONFIRMED, Stimulus.TIMER_I): Transition(_TERMINATED, Transaction._end),
        (_CONFIRMED, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
    }
    IGNORED: ClassVar[Mapping[tuple[str, str], Drop]] = {
        (_PROCEEDING, Stimulus.ACK): Drop.EARLY_ACK,
        (_ACCEPTED, Stimulus.INVITE): Drop.RETRANSMISSION_ABSORBED,
        **ignore([_CONFIRMED], [Stimulus.INVITE, Stimulus.ACK], Drop.RETRANSMISSION_ABSORBED),
        **ignore([_ACCEPTED], [Stimulus.PROVISIONAL, Stimulus.FAILURE], Drop.ALREADY_ANSWERED),
        **ignore([_COMPLETED, _CONFIRMED], _RESPONSES, Drop.ALREADY_ANSWERED),
        (_CONFIRMED, Stimulus.TRANSPORT_ERROR): Drop.NOTHING_SENT,
        **ignore(
            [_PROCEEDING],
            [Stimulus.TIMER_G, Stimulus.TIMER_H, Stimulus.TIMER_I, Stimulus.TIMER_L],
            Drop.TIMER_STOPPED,
        ),
        **ignore(
            [_ACCEPTED],
            [Stimulus.TRYING, Stimulus.TIMER_G, Stimulus.TIMER_H, Stimulus.TIMER_I],
            Drop.TIMER_STOPPED,
        ),
        **ignore([_COMPLETED], [Stimulus.TRYING, Stimulus.TIMER_I, Stimulus.TIMER_L], Drop.TIMER_STOPPED),
        **ignore(
            [_CONFIRMED],
            [Stimulus.TRYING, Stimulus.TIMER_G, Stimulus.TIMER_H, Stimulus.TIMER_L],
            Drop.TIMER_STOPPED,
        ),
        **ignore([_TERMINATED], Stimulus, Drop.TRANSACTION_ENDED),
    }
