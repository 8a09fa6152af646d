"""From a host name to an address, and from a peer's address to ours.

Numeric addresses, which is what most messages bear, are recognised without asking anybody.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

from offhook.sipcore.exceptions import SipError
from offhook.sipcore.flow import is_numeric

if TYPE_CHECKING:
    from offhook.sipcore.flow import HostPort

MAX_ROUTES_REMEMBERED: Final = 4_096  # peers; forgotten all at once when more come

UNSPECIFIED: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with
_LOOPBACK: Final = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
# RFC 5737 and RFC 3849: nobody's addresses. The route to them is the default one, which a name most likely lies behind.
_ANYWHERE: Final = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


class UnknownHost(SipError):
    """A name has no address."""


async def resolve(host: str, port: int, family: int = socket.AF_UNSPEC) -> HostPort:
    """The first address of a name, by the system's resolver.

    Raises:
        UnknownHost: it has none in this family.
    """
    if is_numeric(host):
        return host, port
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that no name can have
        raise UnknownHost(f"{host} has no address: {getattr(error, 'strerror', None) or error}") from error
    address = found[0][4]
    return str(address[0]), int(address[1])


class LocalAddress:
    """Which of our addresses faces a peer, when the socket is bound to all of them."""

    def __init__(self) -> None:
        self._facing: dict[str, str] = {}

    def facing(self, peer: str, bound: str) -> str:
        """``bound`` itself unless it is the unspecified address; then what the kernel's routes say.

        Args:
            peer: an address, or a name: then the default route decides.
            bound: what our socket is bound to.
        """
        if bound not in UNSPECIFIED:
            return bound
        family = socket.AF_INET6 if ":" in bound else socket.AF_INET
        if not is_numeric(peer) or (":" in peer) != (":" in bound):
            peer = _ANYWHERE[family]
        known = self._facing.get(peer)
        if known is None:
            if len(self._facing) >= MAX_ROUTES_REMEMBERED:
                self._facing.clear()
            known = self._facing[peer] = _route_to(peer, family)
        return known


def _route_to(peer: str, family: socket.AddressFamily) -> str:
    """Connecting a UDP socket sends nothing, but chooses the source address."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer, 9))
        except OSError:
            return _LOOPBACK[family]
        return str(probe.getsockname()[0])


__all__ = ["MAX_ROUTES_REMEMBERED", "UNSPECIFIED", "LocalAddress", "UnknownHost", "is_numeric", "resolve"]
