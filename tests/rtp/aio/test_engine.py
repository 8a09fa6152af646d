"""All streams on one clock: evenly spread, independent of one another, and gone without a trace."""

import asyncio
import errno
from collections import Counter
from collections.abc import Iterator

import pytest
from support.media_engine import HOST, PTIME, ManualClock, Recorder, connect, descriptors, session

from offhook.rtp import Drop
from offhook.rtp.aio import (
    FramesSkipped,
    MediaEngine,
    MediaStream,
    PortPool,
    SocketDrop,
    StreamFailed,
    TooManyStreams,
)
from offhook.rtp.exceptions import LocalError

pytestmark = pytest.mark.real_network


@pytest.fixture
def clock() -> ManualClock:
    """Moved by hand."""
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Iterator[MediaEngine]:
    """Closed afterwards."""
    made = MediaEngine(clock=clock)
    yield made
    asyncio.run(made.close())


def start(engine: MediaEngine, player: Recorder, ptime: float = PTIME, **changes: object) -> MediaStream:
    """A stream that sends to a port where nobody listens."""
    made = session((HOST, 9), engine._clock.monotonic(), ptime=ptime, **changes)
    return engine.start(engine.open(HOST), made, player, ptime=ptime)


# One clock for all.


def test_no_tick_carries_all_streams(engine: MediaEngine, clock: ManualClock) -> None:
    """Ten streams over the four ticks of a frame: two or three at a time."""
    players = [Recorder() for _ in range(10)]
    for player in players:
        start(engine, player)
    clock.advance(PTIME)
    at = Counter(round(player.instants[0] - 1000.0, 3) for player in players)
    assert {0.005: 3, 0.010: 3, 0.015: 2, 0.020: 2} == at


@pytest.mark.parametrize(
    ("ptime", "frames"), [(0.0025, 400), (0.005, 200), (0.010, 100), (0.0125, 80), (0.030, 33), (0.060, 17)]
)
def test_every_packet_time_has_its_own_rate(engine: MediaEngine, clock: ManualClock, ptime: float, frames: int) -> None:
    """Also those that are no multiple of the tick, or less than one."""
    player = Recorder()
    running = start(engine, player, ptime)
    clock.advance(1.0 + clock.interval)
    assert abs(len(player.datagrams) - frames) <= 2
    assert 0 == running.lateness().skipped


def test_a_stream_with_long_frames_still_listens_every_20_ms(engine: MediaEngine, clock: ManualClock) -> None:
    """The peer's frames may be shorter than ours, and its packets must not wait."""
    long, short = Recorder(), Recorder()
    first, second = engine.open(HOST), engine.open(HOST)
    engine.start(first, session(second.address, clock.now, ptime=0.060), long, ptime=0.060)
    engine.start(second, session(first.address, clock.now, ssrc=8), short)
    clock.advance(0.060)
    assert len(long.received) >= 2


def test_a_frame_that_is_too_short_for_the_tick_is_refused(clock: ManualClock) -> None:
    """Two frames a tick can be sent, more would all be skipped."""
    engine = MediaEngine(clock=clock)
    with pytest.raises(LocalError, match="too short"):
        start(engine, Recorder(), 0.0024)
    asyncio.run(engine.close())


def test_after_a_stall_each_stream_is_served_once(engine: MediaEngine, clock: ManualClock) -> None:
    """Two frames at most, whatever slot it is in."""
    players = [Recorder() for _ in range(8)]
    for player in players:
        start(engine, player)
    clock.advance(PTIME)
    clock.stall(0.5)
    assert [3] * 8 == [len(player.datagrams) for player in players]
    assert [1] * 8 == [len(player.told_of(FramesSkipped)) for player in players]
    assert 8 * 23 == engine.stats().skipped


def test_a_stream_may_be_started_in_the_tick_of_another(engine: MediaEngine, clock: ManualClock) -> None:
    """A bridge that is answered by a packet."""
    first, second = Recorder(), Recorder()
    start(engine, first)
    first.on["sent"] = lambda: len(engine._streams) == 1 and start(engine, second)
    clock.advance(2 * PTIME)
    assert (2, True) == (len(first.datagrams), len(second.datagrams) >= 1)


def test_a_stream_may_be_stopped_in_the_tick_of_another(engine: MediaEngine, clock: ManualClock) -> None:
    """It was due in the same tick, and is not served any more."""
    players = [Recorder() for _ in range(5)]
    streams = [start(engine, player) for player in players]
    players[0].on["next_frame"] = streams[4].stop
    clock.advance(2 * PTIME)
    assert (0, 2) == (len(players[4].datagrams), len(players[1].datagrams))
    assert 0 == engine.stats().failed


def test_a_stream_may_be_stopped_while_another_one_listens(engine: MediaEngine, clock: ManualClock) -> None:
    """One hangs up on what it hears, and takes along another that is to listen in the same tick."""
    players = [Recorder() for _ in range(5)]
    streams = connect(engine, clock, *players[:2]) + [start(engine, player) for player in players[2:]]
    players[0].on["arrived"] = lambda: [each.stop() for each in streams]
    clock.advance(3 * PTIME)
    assert ({}, 0, 0) == (engine.stats().drops, engine.stats().streams, engine.stats().failed)


# A player that raises.


@pytest.mark.parametrize("callback", ["next_frame", "sent", "arrived", "play"])
def test_a_player_that_raises_ends_its_own_stream_and_no_other(
    engine: MediaEngine, clock: ManualClock, callback: str
) -> None:
    """The error is told to it once, and counted; the other stream goes on."""
    bad, good = Recorder(), Recorder()
    streams = connect(engine, clock, bad, good)
    bad.on[callback] = lambda: 1 / 0
    clock.advance(0.5)
    (failure,) = bad.told_of(StreamFailed)
    assert isinstance(failure.error, ZeroDivisionError)
    assert [True, False] == [each.stopped for each in streams]
    assert (1, 1, 25) == (engine.stats().failed, engine.stats().streams, len(good.datagrams))


def test_a_player_that_raises_even_when_told_is_silenced(engine: MediaEngine, clock: ManualClock) -> None:
    """Nothing of it reaches the loop."""
    bad, good = Recorder(), Recorder()
    connect(engine, clock, bad, good)
    bad.on["told"] = lambda: 1 / 0
    clock.advance(0.5)
    assert (1, 25) == (engine.stats().failed, len(good.datagrams))


def test_a_tap_that_raises_does_not_keep_the_ports(engine: MediaEngine, clock: ManualClock) -> None:
    """Neither at a packet nor at the goodbye."""
    player = Recorder()
    running = start(engine, player)
    clock.advance(6.0)
    running.tap = lambda *_what: 1 / 0
    clock.advance(PTIME)
    assert (True, 1) == (running._pair.closed, engine.stats().failed)
    assert 1 == len(player.told_of(StreamFailed))


# Opening and starting.


def test_a_pair_belongs_to_one_stream(engine: MediaEngine, clock: ManualClock) -> None:
    """Starting it twice is refused, and so is a closed one or one of somebody else."""
    pair, closed, foreign = engine.open(HOST), engine.open(HOST), PortPool().open(HOST)
    closed.close()
    foreign_too = foreign
    engine.start(pair, session(None, clock.now), Recorder())
    for wrong in (pair, closed, foreign_too):
        with pytest.raises(LocalError, match="closed, or belongs to another stream"):
            engine.start(wrong, session(None, clock.now), Recorder())
    foreign.close()


def test_the_number_of_streams_is_bounded(clock: ManualClock) -> None:
    """One more than allowed is refused, and allowed again when one has left."""
    engine = MediaEngine(clock=clock, max_streams=2)
    first = start(engine, Recorder())
    start(engine, Recorder())
    with pytest.raises(TooManyStreams, match="serves 2 streams already"):
        start(engine, Recorder())
    first.stop()
    start(engine, Recorder())
    assert (2, 3) == (engine.stats().streams, engine.stats().started)
    asyncio.run(engine.close())


def test_streams_over_ipv6_hear_each_other(engine: MediaEngine, clock: ManualClock) -> None:
    """The source of a packet is host and port, without flow and scope."""
    try:
        pairs = [engine.open("::1") for _ in range(2)]
    except LocalError as error:
        if getattr(error.__cause__, "errno", None) not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
            raise
        pytest.skip(str(error))
    players = Recorder(), Recorder()
    for pair, other, player in zip(pairs, reversed(pairs), players, strict=True):
        engine.start(pair, session(other.address, clock.now, ssrc=pair.address[1]), player)
    clock.advance(0.2)
    assert [True, True] == [len(player.received) >= 9 for player in players]


# Numbers.


def test_the_numbers_of_streams_that_have_ended_stay_in_the_sum(engine: MediaEngine, clock: ManualClock) -> None:
    """A run of many calls is told by one value."""
    ended, running = start(engine, Recorder()), start(engine, Recorder())
    clock.advance(1.0)
    ended.stop()
    clock.advance(1.0)
    stats = engine.stats()
    assert (1, 2, 150) == (stats.streams, stats.started, stats.pacing.n)
    assert ended.packets_out + running.packets_out == stats.packets_out
    assert ended.octets_out + running.octets_out == stats.octets_out


def test_drops_of_the_sockets_and_of_the_sessions_are_shown_together(engine: MediaEngine, clock: ManualClock) -> None:
    """Each under its own reason, of running and of ended streams."""
    pair, other = engine.open(HOST), PortPool().open(HOST)
    other.rtp.sendto(b"early", pair.address)
    running = engine.start(pair, session((HOST, 9), clock.now), Recorder())
    other.rtp.sendto(b"no RTP", pair.address)
    clock.advance(PTIME)
    assert {SocketDrop.BACKLOG: 1, Drop.NOT_RTP: 1} == engine.stats().drops
    assert (1, 6) == (engine.stats().packets_in, engine.stats().octets_in)
    running.stop()
    other.close()
    assert {SocketDrop.BACKLOG: 1, Drop.NOT_RTP: 1} == engine.stats().drops


def test_the_lateness_of_the_clock_is_shown_beside_that_of_the_packets(engine: MediaEngine, clock: ManualClock) -> None:
    """A wake-up 3 ms late makes the packets 3 ms late."""
    start(engine, Recorder())
    clock.stall(0.008)
    stats = engine.stats()
    assert (1, 1) == (stats.lateness.n, stats.pacing.n)
    assert (stats.lateness.max, stats.pacing.max) == pytest.approx((0.003, 0.003))


def test_reading_the_numbers_changes_nothing(engine: MediaEngine, clock: ManualClock) -> None:
    """Two readings are equal."""
    start(engine, Recorder())
    clock.advance(0.1)
    assert engine.stats() == engine.stats()
    assert "<MediaEngine 1 streams, <MediaClock 5 ms, running for 1>>" == repr(engine)


# The end.


def test_the_clock_runs_only_while_there_are_streams(engine: MediaEngine, clock: ManualClock) -> None:
    """An idle phone costs nothing."""
    running = start(engine, Recorder())
    running.stop()
    start(engine, Recorder()).stop()
    assert (2, 2, False) == (clock.armed, clock.disarmed, clock.running)


def test_closing_leaves_nothing_behind(clock: ManualClock) -> None:
    """Neither of streams that run nor of pairs that were opened only; closing twice is closing once."""
    before = descriptors()
    engine = MediaEngine(clock=clock)
    running, pair = start(engine, Recorder()), engine.open(HOST)
    asyncio.run(engine.close())
    asyncio.run(engine.close())
    assert (True, True, False) == (running.stopped, pair.closed, clock.running)
    assert before == descriptors()
    with pytest.raises(LocalError, match="closed"):
        engine.open(HOST)


def test_closing_goes_on_behind_a_tap_that_raises(clock: ManualClock) -> None:
    """All the others are closed as well."""
    engine = MediaEngine(clock=clock)
    streams = [start(engine, Recorder()) for _ in range(2)]
    clock.advance(6.0)
    streams[0].tap = lambda *_what: 1 / 0
    asyncio.run(engine.close())
    assert [True, True] == [each._pair.closed for each in streams]


def test_two_streams_talk_on_a_clock_that_really_runs() -> None:
    """The whole of it: timer, sockets, sessions; nothing is left when the context ends."""

    async def talk() -> tuple[list[Recorder], int]:
        enough = asyncio.get_running_loop().create_future()
        alice, bob = Recorder(), Recorder()
        bob.on["play"] = lambda: len(bob.played) < 5 or enough.done() or enough.set_result(None)
        async with MediaEngine() as engine:
            connect(engine, engine._clock, alice, bob)
            await asyncio.wait_for(enough, 2)
            return [alice, bob], engine.stats().failed

    before = descriptors()
    (alice, bob), failed = asyncio.run(talk())
    assert (before, 0) == (descriptors(), failed)
    sequences = [sequence for _, sequence, _ in alice.headers]
    assert list(range(100, 100 + len(sequences))) == sequences
    assert sequences[: len(bob.received)] == [packet.sequence for packet in bob.received]
