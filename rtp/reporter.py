"""The RTCP of one stream: our reports to the peer, and the peer's about us (RFC 3550 6).

Theory of operation. `handle_timeout` asks the schedule whether a report is due, and writes one: a sender report if media
was sent since the second last report, otherwise a receiver report; always with our CNAME. `receive` reads what the peer
says: its view of our stream, and the round trip. That is measured on our monotonic clock from the sender reports that we
remember having sent, so neither a step of the wall clock nor an invented report can falsify it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .report_schedule import ReportSchedule
from .rtcp import (
    CNAME,
    MAX_TEXT_OCTETS,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SdesChunk,
    SenderReport,
    SourceDescription,
    serialize_compound,
)

if TYPE_CHECKING:
    from random import Random

    from .packetizer import Packetizer
    from .source import Source

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970 (RFC 3550 4)."""
MAX_REMEMBERED_REPORTS = 8
"""Sender reports whose echo still tells the round trip: 40 s at the least interval."""
MAX_QUEUED_DATAGRAMS = 8
"""Compound packets that wait to be drained; the oldest goes, because a newer report says more."""


@dataclass(frozen=True, slots=True)
class RemoteReport:
    """What the peer last said of our stream (a report block, RFC 3550 6.4.1)."""

    fraction_lost: float
    """Since its report before, 0 … 1."""
    lost: int
    """Since the beginning, packets; negative if duplicates outweigh."""
    jitter: float
    """Seconds."""
    at: float
    """When it came, monotonic seconds."""


def ntp_time(wall: float) -> int:
    """64-bit NTP time of a Unix time in seconds."""
    seconds = int(wall)
    return (seconds + NTP_EPOCH & 0xFFFF_FFFF) << 32 | int((wall - seconds) * (1 << 32)) & 0xFFFF_FFFF


class Reporter:
    """Sends and reads the RTCP of one stream.

    Args:
        packetizer: our outgoing stream.
        cname: our canonical name, at most 255 octets of UTF-8 are used.
        clock_rate: ticks of the RTP timestamp per second.
        rng: dice, as `random.Random`.
        now: monotonic seconds.
    """

    __slots__ = (
        "_clock_rate",
        "_datagrams",
        "_last_sr",
        "_last_sr_at",
        "_packetizer",
        "_sent_at_reports",
        "_sr_sent",
        "cname",
        "remote",
        "round_trip",
        "schedule",
        "spoke",
    )

    def __init__(self, packetizer: Packetizer, *, cname: str, clock_rate: int, rng: Random, now: float) -> None:
        self._packetizer = packetizer
        self._clock_rate = clock_rate
        self.cname = cname.encode(errors="replace")[:MAX_TEXT_OCTETS]
        """As it stands in our RTCP."""
        self.schedule = ReportSchedule(rng, now=now)
        self.remote: RemoteReport | None = None
        self.round_trip: float | None = None
        """The last one measured, seconds."""
        self.spoke = False
        """Whether we sent any RTCP."""
        self._datagrams: list[bytes] = []
        self._sr_sent: dict[int, float] = {}  # middle 32 bits of its NTP time → monotonic seconds
        self._sent_at_reports = (0, 0)  # packets that we had sent at the last report, and at the one before
        self._last_sr = 0  # middle 32 bits of the NTP time of the peer's last sender report
        self._last_sr_at = 0.0

    def handle_timeout(self, source: Source | None, now: float, wall: float) -> None:
        """Queues a report if one is due."""
        sent = self._packetizer.packets
        self.schedule.we_sent = sent > self._sent_at_reports[1]
        self.schedule.members = 1 if source is None else 2
        self.schedule.senders = self.schedule.we_sent + (source is not None)
        if self.schedule.handle_timeout(now):
            octets = self._queue([self._report(source, now, wall), self._description()])
            self.schedule.sent(octets, now)
            self._sent_at_reports = (sent, self._sent_at_reports[0])

    def close(self, source: Source | None, now: float, wall: float) -> None:
        """Queues the last report with a BYE.

        RFC 3550 6.3.7: "A participant which never sent an RTP or RTCP packet MUST NOT send a BYE packet when it leaves".
        """
        if self._packetizer.packets or self.spoke:
            goodbye = Goodbye((self._packetizer.ssrc,))
            self._queue([self._report(source, now, wall), self._description(), goodbye])

    def change_ssrc(self, new: int) -> None:
        """Leaves our SSRC with a BYE and takes another (RFC 3550 8.2)."""
        old = self._packetizer.ssrc
        self._queue([ReceiverReport(old), self._description(), Goodbye((old,))])
        self._packetizer.ssrc = new
        self._sr_sent.clear()

    def _queue(self, packets: list[RtcpPacket]) -> int:
        datagram = serialize_compound(packets)
        self._datagrams.append(datagram)
        del self._datagrams[:-MAX_QUEUED_DATAGRAMS]
        self.spoke = True
        return len(datagram)

    def _description(self) -> SourceDescription:
        return SourceDescription((SdesChunk(self._packetizer.ssrc, ((CNAME, self.cname),)),))

    def _report(self, source: Source | None, now: float, wall: float) -> RtcpPacket:
        blocks = () if source is None else (self._block(source, now),)
        out = self._packetizer
        if out.packets == self._sent_at_reports[1]:
            return ReceiverReport(out.ssrc, blocks)
        ntp = ntp_time(wall)
        self._sr_sent[ntp >> 16 & 0xFFFF_FFFF] = now
        if len(self._sr_sent) > MAX_REMEMBERED_REPORTS:
            del self._sr_sent[next(iter(self._sr_sent))]
        packets, octets = out.packets & 0xFFFF_FFFF, out.octets & 0xFFFF_FFFF
        return SenderReport(out.ssrc, ntp, out.timestamp_at(now), packets, octets, blocks)

    def _block(self, source: Source, now: float) -> ReportBlock:
        if not self._last_sr:
            return source.close_report()
        # RFC 3550 6.4.1, DLSR: "expressed in units of 1/65536 seconds".
        delay = min(0xFFFF_FFFF, max(0, int((now - self._last_sr_at) * 65_536)))
        return source.close_report(last_sr=self._last_sr, delay_since_last_sr=delay)

    def receive(self, packets: list[RtcpPacket], octets: int, now: float) -> None:
        """Takes the packets of one datagram of the peer's."""
        self.schedule.received(octets)
        for packet in packets:
            if isinstance(packet, SenderReport):
                self._last_sr = packet.ntp >> 16 & 0xFFFF_FFFF
                self._last_sr_at = now
            if isinstance(packet, (SenderReport, ReceiverReport)):
                for block in packet.blocks:
                    if block.ssrc == self._packetizer.ssrc:
                        self._take_block(block, now)

    def _take_block(self, block: ReportBlock, now: float) -> None:
        jitter = block.jitter / self._clock_rate
        self.remote = RemoteReport(block.fraction_lost / 256, block.cumulative_lost, jitter, now)
        sent_at = self._sr_sent.get(block.last_sr)
        if sent_at is not None:
            # RFC 3550 6.4.1: "round-trip propagation delay as A - LSR - DLSR".
            self.round_trip = max(0.0, now - sent_at - block.delay_since_last_sr / 65_536)

    def forget_sender(self) -> None:
        """The peer's stream goes on under another SSRC: its last sender report says nothing of the new one."""
        self._last_sr = 0

    def datagrams_to_send(self) -> list[bytes]:
        """The compound packets since the last call."""
        datagrams, self._datagrams = self._datagrams, []
        return datagrams
