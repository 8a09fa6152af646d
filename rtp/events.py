"""What the RTP layer tells its user: facts, frozen, in the past tense.

All instants are monotonic seconds of the clock whose readings the user passes in as `now` and `arrival`.
"""

from dataclasses import dataclass

Address = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class FirstPacket:
    """The first packet of the peer's stream was accepted."""

    arrival: float
    """When it arrived, seconds."""
    source: Address
    """Where it came from."""
    ssrc: int
    payload_type: int


@dataclass(frozen=True, slots=True)
class SsrcChanged:
    """The peer's stream goes on under another SSRC (a transfer, a new media server)."""

    old: int
    new: int
    at: float
    """Arrival of the packet that confirmed the new one, seconds."""


@dataclass(frozen=True, slots=True)
class OwnSsrcChanged:
    """We left our SSRC, because the peer had chosen the same one (RFC 3550 8.2)."""

    old: int
    new: int
    at: float


@dataclass(frozen=True, slots=True)
class SourceChanged:
    """Media comes from, and is now sent to, another address than before."""

    old: Address | None
    """None if no address had been signalled."""
    new: Address
    at: float


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    """One key was pressed by the peer; told once for each press."""

    digit: str
    """One of `0123456789*#ABCD`."""
    duration: float
    """How long the key was held, as far as it is known, seconds."""
    at: float
    """Arrival of the first packet of the press, seconds."""
    complete: bool
    """False if no end packet came, so that the press may have been longer than `duration`."""


@dataclass(frozen=True, slots=True)
class RemoteBye:
    """The peer's source left with an RTCP BYE (RFC 3550 6.6); the call itself ends by signalling only."""

    ssrc: int
    reason: str
    """The peer's words; empty if there were none."""
    at: float


RtpEvent = FirstPacket | SsrcChanged | OwnSsrcChanged | SourceChanged | DtmfReceived | RemoteBye
"""All that `RtpSession.events()` can hand out."""
