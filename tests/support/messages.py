"""Small builders of SIP messages: what a test does not name is something plausible.

Alice (127.0.0.1:5070) calls Bob. A request has the branch ``z9hG4bK`` + method + CSeq number, so that two requests of one
test differ by themselves::

    ring = response(180)                     # to the INVITE of invite()
    busy = response(486, of=invite("z9hG4bKother"))
    hang_up = request("BYE", cseq=2, to_tag="bob")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from offhook.sipcore.headers import Headers
from offhook.sipcore.message import Request, Response, ack_to, response_to

if TYPE_CHECKING:
    from collections.abc import Iterable

BOB = "sip:bob@127.0.0.1:5060"


def request(
    method: str,
    branch: str | None = "",
    *,
    cseq: int = 1,
    call_id: str = "call-1",
    sent_by: str = "127.0.0.1:5070",
    transport: str = "UDP",
    to_tag: str | None = None,
    target: str = BOB,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Request:
    """A request from Alice to Bob; an empty ``branch`` makes one up, None leaves it out (RFC 2543)."""
    branch = f"z9hG4bK{method}{cseq}" if branch == "" else branch
    via = f"SIP/2.0/{transport} {sent_by}" + (f";branch={branch}" if branch else "")
    fields = [
        ("Via", via),
        ("Max-Forwards", "70"),
        ("From", "<sip:alice@127.0.0.1>;tag=alice"),
        ("To", f"<{BOB}>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
        *headers,
    ]
    return Request.build(method, target, Headers(fields), body)


def invite(branch: str | None = "", **more: object) -> Request:
    """Alice's INVITE; further arguments as of :func:`request`."""
    return request("INVITE", branch, **more)  # type: ignore[arg-type]


def response(status: int, of: Request | None = None, *, to_tag: str = "bob") -> Response:
    """Bob's response to ``of``, by default to the INVITE of :func:`invite`."""
    return response_to(of or invite(), status, to_tag=None if status == 100 else to_tag)


def ack(of: Request | None = None, answer: Response | None = None) -> Request:
    """Alice's ACK of a response from 300 to 699, by default a 486: it has the branch of its INVITE."""
    of = of or invite()
    return ack_to(of, answer or response(486, of))
