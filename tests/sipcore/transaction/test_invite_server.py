"""Figure 7 of RFC 3261, walked along its arrows, with the Accepted state of RFC 6026."""

from __future__ import annotations

from itertools import product

import pytest
from support.ladder import Ladder, Send, abandon, after, fail, respond, until
from support.messages import ack, invite, response

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import AckReceived, TransactionTerminated, TransactionTimedOut, TransportFailed
from offhook.sipcore.timers import Timer, Timers
from offhook.sipcore.transaction import InviteServerTransaction
from offhook.sipcore.transaction.invite_server import State, Stimulus

ERROR = OSError("no route")
RINGING = response(180)
OK = response(200)
BUSY = response(486)


def proceeding(*, reliable: bool = False) -> Ladder:
    """The ladder of a fresh transaction at time zero."""
    return Ladder(InviteServerTransaction(invite(), reliable=reliable, timers=Timers(), now=0.0))


class TestProceeding:
    """Section 17.2.1, first half."""

    def test_after_200_ms_of_silence_100_is_sent_and_then_the_user_has_all_the_time(self) -> None:
        """The rule: "MUST generate a 100 (Trying) response unless it knows that the TU will generate a ... response within 200 ms"."""
        ladder = proceeding() >> after(0.199) >> until(Timer.TRYING) << Send(100) >> after(3_600.0)
        assert ladder
        assert ladder.machine.next_deadline() is None

    def test_who_rings_at_once_needs_no_100(self) -> None:
        """One message fewer per call."""
        assert proceeding() >> respond(RINGING) << Send(180) >> after(1.0)

    def test_an_invite_that_comes_again_gets_the_last_provisional_response_again(self) -> None:
        """The rule: "The most recent provisional response that was received from the TU MUST be passed to the transport layer"."""
        ladder = proceeding() >> respond(response(100)) << Send(100) >> respond(RINGING) << Send(180)
        ladder = ladder >> invite() << Send(180)
        assert ladder
        assert (1, 1) == (ladder.machine.retransmitted, ladder.machine.retransmissions_received)

    def test_an_invite_that_comes_again_before_any_response_is_swallowed(self) -> None:
        """There is nothing yet that could be repeated."""
        ladder = proceeding() >> invite()
        assert ladder
        assert 1 == ladder.machine.retransmissions_received

    def test_a_transport_error_is_told_but_the_transaction_stays(self) -> None:
        """RFC 6026 section 8.8: it "MUST remain in the current state"."""
        assert proceeding() >> fail(ERROR) << TransportFailed(ERROR) >> respond(BUSY) << Send(486)

    def test_an_ack_for_nothing_is_dropped(self) -> None:
        """No final response was sent that it could acknowledge."""
        assert proceeding() >> ack() << Drop.EARLY_ACK

    def test_its_user_may_give_it_up(self) -> None:
        """For a shell that closes."""
        assert proceeding() >> abandon() << TransactionTerminated() >> invite() << Drop.TRANSACTION_ENDED

    def test_the_100_repeats_the_timestamp(self) -> None:
        """Section 8.2.6.1: "any Timestamp header field present in the request MUST be copied into this 100"."""
        request = invite(headers=[("Timestamp", "54.21")])
        transaction = InviteServerTransaction(request, reliable=False, timers=Timers(), now=7.0)
        transaction.handle_timeout(7.2)
        assert ["54.21"] == transaction.messages_to_send()[0].headers.get_all("timestamp")


class TestAccepted:
    """RFC 6026 section 7.1."""

    @pytest.mark.parametrize("reliable", [False, True])
    def test_an_invite_that_comes_again_is_swallowed_for_64_t1(self, *, reliable: bool) -> None:
        """So that it is not taken for a new call; the user alone sends the 2xx again. Timer L knows no transport."""
        ladder = proceeding(reliable=reliable) >> respond(OK) << Send(200) >> after(31.9)
        assert ladder >> invite() << Drop.RETRANSMISSION_ABSORBED >> until(Timer.L) << TransactionTerminated()
        assert 32.0 == ladder.now

    def test_the_user_sends_the_2xx_again_until_the_ack_comes(self) -> None:
        """Section 13.3.1.4; the ACK is passed up."""
        ladder = proceeding() >> respond(OK) << Send(200) >> respond(OK) << Send(200) >> ack() << AckReceived("ACK")
        assert ladder
        assert 1 == ladder.machine.retransmitted

    def test_another_2xx_is_no_retransmission(self) -> None:
        """A proxy passes up what each branch of a fork answered."""
        ladder = proceeding() >> respond(OK) << Send(200) >> respond(response(200, to_tag="carol")) << Send(200)
        assert ladder
        assert 0 == ladder.machine.retransmitted

    @pytest.mark.parametrize("late", [RINGING, BUSY])
    def test_what_the_user_thinks_of_too_late_is_not_sent(self, late: object) -> None:
        """The call is answered."""
        assert proceeding() >> respond(OK) << Send(200) >> respond(late) << Drop.ALREADY_ANSWERED

    def test_a_transport_error_is_told_but_the_transaction_stays(self) -> None:
        """RFC 6026 section 8.8."""
        ladder = proceeding() >> respond(OK) << Send(200) >> fail(ERROR) << TransportFailed(ERROR)
        assert ladder >> invite() << Drop.RETRANSMISSION_ABSORBED


class TestCompleted:
    """Section 17.2.1, second half."""

    def test_a_refusal_is_sent_eleven_times_and_then_given_up(self) -> None:
        """Timer G doubles from T1 to T2; "timer H ... determines when the server transaction abandons"."""
        transaction = proceeding().machine
        transaction.respond(BUSY, 0.0)
        times = [0.0] * len(transaction.messages_to_send())
        while (deadline := transaction.next_deadline()) is not None:
            transaction.handle_timeout(deadline)
            times += [deadline] * len(transaction.messages_to_send())
        assert [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5] == times
        assert [TransactionTimedOut(Timer.H), TransactionTerminated()] == transaction.events()

    def test_over_a_reliable_transport_it_is_sent_once_and_waited_for(self) -> None:
        """Timer G is for unreliable transports; timer H is for all."""
        ladder = proceeding(reliable=True) >> respond(BUSY) << Send(486)
        assert ladder >> until(Timer.H) << TransactionTimedOut(Timer.H) << TransactionTerminated()
        assert 32.0 == ladder.now

    def test_a_late_wake_up_sends_once(self) -> None:
        """Steps that were slept through are skipped."""
        transaction = proceeding().machine
        transaction.respond(BUSY, 0.0)
        transaction.messages_to_send()
        transaction.handle_timeout(25.0)
        assert (1, 27.5) == (len(transaction.messages_to_send()), transaction.next_deadline())

    def test_an_invite_that_comes_again_gets_the_refusal_again(self) -> None:
        """And the steps of timer G stay where they are."""
        ladder = proceeding() >> respond(BUSY) << Send(486) >> after(0.3) >> invite() << Send(486)
        assert ladder
        assert 0.5 == ladder.machine.next_deadline()

    def test_only_one_refusal_is_sent(self) -> None:
        """Whoever answers second comes too late."""
        late = Drop.ALREADY_ANSWERED
        ladder = proceeding() >> respond(BUSY) << Send(486)
        assert ladder >> respond(RINGING) << late >> respond(OK) << late >> respond(BUSY) << late

    def test_a_transport_error_is_told_and_the_response_sent_again_in_time(self) -> None:
        """RFC 6026 section 8.8."""
        ladder = proceeding() >> respond(BUSY) << Send(486) >> fail(ERROR) << TransportFailed(ERROR)
        assert ladder >> until(Timer.G) << Send(486)


class TestConfirmed:
    """Section 17.2.1: the ACK came."""

    def test_the_ack_ends_the_retransmissions_and_timer_i_absorbs_further_ones(self) -> None:
        """T4 later it is over."""
        ladder = proceeding() >> respond(BUSY) << Send(486) >> ack() >> ack() << Drop.RETRANSMISSION_ABSORBED
        ladder = ladder >> invite() << Drop.RETRANSMISSION_ABSORBED >> until(Timer.I) << TransactionTerminated()
        assert ladder
        assert (5.0, 2) == (ladder.now, ladder.machine.retransmissions_received)

    def test_over_a_reliable_transport_it_ends_with_the_ack(self) -> None:
        """Timer I is then zero, so that nothing lingers."""
        assert proceeding(reliable=True) >> respond(BUSY) << Send(486) >> ack() << TransactionTerminated()

    def test_errors_and_answers_that_come_now_are_dropped(self) -> None:
        """Everything was said."""
        ladder = proceeding() >> respond(BUSY) << Send(486) >> ack() >> fail(ERROR) << Drop.NOTHING_SENT
        assert ladder >> respond(OK) << Drop.ALREADY_ANSWERED >> abandon() << TransactionTerminated()


@pytest.mark.parametrize(("state", "stimulus"), list(product(State, Stimulus)))
def test_every_stimulus_is_decided_in_every_state(state: State, stimulus: Stimulus) -> None:
    """No cell of the table is empty by accident, and none is filled twice."""
    machine = InviteServerTransaction
    assert ((state, stimulus) in machine.TRANSITIONS) != ((state, stimulus) in machine.IGNORED)
