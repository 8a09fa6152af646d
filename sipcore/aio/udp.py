"""A UDP socket in the event loop: woken once, drained of many.

asyncio's own datagram endpoint reads into a fresh 256 KiB buffer for each datagram and is woken for each; both cost more than
handling a request does. Here a readable socket is read until it is empty, 64 datagrams a wake-up at most, so that other
work of the loop gets its turn.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from offhook.sipcore.flow import HostPort

MAX_DATAGRAMS_PER_WAKE: Final = 64  # datagrams read in one go; then other work of the loop gets its turn
RECEIVE_BUFFER_OCTETS: Final = 4 * 1024 * 1024  # asked for; the kernel grants what net.core.rmem_max allows
MAX_ERRORS_PER_WAKE: Final = 16  # ICMP errors taken in one go; the rest waits for the next
_ERROR_OCTETS: Final = 512  # struct sock_extended_err and the address of the node that complained
# linux/in.h, linux/in6.h: errors of an unconnected socket are queued with the destination that they are about.
_IPPROTO_IP, _IP_RECVERR = 0, 11
_IPPROTO_IPV6, _IPV6_RECVERR = 41, 25
_READ_OCTETS: Final = 65_536  # a whole datagram, and below the size from which malloc maps fresh pages


class UdpSocket:
    """A bound, non-blocking UDP socket that hands on what it receives."""

    def __init__(
        self,
        host: str,
        port: int,
        receive: Callable[[bytes, HostPort], None],
        unreachable: Callable[[HostPort, OSError], None] = lambda _address, _error: None,
    ) -> None:
        """Bind; nothing is read before :meth:`start`.

        Args:
            host: numeric address of ours.
            port: 0 lets the system choose.
            receive: called with octets and source of each datagram.
            unreachable: called with the destination of a datagram that came back as an ICMP error (RFC 3261 18.4).

        Raises:
            OSError: the address is taken, or not ours.
        """
        self.errors = 0
        "ICMP errors and full buffers; UDP promises nothing, so they are counted and not raised."
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
            if family == socket.AF_INET6:  # IPv4 peers would show up as ::ffff:a.b.c.d, which no SIP message bears
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if sys.platform == "linux":
                level, option = (
                    (_IPPROTO_IPV6, _IPV6_RECVERR) if family == socket.AF_INET6 else (_IPPROTO_IP, _IP_RECVERR)
                )
                self._socket.setsockopt(level, option, 1)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        name = self._socket.getsockname()
        self.address: HostPort = (name[0], name[1])
        self._receive = receive
        self._unreachable = unreachable
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Read from now on, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._drain)

    def send(self, data: bytes, address: HostPort) -> OSError | None:
        """Send one datagram; what the kernel says against it comes back."""
        for _ in range(1 + MAX_ERRORS_PER_WAKE):
            try:
                self._socket.sendto(data, address)
            except BlockingIOError:
                self.errors += 1  # the buffer is full: lost, as it might have been further on
                return None
            except OSError as error:
                if self._read_errors():  # it was about an earlier datagram; this one has not been tried yet
                    continue
                self.errors += 1
                return error
            return None
        return None

    def close(self) -> None:
        """Stop reading and free the port."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._loop = None
        self._socket.close()

    def _drain(self) -> None:
        receive = self._receive
        for _ in range(MAX_DATAGRAMS_PER_WAKE):
            try:
                data, address = self._socket.recvfrom(_READ_OCTETS)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier send is told at the next read
                if not self._read_errors():
                    self.errors += 1
                continue
            receive(data, (address[0], address[1]))
            if self._loop is None:  # closed by what was received
                return

    def _read_errors(self) -> int:
        """Take the ICMP errors from the socket's error queue, each with the destination that it came back from."""
        if sys.platform != "linux":
            return 0
        for taken in range(MAX_ERRORS_PER_WAKE):
            try:
                _, ancillary, _, address = self._socket.recvmsg(1, _ERROR_OCTETS, socket.MSG_ERRQUEUE)
            except OSError:
                return taken
            self.errors += 1
            code = int.from_bytes(ancillary[0][2][:4], sys.byteorder) if ancillary else errno.ECONNREFUSED
            if self._loop is not None and address:
                error = OSError(code, os.strerror(code))
                self._loop.call_soon(self._unreachable, (address[0], address[1]), error)
        return MAX_ERRORS_PER_WAKE
