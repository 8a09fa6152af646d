"""The addresses of From, To, Contact, Route and their kin: ``"Display Name" <uri>;parameters``.

RFC 3261 section 20.10: a URI that holds a comma, a question mark or a semicolon stands in angle brackets; without
brackets, whatever follows the first semicolon belongs to the header field and not to the URI.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .exceptions import MalformedMessage
from .grammar import (
    LWS,
    TOKEN,
    closing_quote,
    format_parameters,
    parse_parameters,
    refuse_line_breaks,
    split_parameters,
)
from .uri import SipUri, Uri, parse_uri

if TYPE_CHECKING:
    from collections.abc import Mapping

# display-name = *(token LWS) / quoted-string. Without quotes the field sends much more than tokens; what it means is
# clear as long as no bracket and no control character stands in it, and we write it back in quotes.
_DISPLAY: Final = re.compile(r"[^<>;\x00-\x08\x0a-\x1f\x7f]*")
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED_IN_QUOTES: Final = re.compile(r'["\\\0]')


@dataclass(frozen=True, slots=True)
class Address:
    """One ``name-addr`` or ``addr-spec`` with the parameters that follow it."""

    uri: Uri
    display: str = ""
    "Without quotes and escapes."
    parameters: Mapping[str, str | None] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, value: str) -> Address:
        """Read one address.

        Raises:
            MalformedMessage: quotes or brackets are not balanced, or the URI is none.
        """
        before, bracket, rest = value.partition("<")
        if not bracket:
            return _without_brackets(value)
        display = before.strip(LWS)
        if '"' not in display:
            if display and not _DISPLAY.fullmatch(display):
                raise MalformedMessage("Invalid display name")
        elif display.count('"') == 2 and display[0] == display[-1] == '"' and "\\" not in display:
            display = display[1:-1]
        else:
            return _with_quotes(value.strip(LWS))
        return _from_bracket(display, rest)

    @property
    def tag(self) -> str | None:
        """The ``tag`` parameter (section 19.3)."""
        return self.parameters.get("tag")

    @property
    def sip_uri(self) -> SipUri:
        """The URI, when it is one of ours.

        Raises:
            MalformedMessage: status 416 for other schemes.
        """
        if not isinstance(self.uri, SipUri):
            raise MalformedMessage("Unsupported URI Scheme", status=416)
        return self.uri

    def __str__(self) -> str:
        return f"{_format_display(self.display)}<{self.uri}>{format_parameters(self.parameters)}"


def _with_quotes(value: str) -> Address:
    """Read an address in which a bracket follows a quotation mark, and may well stand inside of the quotes."""
    if value.startswith('"'):
        end = closing_quote(value)
        rest = value[end + 1 :].lstrip(LWS)
        if not rest.startswith("<"):
            raise MalformedMessage("No angle bracket after the display name")
        return _from_bracket(_QUOTED_PAIR.sub(r"\1", value[1:end]), rest[1:])
    display, _, rest = value.partition("<")
    if _DISPLAY.fullmatch(display):  # seen in the field: \"Bob\" <sip:...>
        return _from_bracket(display.strip(LWS), rest)
    return _without_brackets(value)


def _without_brackets(value: str) -> Address:
    """Read an addr-spec; what follows its first semicolon belongs to the field."""
    spec, *parameters = split_parameters(value)
    return Address(parse_uri(spec.strip(LWS)), "", parse_parameters(parameters))


def _from_bracket(display: str, rest: str) -> Address:
    """Read what follows the opening bracket."""
    uri, bracket, tail = rest.partition(">")
    if not bracket:
        raise MalformedMessage("Unbalanced quotes or brackets")
    if not tail:
        return Address(parse_uri(uri), display, {})
    nothing, *parameters = split_parameters(tail)
    if nothing.strip(LWS):
        raise MalformedMessage("Unbalanced quotes or brackets")
    return Address(parse_uri(uri), display, parse_parameters(parameters))


def _format_display(display: str) -> str:
    if not display:
        return ""
    if all(TOKEN.fullmatch(word) for word in display.split(" ")):
        return f"{display} "
    escaped = _ESCAPED_IN_QUOTES.sub(r"\\\g<0>", display)
    # A NUL behind a backslash is a quoted-pair: a peer may have sent it, and it is given back as it came.
    refuse_line_breaks(escaped.replace("\\\0", ""), "display name")
    return f'"{escaped}" '
