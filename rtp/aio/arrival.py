"""When a datagram arrived: the kernel's stamp, told on our monotonic clock.

Theory of operation. The kernel notes the wall clock for each datagram as it comes in (SO_TIMESTAMPNS), so a poll that comes
later does not falsify jitter or latency. Everything else of ours counts monotonic seconds, so the stamp is moved by the
difference of the two clocks, which is taken anew at each tick. The wall clock may be set at any moment; therefore an arrival
is kept between two instants that are certain: it was not there when the socket was last found empty, and it is here now.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .ports import SO_RXQ_OVFL, SO_TIMESTAMPNS

if TYPE_CHECKING:
    from collections.abc import Sequence

ANCILLARY_OCTETS = 64
"""Octets of ancillary data: a timestamp (32 with its header) and a count of drops (24)."""

_TIMESPEC = struct.Struct("@ll")
_COUNT = struct.Struct("@I")
_NANOSECOND = 1e-9


class ArrivalClock:
    """Turns the kernel's stamps into monotonic seconds."""

    __slots__ = ("_offset",)

    def __init__(self) -> None:
        self._offset = 0  # nanoseconds from the monotonic to the wall clock

    def refresh(self, monotonic: float, wall_ns: int) -> None:
        """Takes both clocks at one instant: monotonic seconds, and nanoseconds since 1970."""
        self._offset = wall_ns - round(monotonic * 1e9)

    def instant(self, ancillary: Sequence[tuple[int, int, bytes]], earliest: float, now: float) -> float:
        """When a datagram arrived, monotonic seconds.

        Args:
            ancillary: what `recvmsg` gave beside it; the kernel puts the stamp first.
            earliest: when its socket was last found empty, monotonic seconds.
            now: monotonic seconds; also the answer where the kernel gives no stamp.
        """
        if not ancillary or ancillary[0][1] != SO_TIMESTAMPNS or len(ancillary[0][2]) != _TIMESPEC.size:
            return now
        seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2])
        arrival: float = (seconds * 1_000_000_000 + nanoseconds - self._offset) * _NANOSECOND
        if arrival > now:
            return now
        return arrival if arrival > earliest else earliest  # noqa: FURB136 - once a packet: a third of the cost of max()


def queue_drops(ancillary: Sequence[tuple[int, int, bytes]]) -> int | None:
    """How many datagrams the kernel has thrown away on this socket, because its queue was full; None = it says nothing."""
    for _, kind, value in ancillary:
        if kind == SO_RXQ_OVFL and len(value) == _COUNT.size:
            (count,) = _COUNT.unpack(value)
            return int(count)
    return None
