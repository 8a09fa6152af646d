"""The playbook itself: it must see what is wrong, and say where."""

from __future__ import annotations

import pytest
from support.ladder import Ladder, Send, abandon, after, fail, respond, until
from support.messages import ack, invite, response

from offhook.sipcore.drops import Drop
from offhook.sipcore.events import AckReceived, ResponseReceived, TransactionTerminated, TransportFailed
from offhook.sipcore.timers import Timer, Timers
from offhook.sipcore.transaction import InviteClientTransaction, InviteServerTransaction


def client() -> Ladder:
    """An INVITE client transaction over UDP."""
    return Ladder(InviteClientTransaction(invite(), reliable=False, timers=Timers(), now=0.0))


def server() -> Ladder:
    """An INVITE server transaction over UDP."""
    return Ladder(InviteServerTransaction(invite(), reliable=False, timers=Timers(), now=0.0))


def test_a_ladder_that_is_climbed_as_written_is_true() -> None:
    """Messages, events, timers, in order."""
    assert (
        client()
        << Send("INVITE")
        >> after(0.6) << Send("INVITE")
        >> response(486) << Send("ACK") << ResponseReceived(486)
        >> until(Timer.D) << TransactionTerminated()
    )  # fmt: skip


def test_the_user_answers_fails_and_gives_up_by_name() -> None:
    """The other stimuli, and an event with a request in it."""
    error = OSError("gone")
    ok = response(200)
    assert (
        server()
        >> ack() << Drop.EARLY_ACK
        >> respond(ok) << Send(200)
        >> ack() << AckReceived("ACK")
        >> fail(error) << TransportFailed(error)
        >> abandon() << TransactionTerminated()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ladder", "mark"),
    [
        (client(), ">>>     0.000 s  expected nothing more, but there was INVITE"),
        (client() << Send("BYE"), ">>>     0.000 s  expected BYE, but there was INVITE"),
        (client() << Send("INVITE") << Send("INVITE"), ">>>     0.000 s  expected INVITE, but there was nothing"),
        (
            client() << Send("INVITE") >> response(180) << ResponseReceived(183),
            ">>>     0.000 s  expected ResponseReceived 183, but there was ResponseReceived 180 Ringing",
        ),
        (
            client() << Send("INVITE") >> after(0.5) >> response(180),
            ">>>     0.500 s  expected nothing more, but there was INVITE",
        ),
        (
            client() << Send("INVITE") >> until(Timer.D),
            ">>>     0.000 s  expected timer D running, but there was only B, A",
        ),
        (
            server() >> respond(response(200)) << TransactionTerminated(),
            ">>>     0.000 s  expected TransactionTerminated, but there was 200 OK",
        ),
        (server() >> ack(), f"expected nothing more, but there was dropped: {Drop.EARLY_ACK}"),
    ],
)
def test_the_first_difference_is_marked(ladder: Ladder, mark: str) -> None:
    """One look at the last line must be enough."""
    with pytest.raises(AssertionError) as broken:
        bool(ladder)
    assert str(broken.value).splitlines()[-1].endswith(mark)


def test_what_went_well_before_is_drawn_above_it() -> None:
    """Who reads the drawing sees how it came to that."""
    ladder = client() << Send("INVITE") >> response(486) << Send("BYE")
    with pytest.raises(AssertionError) as broken:
        bool(ladder)
    expected = ["the ladder breaks:", "        0.000 s  <--| INVITE", "        0.000 s  -->| 486 Busy Here"]
    assert expected == str(broken.value).splitlines()[:-1]
