"""A dialog: what two user agents remember of one another (RFC 3261 section 12).

Call-ID, two tags, two sequence numbers, the peer's Contact and the route between. A dialog builds the requests inside it,
the ACK of a 2xx among them, in this one place: the target is the peer's Contact, the route set stands in Route, and the
first hop is the route's when there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .address import Address
from .exceptions import MalformedMessage
from .headers import Headers
from .message import MAX_FORWARDS, Request
from .uri import SipUri, parse_uri

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .flow import HostPort
    from .message import Message, Response

DialogId = tuple[str, str, str]
"Call-ID, local tag, remote tag (empty for a peer of RFC 2543 that sends none)."

# Addresses that no packet can be sent to; a Contact that bears one means "back where this came from".
_UNROUTABLE: Final = frozenset({"0.0.0.0", "::", "anonymous.invalid"})  # noqa: S104 - compared with, not bound to


class Dialog:
    """The state of section 12.1, from one side's point of view."""

    __slots__ = (
        "call_id",
        "local",
        "local_sequence",
        "local_tag",
        "peer",
        "remote",
        "remote_sequence",
        "remote_tag",
        "remote_target",
        "route_set",
    )

    def __init__(
        self,
        call_id: str,
        local: str,
        remote: str,
        tags: tuple[str, str],
        target: str,
        routes: list[str],
        peer: HostPort,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.local_tag, self.remote_tag = tags
        self.remote_target = target
        self.route_set = routes
        self.peer = peer
        self.local_sequence = 0
        self.remote_sequence: int | None = None

    @classmethod
    def from_request(cls, request: Request, local_tag: str, peer: HostPort) -> Dialog:
        """The callee's side (section 12.1.1): routes in the order of Record-Route.

        Args:
            request: a validated INVITE.
            local_tag: the tag that our responses bear.
            peer: the address that the request was seen to come from.

        Raises:
            MalformedMessage: no Contact to send requests to.
        """
        caller = request.from_
        dialog = cls(
            request.call_id,
            f"{request.headers['to']};tag={local_tag}",
            request.headers["from"],
            (local_tag, caller.tag or ""),
            str(_target_of(request)),
            request.record_routes,
            peer,
        )
        dialog.remote_sequence = request.cseq.number
        return dialog

    @classmethod
    def from_response(cls, request: Request, response: Response, peer: HostPort) -> Dialog:
        """The caller's side (section 12.1.2): routes in reverse order of Record-Route.

        Raises:
            MalformedMessage: no Contact in the response.
        """
        callee = response.to
        dialog = cls(
            request.call_id,
            request.headers["from"],
            response.headers["to"],
            (request.from_.tag or "", callee.tag or ""),
            str(_target_of(response)),
            response.record_routes[::-1],
            peer,
        )
        dialog.local_sequence = request.cseq.number
        return dialog

    @property
    def id(self) -> DialogId:
        """By which a request inside it is found."""
        return self.call_id, self.local_tag, self.remote_tag

    def accepts(self, request: Request) -> bool:
        """Take notice of a request's CSeq; False when it is out of order, which deserves a 500 (section 12.2.2)."""
        number = request.cseq.number
        if self.remote_sequence is not None and number < self.remote_sequence:
            return False
        self.remote_sequence = number
        return True

    def refresh_target(self, message: Message) -> None:
        """The peer moved: its Contact in a re-INVITE or in the 2xx to one is the new remote target (section 12.2)."""
        if message.contact is not None:
            self.remote_target = str(_target_of(message))

    def next_hop(self) -> HostPort:
        """Where requests go first: the topmost route, else the remote target (section 12.2.1.1).

        A Contact that cannot be reached (0.0.0.0, or a private address whose owner was seen elsewhere) is answered at the
        address that its owner was seen at.
        """
        uri = Address.parse(self.route_set[0]).sip_uri if self.route_set else SipUri.parse(self.remote_target)
        if not self.route_set and (uri.host in _UNROUTABLE or uri.host.endswith(".invalid")):
            return self.peer
        return uri.host, uri.effective_port

    def request(self, method: str, via: str, extra: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Request:
        """A request inside the dialog (section 12.2.1.1), with the next sequence number.

        Args:
            method: any but ACK and CANCEL.
            via: our Via with a fresh branch.
            extra: further fields: Contact, Content-Type, ...
            body: octets.
        """
        self.local_sequence += 1
        return self._build(method, self.local_sequence, via, extra, body)

    def ack(self, number: int, via: str, extra: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Request:
        """The ACK of a 2xx: a transaction of its own with the INVITE's number (section 13.2.2.4)."""
        return self._build("ACK", number, via, extra, body)

    def _build(self, method: str, number: int, via: str, extra: Iterable[tuple[str, str]], body: bytes) -> Request:
        target, routes = self._target_and_routes()
        headers = Headers.trusted(
            [
                ("Via", via),
                *(("Route", route) for route in routes),
                ("Max-Forwards", str(MAX_FORWARDS)),
                ("From", self.local),
                ("To", self.remote),
                ("Call-ID", self.call_id),
                ("CSeq", f"{number} {method}"),
            ]
        )
        for name, value in extra:
            headers.add(name, value)
        return Request(method, target, headers, body)

    def _target_and_routes(self) -> tuple[str, list[str]]:
        """Request-URI and Route; a strict router at the top takes the Request-URI's place (section 12.2.1.1)."""
        if not self.route_set:
            return self.remote_target, []
        first = Address.parse(self.route_set[0]).sip_uri
        if first.is_loose_router:
            return self.remote_target, self.route_set
        return str(first.without_headers()), [*self.route_set[1:], f"<{self.remote_target}>"]

    def __repr__(self) -> str:
        return f"<Dialog {self.call_id} local={self.local_tag} remote={self.remote_tag} target={self.remote_target}>"


def _target_of(message: Message) -> SipUri:
    contact = message.contact
    if contact is None:
        raise MalformedMessage("Missing Contact", partial=message)
    uri = parse_uri(str(contact.uri))
    if not isinstance(uri, SipUri):
        raise MalformedMessage("Unsupported URI Scheme in Contact", status=416, partial=message)
    return uri.without_headers()
