"""All live transactions: found, fed, woken, forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.messages import ack, invite, request, response

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import AckReceived, ResponseReceived, TransactionTerminated, TransactionTimedOut
from offhook.sipcore.exceptions import InvalidState, LocalError, MalformedMessage
from offhook.sipcore.headers import Headers
from offhook.sipcore.message import Request, Response, cancel_of
from offhook.sipcore.timers import Timer, Timers
from offhook.sipcore.transaction import (
    MAX_TRANSACTIONS,
    ClientTransaction,
    InviteClientTransaction,
    InviteServerTransaction,
    ServerTransaction,
    TooManyTransactions,
    TransactionTable,
)


@pytest.fixture
def table() -> TransactionTable:
    """An empty table with the default timers."""
    return TransactionTable(Timers())


def sent(table: TransactionTable) -> list[str | int]:
    """What the transactions want to send now, by method and status."""
    messages = [message for _, messages, _ in table.outputs() for message in messages]
    return [message.method if isinstance(message, Request) else message.status for message in messages]


def told(table: TransactionTable) -> list[object]:
    """What the transactions tell their users now."""
    return [event for _, _, events in table.outputs() for event in events]


def run_dry(table: TransactionTable) -> float | None:
    """Wake it at each deadline until there is none; the last instant (seconds)."""
    last = None
    while (deadline := table.next_deadline()) is not None:
        last = deadline
        table.handle_timeout(deadline)
        table.outputs()
    return last


class TestClients:
    """Requests of ours."""

    @pytest.mark.parametrize(("method", "kind"), [("INVITE", InviteClientTransaction), ("BYE", ClientTransaction)])
    def test_a_request_is_sent_by_a_transaction_of_its_kind(
        self, table: TransactionTable, method: str, kind: type
    ) -> None:
        """And the output says which one."""
        transaction = table.create_client(request(method), reliable=False, now=0.0)
        assert kind is type(transaction)
        assert [(transaction, [transaction.request], [])] == table.outputs()

    def test_a_response_reaches_its_transaction(self, table: TransactionTable) -> None:
        """Section 17.1.3."""
        transaction = table.create_client(invite(), reliable=False, now=0.0)
        table.outputs()
        ringing = response(180)
        assert transaction is table.receive_response(ringing, 0.1) is table.find_client(ringing)
        assert [(transaction, [], [ResponseReceived(ringing)])] == table.outputs()

    def test_a_response_to_nothing_is_dropped_and_counted(self, table: TransactionTable) -> None:
        """RFC 6026 section 8.9 lets nobody use us as a mirror."""
        assert table.receive_response(response(200), 0.0) is None is table.find_client(response(200))
        assert {Drop.NO_TRANSACTION: 1} == table.counts().drops

    def test_the_answer_to_a_cancel_does_not_answer_the_invite(self, table: TransactionTable) -> None:
        """Two transactions share one branch."""
        call = table.create_client(invite(), reliable=False, now=0.0)
        cancel = table.create_client(cancel_of(invite()), reliable=False, now=0.0)
        assert cancel is table.receive_response(response(200, cancel.request), 0.1)
        assert ("Calling", "Completed") == (call.state, cancel.state)

    @pytest.mark.parametrize("bad", [ack(), invite(None), invite()], ids=["ACK", "no branch", "branch in use"])
    def test_what_makes_no_transaction_is_refused(self, table: TransactionTable, bad: Request) -> None:
        """The caller is told at once; nothing is half done."""
        table.create_client(invite(), reliable=False, now=0.0)
        with pytest.raises(InvalidState):
            table.create_client(bad, reliable=False, now=0.0)
        assert 1 == len(table)


class TestServers:
    """Requests of peers."""

    @pytest.mark.parametrize(("method", "kind"), [("INVITE", InviteServerTransaction), ("BYE", ServerTransaction)])
    def test_a_new_request_gets_a_transaction_of_its_kind(
        self, table: TransactionTable, method: str, kind: type
    ) -> None:
        """None is found before, one after."""
        assert table.receive_request(request(method), 0.0) is None
        transaction = table.create_server(request(method), reliable=False, now=0.0)
        assert kind is type(transaction)
        assert transaction is table.find_server(request(method))

    def test_an_invite_that_comes_again_makes_no_second_call(self, table: TransactionTable) -> None:
        """It is answered by the transaction alone, before and after the call is accepted."""
        transaction = table.create_server(invite(), reliable=False, now=0.0)
        table.respond(transaction, response(180), 0.1)
        assert [180] == sent(table)
        assert transaction is table.receive_request(invite(), 0.5)
        assert [180] == sent(table)
        table.respond(transaction, response(200), 1.0)
        assert [200] == sent(table)
        assert transaction is table.receive_request(invite(), 1.5)
        assert [] == sent(table)

    def test_the_ack_of_a_refusal_reaches_its_invite(self, table: TransactionTable) -> None:
        """Section 17.2.3: by the branch they share."""
        transaction = table.create_server(invite(), reliable=False, now=0.0)
        table.respond(transaction, response(486), 0.1)
        assert transaction is table.receive_request(ack(), 0.2)
        assert "Confirmed" == transaction.state

    def test_the_ack_of_a_2xx_is_a_message_of_its_own(self, table: TransactionTable) -> None:
        """Its branch is new (section 13.2.2.4): it belongs to the dialog."""
        table.respond(table.create_server(invite(), reliable=False, now=0.0), response(200), 0.1)
        assert table.receive_request(request("ACK", to_tag="bob"), 0.2) is None

    def test_an_ack_of_a_2xx_with_the_branch_of_its_invite_is_passed_up(self, table: TransactionTable) -> None:
        """Some peers send it so; RFC 6026 section 7.1 knows what to do."""
        table.respond(table.create_server(invite(), reliable=False, now=0.0), response(200), 0.1)
        table.outputs()
        acknowledged = ack()
        table.receive_request(acknowledged, 0.2)
        assert [AckReceived(acknowledged)] == told(table)

    def test_a_cancel_finds_its_invite(self, table: TransactionTable) -> None:
        """Section 9.2; the CANCEL is a transaction of its own."""
        call = table.create_server(invite(), reliable=False, now=0.0)
        cancel = cancel_of(invite())
        assert table.find_server(cancel) is None
        assert call is table.find_invite_for_cancel(cancel)
        table.abandon(call, 0.1)
        assert table.find_invite_for_cancel(cancel) is None

    @pytest.mark.parametrize("bad", [ack(invite("z9hG4bKother")), invite()], ids=["ACK", "retransmission"])
    def test_what_makes_no_transaction_is_refused(self, table: TransactionTable, bad: Request) -> None:
        """The caller should have looked first."""
        table.create_server(invite(), reliable=False, now=0.0)
        with pytest.raises(InvalidState):
            table.create_server(bad, reliable=False, now=0.0)

    def test_a_response_that_cannot_be_sent_is_told(self, table: TransactionTable) -> None:
        """And the transaction stays (RFC 6026 section 8.8)."""
        transaction = table.create_server(request("BYE"), reliable=False, now=0.0)
        table.respond(transaction, response(200, request("BYE")), 0.0)
        table.outputs()
        assert table.transport_failed(transaction, OSError("gone"), 0.0) is None
        assert (1, 1) == (len(told(table)), len(table))

    def test_an_answer_that_comes_too_late_is_dropped_and_counted(self, table: TransactionTable) -> None:
        """Its user learns the reason as well."""
        transaction = table.create_server(request("BYE"), reliable=True, now=0.0)
        assert table.respond(transaction, response(200, request("BYE")), 0.0) is None
        assert Drop.TRANSACTION_ENDED is table.respond(transaction, response(200, request("BYE")), 0.1)
        assert {Drop.TRANSACTION_ENDED: 1} == table.counts().drops


class TestPeersOfRfc2543:
    """Section 17.2.3, second half."""

    def test_the_ack_finds_the_invite_by_the_tag_of_the_answer(self, table: TransactionTable) -> None:
        """And ends the retransmissions."""
        first = invite("1")
        busy = response(486, first)
        transaction = table.create_server(first, reliable=False, now=0.0)
        table.respond(transaction, response(180, first), 0.0)
        table.respond(transaction, busy, 0.1)
        assert [180, 486] == sent(table)
        assert transaction is table.receive_request(ack(first, busy), 0.2)
        assert "Confirmed" == transaction.state

    def test_a_response_that_is_sent_again_gives_no_third_name(self, table: TransactionTable) -> None:
        """And nothing is left when the transaction ends."""
        first = invite("1")
        transaction = table.create_server(first, reliable=False, now=0.0)
        table.respond(transaction, response(486, first), 0.1)
        run_dry(table)
        assert table.find_server(first) is None is table.find_server(ack(first, response(486, first)))

    def test_two_calls_that_would_share_the_name_of_their_ack_do_not_disturb_one_another(
        self, table: TransactionTable
    ) -> None:
        """The first keeps it, and both end."""
        for to_tag in (None, "bob"):
            first = invite("1", to_tag=to_tag)
            table.respond(table.create_server(first, reliable=False, now=0.0), response(486, first), 0.0)
        table.outputs()
        run_dry(table)
        assert 0 == len(table)

    def test_a_request_other_than_invite_needs_no_second_name(self, table: TransactionTable) -> None:
        """It has no ACK."""
        bye = request("BYE", "1")
        transaction = table.create_server(bye, reliable=False, now=0.0)
        table.respond(transaction, response(200, bye), 0.0)
        table.outputs()
        assert transaction is table.receive_request(bye, 0.1)


class TestMalformed:
    """What was not validated does no harm."""

    def test_a_message_without_a_readable_via_finds_nothing_and_is_counted(self, table: TransactionTable) -> None:
        """Whichever way it comes in."""
        headers = Headers([("Via", "nonsense"), ("CSeq", "1 INVITE")])
        strange, answer = Request("INVITE", "sip:bob@127.0.0.1", headers), Response(200, "OK", headers)
        assert table.find_client(answer) is None is table.receive_response(answer, 0.0)
        assert table.find_server(strange) is None is table.find_invite_for_cancel(strange)
        assert {Drop.MALFORMED: 4} == table.counts().drops
        with pytest.raises(MalformedMessage):
            table.create_server(strange, reliable=False, now=0.0)


class TestLimit:
    """Habit: every limit is crossed by one."""

    def test_a_full_table_takes_no_new_request_of_a_peer(self) -> None:
        """It is for the caller to answer 503, without state."""
        table = TransactionTable(Timers(), limit=1)
        first = table.create_server(invite(), reliable=False, now=0.0)
        assert table.create_server(request("BYE"), reliable=False, now=0.0) is None
        assert ({Drop.TABLE_FULL: 1}, 1) == (table.counts().drops, len(table))
        assert first is table.receive_request(invite(), 0.1)

    def test_a_full_table_takes_no_new_request_of_ours(self) -> None:
        """Whose fault it is, is plain: it is a LocalError."""
        table = TransactionTable(Timers(), limit=1)
        table.create_client(invite(), reliable=False, now=0.0)
        with pytest.raises(TooManyTransactions, match="1 transactions are under way"):
            table.create_client(request("BYE"), reliable=False, now=0.0)
        assert issubclass(TooManyTransactions, LocalError)

    def test_there_is_room_again_when_something_ends(self) -> None:
        """The limit never wedges."""
        table = TransactionTable(Timers(), limit=1)
        table.abandon(table.create_client(invite(), reliable=False, now=0.0), 0.0)
        assert table.create_server(invite(), reliable=False, now=0.0) is not None

    def test_the_limit_is_twenty_thousand_unless_told_otherwise(self) -> None:
        """One more is one too many."""
        table = TransactionTable(Timers())
        for n in range(MAX_TRANSACTIONS):
            table.create_server(request("BYE", f"z9hG4bK{n}"), reliable=False, now=0.0)
        assert table.create_server(request("BYE", "z9hG4bKmore"), reliable=False, now=0.0) is None
        assert f"<TransactionTable {MAX_TRANSACTIONS} of 20000, next deadline None>" == repr(table)


class TestTime:
    """Deadlines, and the end of all things."""

    def test_it_wants_to_be_woken_at_the_earliest_deadline(self, table: TransactionTable) -> None:
        """An INVITE is due after T1, our 100 after 200 ms."""
        table.create_client(invite(), reliable=False, now=0.0)
        table.create_server(invite(), reliable=False, now=0.1)
        assert pytest.approx(0.3) == table.next_deadline()

    def test_only_those_that_are_due_are_woken(self, table: TransactionTable) -> None:
        """The outputs name nobody else."""
        first = table.create_client(invite("z9hG4bK1"), reliable=False, now=0.0)
        table.create_client(invite("z9hG4bK2"), reliable=False, now=0.2)
        table.outputs()
        table.handle_timeout(0.6)
        assert [(first, [first.request], [])] == table.outputs()

    def test_what_was_told_is_drained_although_the_transaction_is_gone(self, table: TransactionTable) -> None:
        """It leaves the table at once, its last words do not get lost."""
        transaction = table.create_client(invite(), reliable=True, now=0.0)
        table.outputs()
        table.handle_timeout(32.0)
        assert (0, None) == (len(table), table.next_deadline())
        assert [(transaction, [], [TransactionTimedOut(Timer.B), TransactionTerminated()])] == table.outputs()

    def test_ten_thousand_unfinished_invites_are_gone_after_64_t1(self, table: TransactionTable) -> None:
        """Half are ours and never answered, half a peer's whose ACK never comes."""
        for n in range(5_000):
            table.create_client(invite(f"z9hG4bKour{n}"), reliable=False, now=0.0)
            theirs = invite(f"z9hG4bKtheir{n}")
            table.respond(table.create_server(theirs, reliable=False, now=0.0), response(486, theirs), 0.0)
        table.outputs()
        assert (10_000, 32.0) == (len(table), run_dry(table))
        assert (0, 10_000) == (len(table), table.counts().timed_out)
        assert [] == table._deadlines._heap

    def test_who_drives_a_transaction_directly_says_so(self, table: TransactionTable) -> None:
        """``touched`` brings the table up to date, and counts what was ignored."""
        transaction = table.create_client(invite(), reliable=False, now=0.0)
        table.touched(transaction, transaction.receive_response(response(486), 0.1))
        table.touched(transaction, transaction.receive_response(response(180), 0.2))
        assert (32.1, {Drop.LATE_PROVISIONAL: 1}) == (table.next_deadline(), table.counts().drops)
        transaction.abandon(0.3)
        table.touched(transaction)
        table.touched(transaction)
        assert 0 == len(table)


class TestCounts:
    """What a display or a load test reads."""

    def test_the_counts_tell_our_retransmissions_from_the_peers(self, table: TransactionTable) -> None:
        """Two INVITEs of ours were sent again; the peer sent its 486 and its own INVITE again."""
        transaction = table.create_client(invite(), reliable=False, now=0.0)
        table.handle_timeout(0.5)
        table.handle_timeout(1.5)
        table.create_server(invite(), reliable=False, now=1.6)
        table.receive_request(invite(), 1.7)
        table.receive_response(response(486), 1.8)
        table.receive_response(response(486), 1.9)
        counts = table.counts()
        assert (3, 2) == (counts.retransmitted, counts.retransmissions_received)
        assert transaction.retransmitted == 3

    def test_the_counts_tell_what_lives_by_kind(self, table: TransactionTable) -> None:
        """And how many were made."""
        table.abandon(table.create_client(invite(), reliable=False, now=0.0), 0.0)
        table.create_client(request("BYE"), reliable=False, now=0.0)
        expected = {"INVITE client": 0, "non-INVITE client": 1, "INVITE server": 0, "non-INVITE server": 0}
        assert (expected, 2) == (table.counts().live, table.counts().created)

    def test_a_snapshot_does_not_change_any_more(self, table: TransactionTable) -> None:
        """Who compares two of them sees what happened in between."""
        before = table.counts()
        table.create_client(invite(), reliable=False, now=0.0)
        assert (0, 1) == (before.live["INVITE client"], table.counts().live["INVITE client"])


STEP = st.tuples(
    st.sampled_from(["call", "ask", "invite", "bye", "answer", "ack", "reply", "fail", "sleep"]),
    st.integers(0, 3),
    st.sampled_from([100, 180, 200, 302, 486, 603]),
)


def play(table: TransactionTable, step: tuple[str, int, int], reliable: bool, now: float) -> None:
    """One random thing happens: to one of four calls, by us or by a peer; outputs are lost when nobody looks."""
    what, n, status = step
    ours, theirs = f"z9hG4bKour{n}", f"z9hG4bKtheir{n}"
    first = {"call": invite(ours), "ask": request("BYE", ours), "invite": invite(theirs), "bye": request("BYE", theirs)}
    if what in {"call", "ask"} and table.find_client(first[what]) is None:
        table.create_client(first[what], reliable, now)
    elif what in {"invite", "bye"} and table.receive_request(first[what], now) is None:
        table.create_server(first[what], reliable, now)
    elif what == "answer":
        table.receive_response(response(status, first["call"]), now)
        table.receive_response(response(status, first["ask"]), now)
    elif what == "ack":
        table.receive_request(ack(first["invite"], response(status, first["invite"])), now)
    elif what == "reply":
        for mine in filter(None, map(table.find_server, (first["invite"], first["bye"]))):
            table.respond(mine, response(status, mine.request), now)
    elif what == "fail":
        for mine in filter(None, map(table.find_client, (first["call"], first["ask"]))):
            table.transport_failed(mine, OSError("lost"), now)


@given(st.lists(STEP, max_size=40), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=150)
def test_when_everybody_falls_silent_everything_ends_by_itself(
    steps: list[tuple[str, int, int]], reliable: bool, drained: bool
) -> None:
    """Whatever came before; only who still waits for its own user (a ringing phone) has to be given up by him."""
    table, now = TransactionTable(Timers()), 0.0
    for step in steps:
        now += 0.15 * (1 + step[1])
        table.handle_timeout(now)
        play(table, step, reliable, now)
        _ = table.outputs() if drained else None
    run_dry(table)
    waiting = {transaction.state for transaction in table._entries}
    assert waiting <= {"Proceeding", "Trying"}
    for transaction in list(table._entries):
        table.abandon(transaction, now)
    assert (0, None, []) == (len(table), table.next_deadline(), table._deadlines._heap)
    assert not table._clients
    assert not table._servers
