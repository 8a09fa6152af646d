"""SIP and SIPS URIs (RFC 3261 section 19.1), and every other scheme as an opaque text.

``sip:user:password@host:port;uri-parameters?headers``. A URI is a value: it is parsed once, compared by the rules of
section 19.1.4 where :meth:`SipUri.equivalent` is asked, and written back as it came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from .exceptions import MalformedMessage
from .grammar import (
    HOST,
    IPV6_REFERENCE,
    bounded_int,
    format_parameters,
    parse_parameters,
    refuse_line_breaks,
)

MAX_URI_OCTETS: Final = 4_096  # bounds the work of one address; real ones have 20 to 200

_DEFAULT_PORTS: Final = {"sip": 5060, "sips": 5061}

# scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")

# userinfo = unreserved / escaped / user-unreserved (and ":" password); what is refused is what would break out of it.
_USERINFO: Final = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/:%#\[\]^`{|}\"\\\x80-\U0010ffff]+")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class OtherUri:
    """A URI of a scheme that is not ours to take apart: ``tel:``, ``http:``, ``urn:`` ..."""

    scheme: str
    "In lower case."
    rest: str
    "All that follows the colon."

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


@dataclass(frozen=True, slots=True)
class SipUri:
    """A ``sip:`` or ``sips:`` URI."""

    host: str
    "Name, IPv4 address, or IPv6 address without its brackets."
    user: str | None = None
    "As on the wire, escapes included."
    port: int | None = None
    scheme: str = "sip"
    password: str | None = None
    parameters: dict[str, str | None] = field(default_factory=dict, hash=False)
    "Names in lower case; None for a flag such as ``lr``."
    headers: str = ""
    "What follows the question mark, untouched."

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """Read a sip or sips URI.

        Raises:
            MalformedMessage: it is none, with status 416 for another scheme.
        """
        uri = parse_uri(text)
        if not isinstance(uri, SipUri):
            raise MalformedMessage("Unsupported URI Scheme", status=416)
        return uri

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        password = "" if self.password is None else f":{self.password}"
        user = "" if self.user is None else f"{self.user}{password}@"
        port = "" if self.port is None else f":{self.port}"
        query = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{host}{port}{format_parameters(self.parameters)}{query}"

    @property
    def effective_port(self) -> int:
        """The port where one is named, else the scheme's default (section 19.1.2)."""
        return self.port or _DEFAULT_PORTS[self.scheme]

    @property
    def transport(self) -> str | None:
        """The ``transport`` parameter in lower case."""
        value = self.parameters.get("transport")
        return value.lower() if value else None

    @property
    def is_loose_router(self) -> bool:
        """Whether ``lr`` stands on it (section 19.1.1)."""
        return "lr" in self.parameters

    def equivalent(self, other: SipUri) -> bool:
        """Whether both name the same resource by the rules of section 19.1.4."""
        return (
            self.scheme == other.scheme
            and _unescape(self.user) == _unescape(other.user)
            and _unescape(self.password) == _unescape(other.password)
            and self.host.lower() == other.host.lower()
            and self.port == other.port
            and _comparable(self, other)
            and sorted(self.headers.lower().split("&")) == sorted(other.headers.lower().split("&"))
        )

    def without_headers(self) -> SipUri:
        """The URI as it may stand in a Request-URI, where headers and ``method`` are not allowed (table 1)."""
        if not self.headers and "method" not in self.parameters:
            return self
        kept = {name: value for name, value in self.parameters.items() if name != "method"}
        return replace(self, headers="", parameters=kept)


Uri = SipUri | OtherUri


def _comparable(one: SipUri, other: SipUri) -> bool:
    """The parameters' share of section 19.1.4: common ones match, and these four may not stand on one side alone."""
    for name in one.parameters.keys() | other.parameters.keys():
        in_both = name in one.parameters and name in other.parameters
        if in_both and (one.parameters[name] or "").lower() != (other.parameters[name] or "").lower():
            return False
        if not in_both and name in {"user", "ttl", "method", "maddr"}:
            return False
    return True


def _unescape(text: str | None) -> str | None:
    return None if text is None else _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def parse_uri(text: str) -> Uri:
    """Read any URI; ``sip`` and ``sips`` are taken apart, others stay whole.

    Raises:
        MalformedMessage: no scheme, illegal characters, no host, a bad port, too long (status 414).
    """
    if len(text) > MAX_URI_OCTETS:
        raise MalformedMessage("Request-URI Too Long", status=414)
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        if not colon or not rest or not _SCHEME.fullmatch(scheme) or any(c in rest for c in " \t\r\n\0<>"):
            raise MalformedMessage("Invalid URI")
        return OtherUri(scheme, rest)
    # userinfo may hold ";" and "?", so the "@" is looked for before anything else.
    userinfo, at, hostpart = rest.rpartition("@")
    user, password = _parse_userinfo(userinfo) if at else (None, None)
    hostpart, _, headers = hostpart.partition("?")
    hostport, *parameters = hostpart.split(";")
    host, port = parse_host_port(hostport)
    if any(c in headers for c in ' \t\r\n\0<>"'):
        raise MalformedMessage("Invalid URI headers")
    if any(c in hostpart for c in ' \t\r\n\0<>"'):
        raise MalformedMessage("Invalid URI")
    return SipUri(host, user, port, scheme, password, parse_parameters(parameters) if parameters else {}, headers)


def _parse_userinfo(text: str) -> tuple[str, str | None]:
    if not _USERINFO.fullmatch(text) or ("%" in text and _BAD_ESCAPE.search(text)):
        raise MalformedMessage("Invalid user in URI")
    user, colon, password = text.partition(":")
    return user, password if colon else None


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Read ``host [ ":" port ]``; an IPv6 address comes back without its brackets.

    Raises:
        MalformedMessage: no host, or no port number up to 65,535.
    """
    if text.startswith("["):
        reference, bracket, rest = text.partition("]")
        if not IPV6_REFERENCE.fullmatch(reference + bracket) or (rest and not rest.startswith(":")):
            raise MalformedMessage("Invalid host")
        host, colon, port = reference[1:], rest[:1], rest[1:]
    else:
        host, colon, port = text.partition(":")
        if not HOST.fullmatch(host):
            raise MalformedMessage("Invalid host")
    return host, bounded_int(port, 65_535, "port") if colon else None


def quote_user(text: str) -> str:
    """Escape what may not stand in the user part of a URI (section 19.1.2), after refusing line breaks."""
    refuse_line_breaks(text, "user")
    keep = "-_.!~*'()&=+$,;?/"
    return "".join(c if (c.isalnum() and c.isascii()) or c in keep else _percent(c) for c in text)


def _percent(character: str) -> str:
    return "".join(f"%{octet:02X}" for octet in character.encode())
