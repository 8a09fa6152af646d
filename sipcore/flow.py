"""Where a message came from, or goes to: transport, our address, the peer's."""

from __future__ import annotations

from typing import NamedTuple

HostPort = tuple[str, int]


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
        return f"{self.transport.lower()}:{self.local[0]}:{self.local[1]}~{self.remote[0]}:{self.remote[1]}"
