"""RTCP packets (RFC 3550 6.4 to 6.7, feedback of RFC 4585 6.1) as values, and the compound packet that carries them.

Theory of operation: a datagram of RTCP is a row of packets, each with a four-octet header that tells its length in 32-bit
words. `parse_compound` walks the row, checks it as RFC 3550 A.2 asks, and gives each packet to the class of its type; a
type we do not know is kept as it is (`UnknownRtcp`). Each packet has `serialize`; a compound packet is their
concatenation.

::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |V=2|P|  count  |      PT       |   length (32-bit words - 1)   |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from struct import Struct
from typing import ClassVar, Self

from .exceptions import LocalError, MalformedPacket
from .packet import Octets

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
GOODBYE = 203
APPLICATION_DEFINED = 204
TRANSPORT_FEEDBACK = 205
PAYLOAD_FEEDBACK = 206

CNAME = 1
"""SDES item type of the canonical name (RFC 3550 6.5.1)."""

MAX_PACKETS = 64
"""Packets in one compound packet: bounds the objects that one datagram can make; real ones have two to four."""
MAX_COUNT = 31
"""Report blocks, chunks or sources in one packet: the count field has five bits."""
MAX_TEXT_OCTETS = 255
"""An SDES item or a BYE reason: its length is told in one octet."""

_HEADER = Struct("!BBH")
_SENDER_INFO = Struct("!IQIII")
_BLOCK_OCTETS = 24
_PADDING_BIT = 0x20


def is_rtcp(data: Octets) -> bool:
    """Tells RTCP from RTP on one port (RFC 5761 4: packet types 192 to 223 stand where RTP has marker and payload type)."""
    return len(data) > 1 and data[0] & 0xC0 == 0x80 and 192 <= data[1] <= 223


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one source (RFC 3550 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Lost since the previous report, in 1/256 of what was expected."""
    cumulative_lost: int
    """Lost since the beginning, packets; signed 24 bits, because duplicates count as received."""
    highest_sequence: int
    """Extended highest sequence number, 32 bits."""
    jitter: int
    """Interarrival jitter, ticks."""
    last_sr: int
    """Middle 32 bits of the NTP timestamp of the last sender report; 0 = none came."""
    delay_since_last_sr: int
    """Since that report came, in 1/65,536 seconds."""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Reads one block of 24 octets."""
        number = [int.from_bytes(data[at : at + 4], "big") for at in range(0, _BLOCK_OCTETS, 4)]
        lost = number[1] & 0xFF_FFFF
        return cls(number[0], number[1] >> 24, lost - ((lost & 0x80_0000) << 1), *number[2:])

    def serialize(self) -> bytes:
        """The block as 24 octets."""
        lost = (self.fraction_lost << 24) | (self.cumulative_lost & 0xFF_FFFF)
        words = (self.ssrc, lost, self.highest_sequence, self.jitter, self.last_sr, self.delay_since_last_sr)
        return b"".join(word.to_bytes(4, "big") for word in words)


@dataclass(frozen=True, slots=True)
class RtcpPacket(ABC):
    """What all RTCP packets share; the padding is told in octets with its count octet, 0 = no P bit."""

    TYPE: ClassVar[int] = 0
    padding: int = field(default=0, kw_only=True)

    def serialize(self) -> bytes:
        """The packet as octets, in whole 32-bit words.

        Raises:
            LocalError: a field does not fit into its bits.
        """
        try:
            body = self._body()
            count = self._count()
        except OverflowError as error:
            raise LocalError("a field of the RTCP packet does not fit into its bits") from error
        if not 0 <= count <= MAX_COUNT or self.padding % 4 or not 0 <= self.padding <= 252:
            raise LocalError("the RTCP packet has more than 31 parts or padding that is no whole 32-bit words")
        padding = bytes(self.padding - 1) + bytes([self.padding]) if self.padding else b""
        words = (len(body) + len(padding)) // 4
        first = 0x80 | (_PADDING_BIT if padding else 0) | count
        return _HEADER.pack(first, self._type(), words) + body + padding

    def _type(self) -> int:
        return self.TYPE

    @abstractmethod
    def _count(self) -> int:
        """What the five bits beside version and padding say."""

    @abstractmethod
    def _body(self) -> bytes:
        """The octets behind the header; an OverflowError tells that a field does not fit."""


@dataclass(frozen=True, slots=True)
class SenderReport(RtcpPacket):
    """SR: what a participant has sent, and what it has received (RFC 3550 6.4.1)."""

    TYPE: ClassVar[int] = SENDER_REPORT

    ssrc: int
    ntp: int
    """Wall clock at sending: 64-bit NTP time, seconds since 1900 times 2^32."""
    timestamp: int
    """The same instant on the RTP clock, ticks."""
    packets: int
    octets: int
    """Payload octets, without headers and padding."""
    blocks: tuple[ReportBlock, ...] = ()
    extension: bytes = b""
    """Profile-specific octets after the blocks."""

    @classmethod
    def parse(cls, count: int, body: bytes, padding: int = 0) -> Self:
        """Reads the body behind the header."""
        _need(body, 24 + count * _BLOCK_OCTETS, "sender report")
        ssrc, ntp, timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
        blocks, rest = _blocks(body[24:], count)
        return cls(ssrc, ntp, timestamp, packets, octets, blocks, rest, padding=padding)

    def _count(self) -> int:
        return len(self.blocks)

    def _body(self) -> bytes:
        words = ((self.ssrc, 4), (self.ntp, 8), (self.timestamp, 4), (self.packets, 4), (self.octets, 4))
        info = b"".join(value.to_bytes(size, "big") for value, size in words)
        return info + _joined(self.blocks) + _whole_words(self.extension)


@dataclass(frozen=True, slots=True)
class ReceiverReport(RtcpPacket):
    """RR: what a participant has received, when it has not sent (RFC 3550 6.4.2)."""

    TYPE: ClassVar[int] = RECEIVER_REPORT

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()
    extension: bytes = b""

    @classmethod
    def parse(cls, count: int, body: bytes, padding: int = 0) -> Self:
        """Reads the body behind the header."""
        _need(body, 4 + count * _BLOCK_OCTETS, "receiver report")
        blocks, rest = _blocks(body[4:], count)
        return cls(int.from_bytes(body[:4], "big"), blocks, rest, padding=padding)

    def _count(self) -> int:
        return len(self.blocks)

    def _body(self) -> bytes:
        return self.ssrc.to_bytes(4, "big") + _joined(self.blocks) + _whole_words(self.extension)


@dataclass(frozen=True, slots=True)
class SdesChunk:
    """What one source says of itself: (item type, value) pairs in the order of the wire (RFC 3550 6.5)."""

    ssrc: int
    items: tuple[tuple[int, bytes], ...] = ()

    @property
    def cname(self) -> bytes | None:
        """The canonical name; None if the chunk has none."""
        return next((value for kind, value in self.items if kind == CNAME), None)

    def serialize(self) -> bytes:
        """The chunk with the null octets that end its list on a 32-bit boundary."""
        items = b"".join(bytes([kind, len(value)]) + value for kind, value in self.items)
        # RFC 3550 6.5: "The list of items in each chunk MUST be terminated by one or more null octets".
        return self.ssrc.to_bytes(4, "big") + items + bytes(4 - len(items) % 4)


@dataclass(frozen=True, slots=True)
class SourceDescription(RtcpPacket):
    """SDES: who the sources are (RFC 3550 6.5)."""

    TYPE: ClassVar[int] = SOURCE_DESCRIPTION

    chunks: tuple[SdesChunk, ...] = ()

    @classmethod
    def parse(cls, count: int, body: bytes, padding: int = 0) -> Self:
        """Reads the body behind the header."""
        chunks = []
        at = 0
        for _ in range(count):
            chunk, at = _chunk(body, at)
            chunks.append(chunk)
        return cls(tuple(chunks), padding=padding)

    def _count(self) -> int:
        return len(self.chunks)

    def _body(self) -> bytes:
        if any(len(value) > MAX_TEXT_OCTETS or not 1 <= kind <= 255 for c in self.chunks for kind, value in c.items):
            raise OverflowError
        return _joined(self.chunks)


@dataclass(frozen=True, slots=True)
class Goodbye(RtcpPacket):
    """BYE: sources leave (RFC 3550 6.6)."""

    TYPE: ClassVar[int] = GOODBYE

    ssrcs: tuple[int, ...] = ()
    reason: bytes | None = None
    """UTF-8 text as it came, not decoded; None = no reason field."""

    @classmethod
    def parse(cls, count: int, body: bytes, padding: int = 0) -> Self:
        """Reads the body behind the header."""
        end = 4 * count
        _need(body, end, "BYE")
        ssrcs = tuple(int.from_bytes(body[at : at + 4], "big") for at in range(0, end, 4))
        if len(body) == end:
            return cls(ssrcs, padding=padding)
        _need(body, end + 1 + body[end], "reason of a BYE")
        return cls(ssrcs, body[end + 1 : end + 1 + body[end]], padding=padding)

    def _count(self) -> int:
        return len(self.ssrcs)

    def _body(self) -> bytes:
        sources = b"".join(ssrc.to_bytes(4, "big") for ssrc in self.ssrcs)
        if self.reason is None:
            return sources
        text = len(self.reason).to_bytes(1, "big") + self.reason
        return sources + text + bytes(-len(text) % 4)


@dataclass(frozen=True, slots=True)
class ApplicationDefined(RtcpPacket):
    """APP: something that one application tells another (RFC 3550 6.7)."""

    TYPE: ClassVar[int] = APPLICATION_DEFINED

    subtype: int
    ssrc: int
    name: bytes
    """Four octets."""
    data: bytes = b""
    """Whole 32-bit words."""

    @classmethod
    def parse(cls, count: int, body: bytes, padding: int = 0) -> Self:
        """Reads the body behind the header."""
        _need(body, 8, "APP packet")
        return cls(count, int.from_bytes(body[:4], "big"), body[4:8], body[8:], padding=padding)

    def _count(self) -> int:
        return self.subtype

    def _body(self) -> bytes:
        if len(self.name) != 4:
            raise OverflowError
        return self.ssrc.to_bytes(4, "big") + self.name + _whole_words(self.data)


@dataclass(frozen=True, slots=True)
class _Feedback(RtcpPacket):
    """The common form of feedback messages (RFC 4585 6.1); the control information is kept, not understood."""

    form: int
    """FMT field: which feedback message it is."""
    sender_ssrc: int
    media_ssrc: int
    control: bytes = b""
    """Feedback control information, whole 32-bit words."""

    @classmethod
    def parse(cls, count: int, body: bytes, padding: int = 0) -> Self:
        """Reads the body behind the header."""
        _need(body, 8, "feedback message")
        sender, media = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        return cls(count, sender, media, body[8:], padding=padding)

    def _count(self) -> int:
        return self.form

    def _body(self) -> bytes:
        ssrcs = self.sender_ssrc.to_bytes(4, "big") + self.media_ssrc.to_bytes(4, "big")
        return ssrcs + _whole_words(self.control)


@dataclass(frozen=True, slots=True)
class TransportFeedback(_Feedback):
    """RTPFB (RFC 4585 6.2): NACK and its kind."""

    TYPE: ClassVar[int] = TRANSPORT_FEEDBACK


@dataclass(frozen=True, slots=True)
class PayloadFeedback(_Feedback):
    """PSFB (RFC 4585 6.3): picture loss and its kind."""

    TYPE: ClassVar[int] = PAYLOAD_FEEDBACK


@dataclass(frozen=True, slots=True)
class UnknownRtcp(RtcpPacket):
    """A packet of a type that is not ours, kept as it came (RFC 3550 6.1: "may be ignored")."""

    packet_type: int
    count: int
    body: bytes = b""

    def _type(self) -> int:
        return self.packet_type

    def _count(self) -> int:
        return self.count

    def _body(self) -> bytes:
        return _whole_words(self.body)


_PARSERS = {
    packet.TYPE: packet.parse
    for packet in (
        SenderReport,
        ReceiverReport,
        SourceDescription,
        Goodbye,
        ApplicationDefined,
        TransportFeedback,
        PayloadFeedback,
    )
}


def parse_compound(data: Octets, *, reduced_size: bool = False) -> list[RtcpPacket]:
    """Reads one datagram of RTCP.

    Args:
        data: the whole datagram, decrypted.
        reduced_size: let it begin with any packet type (RFC 5506), not only with a report.

    Raises:
        MalformedPacket: the datagram fails the checks of RFC 3550 A.2, or a packet in it is shorter than its own counts.
    """
    octets = bytes(data)
    if not octets:
        raise MalformedPacket("an empty datagram")
    packets: list[RtcpPacket] = []
    at = 0
    while at < len(octets):
        # RFC 3550 A.2: "The payload type field of the first RTCP packet in a compound packet must be equal to SR or RR."
        if at == 0 and not reduced_size and octets[1:2] not in {b"\xc8", b"\xc9"}:
            raise MalformedPacket("a compound RTCP packet that does not begin with a report")
        if len(packets) == MAX_PACKETS:
            raise MalformedPacket(f"more than {MAX_PACKETS} packets in one compound RTCP packet")
        packet, at = _packet(octets, at)
        packets.append(packet)
    return packets


def serialize_compound(packets: Iterable[RtcpPacket]) -> bytes:
    """One datagram of all the packets, in their order."""
    return _joined(packets)


def _packet(octets: bytes, at: int) -> tuple[RtcpPacket, int]:
    """The packet at an offset, and the offset behind it."""
    if len(octets) - at < 4:
        raise MalformedPacket("RTCP ends within a packet header")
    first, kind, words = _HEADER.unpack_from(octets, at)
    end = at + 4 + 4 * words
    if first & 0xC0 != 0x80 or end > len(octets):
        raise MalformedPacket("an RTCP packet is not version 2, or longer than the datagram")
    body, padding = octets[at + 4 : end], 0
    if first & _PADDING_BIT:
        # RFC 3550 6.4.1: "padding is only required on one individual packet", and that is the last one (A.2).
        padding = body[-1] if body else 0
        if end != len(octets) or padding == 0 or padding % 4 or padding > len(body):
            raise MalformedPacket("padding that is not at the end of the compound RTCP packet")
        body = body[:-padding]
    parse, count = _PARSERS.get(kind), first & 0x1F
    if parse is None:
        return UnknownRtcp(kind, count, body, padding=padding), end
    return parse(count, body, padding), end


def _blocks(data: bytes, count: int) -> tuple[tuple[ReportBlock, ...], bytes]:
    """Report blocks, and the profile-specific octets behind them."""
    end = count * _BLOCK_OCTETS
    return tuple(ReportBlock.parse(data[at : at + _BLOCK_OCTETS]) for at in range(0, end, _BLOCK_OCTETS)), data[end:]


def _chunk(body: bytes, at: int) -> tuple[SdesChunk, int]:
    """The SDES chunk at an offset, and the offset behind it."""
    _need(body, at + 8, "SDES chunk")
    ssrc = int.from_bytes(body[at : at + 4], "big")
    at += 4
    items = []
    while body[at]:
        _need(body, at + 2, "SDES item")
        end = at + 2 + body[at + 1]
        _need(body, end + 1, "SDES item")  # at least the null octet that ends the list must follow
        items.append((body[at], body[at + 2 : end]))
        at = end
    return SdesChunk(ssrc, tuple(items)), at // 4 * 4 + 4


def _need(body: bytes, octets: int, what: str) -> None:
    if len(body) < octets:
        raise MalformedPacket(f"{what} reaches beyond its RTCP packet")


def _whole_words(data: bytes) -> bytes:
    if len(data) % 4:
        raise OverflowError
    return data


def _joined(parts: Iterable[ReportBlock | SdesChunk | RtcpPacket]) -> bytes:
    return b"".join(part.serialize() for part in parts)
