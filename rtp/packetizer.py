"""Frames of one outgoing stream become RTP packets: sequence, timestamp, marker, key presses.

Theory of operation: `frame` is called once for each tick of the media clock, whether there is something to send or not.
The timestamp advances by a frame each time, so silence is a hole in the timestamps and not in the sequence numbers; the
packet after it has the marker ("the first packet of a talkspurt", RFC 3551 4.1). While a key is pressed, event packets take
the place of the audio (RFC 4733 2.5.1.2); the timestamp goes on underneath.
"""

from __future__ import annotations

from .packet import pack_header
from .telephone_event import DtmfSender

_VERSION_2 = 0x80
_MARKER_BIT = 0x80


class Packetizer:
    """One outgoing stream.

    Args:
        ssrc: ours.
        first_sequence: 16 bits, by chance (RFC 3550 5.1).
        first_timestamp: 32 bits, by chance.
        clock_rate: ticks of the RTP timestamp per second.
        ptime: seconds from one frame to the next.
    """

    __slots__ = (
        "_clock_rate",
        "_frame_at",
        "_frame_ticks",
        "_marker",
        "_sequence",
        "dtmf",
        "event_type",
        "octets",
        "packets",
        "ssrc",
        "timestamp",
    )

    def __init__(self, *, ssrc: int, first_sequence: int, first_timestamp: int, clock_rate: int, ptime: float) -> None:
        self.ssrc = ssrc
        self.dtmf = DtmfSender(clock_rate, ptime)
        self.event_type: int | None = None
        """Payload type of our telephone events; None = the peer takes none."""
        self.packets = 0
        self.octets = 0
        """Payload octets."""
        self.timestamp = first_timestamp & 0xFFFF_FFFF
        """Of the next frame, ticks."""
        self._sequence = first_sequence & 0xFFFF
        self._clock_rate = clock_rate
        self._frame_ticks = round(clock_rate * ptime)
        self._frame_at: float | None = None  # when the last frame was made
        self._marker = _MARKER_BIT

    def set_ptime(self, ptime: float) -> None:
        """From the next frame on, frames are so many seconds long (a new agreement)."""
        self._frame_ticks = round(self._clock_rate * ptime)
        self.dtmf.set_ptime(ptime)

    def frame(self, payload: bytes | None, payload_type: int, now: float) -> bytes | None:
        """The packet of the next frame; None = nothing is sent in this frame."""
        timestamp = self.timestamp
        self._frame_at = now
        self.timestamp = (timestamp + self._frame_ticks) & 0xFFFF_FFFF
        if self.event_type is not None:
            event = self.dtmf.tick(timestamp)
            if event is not None:
                self._marker = _MARKER_BIT
                marker = _MARKER_BIT if event.marker else 0
                return self._packet(marker | self.event_type, event.timestamp, event.payload)
        if payload is None:
            self._marker = _MARKER_BIT
            return None
        second = self._marker | payload_type
        self._marker = 0
        return self._packet(second, timestamp, payload)

    def _packet(self, second: int, timestamp: int, payload: bytes) -> bytes:
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return pack_header(_VERSION_2, second, sequence, timestamp, self.ssrc) + payload

    def timestamp_at(self, now: float) -> int:
        """What the RTP clock shows at an instant, ticks; for the sender report (RFC 3550 6.4.1)."""
        if self._frame_at is None:
            return self.timestamp
        since_frame = round((now - self._frame_at) * self._clock_rate)
        return (self.timestamp - self._frame_ticks + since_frame) & 0xFFFF_FFFF
