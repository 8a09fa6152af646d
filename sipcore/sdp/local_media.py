"""What we bring to a call: where we listen, which codecs we speak, and under which numbers we offer them.

A `LocalMedia` is one side's half of a negotiation, made once per call. It says nothing about the peer: that is
`AgreedMedia`, which comes out of `offer_answer`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from .codec import DYNAMIC_PAYLOAD_TYPES, TELEPHONE_EVENT, Codec
from .description import MediaDescription, SessionDescription
from .fields import MAX_PORT, PERMANENT, Attribute, Connection, Origin, Timing
from .media import Direction, address_refusal, is_unspecified

MIN_PTIME = 10  # milliseconds: below, headers outweigh the sound
MAX_PTIME = 60  # milliseconds: above, one lost packet is a lost syllable
MAX_HOMES = 64  # addresses of our own that are remembered; a host has a few
MAX_MANNERS = 408  # 51 ptimes, with and without rtcp-mux, four directions


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """One audio stream as we would have it; ValueError for what no description can say.

    Attributes:
        address: The IP address that the peer shall send to; never 0.0.0.0, which would mean hold.
        port: The UDP port of RTP there.
        codecs: Most preferred first, each with the payload type to offer it under; at least one for speech.
        event: `telephone-event` (RFC 4733), or None for a stream without DTMF. It is offered at the clock rate of every
            codec; at other rates than its own under a free dynamic payload type.
        ptime: Milliseconds of sound in a packet, 10 to 60.
        direction: What we are ready to do; `SENDONLY` while we hold the peer.
        rtcp_mux: Whether RTCP may share the port (RFC 5761).
        session_id: For the origin, the same for the whole call (RFC 8866 section 5.2).
        session_version: For the origin; see `revise` for what follows.
    """

    address: str
    port: int
    codecs: tuple[Codec, ...]
    event: Codec | None = None
    ptime: int = 20
    direction: Direction = Direction.SENDRECV
    rtcp_mux: bool = True
    session_id: int = field(kw_only=True)
    session_version: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        _home(self.address)
        numbers = [codec.payload_type for codec in self.codecs]
        if self.event is not None:
            numbers.append(self.event.payload_type)
        if not 0 < self.port <= MAX_PORT:
            raise ValueError(f"the port is no number from 1 to {MAX_PORT}")
        if not MIN_PTIME <= self.ptime <= MAX_PTIME:
            raise ValueError(f"ptime is no number of milliseconds from {MIN_PTIME} to {MAX_PTIME}")
        if min(numbers, default=0) < 0 or max(numbers, default=0) > 127 or len(set(numbers)) < len(numbers):
            raise ValueError("the payload types are not different numbers from 0 to 127")
        if all(codec.is_companion for codec in self.codecs):
            raise ValueError("there is no codec for speech")
        if any(codec.key[0] == TELEPHONE_EVENT for codec in self.codecs):
            raise ValueError("telephone-event is given as event, not among the codecs")

    @property
    def events(self) -> tuple[Codec, ...]:
        """`telephone-event` at the clock rate of each speech codec (RFC 4733 section 2.1: the timestamps are shared)."""
        event = self.event
        if event is None:
            return ()
        rates = dict.fromkeys(codec.clock_rate for codec in self.codecs if not codec.is_companion)
        if len(rates) == 1 and event.clock_rate in rates:
            return (event,)
        taken = {event.payload_type, *(codec.payload_type for codec in self.codecs)}
        free = (number for number in DYNAMIC_PAYLOAD_TYPES if number not in taken)
        numbers = {rate: event.payload_type if rate == event.clock_rate else next(free, None) for rate in rates}
        return tuple(
            Codec(number, event.name, rate, 1, event.parameters)
            for rate, number in numbers.items()
            if number is not None
        )

    def stream(
        self, protocol: str, codecs: tuple[Codec, ...], ptime: int, direction: Direction, *, rtcp_mux: bool
    ) -> MediaDescription:
        """Our `m=audio` section with these codecs."""
        attributes = [attribute for codec in codecs for attribute in codec.attributes()]
        attributes += _manner(ptime, rtcp_mux, direction.sends, direction.receives)
        formats = tuple([str(codec.payload_type) for codec in codecs])
        return MediaDescription("audio", self.port, protocol, formats, attributes=tuple(attributes))

    def session(self, media: tuple[MediaDescription, ...], times: tuple[Timing, ...] = PERMANENT) -> SessionDescription:
        """Our description around these streams."""
        home = _home(self.address)
        origin = Origin("-", self.session_id, self.session_version, "IN", home.addrtype, home.address)
        return SessionDescription(origin, connection=home, times=times, media=media)


@lru_cache(MAX_HOMES)
def _home(address: str) -> Connection:
    """Our `c=` line; ValueError for an address that no peer can send to."""
    connection = Connection("IP6" if ":" in address else "IP4", address)
    if address_refusal(connection) or is_unspecified(address):
        raise ValueError(f"no peer can send to the address {address!r}")
    return connection


@lru_cache(MAX_MANNERS)
def _manner(ptime: int, rtcp_mux: bool, sends: bool, receives: bool) -> tuple[Attribute, ...]:
    """The attributes of our streams that are not about codecs."""
    mux = (Attribute("rtcp-mux"),) if rtcp_mux else ()
    return Attribute("ptime", str(ptime)), *mux, Attribute(str(Direction.of(sends, receives)))
