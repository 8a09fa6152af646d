"""Texts of small SIP messages, written out line by line so that a test can spoil one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_LINE = "OPTIONS sip:bob@example.com SIP/2.0"
STATUS_LINE = "SIP/2.0 200 OK"

FIELDS = {
    "Via": "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds",
    "From": "Alice <sip:alice@example.com>;tag=1928301774",
    "To": "<sip:bob@example.com>",
    "Call-ID": "a84b4c76e66710@192.0.2.1",
    "CSeq": "314159 OPTIONS",
    "Max-Forwards": "70",
}


def datagram(
    *more: str, start: str = REQUEST_LINE, fields: Mapping[str, str] = FIELDS, without: str = "", body: bytes = b""
) -> bytes:
    """A message of ``fields`` (one may be left out) followed by ``more`` whole lines."""
    lines = [start, *(f"{name}: {value}" for name, value in fields.items() if name != without), *more]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body
