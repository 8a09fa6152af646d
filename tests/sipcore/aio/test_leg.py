"""A call as its owner holds it: the verbs reach the session, the events their listener."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from support.messages import response
from support.sip_pair import ALICE_TO_BOB, BOB_TO_ALICE, SDP, SipPair

from offhook.sipcore.aio.leg import MAX_KEPT_EVENTS, Leg
from offhook.sipcore.call_events import CallProgressed
from offhook.sipcore.drops import Drop
from offhook.sipcore.exceptions import InvalidState
from offhook.sipcore.session import SessionState

if TYPE_CHECKING:
    from offhook.sipcore.session import Session


class Agent:
    """What a leg needs of its agent, without sockets."""

    def __init__(self, pair: SipPair) -> None:
        self.pair = pair
        self.drops: Counter[Drop] = Counter()

    def now(self) -> float:
        """Virtual."""
        return self.pair.now

    def settle(self) -> None:
        """Everything arrives."""
        self.pair.transfer()

    def drop(self, reason: Drop) -> None:
        """Counted."""
        self.drops[reason] += 1

    def guard(self, leg: Leg, listener: Any, argument: object) -> None:
        """Without a net."""
        listener(argument)

    def address_facing(self, leg: Leg) -> tuple[str, int]:
        """Of the flow."""
        return leg.session.flow.local


def pair_of_legs() -> tuple[Leg, Leg]:
    """Alice's and Bob's, with the INVITE carried over."""
    pair = SipPair()
    agent = Agent(pair)
    caller = pair.call()
    return leg(agent, caller), leg(agent, pair.ring())


def leg(agent: Agent, session: Session) -> Leg:
    """A leg of this agent."""
    return Leg(agent, session)  # type: ignore[arg-type]


def test_a_call_from_ringing_to_bye() -> None:
    """Each verb settles at once."""
    alice, bob = pair_of_legs()
    bob.ring()
    bob.accept(SDP)
    assert (SessionState.CONFIRMED, SessionState.CONFIRMED) == (alice.state, bob.state)
    alice.bye((("Reason", "Q.850;cause=16"),))
    assert (SessionState.ENDED, SessionState.ENDED) == (alice.state, bob.state)


def test_a_call_is_refused_cancelled_or_hung_up() -> None:
    """Whoever ends it before it stands."""
    alice, bob = pair_of_legs()
    bob.reject()
    assert SessionState.ENDED is alice.state
    alice, bob = pair_of_legs()
    bob.ring()
    alice.cancel()
    assert SessionState.ENDED is bob.state
    alice, bob = pair_of_legs()
    bob.hang_up()
    assert SessionState.ENDED is alice.state


def test_the_verbs_of_the_other_side_are_refused() -> None:
    """Only the callee rings, only the caller cancels."""
    alice, bob = pair_of_legs()
    for verb in (alice.ring, alice.reject, lambda: alice.accept(SDP), bob.cancel):
        with pytest.raises(InvalidState, match="only the"):
            verb()


def test_without_an_offer_there_is_nothing_to_answer() -> None:
    """The session says so."""
    alice, bob = pair_of_legs()
    bob.accept(SDP)
    for verb in (lambda: alice.accept_offer(SDP), alice.refuse_offer):
        with pytest.raises(InvalidState, match="no offer"):
            verb()


@pytest.mark.parametrize("status", [200, 488])
def test_an_offer_is_accepted_or_refused(status: int) -> None:
    """A re-INVITE of the peer's; the call stands either way."""
    alice, bob = pair_of_legs()
    bob.accept(SDP)
    pair = bob._agent.pair
    contact = [("Contact", "<sip:a@127.0.0.1:5070>"), ("Content-Type", "application/sdp")]
    again = alice.session.dialog.request("INVITE", pair.alice.via(ALICE_TO_BOB), contact, SDP)
    pair.bob.receive_datagram(again.to_bytes(), BOB_TO_ALICE, pair.now)
    if status == 200:
        bob.accept_offer(SDP)
    else:
        bob.refuse_offer()
    assert (str(status), SessionState.CONFIRMED) == (pair.lines()[-1], bob.state)


def test_it_knows_what_it_is() -> None:
    """Whose INVITE, which side, by which address of ours."""
    alice, bob = pair_of_legs()
    assert (False, True) == (alice.is_incoming, bob.is_incoming)
    assert alice.invite.call_id == bob.invite.call_id
    assert ("127.0.0.1", 5060) == bob.local_address
    assert repr(bob).startswith("<Leg <CalleeSession ")


def test_events_are_kept_for_who_listens_later_and_not_without_bound() -> None:
    """The oldest goes when one too many comes; it is counted."""
    alice, _ = pair_of_legs()
    for status in range(MAX_KEPT_EVENTS + 1):
        alice.session.listener(CallProgressed(response(101 + status % 90)))
    heard: list[Any] = []
    alice.listener = heard.append
    assert (MAX_KEPT_EVENTS, 102) == (len(heard), heard[0].response.status)
    assert {Drop.NOBODY_LISTENS: 1} == alice._agent.drops
    alice.session.listener(CallProgressed(response(180)))
    assert (180, heard.append) == (heard[-1].response.status, alice.listener)


def test_who_stops_listening_hears_the_rest_later() -> None:
    """None keeps again."""
    alice, _ = pair_of_legs()
    alice.listener = None
    alice.session.listener(CallProgressed(response(180)))
    heard: list[Any] = []
    alice.listener = heard.append
    assert 1 == len(heard)
