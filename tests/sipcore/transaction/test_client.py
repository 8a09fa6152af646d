"""Figure 6 of RFC 3261, walked along its arrows."""

from __future__ import annotations

from itertools import product

import pytest
from support.ladder import Ladder, Send, abandon, after, fail, until
from support.messages import request, response

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import ResponseReceived, TransactionTerminated, TransactionTimedOut, TransportFailed
from offhook.sipcore.timers import Timer, Timers
from offhook.sipcore.transaction import ClientTransaction
from offhook.sipcore.transaction.client import State, Stimulus

BYE = request("BYE")
OK = response(200, BYE)
TRYING = response(100, BYE)
ERROR = OSError("connection refused")


def client(*, reliable: bool = False) -> ClientTransaction:
    """A fresh transaction at time zero."""
    return ClientTransaction(BYE, reliable=reliable, timers=Timers(), now=0.0)


def trying(*, reliable: bool = False) -> Ladder:
    """Its ladder, after the request was sent."""
    return Ladder(client(reliable=reliable)) << Send("BYE")


def send_times(transaction: ClientTransaction) -> list[float]:
    """The instants (seconds) at which something was sent until it ended."""
    times = [0.0] * len(transaction.messages_to_send())
    while (deadline := transaction.next_deadline()) is not None:
        transaction.handle_timeout(deadline)
        times += [deadline] * len(transaction.messages_to_send())
    return times


class TestTrying:
    """Section 17.1.2.2, first half."""

    def test_the_request_is_sent_eleven_times_and_then_given_up(self) -> None:
        """The rule: "This means timer E fires at 500 ms, then 1 s, 2 s, 4 s, 4 s, 4 s", until timer F ends it after 64·T1."""
        transaction = client()
        assert [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5] == send_times(transaction)
        assert [TransactionTimedOut(Timer.F), TransactionTerminated()] == transaction.events()

    def test_over_a_reliable_transport_the_request_is_sent_once(self) -> None:
        """Timer E is for unreliable transports; timer F is for all."""
        transaction = client(reliable=True)
        assert [0.0] == send_times(transaction)
        assert Timer.F is transaction.timed_out

    def test_a_late_wake_up_sends_once_and_keeps_to_the_steps(self) -> None:
        """Retransmissions are counted from the deadline."""
        transaction = client()
        transaction.messages_to_send()
        transaction.handle_timeout(9.0)
        assert (1, 11.5) == (len(transaction.messages_to_send()), transaction.next_deadline())

    def test_a_transport_error_ends_it(self) -> None:
        """Section 17.1.4."""
        assert trying() >> fail(ERROR) << TransportFailed(ERROR) << TransactionTerminated()


class TestProceeding:
    """Section 17.1.2.2: a provisional response slows it down but does not stop the clock."""

    def test_from_then_on_the_request_is_sent_every_t2(self) -> None:
        """The rule: "Timer E MUST be reset with a value of T2 seconds"; the step under way is finished first."""
        transaction = client()
        transaction.receive_response(TRYING, 0.1)
        assert [0.0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5] == send_times(transaction)
        assert Timer.F is transaction.timed_out

    def test_each_provisional_response_is_passed_up(self) -> None:
        """And none of them moves a timer."""
        ladder = trying() >> TRYING << ResponseReceived(100) >> after(0.2) >> TRYING << ResponseReceived(100)
        assert ladder
        assert 0.5 == ladder.machine.next_deadline()

    def test_a_transport_error_ends_it(self) -> None:
        """The request is still being sent in this state."""
        assert (
            trying()
            >> TRYING
            << ResponseReceived(100)
            >> fail(ERROR)
            << TransportFailed(ERROR)
            << (TransactionTerminated())
        )

    def test_the_final_response_completes_it(self) -> None:
        """From Proceeding as from Trying."""
        assert trying() >> TRYING << ResponseReceived(100) >> OK << ResponseReceived(200)


class TestCompleted:
    """Section 17.1.2.2, second half."""

    def test_timer_k_absorbs_what_comes_again_for_t4(self) -> None:
        """The rule: "The "Completed" state exists to buffer any additional response retransmissions"."""
        ladder = trying() >> OK << ResponseReceived(200) >> OK << Drop.RETRANSMISSION_ABSORBED
        ladder = ladder >> TRYING << Drop.LATE_PROVISIONAL >> after(4.9) >> until(Timer.K) << TransactionTerminated()
        assert ladder
        assert (5.0, 1) == (ladder.now, ladder.machine.retransmissions_received)

    def test_over_a_reliable_transport_it_ends_with_the_response(self) -> None:
        """Timer K is then zero."""
        assert trying(reliable=True) >> OK << ResponseReceived(200) << TransactionTerminated()

    def test_a_late_transport_error_is_none_of_its_business(self) -> None:
        """The request was answered."""
        assert trying() >> OK << ResponseReceived(200) >> fail(ERROR) << Drop.NOTHING_SENT


@pytest.mark.parametrize("ladder", [trying(), trying() >> TRYING << ResponseReceived(100)])
def test_its_user_may_give_it_up_at_any_time(ladder: Ladder) -> None:
    """Nothing more is sent then, and nothing more is told."""
    assert ladder >> abandon() << TransactionTerminated() >> OK << Drop.TRANSACTION_ENDED


@pytest.mark.parametrize(("state", "stimulus"), list(product(State, Stimulus)))
def test_every_stimulus_is_decided_in_every_state(state: State, stimulus: Stimulus) -> None:
    """No cell of the table is empty by accident, and none is filled twice."""
    machine = ClientTransaction
    assert ((state, stimulus) in machine.TRANSITIONS) != ((state, stimulus) in machine.IGNORED)
