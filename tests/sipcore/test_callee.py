"""The callee's side: RFC 3261 sections 9.2 and 13.3."""

from __future__ import annotations

import pytest
from support.messages import invite, request
from support.sip_pair import SDP, Peer, SipPair

from offhook.sipcore.call_events import CallCancelled, CallEnded, InviteFailed
from offhook.sipcore.callee import RING_AGAIN_AFTER
from offhook.sipcore.exceptions import InvalidState
from offhook.sipcore.message import Request, cancel_of
from offhook.sipcore.session import SessionState

CONTACT = ("Contact", "<sip:alice@127.0.0.1:5070>")


class Callee(Peer):
    """Bob, called by a hand-written Alice."""

    def __init__(self, *headers: tuple[str, str], **settings: object) -> None:
        super().__init__(**settings)
        self.invite = invite(headers=[CONTACT, *headers])
        assert [] == self.receive(self.invite)
        self.call = self.new_call()

    def statuses(self, message: Request) -> list[int]:
        """The responses that go out at once."""
        return [response.status for response in self.receive(message)]

    def is_empty(self) -> bool:
        """Whether nothing is left."""
        counts = self.core.counts()
        return (0, 0, 0, None) == (counts.sessions, counts.dialogs, counts.transactions, self.core.next_deadline())


class TestRinging:
    """13.3.1.1."""

    def test_trying_goes_out_by_itself(self) -> None:
        """17.2.1: after 200 ms without a word of the user."""
        assert [100] == [message.status for message in Callee().advance(0.2)]

    def test_ringing_bears_the_tag_the_contact_and_what_is_allowed(self) -> None:
        """12.1.1: it makes an early dialog."""
        callee = Callee()
        callee.call.ring(0.0, headers=(("X-A", "1"),))
        (ringing,) = callee.sent()
        assert (180, callee.call.local_tag, "1") == (ringing.status, ringing.to.tag, ringing.headers["x-a"])
        assert "<sip:offhook@127.0.0.1:5060>" == ringing.headers["contact"]
        assert "Offhook" == ringing.headers["server"]

    def test_a_lost_ringing_comes_again_each_minute(self) -> None:
        """13.3.1.1, also so that proxies on the way do not lose patience; until there is an answer."""
        callee = Callee()
        callee.call.ring(0.0, 183, body=SDP)
        callee.sent()
        assert [183, 183] == [message.status for message in callee.advance(2 * RING_AGAIN_AFTER)]
        callee.call.accept(SDP, "application/sdp", callee.now)
        assert {200} == {message.status for message in callee.sent() + callee.advance(31.0)}

    @pytest.mark.parametrize(("headers", "expected"), [((), "application/sdp"), ((("c", "a/b"),), "a/b")])
    def test_early_media_has_a_type(self, headers: tuple[tuple[str, str], ...], expected: str) -> None:
        """SDP unless its user says otherwise."""
        callee = Callee()
        callee.call.ring(0.0, 183, headers, SDP)
        (progress,) = callee.sent()
        assert (expected, SDP) == (progress.content_type, progress.body)

    @pytest.mark.parametrize("status", [100, 200])
    def test_only_101_to_199_is_ringing(self, status: int) -> None:
        """100 is the transaction's own."""
        with pytest.raises(ValueError, match="provisional"):
            Callee().call.ring(0.0, status)


class TestDeciding:
    """13.3.1.2 to 13.3.1.4."""

    @pytest.mark.parametrize("status", [300, 486, 699])
    def test_a_refusal_is_repeated_until_it_is_acknowledged(self, status: int) -> None:
        """By the transaction (17.2.1); then nothing is left."""
        callee = Callee()
        callee.call.reject(status, 0.0, "Enough", (("Retry-After", "9"),))
        (refusal, *again) = callee.sent() + callee.advance(1.6)
        assert (status, "Enough", 2) == (refusal.status, refusal.reason, len(again))
        callee.receive(request("ACK", callee.invite.via.branch, to_tag=callee.call.local_tag))
        assert [] == callee.advance(5.0)
        assert callee.is_empty()

    @pytest.mark.parametrize("status", [199, 299, 700])
    def test_only_300_to_699_refuses(self, status: int) -> None:
        """Anything else would leave the caller waiting."""
        callee = Callee()
        with pytest.raises(ValueError, match="not a refusal"):
            callee.call.reject(status, 0.0)
        assert ([], SessionState.RINGING) == (callee.sent(), callee.call.state)

    def test_a_redirection_names_its_targets(self) -> None:
        """8.3: here Contact is the user's to write."""
        callee = Callee()
        callee.call.reject(302, 0.0, headers=(("Contact", "<sip:carol@127.0.0.3>"),))
        assert "<sip:carol@127.0.0.3>" == callee.sent()[0].headers["contact"]

    def test_what_is_decided_is_decided(self) -> None:
        """Each verb is too late after each of the others."""
        for decide in (lambda c: c.accept(b"", "a/b", 0.0), lambda c: c.reject(486, 0.0)):
            call = Callee().call
            decide(call)
            for verb in (lambda: call.ring(0.0), lambda: call.accept(b"", "a/b", 0.0), lambda: call.reject(486, 0.0)):  # noqa: B023
                with pytest.raises(InvalidState):
                    verb()

    def test_nobody_waits_for_a_user_for_ever(self) -> None:
        """480 for the caller, and the user is told."""
        callee = Callee(answer_timeout=20.0)
        assert [100, 480] == [message.status for message in callee.advance(20.0)]
        assert [480] == [event.status for event in callee.events()]
        callee.advance(32.0)
        assert callee.is_empty()

    def test_an_invitation_expires(self) -> None:
        """13.3.1: "If the invitation expires before the UAS has generated a final response, a 487 ... SHOULD be generated"."""
        callee = Callee(("Expires", "10"))
        assert [100, 487] == [message.status for message in callee.advance(10.0)]
        assert [InviteFailed(487, "The invitation has expired", None)] == callee.events()

    def test_an_answer_in_time_does_not_expire(self) -> None:
        """The lifetime is the invitation's, not the call's."""
        callee = Callee(("Expires", "10"))
        callee.call.accept(SDP, "application/sdp", 0.0)
        assert {200, 100} >= {message.status for message in callee.sent() + callee.advance(20.0)}

    @pytest.mark.parametrize("value", ["a\r\nX-B: 1", "a\nb", "a\0b"])
    def test_no_header_of_the_users_breaks_out(self, value: str) -> None:
        """ValueError, nothing is sent, and the call still rings."""
        callee = Callee()
        bad = (("X-A", value),)
        for verb in (
            lambda: callee.call.ring(0.0, headers=bad),
            lambda: callee.call.accept(b"", "a/b", 0.0, bad),
            lambda: callee.call.accept(b"", f"a/b{value}", 0.0),
            lambda: callee.call.reject(486, 0.0, headers=bad),
            lambda: callee.call.reject(486, 0.0, reason=value),
        ):
            with pytest.raises(ValueError):
                verb()
        assert ([], SessionState.RINGING) == (callee.sent(), callee.call.state)

    def test_what_the_stack_writes_is_not_the_users(self) -> None:
        """A Contact in a 200 would make two truths."""
        with pytest.raises(ValueError, match="written by the stack"):
            Callee().call.accept(b"", "a/b", 0.0, (("Contact", "<sip:x@y>"),))

    def test_a_server_name_of_the_users_replaces_ours(self) -> None:
        """There is one."""
        callee = Callee()
        callee.call.reject(486, 0.0, headers=(("Server", "mine"),))
        assert ["mine"] == callee.sent()[0].headers.get_all("server")

    def test_hanging_up_ends_a_call_in_any_state(self) -> None:
        """603 before the answer, BYE after it, nothing when it is over."""
        callee = Callee()
        callee.call.hang_up(0.0)
        callee.call.hang_up(0.0)
        assert [603] == [message.status for message in callee.sent()]
        pair = SipPair()
        _, talking = pair.talk()
        talking.hang_up(pair.now)
        assert ["BYE"] == [message.method for message in pair.drop(pair.bob)]


class TestBeingCancelled:
    """Section 9.2, and 15.1.2 for a BYE before the answer."""

    def test_cancel_is_answered_and_the_invite_gets_487(self) -> None:
        """With one tag on both; and the user hears it once."""
        callee = Callee()
        out = callee.receive(cancel_of(callee.invite))
        assert [("CANCEL", 200), ("INVITE", 487)] == [(m.cseq.method, m.status) for m in out]
        assert {callee.call.local_tag} == {message.to.tag for message in out}
        assert [CallCancelled] == [type(event) for event in callee.events()]

    def test_a_cancel_that_comes_again_is_answered_the_same(self) -> None:
        """Not with 481, and no second 487."""
        callee = Callee()
        first = callee.receive(cancel_of(callee.invite))[0]
        (again,) = callee.receive(cancel_of(callee.invite))
        assert first.to_bytes() == again.to_bytes()

    @pytest.mark.parametrize("late", [True, False])
    def test_a_cancel_after_the_decision_changes_nothing(self, late: bool) -> None:
        """9.2: "has no effect on the processing of the original request", whatever it was."""
        callee = Callee()
        if late:
            callee.call.accept(SDP, "application/sdp", 0.0)
        else:
            callee.call.reject(486, 0.0)
        callee.sent()
        assert [200] == callee.statuses(cancel_of(callee.invite))
        assert [] == callee.events()

    def test_a_cancel_for_nothing_is_481(self) -> None:
        """Another branch, or nobody ever called."""
        callee = Callee()
        assert [481] == callee.statuses(cancel_of(invite("z9hG4bKother")))

    def test_a_bye_inside_the_early_dialog_ends_it(self) -> None:
        """200 for the BYE, 487 for the INVITE."""
        callee = Callee()
        callee.call.ring(0.0)
        callee.sent()
        assert [200, 487] == callee.statuses(request("BYE", cseq=2, to_tag=callee.call.local_tag))
        assert [CallCancelled] == [type(event) for event in callee.events()]
        callee.advance(33.0)
        assert callee.is_empty()

    def test_a_bye_after_the_answer_is_an_end(self) -> None:
        """Not a cancellation: there was a call."""
        callee = Callee()
        callee.call.accept(SDP, "application/sdp", 0.0)
        callee.sent()
        assert [200] == callee.statuses(request("BYE", cseq=2, to_tag=callee.call.local_tag))
        assert [CallEnded] == [type(event) for event in callee.events()]
