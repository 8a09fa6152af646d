"""Port pairs for media: an even one for RTP, the odd one above it for RTCP.

RFC 3550 11: "RTP SHOULD use an even destination port number and the corresponding RTCP stream SHOULD use the next higher
(odd) destination port number."

Theory of operation. The pool hands out bound pairs, either wherever the system finds them or out of a given range, the one
that has rested longest first. A pair that comes back rests for some seconds: the peer of the old call may still be sending,
and its packets must not reach the next call on that port. A port that somebody else holds is passed over; after a bounded
number of tries `NoPortsLeft` says which range it was and how many pairs are held.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import time
from collections import deque
from ipaddress import ip_address
from typing import TYPE_CHECKING

from offhook.rtp.exceptions import LocalError, RtpError

if TYPE_CHECKING:
    from collections.abc import Callable

    from offhook.rtp.events import Address

QUARANTINE = 5.0
"""Seconds that a pair rests before it is used again: the interval of RTCP, after which a living peer has noticed our BYE."""

MAX_BIND_TRIES = 64
"""Pairs that one `open` tries to bind: where so many in a row are taken by others, the range is not ours."""

RECEIVE_BUFFER_OCTETS = 256 * 1024
"""Octets asked of the kernel for each socket: some seconds of G.711, so that a stalled loop loses nothing; on Linux the
kernel doubles it for its own book-keeping, which a small datagram needs more of than of its content."""

# From asm-generic/socket.h; Python has no names for them.
SO_TIMESTAMPNS = 35
SO_RXQ_OVFL = 40

_LAST_PORT = 65_535


class NoPortsLeft(RtpError):
    """No pair of ports could be had; the text says of which range, and how many are held."""


class PortPair:
    """Two bound sockets, not read yet. Made by `PortPool.open`; `close` gives the ports back."""

    __slots__ = ("_give_back", "address", "closed", "is_ipv6", "on_close", "rtcp", "rtp")

    def __init__(self, rtp: socket.socket, rtcp: socket.socket, give_back: Callable[[int], None]) -> None:
        name = rtp.getsockname()
        self.address: Address = (name[0], name[1])
        """Host and port of the RTP socket; RTCP has the port above."""
        self.rtp = rtp
        self.rtcp = rtcp
        self.is_ipv6 = rtp.family == socket.AF_INET6
        self.closed = False
        self.on_close: Callable[[PortPair], None] | None = None
        """Told once when the pair is closed."""
        self._give_back = give_back

    def __repr__(self) -> str:
        return f"<PortPair {self.address[0]} {self.address[1]}/{self.rtcp_address[1]}{' closed' * self.closed}>"

    @property
    def rtcp_address(self) -> Address:
        """Host and port of the RTCP socket."""
        return (self.address[0], self.address[1] + 1)

    def close(self) -> None:
        """Closes both sockets and lets the ports rest; closing twice is closing once."""
        if not self.closed:
            self.closed = True
            self.rtp.close()
            self.rtcp.close()
            self._give_back(self.address[1])
            if self.on_close is not None:
                self.on_close(self)


class PortPool:
    """Where port pairs come from.

    Args:
        ports: the ports that may be used, as `range(10_000, 20_000)`; None = whatever the system gives.
        quarantine: seconds that a pair rests before it is used again.
        monotonic: the clock that the rest is measured with.

    Raises:
        LocalError: the range holds no even port with the odd one above it, or numbers that are no ports.
    """

    def __init__(
        self,
        ports: range | None = None,
        *,
        quarantine: float = QUARANTINE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._range = ports
        self._quarantine = quarantine
        self._monotonic = monotonic
        self._held: set[int] = set()
        self._resting: dict[int, float] = {}  # until when, monotonic seconds; the oldest first
        self._free: deque[int] = deque()  # of a range; the longest rested first
        if ports is not None:
            self._free.extend(port for port in ports if not port & 1 and port + 1 in ports)
            if not self._free or ports[0] < 1 or ports[-1] > _LAST_PORT:
                raise LocalError(f"{ports} holds no even port with the odd one above it, or what is no port")

    def __repr__(self) -> str:
        return f"<PortPool {self._name}: {self.held} pairs held, {self.resting} resting>"

    @property
    def held(self) -> int:
        """Pairs that are open now."""
        return len(self._held)

    @property
    def resting(self) -> int:
        """Pairs that wait until late packets have died out."""
        self._wake_rested()
        return len(self._resting)

    def open(self, host: str) -> PortPair:
        """Binds a pair of non-blocking sockets.

        Args:
            host: numeric address of one of our interfaces, IPv4 or IPv6; unspecified ones are allowed.

        Raises:
            NoPortsLeft: no pair could be bound, or the process has no descriptor left.
            LocalError: the host is not numeric, or no address of this machine.
        """
        self._wake_rested()
        try:
            family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
            rtp, rtcp = self._bind_any(family, host) if self._range is None else self._bind_in_range(family, host)
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                raise NoPortsLeft(f"{self._sorrow()}: {error.strerror}") from error
            raise LocalError(f"cannot receive media on {host}: {error.strerror}") from error
        except ValueError as error:
            raise LocalError(f"media needs a numeric address to bind, not {host!r}") from error
        pair = PortPair(rtp, rtcp, self._give_back)
        self._held.add(pair.address[1])
        return pair

    @property
    def _name(self) -> str:
        return "of the system" if self._range is None else f"{self._range[0]}-{self._range[-1]}"

    def _sorrow(self) -> str:
        return f"no port pair left, ports {self._name}: {self.held} pairs held, {self.resting} resting"

    def _give_back(self, port: int) -> None:
        self._held.discard(port)
        self._resting[port] = self._monotonic() + self._quarantine

    def _wake_rested(self) -> None:
        now = self._monotonic()
        while self._resting:
            port = next(iter(self._resting))
            if self._resting[port] > now:
                return
            del self._resting[port]
            if self._range is not None:
                self._free.append(port)

    def _bind_in_range(self, family: socket.AddressFamily, host: str) -> tuple[socket.socket, socket.socket]:
        tries = min(len(self._free), MAX_BIND_TRIES)
        for _ in range(tries):
            port = self._free.popleft()
            try:
                pair = _bind_pair(family, host, port)
            except OSError:
                self._free.append(port)
                raise
            if pair is not None:
                return pair
            self._free.append(port)
        raise NoPortsLeft(f"{self._sorrow()}, {tries} tried and taken by others")

    def _bind_any(self, family: socket.AddressFamily, host: str) -> tuple[socket.socket, socket.socket]:
        for _ in range(MAX_BIND_TRIES):
            with _bound(family, host, 0) as probe:
                port = probe.getsockname()[1] & ~1
            if port not in self._resting:
                pair = _bind_pair(family, host, port)
                if pair is not None:
                    return pair
        raise NoPortsLeft(f"{self._sorrow()}, {MAX_BIND_TRIES} tried")


def _bind_pair(family: socket.AddressFamily, host: str, port: int) -> tuple[socket.socket, socket.socket] | None:
    """RTP and RTCP socket; None if one of the ports is taken."""
    with contextlib.ExitStack() as undo:
        try:
            rtp = undo.enter_context(_bound(family, host, port))
            rtcp = undo.enter_context(_bound(family, host, port + 1))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:  # taken, or reserved for root
                return None
            raise
        undo.pop_all()
    return rtp, rtcp


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform.startswith("linux"):
            for option in (SO_TIMESTAMPNS, SO_RXQ_OVFL):
                with contextlib.suppress(OSError):  # an old kernel: arrivals are then those of the poll
                    bound.setsockopt(socket.SOL_SOCKET, option, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
