"""Figure 5 of RFC 3261, walked along its arrows, with the Accepted state of RFC 6026."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from support.ladder import Ladder, Send, abandon, after, fail, until
from support.messages import invite, response

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import ResponseReceived, TransactionTerminated, TransactionTimedOut, TransportFailed
from offhook.sipcore.timers import Timer, Timers
from offhook.sipcore.transaction import InviteClientTransaction
from offhook.sipcore.transaction.invite_client import State, Stimulus

if TYPE_CHECKING:
    from offhook.sipcore.transaction import Transaction

ERROR = OSError("host unreachable")


def invite_client(*, reliable: bool = False) -> InviteClientTransaction:
    """A fresh transaction at time zero."""
    return InviteClientTransaction(invite(), reliable=reliable, timers=Timers(), now=0.0)


def calling(*, reliable: bool = False) -> Ladder:
    """Its ladder, after the INVITE was sent."""
    return Ladder(invite_client(reliable=reliable)) << Send("INVITE")


def send_times(transaction: Transaction, until: float) -> list[float]:
    """The instants (seconds) at which something was sent."""
    times = [0.0] * len(transaction.messages_to_send())
    while (deadline := transaction.next_deadline()) is not None and deadline <= until:
        transaction.handle_timeout(deadline)
        times += [deadline] * len(transaction.messages_to_send())
    return times


class TestCalling:
    """Section 17.1.1.2, first half."""

    def test_the_invite_is_sent_seven_times_and_then_given_up(self) -> None:
        """Timer A doubles from T1, timer B ends it after 64·T1: "the client transaction MUST inform the TU"."""
        transaction = invite_client()
        assert [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5] == send_times(transaction, until=40.0)
        assert [TransactionTimedOut(Timer.B), TransactionTerminated()] == transaction.events()

    def test_over_a_reliable_transport_the_invite_is_sent_once(self) -> None:
        """The rule: "If a reliable transport is being used, the client transaction SHOULD NOT start timer A"."""
        transaction = invite_client(reliable=True)
        assert [0.0] == send_times(transaction, until=40.0)
        assert Timer.B is transaction.timed_out

    def test_another_round_trip_time_moves_every_step(self) -> None:
        """All instants are multiples of T1."""
        timers = Timers(t1=0.1)
        transaction = InviteClientTransaction(invite(), reliable=False, timers=timers, now=0.0)
        assert pytest.approx([0.0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3]) == send_times(transaction, until=40.0)

    def test_a_late_wake_up_sends_once_and_keeps_to_the_steps(self) -> None:
        """Retransmissions are counted from the deadline: at 20 s one INVITE goes out, and the next is due at 31.5 s."""
        transaction = invite_client()
        transaction.messages_to_send()
        transaction.handle_timeout(20.0)
        assert (1, 31.5) == (len(transaction.messages_to_send()), transaction.next_deadline())

    def test_who_wakes_up_after_timer_b_gives_up_and_sends_nothing(self) -> None:
        """The timer that ends the state goes before the one that retransmits."""
        transaction = invite_client()
        transaction.messages_to_send()
        transaction.handle_timeout(1_000.0)
        assert ([], True) == (transaction.messages_to_send(), transaction.terminated)

    def test_a_wake_up_before_the_deadline_does_nothing(self) -> None:
        """Who asks too early is not punished."""
        transaction = invite_client()
        transaction.messages_to_send()
        transaction.handle_timeout(0.499)
        assert ([], 0.5) == (transaction.messages_to_send(), transaction.next_deadline())

    def test_a_transport_error_ends_it(self) -> None:
        """Section 17.1.4: the user learns of the error."""
        assert calling() >> fail(ERROR) << TransportFailed(ERROR) << TransactionTerminated()

    def test_retransmissions_are_counted(self) -> None:
        """So that a load test can tell its own from the peer's."""
        transaction = invite_client()
        send_times(transaction, until=4.0)
        assert 3 == transaction.retransmitted


class TestProceeding:
    """Section 17.1.1.2: somebody has the INVITE."""

    def test_a_provisional_response_ends_the_retransmissions_and_the_wait_is_without_end(self) -> None:
        """No timer of the transaction runs while the callee rings; that is its user's affair."""
        ladder = calling() >> response(100) << ResponseReceived(100) >> after(3_600.0)
        assert ladder
        assert ladder.machine.next_deadline() is None

    def test_each_provisional_response_is_passed_up(self) -> None:
        """The rule: "Any further provisional responses MUST be passed up to the TU"."""
        assert (
            calling()
            >> response(180) << ResponseReceived(180)
            >> response(180) << ResponseReceived(180)
            >> response(183) << ResponseReceived(183)
        )  # fmt: skip

    def test_a_late_transport_error_is_none_of_its_business(self) -> None:
        """The INVITE arrived, and nothing else was sent."""
        assert calling() >> response(180) << ResponseReceived(180) >> fail(ERROR) << Drop.NOTHING_SENT

    def test_who_waits_no_longer_for_a_cancelled_call_gives_it_up(self) -> None:
        """Section 9.1: the client "SHOULD destroy the client transaction handling the original request"."""
        assert calling() >> response(180) << ResponseReceived(180) >> abandon() << TransactionTerminated()


class TestAccepted:
    """RFC 6026 sections 7.2 and 8.4."""

    @pytest.mark.parametrize("reliable", [False, True])
    def test_each_2xx_is_passed_up_for_64_t1_and_never_acknowledged_here(self, *, reliable: bool) -> None:
        """The rule: "The client transaction MUST NOT generate an ACK to the 2xx response"; timer M knows no transport."""
        assert (
            calling(reliable=reliable)
            >> response(200) << ResponseReceived(200)
            >> after(31.9)
            >> response(200) << ResponseReceived(200)
            >> until(Timer.M) << TransactionTerminated()
        )  # fmt: skip

    def test_a_2xx_after_ringing_is_accepted_as_well(self) -> None:
        """The usual call."""
        ladder = calling() >> response(180) << ResponseReceived(180) >> response(200) << ResponseReceived(200)
        assert ladder
        assert State.ACCEPTED is ladder.machine.state

    def test_a_2xx_from_another_branch_of_a_fork_is_no_retransmission(self) -> None:
        """Its To bears another tag: it is another callee who answered."""
        ladder = calling()
        for tag in ("bob", "bob", "carol"):
            ladder = ladder >> response(200, to_tag=tag) << ResponseReceived(200)
        assert ladder
        assert 1 == ladder.machine.retransmissions_received

    def test_what_is_no_2xx_is_dropped_with_its_reason(self) -> None:
        """Other branches of the fork have lost."""
        assert (
            calling()
            >> response(200) << ResponseReceived(200)
            >> response(180) << Drop.LATE_PROVISIONAL
            >> response(486) << Drop.LATE_FINAL
        )  # fmt: skip


class TestCompleted:
    """Sections 17.1.1.2, second half, and 17.1.1.3."""

    def test_a_refusal_is_acknowledged_each_time_and_told_once(self) -> None:
        """The rule: "Any retransmissions of the final response ... MUST cause the ACK to be re-passed to the transport layer"."""
        assert (
            calling()
            >> response(486) << Send("ACK") << ResponseReceived(486)
            >> response(486) << Send("ACK")
            >> until(Timer.D) << TransactionTerminated()
        )  # fmt: skip

    def test_timer_d_holds_it_for_at_least_32_seconds(self) -> None:
        """The rule: "The client transaction SHOULD start timer D ... with a value of at least 32 seconds"."""
        ladder = calling() >> response(486) << Send("ACK") << ResponseReceived(486)
        assert ladder
        assert ladder.machine.next_deadline() >= 32.0

    def test_over_a_reliable_transport_it_ends_with_the_ack(self) -> None:
        """The rule: "and a value of zero seconds for reliable transports"."""
        done = (Send("ACK"), ResponseReceived(603), TransactionTerminated())
        assert calling(reliable=True) >> response(603) << done[0] << done[1] << done[2]

    def test_the_ack_that_is_sent_again_is_the_very_same(self) -> None:
        """It does not grow a second Via or another tag with each repetition."""
        transaction = invite_client()
        transaction.messages_to_send()
        transaction.receive_response(response(486), 0.1)
        transaction.receive_response(response(486, to_tag="mallory"), 0.2)
        first, second = transaction.messages_to_send()
        assert first is second
        assert (invite().via, "bob") == (first.via, first.to.tag)

    def test_an_ack_that_cannot_be_sent_ends_it(self) -> None:
        """Figure 5: "Transport Err. Inform TU"."""
        assert (
            calling()
            >> response(486) << Send("ACK") << ResponseReceived(486)
            >> fail(ERROR) << TransportFailed(ERROR) << TransactionTerminated()
        )  # fmt: skip

    def test_responses_that_lost_a_race_are_dropped_with_their_reason(self) -> None:
        """A proxy that sends a 2xx after its 486 has broken its own transaction."""
        assert (
            calling()
            >> response(486) << Send("ACK") << ResponseReceived(486)
            >> response(180) << Drop.LATE_PROVISIONAL
            >> response(200) << Drop.LATE_FINAL
        )  # fmt: skip


def test_what_comes_after_the_end_is_dropped() -> None:
    """A machine that is over takes anything and does nothing."""
    assert (
        calling()
        >> abandon() << TransactionTerminated()
        >> response(200) << Drop.TRANSACTION_ENDED
        >> fail(ERROR) << Drop.TRANSACTION_ENDED
        >> abandon() << Drop.TRANSACTION_ENDED
    )  # fmt: skip


@pytest.mark.parametrize(("state", "stimulus"), list(product(State, Stimulus)))
def test_every_stimulus_is_decided_in_every_state(state: State, stimulus: Stimulus) -> None:
    """No cell of the table is empty by accident, and none is filled twice."""
    machine = InviteClientTransaction
    assert ((state, stimulus) in machine.TRANSITIONS) != ((state, stimulus) in machine.IGNORED)


def test_it_names_itself_in_one_line() -> None:
    """What a log or a debugger shows."""
    expected = "<INVITE client transaction Calling: <Request INVITE sip:bob@127.0.0.1:5060 call-1 1 INVITE>>"
    assert expected == repr(invite_client())
