"""Where a message came from, or goes to: transport, our address, the peer's."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

HostPort = tuple[str, int]

MAX_ADDRESS_CHARACTERS: Final = 64  # the longest IPv6 address has 39, and an interface's name may follow it
MAX_KEPT_HOSTS: Final = 1_024  # entries of the table of hosts that were looked at: the peers of one busy host

# RFC 3261 18.1.1: beyond the path's MTU a request should not leave over UDP at all; beyond this no datagram can hold it.
MAX_DATAGRAM_OCTETS: Final = 65_507


class Flow(NamedTuple):
    """One bidirectional path of messages; requests inside a dialog stay on the flow that exists."""

    transport: str
    "UDP (upper case, as in Via)."
    local: HostPort
    "The address that our socket is bound to."
    remote: HostPort
    "The peer's address; a host name until the shell has resolved it."

    @property
    def reliable(self) -> bool:
        """Whether retransmission is the transport's business (RFC 3261 section 17)."""
        return self.transport != "UDP"

    def __str__(self) -> str:
        return f"{self.transport.lower()}:{bracketed(self.local)}~{bracketed(self.remote)}"


def bracketed(address: HostPort) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_numeric(host: str) -> bool:
    """Whether ``host`` is an IPv4 or IPv6 address, and so needs no asking for one."""
    return len(host) <= MAX_ADDRESS_CHARACTERS and _kept_is_numeric(host)


def is_other_address(one: str, other: str) -> bool:
    """Whether both are addresses, and not the same one however they are written; a name is never another address."""
    if one == other or not is_numeric(one) or not is_numeric(other):
        return False
    return ip_address(one) != ip_address(other)


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


_kept_is_numeric = lru_cache(maxsize=MAX_KEPT_HOSTS)(_is_numeric)
