"""When the next RTCP report is due (RFC 3550 6.2, 6.3 and A.7).

Theory of operation: reports share five percent of the session's bandwidth, are at least five seconds apart (half of that
before the first one), and their distance is drawn anew each time so that participants do not speak in step. When the
instant comes, the interval is drawn again ("timer reconsideration", 6.3.1): only if it has passed by that too, the report
is sent. The dice are an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

MIN_INTERVAL = 5.0
"""Seconds between reports at least (RFC 3550 6.2)."""
RTCP_SHARE = 0.05
"""Of the session bandwidth, for all RTCP (6.2)."""
SENDER_SHARE = 0.25
"""Of the RTCP bandwidth, for senders, while they are a quarter of the members or fewer (6.2)."""
COMPENSATION = 2.71828 - 1.5
"""Reconsideration draws intervals that are too short on average; A.7 divides by this."""
DEFAULT_BANDWIDTH = 10_000
"""Octets per second of a G.711 call with its headers: (160 + 40) octets, fifty times a second."""
FIRST_PACKET_OCTETS = 100
"""A guess of the first report's size, with the headers of UDP and IP."""
LOWER_LAYER_OCTETS = 28
"""UDP and IPv4 headers, which the average size includes (6.2)."""


class ReportSchedule:
    """Says when to send a report.

    Args:
        rng: dice, as `random.Random`.
        now: monotonic seconds, when the session begins.
        bandwidth: of the session, octets per second.
    """

    __slots__ = ("_average_octets", "_initial", "_last", "_next", "_rng", "bandwidth", "members", "senders", "we_sent")

    def __init__(self, rng: Random, *, now: float, bandwidth: float = DEFAULT_BANDWIDTH) -> None:
        self._rng = rng
        self.bandwidth = bandwidth * RTCP_SHARE
        """Octets per second for RTCP."""
        self.members = 1
        """Participants with us."""
        self.senders = 0
        """Participants who sent media since the second last report."""
        self.we_sent = False
        """Whether we are one of these."""
        self._average_octets = float(FIRST_PACKET_OCTETS + LOWER_LAYER_OCTETS)
        self._initial = True
        self._last = now
        self._next = now + self.draw()

    def draw(self) -> float:
        """One interval in seconds, randomized (A.7 `rtcp_interval`)."""
        shortest = MIN_INTERVAL / 2 if self._initial else MIN_INTERVAL
        bandwidth, sharers = self.bandwidth, self.members
        if self.senders <= self.members * SENDER_SHARE:
            if self.we_sent:
                bandwidth, sharers = bandwidth * SENDER_SHARE, self.senders
            else:
                bandwidth, sharers = bandwidth * (1 - SENDER_SHARE), self.members - self.senders
        interval = max(shortest, self._average_octets * sharers / bandwidth)
        # A.7: "we pick t uniformly distributed between 0.5 and 1.5 times" the interval.
        return interval * (self._rng.random() + 0.5) / COMPENSATION

    def next_deadline(self) -> float:
        """When `handle_timeout` wants to be called, monotonic seconds."""
        return self._next

    def handle_timeout(self, now: float) -> bool:
        """Whether a report is to be sent now; if not, the deadline may have moved (6.3.6)."""
        if now < self._next:
            return False
        self._next = self._last + self.draw()
        return self._next <= now

    def sent(self, octets: int, now: float) -> None:
        """A report of this size was sent: the next one is timed from here."""
        self._observe(octets)
        self._initial = False
        self._last = now
        self._next = now + self.draw()

    def received(self, octets: int) -> None:
        """RTCP of this size was received."""
        self._observe(octets)

    def _observe(self, octets: int) -> None:
        # RFC 3550 6.3.3: "avg_rtcp_size = (1/16) * packet_size + (15/16) * avg_rtcp_size".
        self._average_octets += (octets + LOWER_LAYER_OCTETS - self._average_octets) / 16.0
