"""A media engine on a clock that is moved by hand, a player that remembers, and the session between them.

The sockets are real and on loopback, where a datagram has arrived when `sendto` returns; so a test that moves the clock
needs neither to wait nor to sleep.
"""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offhook.rtp import Gap, Playout, Received, RtpSession, parse_header
from offhook.rtp.aio import MediaClock, MediaEngine, PlayerEvent, PortPair

HOST = "127.0.0.1"
PTIME = 0.020
FRAME = b"\xd5" * 160


class ManualClock(MediaClock):
    """Stands still until `advance`; counts how often it was set going and stopped."""

    def __init__(self, interval: float = 0.005) -> None:
        super().__init__(asyncio.new_event_loop(), interval, monotonic=lambda: self.now)
        self._given_loop.close()  # is never run: `_arm` asks nothing of it
        self.now = 1000.0
        self.armed = 0
        self.disarmed = 0

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        self.armed += 1

    def _disarm(self, loop: asyncio.AbstractEventLoop) -> None:
        self.disarmed += 1

    def advance(self, seconds: float) -> None:
        """Tick after tick, each in time."""
        for _ in range(round(seconds / self.interval)):
            self.now += self.interval
            self.tick(self.now)

    def stall(self, seconds: float) -> None:
        """One late tick after all this time."""
        self.now += seconds
        self.tick(self.now)


class Recorder:
    """A player that sends one frame again and again, and remembers all that the engine tells it."""

    def __init__(self, frame: bytes | None = FRAME, payload_type: int = 0) -> None:
        self.frame = frame
        self.payload_type = payload_type
        self.datagrams: list[bytes] = []
        self.instants: list[float] = []
        self.received: list[Received] = []
        self.played: list[Playout | Gap] = []
        self.events: list[PlayerEvent] = []
        self.asked = 0
        self.on: dict[str, Callable[[], Any]] = {}
        "What a test wants to happen when the engine calls the method of this name."

    def _called(self, name: str) -> None:
        self.on.get(name, lambda: None)()

    def next_frame(self, now: float) -> tuple[int, bytes] | None:
        """The frame, as often as it is asked for."""
        self.asked += 1
        self._called("next_frame")
        return None if self.frame is None else (self.payload_type, self.frame)

    def sent(self, data: bytes, instant: float) -> None:
        """Keeps both."""
        self.datagrams.append(data)
        self.instants.append(instant)
        self._called("sent")

    def arrived(self, received: Received, instant: float) -> None:
        """Keeps the packet, which knows its arrival."""
        self.received.append(received)
        self._called("arrived")

    def play(self, item: Playout | Gap) -> None:
        """Keeps the packet or the gap."""
        self.played.append(item)
        self._called("play")

    def told(self, event: PlayerEvent) -> None:
        """Keeps the event."""
        self.events.append(event)
        self._called("told")

    def told_of(self, kind: type) -> list[Any]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def headers(self) -> list[tuple[bool, int, int]]:
        """Marker, sequence and timestamp of what was sent."""
        return [parse_header(data)[1:4] for data in self.datagrams]


def session(remote: tuple[str, int] | None, now: float, *, ssrc: int = 7, **changes: Any) -> RtpSession:
    """A session of G.711 to this address."""
    arguments = {
        "ssrc": ssrc,
        "first_sequence": 100,
        "first_timestamp": 8000,
        "clock_rate": 8000,
        "ptime": PTIME,
        "cname": "somebody",
        "remote": remote,
        "accept_types": {0},
        "rng": random.Random(ssrc),
        "now": now,
    }
    return RtpSession(**{**arguments, **changes})


def connect(engine: MediaEngine, clock: MediaClock, *players: Recorder) -> list[Any]:
    """Two streams that send to each other."""
    pairs: list[PortPair] = [engine.open(HOST) for _ in players]
    remotes = [pair.address for pair in reversed(pairs)]
    return [
        engine.start(pair, session(remote, clock.monotonic(), ssrc=ssrc), player)
        for ssrc, (pair, remote, player) in enumerate(zip(pairs, remotes, players, strict=True), start=7)
    ]


def descriptors() -> int:
    """Files, sockets and timers that the process has open; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0
