"""Figure 8 of RFC 3261, walked along its arrows."""

from __future__ import annotations

from itertools import product

import pytest
from support.ladder import Ladder, Send, abandon, after, fail, respond, until
from support.messages import request, response

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import TransactionTerminated, TransportFailed
from offhook.sipcore.timers import Timer, Timers
from offhook.sipcore.transaction import ServerTransaction
from offhook.sipcore.transaction.server import State, Stimulus

BYE = request("BYE")
TRYING = response(100, BYE)
OK = response(200, BYE)
ERROR = OSError("no route")


def trying(*, reliable: bool = False) -> Ladder:
    """The ladder of a fresh transaction at time zero."""
    return Ladder(ServerTransaction(BYE, reliable=reliable, timers=Timers(), now=0.0))


class TestTrying:
    """Section 17.2.2: nothing was said yet."""

    def test_a_request_that_comes_again_is_discarded(self) -> None:
        """The rule: "Once in the "Trying" state, any further request retransmissions are discarded"."""
        ladder = trying() >> BYE << Drop.RETRANSMISSION_ABSORBED
        assert ladder
        assert 1 == ladder.machine.retransmissions_received

    def test_its_user_has_all_the_time(self) -> None:
        """No timer of figure 8 runs before the final response."""
        assert trying().machine.next_deadline() is None

    def test_a_transport_error_is_none_of_its_business(self) -> None:
        """Nothing was sent that could have failed."""
        assert trying() >> fail(ERROR) << Drop.NOTHING_SENT

    def test_its_user_may_give_it_up(self) -> None:
        """For a shell that closes."""
        assert trying() >> abandon() << TransactionTerminated() >> BYE << Drop.TRANSACTION_ENDED


class TestProceeding:
    """Section 17.2.2: a provisional response was sent."""

    def test_a_request_that_comes_again_gets_the_last_provisional_response_again(self) -> None:
        """The rule: "The most recently sent provisional response MUST be passed to the transport layer for retransmission"."""
        ladder = (
            trying() >> respond(TRYING) << Send(100) >> respond(response(183, BYE)) << Send(183) >> BYE << Send(183)
        )
        assert ladder
        assert (1, 1) == (ladder.machine.retransmitted, ladder.machine.retransmissions_received)

    def test_a_transport_error_is_told_but_the_transaction_stays(self) -> None:
        """RFC 6026 section 8.8: it "MUST remain in the current state"."""
        ladder = trying() >> respond(TRYING) << Send(100) >> fail(ERROR) << TransportFailed(ERROR)
        assert ladder >> respond(OK) << Send(200)


class TestCompleted:
    """Section 17.2.2: the final response was sent."""

    def test_it_answers_what_comes_again_for_64_t1(self) -> None:
        """Timer J."""
        ladder = trying() >> respond(OK) << Send(200) >> after(31.9) >> BYE << Send(200)
        assert ladder >> until(Timer.J) << TransactionTerminated()
        assert 32.0 == ladder.now

    def test_over_a_reliable_transport_it_ends_with_the_response(self) -> None:
        """Timer J is then zero: a busy server keeps nothing of what is done."""
        assert trying(reliable=True) >> respond(OK) << Send(200) << TransactionTerminated()

    @pytest.mark.parametrize("late", [TRYING, OK])
    def test_only_one_final_response_is_sent(self, late: object) -> None:
        """The rule: "Any other final responses passed by the TU ... MUST be discarded while in the "Completed" state"."""
        assert trying() >> respond(OK) << Send(200) >> respond(late) << Drop.ALREADY_ANSWERED

    def test_a_transport_error_is_told_but_the_transaction_stays(self) -> None:
        """RFC 6026 section 8.8."""
        ladder = trying() >> respond(OK) << Send(200) >> fail(ERROR) << TransportFailed(ERROR)
        assert ladder >> BYE << Send(200)


@pytest.mark.parametrize(("state", "stimulus"), list(product(State, Stimulus)))
def test_every_stimulus_is_decided_in_every_state(state: State, stimulus: Stimulus) -> None:
    """No cell of the table is empty by accident, and none is filled twice."""
    machine = ServerTransaction
    assert ((state, stimulus) in machine.TRANSITIONS) != ((state, stimulus) in machine.IGNORED)
