"""The media engine: all streams of a process on one clock.

Theory of operation. Waking the event loop for each datagram costs more than handling it, and a timer for each stream costs
more than sending. So the media sockets are not watched at all: one clock ticks every 5 ms, and each tick serves the streams
whose turn it is. A stream with 20 ms frames has its turn every fourth tick, and the streams are spread evenly over the four
(`Wheel`), so no tick carries them all.

A tick first sends for those who are due, so that packets leave close to their instants, then listens for those who are due at
the next tick: what has arrived is played by the time their next frame is asked for.

A player that raises ends its own stream: the error is told to it, counted, and shown in the statistics; the engine goes on.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from offhook.rtp.cadence import EARLY, MAX_BURST, Cadence
from offhook.rtp.exceptions import LocalError, RtpError
from offhook.rtp.lateness import Lateness, LatenessHistogram

from .arrival import ArrivalClock
from .clock import INTERVAL, MediaClock
from .ports import PortPair, PortPool
from .stream import MediaStream
from .wheel import Wheel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from offhook.rtp.drops import Drop
    from offhook.rtp.session import RtpSession

    from .drops import SocketDrop
    from .player import Player

MAX_STREAMS = 4_000
"""Streams of one engine: more than a core carries; one more would only make all of them late."""

LISTEN_INTERVAL = 0.020
"""Seconds between looks at a socket at most, even where our own frames are longer: the peer's may not be."""


class TooManyStreams(RtpError):
    """The engine serves as many streams as it may."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """All numbers of an engine at one instant: its streams of now and of before in one."""

    streams: int
    """Running now."""
    started: int
    """Since the beginning."""
    failed: int
    """Of these, ended by an exception of their player."""
    lateness: Lateness
    """Of the wake-ups of the clock; `skipped` = ticks that had no wake-up of their own."""
    pacing: Lateness
    """Of the RTP packets sent; `skipped` = frames that were left out."""
    packets_in: int
    """RTP and RTCP datagrams, after the losses of the socket and before the judgement of the session."""
    octets_in: int
    packets_out: int
    octets_out: int
    drops: Mapping[Drop | SocketDrop, int]
    """What was lost or put aside, by reason; only reasons that occurred."""

    @property
    def skipped(self) -> int:
        """Frames that were left out because the loop was too late for them."""
        return self.pacing.skipped


class _Totals:
    """Sums over streams."""

    def __init__(self) -> None:
        self.packets_in = self.octets_in = self.packets_out = self.octets_out = 0
        self.drops: Counter[Drop | SocketDrop] = Counter()
        self.pacing = LatenessHistogram()

    def add(self, other: MediaStream | _Totals) -> None:
        self.packets_in += other.packets_in
        self.octets_in += other.octets_in
        self.packets_out += other.packets_out
        self.octets_out += other.octets_out
        if isinstance(other, _Totals):
            self.drops.update(other.drops)
            self.pacing.add(other.pacing)
        else:
            self.drops.update(other.drops())
            self.drops.update(other.session.stats().drops)
            other.add_lateness_to(self.pacing)


class MediaEngine:
    """Drives media streams; to be used in one event loop, as an async context manager or with `close`.

    Args:
        ports: where port pairs come from; None = the system.
        interval: seconds between ticks.
        clock: ticks for this engine; None makes one with the interval.
        max_streams: streams at a time.
    """

    def __init__(
        self,
        *,
        ports: PortPool | None = None,
        interval: float = INTERVAL,
        clock: MediaClock | None = None,
        max_streams: int = MAX_STREAMS,
    ) -> None:
        self._clock = clock if clock is not None else MediaClock(None, interval)
        self._ports = ports if ports is not None else PortPool(monotonic=self._clock.monotonic)
        self._max_streams = max_streams
        self._arrivals = ArrivalClock()
        self._idle: set[PortPair] = set()  # opened, not started
        self._streams: dict[MediaStream, tuple[Wheel[MediaStream], Wheel[MediaStream]]] = {}
        self._senders: dict[int, Wheel[MediaStream]] = {}  # by period, ticks
        self._listeners: dict[int, Wheel[MediaStream]] = {}
        self._tick = 0  # the last that was served
        self._started = 0
        self._failed = 0
        self._past = _Totals()
        self._closed = False

    def __repr__(self) -> str:
        return f"<MediaEngine {len(self._streams)} streams, {self._clock!r}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def open(self, host: str) -> PortPair:
        """Binds a port pair, so that its address can be offered; nothing is read before `start`.

        Args:
            host: numeric address of one of our interfaces.

        Raises:
            NoPortsLeft: there is none to be had.
            LocalError: the host is none of ours, or the engine is closed.
        """
        if self._closed:
            raise LocalError("the media engine is closed")
        pair = self._ports.open(host)
        pair.on_close = self._idle.discard
        self._idle.add(pair)
        return pair

    def start(
        self, pair: PortPair, session: RtpSession, player: Player, *, ptime: float = 0.020, rtcp_mux: bool = False
    ) -> MediaStream:
        """Sends and receives from now on; what came before is thrown away and counted.

        Args:
            pair: from `open`; belongs to the stream from now on.
            session: its machine.
            player: what it plays to and from.
            ptime: seconds from frame to frame, the session's.
            rtcp_mux: RTCP goes over the RTP port (RFC 5761).

        Raises:
            TooManyStreams: there are `max_streams` already.
            LocalError: the pair is in use or closed, or the frames are too short for the clock.
        """
        if pair not in self._idle:
            raise LocalError(f"{pair!r} is closed, or belongs to another stream")
        if len(self._streams) >= self._max_streams:
            raise TooManyStreams(f"the media engine serves {self._max_streams} streams already")
        if ptime * MAX_BURST + EARLY < self._clock.interval:
            raise LocalError(
                f"frames of {ptime * 1e3:g} ms are too short for a tick of {self._clock.interval * 1e3:g} ms"
            )
        if not self._streams:
            self._clock.subscribe(self._on_tick)
            self._tick = self._clock.cadence.index(self._clock.monotonic())
        self._idle.discard(pair)
        return self._enrol(pair, session, player, ptime, rtcp_mux=rtcp_mux)

    def stats(self) -> EngineStats:
        """All numbers as they stand; reading changes nothing."""
        total = _Totals()
        total.add(self._past)
        for stream in self._streams:
            total.add(stream)
        return EngineStats(
            streams=len(self._streams),
            started=self._started,
            failed=self._failed,
            lateness=self._clock.lateness(),
            pacing=total.pacing.snapshot(),
            packets_in=total.packets_in,
            octets_in=total.octets_in,
            packets_out=total.packets_out,
            octets_out=total.octets_out,
            drops=MappingProxyType(dict(total.drops)),
        )

    async def close(self) -> None:
        """Stops all streams and closes all sockets; closing twice is closing once."""
        self._closed = True
        for stream in tuple(self._streams):
            with contextlib.suppress(Exception):  # a tap that raises must not keep the sockets of the others open
                stream.stop()
        for pair in tuple(self._idle):
            pair.close()

    def _enrol(
        self, pair: PortPair, session: RtpSession, player: Player, ptime: float, *, rtcp_mux: bool
    ) -> MediaStream:
        interval = self._clock.interval
        period = max(1, int((ptime + EARLY) / interval))
        listen_period = max(1, min(period, int((LISTEN_INTERVAL + EARLY) / interval)))
        sender = self._senders.setdefault(period, Wheel(period))
        listener = self._listeners.setdefault(listen_period, Wheel(listen_period))
        tick = sender.quietest(self._tick + 1)
        stream = MediaStream(
            pair,
            session,
            player,
            cadence=Cadence(self._clock.cadence.instant(tick), ptime),
            arrivals=self._arrivals,
            monotonic=self._clock.monotonic,
            retire=self._retire,
            rtcp_mux=rtcp_mux,
        )
        sender.add(stream, tick)
        listener.add(stream, tick)
        self._streams[stream] = (sender, listener)
        self._started += 1
        return stream

    def _retire(self, stream: MediaStream) -> None:
        sender, listener = self._streams.pop(stream)
        sender.remove(stream)
        listener.remove(stream)
        self._past.add(stream)
        if not self._streams:
            self._senders.clear()
            self._listeners.clear()
            self._clock.unsubscribe(self._on_tick)

    def _on_tick(self, now: float) -> None:
        """Serves all ticks that have come; after a stall each slot once, for a stream knows itself what it has missed."""
        self._arrivals.refresh(self._clock.monotonic(), time.time_ns())
        last, tick = self._clock.cadence.index(now), self._tick
        self._tick = last
        for wheel in tuple(self._senders.values()):
            for n in range(max(tick, last - wheel.period) + 1, last + 1):
                for stream in wheel.due(n):
                    try:
                        if not stream.stopped:  # by a player that was served before
                            stream.send_due(now)
                    except Exception as error:  # noqa: BLE001 - a player may raise anything; it ends its own stream only
                        self._fail(stream, error)
        for wheel in tuple(self._listeners.values()):
            for n in range(max(tick, last - wheel.period) + 2, last + 2):
                for stream in wheel.due(n):
                    try:
                        if not stream.stopped:
                            stream.listen()
                    except Exception as error:  # noqa: BLE001 - as above
                        self._fail(stream, error)

    def _fail(self, stream: MediaStream, error: Exception) -> None:
        self._failed += 1
        stream.fail(error)
