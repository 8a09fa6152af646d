"""What was received from one synchronization source: validity, loss, jitter (RFC 3550 A.1, A.3, A.8).

Theory of operation: `receive` is called for each packet and keeps a handful of numbers. `stats` reads them as a frozen
value and changes nothing. A statistic of an interval is the difference of two such values: `close_interval` keeps the
last one, and `close_report` keeps another for the RTCP report, so the two never disturb each other.

Three things are stricter than the sample code of the RFC, so that the numbers are true for a call:

* a duplicate is told apart by a window of the last sequence numbers, and does not hide a loss;
* packets that begin a stream, or confirm a jump, are counted when they are believed (the sample code forgets the first);
* times are differences only, so nothing grows with uptime, and a new timestamp origin does not look like jitter.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from .rtcp import ReportBlock
from .serial import timestamp_delta

MIN_SEQUENTIAL = 2
"""Packets in sequence that make a source valid (RFC 3550 A.1)."""
MAX_DROPOUT = 3000
"""Sequence numbers that a source may jump ahead and still be the same stream (RFC 3550 A.1)."""
MAX_MISORDER = 100
"""Sequence numbers that a packet may come after its turn (RFC 3550 A.1)."""
MAX_TRANSIT_STEP = 10.0
"""Seconds: a greater change of transit time from one packet to the next is a new timestamp origin, not jitter."""

_WINDOW_MASK = (1 << 128) - 1  # remembers more sequence numbers than MAX_MISORDER


class Arrival(Enum):
    """How a packet stands in its stream."""

    IN_ORDER = auto()
    """Newer than all before it."""
    REORDERED = auto()
    """Older than the newest, and not seen before."""
    DUPLICATE = auto()
    """Seen before."""
    UNCONFIRMED = auto()
    """A first packet on probation, or far from the stream; believed and counted if the next one follows it."""
    RESTARTED = auto()
    """Confirms the one before it: the stream goes on from another sequence number."""


@dataclass(frozen=True, slots=True)
class ReceptionStats:
    """What was received, since the beginning."""

    packets: int = 0
    """All that were counted, duplicates included."""
    octets: int = 0
    """Payload octets of these."""
    expected: int = 0
    """Packets that the sender has sent, by the sequence numbers (A.3)."""
    duplicates: int = 0
    reordered: int = 0
    restarts: int = 0
    """Jumps of the sequence number that were no loss (A.1)."""
    jitter: float = 0.0
    """Interarrival jitter as it stands now, seconds (A.8)."""
    max_jitter: float = 0.0
    """The highest that it was, seconds."""
    first_arrival: float | None = None
    """Monotonic seconds; None = nothing came."""
    last_arrival: float | None = None

    @property
    def lost(self) -> int:
        """Packets that never came."""
        return max(0, self.expected - self.packets + self.duplicates)

    @property
    def loss_fraction(self) -> float:
        """Lost of expected, 0 … 1; 0 if nothing was expected."""
        return self.lost / self.expected if self.expected else 0.0

    def plus(self, later: "ReceptionStats") -> "ReceptionStats":
        """These and what came after them from another source of the same call, in one."""
        return replace(
            later,
            packets=self.packets + later.packets,
            octets=self.octets + later.octets,
            expected=self.expected + later.expected,
            duplicates=self.duplicates + later.duplicates,
            reordered=self.reordered + later.reordered,
            restarts=self.restarts + later.restarts,
            max_jitter=max(self.max_jitter, later.max_jitter),
            first_arrival=later.first_arrival if self.first_arrival is None else self.first_arrival,
            last_arrival=self.last_arrival if later.last_arrival is None else later.last_arrival,
        )


@dataclass(frozen=True, slots=True)
class IntervalStats:
    """What was received between two readings."""

    start: float
    """Monotonic seconds."""
    end: float
    packets: int
    octets: int
    expected: int
    lost: int
    """Never negative: packets that came late from an earlier interval do not count against it (A.3)."""
    duplicates: int
    reordered: int
    jitter: float
    """At the end of the interval, seconds."""
    max_jitter: float
    """The highest within the interval, seconds."""

    @property
    def loss_fraction(self) -> float:
        """Lost of expected, 0 … 1; 0 if nothing was expected."""
        return self.lost / self.expected if self.expected else 0.0


class Source:
    """Reception statistics of one SSRC.

    Args:
        ssrc: whose packets these are.
        clock_rate: ticks of the RTP timestamp per second.
        now: monotonic seconds; where the first interval begins.
        probation: packets in sequence that are wanted before the source counts as valid; 0 believes the first one,
            which is right where the transport address has been judged already.
    """

    __slots__ = (
        "_base",
        "_closed",
        "_duplicates",
        "_expected_before",
        "_first_arrival",
        "_highest",
        "_interval_jitter",
        "_interval_start",
        "_jitter",
        "_last_arrival",
        "_last_timed_arrival",
        "_last_timestamp",
        "_max_jitter",
        "_needed",
        "_octets",
        "_packets",
        "_reordered",
        "_reported",
        "_restarts",
        "_run",
        "_run_next",
        "_run_octets",
        "_seconds_per_tick",
        "_seen",
        "ssrc",
        "valid",
    )

    def __init__(self, ssrc: int, clock_rate: int, *, now: float = 0.0, probation: int = MIN_SEQUENTIAL) -> None:
        self.ssrc = ssrc
        self.valid = False
        """Whether enough packets came in sequence (A.1)."""
        self._seconds_per_tick = 1.0 / clock_rate
        self._needed = max(1, probation)  # packets in sequence that are believed
        self._run = self._run_octets = 0  # packets in sequence that are not yet believed
        self._run_next = 0  # the sequence number that would go on with them ("bad_seq" of A.1)
        self._base = self._highest = 0  # extended sequence numbers: the first one since a restart, and the newest
        self._seen = 0  # bit n: sequence number `highest - n` came
        self._packets = self._octets = self._duplicates = self._reordered = self._restarts = 0
        self._expected_before = 0  # of the time before the last restart
        self._jitter = self._max_jitter = self._interval_jitter = 0.0
        self._first_arrival: float | None = None
        self._last_arrival = 0.0
        self._last_timestamp: int | None = None  # of the last packet that was timed, and its arrival
        self._last_timed_arrival = 0.0
        self._interval_start = now
        self._closed = self._reported = ReceptionStats()

    def __repr__(self) -> str:
        stats = self.stats()
        return f"<Source {self.ssrc:08x}: {stats.packets} packets, {stats.lost} lost of {stats.expected}>"

    def receive(self, sequence: int, timestamp: int, arrival: float, octets: int = 0, *, timed: bool = True) -> Arrival:
        """Counts one packet.

        Args:
            sequence: 16 bits, from the wire.
            timestamp: 32 bits, from the wire, ticks.
            arrival: monotonic seconds.
            octets: size of the payload.
            timed: False for packets whose timestamp does not tell when they were sent, as those of a telephone event
                (RFC 4733 2.1); they are left out of the jitter.
        """
        ahead = (sequence - self._highest) & 0xFFFF
        if self.valid and 0 < ahead < MAX_DROPOUT:
            self._highest += ahead
            self._seen = ((self._seen << ahead) | 1) & _WINDOW_MASK
            verdict = Arrival.IN_ORDER
        else:
            verdict = self._out_of_order(sequence, -ahead & 0xFFFF, octets)
            if verdict is Arrival.UNCONFIRMED:
                return verdict
        self._packets += 1
        self._octets += octets
        if timed and verdict is not Arrival.DUPLICATE:
            self._measure(timestamp, arrival)
        if self._first_arrival is None:
            self._first_arrival = arrival
        self._last_arrival = arrival
        return verdict

    def _out_of_order(self, sequence: int, age: int, octets: int) -> Arrival:
        """A packet that is not newer than all others: seen before, after its turn, or from somewhere else."""
        if not self.valid or age > MAX_MISORDER:
            return self._prove(sequence, octets)
        if self._seen >> age & 1:
            self._duplicates += 1
            return Arrival.DUPLICATE
        self._seen |= 1 << age
        self._base = min(self._base, self._highest - age)  # it may be older than the first one that came
        self._reordered += 1
        return Arrival.REORDERED

    def _prove(self, sequence: int, octets: int) -> Arrival:
        """RFC 3550 A.1: "Two sequential packets -- assume that the other side restarted without telling us"."""
        if self._run == 0 or sequence != self._run_next:
            self._run = self._run_octets = 0
        self._run += 1
        self._run_octets += octets
        self._run_next = (sequence + 1) & 0xFFFF
        if self._run < self._needed:
            return Arrival.UNCONFIRMED
        run, earlier_octets = self._run, self._run_octets - octets
        self._run = self._run_octets = 0
        self._expected_before = self._expected
        self._base, self._highest = sequence - run + 1, sequence
        self._seen = (1 << run) - 1
        self._packets += run - 1  # `receive` counts this one
        self._octets += earlier_octets
        if not self.valid:
            self.valid, self._needed = True, MIN_SEQUENTIAL
            return Arrival.IN_ORDER
        self._restarts += 1
        self._last_timestamp = None
        return Arrival.RESTARTED

    def _measure(self, timestamp: int, arrival: float) -> None:
        """RFC 3550 A.8, in seconds: J += (|D| - J) / 16, where D is the change of the transit time."""
        last, before = self._last_timestamp, self._last_timed_arrival
        self._last_timestamp, self._last_timed_arrival = timestamp, arrival
        if last is None:
            return
        step = arrival - before - timestamp_delta(timestamp, last) * self._seconds_per_tick
        if step < 0.0:
            step = -step
        if step > MAX_TRANSIT_STEP:
            return
        self._jitter += (step - self._jitter) / 16.0
        self._interval_jitter = max(self._interval_jitter, self._jitter)

    @property
    def _expected(self) -> int:
        return self._expected_before + (self._highest - self._base + 1 if self.valid else 0)

    def stats(self) -> ReceptionStats:
        """All since the beginning; reading changes nothing."""
        return ReceptionStats(
            packets=self._packets,
            octets=self._octets,
            expected=self._expected,
            duplicates=self._duplicates,
            reordered=self._reordered,
            restarts=self._restarts,
            jitter=self._jitter,
            max_jitter=max(self._max_jitter, self._interval_jitter),
            first_arrival=self._first_arrival,
            last_arrival=None if self._first_arrival is None else self._last_arrival,
        )

    def close_interval(self, now: float) -> IntervalStats:
        """What came since the last call of this method; the next interval begins at `now`."""
        before, after = self._closed, self.stats()
        interval = IntervalStats(
            start=self._interval_start,
            end=now,
            packets=after.packets - before.packets,
            octets=after.octets - before.octets,
            expected=after.expected - before.expected,
            lost=_lost_between(before, after),
            duplicates=after.duplicates - before.duplicates,
            reordered=after.reordered - before.reordered,
            jitter=after.jitter,
            max_jitter=self._interval_jitter,
        )
        self._closed, self._interval_start = after, now
        self._max_jitter = after.max_jitter
        self._interval_jitter = self._jitter
        return interval

    def close_report(self, *, last_sr: int = 0, delay_since_last_sr: int = 0) -> ReportBlock:
        """The RTCP report block on this source since the last call of this method (A.3).

        RFC 3550 6.4.1 counts duplicates as received, so the numbers of the block can be kinder than those of `stats`.
        """
        before, after = self._reported, self.stats()
        self._reported = after
        expected = after.expected - before.expected
        lost = expected - (after.packets - before.packets)
        fraction = min(255, (lost << 8) // expected) if expected > 0 and lost > 0 else 0
        # A.3: "this signed number should be clamped" to 24 bits.
        cumulative = max(-0x80_0000, min(0x7F_FFFF, after.expected - after.packets))
        jitter = min(0xFFFF_FFFF, int(self._jitter / self._seconds_per_tick))
        highest = self._highest & 0xFFFF_FFFF
        return ReportBlock(self.ssrc, fraction, cumulative, highest, jitter, last_sr, delay_since_last_sr)


def _lost_between(before: ReceptionStats, after: ReceptionStats) -> int:
    return max(0, after.lost - before.lost)
