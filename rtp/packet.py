"""The RTP packet (RFC 3550 5.1), and its fixed header read without making an object.

Theory of operation: `RtpPacket` is a value, `parse` and `serialize` are each other's inverse, down to the length of the
padding. The media path does not need the object: `parse_header` gives the few numbers it wants as a tuple, and the payload
is a slice of the datagram. Both refuse the same bytes, with `MalformedPacket` and nothing else.
"""

from dataclasses import dataclass
from struct import Struct, unpack_from
from typing import Self

from .exceptions import LocalError, MalformedPacket

Octets = bytes | bytearray | memoryview
"""What the parsers read from."""

HEADER_OCTETS = 12
"""Size of the fixed header."""
MAX_CSRCS = 15
"""The CC field has four bits."""

_VERSION_2 = 0x80
_PADDING_BIT = 0x20
_EXTENSION_BIT = 0x10
_CSRC_COUNT_MASK = 0x0F
_MARKER_BIT = 0x80
_PAYLOAD_TYPE_MASK = 0x7F

_HEADER = Struct("!BBHII")
_EXTENSION = Struct("!HH")
_unpack_header = _HEADER.unpack_from
pack_header = _HEADER.pack
"""`pack_header(first octet, second octet, sequence, timestamp, ssrc)`: the fixed header, for the sending path."""

Header = tuple[int, bool, int, int, int, int, int]
"""(payload type, marker, sequence, timestamp, SSRC, offset of the payload, end of the payload)."""


def parse_header(data: Octets) -> Header:
    """Reads the fixed header and finds the payload: `data[payload_offset:payload_end]`.

    Raises:
        MalformedPacket: shorter than it says it is, or not version 2.
    """
    size = len(data)
    if size < HEADER_OCTETS:
        raise MalformedPacket("shorter than the fixed RTP header of 12 octets")
    first, second, sequence, timestamp, ssrc = _unpack_header(data)
    if first == _VERSION_2:  # no padding, no extension, no CSRC: nearly every packet of a telephone call
        return second & _PAYLOAD_TYPE_MASK, second >= _MARKER_BIT, sequence, timestamp, ssrc, HEADER_OCTETS, size
    start, end, _, _ = _layout(data, first)
    return second & _PAYLOAD_TYPE_MASK, second >= _MARKER_BIT, sequence, timestamp, ssrc, start, end


def _layout(data: Octets, first: int) -> tuple[int, int, int, int]:
    """Offsets of payload start, payload end and extension (0 = none), and the number of CSRCs."""
    if first & 0xC0 != _VERSION_2:
        raise MalformedPacket("not RTP version 2")
    size = len(data)
    csrc_count = first & _CSRC_COUNT_MASK
    start = HEADER_OCTETS + 4 * csrc_count
    extension = 0
    if first & _EXTENSION_BIT:
        extension = start
        if size < start + 4:
            raise MalformedPacket("header extension reaches beyond the packet")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if start > size:
        raise MalformedPacket("CSRC list or header extension reaches beyond the packet")
    end = size
    if first & _PADDING_BIT:
        # RFC 3550 5.1: "The last octet of the padding contains a count of how many padding octets should be ignored,
        # including itself."
        padding = data[size - 1]
        end -= padding
        if padding == 0 or end < start:
            raise MalformedPacket("padding count is zero or larger than the payload")
    return start, end, extension, csrc_count


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One RTP packet.

    ::

         0                   1                   2                   3
         0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |V=2|P|X|  CC   |M|     PT      |       sequence number         |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |                           timestamp                           |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
        |           synchronization source (SSRC) identifier            |
        +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
        |            contributing source (CSRC) identifiers             |
        |                             ....                              |
        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    """

    payload_type: int
    """0 … 127."""
    marker: bool
    """For audio: the first packet of a talk spurt (RFC 3551 4.1)."""
    sequence: int
    """16 bits, wraps."""
    timestamp: int
    """Ticks of the media clock, 32 bits, wraps."""
    ssrc: int
    csrcs: tuple[int, ...] = ()
    """At most 15."""
    extension: tuple[int, bytes] | None = None
    """(profile-defined 16 bits, body in whole 32-bit words), RFC 3550 5.3.1."""
    payload: bytes = b""
    padding: int = 0
    """Octets of padding with the count octet; 0 = no P bit, at most 255."""

    @classmethod
    def parse(cls, data: Octets) -> Self:
        """Reads one whole datagram.

        Raises:
            MalformedPacket: shorter than it says it is, or not version 2.
        """
        if len(data) < HEADER_OCTETS:
            raise MalformedPacket("shorter than the fixed RTP header of 12 octets")
        first, second, sequence, timestamp, ssrc = _unpack_header(data)
        start, end, extension_at, csrc_count = _layout(data, first)
        csrcs: tuple[int, ...] = ()
        if csrc_count:
            csrcs = unpack_from(f"!{csrc_count}I", data, HEADER_OCTETS)
        extension = None
        if extension_at:
            profile = int.from_bytes(data[extension_at : extension_at + 2], "big")
            extension = (profile, bytes(data[extension_at + 4 : start]))
        payload, padding = bytes(data[start:end]), len(data) - end
        payload_type, marker = second & _PAYLOAD_TYPE_MASK, second >= _MARKER_BIT
        return cls(payload_type, marker, sequence, timestamp, ssrc, csrcs, extension, payload, padding)

    def serialize(self) -> bytes:
        """The packet as octets; padding octets are zero except for the count.

        Raises:
            LocalError: a field does not fit into its bits.
        """
        self._check()
        first = _VERSION_2 | len(self.csrcs)
        parts = [b"", *(csrc.to_bytes(4, "big") for csrc in self.csrcs)]
        if self.extension is not None:
            first |= _EXTENSION_BIT
            profile, body = self.extension
            parts += [_EXTENSION.pack(profile, len(body) // 4), body]
        parts.append(self.payload)
        if self.padding:
            first |= _PADDING_BIT
            parts.append(bytes(self.padding - 1) + bytes([self.padding]))
        second = self.payload_type | (_MARKER_BIT if self.marker else 0)
        parts[0] = pack_header(first, second, self.sequence, self.timestamp, self.ssrc)
        return b"".join(parts)

    def _check(self) -> None:
        if not 0 <= self.payload_type <= _PAYLOAD_TYPE_MASK:
            raise LocalError(f"payload type {self.payload_type} is not within 0 … 127")
        if not 0 <= self.sequence <= 0xFFFF:
            raise LocalError(f"sequence number {self.sequence} does not fit into 16 bits")
        if not all(0 <= word <= 0xFFFF_FFFF for word in (self.timestamp, self.ssrc, *self.csrcs)):
            raise LocalError("timestamp, SSRC or a CSRC does not fit into 32 bits")
        if len(self.csrcs) > MAX_CSRCS:
            raise LocalError(f"{len(self.csrcs)} CSRCs are more than {MAX_CSRCS}")
        if not 0 <= self.padding <= 0xFF:
            raise LocalError(f"{self.padding} octets of padding are not within 0 … 255")
        if self.extension is not None:
            profile, body = self.extension
            if not 0 <= profile <= 0xFFFF or len(body) % 4 or len(body) > 4 * 0xFFFF:
                raise LocalError("header extension is not a 16-bit profile and whole 32-bit words")
