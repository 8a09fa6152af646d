"""When the keys that we press were on the wire: the instants of our own telephone events (RFC 4733)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from offhook.rtp import MalformedPacket, TelephoneEvent
from offhook.rtp.telephone_event import DIGITS

if TYPE_CHECKING:
    from offhook.rtp import Received


@dataclass(slots=True)
class KeyPress:
    """One key, as it left."""

    digit: str
    started: float
    "Instant of its first packet, seconds."
    ended: float
    "Instant of its end: that of the first packet and the duration that its packets tell, seconds."
    timestamp: int


class KeysSent:
    """Watches the packets that leave; a :class:`~offhook.media.WireObserver`."""

    def __init__(self, event_type: int | None, clock_rate: int = 8_000) -> None:
        self._event_type = event_type
        self._clock_rate = clock_rate
        self.presses: list[KeyPress] = []

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
        if last is None or last.timestamp != timestamp:
            if event.event < len(DIGITS):
                self.presses.append(KeyPress(DIGITS[event.event], instant, instant + duration, timestamp))
        else:
            last.ended = max(last.ended, last.started + duration)

    def arrived(self, packet: Received, instant: float) -> None:
        """What the peer sends is none of ours."""
