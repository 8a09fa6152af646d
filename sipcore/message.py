"""Requests and responses as values, and the few messages that RFC 3261 derives from another one.

A message is a start line, :class:`~.headers.Headers` and a body of octets. Typed fields (``via``, ``to``, ``cseq`` ...) are
read when they are asked for and not before: of a message that only passes through, most are never looked at. What was
read is kept beside the text it was read from, so that a changed header is read anew and an unchanged one is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from .address import Address
from .exceptions import MalformedMessage
from .fields import CSeq, Via
from .grammar import bounded_int, is_token, refuse_line_breaks, split_unquoted
from .headers import Headers
from .status import reason_phrase
from .uri import SipUri, Uri, parse_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

MAX_ROUTES: Final = 32  # Route or Record-Route values of one dialog; longer sets are refused, real ones have 1 to 5
MAX_VIAS: Final = 128  # Via values of one message; Max-Forwards lets it pass 70 hops
MAX_CONTACTS: Final = 128  # Contact values of one message; a redirection or a list of bindings has 1 to 10
MAX_FORWARDS: Final = 70  # RFC 3261 8.1.1.6
INT32: Final = 2**32 - 1

# The six fields that each request must have (section 8.1.1), Max-Forwards excepted: RFC 2543 peers leave it out. They are
# also what a response repeats, in this order and under these names (section 8.2.6.2).
WRITTEN: Final = {"via": "Via", "from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq"}
MANDATORY: Final = tuple(WRITTEN)


class Message:
    """What requests and responses have in common."""

    __slots__ = ("_read", "body", "headers")

    headers: Headers
    body: bytes

    def __init__(self, headers: Headers, body: bytes = b"") -> None:
        self.headers = headers
        self.body = body
        self._read: dict[str, tuple[object, object]] = {}

    def _start_line(self) -> str:
        raise AssertionError("a message is a Request or a Response")

    def _text(self, name: str) -> str:
        """The first field of ``name``."""
        text = self.headers.get(name)
        if text is None:
            raise MalformedMessage(f"Missing {WRITTEN[name]}", partial=self)
        return text

    def _typed(self, name: str, text: str, parse: Callable[[str], T]) -> T:
        """What ``parse`` makes of the field's text, parsed once for as long as the text stays the same."""
        kept = self._read.get(name)
        if kept is not None and kept[0] is text:
            return kept[1]  # type: ignore[return-value]
        value = parse(text)
        self._read[name] = (text, value)
        return value

    @property
    def via(self) -> Via:
        """The topmost Via."""
        return self._typed("via", self.headers.first("via") or self._text("via"), Via.parse)

    @property
    def from_(self) -> Address:
        """The From field."""
        return self._typed("from", self._text("from"), Address.parse)

    @property
    def to(self) -> Address:
        """The To field."""
        return self._typed("to", self._text("to"), Address.parse)

    @property
    def cseq(self) -> CSeq:
        """The CSeq field."""
        return self._typed("cseq", self._text("cseq"), CSeq.parse)

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self._text("call-id")

    @property
    def contact(self) -> Address | None:
        """The first Contact, or None; ``*`` counts as none."""
        text = self.headers.first("contact")
        return None if text is None or text == "*" else self._typed("contact", text, Address.parse)

    @property
    def max_forwards(self) -> int | None:
        """The hops left, or None where the field is missing."""
        text = self.headers.get("max-forwards")
        return None if text is None else bounded_int(text, 255, "Max-Forwards")

    @property
    def record_routes(self) -> list[str]:
        """The Record-Route values, top first."""
        return _bounded(self.headers, "record-route", MAX_ROUTES)

    @property
    def routes(self) -> list[str]:
        """The Route values, top first."""
        return _bounded(self.headers, "route", MAX_ROUTES)

    @property
    def content_type(self) -> str:
        """``type/subtype`` in lower case without parameters; empty without a body type."""
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower()

    def to_bytes(self) -> bytes:
        """The message as on the wire; Content-Length is always right (section 20.14), and last unless it has its place."""
        head = f"{self._start_line()}\r\n{self._fields()}\r\n"
        return head.encode("utf-8", "surrogateescape") + self.body

    def _fields(self) -> str:
        headers, length = self.headers, str(len(self.body))
        given = headers.get_all("content-length")
        if not given:
            return f"{headers.to_text()}Content-Length: {length}\r\n"
        if given != [length]:
            headers = headers.copy()
            headers.set("Content-Length", length)
        return headers.to_text()

    def validate(self) -> None:
        """Read every field that this stack acts upon, so that nothing malformed is found later.

        Raises:
            MalformedMessage: with the status that it deserves and this message as ``partial``.
        """
        try:
            self._validate_fields()
        except MalformedMessage as fault:
            raise MalformedMessage(fault.reason, fault.status, partial=self) from None

    def _validate_fields(self) -> None:
        headers = self.headers
        _ = self.via, self.max_forwards, self.cseq
        for value in _bounded(headers, "via", MAX_VIAS)[1:]:
            Via.parse(value)
        if self.from_.tag == "" or self.to.tag == "":  # tag-param = "tag" EQUAL token
            raise MalformedMessage("Empty tag")
        if "contact" in headers:
            _ = self.contact
            for value in _bounded(headers, "contact", MAX_CONTACTS)[1:]:
                Address.parse(value)  # an asterisk stands alone (section 20.10); behind another value it is no address
        for name in ("record-route", "route"):
            for value in _bounded(headers, name, MAX_ROUTES) if name in headers else ():
                _ = Address.parse(value).sip_uri
        if "expires" in headers:
            bounded_int(headers["expires"], INT32, "Expires")


class Request(Message):
    """A SIP request."""

    __slots__ = ("method", "target")

    method: str
    "As on the wire; methods are case-sensitive (section 7.1)."
    target: str
    "The Request-URI as text; ``uri`` reads it."

    def __init__(self, method: str, target: str, headers: Headers, body: bytes = b"") -> None:
        self.headers = headers
        self.body = body
        self._read = {}
        self.method = method
        self.target = target

    @classmethod
    def build(cls, method: str, uri: Uri | str, headers: Headers, body: bytes = b"") -> Request:
        """A request of ours.

        Raises:
            ValueError: the method is no token, or the URI holds CR, LF, NUL or a blank.
        """
        target = refuse_line_breaks(str(uri), "Request-URI")
        if not is_token(method) or not target or any(c in target for c in " \t"):
            raise ValueError(f"not a request line: {method[:20]!r} {target[:60]!r}")
        return cls(method, target, headers, body)

    @property
    def uri(self) -> Uri:
        """The Request-URI."""
        kept = self._read.get("")
        if kept is None or kept[0] is not self.target:
            self._read[""] = kept = (self.target, parse_uri(self.target))
        return kept[1]  # type: ignore[return-value]

    def stamp(self, source: tuple[str, int]) -> None:
        """Write on the topmost Via where the request came from; the values below it, on its line or not, stay as they are.

        RFC 3261 18.2.1 and RFC 3581 section 4; what is written decides where responses go.

        Args:
            source: address and port as the transport saw them.

        Raises:
            MalformedMessage: the topmost Via cannot be read.
        """
        via = self.via
        seen = via.observed_from(source)
        if seen is via:
            return
        text = self.headers["via"]
        below = [value for value in split_unquoted(text, ",") if value][1:] if "," in text else []
        self.headers.replace_first("via", ", ".join([str(seen), *below]))
        if not below:
            self._read["via"] = (self.headers["via"], seen)  # it need not be read again: it was just written

    @property
    def is_initial(self) -> bool:
        """Whether it asks for something new: no tag stands on To (section 12.2.2)."""
        return self.to.tag is None

    def _start_line(self) -> str:
        return f"{self.method} {self.target} SIP/2.0"

    def _validate_fields(self) -> None:
        uri = self.uri
        super()._validate_fields()
        if isinstance(uri, SipUri) and uri.headers:
            raise MalformedMessage("Headers in Request-URI")  # table 1 of section 19.1.1 forbids them

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target} {self.headers.get('call-id')} {self.headers.get('cseq')}>"


class Response(Message):
    """A SIP response."""

    __slots__ = ("reason", "status")

    status: int
    reason: str

    def __init__(self, status: int, reason: str, headers: Headers, body: bytes = b"") -> None:
        self.headers = headers
        self.body = body
        self._read = {}
        self.status = status
        self.reason = reason

    @property
    def is_provisional(self) -> bool:
        """1xx."""
        return self.status < 200

    @property
    def is_success(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """2xx to 6xx."""
        return self.status >= 200

    def _start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason} {self.headers.get('call-id')} {self.headers.get('cseq')}>"


def _bounded(headers: Headers, name: str, limit: int) -> list[str]:
    values = headers.get_list(name)
    if len(values) > limit:
        raise MalformedMessage(f"Too many {name} values")
    return values


def response_to(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """A response by RFC 3261 section 8.2.6.

    Args:
        request: what is answered; may be partial (from a refused message): what is missing is left out.
        status: 100 to 699.
        reason: the phrase; the registered one by default.
        to_tag: added to To unless it bears one ("MUST", except for 100).
        headers: further fields, in order.
        body: octets; the caller names their Content-Type among ``headers``.

    Raises:
        ValueError: no status, a tag that is no token, CR, LF or NUL in a value of ours.
    """
    if not 100 <= status <= 699 or (to_tag and not is_token(to_tag)):
        raise ValueError(f"neither a status nor a tag: {status} {to_tag!r}")
    answer = _repeated(request, to_tag)
    for name in _repeated_too(status):
        for value in request.headers.get_all(name):
            answer.add(name, value)
    for name, value in headers:
        answer.add(name, value)
    phrase = reason_phrase(status) if reason is None else refuse_line_breaks(reason, "reason phrase")
    return Response(status, phrase, answer, body)


def _repeated(request: Request, to_tag: str | None) -> Headers:
    """The fields that every response repeats; of two that should be one, the first."""
    items: list[tuple[str, str]] = []
    index: dict[str, list[str]] = {}
    for key, name in WRITTEN.items():
        values = request.headers.get_all(key)
        if not values:
            continue
        if key == "via":
            items.extend([(name, value) for value in values])
        else:
            del values[1:]
            if key == "to" and to_tag and not _bears_tag(request):
                values[0] = f"{values[0]};tag={to_tag}"
            items.append((name, values[0]))
        index[key] = values
    return Headers.adopt(items, index)


def _repeated_too(status: int) -> tuple[str, ...]:
    if status == 100:
        # Section 8.2.6.1: "any Timestamp header field present in the request MUST be copied into this 100 (Trying) response."
        return ("Timestamp",)
    # Section 12.1.1: "the UAS MUST copy all Record-Route header field values from the request into the response".
    return ("Record-Route",) if status < 300 else ()


def _bears_tag(request: Request) -> bool:
    try:
        return request.to.tag is not None
    except MalformedMessage:
        return True  # what cannot be read is sent back as it came


def ack_to(invite: Request, response: Response) -> Request:
    """The ACK for a final response other than 2xx (RFC 3261 section 17.1.1.3).

    "The ACK MUST contain values for the Call-ID, From, and Request-URI that are equal to the values of those header fields in
    the request"; To comes from the response; the single Via is the request's topmost; Route is the request's. So are the
    credentials: "UACs creating an ACK message will duplicate all of the Authorization and Proxy-Authorization header field
    values that appeared in the INVITE" (section 22.1), because nobody may challenge an ACK.
    """
    ack = _derived("ACK", invite, response.headers["to"])
    for name in ("Authorization", "Proxy-Authorization"):
        for value in invite.headers.get_all(name):
            ack.headers.add(name, value)
    return ack


def cancel_of(request: Request) -> Request:
    """The CANCEL of a request (RFC 3261 section 9.1): all but the method of CSeq is the request's."""
    return _derived("CANCEL", request, request.headers["to"])


def _derived(method: str, request: Request, to: str) -> Request:
    source = request.headers
    items = [
        ("Via", source.first("via") or ""),
        *(("Route", route) for route in source.get_all("route")),
        ("Max-Forwards", str(MAX_FORWARDS)),
        ("From", source["from"]),
        ("To", to),
        ("Call-ID", source["call-id"]),
        ("CSeq", f"{request.cseq.number} {method}"),
    ]
    return Request(method, request.target, Headers.trusted(items))
