"""Session descriptions (RFC 8866) and their negotiation (RFC 3264): values and pure functions.

offer = parse(invite.body)
local = LocalMedia("192.0.2.1", 40_000, (Codec(0, "PCMU", 8_000),), session_id=1)
negotiated = negotiate(offer, local)
negotiated.answer.serialize()       # into the 200
negotiated.media.remote             # where to send, and so on
"""

from .codec import STATIC_CODECS, Codec, codecs_of
from .description import MediaDescription, SessionDescription
from .exceptions import MalformedDescription, NotAcceptable, Refusal
from .fields import Attribute, Bandwidth, Connection, Origin, Timing
from .local_media import LocalMedia
from .media import Direction
from .offer_answer import AgreedMedia, Negotiated, build_offer, complete, negotiate
from .reoffer import hold_offer, revise, with_direction

parse = SessionDescription.parse

__all__ = [
    "STATIC_CODECS",
    "AgreedMedia",
    "Attribute",
    "Bandwidth",
    "Codec",
    "Connection",
    "Direction",
    "LocalMedia",
    "MalformedDescription",
    "MediaDescription",
    "Negotiated",
    "NotAcceptable",
    "Origin",
    "Refusal",
    "SessionDescription",
    "Timing",
    "build_offer",
    "codecs_of",
    "complete",
    "hold_offer",
    "negotiate",
    "parse",
    "revise",
    "with_direction",
]
