"""What caller and callee have in common: RFC 3261 sections 12.2, 13.3.1.4, 14.2 and 15."""

from __future__ import annotations

import pytest
from support.messages import ack, invite, request
from support.sip_pair import SDP, Peer, SipPair

from offhook.sipcore.call_events import (
    CallConfirmed,
    CallEnded,
    EndedBy,
    SessionAcknowledged,
    SessionOffered,
)
from offhook.sipcore.exceptions import InvalidState
from offhook.sipcore.message import Request
from offhook.sipcore.session import SessionState

CONTACT = ("Contact", "<sip:alice@127.0.0.1:5070>")
OFFER = {"headers": [CONTACT, ("Content-Type", "application/sdp")], "body": SDP}


class Talk(Peer):
    """Bob in a call with a hand-written Alice."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        self.receive(invite(**OFFER))
        self.call = self.new_call()
        self.call.accept(SDP, "application/sdp", self.now)
        (self.ok,) = self.sent()
        self.tag = self.ok.to.tag
        self.receive(self.inside("ACK", cseq=1))
        self.events()

    def inside(self, method: str, cseq: int = 2, branch: str = "", **more: object) -> Request:
        """A request of Alice's inside the dialog."""
        return request(method, branch, cseq=cseq, to_tag=self.tag, **more)

    def statuses(self, message: Request) -> list[int]:
        """The responses that go out at once."""
        return [response.status for response in self.receive(message)]


class TestHangingUp:
    """Section 15."""

    def test_a_call_of_six_messages_leaves_nothing(self) -> None:
        """INVITE, 200, ACK, BYE, 200, and after 32 s not a trace."""
        pair = SipPair()
        caller, _ = pair.talk()
        caller.bye(pair.now)
        pair.transfer()
        assert ["INVITE", "200", "ACK", "BYE", "200"] == pair.lines()
        assert (CallEnded(EndedBy.LOCAL, None), EndedBy.REMOTE) == (pair.told[-2][1], pair.told[-1][1].by)
        pair.advance(40.0)
        assert pair.is_empty()

    def test_the_callee_hangs_up_as_well(self) -> None:
        """A dialog has no master."""
        pair = SipPair()
        caller, callee = pair.talk()
        callee.bye(pair.now, (("Reason", "Q.850;cause=16"),))
        pair.transfer()
        assert CallEnded is pair.kinds(caller)[-1]
        assert "Q.850;cause=16" == pair.told[-1][1].request.headers["reason"]

    def test_what_is_not_up_cannot_be_hung_up(self) -> None:
        """Callers cancel, and what is over is over."""
        pair = SipPair()
        caller = pair.call()
        with pytest.raises(InvalidState):
            caller.bye(pair.now)
        caller, _ = pair.talk()
        caller.hang_up(pair.now)
        caller.hang_up(pair.now)
        with pytest.raises(InvalidState):
            caller.bye(pair.now)

    def test_an_answered_call_hangs_up_when_its_ack_comes(self) -> None:
        """Section 15: no BYE "until it has received an ACK for its 2xx response"; its headers wait as well."""
        pair = SipPair()
        pair.call()
        callee = pair.ring()
        callee.accept(SDP, "application/sdp", pair.now)
        callee.hang_up(pair.now, (("Reason", "SIP;cause=200"),))
        assert pair.bob.is_waiting()
        pair.transfer()
        assert ["INVITE", "200", "ACK", "BYE", "200"] == pair.lines()
        assert "SIP;cause=200" == pair.wire[3].headers["reason"]
        assert ([CallConfirmed, CallEnded], False) == (pair.kinds(callee), pair.bob.is_waiting())

    def test_a_bye_before_the_ack_is_answered_and_ends_the_2xx(self) -> None:
        """The caller may hang up before we know that it heard us (section 15)."""
        pair = SipPair()
        caller = pair.call()
        callee = pair.ring()
        callee.accept(SDP, "application/sdp", pair.now)
        pair.alice.receive_datagram(
            pair.drop(pair.bob)[0].to_bytes(),
            callee.flow._replace(local=("127.0.0.1", 5070), remote=("127.0.0.1", 5060)),
            0.0,
        )
        pair.drop(pair.alice)
        caller.bye(pair.now)
        pair.transfer()
        pair.advance(40.0)
        assert ["INVITE", "200", "ACK", "BYE", "200"] == pair.lines()
        assert [CallEnded] == pair.kinds(callee)

    def test_two_byes_that_cross_are_both_answered_with_200(self) -> None:
        """The dialog ends with the answer to our BYE and not before (15.1.1)."""
        talk = Talk()
        talk.call.bye(talk.now)
        assert ["BYE"] == [message.method for message in talk.sent()]
        assert [200] == talk.statuses(talk.inside("BYE"))

    def test_a_request_after_the_end_is_for_no_call(self) -> None:
        """12.2.2: 481, for a second BYE of another transaction too."""
        talk = Talk()
        assert [200] == talk.statuses(talk.inside("BYE"))
        assert [481] == talk.statuses(talk.inside("BYE", cseq=3))
        assert [481] == talk.statuses(talk.inside("INVITE", cseq=4, **OFFER))

    @pytest.mark.parametrize("name", ["Contact", "Via", "X\r\nY"])
    def test_a_header_that_must_not_be_sent_leaves_the_call_standing(self, name: str) -> None:
        """ValueError, and nothing on the wire."""
        talk = Talk()
        with pytest.raises(ValueError, match="header"):
            talk.call.bye(talk.now, ((name, "1"),))
        assert ([], SessionState.CONFIRMED) == (talk.sent(), talk.call.state)

    def test_a_session_is_shown_on_one_line(self) -> None:
        """Who, where it stands, by which way."""
        text = "<CalleeSession call-1 CONFIRMED udp:127.0.0.1:5060~127.0.0.1:5070>"
        assert text == repr(Talk().call)


class TestRepeating2xx:
    """13.3.1.4: the 2xx is the user's to repeat."""

    def unacknowledged(self) -> Peer:
        """Bob has answered, and Alice's ACK does not come."""
        peer = Peer()
        peer.receive(invite(**OFFER))
        peer.call = peer.new_call()
        peer.call.accept(SDP, "application/sdp", 0.0)
        peer.sent()
        return peer

    def test_it_comes_at_growing_distances_until_64_t1_and_then_bye(self) -> None:
        """T1, doubled up to T2: ten times; then the session is terminated."""
        peer = self.unacknowledged()
        instants = []
        while (deadline := peer.core.next_deadline()) is not None and deadline < 32.0:
            peer.now = deadline
            peer.core.handle_timeout(deadline)
            instants += [deadline for message in peer.sent() if message.status == 200]
        assert [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5] == instants
        assert ["BYE"] == [message.method for message in peer.advance(32.0 - peer.now)]
        assert [CallEnded(EndedBy.NO_ACK, None)] == peer.events()

    def test_repetitions_count_as_retransmissions(self) -> None:
        """The question "Are they mine or the peer's?" is the first one of a load test."""
        peer = self.unacknowledged()
        peer.advance(4.0)
        assert 3 == peer.core.counts().retransmitted

    def test_who_wakes_late_sends_once(self) -> None:
        """Steps that were slept through are skipped, and the next one is where it always was."""
        peer = self.unacknowledged()
        peer.core.handle_timeout(8.0)
        assert [200] == [message.status for message in peer.sent()]
        assert 11.5 == peer.core.next_deadline()

    def test_who_wakes_after_64_t1_gives_up_at_once(self) -> None:
        """A 2xx that nobody waits for is not sent once more."""
        peer = self.unacknowledged()
        peer.core.handle_timeout(100.0)
        assert ["BYE"] == [message.method for message in peer.sent()]

    def test_it_ends_with_the_ack(self) -> None:
        """Also with one that comes twice."""
        peer = self.unacknowledged()
        tag = peer.call.local_tag
        for _ in range(2):
            peer.receive(request("ACK", "z9hG4bKack", to_tag=tag))
        assert [CallConfirmed] == [type(event) for event in peer.events()]
        assert [] == peer.advance(31.0)

    def test_an_ack_with_another_number_is_for_another_invite(self) -> None:
        """12.2.2.4 of the older drafts and common sense: its CSeq is the INVITE's."""
        peer = self.unacknowledged()
        peer.receive(request("ACK", "z9hG4bKack", cseq=2, to_tag=peer.call.local_tag))
        assert [] == peer.events()

    def test_an_ack_with_the_invites_own_branch_is_one_too(self) -> None:
        """Old clients send it so; RFC 6026 hands it up."""
        peer = self.unacknowledged()
        old = ack(invite())
        old.headers.set("To", f"<sip:bob@127.0.0.1>;tag={peer.call.local_tag}")
        peer.receive(old)
        assert [CallConfirmed] == [type(event) for event in peer.events()]

    def test_hanging_up_without_an_ack_says_bye_after_64_t1(self) -> None:
        """Section 15: "or until the server transaction times out"."""
        peer = self.unacknowledged()
        peer.call.bye(0.0, (("Reason", "SIP;cause=408"),))
        (bye,) = [message for message in peer.advance(32.0) if isinstance(message, Request)]
        assert ("BYE", "SIP;cause=408", False) == (bye.method, bye.headers["reason"], peer.call.is_hanging_up)


class TestReinvite:
    """Section 14.2: the peer wants to change the session."""

    def offered(self) -> Talk:
        """Alice's re-INVITE waits for Bob's user."""
        talk = Talk()
        assert [] == talk.statuses(talk.inside("INVITE", **OFFER))
        assert [SessionOffered] == [type(event) for event in talk.events()]
        return talk

    def test_it_is_answered_by_the_user_and_acknowledged(self) -> None:
        """The 200 is repeated until its ACK comes, like the first one."""
        talk = self.offered()
        talk.call.accept_offer(SDP, "application/sdp", talk.now)
        assert [200, 200] == [message.status for message in talk.sent() + talk.advance(0.6)]
        late = talk.inside("ACK", cseq=2)
        talk.receive(late)
        talk.receive(late)
        assert [SessionAcknowledged] == [type(event) for event in talk.events()]
        assert (SessionState.CONFIRMED, []) == (talk.call.state, talk.advance(10.0))

    def test_without_an_ack_the_call_ends(self) -> None:
        """14.2: "the UAS ... generates a BYE to terminate the dialog"."""
        talk = self.offered()
        talk.call.accept_offer(SDP, "application/sdp", talk.now)
        assert "BYE" == talk.advance(32.0)[-1].method

    @pytest.mark.parametrize("status", [300, 488, 699])
    def test_it_may_be_refused_and_the_call_stands(self, status: int) -> None:
        """14.2: "the UAS MUST NOT change the session"; with why."""
        talk = self.offered()
        talk.call.refuse_offer(status, talk.now, (("Warning", '304 a "b"'),))
        (refusal,) = talk.sent()
        assert (status, '304 a "b"') == (refusal.status, refusal.headers["warning"])
        assert SessionState.CONFIRMED is talk.call.state

    @pytest.mark.parametrize("status", [299, 700])
    def test_only_a_refusal_refuses(self, status: int) -> None:
        """A 2xx by this door would go out once and never again."""
        with pytest.raises(ValueError, match="not a refusal"):
            self.offered().call.refuse_offer(status, 0.0)

    def test_what_nobody_offered_can_be_neither_accepted_nor_refused(self) -> None:
        """And each offer once."""
        talk = self.offered()
        talk.call.refuse_offer(488, talk.now)
        for verb in (lambda: talk.call.refuse_offer(488, 0.0), lambda: talk.call.accept_offer(SDP, "a/b", 0.0)):
            with pytest.raises(InvalidState):
                verb()

    def test_the_contact_counts_when_it_is_accepted(self) -> None:
        """12.2.2: "If the request is rejected, none of the state changes are performed"."""
        moved = {"headers": [("Contact", "<sip:alice@127.0.0.9:9>"), OFFER["headers"][1]], "body": SDP}
        talk = Talk()
        talk.receive(talk.inside("INVITE", **moved))
        talk.call.refuse_offer(488, talk.now)
        assert ("127.0.0.1", 5070) == talk.call.dialog.next_hop()
        talk.receive(talk.inside("INVITE", cseq=3, **moved))
        talk.call.accept_offer(SDP, "application/sdp", talk.now)
        assert ("127.0.0.9", 9) == talk.call.dialog.next_hop()

    @pytest.mark.parametrize(("headers", "status"), [([], 400), ([("Contact", "<tel:+49>")], 416)])
    def test_without_a_usable_contact_it_is_refused(self, headers: list[tuple[str, str]], status: int) -> None:
        """8.1.1.8: an INVITE has exactly one sip: or sips: URI there; the call stands."""
        talk = Talk()
        assert [status] == talk.statuses(talk.inside("INVITE", headers=headers))
        assert ([], SessionState.CONFIRMED) == (talk.events(), talk.call.state)

    def test_a_second_one_while_the_first_waits_is_500_with_a_time_to_wait(self) -> None:
        """14.2: "a randomly chosen value of between 0 and 10 seconds"; before the answer and before its ACK."""
        talk = self.offered()
        waits = [talk.receive(talk.inside("INVITE", cseq=number, **OFFER))[0] for number in range(3, 43)]
        talk.call.accept_offer(SDP, "application/sdp", talk.now)
        talk.sent()
        waits += talk.receive(talk.inside("INVITE", cseq=50, **OFFER))
        assert {500} == {response.status for response in waits}
        assert set(range(11)) >= {int(response.headers["retry-after"]) for response in waits}
        assert len({response.headers["retry-after"] for response in waits}) > 1

    def test_one_before_the_ack_of_the_first_invite_is_500_as_well(self) -> None:
        """14.2: the session is not confirmed yet."""
        peer = Peer()
        peer.receive(invite(**OFFER))
        call = peer.new_call()
        call.accept(SDP, "application/sdp", 0.0)
        peer.sent()
        (refusal,) = peer.receive(request("INVITE", cseq=2, to_tag=call.local_tag, **OFFER))
        assert 500 == refusal.status

    def test_nobody_answers_it_for_64_t1(self) -> None:
        """A user who forgets the offer does not keep its transaction for ever."""
        talk = self.offered()
        assert [100, 500] == [message.status for message in talk.advance(32.0)][:2]
        assert SessionState.CONFIRMED is talk.call.state

    @pytest.mark.parametrize("who", ["us", "the peer"])
    def test_a_bye_answers_it_with_487(self, who: str) -> None:
        """15.1.2: "The UAS MUST still respond to any pending requests received for that dialog"."""
        talk = self.offered()
        if who == "us":
            talk.call.bye(talk.now)
            out = talk.sent()
        else:
            out = talk.receive(talk.inside("BYE", cseq=3))
        assert 487 in {message.status for message in out if not isinstance(message, Request)}
        talk.advance(70.0)
        assert 0 == talk.core.counts().transactions


class TestOtherRequests:
    """12.2.2: what else may come inside a dialog."""

    def test_a_lower_number_is_out_of_order(self) -> None:
        """500, and the call stands; no time to wait is named, for it would come again as it is."""
        talk = Talk()
        assert [200] == talk.statuses(talk.inside("OPTIONS", cseq=9))
        (refusal,) = talk.receive(talk.inside("BYE", cseq=8))
        assert (500, False) == (refusal.status, "retry-after" in refusal.headers)
        assert SessionState.CONFIRMED is talk.call.state

    def test_options_tells_what_is_spoken(self) -> None:
        """Section 11.2; peers ask so whether the call still stands."""
        talk = Talk()
        (answer,) = talk.receive(talk.inside("OPTIONS"))
        assert (200, "application/sdp") == (answer.status, answer.headers["accept"])

    @pytest.mark.parametrize(("method", "status"), [("UPDATE", 405), ("INFO", 405), ("FOO", 501)])
    def test_what_is_not_served_is_refused_inside_a_call_too(self, method: str, status: int) -> None:
        """8.2.1, with Allow; nothing happens to the call."""
        talk = Talk()
        (refusal,) = talk.receive(talk.inside(method))
        assert (status, "INVITE, ACK, CANCEL, BYE, OPTIONS") == (refusal.status, refusal.headers["allow"])
