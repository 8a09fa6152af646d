"""DTMF as named telephone events (RFC 4733), sent and received.

Theory of operation. A press of a key is a row of packets that all carry the timestamp at which the press began, while the
duration in their payload grows. The last one has the end bit and is sent three times. Sending is a matter of one packet for
each tick of the media clock. Receiving is a matter of telling each press once, however many of its packets were lost,
repeated, or arrived in another order: presses are told apart by timestamp and key, neither by marker nor by end bit.

::

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
    |     event     |E|R| volume    |          duration             |
    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from .drops import Drop
from .events import DtmfReceived
from .exceptions import LocalError, MalformedPacket
from .serial import timestamp_delta

if TYPE_CHECKING:
    from .packet import Octets

DIGITS = "0123456789*#ABCD"
"""The DTMF keys in the order of their event codes 0 to 15 (RFC 4733 3.2)."""
EVENT_OCTETS = 4
"""Size of one event report (RFC 4733 2.3)."""
MAX_DURATION_TICKS = 0xFFFF
"""The longest duration that one segment can tell (RFC 4733 2.5.1.3)."""
END_PACKETS = 3
"""RFC 4733 2.5.1.4: the final packet of an event or segment is sent three times in all."""
MIN_PRESS = 0.040
"""Seconds; receivers of DTMF need not notice a shorter one (ITU-T Q.24)."""
MAX_PRESS = 60.0
"""Seconds; bounds what one call of `press` can occupy the stream with."""
MAX_QUEUED_DIGITS = 64
"""Presses that wait to be sent; a dialled number with its prefixes and a card number fit."""
EVENT_TIMEOUT = 0.100
"""Seconds without a packet of a press, after which it is told without its end: two updates of 50 ms (RFC 4733 2.5.1.2)."""
STALE_SECONDS = 5.0
"""A timestamp this far behind the newest press is an older one that came late; further behind it is a new clock."""
MAX_REMEMBERED = 16
"""Presses that were told and whose repetitions are still known; the repetitions come within 100 ms."""

_VOLUME = 10
"""Power of the tone, -10 dBm0."""
_END_BIT = 0x80


class TelephoneEvent(NamedTuple):
    """The payload of one telephone-event packet."""

    event: int
    """Event code; 0 to 15 are the DTMF keys."""
    end: bool
    volume: int
    """Power of the tone below 0 dBm0, dB."""
    duration: int
    """Since the event, or the segment, began, ticks."""

    @classmethod
    def parse(cls, payload: Octets) -> TelephoneEvent:
        """Reads the first report of a payload.

        Raises:
            MalformedPacket: less than four octets.
        """
        if len(payload) < EVENT_OCTETS:
            raise MalformedPacket("a telephone-event payload of less than four octets")
        return cls(payload[0], payload[1] >= _END_BIT, payload[1] & 0x3F, payload[2] << 8 | payload[3])

    def serialize(self) -> bytes:
        """The report as four octets."""
        flags = self.volume | (_END_BIT if self.end else 0)
        return bytes((self.event, flags, self.duration >> 8, self.duration & 0xFF))


class EventPacket(NamedTuple):
    """What one tick of the sender puts into an RTP packet."""

    payload: bytes
    marker: bool
    """Set on the first packet of a press."""
    timestamp: int
    """When the press, or its segment, began; 32 bits."""
    end: bool


class DtmfSender:
    """Turns queued key presses into event packets, at most one for each tick of the media clock.

    Args:
        clock_rate: ticks of the RTP timestamp per second.
        ptime: seconds between two calls of `tick`.
    """

    __slots__ = ("_elapsed", "_ends_left", "_frame", "_pause", "_press", "_queue", "_rate", "_segment", "_start")

    def __init__(self, clock_rate: int, ptime: float) -> None:
        self._rate = clock_rate
        self._frame = round(clock_rate * ptime)
        self._queue: deque[tuple[int, int, int]] = deque()  # event, duration in ticks, pause in frames
        self._press: tuple[int, int, int] | None = None
        self._start = 0  # timestamp at which the press, or its segment, began
        self._elapsed = 0  # ticks since then
        self._segment = 0  # ticks of the press that earlier segments have told
        self._ends_left = 0  # times that the final packet is still to be sent; 0 = it is not yet reached
        self._pause = 0  # frames until the next press may begin

    @property
    def is_sending(self) -> bool:
        """Whether a press is being sent, or waits to be."""
        return self._press is not None or bool(self._queue)

    def set_ptime(self, ptime: float) -> None:
        """From now on, so many seconds pass between two calls of `tick`."""
        self._frame = round(self._rate * ptime)

    def press(self, digits: str, duration: float = 0.1, gap: float = 0.06) -> None:
        """Queues presses of keys; what is shorter than 40 ms is made 40 ms, because receivers may miss it.

        Args:
            digits: keys out of `0123456789*#ABCD`, in either case.
            duration: of each press, seconds.
            gap: from the end of a press to the next, seconds.

        Raises:
            LocalError: another key, a duration beyond 60 s or not positive, or more than 64 presses waiting.
        """
        events = [DIGITS.find(digit) for digit in digits.upper()]
        if -1 in events:
            raise LocalError(f"a key of {digits!r} is none of {DIGITS}")
        if not 0 < duration <= MAX_PRESS or not 0 <= gap <= MAX_PRESS:
            raise LocalError(f"a press of {duration} s with a gap of {gap} s is not within 0 … {MAX_PRESS} s")
        if len(self._queue) + len(events) > MAX_QUEUED_DIGITS:
            raise LocalError(f"more than {MAX_QUEUED_DIGITS} key presses waiting to be sent")
        frames = ceil(max(duration, MIN_PRESS) * self._rate / self._frame - 1e-6)
        pause = max(END_PACKETS - 1, ceil(gap * self._rate / self._frame - 1e-6))
        self._queue.extend((event, frames * self._frame, pause) for event in events)

    def tick(self, timestamp: int) -> EventPacket | None:
        """The event packet of the frame that begins at `timestamp`; None = the frame belongs to the audio."""
        marker = False
        if self._press is None:
            if self._pause:
                self._pause -= 1
                return None
            if not self._queue:
                return None
            self._press = self._queue.popleft()
            self._start, self._elapsed, self._segment, self._ends_left = timestamp, 0, 0, 0
            marker = True
        self._elapsed += self._frame
        return self._packet(*self._press, marker=marker)

    def _packet(self, event: int, total: int, pause: int, *, marker: bool) -> EventPacket:
        left = total - self._segment  # ticks of this press that are not told by earlier segments
        is_last_segment = left <= MAX_DURATION_TICKS
        duration = min(self._elapsed, left, MAX_DURATION_TICKS)
        end = is_last_segment and duration == left
        packet = EventPacket(
            TelephoneEvent(event, end, _VOLUME, duration).serialize(), marker, self._start & 0xFFFF_FFFF, end
        )
        if end or duration == MAX_DURATION_TICKS:
            self._ends_left = (self._ends_left or END_PACKETS) - 1
            if self._ends_left == 0:
                self._finish(end=end, pause=pause)
        return packet

    def _finish(self, *, end: bool, pause: int) -> None:
        if end:
            self._press = None
            self._pause = pause - (END_PACKETS - 1)
            return
        # RFC 4733 2.5.1.3: "The sender MUST then begin reporting a new 'segment' with the RTP timestamp set to the time
        # at which the previous segment ended".
        self._segment += MAX_DURATION_TICKS
        self._start += MAX_DURATION_TICKS
        self._elapsed -= MAX_DURATION_TICKS


@dataclass(slots=True)
class _Press:
    """A press that is being received."""

    event: int
    timestamp: int
    """Of its newest segment."""
    at: float
    """Arrival of its first packet."""
    last: float
    """Arrival of its newest packet."""
    earlier: int = 0
    """Ticks told by earlier segments."""
    duration: int = 0
    """Ticks told by the newest segment."""

    def is_continued_by(self, event: int, timestamp: int) -> bool:
        """Whether a packet with a newer timestamp is a further segment of this press (RFC 4733 2.5.1.3).

        A segment begins where the one before ended; a sender that moves the timestamp within a press overlaps it. A new
        press of the same key does neither, because a pause is between.
        """
        ahead = timestamp_delta(timestamp, self.timestamp)
        return event == self.event and (0 < ahead <= self.duration or ahead == MAX_DURATION_TICKS)


class DtmfReceiver:
    """Tells each press of a key once.

    Args:
        clock_rate: ticks of the RTP timestamp per second.
    """

    __slots__ = ("_events", "_finished", "_newest", "_press", "_rate")

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._press: _Press | None = None
        self._newest: int | None = None  # newest timestamp of any press
        self._finished: deque[tuple[int, int]] = deque(maxlen=MAX_REMEMBERED)  # (timestamp, event) of what was told
        self._events: list[DtmfReceived] = []

    def receive(self, payload: Octets, timestamp: int, arrival: float) -> Drop | None:
        """Takes one event packet.

        Returns:
            Why it was put aside; None if it was used, or repeats what is known.
        """
        try:
            event, end, _, duration = TelephoneEvent.parse(payload)
        except MalformedPacket:
            return Drop.EVENT_MALFORMED
        if event >= len(DIGITS):
            return Drop.EVENT_UNKNOWN
        key = (timestamp, event)
        if key in self._finished:
            return None
        press = self._press
        if press is None or (press.timestamp, press.event) != key:
            if self._newest is not None and -STALE_SECONDS * self._rate < timestamp_delta(timestamp, self._newest) < 0:
                return Drop.EVENT_STALE
            press = self._begin(event, timestamp, arrival)
        press.duration = max(press.duration, duration)
        press.last = arrival
        if end:
            self._tell(press, complete=True)
        return None

    def _begin(self, event: int, timestamp: int, arrival: float) -> _Press:
        """A packet of another press, or of another segment of the same."""
        self._newest = timestamp
        press = self._press
        if press is not None and press.is_continued_by(event, timestamp):
            press.earlier += timestamp_delta(timestamp, press.timestamp)
            self._finished.append((press.timestamp, press.event))
            press.timestamp, press.duration = timestamp, 0
            return press
        if press is not None:
            self._tell(press, complete=False)
        self._press = _Press(event, timestamp, at=arrival, last=arrival)
        return self._press

    def _tell(self, press: _Press, *, complete: bool) -> None:
        self._press = None
        self._finished.append((press.timestamp, press.event))
        duration = (press.earlier + press.duration) / self._rate
        self._events.append(DtmfReceived(DIGITS[press.event], duration, press.at, complete))

    def next_deadline(self) -> float | None:
        """When a press without an end is given up, monotonic seconds."""
        return None if self._press is None else self._press.last + EVENT_TIMEOUT

    def handle_timeout(self, now: float) -> None:
        """Tells a press whose packets have ceased without an end."""
        if self._press is not None and now >= self._press.last + EVENT_TIMEOUT:
            self._tell(self._press, complete=False)

    def reset(self) -> None:
        """The stream goes on with another clock (a change of SSRC); a press that is under way is told."""
        if self._press is not None:
            self._tell(self._press, complete=False)
        self._finished.clear()
        self._newest = None

    def events(self) -> list[DtmfReceived]:
        """The presses since the last call."""
        events, self._events = self._events, []
        return events
