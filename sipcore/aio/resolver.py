"""From a host name to an address, and from a peer's address to ours.

Numeric addresses, which is what most messages bear, are recognised without asking anybody.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Final

from offhook.sipcore.exceptions import SipError

if TYPE_CHECKING:
    from offhook.sipcore.flow import HostPort

MAX_ROUTES_REMEMBERED: Final = 4_096  # peers; forgotten all at once when more come


class UnknownHost(SipError):
    """A name has no address."""


def is_numeric(host: str) -> bool:
    """Whether ``host`` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


async def resolve(host: str, port: int, family: int = socket.AF_UNSPEC) -> HostPort:
    """The first address of a name, by the system's resolver.

    Raises:
        UnknownHost: it has none.
    """
    if is_numeric(host):
        return host, port
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise UnknownHost(f"{host} has no address: {error.strerror or error}") from error
    address = found[0][4]
    return str(address[0]), int(address[1])


class LocalAddress:
    """Which of our addresses faces a peer, when the socket is bound to all of them."""

    def __init__(self) -> None:
        self._facing: dict[str, str] = {}

    def facing(self, peer: str, bound: str) -> str:
        """``bound`` itself unless it is the unspecified address; then what the kernel's routes say."""
        if bound not in {"0.0.0.0", "::"} or not is_numeric(peer):  # noqa: S104 - compared with
            return bound if bound not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104
        known = self._facing.get(peer)
        if known is None:
            if len(self._facing) >= MAX_ROUTES_REMEMBERED:
                self._facing.clear()
            known = self._facing[peer] = _route_to(peer)
        return known


def _route_to(peer: str) -> str:
    """Connecting a UDP socket sends nothing, but chooses the source address."""
    family = socket.AF_INET6 if ":" in peer else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer, 9))
        except OSError:
            return "127.0.0.1" if family == socket.AF_INET else "::1"
        return str(probe.getsockname()[0])
