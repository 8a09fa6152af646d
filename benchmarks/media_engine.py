"""How many streams one core carries, and how punctual their packets are, beside a naive sender in the same run.

N streams of 20 ms G.711 frames go to an echo in a second process and come back, for some seconds. Both senders do the same
job on the same machine in the same minute: the engine with its sessions (RTCP, statistics, jitter buffer, source policy), and
the way it is usually written: one asyncio task for each stream that sleeps 20 ms, asyncio's datagram endpoint, aiortc's
`RtpPacket` to build and to parse. The naive one does less: no jitter buffer, no statistics, no RTCP.

Printed for each: CPU seconds of the sender's process per packet pair (one sent, one received), and how late packets left
against `start + n * 20 ms` (n = packets sent; the engine's since its first packet). A packet that the engine skipped, or that
the naive sender never came to send, is late for ever and shown as missing.

    python benchmarks/media_engine.py [STREAMS ...] [--seconds 5]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import platform
import random
import resource
import selectors
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aiortc.rtp import RtpPacket

from offhook.rtp import RtpSession
from offhook.rtp.aio import MediaEngine
from offhook.rtp.lateness import Lateness, LatenessHistogram

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from offhook.rtp import Gap, Playout, Received
    from offhook.rtp.aio import PlayerEvent

HOST = "127.0.0.1"
PTIME = 0.020
FRAME = b"\xff" * 160
DEFAULT_STREAMS = (100, 400)
SETTLE = 0.5  # seconds before counting: sockets, caches and the first RTCP are then done


@dataclass(frozen=True)
class Result:
    """What one sender achieved."""

    sent: int
    received: int
    cpu: float
    """Seconds of user and system time of this process."""
    lateness: Lateness
    missing: int
    """Packets that should have been sent and never were."""
    elapsed: float
    """Seconds that were measured."""


def echo(ports: Connection) -> None:
    """The peer: sends each datagram back; one socket, drained until it is empty."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, selectors.DefaultSelector() as selector:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        server.bind((HOST, 0))
        server.setblocking(False)
        selector.register(server, selectors.EVENT_READ)
        ports.send(server.getsockname()[1])
        while True:
            selector.select()
            with contextlib.suppress(BlockingIOError):
                while True:
                    server.sendto(*server.recvfrom(2048))


class StoredFrame:
    """Plays one encoded frame for ever and throws away what it hears."""

    def next_frame(self, _now: float) -> tuple[int, bytes]:
        """The stored one."""
        return (0, FRAME)

    def sent(self, data: bytes, instant: float) -> None:
        """Of no interest."""

    def arrived(self, received: Received, instant: float) -> None:
        """Of no interest."""

    def play(self, item: Playout | Gap) -> None:
        """Of no interest."""

    def told(self, event: PlayerEvent) -> None:
        """Of no interest."""


def session(peer: tuple[str, int], dice: random.Random, now: float) -> RtpSession:
    """A stream to the echo."""
    return RtpSession(
        ssrc=dice.getrandbits(32),
        first_sequence=dice.getrandbits(15),
        first_timestamp=dice.getrandbits(32),
        clock_rate=8_000,
        ptime=PTIME,
        cname="bench",
        remote=peer,
        accept_types={0},
        rng=dice,
        now=now,
    )


async def by_engine(streams: int, seconds: float, peer: tuple[str, int]) -> Result:
    """All streams on the engine's clock."""
    dice = random.Random(7)
    async with MediaEngine() as engine:
        for _ in range(streams):
            engine.start(engine.open(HOST), session(peer, dice, time.monotonic()), StoredFrame())
            await asyncio.sleep(0)  # as calls come: one after the other, and the clock is served between them
        await asyncio.sleep(SETTLE)
        before, cpu, begin = engine.stats(), time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        after, cpu, elapsed = engine.stats(), time.process_time() - cpu, time.monotonic() - begin
        return Result(
            after.pacing.n - before.pacing.n,
            after.packets_in - before.packets_in,
            cpu,
            after.pacing,
            after.skipped - before.skipped,
            elapsed,
        )


class NaiveStream(asyncio.DatagramProtocol):
    """One stream as it is usually written."""

    def __init__(self, histogram: LatenessHistogram) -> None:
        self.histogram = histogram
        self.sent = self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the socket."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, _source: tuple[str, int]) -> None:
        """Parses and forgets."""
        RtpPacket.parse(data)
        self.received += 1

    async def send(self) -> None:
        """Sends a frame, sleeps the duration of a frame."""
        start = time.monotonic()
        for n in range(1 << 30):
            packet = RtpPacket(payload_type=0, sequence_number=n & 0xFFFF, timestamp=n * 160 & 0xFFFF_FFFF, ssrc=1)
            packet.payload = FRAME
            self.histogram.record(time.monotonic() - start - n * PTIME)
            self.transport.sendto(packet.serialize())
            self.sent += 1
            await asyncio.sleep(PTIME)


async def by_tasks(streams: int, seconds: float, peer: tuple[str, int]) -> Result:
    """One endpoint and one sleeping task for each stream."""
    loop, histogram = asyncio.get_running_loop(), LatenessHistogram()
    naive = [
        (await loop.create_datagram_endpoint(lambda: NaiveStream(histogram), remote_addr=peer))[1]
        for _ in range(streams)
    ]
    cpu, begin = time.process_time(), time.monotonic()
    tasks = [asyncio.ensure_future(each.send()) for each in naive]
    await asyncio.sleep(seconds)
    cpu, elapsed = time.process_time() - cpu, time.monotonic() - begin
    for task, each in zip(tasks, naive, strict=True):
        task.cancel()
        each.transport.close()
    await asyncio.gather(*tasks, return_exceptions=True)
    sent, received = sum(each.sent for each in naive), sum(each.received for each in naive)
    missing = max(0, int(streams * elapsed / PTIME) - sent)
    return Result(sent, received, cpu, histogram.snapshot(), missing, elapsed)


def show(name: str, streams: int, result: Result) -> None:
    """One line of the table."""
    late = result.lateness
    share = late.punctual_share or 0.0
    print(
        f"{name:<14} {streams:>7} {result.sent:>8} {result.received:>8} {result.missing:>7}"
        f" {result.cpu / max(1, result.sent) * 1e6:>8.1f} {result.cpu / result.elapsed:>6.1%} {share:>8.1%}"
        f" {late.p50 * 1e3:>8.3f} {late.p99 * 1e3:>8.3f} {late.max * 1e3:>8.3f}"
    )


def main() -> None:
    """Both senders for each number of streams, one after the other."""
    arguments = argparse.ArgumentParser(description="media engine beside a naive sender")
    arguments.add_argument("streams", nargs="*", type=int, default=DEFAULT_STREAMS)
    arguments.add_argument("--seconds", type=float, default=5.0)
    chosen = arguments.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    peer = multiprocessing.get_context("spawn").Process(target=echo, args=(theirs,), daemon=True)
    peer.start()
    address = (HOST, ours.recv())
    print(
        f"CPython {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; echo in a second process"
    )
    print("sender         streams     sent received missing  us/pair    CPU  in 1 ms   p50 ms   p99 ms   max ms")
    for streams in chosen.streams:
        engine = asyncio.run(by_engine(streams, chosen.seconds, address))
        show("offhook", streams, engine)
        naive = asyncio.run(by_tasks(streams, chosen.seconds, address))
        show("naive tasks", streams, naive)
        ratio = (naive.cpu / max(1, naive.sent)) / (engine.cpu / max(1, engine.sent))
        print(f"  {streams} streams: the naive sender takes {ratio:.1f} times the CPU of the engine for each pair")
    peer.terminate()
    peer.join()


if __name__ == "__main__":
    main()
