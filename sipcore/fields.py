"""Typed header fields: Via and CSeq. Addresses have a room of their own (:mod:`.address`)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .exceptions import MalformedMessage
from .grammar import LWS, SIP, bounded_int, format_parameters, is_token, parse_parameters, split_parameters
from .uri import parse_host_port

if TYPE_CHECKING:
    from collections.abc import Mapping

# RFC 3261 8.1.1.5: "The sequence number value MUST be expressible as a 32-bit unsigned integer and MUST be less than 2**31."
MAX_CSEQ: Final = 2**31 - 1

# RFC 3261 8.1.1.7: "the branch parameter MUST start with the magic cookie".
MAGIC_COOKIE: Final = "z9hG4bK"

MAX_KEPT_FIELDS: Final = (
    1_024  # entries of each table of read texts (sent-by, CSeq), which recur from message to message
)
MAX_KEPT_CHARACTERS: Final = 64  # longer ones are read anew each time, so that a table stays below 0.5 MB

_DEFAULT_PORTS: Final = {"TLS": 5061, "WS": 80, "WSS": 443}


@dataclass(frozen=True, slots=True)
class Via:
    """One Via value (RFC 3261 section 20.42): ``SIP/2.0/UDP host:port;branch=...``."""

    transport: str
    "In upper case: UDP, TCP, TLS, WS, WSS."
    host: str
    port: int | None
    parameters: Mapping[str, str | None] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, value: str) -> Via:
        """Read one value.

        Raises:
            MalformedMessage: not ``SIP / 2.0 / transport``, no sent-by, or an ``rport`` that is no port.
        """
        sent, *rest = split_parameters(value)
        transport, host, port = _kept_sent(sent) if len(sent) <= MAX_KEPT_CHARACTERS else _read_sent(sent)
        parameters = parse_parameters(rest)
        if parameters.get("rport"):
            bounded_int(parameters["rport"] or "", 65_535, "rport")
        return cls(transport, host, port, parameters)

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
        the source port, whenever the client asked with ``rport``. A ``received`` that the client wrote itself is never left
        standing: it would aim our answer at a third party.
        """
        asked = "rport" in self.parameters
        if not asked and self.host == source[0] and "received" not in self.parameters:
            return self
        parameters = {**self.parameters, "received": source[0]}
        if asked:
            parameters["rport"] = str(source[1])
        return replace(self, parameters=parameters)

    def response_address(self) -> tuple[str, int]:
        """Where a response goes over UDP: RFC 3261 18.2.2 and RFC 3581 section 4.

        ``maddr`` is not followed: it would let anybody aim our answers at a third party. An IPv6 address comes without the
        brackets that RFC 5118 section 4.5 lets stand around it.

        Raises:
            MalformedMessage: never for a Via that was parsed.
        """
        rport = self.parameters.get("rport")
        received = (self.parameters.get("received") or self.host).strip("[]")
        if rport:
            return received, bounded_int(rport, 65_535, "rport")
        return received, self.port or default_port(self.transport)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {host}{port}{format_parameters(self.parameters)}"


def default_port(transport: str) -> int:
    """5061 for TLS, 80 and 443 for WebSockets (RFC 7118), else 5060."""
    return _DEFAULT_PORTS.get(transport, 5060)


def _read_sent(sent: str) -> tuple[str, str, int | None]:
    """Take ``SIP / 2.0 / UDP   host : port`` apart; white space may stand around each slash and around the colon.

    ``sent-protocol = protocol-name SLASH protocol-version SLASH transport``, ``sent-by = host [ COLON port ]``
    """
    name, _, rest = sent.partition("/")
    version, _, rest = rest.partition("/")
    transport, _, sent_by = rest.strip(LWS).replace("\t", " ").partition(" ")
    if not SIP.fullmatch(name.strip(LWS)) or version.strip(LWS) != "2.0" or not is_token(transport):
        raise MalformedMessage("Invalid Via")
    if " " in sent_by:
        host, colon, port = sent_by.rpartition(":")
        sent_by = f"{host.strip(LWS)}:{port.strip(LWS)}" if colon else sent_by.strip(LWS)
    host, number = parse_host_port(sent_by)
    return transport.upper(), host, number


_kept_sent = lru_cache(maxsize=MAX_KEPT_FIELDS)(_read_sent)


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
        return _kept_cseq(value) if len(value) <= MAX_KEPT_CHARACTERS else _read_cseq(value)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def _read_cseq(value: str) -> CSeq:
    number, _, method = value.strip(LWS).replace("\t", " ").partition(" ")
    method = method.lstrip(" ")
    if not is_token(method):
        raise MalformedMessage("Invalid CSeq")
    return CSeq(bounded_int(number, MAX_CSEQ, "CSeq"), method)


_kept_cseq = lru_cache(maxsize=MAX_KEPT_FIELDS)(_read_cseq)
