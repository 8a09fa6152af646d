"""What a user agent server looks at before it looks at a request (RFC 3261 section 8.2.1 to 8.2.3).

The order is the RFC's: method, then Request-URI and extensions, then the body. Each check gives the refusal that the request
deserves, or None. Whether a request is merged or belongs to a dialog is for who knows the live ones (:mod:`.endpoint`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .uri import SipUri

if TYPE_CHECKING:
    from .message import Request

METHODS: Final = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS")  # what this endpoint serves
KNOWN_METHODS: Final = frozenset(
    (*METHODS, "REGISTER", "PRACK", "UPDATE", "INFO", "SUBSCRIBE", "NOTIFY", "REFER", "MESSAGE", "PUBLISH")
)
ALLOW: Final = ", ".join(METHODS)
SESSION_BODY: Final = "application/sdp"

ALLOW_FIELD: Final = (("Allow", ALLOW),)
ACCEPT_FIELDS: Final = (("Accept", SESSION_BODY), ("Accept-Encoding", "identity"))

# The answer to OPTIONS. 11.2: "Allow, Accept, Accept-Encoding, Accept-Language, and Supported header fields SHOULD be present";
# of extensions there is none to name.
CAPABILITIES: Final = (*ALLOW_FIELD, *ACCEPT_FIELDS, ("Accept-Language", "en"))


class Refusal(NamedTuple):
    """How a request is to be refused."""

    status: int
    headers: tuple[tuple[str, str], ...]


def inspect_method(request: Request) -> Refusal | None:
    """Section 8.2.1: 405 for a method that we know and do not serve, 501 (section 21.5.2) for one that we have never heard of."""
    if request.method in METHODS:
        return None
    return Refusal(405 if request.method in KNOWN_METHODS else 501, ALLOW_FIELD)


def inspect_request(request: Request) -> Refusal | None:
    """Sections 8.2.2.1, 8.2.2.3 and 8.2.3 for any request but ACK and CANCEL: Request-URI, Require, body."""
    if not isinstance(request.uri, SipUri):
        return Refusal(416, ())
    # 8.2.2.3: "the UAS MUST respond by generating a response with status code 420 (Bad Extension) ... MUST add an Unsupported
    # header field, and list in it those options it does not understand". 100rel is one: the caller tries again without.
    required = request.headers.get_list("require")
    if required:
        return Refusal(420, (("Unsupported", ", ".join(required)),))
    if request.method == "INVITE" and request.body:
        return _inspect_body(request)
    return None


def _inspect_body(request: Request) -> Refusal | None:
    encoding = (request.headers.get("content-encoding") or "identity").lower()
    if encoding == "identity" and request.content_type == SESSION_BODY:
        return None
    return Refusal(415, ACCEPT_FIELDS)
