"""What the attributes of a stream say: its direction, packet times, address and RTCP address.

`Direction` is seen from the one who wrote the description; `reversed` is the same seen from the other side. The
functions here read one stream of one description and decide nothing; `offer_answer` decides.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING, Self

from .exceptions import Refusal
from .fields import MAX_PORT, Connection, number

if TYPE_CHECKING:
    from .description import MediaDescription, SessionDescription


MAX_ADDRESS = 255  # characters: the longest host name (RFC 1035 section 2.3.4)
MAX_ADDRESSES_REMEMBERED = 1_024  # addresses: trunks have few, and thousands of calls come from the same ones


class Direction(StrEnum):
    """Who sends (RFC 8866 section 6.7), seen from the writer of the description."""

    INACTIVE = "inactive", False, False
    SENDONLY = "sendonly", True, False
    RECVONLY = "recvonly", False, True
    SENDRECV = "sendrecv", True, True

    sends: bool
    """Whether the writer sends."""
    receives: bool
    """Whether the writer receives."""

    def __new__(cls, value: str, sends: bool, receives: bool) -> Self:
        """The word of the attribute, and what it means for both ways."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sends = sends
        member.receives = receives
        return member

    @property
    def reversed(self) -> Direction:
        """The same stream seen from the other side: `sendonly` is `recvonly` there (RFC 3264 section 6.1)."""
        return _BY_WAYS[self.receives + 2 * self.sends]

    @staticmethod
    def of(sends: bool, receives: bool) -> Direction:
        """The direction for these two ways."""
        return _BY_WAYS[sends + 2 * receives]

    def within(self, other: Direction) -> Direction:
        """What both allow: we send only if both say so, and likewise receive."""
        return _BY_WAYS[(self.sends and other.sends) + 2 * (self.receives and other.receives)]


_BY_WAYS = tuple(Direction)  # bit 0: sends, bit 1: receives; the order in which the members stand
_MARKS: dict[str, Direction] = {str(direction): direction for direction in Direction}


def connection_of(media: MediaDescription, session: SessionDescription) -> Connection | None:
    """Where the stream lives: its own `c=`, or the session's, or the address of the origin; None if there is none.

    RFC 8866 section 5.7 demands one of the first two; cameras and trunks exist that leave the address out of both.
    """
    connection = media.connection or session.connection
    if connection is None and session.origin.address:
        origin = session.origin
        return Connection(origin.addrtype, origin.address, None, 1, origin.nettype)
    return connection


def address_refusal(connection: Connection | None) -> Refusal | None:
    """Why no media can be sent to this address; None for a unicast address, a host name, or 0.0.0.0 (on hold)."""
    if connection is None or connection.nettype != "IN" or len(connection.address) > MAX_ADDRESS:
        return Refusal.NO_ADDRESS
    if connection.ttl is not None or connection.count != 1:
        return Refusal.GROUP_ADDRESS
    if connection.addrtype == "IP4":
        return _ip4_refusal(connection.address)
    if connection.addrtype == "IP6":
        return _ip6_refusal(connection.address)
    return Refusal.NO_ADDRESS


@lru_cache(MAX_ADDRESSES_REMEMBERED)
def _ip4_refusal(address: str) -> Refusal | None:
    """A name whose last label starts with a digit would be taken for an address by resolvers, so it must be one."""
    labels = address.split(".")
    if not address.isascii() or " " in address:
        return Refusal.NO_ADDRESS
    if not labels[-1][:1].isdecimal():
        return None if labels[-1] and ":" not in address else Refusal.NO_ADDRESS
    if len(labels) != 4:
        return Refusal.NO_ADDRESS
    for label in labels:
        octet = number(label, 3)
        if octet is None or octet > 255 or str(octet) != label:
            return Refusal.NO_ADDRESS
    # 224.0.0.0/4 is multicast (RFC 5771), 240.0.0.0/4 reserved (RFC 1112), 255.255.255.255 broadcast (RFC 919).
    # 0.0.0.0/8 is "this network" (RFC 1122 3.2.1.3); only 0.0.0.0 itself has a meaning in SDP.
    reserved = labels[0] == "0" and not is_unspecified(address)
    return Refusal.GROUP_ADDRESS if reserved or int(labels[0]) >= 224 else None


@lru_cache(MAX_ADDRESSES_REMEMBERED)
def _ip6_refusal(address: str) -> Refusal | None:
    if ":" not in address:
        # Without a colon it is a host name, or an IPv4 address under the wrong label.
        return Refusal.NO_ADDRESS if address[-1:].isdecimal() else _ip4_refusal(address)
    try:
        value = IPv6Address(address)
    except AddressValueError:
        return Refusal.NO_ADDRESS
    mapped = value.ipv4_mapped
    if value.scope_id is not None or (mapped is not None and mapped.is_unspecified):
        return Refusal.NO_ADDRESS
    if mapped is not None:
        return _ip4_refusal(str(mapped))
    return Refusal.GROUP_ADDRESS if value.is_multicast else None


def is_unspecified(address: str) -> bool:
    """Whether nothing can be sent there: 0.0.0.0, the hold of RFC 2543 (RFC 3264 section 8.4), or its IPv6 twins."""
    return not address.strip("0.:")


def direction_of(media: MediaDescription, session: SessionDescription) -> Direction:
    """The direction the writer gives: on the stream, else for the session, else `sendrecv` (RFC 8866 section 6.7).

    RFC 3264 section 8.4 keeps the old hold alive: with the connection address 0.0.0.0 the writer receives nothing.
    """
    direction = _marked_direction(media) or _marked_direction(session) or Direction.SENDRECV
    connection = connection_of(media, session)
    if connection is not None and is_unspecified(connection.address):
        return direction.within(Direction.SENDONLY)
    return direction


def _marked_direction(section: MediaDescription | SessionDescription) -> Direction | None:
    for attribute in section.attributes:
        if attribute.name in _MARKS:
            return _MARKS[attribute.name]
    return None


def milliseconds_of(media: MediaDescription, name: str) -> float | None:
    """The value of `a=ptime` or `a=maxptime` in milliseconds (RFC 8866 sections 6.4, 6.5); None if absent or broken.

    The grammar allows fractions: "non-zero-int-or-real".
    """
    text = (media.attribute(name) or "").strip()
    whole, dot, fraction = text.partition(".")
    if number(whole, 5) is None or (dot and number(fraction, 6) is None):
        return None
    return float(text) or None


def rtcp_of(media: MediaDescription, address: str) -> tuple[str, int]:
    """Address and port for RTCP: `a=rtcp` (RFC 3605), else the stream's address and the next port (RFC 3550 section 11).

    An `a=rtcp` that is broken, or whose address is no unicast one, counts as absent. Above port 65,535 there is no next
    one: then RTCP goes where RTP goes.
    """
    parts = (media.attribute("rtcp") or "").split()
    port = number(parts[0], 5) if parts else None
    if port and port <= MAX_PORT:
        if len(parts) == 1:
            return address, port
        if len(parts) == 4:
            connection = Connection(parts[2], parts[3], nettype=parts[1])
            if address_refusal(connection) is None and not is_unspecified(parts[3]):
                return parts[3], port
    return address, media.port + 1 if media.port < MAX_PORT else media.port
