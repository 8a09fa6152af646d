"""When the keys that we press were on the wire: the instants of our own telephone events (RFC 4733)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from offhook.rtp import MalformedPacket, TelephoneEvent
from offhook.rtp.telephone_event import DIGITS

if TYPE_CHECKING:
    from offhook.rtp import Received

MAX_PRESSES: Final = 10_000  # of one call; a key takes 0.1 s, so this is a quarter of an hour of nothing but keys


@dataclass(slots=True)
class KeyPress:
    """One key, as it left."""

    digit: str
    started: float
    "Instant of its first packet, seconds."
    ended: float
    "Instant of its end: that of the first packet and the duration that its packets tell, seconds."
    timestamp: int
    "RTP timestamp, the same in all packets of one event (RFC 4733 section 2.5.1.2)."


class KeysSent:
    """Watches the packets that leave; a :class:`~offhook.media.WireObserver`.

    Args:
        event_type: payload type of our telephone events; None sends none.
        clock_rate: ticks per second of their durations.
    """

    def __init__(self, event_type: int | None, clock_rate: int = 8_000) -> None:
        self._event_type = event_type
        self._clock_rate = clock_rate
        self.presses: list[KeyPress] = []
        self.left_out = 0
        "Packets of presses beyond :data:`MAX_PRESSES`."

    def sent(self, payload_type: int, payload: bytes, timestamp: int, instant: float) -> None:
        """A packet of ours left."""
        if payload_type != self._event_type:
            return
        try:
            event = TelephoneEvent.parse(payload)
        except MalformedPacket:
            return  # not one of ours
        duration = event.duration / self._clock_rate
        last = self.presses[-1] if self.presses else None
        if last is not None and last.timestamp == timestamp:
            last.ended = max(last.ended, last.started + duration)
        elif len(self.presses) >= MAX_PRESSES:
            self.left_out += 1
        elif event.event < len(DIGITS):
            self.presses.append(KeyPress(DIGITS[event.event], instant, instant + duration, timestamp))

    def arrived(self, packet: Received, instant: float) -> None:
        """What the peer sends is none of ours."""
