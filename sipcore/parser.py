"""One datagram in, one message out - or a refusal that says which SIP status the sender deserves.

RFC 3261 section 7: start line, header lines, an empty line, the body. The octets are decoded as UTF-8; what is not UTF-8 is
kept (as surrogates), so that a message can be forwarded to the letter. Each field is split from its name and not read
further; :meth:`~.message.Message.validate` reads those that the stack acts upon.
"""

from __future__ import annotations

import re
from typing import Final

from .exceptions import MalformedMessage
from .fields import CSeq
from .grammar import CALL_ID, is_token
from .headers import Headers, canonical, is_known
from .message import MANDATORY, Message, Request, Response

MAX_MESSAGE_OCTETS: Final = 65_535  # one UDP datagram
MAX_HEAD_OCTETS: Final = 65_536  # start line and header fields
MAX_HEADERS: Final = 256  # bounds the work of one datagram; real messages have 10 to 30
MAX_LINE_OCTETS: Final = 8_192  # one header field, unfolded

_SINGLE: Final = (
    "from",
    "to",
    "call-id",
    "cseq",
    "max-forwards",
    "content-length",
)  # section 7.3.1: no lists
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
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")
    head, end, body = data.partition(b"\r\n\r\n")
    if not end and b"\r" not in data:
        # Some peers end lines with LF alone. With no CR in the whole datagram nobody can read it in two ways.
        head, end, body = data.partition(b"\n\n")
        head = head.replace(b"\n", b"\r\n")
    if len(head) > MAX_HEAD_OCTETS:
        raise MalformedMessage("Header fields too large", status=513)
    message = parse_head(head)
    if not end:
        raise MalformedMessage("No end of header fields", partial=message)
    message.body = _cut_body(message, body)
    return message


def parse_head(head: bytes) -> Request | Response:
    """Read start line and header fields, without the empty line that ends them.

    Raises:
        MalformedMessage: as :func:`parse`.
    """
    text = head.decode("utf-8", "surrogateescape")
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)  # section 7.3.1: a folded line is one line
    lines = text.split("\r\n")
    if len(lines) > MAX_HEADERS + 1:
        raise MalformedMessage("Too many header fields", status=513)
    # A line break that is not CRLF is how one message smuggles another past a filter. A NUL may stand in a quoted
    # string behind a backslash (quoted-pair of section 25.1, RFC 4475 3.1.1.2) and nowhere else.
    breaks = len(lines) - 1
    stray = text.count("\n") != breaks or text.count("\r") != breaks or text.count("\0") != text.count("\\\0")
    headers, fault = _split_headers(lines)
    message = _start(lines[0], headers)
    if stray:
        raise MalformedMessage("Control character in header fields", partial=_harmless(message))
    if fault:
        raise MalformedMessage(fault, partial=message)
    _check(message)
    return message


def _split_headers(lines: list[str]) -> tuple[Headers, str]:
    """Split each line at its colon; the first fault is told, the rest is read all the same."""
    items: list[tuple[str, str]] = []
    fault = ""
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not is_known(name):
            name = name.rstrip(" \t")  # HCOLON = *( SP / HTAB ) ":" SWS
            if not is_token(name):
                fault = fault or "Invalid header field"
                continue
        if not colon or len(line) > MAX_LINE_OCTETS:
            fault = fault or "Invalid header field"
            continue
        items.append((name, value.strip(" \t")))
    return Headers.trusted(items), fault


def _start(line: str, headers: Headers) -> Request | Response:
    if line.startswith("SIP/"):
        return _status_line(line, headers)
    words = line.split(" ")
    if len(words) < 3 or not is_token(words[0]) or not words[-1].upper().startswith("SIP/"):
        # not SIP at all, or a start line from which no answer could be addressed
        partial = Request(words[0], "sip:invalid", headers) if is_token(words[0]) and len(words) > 1 else None
        raise MalformedMessage("Invalid request line", partial=partial)
    request = Request(words[0], words[1], headers)
    if words[-1].upper() != "SIP/2.0":
        raise MalformedMessage("Version Not Supported", status=505, partial=request)
    if len(words) != 3 or not words[1] or _CONTROL.search(line):
        raise MalformedMessage("Invalid request line", partial=request)
    return request


def _status_line(line: str, headers: Headers) -> Response:
    version, _, rest = line.partition(" ")
    code, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        raise MalformedMessage("Version Not Supported", status=505)
    if len(code) != 3 or not code.isascii() or not code.isdigit() or not 100 <= int(code) <= 699:
        raise MalformedMessage("Invalid status line")
    return Response(int(code), reason, headers)


def _check(message: Request | Response) -> None:
    """What no message can be without: the fields by which it is matched and answered."""
    headers = message.headers
    for key in MANDATORY:
        if key not in headers:
            raise MalformedMessage(f"Missing {key.title()}", partial=message)
    for key in _SINGLE:
        if headers.count(key) > 1 and len(set(headers.get_all(key))) > 1:
            raise MalformedMessage(f"Conflicting {key.title()}", partial=message)
    if not CALL_ID.fullmatch(message.call_id):
        raise MalformedMessage("Invalid Call-ID", partial=message)
    try:
        cseq = message._typed("cseq", CSeq.parse)  # noqa: SLF001 - the same package
    except MalformedMessage as fault:
        raise MalformedMessage(fault.reason, partial=message) from None
    if isinstance(message, Request) and cseq.method != message.method:
        raise MalformedMessage("CSeq method differs from request method", partial=message)


def _harmless(message: Request | Response) -> Message:
    """The message without the fields that hold control characters, for an answer that repeats none of them."""
    kept = [(name, value) for name, value in message.headers.items() if not _CONTROL.search(value)]
    message.headers = Headers.trusted(kept)
    return message


def _cut_body(message: Request | Response, rest: bytes) -> bytes:
    """The body by Content-Length; without one it is all that is left of the datagram (section 18.3)."""
    text = message.headers.get("content-length")
    if text is None:
        return rest
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise MalformedMessage("Invalid Content-Length", partial=message)
    length = int(text)
    if length > len(rest):
        # "If there are insufficient bytes ... the element SHOULD generate a 400 (Bad Request) response" to a request
        raise MalformedMessage("Body shorter than Content-Length", partial=message)
    return rest[:length]


__all__ = [
    "MAX_HEADERS",
    "MAX_HEAD_OCTETS",
    "MAX_LINE_OCTETS",
    "MAX_MESSAGE_OCTETS",
    "canonical",
    "parse",
    "parse_head",
]
