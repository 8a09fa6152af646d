"""The relay loses what its dice say, and changes nothing that it passes on."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from support.loopback import HOST
from support.processes import wait_until
from support.relay import RELAY_HOST, Loss, LossyRelay

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.real_network


def endpoint() -> socket.socket:
    """A socket of a caller or callee, which waits two seconds at most."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((HOST, 0))
    made.settimeout(2)
    return made


@pytest.fixture
def caller() -> Iterator[socket.socket]:
    """Who sends to the front."""
    with endpoint() as made:
        yield made


@pytest.fixture
def callee() -> Iterator[socket.socket]:
    """Who is sent to from the back."""
    with endpoint() as made:
        yield made


def survivors(share: float, seed: int, direction: str, count: int) -> list[bytes]:
    """Which of so many datagrams the dice spare."""
    loss = Loss(share, f"{seed} towards the {direction}")
    return [b"%d" % number for number in range(count) if not loss.takes_next()]


def test_the_dice_take_their_share_and_count_it() -> None:
    """A tenth of ten thousand, within three standard deviations (90)."""
    loss = Loss(0.1, "any")
    taken = sum(loss.takes_next() for _ in range(10_000))
    assert 910 <= taken <= 1_090
    assert (taken, 10_000) == (loss.tally.lost, loss.tally.seen)


def test_without_loss_both_directions_pass_unchanged(caller: socket.socket, callee: socket.socket) -> None:
    """The callee is spoken to from the back and answers there; the caller hears from the front."""
    with LossyRelay(callee.getsockname(), share=0, seed=1) as relay:
        caller.sendto(b"INVITE\r\n\x00\xff", relay.front)
        assert (b"INVITE\r\n\x00\xff", relay.back) == callee.recvfrom(100)
        callee.sendto(b"", relay.back)
        assert (b"", relay.front) == caller.recvfrom(100)


def test_a_seed_decides_which_datagrams_come_through(caller: socket.socket, callee: socket.socket) -> None:
    """The n-th datagram of a direction has the fate that seed and n give it, and is counted."""
    expected = survivors(0.3, 7, "callee", 100)
    with LossyRelay(callee.getsockname(), share=0.3, seed=7) as relay:
        for number in range(100):
            caller.sendto(b"%d" % number, relay.front)
        assert expected == [callee.recv(100) for _ in expected]
        wait_until("all were seen", lambda: relay.towards_callee.seen == 100)
        assert (len(expected), 100 - len(expected)) == (relay.towards_callee.passed, relay.towards_callee.lost)
        assert 0 == relay.towards_caller.seen


def test_the_two_directions_have_dice_of_their_own() -> None:
    """What one side sends does not decide what the other loses."""
    assert survivors(0.3, 7, "callee", 100) != survivors(0.3, 7, "caller", 100)


def test_a_callee_that_speaks_first_is_heard_by_nobody(callee: socket.socket) -> None:
    """There is nobody to pass it to; it is counted apart."""
    with LossyRelay(callee.getsockname(), share=0, seed=1) as relay:
        callee.sendto(b"hello?", relay.back)
        wait_until("the stray is counted", lambda: relay.strays == 1)
        assert 0 == relay.towards_caller.seen


def test_the_back_can_have_the_number_of_the_callers_port(caller: socket.socket, callee: socket.socket) -> None:
    """So a callee that answers to ``received`` at the port of sent-by (RFC 3261 18.2.2) answers to the relay."""
    port = caller.getsockname()[1]
    with LossyRelay(callee.getsockname(), share=0, seed=1, back_port=port) as relay:
        assert (RELAY_HOST, port) == relay.back
        with pytest.raises(OSError, match="in use"):
            LossyRelay(callee.getsockname(), share=0, seed=1, back_port=port)
