"""A UDP socket in the event loop: woken once, drained of many.

asyncio's own datagram endpoint reads into a fresh 256 KiB buffer for each datagram and is woken for each; both cost more than
handling a request does. Here a readable socket is read until it is empty, 64 datagrams a wake-up at most, so that other
work of the loop gets its turn.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from offhook.sipcore.flow import HostPort

MAX_DATAGRAMS_PER_WAKE: Final = 64
RECEIVE_BUFFER_OCTETS: Final = 4 * 1024 * 1024  # asked for; the kernel grants what net.core.rmem_max allows
_READ_OCTETS: Final = 65_536  # a whole datagram, and below the size from which malloc maps fresh pages


class UdpSocket:
    """A bound, non-blocking UDP socket that hands on what it receives."""

    def __init__(self, host: str, port: int, receive: Callable[[bytes, HostPort], None]) -> None:
        """Bind; nothing is read before :meth:`start`.

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
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        name = self._socket.getsockname()
        self.address: HostPort = (name[0], name[1])
        self._receive = receive
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Read from now on, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._drain)

    def send(self, data: bytes, address: HostPort) -> OSError | None:
        """Send one datagram; what the kernel says against it comes back."""
        try:
            self._socket.sendto(data, address)
        except BlockingIOError:
            self.errors += 1  # the buffer is full: lost, as it might have been further on
        except OSError as error:
            self.errors += 1
            return error
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
                self.errors += 1
                continue
            receive(data, (address[0], address[1]))
            if self._loop is None:  # closed by what was received
                return
