"""The first INVITE of a call (RFC 3261 sections 8.1.1 and 13.2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
    "Request-URI, and To unless it says otherwise."
    caller: Address
    "From; its tag is ours to write."
    body: bytes = b""
    "The offer; empty for a late offer."
    content_type: str = "application/sdp"
    headers: tuple[tuple[str, str], ...] = ()
    "Custom fields, written in this order and case."
    routes: tuple[str, ...] = ()
    "Route values: an outbound proxy and beyond."


def check_custom(headers: tuple[tuple[str, str], ...]) -> None:
    """Refuse what must not be sent in a user's name.

    Raises:
        ValueError: a reserved name, a name that is no token, or CR, LF or NUL in a value.
    """
    for name, value in headers:
        if canonical(name) in RESERVED:
            raise ValueError(f"the header {name} is written by the stack itself")
        Headers([(name, value)])


def build_invite(call: OutgoingCall, ids: Identifiers, via: str, contact: str, allow: str, user_agent: str) -> Request:
    """The request, complete.

    Raises:
        ValueError: as :func:`check_custom`.
    """
    check_custom(call.headers)
    target = call.target.without_headers()
    headers = Headers.trusted(
        [
            ("Via", via),
            *(("Route", route) for route in call.routes),
            ("Max-Forwards", str(MAX_FORWARDS)),
        ]
    )
    headers.add("From", f"{call.caller};tag={ids.tag()}")
    headers.add("To", f"<{target}>")
    headers.add("Call-ID", ids.call_id())
    headers.add("CSeq", f"{ids.cseq()} INVITE")
    headers.add("Contact", contact)
    headers.add("Allow", allow)
    headers.add("User-Agent", user_agent)
    for name, value in call.headers:
        headers.set(name, value) if canonical(name) == "user-agent" else headers.add(name, value)
    if call.body:
        headers.add("Content-Type", call.content_type)
    return Request.build("INVITE", target, headers, call.body)
