"""The first INVITE of a call (RFC 3261 sections 8.1.1 and 13.2.1), and which fields a user may add to a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .dialog import target_and_routes
from .grammar import refuse_line_breaks
from .headers import Headers, canonical
from .message import MAX_FORWARDS, Request

if TYPE_CHECKING:
    from .address import Address
    from .identifiers import Identifiers
    from .uri import SipUri

# What the stack writes itself: a second copy from the user would make two truths.
RESERVED: Final = frozenset({
    "via", "from", "to", "call-id", "cseq", "contact", "max-forwards", "content-length", "content-type", "route",
    "record-route", "allow",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """Whom to call, as whom, with what."""

    target: SipUri
    "Request-URI, and To."
    caller: Address
    "From; its tag is ours to write."
    body: bytes = b""
    "The offer; empty for a late offer."
    content_type: str = "application/sdp"
    headers: tuple[tuple[str, str], ...] = ()
    "Custom fields, written in this order and case."
    routes: tuple[str, ...] = ()
    "Route values: an outbound proxy and beyond."


def check_custom(headers: tuple[tuple[str, str], ...], allowed: frozenset[str] = frozenset()) -> None:
    """Refuse what must not be sent in a user's name.

    Args:
        headers: names and values.
        allowed: canonical names that are the user's to write in this message although the stack reserves them.

    Raises:
        ValueError: a reserved name, a name that is no token, or CR, LF or NUL in a value.
    """
    for name, value in headers:
        key = canonical(name)
        if key in RESERVED and key not in allowed:
            raise ValueError(f"the header {name} is written by the stack itself")
        Headers([(name, value)])


def build_invite(call: OutgoingCall, ids: Identifiers, via: str, contact: str, allow: str, user_agent: str) -> Request:
    """The request, complete.

    Raises:
        ValueError: as :func:`check_custom`, or a CR, LF or NUL in anything else that the call names.
        MalformedMessage: a route that is no sip: address.
    """
    check_custom(call.headers)
    target = call.target.without_headers()
    # 8.1.1.1: with a pre-existing route set, Request-URI and Route are written "as if" inside a dialog (12.2.1.1).
    uri, routes = target_and_routes(target, call.routes)
    headers = Headers.trusted(
        [
            ("Via", via),
            *[("Route", refuse_line_breaks(route, "route")) for route in routes],
            ("Max-Forwards", str(MAX_FORWARDS)),
            ("From", refuse_line_breaks(f"{call.caller};tag={ids.tag()}", "caller")),
            ("To", refuse_line_breaks(f"<{target}>", "target")),
            ("Call-ID", ids.call_id()),
            ("CSeq", f"{ids.cseq()} INVITE"),
            ("Contact", contact),
            ("Allow", allow),
        ]
    )
    own_agent = any(canonical(name) == "user-agent" for name, _ in call.headers)
    for name, value in call.headers if own_agent else (("User-Agent", user_agent), *call.headers):
        headers.add(name, value)
    if call.body:
        headers.add("Content-Type", call.content_type)
    return Request.build("INVITE", uri, headers, call.body)
