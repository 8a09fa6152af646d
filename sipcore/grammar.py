"""RFC 3261 section 25 as named patterns, and the scanners that respect quotes and brackets.

Only what several parsers need stands here. Each pattern has one quantifier over one character class, so that no input of
a peer can make it backtrack.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .exceptions import MalformedMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

# token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" )
TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")

# word, as used by callid = word [ "@" word ]; one class covers both sides and the "@".
CALL_ID: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}@]+")

# hostname / IPv4address; labels may carry "_" because the field's hosts do.
HOST: Final = re.compile(r"[A-Za-z0-9\-._]+")

# IPv6reference = "[" IPv6address "]"
IPV6_REFERENCE: Final = re.compile(r"\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]")

# What must never stand in a value that we are asked to send: it would begin a header, or a message, of its own.
_BREAKS_OUT: Final = re.compile(r"[\r\n\0]")

_STRUCTURE: Final = re.compile(r'[",<>\\;]')


def is_token(text: str) -> bool:
    """Whether ``text`` is a token of section 25.1."""
    return TOKEN.fullmatch(text) is not None


def refuse_line_breaks(value: str, what: str) -> str:
    """Give ``value`` back, or raise ValueError when it would leave its place on the wire.

    Raises:
        ValueError: CR, LF or NUL stands in it.
    """
    if _BREAKS_OUT.search(value):
        raise ValueError(f"{what} must not contain CR, LF or NUL: {value[:60]!r}")
    return value


def split_unquoted(value: str, separator: str) -> list[str]:
    """Split at ``separator`` ("," or ";") where it stands outside of quotes and angle brackets.

    Raises:
        MalformedMessage: quotes or brackets are not balanced.
    """
    if '"' not in value and "<" not in value:
        return [part.strip() for part in value.split(separator)]
    return [part.strip() for part in _pieces(value, separator)]


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


def bounded_int(text: str, limit: int, what: str) -> int:
    """Read 1*DIGIT that may not exceed ``limit``.

    Digits are counted before they are converted, so that a long number costs nothing.

    Raises:
        MalformedMessage: no number, or too large.
    """
    if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > len(str(limit)):
        raise MalformedMessage(f"Invalid {what}")
    number = int(text)
    if number > limit:
        raise MalformedMessage(f"Invalid {what}")
    return number


def parse_parameters(parts: list[str]) -> dict[str, str | None]:
    """Read ``;name=value`` parameters that were already split; names become lower case, a flag's value is None.

    ``generic-param = token [ EQUAL gen-value ]``; the first of two equal names wins.

    Raises:
        MalformedMessage: a name is not a token.
    """
    parameters: dict[str, str | None] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not is_token(name):
            if not part:  # "a;;b" and a trailing ";" are seen in the field and mean nothing
                continue
            raise MalformedMessage("Invalid parameter name")
        parameters.setdefault(name, value.strip() if equals else None)
    return parameters


def format_parameters(parameters: dict[str, str | None]) -> str:
    """The inverse of :func:`parse_parameters`, with a leading ";" for each."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in parameters.items())
