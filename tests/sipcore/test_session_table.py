"""Which session a message belongs to, and when a session is forgotten."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from support.messages import invite, request, response
from support.sip_pair import ALICE_TO_BOB, BOB_TO_ALICE, SipPair

from offhook.sipcore.caller import CallerSession
from offhook.sipcore.session import SessionState
from offhook.sipcore.session_table import SessionTable


def caller() -> CallerSession:
    """A session that never asks anything of its core."""
    return CallerSession(SimpleNamespace(), invite(), ALICE_TO_BOB, 1.0)


def test_a_response_finds_the_call_that_it_answers() -> None:
    """By Call-ID and our tag, whatever its own tag is."""
    table, session = SessionTable(), caller()
    table.add_caller(session)
    assert session is table.by_response(response(200))
    assert table.by_response(response(200, of=invite(call_id="other"))) is None


def test_a_session_stays_until_its_last_transaction_has_ended() -> None:
    """A 2xx may come again and wants its ACK."""
    table, session, transaction = SessionTable(), caller(), object()
    table.add_caller(session)
    table.own(transaction, session, ALICE_TO_BOB)
    assert not table.forget_if_done(session)
    session.state = SessionState.ENDED
    assert not table.forget_if_done(session)
    table.release(transaction)
    assert table.forget_if_done(session)
    assert ([], None) == (table.sessions, table.by_response(response(200)))


def test_what_was_never_there_is_not_forgotten() -> None:
    """Nor is it forgotten twice."""
    session = caller()
    session.state = SessionState.ENDED
    assert not SessionTable().forget_if_done(session)


def test_a_flow_names_the_transactions_that_use_it_and_no_other() -> None:
    """A failure of one flow is none of the other's business."""
    table, here, there = SessionTable(), object(), object()
    for transaction, flow in ((here, ALICE_TO_BOB), (there, BOB_TO_ALICE)):
        table.own(transaction, None, flow)
    assert [here] == table.on_flow(ALICE_TO_BOB)
    table.release(here)
    assert ([], [there]) == (table.on_flow(ALICE_TO_BOB), table.on_flow(BOB_TO_ALICE))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (invite("z9hG4bKother"), True),
        (invite("z9hG4bKother", cseq=2), False),
        (invite("z9hG4bKother", call_id="other"), False),
        (request("OPTIONS"), False),
    ],
)
def test_a_request_that_came_by_another_way_is_merged(message, expected: bool) -> None:
    """8.2.2.2: From tag, Call-ID and CSeq are the same, the transaction is not."""
    table, first, second = SessionTable(), object(), object()
    for transaction in (first, second):
        table.own(transaction, None, BOB_TO_ALICE)
    assert not table.is_merged(invite(), first)
    assert expected == table.is_merged(message, second)


def test_what_has_ended_is_merged_with_nothing() -> None:
    """8.2.2.2 speaks of ongoing transactions; the one that was refused as merged does not end the other's time."""
    table, first, second, third = SessionTable(), object(), object(), object()
    for transaction in (first, second, third):
        table.own(transaction, None, BOB_TO_ALICE)
    assert [False, True] == [table.is_merged(invite(), first), table.is_merged(invite(), second)]
    table.release(second)
    assert table.is_merged(invite(), third)
    table.release(first)
    assert not table.is_merged(invite(), third)


def test_a_phone_that_calls_itself_keeps_both_calls_apart() -> None:
    """Caller and callee of one endpoint have the same Call-ID and From tag."""
    pair = SipPair()
    pair.bob = pair.alice
    pair._carry = lambda source, _, flow: SipPair._carry(pair, source, source, flow)  # type: ignore[method-assign]
    calling, called = pair.talk()
    called.bye(pair.now)
    pair.transfer()
    assert [True, True] == [calling.is_over, called.is_over]
    pair.advance(70.0)
    assert pair.is_empty()
