"""The offer/answer model (RFC 3264) for one audio stream, as pure functions.

One side sends an offer: its address, its codecs, its numbers for them. The other answers stream by stream: port 0
refuses, anything else accepts with a subset of the codecs. What both then know is an `AgreedMedia`, always seen from
us: `negotiate` makes it for the one who answers, `complete` for the one who offered. A late offer is the same with the
roles of the SIP messages swapped: `build_offer` into the 200, `complete` when the ACK brings the answer.

Payload types are labels of the side that receives: we send under the peer's number and receive under ours. Codecs are
matched by name, clock rate and channels, never by a dynamic number.

Only plain RTP is spoken here. A stream that asks for SRTP is refused, never answered in plain; one that is refused
keeps its place in the answer, because streams are matched by position (RFC 3264 section 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from .codec import TELEPHONE_EVENT, Codec, codecs_of
from .description import MediaDescription, SessionDescription
from .exceptions import MalformedDescription, NotAcceptable, Refusal
from .local_media import MAX_PTIME, MIN_PTIME, LocalMedia
from .media import (
    Direction,
    address_refusal,
    connection_of,
    direction_of,
    is_unspecified,
    milliseconds_of,
    rtcp_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_PTIME = 20  # milliseconds: RFC 3551 section 4.2, where nobody says otherwise

_Pair: TypeAlias = tuple[Codec, Codec]
"""One codec under both sides' numbers: theirs, ours."""
_PLAIN = frozenset(("RTP/AVP", "RTP/AVPF"))


@dataclass(frozen=True, slots=True)
class AgreedMedia:
    """What one side may do once offer and answer have met; seen from us.

    Attributes:
        codec: What to send, under the peer's payload type and with the peer's `a=fmtp` parameters.
        receive_types: What may arrive, by our payload types: every agreed codec, and comfort noise. No events.
        send_event_type: The peer's payload type for telephone events; None if there are none.
        receive_event_type: Ours for them; None if there are none.
        event_clock_rate: Ticks per second of the telephone events, which is that of `codec`.
        remote: Address (or host name) and port to send RTP to.
        remote_rtcp: The same for RTCP; equal to `remote` with `rtcp_mux`.
        rtcp_mux: Whether both sides share one port for RTP and RTCP.
        direction: What we do: `SENDONLY` means that we send and the peer is silent.
        ptime: Seconds of sound to put in a packet.
    """

    codec: Codec
    receive_types: Mapping[int, Codec]
    send_event_type: int | None
    receive_event_type: int | None
    event_clock_rate: int
    remote: tuple[str, int]
    remote_rtcp: tuple[str, int]
    rtcp_mux: bool
    direction: Direction
    ptime: float

    @property
    def send_payload_type(self) -> int:
        """The payload type to send speech under: the peer's number."""
        return self.codec.payload_type

    @property
    def may_send(self) -> bool:
        """Whether we may send now: the direction says so, and there is an address to send to."""
        return self.direction.sends and not is_unspecified(self.remote[0])

    @property
    def may_receive(self) -> bool:
        """Whether the peer may send now."""
        return self.direction.receives


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The outcome of answering: the answer to send, what it means, and why each refused stream was refused."""

    answer: SessionDescription
    media: AgreedMedia
    refused: Mapping[int, Refusal]
    """By the position of the stream in the offer."""


def build_offer(local: LocalMedia) -> SessionDescription:
    """The offer of one audio stream with all our codecs, in our order (RFC 3264 section 5)."""
    codecs = (*local.codecs, *local.events)
    stream = local.stream("RTP/AVP", codecs, local.ptime, local.direction, rtcp_mux=local.rtcp_mux)
    return local.session((stream,))


def negotiate(
    offer: SessionDescription, local: LocalMedia, *, prefer: Literal["offer", "local"] = "offer"
) -> Negotiated:
    """Answer an offer (RFC 3264 section 6): the first usable audio stream is taken, every other refused with port 0.

    Args:
        offer: The peer's description.
        local: Ours.
        prefer: Whose order decides among the common codecs. RFC 3264 section 6.1: "it is RECOMMENDED that unless there
            is a specific reason, the answerer list formats in the same relative order" as the offer.

    Raises:
        NotAcceptable: No stream of the offer can be used.
    """
    streams: list[MediaDescription] = []
    refused: dict[int, Refusal] = {}
    agreed: AgreedMedia | None = None
    for index, media in enumerate(offer.media):
        refusal = _refusal(media, offer) or (Refusal.FURTHER_AUDIO if agreed else None)
        pairs = [] if refusal else _match(codecs_of(media), (*local.codecs, *local.events), prefer)
        if pairs:
            stream, agreed = _accept(media, offer, local, pairs)
            streams.append(stream)
        else:
            refused[index] = refusal or Refusal.NO_CODEC
            # RFC 3264 6: "To reject an offered stream, the port number in the corresponding stream in the answer MUST
            # be set to zero. Any media formats listed are ignored. At least one MUST be present".
            streams.append(MediaDescription(media.kind, 0, media.protocol, media.formats or ("0",)))
    if agreed is None:
        raise NotAcceptable(_reason(refused.values()))
    # RFC 3264 6: "The "t=" line in the answer MUST equal that of the offer."
    return Negotiated(local.session(tuple(streams), offer.times), agreed, MappingProxyType(refused))


def complete(offer: SessionDescription, answer: SessionDescription) -> AgreedMedia:
    """What the answer to our offer means (RFC 3264 section 7): the first audio stream that was accepted.

    Formats that we did not offer are passed over, as RFC 3264 section 6.1 lets an answer list more than was asked.

    Raises:
        MalformedDescription: The answer's streams are not those of the offer.
        NotAcceptable: The answer refuses our audio, or accepts it in a way we cannot follow.
    """
    # RFC 3264 6: "For each "m=" line in the offer, there MUST be a corresponding "m=" line in the answer."
    if len(offer.media) != len(answer.media):
        raise MalformedDescription("the answer has not as many streams as the offer")
    refused: list[Refusal] = []
    for ours, theirs in zip(offer.media, answer.media, strict=True):
        if ours.kind.lower() != theirs.kind.lower():
            raise MalformedDescription("a stream of the answer is of another kind than the offer's")
        refusal = _refusal(ours, offer) or _refusal(theirs, answer)
        pairs = [] if refusal else _match(codecs_of(theirs), codecs_of(ours), "offer")
        if pairs:
            ptime = _ptime(theirs, _ptime(ours, DEFAULT_PTIME))
            return _agree(theirs, answer, pairs, ptime, direction_of(ours, offer), rtcp_mux=_has_mux(ours))
        refused.append(refusal or Refusal.NO_CODEC)
    raise NotAcceptable(_reason(refused))


def _reason(refusals: Iterable[Refusal]) -> Refusal:
    """Which refusal explains a failed negotiation: that of the first audio stream."""
    return next((refusal for refusal in refusals if refusal is not Refusal.NOT_AUDIO), Refusal.NO_STREAM)


def _refusal(media: MediaDescription, session: SessionDescription) -> Refusal | None:
    """Why this stream cannot be ours whatever its codecs; None if it can."""
    if media.kind.lower() != "audio":
        return Refusal.NOT_AUDIO
    if media.port == 0:
        return Refusal.DISABLED
    protocol = media.protocol.upper()
    if protocol not in _PLAIN:
        return Refusal.ENCRYPTED if "RTP/SAVP" in protocol else Refusal.TRANSPORT
    return address_refusal(connection_of(media, session))


def _match(offered: tuple[Codec, ...], known: tuple[Codec, ...], prefer: Literal["offer", "local"]) -> list[_Pair]:
    """The codecs that both lists have, speech first; empty if they share none for speech.

    A codec that a list names twice counts once, under its first number. Telephone events and comfort noise share the
    timestamps of the speech they go along with, so only those at the clock rate of the first codec stay (RFC 4733
    section 2.1, RFC 3389 section 4).
    """
    ours = {codec.key: codec for codec in reversed(known)}
    pairs = [(theirs, mine) for theirs in offered if (mine := ours.pop(theirs.key, None))]
    if prefer == "local":
        pairs.sort(key=lambda pair: known.index(pair[1]))
    speech = [pair for pair in pairs if not pair[1].is_companion]
    if not speech or len(speech) == len(pairs):
        return speech
    clock_rate = speech[0][1].clock_rate
    return speech + [pair for pair in pairs if pair[1].is_companion and pair[1].clock_rate == clock_rate]


def _accept(
    media: MediaDescription, offer: SessionDescription, local: LocalMedia, pairs: list[_Pair]
) -> tuple[MediaDescription, AgreedMedia]:
    """Our stream in answer to theirs, and what both mean."""
    # RFC 3264 6.1: a codec with "a specific payload type number in the offer, that same payload type number SHOULD be
    # used for that codec in the answer". So our numbers become theirs.
    pairs = [(theirs, _numbered(mine, theirs.payload_type, mine.parameters)) for theirs, mine in pairs]
    ptime = _ptime(media, local.ptime)
    agreed = _agree(media, offer, pairs, ptime, local.direction, rtcp_mux=local.rtcp_mux)
    codecs = tuple([mine for _, mine in pairs])
    stream = local.stream(media.protocol, codecs, ptime, agreed.direction, rtcp_mux=agreed.rtcp_mux)
    return stream, agreed


def _agree(
    theirs: MediaDescription,
    session: SessionDescription,
    pairs: list[_Pair],
    ptime: int,
    direction: Direction,
    *,
    rtcp_mux: bool,
) -> AgreedMedia:
    """What their stream, our direction and the common codecs (speech first) come to."""
    connection = connection_of(theirs, session)
    assert connection is not None
    receive_types: dict[int, Codec] = {}
    send_event_type = receive_event_type = None
    for their_codec, our_codec in pairs:
        if our_codec.key[0] == TELEPHONE_EVENT:
            send_event_type, receive_event_type = their_codec.payload_type, our_codec.payload_type
        else:
            receive_types[our_codec.payload_type] = our_codec
    their_codec, our_codec = pairs[0]
    rtcp_mux = rtcp_mux and _has_mux(theirs)
    remote = (connection.address, theirs.port)
    return AgreedMedia(
        codec=_numbered(our_codec, their_codec.payload_type, their_codec.parameters),
        receive_types=MappingProxyType(receive_types),
        send_event_type=send_event_type,
        receive_event_type=receive_event_type,
        event_clock_rate=our_codec.clock_rate,
        remote=remote,
        remote_rtcp=remote if rtcp_mux else rtcp_of(theirs, connection.address),
        rtcp_mux=rtcp_mux,
        direction=direction_of(theirs, session).reversed.within(direction),
        ptime=ptime / 1000,
    )


def _numbered(codec: Codec, payload_type: int, parameters: str | None) -> Codec:
    """The same codec under another number and with other parameters."""
    if codec.payload_type == payload_type and codec.parameters == parameters:
        return codec
    return Codec(payload_type, codec.name, codec.clock_rate, codec.channels, parameters)


def _has_mux(media: MediaDescription) -> bool:
    return media.attribute("rtcp-mux") is not None


def _ptime(media: MediaDescription, default: int) -> int:
    """Milliseconds per packet: what `a=ptime` asks for if it is usable, else the default; never above `a=maxptime`."""
    asked, most = milliseconds_of(media, "ptime"), milliseconds_of(media, "maxptime")
    if asked is not None and asked.is_integer() and MIN_PTIME <= asked <= MAX_PTIME:
        default = int(asked)
    return default if most is None else max(MIN_PTIME, min(default, int(most)))
