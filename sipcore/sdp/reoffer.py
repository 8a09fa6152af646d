"""Changing a session that runs: hold, resume, and the version in the origin (RFC 3264 section 8).

A new offer within a call must keep every stream of the last description in its place, refused ones too, and every
dynamic number must keep its codec. So it is made from our last description, offer or answer alike, and differs from it
only where something changes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .fields import Attribute
from .media import Direction, direction_of

if TYPE_CHECKING:
    from .description import MediaDescription, SessionDescription

_MARKS = frozenset(direction.value for direction in Direction)


def revise(previous: SessionDescription, description: SessionDescription) -> SessionDescription:
    """The description to send after `previous`: itself again if nothing changed, else with the next version.

    RFC 3264 section 8: "the "o=" line of the new SDP MUST be identical to that in the previous SDP, except that the
    version in the origin field MUST increment by one", and without increment "the SDP MUST be identical".
    """
    origin = previous.origin
    if replace(description, origin=origin) == previous:
        return previous
    return replace(description, origin=replace(origin, session_version=origin.session_version + 1))


def with_direction(previous: SessionDescription, direction: Direction) -> SessionDescription:
    """The offer that gives every live stream of our last description this direction."""
    media = tuple(_turned(stream, direction) if stream.port else stream for stream in previous.media)
    return revise(previous, replace(previous, media=media))


def hold_offer(previous: SessionDescription) -> SessionDescription:
    """The offer that puts the peer on hold: we no longer receive (RFC 3264 section 8.4).

    "If the stream to be placed on hold was previously a sendrecv media stream, it is placed on hold by marking it as
    sendonly. If [...] recvonly, it is placed on hold by marking it inactive." To resume, offer `with_direction` again.
    """
    media = tuple(
        _turned(stream, direction_of(stream, previous).within(Direction.SENDONLY)) if stream.port else stream
        for stream in previous.media
    )
    return revise(previous, replace(previous, media=media))


def _turned(media: MediaDescription, direction: Direction) -> MediaDescription:
    """The stream with its direction attribute set, in its old place if it had one."""
    mark = Attribute(direction.value)
    if any(attribute.name in _MARKS for attribute in media.attributes):
        attributes = tuple(mark if attribute.name in _MARKS else attribute for attribute in media.attributes)
    else:
        attributes = (*media.attributes, mark)
    return replace(media, attributes=attributes)
