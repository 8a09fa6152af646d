"""Why something that arrived was not used: each reason is a sentence.

Nothing disappears silently. Every datagram, packet or event that a machine of this layer puts aside is counted under one
of these members; the value is what a person reads in a report.
"""

from enum import StrEnum


class Drop(StrEnum):
    """A reason for putting something aside; the value is the sentence shown to people."""

    NOT_RTP = "is no RTP of version 2 (STUN, DTLS or ZRTP on the media port, or noise)"
    MALFORMED = "its header, extension or padding reaches beyond the datagram (RFC 3550 5.1)"
    WRONG_SOURCE = "came from an address that is not the peer's"
    UNPROVEN_SOURCE = "came from a new address that has not yet sent enough packets in a row to be believed"
    PAYLOAD_TYPE = "has a payload type that was not agreed"
    OTHER_STREAM = "belongs to another SSRC than the one that is played"
    DUPLICATE = "has a sequence number that was received before"
    LATE = "came after its place in the stream had been played"
    OVERFLOW = "the jitter buffer was full"
    STRAY = "has a sequence number or timestamp far from its neighbours, and none followed it"
    EVENT_MALFORMED = "is a telephone-event payload of less than four octets (RFC 4733 2.3)"
    EVENT_UNKNOWN = "is a telephone event that is no DTMF digit (RFC 4733 3.2)"
    EVENT_STALE = "is a telephone event from before the one that is being pressed"
    RTCP_MALFORMED = "is a compound RTCP packet that fails the checks of RFC 3550 A.2"
    RTCP_WRONG_SOURCE = "is RTCP from a host that is not the peer's"
    RTCP_FOREIGN_BYE = "is an RTCP BYE for a source that is not the peer's"
    CLOSED = "came after the stream was closed"
