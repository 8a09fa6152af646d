"""One clock: absolute instants, its own lateness, and nothing left when nobody needs it."""

import asyncio
import os
import sys
import time

import pytest
from support.media_engine import ManualClock, descriptors

from offhook.rtp.aio.clock import MIN_INTERVAL, MediaClock
from offhook.rtp.aio.timerfd import open_timer
from offhook.rtp.exceptions import LocalError


def test_each_tick_calls_each_subscriber() -> None:
    """With the instant of now."""
    clock, heard = ManualClock(), []
    clock.subscribe(lambda now: heard.append(("a", now)))
    clock.subscribe(lambda now: heard.append(("b", now)))
    clock.advance(0.005)
    assert [("a", 1000.005), ("b", 1000.005)] == heard


def test_a_wake_up_before_the_instant_calls_nobody() -> None:
    """Loops may fire early; the tick is then still to come."""
    clock, heard = ManualClock(), []
    clock.subscribe(heard.append)
    clock.tick(1000.004)
    assert [] == heard
    clock.tick(1000.005)
    assert [1000.005] == heard


def test_a_late_wake_up_does_not_move_the_instants_after_it() -> None:
    """Lateness never adds up: the next tick is where it always was."""
    clock, heard = ManualClock(), []
    clock.subscribe(heard.append)
    clock.tick(1000.0087)
    clock.tick(1000.010)
    assert [1000.0087, 1000.010] == heard
    assert clock.lateness().max == pytest.approx(0.0037)


def test_ticks_without_a_call_of_their_own_are_counted_as_skipped() -> None:
    """One call after 23 ms, late against the first instant that it missed."""
    clock, heard = ManualClock(), []
    clock.subscribe(heard.append)
    clock.stall(0.023)
    lateness = clock.lateness()
    assert (1, 1, 3) == (len(heard), lateness.n, lateness.skipped)
    assert lateness.max == pytest.approx(0.018)


def test_it_runs_only_while_somebody_needs_it() -> None:
    """The first subscriber sets it going, the last one stops it."""
    clock, tick, tock = ManualClock(), [].append, [].append
    clock.subscribe(tick)
    clock.subscribe(tock)
    clock.unsubscribe(tick)
    assert (1, 0, True) == (clock.armed, clock.disarmed, clock.running)
    assert "<MediaClock 5 ms, running for 1>" == repr(clock)
    clock.unsubscribe(tock)
    clock.unsubscribe(tock)
    assert (1, 1, False) == (clock.armed, clock.disarmed, clock.running)
    assert "<MediaClock 5 ms, stopped>" == repr(clock)


def test_instants_are_laid_anew_when_it_begins_again() -> None:
    """The pause between is nobody's lateness."""
    clock, heard = ManualClock(), []
    clock.subscribe(heard.append)
    clock.unsubscribe(heard.append)
    clock.now = 2000.0
    clock.subscribe(heard.append)
    clock.advance(0.010)
    assert 2000.0 == clock.cadence.start
    assert (2, 0) == (len(heard), clock.lateness().skipped)


@pytest.mark.parametrize("interval", [0.0, -1.0, MIN_INTERVAL / 2, float("nan")])
def test_an_interval_below_the_least_one_is_refused(interval: float) -> None:
    """A millisecond is allowed, less is not."""
    assert MIN_INTERVAL == MediaClock(interval=MIN_INTERVAL).interval
    with pytest.raises(LocalError):
        MediaClock(interval=interval)


async def ticks(clock: MediaClock, count: int) -> list[float]:
    """So many ticks of a clock that really runs."""
    heard: list[float] = []
    enough = asyncio.get_running_loop().create_future()

    def on_tick(now: float) -> None:
        heard.append(now)
        if len(heard) == count:
            clock.unsubscribe(on_tick)
            enough.set_result(None)

    clock.subscribe(on_tick)
    await asyncio.wait_for(enough, 2)
    return heard


@pytest.mark.real_network
@pytest.mark.parametrize("timerfd", [True, False], ids=["timerfd", "call_at"])
def test_a_real_clock_ticks_at_its_instants_and_leaves_nothing_behind(timerfd: bool) -> None:
    """No tick before its instant, each at another one; no descriptor and no timer afterwards."""
    clock = MediaClock(timerfd=timerfd)
    before = descriptors()
    heard = asyncio.run(ticks(clock, 8))
    indexes = [clock.cadence.index(now) for now in heard]
    assert indexes == sorted(set(indexes))
    assert indexes[0] >= 1
    assert before == descriptors()
    assert (None, None) == (clock._handle, clock._descriptor)


@pytest.mark.real_network
@pytest.mark.parametrize("timerfd", [True, False], ids=["timerfd", "call_at"])
def test_one_clock_serves_several_loops_one_after_the_other(timerfd: bool) -> None:
    """Each `asyncio.run` has a loop of its own."""
    clock = MediaClock(timerfd=timerfd)
    assert [2, 2] == [len(asyncio.run(ticks(clock, 2))) for _ in range(2)]


@pytest.mark.real_network
def test_a_clock_that_is_stopped_between_ticks_takes_its_timer_back() -> None:
    """Nobody is called any more, and the loop has nothing to wait for."""

    async def stop() -> tuple[bool, object]:
        clock, tick = MediaClock(timerfd=False), [].append
        clock.subscribe(tick)
        handle = clock._handle
        clock.unsubscribe(tick)
        return handle is not None and handle.cancelled(), clock._handle

    assert (True, None) == asyncio.run(stop())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="timerfd is Linux's")
def test_a_descriptor_that_is_readable_for_no_reason_is_no_tick() -> None:
    """A loop may say so once more; the timer itself knows better."""
    clock, heard = ManualClock(), []
    clock.subscribe(heard.append)
    clock.now += 1.0
    descriptor = open_timer(time.monotonic() + 3600, 0.005)
    assert descriptor is not None
    clock._on_readable(descriptor)
    os.close(descriptor)
    assert [] == heard


@pytest.mark.real_network
def test_a_tick_that_stops_and_starts_the_clock_has_one_timer() -> None:
    """The instants go on from the new beginning, and not twice as often."""

    async def restart() -> tuple[int, bool]:
        clock = MediaClock(timerfd=False)
        done = asyncio.get_running_loop().create_future()

        def again(_now: float) -> None:
            clock.unsubscribe(again)
            clock.subscribe(lambda _now: done.done() or done.set_result(None))
            armed.append(clock._handle)

        armed: list[object] = []
        clock.subscribe(again)
        await asyncio.wait_for(done, 2)
        return len(armed), clock.running

    assert (1, True) == asyncio.run(restart())
