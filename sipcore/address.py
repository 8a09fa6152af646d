"""The addresses of From, To, Contact, Route and their kin: ``"Display Name" <uri>;parameters``.

RFC 3261 section 20.10: a URI that holds a comma, a question mark or a semicolon stands in angle brackets; without
brackets, whatever follows the first semicolon belongs to the header field and not to the URI.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from .exceptions import MalformedMessage
from .grammar import TOKEN, format_parameters, parse_parameters, refuse_line_breaks, split_unquoted
from .uri import SipUri, Uri, parse_uri

# display-name = *(token LWS) / quoted-string. Without quotes the field sends much more than tokens; what it means is
# clear as long as no bracket and no control character stands in it, and we write it back in quotes.
_DISPLAY: Final = re.compile(r"[^<>\x00-\x08\x0a-\x1f\x7f]*")
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """One ``name-addr`` or ``addr-spec`` with the parameters that follow it."""

    uri: Uri
    display: str = ""
    "Without quotes and escapes."
    parameters: dict[str, str | None] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, value: str) -> Address:
        """Read one address.

        Raises:
            MalformedMessage: quotes or brackets are not balanced, or the URI is none.
        """
        if "<" not in value:
            spec, *rest = value.split(";") if '"' not in value else split_unquoted(value, ";")
            return cls(parse_uri(spec.strip()), "", parse_parameters([p.strip() for p in rest]))
        display, uri, tail = _take_apart(value)
        parameters = parse_parameters(split_unquoted(tail[1:], ";")) if tail else {}
        return cls(parse_uri(uri), display, parameters)

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


def _take_apart(value: str) -> tuple[str, str, str]:
    """Give display name, URI and the text behind the bracket."""
    value = value.strip()
    if value.startswith('"'):
        end = _closing_quote(value)
        display, rest = _QUOTED_PAIR.sub(r"\1", value[1:end]), value[end + 1 :].lstrip()
    else:
        display, _, rest = value.partition("<")
        rest = f"<{rest}"
        display = display.strip()
        if not _DISPLAY.fullmatch(display):
            raise MalformedMessage("Invalid display name")
    if not rest.startswith("<"):
        raise MalformedMessage("No angle bracket after the display name")
    uri, bracket, tail = rest[1:].partition(">")
    tail = tail.strip()
    if not bracket or (tail and not tail.startswith(";")):
        raise MalformedMessage("Unbalanced quotes or brackets")
    return display, uri, tail


def _closing_quote(value: str) -> int:
    position = 1
    while True:
        quote, escape = value.find('"', position), value.find("\\", position)
        if quote < 0:
            raise MalformedMessage("Unbalanced quotes or brackets")
        if escape < 0 or escape > quote:
            return quote
        position = escape + 2


def _format_display(display: str) -> str:
    if not display:
        return ""
    refuse_line_breaks(display, "display name")
    if all(TOKEN.fullmatch(word) for word in display.split(" ")):
        return f"{display} "
    escaped = display.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" '
