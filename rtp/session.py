"""One media stream in both directions as one machine.

Theory of operation. `RtpSession` owns no socket and no clock; it joins the parts that know one thing each:

* outgoing: a `Packetizer` makes the packets, one call of `send_frame` for each tick of the media clock;
* incoming: `receive_rtp` asks the `SourcePolicy` whether the sender may be believed, counts the packet in its `Source`, and
  gives it to the `DtmfReceiver` or to the `JitterBuffer`, from which `take` hands it out when it is due;
* RTCP: a `Reporter` writes and reads the reports.

Nothing that comes from the network raises: what cannot be used is counted under its reason.

A peer that reflects our own packets (an echo service) sends our SSRC back. That is not treated as a loop, because streams
are told apart by their transport address here; a true collision (RFC 3550 8.2) shows in another CNAME for our SSRC, and then
we leave ours with a BYE.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType, MappingProxyType
from typing import TYPE_CHECKING

from .drops import Drop
from .events import Address, FirstPacket, OwnSsrcChanged, RemoteBye, RtpEvent, SsrcChanged
from .exceptions import LocalError, MalformedPacket
from .jitter_buffer import Gap, JitterBuffer, JitterStats, Verdict
from .packet import Octets, parse_header
from .packetizer import Packetizer
from .reporter import RemoteReport, Reporter
from .rtcp import Goodbye, SourceDescription, parse_compound
from .source import MIN_SEQUENTIAL, Arrival, IntervalStats, ReceptionStats, Source
from .source_policy import SourcePolicy
from .telephone_event import DtmfReceiver

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from random import Random

MAX_EVENTS = 256
"""Events that wait to be drained; the oldest goes. A user who drains each tick sees one or two."""


@dataclass(slots=True)
class Received:
    """An audio packet that was accepted; written once, by the session."""

    payload: bytes
    payload_type: int
    timestamp: int
    """32 bits, ticks."""
    arrival: float
    """Monotonic seconds."""
    sequence: int = 0
    marker: bool = False
    ssrc: int = 0
    verdict: Verdict = Verdict.HELD
    """What the jitter buffer did with it: a late packet was received, but will not be played."""


Playout = Received
"""What `take` hands out: the very packet that arrived, now due."""


@dataclass(frozen=True, slots=True)
class StreamStats:
    """All numbers of a stream at one instant."""

    sent_packets: int
    sent_octets: int
    """Payload octets."""
    received: ReceptionStats
    """Over all sources that the peer has used."""
    jitter_buffer: JitterStats
    round_trip: float | None
    """The last one that RTCP has measured, seconds."""
    remote: RemoteReport | None
    """The peer's last report on our stream."""
    drops: Mapping[Drop, int]
    """What was put aside, by reason; only reasons that occurred."""
    ssrc: int
    remote_ssrc: int | None


class RtpSession:
    """One media stream in both directions.

    Args:
        ssrc: ours, by chance.
        first_sequence: 16 bits, by chance.
        first_timestamp: 32 bits, by chance.
        clock_rate: ticks of the RTP timestamp per second, in both directions.
        ptime: seconds of audio in each of our packets.
        cname: our canonical name for RTCP; must not tell who or where we are (RFC 7022).
        remote: host and port from signalling; None if they are not known yet.
        accept_types: payload types that the peer may send; `event_type` is accepted besides.
        event_type: payload type of telephone events that we receive; None = none.
        send_event_type: payload type of telephone events that we send; None = the peer takes none.
        rng: dice, as `random.Random`.
        now: monotonic seconds.
        jitter_buffer: None makes one with the usual delays.
    """

    __slots__ = (
        "_accept_types",
        "_address",
        "_clock_rate",
        "_closed",
        "_drops",
        "_dtmf",
        "_event_type",
        "_events",
        "_jitter_buffer",
        "_newcomer",
        "_out",
        "_past",
        "_policy",
        "_reporter",
        "_rng",
        "_source",
    )

    def __init__(
        self,
        *,
        ssrc: int,
        first_sequence: int,
        first_timestamp: int,
        clock_rate: int,
        cname: str,
        remote: Address | None,
        accept_types: Container[int],
        event_type: int | None = None,
        send_event_type: int | None = None,
        rng: Random,
        now: float,
        ptime: float = 0.020,
        jitter_buffer: JitterBuffer[Received] | None = None,
    ) -> None:
        self._clock_rate = clock_rate
        self._rng = rng
        self._out = Packetizer(
            ssrc=ssrc,
            first_sequence=first_sequence,
            first_timestamp=first_timestamp,
            clock_rate=clock_rate,
            ptime=ptime,
        )
        self._out.event_type = send_event_type
        self._reporter = Reporter(self._out, cname=cname, clock_rate=clock_rate, rng=rng, now=now)
        self._event_type = event_type
        self._accept_types = accept_types
        self._policy = SourcePolicy(remote, _accepted(accept_types, event_type), now)
        self._dtmf = DtmfReceiver(clock_rate)
        self._jitter_buffer = jitter_buffer if jitter_buffer is not None else JitterBuffer[Received](clock_rate)
        self._address: Address = ("", 0)  # where the last accepted packet came from
        self._source: Source | None = None
        self._newcomer: Source | None = None  # another SSRC, until it has sent two packets in a row
        self._past = ReceptionStats()  # of the sources before this one
        self._drops: dict[Drop, int] = {}
        self._events: list[RtpEvent] = []
        self._closed = False

    def __repr__(self) -> str:
        return f"<RtpSession {self._out.ssrc:08x}: {self._out.packets} sent, {self._source!r}>"

    # Outgoing.

    def send_frame(self, payload: bytes | None, payload_type: int, now: float) -> bytes | None:
        """The RTP datagram of the next frame; to be called once for each tick of the media clock.

        Args:
            payload: encoded audio of one frame; None = silence, the timestamp advances and nothing is sent.
            payload_type: of the audio.
            now: monotonic seconds.

        Returns:
            One datagram, or None if this frame sends nothing. While a key press is sent, its packets come instead of the
            audio.
        """
        if self._closed:
            return None
        return self._out.frame(payload, payload_type, now)

    def send_dtmf(self, digits: str, duration: float = 0.1, gap: float = 0.06) -> None:
        """Queues key presses, which `send_frame` then sends one after the other.

        Args:
            digits: keys out of `0123456789*#ABCD`.
            duration: of each press, seconds; at least 40 ms are sent.
            gap: from the end of a press to the next, seconds.

        Raises:
            LocalError: (a `ValueError`) another key, more than 64 presses waiting, or the peer takes no telephone events.
        """
        if self._out.event_type is None:
            raise LocalError("the peer takes no telephone events: there is no payload type to send them with")
        self._out.dtmf.press(digits, duration, gap)

    @property
    def is_sending_dtmf(self) -> bool:
        """Whether a key press is being sent, or waits to be."""
        return self._out.dtmf.is_sending

    @property
    def destination(self) -> Address | None:
        """Where our datagrams are to be sent; None = not known yet, or on hold."""
        return self._policy.destination

    # Incoming.

    def receive_rtp(self, data: Octets, source: Address, arrival: float, now: float) -> Received | None:
        """Takes one RTP datagram.

        Args:
            data: the datagram, decrypted.
            source: host and port it came from.
            arrival: when it came, monotonic seconds; from the kernel where that is known.
            now: monotonic seconds.

        Returns:
            The packet if it is audio of the peer's; None if it was a key press, or was dropped for a counted reason.
        """
        try:
            payload_type, marker, sequence, timestamp, ssrc, start, end = parse_header(data)
        except MalformedPacket:
            self._drop(Drop.MALFORMED if data[:1] and data[0] & 0xC0 == 0x80 else Drop.NOT_RTP)
            return None
        reason = Drop.CLOSED if self._closed else self._policy.judge(source, ssrc, sequence, payload_type, now)
        if reason is not None:
            self._refuse(reason, ssrc, sequence, timestamp, arrival, end - start)
            return None
        if source != self._address:
            self._move(source)
        stats = self._source
        if stats is None or stats.ssrc != ssrc or self._newcomer is not None:
            stats = self._source_of(ssrc, payload_type, arrival)
        is_sound = payload_type != self._event_type and start != end
        counted = stats.receive(sequence, timestamp, arrival, end - start, timed=is_sound)
        if counted is Arrival.DUPLICATE:
            self._drop(Drop.DUPLICATE)
            return None
        if stats is self._newcomer and counted is not Arrival.UNCONFIRMED:
            self._change_source(stats, arrival)
        if not is_sound:
            self._receive_event(data[start:end], ssrc, sequence, timestamp, arrival)
            return None
        received = Received(bytes(data[start:end]), payload_type, timestamp, arrival, sequence, marker, ssrc)
        verdict = self._jitter_buffer.put(received, arrival)
        if verdict is not Verdict.HELD:
            received.verdict = verdict
            self._drop(verdict.value)
        return received

    def _refuse(self, reason: Drop, ssrc: int, sequence: int, timestamp: int, arrival: float, octets: int) -> None:
        """Counts a drop; what the believed peer sends under a foreign payload type is no loss of the network, though."""
        self._drop(reason)
        if reason is Drop.PAYLOAD_TYPE and self._source is not None and self._source.ssrc == ssrc:
            self._source.receive(sequence, timestamp, arrival, octets, timed=False)
            self._jitter_buffer.skip(ssrc, sequence)

    def _receive_event(self, payload: Octets, ssrc: int, sequence: int, timestamp: int, arrival: float) -> None:
        """A packet that carries no sound: a telephone event, or nothing at all (a keep-alive, RFC 6263 4.1)."""
        self._jitter_buffer.skip(ssrc, sequence)
        if not payload:
            return
        is_own = self._source is not None and self._source.ssrc == ssrc
        reason = self._dtmf.receive(payload, timestamp, arrival) if is_own else Drop.OTHER_STREAM
        if reason is not None:
            self._drop(reason)
        self._tell_dtmf()

    def _move(self, address: Address) -> None:
        """The first accepted packet from an address."""
        self._address = address
        for event in self._policy.events():
            self._tell(event)

    def _source_of(self, ssrc: int, payload_type: int, arrival: float) -> Source:
        """The statistics that a packet of this SSRC belongs to; a new SSRC is on probation (RFC 3550 A.1)."""
        if self._source is None:
            # The address was judged already, so the first packet is believed.
            self._source = Source(ssrc, self._clock_rate, now=arrival, probation=0)
            self._tell(FirstPacket(arrival, self._address, ssrc, payload_type))
        if self._source.ssrc == ssrc:
            self._newcomer = None
            return self._source
        if self._newcomer is None or self._newcomer.ssrc != ssrc:
            self._newcomer = Source(ssrc, self._clock_rate, now=arrival, probation=MIN_SEQUENTIAL)
        return self._newcomer

    def _change_source(self, new: Source, arrival: float) -> None:
        old, self._source, self._newcomer = self._source, new, None
        if old is not None:
            self._past = self._past.plus(old.stats())
            self._tell(SsrcChanged(old.ssrc, new.ssrc, arrival))
        self._dtmf.reset()
        self._reporter.forget_sender()

    def take(self, now: float) -> Playout | Gap | None:
        """What is due to be played: a packet, a gap to conceal, or None; call it until it gives None."""
        return self._jitter_buffer.take(now)

    def next_playout(self) -> float | None:
        """When `take` will next have something, monotonic seconds; None = not before another packet comes."""
        return self._jitter_buffer.next_deadline()

    def heard_silence(self) -> None:
        """The listener hears silence now: the delay of the jitter buffer may come down by a step."""
        self._jitter_buffer.heard_silence()

    # RTCP.

    def receive_rtcp(self, data: Octets, source: Address, now: float) -> None:
        """Takes one RTCP datagram, decrypted."""
        destination = self._policy.destination
        if self._closed:
            self._drop(Drop.CLOSED)
            return
        if destination is None or source[0] != destination[0]:  # its port differs, unless RTCP is multiplexed
            self._drop(Drop.RTCP_WRONG_SOURCE)
            return
        try:
            packets = parse_compound(data)
        except MalformedPacket:
            self._drop(Drop.RTCP_MALFORMED)
            return
        self._reporter.receive(packets, len(data), now)
        for packet in packets:
            if isinstance(packet, Goodbye):
                self._receive_bye(packet, now)
            elif isinstance(packet, SourceDescription):
                self._look_for_collision(packet, now)

    def _receive_bye(self, packet: Goodbye, now: float) -> None:
        """Honoured for the peer's source only; it ends nothing, the user is told."""
        if self._source is None or self._source.ssrc not in packet.ssrcs:
            self._drop(Drop.RTCP_FOREIGN_BYE)
            return
        reason = (packet.reason or b"").decode(errors="replace")
        self._tell(RemoteBye(self._source.ssrc, reason, now))

    def _look_for_collision(self, packet: SourceDescription, now: float) -> None:
        """RFC 3550 8.2: on a collision "the participant MUST send an RTCP BYE … and choose another" SSRC."""
        ours = self._out.ssrc
        for chunk in packet.chunks:
            if chunk.ssrc == ours and chunk.cname not in {None, self._reporter.cname}:
                self._reporter.change_ssrc(self._rng.getrandbits(32))
                self._tell(OwnSsrcChanged(ours, self._out.ssrc, now))
                return

    def handle_timeout(self, now: float, wall: float) -> None:
        """Does what is due by now: RTCP reports, key presses without an end.

        Args:
            now: monotonic seconds.
            wall: Unix seconds, for the NTP timestamp of sender reports only.
        """
        self._dtmf.handle_timeout(now)
        self._tell_dtmf()
        if not self._closed:
            self._reporter.handle_timeout(self._source, now, wall)

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called, monotonic seconds; for `take` ask `next_playout`."""
        dtmf = self._dtmf.next_deadline()
        if self._closed:
            return dtmf
        report = self._reporter.schedule.next_deadline()
        return report if dtmf is None else min(report, dtmf)

    def rtcp_to_send(self) -> list[bytes]:
        """The compound RTCP packets since the last call."""
        return self._reporter.datagrams_to_send()

    def close(self, now: float, wall: float) -> None:
        """Ends the stream: a last report with a BYE is queued, and nothing is sent or accepted any more."""
        if not self._closed:
            self._closed = True
            self._reporter.close(self._source, now, wall)

    # What changed, and how it stands.

    def update(
        self,
        *,
        now: float,
        remote: Address | EllipsisType | None = ...,
        accept_types: Container[int] | EllipsisType = ...,
        event_type: int | EllipsisType | None = ...,
        send_event_type: int | EllipsisType | None = ...,
        ptime: float | EllipsisType = ...,
    ) -> None:
        """Takes a new agreement from signalling (a re-INVITE); what is not given stays as it is.

        Args:
            now: monotonic seconds.
            remote: host and port of the peer; None = nowhere to send to, for the time being.
            accept_types: payload types that the peer may send.
            event_type: payload type of telephone events that we receive; None = none.
            send_event_type: payload type of telephone events that we send; None = the peer takes none.
            ptime: seconds of audio in each of our packets. Another clock rate wants another session (RFC 7160 4.1).
        """
        if not isinstance(accept_types, EllipsisType):
            self._accept_types = accept_types
        if not isinstance(event_type, EllipsisType):
            self._event_type = event_type
        if not isinstance(send_event_type, EllipsisType):
            self._out.event_type = send_event_type
        if not isinstance(ptime, EllipsisType):
            self._out.set_ptime(ptime)
        self._policy.accept_types = _accepted(self._accept_types, self._event_type)
        if not isinstance(remote, EllipsisType):
            self._policy.reset(remote, now)

    def relearn(self, now: float) -> None:
        """The call was answered: the time in which the peer's true address can be learned begins anew."""
        self._policy.relearn(now)

    def events(self) -> list[RtpEvent]:
        """What happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def stats(self) -> StreamStats:
        """All numbers as they stand; reading changes nothing."""
        source = self._source
        return StreamStats(
            sent_packets=self._out.packets,
            sent_octets=self._out.octets,
            received=self._past if source is None else self._past.plus(source.stats()),
            jitter_buffer=self._jitter_buffer.stats(),
            round_trip=self._reporter.round_trip,
            remote=self._reporter.remote,
            drops=MappingProxyType(dict(self._drops)),
            ssrc=self._out.ssrc,
            remote_ssrc=None if source is None else source.ssrc,
        )

    def close_interval(self, now: float) -> IntervalStats | None:
        """What the peer's present source has sent since the last call; None = nothing ever came."""
        return None if self._source is None else self._source.close_interval(now)

    def _drop(self, reason: Drop) -> None:
        self._drops[reason] = self._drops.get(reason, 0) + 1

    def _tell(self, event: RtpEvent) -> None:
        self._events.append(event)
        if len(self._events) > MAX_EVENTS:
            del self._events[0]

    def _tell_dtmf(self) -> None:
        for event in self._dtmf.events():
            self._tell(event)


def _accepted(types: Container[int], events: int | None) -> frozenset[int]:
    """Payload types of audio and of telephone events in one; there are only 128 (RFC 3550 5.1), so they are asked once."""
    return frozenset(number for number in range(128) if number in types or number == events)
