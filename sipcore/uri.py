"""SIP and SIPS URIs (RFC 3261 section 19.1), and every other scheme as an opaque text.

``sip:user:password@host:port;uri-parameters?headers``. A URI is a value: it is parsed once, compared by the rules of
section 19.1.4 where :meth:`SipUri.equivalent` is asked, and written back as it came. Few URIs recur in many messages (ours,
the proxy's, the callee's), so the last short ones are kept with what was read from them. The table is bounded, holds
nothing that can be changed, and a peer that fills it with strangers costs us what reading without a table costs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from .exceptions import MalformedMessage
from .grammar import (
    HOST,
    IPV6_REFERENCE,
    bounded_int,
    format_parameters,
    is_token,
    octets,
    parse_parameters,
    refuse_line_breaks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_URI_OCTETS: Final = 4_096  # bounds the work of one address; real ones have 20 to 200

MAX_KEPT_URIS: Final = 1_024  # entries of the table of read URIs: the peers of one busy host
MAX_KEPT_URI_CHARACTERS: Final = 128  # longer ones are read anew each time, so that the table stays below 1 MB

_DEFAULT_PORTS: Final = {"sip": 5060, "sips": 5061}
_NO_PARAMETERS: Final[Mapping[str, str | None]] = MappingProxyType({})

# scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")

# userinfo = unreserved / escaped / user-unreserved (and ":" password); what is refused is what would break out of it.
_USERINFO: Final = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/:%#\[\]^`{|}\"\\\x80-\U0010ffff]+")
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")

# What must not stand in the rest of a URI: it would end it, or begin something else. No control character is legal there.
_ENDS_URI: Final = re.compile(r'[\x00-\x20\x7f<>"]')
_ENDS_OTHER_URI: Final = re.compile(r"[\x00-\x20\x7f<>]")

# unreserved = alphanum / mark: "%61" and "a" are one, "%3B" and ";" are two (section 19.1.4)
_UNRESERVED: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()")


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
    parameters: Mapping[str, str | None] = field(default_factory=lambda: _NO_PARAMETERS, hash=False)
    "Names in lower case and without escapes, values as on the wire; None for a flag such as ``lr``."
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
            and _header_set(self) == _header_set(other)
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
        if name in one.parameters and name in other.parameters:
            if _folded(one.parameters[name]) != _folded(other.parameters[name]):
                return False
        elif name in {"user", "ttl", "method", "maddr"}:
            return False
    return True


def _folded(text: str | None) -> str:
    return (_unescape(text) or "").lower()


def _header_set(uri: SipUri) -> list[str]:
    return sorted(_folded(header) for header in uri.headers.split("&"))


def _unescape(text: str | None) -> str | None:
    """Resolve the escapes that mean the same as the character itself, and write the others in one way."""
    return text if text is None or "%" not in text else _ESCAPE.sub(_resolve, text)


def _resolve(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def parse_uri(text: str) -> Uri:
    """Read any URI; ``sip`` and ``sips`` are taken apart, others stay whole.

    Raises:
        MalformedMessage: no scheme, illegal characters, no host, a bad port, too long (status 414).
    """
    if len(text) <= MAX_KEPT_URI_CHARACTERS:
        return _kept_uri(text)
    if len(text) > MAX_URI_OCTETS or octets(text) > MAX_URI_OCTETS:
        raise MalformedMessage("Request-URI Too Long", status=414)
    return _read_uri(text)


def _read_uri(text: str) -> Uri:
    scheme, colon, rest = text.partition(":")
    if scheme not in _DEFAULT_PORTS:
        if not _SCHEME.fullmatch(scheme):
            raise MalformedMessage("Invalid URI")
        scheme = scheme.lower()
    if not colon or not rest:
        raise MalformedMessage("Invalid URI")
    if scheme in _DEFAULT_PORTS:
        return _read_sip_uri(scheme, rest)
    if _ENDS_OTHER_URI.search(rest):
        raise MalformedMessage("Invalid URI")
    return OtherUri(scheme, rest)


_kept_uri = lru_cache(maxsize=MAX_KEPT_URIS)(_read_uri)


def _read_sip_uri(scheme: str, rest: str) -> SipUri:
    # userinfo may hold ";" and "?", and nothing behind it may hold "@": the last one ends it.
    userinfo, at, hostpart = rest.rpartition("@")
    user, password = _parse_userinfo(userinfo) if at else (None, None)
    if _ENDS_URI.search(hostpart):
        raise MalformedMessage("Invalid URI")
    hostpart, _, headers = hostpart.partition("?")
    hostport, semicolon, rest = hostpart.partition(";")
    host, port = parse_host_port(hostport)
    parameters = _read_parameters(rest) if semicolon else _NO_PARAMETERS
    return SipUri(host, user, port, scheme, password, parameters, headers)


def _read_parameters(text: str) -> Mapping[str, str | None]:
    """Read uri-parameters. RFC 4475 3.1.1.3: ``%6C%72`` is ``lr``; what an escape hides in a value stays hidden."""
    parts = text.split(";")
    if "%" in text:
        parts = [_plain_name(part) for part in parts]
    return MappingProxyType(parse_parameters(parts))


def _plain_name(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    plain = _unescape(name) or ""
    return f"{plain}{equals}{value}" if is_token(plain) else parameter


def _parse_userinfo(text: str) -> tuple[str, str | None]:
    if not _USERINFO.fullmatch(text) or ("%" in text and _BAD_ESCAPE.search(text)):
        raise MalformedMessage("Invalid user in URI")
    user, colon, password = text.partition(":")
    if not user:  # userinfo = ( user / telephone-subscriber ) [ ":" password ] "@", and user = 1*( ... )
        raise MalformedMessage("Invalid user in URI")
    return user, password if colon else None


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Read ``host [ ":" port ]``; an IPv6 address comes back without its brackets.

    A third colon in a row is let pass, as RFC 5118 section 4.10 suggests: the grammar of RFC 3261 once asked for it.

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
