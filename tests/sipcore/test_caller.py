"""The caller's side: RFC 3261 sections 9.1 and 13.2."""

from __future__ import annotations

import pytest
from support.sip_pair import ALICE_TO_BOB, SDP, Peer, SipPair, outgoing

from offhook.sipcore.call_events import CallAnswered, CallEnded, CallProgressed, InviteFailed
from offhook.sipcore.caller import MAX_FORKS
from offhook.sipcore.drops import Drop
from offhook.sipcore.message import Request, Response, response_to
from offhook.sipcore.session import SessionState

CONTACT = ("Contact", "<sip:bob@127.0.0.1:5060>")


class Caller(Peer):
    """Alice against a hand-written Bob."""

    def __init__(self, **settings: object) -> None:
        super().__init__(ALICE_TO_BOB, **settings)
        self.call = self.core.invite(outgoing(), self.flow, self.now)
        (self.invite,) = self.sent()

    def answer(self, status: int, *headers: tuple[str, str], tag: str = "bob", of: Request | None = None) -> list[str]:
        """Bob answers the INVITE, or ``of``; the methods that Alice sends upon it."""
        fields = headers or (CONTACT,)
        tag = "" if status == 100 else tag
        return methods(self.receive(response_to(of or self.invite, status, to_tag=tag, headers=fields)))

    def end(self) -> InviteFailed:
        """How the call failed; nothing else was told."""
        (event,) = self.events()
        assert isinstance(event, InviteFailed)
        return event

    def is_empty(self) -> bool:
        """Whether nothing is left."""
        counts = self.core.counts()
        return (0, 0, None) == (counts.sessions, counts.transactions, self.core.next_deadline())


def methods(messages: list[Request | Response]) -> list[str]:
    """Of the requests among these messages."""
    return [message.method for message in messages if isinstance(message, Request)]


class TestGettingThrough:
    """13.2.2: provisional responses, 2xx."""

    def test_ringing_is_told_and_trying_is_not(self) -> None:
        """100 says only that somebody has the INVITE."""
        caller = Caller()
        for status in (100, 180, 183, 180):
            assert [] == caller.answer(status)
        assert [180, 183, 180] == [event.response.status for event in caller.events()]

    def test_the_answer_is_acknowledged_at_its_contact(self) -> None:
        """A target of its own, a branch of its own, the tags and the number of the INVITE (13.2.2.4)."""
        caller = Caller()
        (out,) = send(caller, response_to(caller.invite, 200, to_tag="bob", headers=[("Contact", "<sip:b@127.0.0.9>")]))
        ack, flow = out
        assert ("ACK", "sip:b@127.0.0.9", ("127.0.0.9", 5060)) == (ack.method, ack.target, flow.remote)
        assert (caller.invite.from_.tag, "bob") == (ack.from_.tag, ack.to.tag)
        assert caller.invite.cseq.number == ack.cseq.number
        assert caller.invite.via.branch != ack.via.branch
        assert [CallAnswered] == [type(event) for event in caller.events()]

    def test_each_2xx_is_acknowledged_with_the_same_octets(self) -> None:
        """13.2.2.4, also when the transaction is long gone and the call still stands."""
        caller = Caller()
        ok = response_to(caller.invite, 200, to_tag="bob", headers=[CONTACT])
        acks = [caller.receive(ok)[0].to_bytes() for _ in range(2)]
        caller.advance(60.0)
        acks += [caller.receive(ok)[0].to_bytes()]
        assert 1 == len(set(acks))
        assert [CallAnswered] == [type(event) for event in caller.events()]

    def test_a_ringing_after_the_answer_is_not_told(self) -> None:
        """It was overtaken."""
        caller = Caller()
        caller.answer(200)
        caller.answer(180)
        assert [CallAnswered] == [type(event) for event in caller.events()]

    @pytest.mark.parametrize("status", [302, 401, 486, 603])
    def test_a_refusal_is_acknowledged_and_told(self, status: int) -> None:
        """The ACK is the transaction's, on the INVITE's own branch (17.1.1.3)."""
        caller = Caller()
        assert ["ACK"] == caller.answer(status)
        assert status == caller.end().status
        caller.advance(33.0)
        assert caller.is_empty()

    def test_no_answer_at_all_is_408(self) -> None:
        """17.1.1.2: seven INVITEs in 64·T1."""
        caller = Caller()
        assert ["INVITE"] * 6 == methods(caller.advance(32.0))
        assert (408, None) == (caller.end().status, caller.call.next_deadline())
        assert caller.is_empty()

    def test_a_transport_that_fails_is_503(self) -> None:
        """8.1.3.1; with what it said, and of the calls on that flow only."""
        caller = Caller()
        caller.core.transport_failed(caller.flow._replace(remote=("127.0.0.9", 1)), OSError("no"), 0.0)
        assert [] == caller.events()
        caller.core.transport_failed(caller.flow, OSError("unreachable"), 0.0)
        assert "Transport failed: unreachable" == caller.end().reason
        assert caller.is_empty()


def send(caller: Caller, response: Response) -> list:
    """Bob's response comes in; what goes out at once, and where to."""
    caller.core.receive_datagram(response.to_bytes(), caller.flow, caller.now)
    return caller.sent_to()


class TestForks:
    """13.2.2.4: a proxy may have found several callees."""

    def test_the_first_wins_and_the_others_are_acknowledged_and_hung_up(self) -> None:
        """The rule: "If, after acknowledging any 2xx response ... the caller does not want to continue ... MUST BYE"."""
        caller = Caller()
        assert ["ACK"] == caller.answer(200, tag="one")
        assert ["ACK", "BYE"] == caller.answer(200, tag="two")
        assert ("one", [CallAnswered]) == (caller.call.dialog.remote_tag, [type(e) for e in caller.events()])

    def test_a_loser_without_contact_does_not_end_the_call(self) -> None:
        """What another branch does wrong is not the winner's fault."""
        caller = Caller()
        caller.answer(200, tag="one")
        assert ["ACK", "BYE"] == caller.answer(200, ("X-A", "1"), tag="two")
        assert SessionState.CONFIRMED is caller.call.state

    def test_one_fork_too_many_is_left_to_give_up(self) -> None:
        """It is counted, and costs nothing."""
        caller = Caller()
        for number in range(MAX_FORKS):
            assert "ACK" == caller.answer(200, tag=f"t{number}")[0]
        assert [] == caller.answer(200, tag="one-too-many")
        assert 1 == caller.core.counts().dropped[Drop.TOO_MANY_FORKS]


class TestWithoutContact:
    """12.1.1 has a Contact in each 2xx; some peers have not."""

    @pytest.mark.parametrize("header", [("X-A", "1"), ("Contact", "<tel:+4930>"), ("Contact", "*")])
    def test_the_answer_is_acknowledged_hung_up_and_refused(self, header: tuple[str, str]) -> None:
        """Its sender is not left repeating it; our user hears 502."""
        caller = Caller()
        out = send(caller, response_to(caller.invite, 200, to_tag="bob", headers=[header]))
        assert [("ACK", caller.invite.target), ("BYE", caller.invite.target)] == [(m.method, m.target) for m, _ in out]
        assert 502 == caller.end().status

    def test_it_is_told_once(self) -> None:
        """The 2xx comes again until its sender has the ACK."""
        caller = Caller()
        caller.answer(200, ("X-A", "1"))
        assert ["ACK"] == caller.answer(200, ("X-A", "1"))
        assert 502 == caller.end().status


class TestCancelling:
    """Section 9.1."""

    def test_cancel_waits_for_a_provisional_response(self) -> None:
        """Section 9.1: "If no provisional response has been received, the CANCEL request MUST NOT be sent"."""
        caller = Caller()
        caller.call.cancel(0.0)
        assert [] == caller.sent()
        assert ["CANCEL"] == caller.answer(100)
        assert [] == caller.answer(180)

    def test_who_gives_up_before_any_response_need_not_wait_for_the_wire(self) -> None:
        """The user is told at once and once; the INVITE that nobody has heard of yet goes on until timer B."""
        caller = Caller()
        caller.call.cancel(0.0, 408, "Not answered in time")
        assert InviteFailed(408, "Not answered in time", None) == caller.end()
        assert ["INVITE"] * 6 == methods(caller.advance(64 * 0.5))
        assert [] == caller.events()
        assert caller.is_empty()

    def test_cancel_is_the_invite_with_another_method(self) -> None:
        """Same Request-URI, Call-ID, To, From, CSeq number, topmost Via; it is sent to the same place."""
        caller = Caller()
        caller.answer(180)
        caller.call.hang_up(0.0)
        ((cancel, flow),) = caller.sent_to()
        for name in ("via", "from", "to", "call-id"):
            assert caller.invite.headers[name] == cancel.headers[name]
        assert (caller.invite.target, ALICE_TO_BOB) == (cancel.target, flow)
        assert f"{caller.invite.cseq.number} CANCEL" == cancel.headers["cseq"]

    def test_the_487_is_acknowledged_and_the_user_hears_487(self) -> None:
        """The usual end; nothing is left 32 s later."""
        caller = Caller()
        caller.answer(180)
        caller.events()
        caller.call.cancel(0.0)
        (cancel,) = caller.sent()
        caller.answer(200, of=cancel)
        assert ["ACK"] == caller.answer(487)
        assert (487, "Cancelled") == ((end := caller.end()).status, end.reason)
        caller.advance(33.0)
        assert caller.is_empty()

    def test_a_200_that_crosses_is_acknowledged_and_hung_up(self) -> None:
        """The peer believes in a call: ACK, then BYE, in this order; our user hears that it failed."""
        caller = Caller()
        caller.answer(180)
        caller.events()
        caller.call.cancel(0.0)
        caller.sent()
        assert ["ACK", "BYE"] == caller.answer(200)
        assert ["ACK"] == caller.answer(200)
        assert 487 == caller.end().status

    def test_a_200_before_the_cancel_could_leave_is_hung_up_as_well(self) -> None:
        """Cancelled in mind, never on the wire."""
        caller = Caller()
        caller.call.cancel(0.0)
        assert ["ACK", "BYE"] == caller.answer(200)

    def test_who_ignores_the_cancel_is_given_up_after_64_t1(self) -> None:
        """9.1: the client "SHOULD destroy the client transaction handling the original request"."""
        caller = Caller()
        caller.answer(180)
        caller.events()
        caller.call.cancel(0.0)
        caller.advance(32.0)
        assert 487 == caller.end().status
        assert caller.is_empty()

    def test_nobody_rings_for_ever(self) -> None:
        """After the ring timeout the call is cancelled, and called 408."""
        caller = Caller(ring_timeout=10.0)
        caller.answer(180)
        caller.events()
        assert ["CANCEL"] == methods(caller.advance(10.0))
        caller.answer(487)
        assert (408, "Not answered in time") == ((end := caller.end()).status, end.reason)

    def test_cancelling_twice_or_too_late_does_nothing(self) -> None:
        """The first reason stands, and an answered call is hung up by BYE."""
        caller = Caller()
        caller.answer(180)
        caller.call.cancel(0.0, 408, "first")
        caller.call.cancel(0.0, 487, "second")
        assert ["CANCEL"] == methods(caller.sent())
        caller.answer(487)
        assert "first" == caller.events()[-1].reason
        pair = SipPair()
        call, _ = pair.talk()
        call.cancel(pair.now)
        assert ([], [CallAnswered]) == (pair.drop(pair.alice), pair.kinds(call))

    def test_hanging_up_ends_a_call_in_any_state(self) -> None:
        """CANCEL before the answer, BYE after it."""
        pair = SipPair()
        caller, callee = pair.talk()
        caller.hang_up(pair.now)
        pair.transfer()
        assert [CallEnded] == pair.kinds(callee)[1:]
        ringing = pair.call()
        pair.ring().ring(pair.now)
        pair.transfer()
        ringing.hang_up(pair.now)
        pair.transfer()
        assert [CallProgressed, InviteFailed] == pair.kinds(ringing)


class TestWithoutRoom:
    """The table of transactions is full, and the network goes on."""

    def test_a_cancel_without_room_is_sent_once(self) -> None:
        """Nothing that a peer sends raises; the call still ends."""
        caller = Caller(max_transactions=1, ring_timeout=5.0)
        caller.core._table._limit = 1
        caller.answer(180)
        caller.events()
        assert ["CANCEL"] == methods(caller.advance(37.0))
        assert 1 == caller.core.counts().dropped[Drop.SENT_ONCE]
        assert 408 == caller.end().status

    def test_a_body_without_an_end_is_no_datagram(self) -> None:
        """The call fails by itself and takes none of the others on its flow along."""
        caller = Caller()
        big = caller.core.invite(outgoing(SDP * 900), caller.flow, 0.0)
        assert ([], SessionState.INVITING) == (caller.sent(), caller.call.state)
        (told,) = caller.core.events()
        assert (big, 503) == (told[0], told[1].status)
        assert 1 == caller.core.counts().dropped[Drop.TOO_LARGE]
