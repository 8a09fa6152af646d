"""The jitter buffer: packets in as they come, packets out in order and in time.

Theory of operation. Each packet has a place in the stream, its RTP timestamp, and is due at

    playout = (timestamp - base) / clock rate + offset,    where offset = least transit time + delay.

The *transit time* of a packet is its arrival minus its timestamp in seconds; only differences of it mean anything. The least
one of the last seconds stands for a packet that was not held up, and the *delay* is what the buffer adds so that packets that
were held up still come in time. So the buffer plays by timestamp, not by count:

* a hole in the sequence numbers is a loss: for each lost packet a `Gap` is handed out when its place is due;
* a hole in the timestamps without one in the sequence numbers is silence (DTX): nothing is due until it ends.

The clocks of both ends drift apart; the least transit time shows it, and the playout follows slowly.

The delay grows at once when a packet comes after its playout time; that packet is still played if nothing behind it was. The
delay shrinks by a small step between talk spurts, or when the listener says that it hears silence. A packet is *late* when its
place has been passed, or when waiting for it would take the delay above the maximum.

A packet far from the stream (another SSRC, a leap of sequence number or timestamp) is held aside. If the next one follows it,
the stream goes on from there, two packets after the change; if not, it was a stray and is dropped. Hence neither a transfer
to another media server nor a wild packet can silence a call.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Generic, NamedTuple, Protocol, TypeVar

from .drops import Drop
from .exceptions import LocalError
from .serial import sequence_delta, timestamp_delta
from .source import MAX_DROPOUT, MAX_MISORDER

MAX_TIMESTAMP_JUMP = 1.0
"""Seconds by which a packet may be away from where the clock expects it, and still belong to the stream."""
MAX_LATE_RUN = 4
"""Packets in a row that are too late before the stream is anchored anew: 80 ms of audio at 20 ms each."""
MAX_GAPS = 50
"""Lost packets in a row that are handed out as gaps: one second of 20 ms; a longer outage is silence."""
MAX_SKIPPED = 64
"""Sequence numbers without sound that are remembered while an earlier packet is missing."""
MAX_PACKET_SECONDS = 0.120
"""The longest step between timestamps that is taken for the duration of a packet."""
TRANSIT_WINDOW = 2.0
"""Seconds; the least transit is that of the last one to two windows, so that clock drift is followed."""
MAX_DRIFT = 500e-6
"""How far a sender's clock may be off ours, seconds per second; the playout follows it that fast."""
GROWTH_MARGIN = 0.005
"""Seconds that the delay grows beyond what the late packet needed."""
SHRINK_STEP = 0.005
"""Seconds by which the delay shrinks at most, once for each talk spurt or silent frame."""


class Timed(Protocol):
    """What the buffer wants to know of a packet; `RtpPacket` and `Received` are such."""

    @property
    def sequence(self) -> int:
        """16 bits."""

    @property
    def timestamp(self) -> int:
        """32 bits, ticks."""

    @property
    def ssrc(self) -> int:
        """Whose stream it belongs to."""

    @property
    def marker(self) -> bool:
        """The first of a talk spurt."""


PacketT = TypeVar("PacketT", bound=Timed)


class Verdict(Enum):
    """What `put` did with a packet; the value is the reason of a drop, or None."""

    HELD = None
    LATE = Drop.LATE
    DUPLICATE = Drop.DUPLICATE
    OVERFLOW = Drop.OVERFLOW


class Gap(NamedTuple):
    """A packet did not come: this much sound is to be concealed."""

    ticks: int
    """Duration in ticks of the RTP clock."""
    sequence: int
    """The sequence number that is missing, 16 bits."""
    timestamp: int
    """Where the gap begins, 32 bits."""


@dataclass(frozen=True, slots=True)
class JitterStats:
    """What the buffer did since it was made."""

    held: int
    """Packets in it now."""
    played: int
    late: int
    lost: int
    """Packets that had not come when their place was passed; the late ones among them were lost for the listener only."""
    duplicate: int
    reordered: int
    overflow: int
    stray: int
    anchored: int
    """How often the stream was anchored: 1 for its beginning, and once for each jump or change of SSRC."""
    delay: float
    """As it is now, seconds."""
    max_delay: float
    """The highest that it was, seconds."""

    @property
    def late_fraction(self) -> float:
        """Late of all that should have been played, 0 … 1."""
        due = self.played + self.lost
        return self.late / due if due else 0.0


class JitterBuffer(Generic[PacketT]):
    """Puts the packets of one stream in order and holds each until it is due.

    Args:
        clock_rate: ticks of the RTP timestamp per second.
        min_delay: seconds that are added at least.
        initial_delay: seconds that are added to the first packet.
        max_delay: seconds that are added at most.
        capacity: packets that are held at most; beyond it the oldest is dropped.

    Raises:
        LocalError: the delays are not in order, or the capacity is not positive.
    """

    __slots__ = (
        "_anchored",
        "_anchored_at",
        "_candidate",
        "_capacity",
        "_due",
        "_duplicate",
        "_held",
        "_initial_delay",
        "_last_timestamp",
        "_late",
        "_late_run",
        "_lost",
        "_max_delay",
        "_max_delay_seen",
        "_min_delay",
        "_newest_sequence",
        "_newest_timestamp",
        "_next",
        "_offset",
        "_overflow",
        "_played",
        "_played_mask",
        "_playing",
        "_rate",
        "_ready",
        "_reordered",
        "_skipped",
        "_ssrc",
        "_step",
        "_stray",
        "_transit",
    )

    def __init__(
        self,
        clock_rate: int,
        *,
        min_delay: float = 0.020,
        initial_delay: float = 0.040,
        max_delay: float = 0.200,
        capacity: int = 64,
    ) -> None:
        if not 0 <= min_delay <= initial_delay <= max_delay or capacity < 1 or clock_rate < 1:
            raise LocalError("a jitter buffer needs 0 <= min_delay <= initial_delay <= max_delay and a capacity")
        self._rate = clock_rate
        self._min_delay, self._initial_delay, self._max_delay = min_delay, initial_delay, max_delay
        self._capacity = capacity
        self._played = self._late = self._lost = self._duplicate = 0
        self._reordered = self._overflow = self._stray = self._anchored = 0
        self._max_delay_seen = 0.0
        self.reset()

    def __repr__(self) -> str:
        return f"<JitterBuffer {len(self)} held, {self.delay * 1000:.0f} ms, {self._late} late, {self._lost} lost>"

    def __len__(self) -> int:
        return len(self._held) + len(self._ready)

    def reset(self) -> None:
        """Forgets the stream and what is held of it; the counts stay."""
        # (extended sequence, extended timestamp, packet) in order; both count on from the anchor without wrapping.
        self._held: list[tuple[int, int, PacketT]] = []
        self._ready: deque[PacketT] = deque()  # left over from before an anchor: due at once
        self._candidate: tuple[PacketT, float] | None = None  # far from the stream, and its arrival
        self._ssrc: int | None = None
        self._newest_sequence = self._newest_timestamp = 0  # extended
        self._playing = False  # whether anything was played since the anchor
        self._next = 0  # then: extended sequence number whose turn it is
        self._last_timestamp = 0  # extended, of the packet or gap played last
        self._skipped: set[int] = set()  # extended sequence numbers from `_next` on that carry nothing to play
        self._played_mask = 0  # bit n: `_next - 1 - n` was played, and not lost
        self._step = 0  # ticks from one packet to the next; 0 = not known yet
        self._late_run = 0
        self._offset = 0.0
        self._transit = _TransitWindow(0.0, 0.0)
        self._anchored_at = 0.0
        self._due = inf

    @property
    def delay(self) -> float:
        """What the buffer adds to the least transit time now, seconds."""
        return self._offset - self._transit.least if self._ssrc is not None else self._initial_delay

    def put(self, packet: PacketT, now: float) -> Verdict:
        """Takes a packet that arrived at `now` (monotonic seconds)."""
        if self._ssrc is None:
            self._anchor(packet, now)
        # Extended by the newest ones, so that no number wraps (`sequence_delta`, `timestamp_delta`).
        sequence = self._newest_sequence + sequence_delta(packet.sequence, self._newest_sequence)
        timestamp = self._newest_timestamp + timestamp_delta(packet.timestamp, self._newest_timestamp)
        transit = now - timestamp / self._rate
        if (
            packet.ssrc != self._ssrc
            or not -MAX_TIMESTAMP_JUMP <= transit - self._transit.least <= MAX_TIMESTAMP_JUMP
            or not -MAX_MISORDER <= sequence - self._newest_sequence < MAX_DROPOUT
        ):
            return self._put_far(packet, now)
        if self._candidate is not None:
            self._candidate = None
            self._stray += 1
        return self._place(packet, sequence, timestamp, transit, now)

    def _place(self, packet: PacketT, sequence: int, timestamp: int, transit: float, now: float) -> Verdict:
        """A packet of the stream finds its place, or is refused."""
        if sequence == self._newest_sequence + 1 and self._is_as_usual(packet, timestamp, transit, now):
            self._newest_sequence, self._newest_timestamp, self._late_run = sequence, timestamp, 0
            self._held.append((sequence, timestamp, packet))
            if len(self._held) == 1:
                self._reckon()
            return Verdict.HELD
        if self._playing and sequence < self._next:
            return self._refuse_passed(sequence, transit, now)
        held = self._held
        if held and sequence <= held[-1][0]:
            at = bisect_left(held, sequence, key=_sequence_of)
            if held[at][0] == sequence:
                self._duplicate += 1
                return Verdict.DUPLICATE
            self._reordered += 1
        self._offset += self._transit.observe(transit, now)
        if transit > self._transit.least + self._max_delay:
            return self._refuse_too_late(packet, sequence, now)
        self._late_run = 0
        self._settle(transit)
        if not held or sequence > held[-1][0]:
            if not held and self._begins_talk_spurt(packet, sequence, timestamp):
                self.heard_silence()
            if sequence > self._newest_sequence:
                self._newest_sequence, self._newest_timestamp = sequence, timestamp
            held.append((sequence, timestamp, packet))
        else:
            insort(held, (sequence, timestamp, packet), key=_sequence_of)
        verdict = self._make_room(sequence)
        self._reckon()
        return verdict

    def _is_as_usual(self, packet: PacketT, timestamp: int, transit: float, now: float) -> bool:
        """Whether nothing is to be learned from the next packet: the short way, which nearly all of them go."""
        return (
            timestamp - self._newest_timestamp == self._step
            and not packet.marker
            and transit <= self._offset
            and self._transit.is_usual(transit, now)
            and len(self._held) < self._capacity
            and not self._ready
        )

    def _refuse_passed(self, sequence: int, transit: float, now: float) -> Verdict:
        """Its place was passed: either it was played, or it comes too late."""
        if self._played_mask >> (self._next - 1 - sequence) & 1:
            self._duplicate += 1
            return Verdict.DUPLICATE
        self._late += 1
        self._offset += self._transit.observe(transit, now)
        self._settle(transit)
        self._reckon()
        return Verdict.LATE

    def _refuse_too_late(self, packet: PacketT, sequence: int, now: float) -> Verdict:
        """It would take the delay above the maximum; but if all new ones do, the path has become longer."""
        self._late_run += sequence > self._newest_sequence
        if self._late_run < MAX_LATE_RUN:
            self._late += 1
            return Verdict.LATE
        self._anchor(packet, now)
        return self.put(packet, now)

    def skip(self, ssrc: int, sequence: int) -> None:
        """A sequence number that came, but carries nothing to play (a key press, a keep-alive): it is no loss."""
        ahead = sequence_delta(sequence, self._newest_sequence)
        extended = self._newest_sequence + ahead
        is_passed = self._playing and extended < self._next
        if ssrc != self._ssrc or is_passed or not -MAX_MISORDER <= ahead < MAX_DROPOUT:
            return
        self._newest_sequence = max(self._newest_sequence, extended)
        self._skipped.add(extended)
        self._step_over_skipped()
        if len(self._skipped) > MAX_SKIPPED:
            first = min(self._skipped)
            if self._playing and not self._held:  # what is missing before them will not come any more
                self._lost += first - self._next
                self._next = first
                self._step_over_skipped()
            else:
                self._skipped.remove(first)
        self._reckon()

    def _step_over_skipped(self) -> None:
        while self._playing and self._next in self._skipped:
            self._skipped.remove(self._next)
            self._played_mask = (self._played_mask << 1 | 1) & _MASK
            self._next += 1

    def _put_far(self, packet: PacketT, now: float) -> Verdict:
        """A packet far from the stream: the second in a row that agrees with the first is where the stream goes on."""
        if self._candidate is not None:
            first, arrival = self._candidate
            moved = timestamp_delta(packet.timestamp, first.timestamp) / self._rate
            follows = packet.ssrc == first.ssrc and 0 < sequence_delta(packet.sequence, first.sequence) < MAX_MISORDER
            if follows and abs(now - arrival - moved) <= MAX_TIMESTAMP_JUMP:
                self._anchor(first, arrival)
                self.put(first, arrival)
                return self.put(packet, now)
            if packet.ssrc == first.ssrc and packet.sequence == first.sequence:
                self._duplicate += 1
                return Verdict.DUPLICATE
            self._stray += 1
        self._candidate = (packet, now)
        return Verdict.HELD

    def _anchor(self, packet: PacketT, now: float) -> None:
        """The stream begins, or goes on, at this packet; what is left of the old one is due at once."""
        self._ready.extend(entry[2] for entry in self._held)
        self._held.clear()
        self._skipped.clear()
        self._candidate = None
        self._anchored += 1
        self._anchored_at = now
        self._ssrc = packet.ssrc
        self._newest_sequence, self._newest_timestamp = packet.sequence, packet.timestamp
        self._playing, self._played_mask, self._step, self._late_run = False, 0, 0, 0
        transit = now - packet.timestamp / self._rate
        self._transit = _TransitWindow(transit, now)
        self._offset = transit + self._initial_delay
        self._reckon()

    def _settle(self, transit: float) -> None:
        """Moves the playout so that this packet would be in time, within the limits of the delay."""
        least = self._transit.least
        if transit > self._offset:
            self._offset = transit + GROWTH_MARGIN
        self._offset = min(max(self._offset, least + self._min_delay), least + self._max_delay)
        self._max_delay_seen = max(self._max_delay_seen, self._offset - least)

    def heard_silence(self) -> None:
        """The listener hears silence now, so the delay may come down by a step towards what the jitter asks for."""
        if self._ssrc is None:
            return
        wanted = self._transit.least + max(self._min_delay, self._transit.spread + GROWTH_MARGIN)
        self._offset = max(self._offset - SHRINK_STEP, min(self._offset, wanted))
        self._reckon()

    def _begins_talk_spurt(self, packet: PacketT, sequence: int, timestamp: int) -> bool:
        """It has the marker, or the timestamp leaves a hole and the sequence none (DTX); the very first does not count."""
        is_silence = sequence == self._newest_sequence + 1 and 0 < self._step < timestamp - self._newest_timestamp
        return is_silence or (packet.marker and sequence > self._newest_sequence)

    def _make_room(self, sequence: int) -> Verdict:
        """Beyond the capacity the oldest goes."""
        if len(self) <= self._capacity:
            return Verdict.HELD
        self._overflow += 1
        if self._ready:
            self._ready.popleft()
            return Verdict.HELD
        oldest, timestamp, _ = self._held.pop(0)
        self._pass(oldest, timestamp, was_played=False)
        return Verdict.OVERFLOW if oldest == sequence else Verdict.HELD

    def take(self, now: float) -> PacketT | Gap | None:
        """What is due: a packet, a gap to conceal, or None; call it until it gives None.

        A call that comes late finds all that became due in the meantime, one for each call.
        """
        if now < self._due:
            return None
        if self._ready:
            packet = self._ready.popleft()
            self._played += 1
            self._reckon()
            return packet
        sequence, timestamp, packet = self._held[0]
        if self._playing and sequence > self._next:
            gap = self._gap(sequence, timestamp)
            if gap is not None:
                self._reckon()
                return gap
        del self._held[0]
        self._pass(sequence, timestamp, was_played=True)
        self._played += 1
        self._reckon()
        return packet

    def _gap(self, sequence: int, timestamp: int) -> Gap | None:
        """The next lost packet before the head; None if they were so many or so short that there is none to conceal."""
        ticks, begin = self._gap_place(sequence, timestamp)
        if ticks == 0:
            return None
        missing = self._next
        self._lost += 1
        self._next += 1
        self._played_mask = self._played_mask << 1 & _MASK
        self._last_timestamp = begin
        self._step_over_skipped()
        return Gap(ticks, missing & 0xFFFF, begin & 0xFFFF_FFFF)

    def _gap_place(self, sequence: int, timestamp: int) -> tuple[int, int]:
        """Duration in ticks of each lost packet before the head (0 = no gap), and where the first of them begins.

        Gaps end where the head begins: what lies between them and the packet before is silence.
        """
        lost = self._missing_before(sequence)
        room = timestamp - self._last_timestamp
        each = min(self._step or room, room // (lost + 1))
        if lost == 0 or each <= 0 or lost > MAX_GAPS:
            return 0, timestamp
        return each, timestamp - lost * each

    def _missing_before(self, sequence: int) -> int:
        """How many packets before this one did not come."""
        missing = sequence - self._next
        if self._skipped:
            missing -= sum(skipped < sequence for skipped in self._skipped)
        return missing

    def _pass(self, sequence: int, timestamp: int, *, was_played: bool) -> None:
        """The stream has come to this packet; whatever was missing before it is lost."""
        is_next = self._playing and sequence == self._next and was_played
        if is_next and timestamp - self._last_timestamp == self._step and not self._skipped:
            self._played_mask = (self._played_mask << 1 | 1) & _MASK
            self._next, self._last_timestamp = sequence + 1, timestamp
            return  # the short way, which nearly all packets go
        ahead = 1
        if self._playing:
            ahead += sequence - self._next
            self._lost += self._missing_before(sequence)
            step = timestamp - self._last_timestamp
            if ahead == 1 and 0 < step <= MAX_PACKET_SECONDS * self._rate:
                self._step = step
        self._played_mask = (self._played_mask << ahead | was_played) & _MASK
        self._playing, self._next = True, sequence + 1
        self._last_timestamp = timestamp
        if self._skipped:
            self._skipped = {skipped for skipped in self._skipped if skipped > sequence}
            self._step_over_skipped()

    def _reckon(self) -> None:
        """Keeps in `_due` when `take` will next have something."""
        if self._ready:
            self._due = self._anchored_at
        elif self._held:
            sequence, timestamp, _ = self._held[0]
            if self._playing and sequence > self._next:
                timestamp = self._gap_place(sequence, timestamp)[1]
            self._due = timestamp / self._rate + self._offset
        else:
            self._due = inf

    def next_deadline(self) -> float | None:
        """When `take` will next have something, monotonic seconds; None = not before another packet comes."""
        return None if self._due == inf else self._due

    def stats(self) -> JitterStats:
        """The counts; reading changes nothing."""
        return JitterStats(
            held=len(self),
            played=self._played,
            late=self._late,
            lost=self._lost,
            duplicate=self._duplicate,
            reordered=self._reordered,
            overflow=self._overflow,
            stray=self._stray,
            anchored=self._anchored,
            delay=self.delay,
            max_delay=self._max_delay_seen,
        )


_MASK = (1 << 128) - 1  # reaches further back than MAX_MISORDER


def _sequence_of(entry: tuple[int, int, object]) -> int:
    return entry[0]


class _TransitWindow:
    """Least and greatest transit time of the last one to two windows, seconds, in constant memory."""

    __slots__ = ("_end", "_greatest", "_greatest_before", "_least", "_least_before", "least")

    def __init__(self, transit: float, now: float) -> None:
        self._end = now + TRANSIT_WINDOW
        self._least = self._least_before = self.least = transit
        self._greatest = self._greatest_before = transit

    def observe(self, transit: float, now: float) -> float:
        """Takes the transit time of one packet.

        Returns:
            By how much the least transit has drifted from one window to the next, seconds: the sender's clock is not ours.
        """
        drift = 0.0
        if now >= self._end:
            limit = MAX_DRIFT * TRANSIT_WINDOW
            drift = max(-limit, min(limit, self._least - self._least_before))
            self._end = now + TRANSIT_WINDOW
            self._least_before, self._greatest_before = self._least, self._greatest
            self._least = self._greatest = transit
            self.least = min(transit, self._least_before)
        elif transit < self._least:
            self._least = transit
            self.least = min(self.least, transit)
        elif transit > self._greatest:
            self._greatest = transit
        return drift

    def is_usual(self, transit: float, now: float) -> bool:
        """Whether `observe` would change nothing."""
        return self._least <= transit <= self._greatest and now < self._end

    @property
    def spread(self) -> float:
        """Greatest minus least."""
        return max(self._greatest, self._greatest_before) - self.least
