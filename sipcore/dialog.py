"""A dialog: what two user agents remember of one another (RFC 3261 section 12).

Call-ID, two tags, two sequence numbers, the peer's Contact and the route between. A dialog builds the requests inside it,
the ACK of a 2xx among them, in this one place: the target is the peer's Contact, the route set stands in Route, and the
first hop is the route's when there is one.

A peer behind a NAT names a Contact that nobody can reach. It gives itself away by its topmost Via: the address that it wrote
there is not the one that its request was seen to come from, and its Contact bears that same address. Such a peer, and one
whose Contact is no address at all (0.0.0.0), gets the requests of the dialog where it was seen, unless a route set exists:
then the first proxy knows better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .address import Address
from .exceptions import MalformedMessage
from .flow import is_other_address
from .headers import Headers
from .message import MAX_FORWARDS, Request
from .uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .flow import HostPort
    from .message import Message, Response

DialogId = tuple[str, str, str]
"Call-ID, local tag, remote tag (empty for a peer of RFC 2543 that sends none)."

# Addresses that no packet can be sent to; a Contact that bears one means "back where this came from".
_UNROUTABLE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to
_NOWHERE: Final = (".invalid", "invalid")  # RFC 2606: never the name of a host


class Dialog:
    """The state of section 12.1, from one side's point of view."""

    __slots__ = (
        "_hidden",
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
        target: SipUri,
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
        self._hidden: str | None = None  # the address of the peer behind its NAT, where we have seen that there is one

    @classmethod
    def from_request(cls, request: Request, local_tag: str, peer: HostPort) -> Dialog:
        """The callee's side (section 12.1.1): routes in the order of Record-Route.

        Args:
            request: a validated INVITE, its topmost Via stamped with where it came from.
            local_tag: the tag that our responses bear.
            peer: the address that the request was seen to come from.

        Raises:
            MalformedMessage: no Contact to send requests to.
        """
        dialog = cls(
            request.call_id,
            f"{request.headers['to']};tag={local_tag}",
            request.headers["from"],
            (local_tag, request.from_.tag or ""),
            target_of(request),
            request.record_routes,
            peer,
        )
        dialog.remote_sequence = request.cseq.number
        dialog._hidden = _hidden_address(request)
        return dialog

    @classmethod
    def from_response(
        cls, request: Request, response: Response, peer: HostPort, target: SipUri | None = None
    ) -> Dialog:
        """The caller's side (section 12.1.2): routes in reverse order of Record-Route.

        Args:
            request: our INVITE.
            response: a validated 2xx to it.
            peer: the address that the INVITE was sent to.
            target: instead of the response's Contact.

        Raises:
            MalformedMessage: no Contact in the response, and no target instead.
        """
        dialog = cls(
            request.call_id,
            request.headers["from"],
            response.headers["to"],
            (request.from_.tag or "", response.to.tag or ""),
            target or target_of(response),
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
        """The peer moved: its Contact in a re-INVITE or in the 2xx to one is the new remote target (section 12.2).

        Raises:
            MalformedMessage: its Contact is no sip: URI; a message without Contact changes nothing.
        """
        if message.contact is None:
            return
        self.remote_target = target_of(message)
        if isinstance(message, Request):
            self._hidden = _hidden_address(message)
            if message.via.parameters.get("rport"):  # the port is the one that was seen
                self.peer = message.via.response_address()

    def next_hop(self) -> HostPort:
        """Where requests go first: the topmost route, else the remote target (section 12.2.1.1).

        Without a route, a Contact that cannot be reached is answered at the address that its owner was seen at; see the module.
        """
        if self.route_set:
            route = Address.parse(self.route_set[0]).sip_uri
            return route.host, route.effective_port
        host = self.remote_target.host
        if host == self._hidden or host in _UNROUTABLE or host.lower().endswith(_NOWHERE):
            return self.peer
        return host, self.remote_target.effective_port

    def request(self, method: str, via: str, extra: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Request:
        """A request inside the dialog (section 12.2.1.1), with the next sequence number.

        Args:
            method: any but ACK and CANCEL.
            via: our Via with a fresh branch.
            extra: further fields: Contact, Content-Type, ...
            body: octets.

        Raises:
            ValueError: a further field would leave its line.
        """
        request = self._build(method, self.local_sequence + 1, via, extra, body)
        self.local_sequence += 1
        return request

    def ack(self, number: int, via: str, extra: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Request:
        """The ACK of a 2xx: a transaction of its own with the INVITE's number (section 13.2.2.4)."""
        return self._build("ACK", number, via, extra, body)

    def _build(self, method: str, number: int, via: str, extra: Iterable[tuple[str, str]], body: bytes) -> Request:
        target, routes = target_and_routes(self.remote_target, self.route_set)
        headers = Headers.trusted(
            [
                ("Via", via),
                *[("Route", route) for route in routes],
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

    def __repr__(self) -> str:
        return f"<Dialog {self.call_id} local={self.local_tag} remote={self.remote_tag} target={self.remote_target}>"


def target_of(message: Message) -> SipUri:
    """The URI of a message's Contact, as it may stand in a Request-URI.

    Raises:
        MalformedMessage: there is none, or it is of a scheme that is not ours (416).
    """
    contact = message.contact
    if contact is None:
        raise MalformedMessage("Missing Contact", partial=message)
    if not isinstance(contact.uri, SipUri):
        raise MalformedMessage("Unsupported URI Scheme in Contact", status=416, partial=message)
    return contact.uri.without_headers()


def target_and_routes(target: SipUri, routes: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Request-URI and Route; a strict router at the top takes the Request-URI's place.

    Section 12.2.1.1: "If the route set is not empty, and its first URI does not contain the lr parameter, the UAC MUST place the
    first URI from the route set into the Request-URI ... The UAC MUST then place the remote target URI into the Route header
    field as the last value."
    """
    if not routes:
        return str(target), routes
    first = Address.parse(routes[0]).sip_uri
    if first.is_loose_router:
        return str(target), routes
    return str(first.without_headers()), [*routes[1:], f"<{target}>"]


def _hidden_address(request: Request) -> str | None:
    """The address that the sender wrote on its Via, when it was seen to come from another one (RFC 3261 18.2.1)."""
    via = request.via
    received = via.parameters.get("received")
    return via.host if received and is_other_address(via.host, received) else None
