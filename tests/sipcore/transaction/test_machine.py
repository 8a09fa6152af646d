"""What all four transactions promise, whatever their figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from offhook.sipcore.drops import Drop
from offhook.sipcore.timers import Timers
from offhook.sipcore.transaction import (
    ClientTransaction,
    InviteClientTransaction,
    InviteServerTransaction,
    ServerTransaction,
)
from offhook.sipcore.transaction.machine import FAILED_TO_SEND, GIVEN_UP, ignore
from support.messages import invite, request

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


def test_cells_are_ignored_by_pairs() -> None:
    """The rows of the tables are written with it."""
    drop = Drop.NOTHING_SENT
    assert {("a", "x"): drop, ("a", "y"): drop, ("b", "x"): drop, ("b", "y"): drop} == ignore("ab", iter("xy"), drop)
