"""The non-INVITE server transaction: figure 8 of RFC 3261.

A request came in. Until its user answers, retransmissions of it are discarded; after a provisional or the final response they
are answered with the last response again. The final response is kept for 64·T1 (timer J, nothing over a reliable transport),
as long as the client may still ask.
"""

# ruff: noqa: SLF001 - the tables name actions of the base class
from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from offhook.sipcore.drops import Drop
from offhook.sipcore.timers import Timer

from .machine import FAILED_TO_SEND, GIVEN_UP, Transaction, Transition, ignore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from offhook.sipcore.message import Request, Response
    from offhook.sipcore.timers import Timers


class State(StrEnum):
    """The boxes of figure 8."""

    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    TERMINATED = "Terminated"


class Stimulus(StrEnum):
    """The labels on the arrows of figure 8."""

    REQUEST = "request again"
    PROVISIONAL = "1xx from its user"
    FINAL = "200-699 from its user"
    TIMER_J = "timer J"
    TRANSPORT_ERROR = FAILED_TO_SEND
    ABANDONED = GIVEN_UP


_TRYING, _PROCEEDING, _COMPLETED, _TERMINATED = State


class ServerTransaction(Transaction):
    """Answers a request other than INVITE or ACK.

    Args:
        request: the request as received.
        reliable: whether the transport delivers by itself.
        timers: the base values.
        now: monotonic seconds; no timer runs before the final response.
    """

    __slots__ = ("_response",)

    def __init__(self, request: Request, *, reliable: bool, timers: Timers, now: float) -> None:  # noqa: ARG002 - one contract
        super().__init__(request, reliable=reliable, timers=timers)
        self.state = _TRYING
        self._response: Response | None = None

    def receive_request(self, request: Request, now: float) -> Drop | None:
        """The request again, as it matches by section 17.2.3."""
        return self._step(Stimulus.REQUEST, request, now)

    def respond(self, response: Response, now: float) -> Drop | None:
        """The user's response; one final response is sent, "any other ... MUST be discarded" (section 17.2.2)."""
        return self._step(Stimulus.PROVISIONAL if response.status < 200 else Stimulus.FINAL, response, now)

    # --- actions ---

    def _answer(self, response: Response, _now: float) -> None:
        """Send the response."""
        self._response = response
        self._messages.append(response)

    def _answer_again(self, _request: Request, _now: float) -> None:
        """Send the last response again."""
        assert self._response is not None
        self.retransmissions_received += 1
        self._send_again(self._response)

    def _complete(self, response: Response, now: float) -> None:
        """Send the response, start J."""
        self._answer(response, now)
        self._start(Timer.J, 0.0 if self.reliable else self.timers.timeout, now)

    # --- figure 8 ---

    TITLE: ClassVar[str] = "non-INVITE server"
    FIRES: ClassVar[Mapping[Timer, str]] = {Timer.J: Stimulus.TIMER_J}
    TRANSITIONS: ClassVar[Mapping[tuple[str, str], Transition]] = {
        (_TRYING, Stimulus.PROVISIONAL): Transition(_PROCEEDING, _answer),
        (_TRYING, Stimulus.FINAL): Transition(_COMPLETED, _complete),
        (_TRYING, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_PROCEEDING, Stimulus.REQUEST): Transition(_PROCEEDING, _answer_again),
        (_PROCEEDING, Stimulus.PROVISIONAL): Transition(_PROCEEDING, _answer),
        (_PROCEEDING, Stimulus.FINAL): Transition(_COMPLETED, _complete),
        (_PROCEEDING, Stimulus.TRANSPORT_ERROR): Transition(_PROCEEDING, Transaction._report),
        (_PROCEEDING, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
        (_COMPLETED, Stimulus.REQUEST): Transition(_COMPLETED, _answer_again),
        (_COMPLETED, Stimulus.TIMER_J): Transition(_TERMINATED, Transaction._end),
        (_COMPLETED, Stimulus.TRANSPORT_ERROR): Transition(_COMPLETED, Transaction._report),
        (_COMPLETED, Stimulus.ABANDONED): Transition(_TERMINATED, Transaction._end),
    }
    IGNORED: ClassVar[Mapping[tuple[str, str], Drop]] = {
        (_TRYING, Stimulus.REQUEST): Drop.RETRANSMISSION_ABSORBED,
        (_TRYING, Stimulus.TRANSPORT_ERROR): Drop.NOTHING_SENT,
        **ignore([_TRYING, _PROCEEDING], [Stimulus.TIMER_J], Drop.TIMER_STOPPED),
        **ignore([_COMPLETED], [Stimulus.PROVISIONAL, Stimulus.FINAL], Drop.ALREADY_ANSWERED),
        **ignore([_TERMINATED], Stimulus, Drop.TRANSACTION_ENDED),
    }
