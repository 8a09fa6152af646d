"""What all four transactions promise, whatever their figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.messages import invite, request, response

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import TransactionTerminated, TransactionTimedOut, TransportFailed
from offhook.sipcore.timers import Timer, Timers
from offhook.sipcore.transaction import (
    ClientTransaction,
    InviteClientTransaction,
    InviteServerTransaction,
    ServerTransaction,
)
from offhook.sipcore.transaction.machine import FAILED_TO_SEND, GIVEN_UP, ignore

if TYPE_CHECKING:
    from offhook.sipcore.transaction import Machine, Transaction

KINDS = [InviteClientTransaction, ClientTransaction, InviteServerTransaction, ServerTransaction]


def fresh(kind: type[Transaction]) -> Transaction:
    """One of each kind, at time zero."""
    first = invite() if "INVITE" in kind.TITLE.split() else request("BYE")
    return kind(first, reliable=False, timers=Timers(), now=0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_keeps_the_contract_of_machines(kind: type[Transaction]) -> None:
    """Whoever knows one knows all."""
    machine: Machine = fresh(kind)
    assert not machine.terminated
    machine.handle_timeout(0.0)
    assert machine.next_deadline() is None or machine.next_deadline() > 0.0
    assert [] == machine.events()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_drained_is_gone(kind: type[Transaction]) -> None:
    """Outputs are handed out once."""
    machine = fresh(kind)
    machine.abandon(0.0)
    machine.messages_to_send()
    assert 1 == len(machine.events())
    assert ([], []) == (machine.messages_to_send(), machine.events())


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_but_the_last_can_be_left(kind: type[Transaction]) -> None:
    """A state without a way out would be a leak: from each one a path leads to Terminated."""
    ends = {"Terminated"}
    for _ in range(len(kind.TRANSITIONS)):
        ends |= {state for (state, _), (target, *_) in kind.TRANSITIONS.items() if target in ends}
    assert {state for state, _ in [*kind.TRANSITIONS, *kind.IGNORED]} == ends


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_leaves_the_last_state(kind: type[Transaction]) -> None:
    """What is over stays over."""
    assert not [cell for cell in kind.TRANSITIONS if cell[0] == "Terminated"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_told_of_an_error_and_be_given_up(kind: type[Transaction]) -> None:
    """The two stimuli that the base class itself sends are known to each table."""
    known = {stimulus for _, stimulus in [*kind.TRANSITIONS, *kind.IGNORED]}
    assert {FAILED_TO_SEND, GIVEN_UP} <= known


@pytest.mark.parametrize("kind", KINDS)
def test_every_timer_that_a_kind_knows_is_decided_somewhere(kind: type[Transaction]) -> None:
    """A timer without an arrow would fire into the void."""
    assert set(kind.FIRES.values()) <= {stimulus for _, stimulus in kind.TRANSITIONS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_transaction_carries_no_dictionary(kind: type[Transaction]) -> None:
    """Twenty thousand of them are held at a time."""
    assert not hasattr(fresh(kind), "__dict__")


class TestStep:
    """One stimulus, one cell."""

    def test_leaving_a_state_stops_its_timers(self) -> None:
        """A forgotten timer cannot exist."""
        transaction = fresh(InviteClientTransaction)
        transaction.receive_response(response(180), 0.1)
        assert transaction.next_deadline() is None

    def test_figure_6_lets_its_timers_run_on(self) -> None:
        """From Trying to Proceeding, and nowhere else."""
        assert [("Trying", "1xx")] == [c for k in KINDS for c, cell in k.TRANSITIONS.items() if cell.keeps]
        transaction = fresh(ClientTransaction)
        transaction.receive_response(response(100, request("BYE")), 0.1)
        assert 0.5 == transaction.next_deadline()

    @pytest.mark.parametrize(("reliable", "expected"), [(True, (True, None)), (False, (False, 5.1))])
    def test_a_timer_of_zero_seconds_fires_at_once(self, reliable: bool, expected: tuple[bool, float | None]) -> None:
        """The rule: timer K is "T4 seconds for unreliable transports, and zero seconds for reliable transports"."""
        transaction = ClientTransaction(request("BYE"), reliable=reliable, timers=Timers(), now=0.0)
        transaction.receive_response(response(200, request("BYE")), 0.1)
        assert expected == (transaction.terminated, transaction.next_deadline())

    def test_what_is_absorbed_counts_as_the_peers_retransmission(self) -> None:
        """And the reason comes back to who brought it."""
        transaction = fresh(ServerTransaction)
        assert Drop.RETRANSMISSION_ABSORBED is transaction.receive_request(request("BYE"), 0.1)
        assert 1 == transaction.retransmissions_received

    def test_what_is_ignored_for_another_reason_does_not(self) -> None:
        """Only what is a repetition counts as one."""
        transaction = fresh(InviteServerTransaction)
        assert Drop.EARLY_ACK is transaction.receive_request(request("ACK"), 0.1)
        assert 0 == transaction.retransmissions_received

    def test_a_timer_that_ends_it_tells_which(self) -> None:
        """Once as an event, and for good as an attribute."""
        transaction = fresh(ClientTransaction)
        transaction.handle_timeout(32.0)
        assert [TransactionTimedOut(Timer.F), TransactionTerminated()] == transaction.events()
        assert Timer.F is transaction.timed_out

    def test_a_retransmission_is_due_one_interval_after_the_last_deadline(self) -> None:
        """Not after the instant of waking up: lateness does not add up."""
        transaction = fresh(ClientTransaction)
        transaction.handle_timeout(0.7)
        assert (2, 1.5) == (len(transaction.messages_to_send()), transaction.next_deadline())

    def test_an_error_ends_a_client_and_is_only_told_by_a_server(self) -> None:
        """RFC 3261 section 17.1.4 and RFC 6026 section 8.8."""
        error = OSError("gone")
        client, server = fresh(ClientTransaction), fresh(InviteServerTransaction)
        client.transport_failed(error, 0.0)
        server.transport_failed(error, 0.0)
        assert [TransportFailed(error), TransactionTerminated()] == client.events()
        assert ([TransportFailed(error)], False) == (server.events(), server.terminated)

    def test_it_names_itself_in_one_line(self) -> None:
        """What a log or a debugger shows."""
        expected = "<non-INVITE server transaction Trying: <Request BYE sip:bob@127.0.0.1:5060 call-1 1 BYE>>"
        assert expected == repr(fresh(ServerTransaction))


def test_cells_are_ignored_by_pairs() -> None:
    """The rows of the tables are written with it."""
    drop = Drop.NOTHING_SENT
    assert {("a", "x"): drop, ("a", "y"): drop, ("b", "x"): drop, ("b", "y"): drop} == ignore("ab", iter("xy"), drop)
