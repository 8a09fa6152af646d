"""Typed header fields: Via and CSeq. Addresses have a room of their own (:mod:`.address`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from .exceptions import MalformedMessage
from .grammar import bounded_int, format_parameters, is_token, parse_parameters
from .uri import parse_host_port

# RFC 3261 8.1.1.5: "The sequence number value MUST be expressible as a 32-bit unsigned integer and MUST be less than 2**31."
MAX_CSEQ: Final = 2**31 - 1

# RFC 3261 8.1.1.7: "the branch parameter MUST start with the magic cookie".
MAGIC_COOKIE: Final = "z9hG4bK"


@dataclass(frozen=True, slots=True)
class Via:
    """One Via value (RFC 3261 section 20.42): ``SIP/2.0/UDP host:port;branch=...``."""

    transport: str
    "In upper case: UDP, TCP, TLS, WS, WSS."
    host: str
    port: int | None
    parameters: dict[str, str | None] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, value: str) -> Via:
        """Read one value.

        Raises:
            MalformedMessage: not ``SIP / 2.0 / transport``, or no sent-by.
        """
        sent, *parameters = value.split(";")
        protocol, _, sent_by = sent.strip().rpartition(" ")
        pieces = protocol.split("/") if sent_by else []
        if len(pieces) != 3 and sent_by:  # white space is allowed around each slash and before a port
            protocol, sent_by = _with_white_space(sent)
            pieces = protocol.split("/")
        name, version, transport = (piece.strip() for piece in pieces) if len(pieces) == 3 else ("", "", "")
        if name.upper() != "SIP" or version != "2.0" or not is_token(transport):
            raise MalformedMessage("Invalid Via")
        host, port = parse_host_port(sent_by)
        return cls(transport.upper(), host, port, parse_parameters([p.strip() for p in parameters]))

    @property
    def branch(self) -> str | None:
        """The transaction's name (section 17.1.3)."""
        return self.parameters.get("branch")

    @property
    def has_magic_branch(self) -> bool:
        """Whether the branch is unique by RFC 3261: the cookie with something behind it."""
        branch = self.parameters.get("branch")
        return branch is not None and branch.startswith(MAGIC_COOKIE) and len(branch) > len(MAGIC_COOKIE)

    @property
    def sent_by(self) -> str:
        """``host:port`` in lower case, as it takes part in matching (section 17.2.3)."""
        return f"{self.host.lower()}:{self.port or default_port(self.transport)}"

    def observed_from(self, source: tuple[str, int]) -> Via:
        """The value with what the receiver saw written on it.

        RFC 3261 18.2.1 adds ``received`` when the sender's address is not the one in sent-by; RFC 3581 section 4 adds it, and
        the source port, whenever the client asked with ``rport``.
        """
        asked = "rport" in self.parameters
        if not asked and self.host == source[0]:
            return self
        parameters = {**self.parameters, "received": source[0]}
        if asked:
            parameters["rport"] = str(source[1])
        return replace(self, parameters=parameters)

    def response_address(self) -> tuple[str, int]:
        """Where a response goes over UDP: RFC 3261 18.2.2 and RFC 3581 section 4.

        ``maddr`` is not followed: it would let anybody aim our answers at a third party.
        """
        rport = self.parameters.get("rport")
        received = self.parameters.get("received") or self.host
        if rport:
            return received, bounded_int(rport, 65_535, "rport")
        return received, self.port or default_port(self.transport)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {host}{port}{format_parameters(self.parameters)}"


def default_port(transport: str) -> int:
    """5061 for TLS, 80 and 443 for WebSockets (RFC 7118), else 5060."""
    return {"TLS": 5061, "WS": 80, "WSS": 443}.get(transport, 5060)


def _with_white_space(sent: str) -> tuple[str, str]:
    """Take ``SIP / 2.0 / UDP   host : port`` apart into protocol and sent-by without blanks."""
    head, slash, tail = sent.partition("/")
    version, second, tail = tail.partition("/")
    words = tail.split()
    if not slash or not second or len(words) < 2:
        raise MalformedMessage("Invalid Via")
    return f"{head}/{version}/{words[0]}", "".join(words[1:])


@dataclass(frozen=True, slots=True)
class CSeq:
    """Sequence number and method (RFC 3261 section 20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, value: str) -> CSeq:
        """Read ``1*DIGIT LWS Method``.

        Raises:
            MalformedMessage: no number below 2**31, or no method.
        """
        words = value.split()
        if len(words) != 2 or not is_token(words[1]):
            raise MalformedMessage("Invalid CSeq")
        return cls(bounded_int(words[0], MAX_CSEQ, "CSeq"), words[1])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
