"""RFC 3261 section 25 as named patterns, and the scanners that respect quotes and brackets.

Only what several parsers need stands here. Each pattern has one quantifier over one character class, so that no input of
a peer can make it backtrack. White space is SP and HTAB and nothing else: what Python strips by default (no-break space,
the separators of ASCII, NEL ...) is part of a value here, or two readers of one message would see two messages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .exceptions import MalformedMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" )
TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")

# word, as used by callid = word [ "@" word ]; one class covers both sides and the "@".
CALL_ID: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}@]+")

# hostname / IPv4address; labels may carry "_" because the field's hosts do.
HOST: Final = re.compile(r"[A-Za-z0-9\-._]+")

# IPv6reference = "[" IPv6address "]"
IPV6_REFERENCE: Final = re.compile(r"\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]")

# The protocol's name "MUST be case-insensitive" (section 7.1), over ASCII: other alphabets have an "I" and an "S" too.
SIP: Final = re.compile(r"SIP", re.IGNORECASE | re.ASCII)
SIP_VERSION: Final = re.compile(r"SIP/2\.0", re.IGNORECASE | re.ASCII)

MAX_DIGITS: Final = 10  # of a number without its leading zeros: 2**32 - 1 is the largest that SIP knows

LWS: Final = " \t"  # what is left of linear white space once lines are unfolded

_STRUCTURE: Final = re.compile(r'[",<>\\;]')
_IN_QUOTES: Final = re.compile(r'["\\]')

# The parameters that stand on almost every message: found here, a name needs neither a check nor a copy in lower case.
_FREQUENT_PARAMETERS: Final = frozenset(
    {
        "branch",
        "rport",
        "received",
        "tag",
        "lr",
        "transport",
        "user",
        "expires",
        "q",
        "alias",
        "ob",
        "reg-id",
        "+sip.instance",
    }
)


def is_token(text: str) -> bool:
    """Whether ``text`` is a token of section 25.1."""
    return TOKEN.fullmatch(text) is not None


def octets(text: str) -> int:
    """How many octets ``text`` is on the wire."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def has_bare_nul(text: str) -> bool:
    r"""Whether a NUL stands where section 25.1 has none.

    ``quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F)``: behind a backslash it is legal, and RFC 4475 3.1.1.2 sends one.
    """
    return "\0" in text and text.count("\0") != text.count("\\\0")


def refuse_line_breaks(value: str, what: str) -> str:
    """Give ``value`` back, or raise ValueError when it would leave its place on the wire.

    Raises:
        ValueError: CR, LF or NUL stands in it, or a lone surrogate that no octets stand for.
    """
    if "\r" in value or "\n" in value or "\0" in value:
        raise ValueError(f"{what} must not contain CR, LF or NUL: {value[:60]!r}")
    if not value.isascii():
        value.encode("utf-8", "surrogateescape")  # UnicodeEncodeError is a ValueError
    return value


def split_unquoted(value: str, separator: str) -> list[str]:
    """Split at ``separator`` ("," or ";") where it stands outside of quotes and angle brackets.

    Raises:
        MalformedMessage: quotes or brackets are not balanced.
    """
    if '"' not in value and "<" not in value:
        return [part.strip(LWS) for part in value.split(separator)]
    return [part.strip(LWS) for part in _pieces(value, separator)]


def _pieces(value: str, separator: str) -> Iterator[str]:
    quoted = bracketed = False
    start = skip = 0
    for match in _STRUCTURE.finditer(value):
        position, mark = match.start(), match.group()
        if position < skip:
            continue
        if mark == "\\":
            skip = position + 2 if quoted else skip
        elif mark == '"':
            quoted = not quoted if not bracketed else quoted
        elif not quoted and mark in "<>":
            bracketed = mark == "<"
        elif mark == separator and not quoted and not bracketed:
            yield value[start:position]
            start = position + 1
    if quoted or bracketed:
        raise MalformedMessage("Unbalanced quotes or brackets")
    yield value[start:]


def closing_quote(value: str) -> int:
    """Where the quoted string that begins at 0 ends; a quoted-pair inside does not end it.

    Raises:
        MalformedMessage: it does not end.
    """
    skip = 1
    for match in _IN_QUOTES.finditer(value, 1):
        position = match.start()
        if position < skip:
            continue
        if match.group() == '"':
            return position
        skip = position + 2
    raise MalformedMessage("Unbalanced quotes or brackets")


def bounded_int(text: str, limit: int, what: str) -> int:
    """Read 1*DIGIT that may not exceed ``limit``, which itself is below 10**10.

    Digits are counted before they are converted, so that a long number costs nothing.

    Raises:
        MalformedMessage: no number, or too large.
    """
    digits = text if len(text) <= MAX_DIGITS else text.lstrip("0") or "0"
    if len(digits) <= MAX_DIGITS and text.isdigit() and text.isascii() and (number := int(digits)) <= limit:
        return number
    raise MalformedMessage(f"Invalid {what}")


def split_parameters(value: str) -> list[str]:
    """Split at each ";" outside of quotes, where most values have no quotes at all.

    Raises:
        MalformedMessage: quotes are not balanced.
    """
    return value.split(";") if '"' not in value else split_unquoted(value, ";")


def parse_parameters(parts: list[str]) -> dict[str, str | None]:
    """Read ``;name=value`` parameters that were already split; names become lower case, a flag's value is None.

    ``generic-param = token [ EQUAL gen-value ]``; the first of two equal names wins.

    Raises:
        MalformedMessage: a name is not a token.
    """
    parameters: dict[str, str | None] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if name not in _FREQUENT_PARAMETERS:
            name = name.strip(LWS)
            if not is_token(name):
                if not part.strip(LWS):  # "a;;b" and a trailing ";" are seen in the field and mean nothing
                    continue
                raise MalformedMessage("Invalid parameter name")
            name = name.lower()
        if name not in parameters:
            parameters[name] = value.strip(LWS) if equals else None
    return parameters


def format_parameters(parameters: Mapping[str, str | None]) -> str:
    """The inverse of :func:`parse_parameters`, with a leading ";" for each."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in parameters.items())
