"""One datagram in, one message out - or a refusal that says which SIP status the sender deserves.

RFC 3261 section 7: start line, header lines, an empty line, the body. The octets are decoded as UTF-8; what is not UTF-8 is
kept (as surrogates), so that a message can be forwarded to the letter. Each field is split from its name and not read
further; :meth:`~.message.Message.validate` reads those that the stack acts upon.

The well-formed message is read in one pass over its lines. Whatever is rare (a folded line, an unusual name, a second field
of a name) leaves that pass for a branch of its own. Faults are found in the order in which they weigh: first those that
would let two readers see two messages, then the start line, then single fields. A refusal carries what was read (``partial``)
without any field that an answer must not repeat.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .exceptions import MalformedMessage
from .grammar import CALL_ID, LWS, SIP_VERSION, bounded_int, has_bare_nul, is_token, octets
from .headers import KNOWN, Headers, canonical
from .message import MANDATORY, WRITTEN, Message, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_MESSAGE_OCTETS: Final = 65_535  # one UDP datagram
MAX_HEAD_OCTETS: Final = 65_536  # start line and header fields; a stream has no datagram's bound
MAX_HEADERS: Final = 256  # bounds the work of one datagram; real messages have 10 to 30
MAX_LINE_OCTETS: Final = 8_192  # one header field, unfolded

# Section 7.3.1: only fields whose grammar is a list may come twice. Two that say the same are let pass, two that differ are
# how one message is made to mean two things.
_SINGLE: Final = {
    **WRITTEN,
    "max-forwards": "Max-Forwards",
    "content-length": "Content-Length",
    "content-type": "Content-Type",
}
del _SINGLE["via"]

_FOLD: Final = re.compile(r"\r\n[ \t]+")
_CONTROL: Final = re.compile(r"[\0\r\n]")


def parse(data: bytes) -> Request | Response:
    """Read one whole datagram.

    Args:
        data: the octets of one datagram; line ends before the start line are skipped (section 7.5), octets behind the body that
            Content-Length announces are discarded (section 18.3).

    Raises:
        MalformedMessage: with ``status`` and ``reason``, and ``partial`` where an answer can be built from what was read.
    """
    if len(data) > MAX_MESSAGE_OCTETS:
        raise MalformedMessage("Message Too Large", status=513)
    if data[:1] in {b"\r", b"\n"}:
        data = data.lstrip(b"\r\n")
    head, end, body = data.partition(b"\r\n\r\n")
    if not end and b"\r" not in data:
        # Some peers end lines with LF alone. With no CR in the whole datagram nobody can read it in two ways.
        head, end, body = data.partition(b"\n\n")
        head = head.replace(b"\n", b"\r\n")
    message = parse_head(head if end else head.removesuffix(b"\r\n"))
    if not end:
        raise MalformedMessage("No end of header fields", partial=message)
    message.body = _cut_body(message, body)
    return message


def parse_head(head: bytes) -> Request | Response:
    """Read start line and header fields, without the empty line that ends them.

    Raises:
        MalformedMessage: as :func:`parse`.
    """
    if len(head) > MAX_HEAD_OCTETS:
        raise MalformedMessage("Header fields too large", status=513)
    text = head.decode("utf-8", "surrogateescape")
    lines = text.split("\r\n", MAX_HEADERS + 1)
    start = lines.pop(0)
    if len(lines) > MAX_HEADERS:
        raise MalformedMessage("Too many header fields", status=513, partial=_harmless(start, lines[:MAX_HEADERS]))
    # A line break that is not CRLF is how one message smuggles another past a filter.
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or has_bare_nul(text):
        raise MalformedMessage("Control character in header fields", partial=_harmless(start, lines))
    headers, fault = _read_fields(lines)
    if fault == _FOLDED:
        headers, fault = _read_folded(text)
    if len(head) > MAX_LINE_OCTETS:
        fault = fault or _oversize(headers.items())
    message = _read_start(start, headers)
    if fault:
        raise MalformedMessage(fault, partial=message)
    _check(message)
    return message


_FOLDED: Final = "Folded start line"
_INVALID: Final = "Invalid header field"


def _read_fields(lines: list[str]) -> tuple[Headers, str]:
    """Split each line at its colon; the first fault is told, the rest is read all the same."""
    items: list[tuple[str, str]] = []
    index: dict[str, list[str]] = {}
    fault = ""
    known = KNOWN.get
    for line in lines:
        name, colon, value = line.partition(":")
        key = known(name)
        if key is None or not colon:
            if line[:1] in {" ", "\t"}:
                return Headers(), _FOLDED
            name = name.rstrip(LWS)  # HCOLON = *( SP / HTAB ) ":" SWS
            if not colon or not is_token(name):
                fault = fault or _INVALID
                continue
            key = canonical(name)
        value = value.strip(LWS)
        items.append((name, value))
        if key not in index:
            index[key] = [value]
        else:
            index[key].append(value)
            if key in _SINGLE and value != index[key][0]:
                fault = fault or f"Conflicting {_SINGLE[key]}"
    return Headers.adopt(items, index), fault


def _read_folded(text: str) -> tuple[Headers, str]:
    """Section 7.3.1: a folded line is one line. The start line is not for folding: what hides behind it would be lost."""
    lines = text.split("\r\n", 1)[1]
    if lines[:1] in {" ", "\t"}:
        return Headers(), _FOLDED
    return _read_fields(_FOLD.sub(" ", lines).split("\r\n"))


def _oversize(items: Iterable[tuple[str, str]]) -> str:
    return _INVALID if any(octets(name) + octets(value) > MAX_LINE_OCTETS for name, value in items) else ""


def _read_start(line: str, headers: Headers) -> Request | Response:
    words = line.split(" ")
    if len(words) == 3 and words[2] == "SIP/2.0" and words[1] and is_token(words[0]) and "\0" not in line:
        return Request(words[0], words[1], headers)
    return _status_line(line, headers) if line[:4].upper() == "SIP/" else _unusual_request_line(words, headers)


def _unusual_request_line(words: list[str], headers: Headers) -> Request:
    """A version in lower case, or a fault; an answer can be addressed as long as there is a method."""
    method, target, version = words[0], words[1] if len(words) > 1 else "", words[-1]
    if len(words) < 3 or not is_token(method) or version[:4].upper() != "SIP/":
        partial = Request(method, target, headers) if is_token(method) and len(words) > 1 else None
        raise MalformedMessage("Invalid request line", partial=partial)
    request = Request(method, target, headers)
    if not SIP_VERSION.fullmatch(version):
        raise MalformedMessage("Version Not Supported", status=505, partial=request)
    if len(words) != 3 or not target or "\0" in target:
        raise MalformedMessage("Invalid request line", partial=request)
    return request


def _status_line(line: str, headers: Headers) -> Response:
    version, _, rest = line.partition(" ")
    code, _, reason = rest.partition(" ")
    if not SIP_VERSION.fullmatch(version):
        raise MalformedMessage("Version Not Supported", status=505)
    if len(code) != 3 or not code.isascii() or not code.isdigit() or not 100 <= int(code) <= 699 or "\0" in reason:
        raise MalformedMessage("Invalid status line")
    return Response(int(code), reason, headers)


def _check(message: Request | Response) -> None:
    """What no message can be without: the fields by which it is matched and answered."""
    headers = message.headers
    missing = headers.lacking(MANDATORY)
    if missing:
        raise MalformedMessage(f"Missing {WRITTEN[missing]}", partial=message)
    if not CALL_ID.fullmatch(headers["call-id"]):
        raise MalformedMessage("Invalid Call-ID", partial=message)
    try:
        cseq = message.cseq
    except MalformedMessage as fault:
        raise MalformedMessage(fault.reason, partial=message) from None
    if isinstance(message, Request) and cseq.method != message.method:
        raise MalformedMessage("CSeq method differs from request method", partial=message)


def _harmless(start: str, lines: list[str]) -> Message | None:
    """What an answer may repeat of a message that is refused: the fields without control characters."""
    headers, _ = _read_fields([line for line in lines if not _CONTROL.search(line)])
    try:
        return None if _CONTROL.search(start) else _read_start(start, headers)
    except MalformedMessage as fault:
        return fault.partial


def _cut_body(message: Request | Response, rest: bytes) -> bytes:
    """The body by Content-Length; without one it is all that is left of the datagram (section 18.3)."""
    text = message.headers.get("content-length")
    if text is None:
        return rest
    try:
        length = bounded_int(text, MAX_MESSAGE_OCTETS, "Content-Length")
    except MalformedMessage as fault:
        raise MalformedMessage(fault.reason, partial=message) from None
    if length > len(rest):
        # "If there are insufficient bytes ... the element SHOULD generate a 400 (Bad Request) response" to a request
        raise MalformedMessage("Body shorter than Content-Length", partial=message)
    return rest[:length] if length < len(rest) else rest


__all__ = [
    "MAX_HEADERS",
    "MAX_HEAD_OCTETS",
    "MAX_LINE_OCTETS",
    "MAX_MESSAGE_OCTETS",
    "canonical",
    "parse",
    "parse_head",
]
