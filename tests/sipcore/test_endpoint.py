"""The whole core as one machine: RFC 3261 sections 8, 9, 11 to 15 and 18."""

from __future__ import annotations

import pytest
from support.messages import ack, invite, request, response
from support.sip_pair import ALICE_TO_BOB, BOB_TO_ALICE, SDP, Peer, SipPair, endpoint, outgoing

from offhook.sipcore.call_events import CallAnswered, CallCancelled, CallConfirmed, CallEnded, InviteFailed
from offhook.sipcore.drops import Drop
from offhook.sipcore.endpoint import TooManySessions
from offhook.sipcore.message import Request, Response, response_to
from offhook.sipcore.parser import parse
from offhook.sipcore.session import SessionState
from offhook.sipcore.timers import Timers

CONTACT = ("Contact", "<sip:alice@127.0.0.1:5070>")
ELSEWHERE = BOB_TO_ALICE._replace(remote=("127.0.0.9", 9_999))


def call(branch: str = "z9hG4bKfirst", **more) -> Request:
    """Alice's INVITE with a Contact."""
    return invite(branch, headers=[CONTACT, *more.pop("headers", [])], **more)


def only(messages: list) -> Request | Response:
    """The one that there is."""
    (message,) = messages
    return message


class TestWhatNeedsNoUser:
    """Section 8.2: refusals that the core speaks by itself."""

    @pytest.mark.parametrize(
        ("message", "status", "field"),
        [
            (request("REGISTER"), 405, "allow"),
            (request("FOO"), 501, "allow"),
            (request("BYE"), 481, "server"),
            (request("BYE", to_tag="nobody"), 481, "server"),
            (call(to_tag="nobody"), 481, "server"),
            (call(target="tel:+4930"), 416, "server"),
            (call(headers=[("Require", "100rel")]), 420, "unsupported"),
            (call(body=b"x"), 415, "accept"),
            (request("CANCEL"), 481, "server"),
            (invite(), 400, "server"),
            (invite(headers=[("Contact", "<tel:+49>")]), 416, "server"),
            (request("OPTIONS"), 200, "accept"),
        ],
        ids=lambda value: value if isinstance(value, int | str) else f"{value.method}-{value.target}",
    )
    def test_it_is_answered_at_once_with_what_helps(self, message: Request, status: int, field: str) -> None:
        """And nobody hears of a call; a tag is always there (8.2.6.2)."""
        peer = Peer()
        answer = only(peer.receive(message))
        assert (status, True, True) == (answer.status, field in answer.headers, bool(answer.to.tag))
        assert [] == peer.core.events()

    def test_a_refused_request_leaves_nothing_after_its_time(self) -> None:
        """32 s for a final response that nobody acknowledges."""
        peer = Peer()
        peer.receive(call(headers=[("Require", "x")]))
        peer.advance(32.0)
        assert (0, None) == (peer.core.counts().transactions, peer.core.next_deadline())

    def test_an_ack_for_nothing_is_counted_and_silent(self) -> None:
        """ACK is never answered (17)."""
        peer = Peer()
        assert [] == peer.receive(request("ACK", to_tag="nobody"))
        assert 1 == peer.core.counts().dropped[Drop.STRAY_ACK]

    @pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"])
    def test_a_keep_alive_is_counted_and_silent(self, data: bytes) -> None:
        """RFC 5626 section 3.5.1, and what phones send instead."""
        peer = Peer()
        assert [] == peer.receive(data)
        assert 1 == peer.core.counts().dropped[Drop.KEEP_ALIVE]

    def test_received_messages_are_counted_by_kind(self) -> None:
        """What a peer invents does not make a counter of its own."""
        peer = Peer()
        for method in ("OPTIONS", "FOO", "BAR"):
            peer.receive(request(method))
        peer.receive(response(180))
        counts = peer.core.counts()
        assert {"OPTIONS": 1, "other": 2, "1xx": 1} == counts.received
        assert {"2xx": 1, "5xx": 2} == counts.sent


class TestMalformed:
    """What cannot be read is answered once, without state, at the address it came from."""

    BAD = request("OPTIONS", sent_by="10.0.0.1:5070;rport").to_bytes().replace(b"Max-Forwards: 70", b"Max-Forwards: x")

    def test_it_gets_the_status_that_it_deserves(self) -> None:
        """At the source, not at the address that it wrote on itself (18.2.1, RFC 3581)."""
        peer = Peer()
        peer.core.receive_datagram(self.BAD, ELSEWHERE, 0.0)
        ((answer, flow),) = peer.sent_to()
        assert (400, ("127.0.0.9", 9_999)) == (answer.status, flow.remote)
        assert (0, 1) == ((counts := peer.core.counts()).transactions, counts.dropped[Drop.MALFORMED])

    def test_it_gets_the_same_tag_each_time(self) -> None:
        """8.2.7: "in a manner that will generate the same tag for the same request consistently"."""
        peer = Peer()
        assert peer.receive(self.BAD)[0].to.tag == peer.receive(self.BAD)[0].to.tag
        assert peer.receive(self.BAD)[0].to.tag != peer.receive(self.BAD.replace(b"call-1", b"call-2"))[0].to.tag

    @pytest.mark.parametrize(
        "data",
        [
            b"\xff\xfe\xfd",
            b"GET / HTTP/1.1\r\n\r\n",
            ack().to_bytes().replace(b"CSeq: 1 ACK", b"CSeq: x ACK"),
            response(200).to_bytes().replace(b"CSeq: 1", b"CSeq: x"),
        ],
    )
    def test_what_cannot_be_answered_is_not(self, data: bytes) -> None:
        """No request, an ACK, a response."""
        peer = Peer()
        assert [] == peer.receive(data)
        assert 1 == peer.core.counts().dropped[Drop.MALFORMED]

    def test_without_a_via_nobody_knows_where_to(self) -> None:
        """Counted under its own name."""
        peer = Peer()
        assert [] == peer.receive(b"OPTIONS sip:b SIP/2.0\r\nFrom: <sip:a>;tag=1\r\n\r\n")
        assert 1 == peer.core.counts().dropped[Drop.UNANSWERABLE]

    def test_what_is_refused_by_validation_is_refused_without_state(self) -> None:
        """A Contact that is none, say."""
        peer = Peer()
        assert 400 == only(peer.receive(invite(headers=[("Contact", "<sip:")]))).status
        assert 0 == peer.core.counts().transactions


class TestWhereResponsesGo:
    """Section 18.2.2 and RFC 3581."""

    @pytest.mark.parametrize(
        ("sent_by", "expected"),
        [
            ("10.0.0.1:5070;rport", ("127.0.0.9", 9_999)),
            ("10.0.0.1:5070", ("127.0.0.9", 5_070)),
            ("10.0.0.1", ("127.0.0.9", 5_060)),
            ("10.0.0.1;received=192.0.2.66", ("127.0.0.9", 5_060)),
            ("10.0.0.1;maddr=192.0.2.66;rport", ("127.0.0.9", 9_999)),
        ],
    )
    def test_they_go_to_the_source_address(self, sent_by: str, expected: tuple[str, int]) -> None:
        """To the source port with ``rport``, else to the one in Via; never where the sender merely points."""
        peer = Peer()
        peer.core.receive_datagram(request("OPTIONS", sent_by=sent_by).to_bytes(), ELSEWHERE, 0.0)
        ((_, flow),) = peer.sent_to()
        assert ELSEWHERE._replace(remote=expected) == flow

    def test_the_vias_below_are_sent_back_as_they_came(self) -> None:
        """8.2.6.2; a comma in quotes is no end."""
        peer = Peer()
        message = request("OPTIONS", sent_by="10.0.0.1;rport")
        below = 'SIP/2.0/UDP proxy;branch=z9hG4bKx;n="a,b"'
        message.headers.replace_first("via", f"{message.headers['via']}, {below}")
        assert below == only(peer.receive(message)).headers.get_list("via")[1]


class TestOneCallOnce:
    """8.2.2.2, 17.2.3, RFC 6026: an INVITE that comes again is no second call."""

    def test_a_retransmitted_invite_never_makes_a_second_call(self) -> None:
        """Before the answer, after it, after the ACK."""
        pair = SipPair()
        pair.call()
        bob = pair.ring()
        first = pair.wire[0].to_bytes()
        pair.bob.receive_datagram(first, BOB_TO_ALICE, pair.now)
        bob.accept(SDP, "application/sdp", pair.now)
        for _ in range(2):
            pair.transfer()
            pair.bob.receive_datagram(first, BOB_TO_ALICE, pair.now)
        assert [bob] == pair.received

    def test_a_merged_request_is_482(self) -> None:
        """It came by two ways of a proxy: the first one is the call."""
        peer = Peer()
        assert [] == peer.receive(call())
        assert 482 == only(peer.receive(call("z9hG4bKsecond"))).status
        assert 1 == peer.core.counts().sessions

    def test_nothing_is_merged_with_a_transaction_that_has_ended(self) -> None:
        """Not for as long as the call stands, and not for ever."""
        peer = Peer()
        peer.receive(call())
        peer.new_call().reject(486, 0.0)
        peer.sent()
        peer.advance(32.0)
        assert [] == peer.receive(call("z9hG4bKsecond"))
        assert 1 == len(peer.core.events())


class TestResponses:
    """8.1.3."""

    def test_a_response_with_two_vias_is_not_for_us(self) -> None:
        """8.1.3.3: "the UAC SHOULD discard the message"; on one line or on two."""
        peer = Peer(ALICE_TO_BOB)
        peer.core.invite(outgoing(), ALICE_TO_BOB, 0.0)
        ok = response_to(only(peer.sent()), 200, to_tag="bob", headers=[CONTACT, ("Via", "SIP/2.0/UDP x")])
        assert [] == peer.receive(ok)
        ok.headers.remove("via")
        ok.headers.add("Via", "SIP/2.0/UDP x, SIP/2.0/UDP y")
        assert [] == peer.receive(ok)
        assert 2 == peer.core.counts().dropped[Drop.MISROUTED]

    @pytest.mark.parametrize("status", [180, 200, 404])
    def test_a_response_to_nothing_is_counted(self, status: int) -> None:
        """RFC 6026 section 8.10."""
        peer = Peer()
        assert [] == peer.receive(response_to(call(), status, to_tag="x", headers=[CONTACT]))
        assert 1 == peer.core.counts().dropped[Drop.NO_TRANSACTION]

    def test_a_late_refusal_of_a_standing_call_is_counted(self) -> None:
        """Only a 2xx has a meaning after its transaction."""
        pair = SipPair()
        pair.talk()
        pair.advance(33.0)
        late = response_to(pair.wire[0], 486, to_tag="x")
        pair.alice.receive_datagram(late.to_bytes(), ALICE_TO_BOB, pair.now)
        assert 1 == pair.alice.counts().dropped[Drop.NO_TRANSACTION]


class TestCustomHeaders:
    """A value that a tester sends is the value that the agent reads."""

    def test_they_pass_unchanged_both_ways(self) -> None:
        """In the case of the wire, found without case."""
        pair = SipPair()
        mine, yours = ("X-Simulation-Result-Id", '42 =;,<>"'), ("x-reply", "ünïcode\t!")
        pair.call(headers=(mine,))
        bob = pair.ring()
        bob.accept(SDP, "application/sdp", 0.0, (yours,))
        pair.transfer()
        assert mine in bob.invite.headers.items()
        assert mine[1] == bob.invite.headers["x-SIMULATION-result-id"]
        answer = next(event for _, event in pair.told if isinstance(event, CallAnswered)).response
        assert (True, yours[1]) == (yours in answer.headers.items(), answer.headers["X-REPLY"])

    @pytest.mark.parametrize("value", ["a\r\nX-B: 1", "a\rb", "a\nb", "a\0b"])
    def test_none_breaks_out_and_nothing_is_sent(self, value: str) -> None:
        """ValueError, and no call was placed."""
        core = endpoint()
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            core.invite(outgoing(headers=(("X-A", value),)), ALICE_TO_BOB, 0.0)
        assert ([], 0, 0) == (core.datagrams_to_send(), core.counts().sessions, core.counts().transactions)

    @pytest.mark.parametrize("settings", [{"user_agent": "a\r\nb"}, {"user": "a\nb"}])
    def test_names_of_the_endpoint_are_checked_when_it_is_made(self, settings: dict[str, str]) -> None:
        """And not in the middle of a call."""
        with pytest.raises(ValueError):
            endpoint(**settings)


class TestLimits:
    """Each is crossed by one; what stands is not disturbed."""

    def test_one_call_too_many_is_503_without_state(self) -> None:
        """The caller may try again later; its ACK finds nothing, and is silent."""
        peer = Peer(max_sessions=2)
        for number in (1, 2):
            assert [] == peer.receive(call(f"z9hG4bK{number}", call_id=f"c{number}"))
        before = peer.core.counts().transactions
        refusal = only(peer.receive(call("z9hG4bK3", call_id="c3")))
        assert (503, "5", before) == (refusal.status, refusal.headers["retry-after"], peer.core.counts().transactions)
        assert [] == peer.receive(ack(call("z9hG4bK3", call_id="c3"), refusal))
        assert 1 == peer.core.counts().dropped[Drop.TOO_MANY_SESSIONS]

    def test_one_call_of_ours_too_many_is_refused_to_its_user(self) -> None:
        """By an exception, and nothing is sent."""
        core = endpoint(max_sessions=1)
        core.invite(outgoing(), ALICE_TO_BOB, 0.0)
        core.datagrams_to_send()
        with pytest.raises(TooManySessions, match="1 calls live"):
            core.invite(outgoing(), ALICE_TO_BOB, 0.0)
        assert ([], 1) == (core.datagrams_to_send(), core.counts().sessions)

    def test_one_transaction_too_many_refuses_new_calls_and_lets_standing_ones_end(self) -> None:
        """A flood does not keep the others from hanging up: a quarter more is kept for them."""
        peer = Peer(max_transactions=4)
        for number in range(4):
            peer.receive(call(f"z9hG4bK{number}", call_id=f"c{number}"))
        assert 503 == only(peer.receive(call("z9hG4bKx", call_id="x"))).status
        assert 503 == only(peer.receive(request("OPTIONS", call_id="x"))).status
        cancel = request("CANCEL", "z9hG4bK0", call_id="c0")
        assert [200, 487] == [message.status for message in peer.receive(cancel)]

    def test_beyond_that_quarter_everything_is_503(self) -> None:
        """4 and a quarter, rounded up, and not one more."""
        peer = Peer(max_transactions=4)
        for number in range(6):
            peer.receive(request("BYE", f"z9hG4bK{number}", to_tag="x"))
        assert 503 == only(peer.receive(request("BYE", "z9hG4bKone-too-many", to_tag="x"))).status
        assert 1 == peer.core.counts().dropped[Drop.TABLE_FULL]

    def test_ten_thousand_unfinished_calls_leave_nothing(self) -> None:
        """Answered and never acknowledged, refused and never acknowledged, never answered: all die by themselves."""
        peer = Peer(answer_timeout=30.0)
        for number in range(10_000):
            peer.receive(call(f"z9hG4bK{number}", call_id=f"c{number}"))
            if number % 3 == 0:
                peer.new_call().accept(SDP, "application/sdp", 0.0)
            elif number % 3 == 1:
                peer.new_call().reject(486, 0.0)
        assert 10_000 == peer.core.counts().sessions
        for now in (0.2, 10.0, 31.0, 33.0, 64.0, 66.0, 96.0):
            peer.core.handle_timeout(now)
            peer.core.datagrams_to_send()
        counts = peer.core.counts()
        assert (0, 0, 0, None) == (counts.sessions, counts.dialogs, counts.transactions, peer.core.next_deadline())
        assert [] == [len(part) for part in parts(peer.core) if len(part)]


def parts(core) -> list:
    """Every container in which something could have been forgotten."""
    table = core._sessions
    return [
        table._sessions, table._dialogs, table._callers, table._callees, table._owned, table._flows, table._merging,
        core._unanswered, core._hanging_up, core._wake, core._outbox, core._table,
    ]  # fmt: skip


class TestHangingUpAll:
    """What a shell does before it closes."""

    def test_every_call_ends_by_its_own_way(self) -> None:
        """BYE, 603, CANCEL as soon as it may be sent; and it is known whether answers are awaited."""
        pair = SipPair()
        caller, _ = pair.talk()
        inviting = pair.call()
        ringing = pair.ring()
        ringing.ring(pair.now)
        pair.transfer()
        pair.alice.hang_up_all(pair.now)
        assert pair.alice.is_waiting()
        pair.transfer()
        assert not pair.alice.is_waiting()
        assert [CallEnded, InviteFailed, CallCancelled] == [pair.kinds(s)[-1] for s in (caller, inviting, ringing)]

    def test_whoever_rings_is_refused(self) -> None:
        """603, and nothing is awaited."""
        peer = Peer()
        peer.receive(call())
        peer.core.hang_up_all(0.0)
        assert (603, False) == (only(peer.sent()).status, peer.core.is_waiting())

    def test_nothing_stands_nothing_to_do(self) -> None:
        """No message, no waiting."""
        peer = Peer()
        peer.core.hang_up_all(0.0)
        assert ([], False, None) == (peer.sent(), peer.core.is_waiting(), peer.core.next_deadline())


class TestServingSessions:
    """What the core does for a session, beyond carrying its messages."""

    def test_a_2xx_that_comes_again_is_acknowledged_when_its_transaction_is_gone(self) -> None:
        """13.2.2.4: for as long as the call stands."""
        pair = SipPair()
        pair.talk()
        pair.advance(33.0)
        again = next(message for message in pair.wire if isinstance(message, Response) and message.status == 200)
        pair.alice.receive_datagram(again.to_bytes(), ALICE_TO_BOB, pair.now)
        assert ["ACK"] == [message.method for message in pair.drop(pair.alice)]

    def test_a_2xx_to_another_invite_is_not_acknowledged_with_the_first_ones_number(self) -> None:
        """An ACK has the CSeq number of the INVITE that it acknowledges."""
        pair = SipPair()
        pair.talk()
        pair.advance(33.0)
        other = next(message for message in pair.wire if isinstance(message, Response) and message.status == 200)
        other.headers.set("CSeq", f"{other.cseq.number + 1} INVITE")
        pair.alice.receive_datagram(other.to_bytes(), ALICE_TO_BOB, pair.now)
        assert ([], 1) == (pair.drop(pair.alice), pair.alice.counts().dropped[Drop.NO_TRANSACTION])

    def test_a_bye_that_waits_for_an_ack_is_waited_for(self) -> None:
        """Who closes asks; the ACK on the INVITE's own branch counts as well."""
        peer = Peer()
        peer.receive(call())
        session = peer.new_call()
        session.accept(SDP, "application/sdp", 0.0)
        session.bye(0.0)
        peer.sent()
        assert peer.core.is_waiting()
        bye = only(peer.receive(request("ACK", "z9hG4bKfirst", to_tag=session.local_tag)))
        peer.receive(response_to(bye, 200))
        assert ("BYE", False) == (bye.method, peer.core.is_waiting())

    def test_without_room_for_a_transaction_a_request_is_sent_once(self) -> None:
        """Nothing that a peer or a clock brings about raises; and who ignores the CANCEL is given up."""
        core = endpoint(max_transactions=1, ring_timeout=5.0)
        core._table._limit = 1
        session = core.invite(outgoing(), ALICE_TO_BOB, 0.0)
        sent = [message for data, _ in core.datagrams_to_send() if (message := parse(data))]
        core.receive_datagram(response_to(sent[0], 180, to_tag="x").to_bytes(), ALICE_TO_BOB, 0.0)
        for now in (5.0, 37.0):
            core.handle_timeout(now)
        assert 1 == core.counts().dropped[Drop.SENT_ONCE] == core.counts().sent["CANCEL"]
        assert (True, 0) == (session.is_over, core.counts().sessions)

    def test_a_call_that_no_datagram_holds_fails_alone(self) -> None:
        """Its neighbours on the same flow do not notice."""
        core = endpoint()
        other = core.invite(outgoing(), ALICE_TO_BOB, 0.0)
        core.invite(outgoing(SDP * 900), ALICE_TO_BOB, 0.0)
        assert [503] == [event.status for _, event in core.events()]
        assert (1, False) == (core.counts().dropped[Drop.TOO_LARGE], other.is_over)

    def test_what_is_not_served_or_required_is_refused_inside_a_call_too(self) -> None:
        """8.2.1 and 8.2.2.3 know no dialog."""
        peer = Peer()
        peer.receive(call())
        tag = peer.new_call().local_tag
        for message, status in ((request("UPDATE", to_tag=tag), 405), (required("x", tag), 420)):
            assert status == only(peer.receive(message)).status


def required(extension: str, tag: str) -> Request:
    """An OPTIONS inside the dialog that needs an extension."""
    return request("OPTIONS", to_tag=tag, headers=[("Require", extension)])


class TestTransportFailures:
    """17.1.4, 17.2.4: what the shell could not send."""

    def test_a_bye_that_cannot_be_sent_has_ended_the_call_all_the_same(self) -> None:
        """15.1.1: the session ends when the BYE is passed down."""
        pair = SipPair()
        caller, _ = pair.talk()
        caller.bye(pair.now)
        pair.drop(pair.alice)
        pair.alice.transport_failed(ALICE_TO_BOB, OSError("gone"), pair.now)
        assert not pair.alice.is_waiting()
        assert SessionState.ENDED is caller.state

    def test_an_answer_that_cannot_be_sent_ends_by_its_timers(self) -> None:
        """RFC 6026 section 8.8: a server transaction "MUST remain in the current state"."""
        peer = Peer()
        peer.receive(call())
        peer.new_call().accept(SDP, "application/sdp", 0.0)
        peer.sent()
        peer.core.transport_failed(BOB_TO_ALICE, OSError("gone"), 0.0)
        peer.advance(70.0)
        assert 0 == peer.core.counts().sessions


class TestLossyLink:
    """Every datagram may be lost, each way, and every call still has one clean end."""

    @pytest.mark.parametrize(("loss", "seed"), [(0.1, 11), (0.3, 12)])
    def test_two_hundred_calls_complete_or_fail_cleanly(self, loss: float, seed: int) -> None:
        """Each side hears how its call ended, exactly once; nothing is left on either."""
        pair = Automatic(loss, seed)
        calls = []
        for _ in range(200):
            calls.append(pair.call())
            pair.transfer()
            pair.advance(0.05)
        pair.advance(300.0)
        ends = [[kind for kind in pair.kinds(call) if kind in {CallEnded, InviteFailed}] for call in calls]
        assert {1} == {len(end) for end in ends}
        assert ends.count([CallEnded]) > 150
        assert pair.is_empty()

    def test_the_same_seed_is_the_same_run(self) -> None:
        """To the octet."""
        runs = []
        for _ in range(2):
            pair = Automatic(0.2, 5)
            pair.call()
            pair.advance(100.0)
            runs.append([message.to_bytes() for message in pair.wire])
        assert runs[0] == runs[1]


class Automatic(SipPair):
    """Bob rings and answers each call; Alice hangs up when she is answered."""

    def incoming(self, session) -> None:
        """Bob takes it at once."""
        session.ring(self.now)
        session.accept(SDP, "application/sdp", self.now)

    def happened(self, session, event) -> None:
        """Alice has had enough at once."""
        if isinstance(event, CallAnswered):
            session.bye(self.now)
        elif isinstance(event, CallConfirmed):
            assert SessionState.CONFIRMED is session.state or session.is_over


def test_quick_timers_are_quick_everywhere() -> None:
    """All deadlines come from one value: T1 of a tenth gives up after a tenth of the time."""
    pair = SipPair(timers=Timers(t1=0.05, t2=0.4, t4=0.5, d=3.2))
    lost = pair.call()
    pair.advance(3.2, silent=pair.alice)
    assert [InviteFailed] == pair.kinds(lost)
