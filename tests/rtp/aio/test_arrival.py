"""The kernel's wall-clock stamps on our monotonic clock."""

import socket
import struct

import pytest

from offhook.rtp.aio.arrival import ArrivalClock, queue_drops
from offhook.rtp.aio.ports import SO_RXQ_OVFL, SO_TIMESTAMPNS

WALL = 1_800_000_000_000_000_000  # nanoseconds since 1970, when the monotonic clock showed 500 s


def stamp(nanoseconds: int) -> list[tuple[int, int, bytes]]:
    """As `recvmsg` hands it out."""
    return [(socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("@ll", *divmod(nanoseconds, 1_000_000_000)))]


@pytest.fixture
def clock() -> ArrivalClock:
    """Knows both clocks."""
    made = ArrivalClock()
    made.refresh(500.0, WALL)
    return made


def test_a_stamp_is_moved_by_the_difference_of_the_clocks(clock: ArrivalClock) -> None:
    """12 ms before the comparison on one clock is 12 ms before it on the other."""
    assert clock.instant(stamp(WALL - 12_000_000), 499.0, 500.0) == pytest.approx(499.988, abs=1e-9)


def test_no_arrival_is_in_the_future(clock: ArrivalClock) -> None:
    """The wall clock was set back after the comparison, or the packet came during the tick."""
    assert 500.0 == clock.instant(stamp(WALL + 3_600_000_000_000), 499.0, 500.0)


def test_no_arrival_is_before_the_socket_was_last_empty(clock: ArrivalClock) -> None:
    """The wall clock was set forward by an hour: the error is one visit, not the hour."""
    assert 499.98 == clock.instant(stamp(WALL - 3_600_000_000_000), 499.98, 500.0)


@pytest.mark.parametrize(
    "ancillary",
    [[], [(socket.SOL_SOCKET, SO_TIMESTAMPNS, b"short")], [(socket.SOL_SOCKET, 99, bytes(16))]],
    ids=["none", "short", "foreign"],
)
def test_without_a_stamp_the_arrival_is_the_poll(clock: ArrivalClock, ancillary: list[tuple[int, int, bytes]]) -> None:
    """Late by up to a visit, but true."""
    assert 500.0 == clock.instant(ancillary, 499.0, 500.0)


def test_the_kernel_tells_how_many_datagrams_it_dropped() -> None:
    """SO_RXQ_OVFL comes behind the stamp."""
    dropped = (socket.SOL_SOCKET, SO_RXQ_OVFL, struct.pack("@I", 17))
    assert 17 == queue_drops([*stamp(WALL), dropped])


def test_a_kernel_that_dropped_nothing_says_nothing() -> None:
    """None, not zero: an earlier count still stands."""
    assert queue_drops(stamp(WALL)) is None
    assert queue_drops([(socket.SOL_SOCKET, SO_RXQ_OVFL, b"")]) is None
