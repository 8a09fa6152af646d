"""One clock for all media of a process: it calls when an instant has come, and knows how late it was.

Theory of operation. The clock ticks at absolute instants (`Cadence`), so lateness never adds up. On Linux a timerfd wakes
the event loop (about 0.2 ms late); elsewhere `loop.call_at` does (about 0.7 ms late, because `epoll` and its kin count in
milliseconds). When the loop was busy and several instants have passed, there is one call for all of them: the instants that
got no call of their own are counted as skipped. The clock runs only while somebody has subscribed.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

from offhook.rtp.cadence import Cadence
from offhook.rtp.exceptions import LocalError
from offhook.rtp.lateness import Lateness, LatenessHistogram

from .timerfd import open_timer, read_timer

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL = 0.005
"""Seconds between ticks: the four quarters of a 20 ms frame, so that the streams of a process need not all send at once."""

MIN_INTERVAL = 0.001
"""Seconds: a shorter tick costs more in wake-ups than in media."""


class MediaClock:
    """Ticks for whoever subscribes.

    Args:
        loop: the event loop; None = the one that runs when the first subscriber comes.
        interval: seconds between ticks.
        monotonic: the clock that instants are read from; must be the one the kernel's monotonic timers count, unless
            `timerfd` is False.
        timerfd: False = use the loop's timers even where the system has better ones.

    Raises:
        LocalError: the interval is below `MIN_INTERVAL`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        interval: float = INTERVAL,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        timerfd: bool = True,
    ) -> None:
        if not interval >= MIN_INTERVAL:
            raise LocalError(f"a media clock ticks every {MIN_INTERVAL} s at most, not every {interval} s")
        self.interval = interval
        self.monotonic = monotonic
        self.cadence = Cadence(0.0, interval)
        """The instants of the ticks; laid anew each time the clock begins to run."""
        self._given_loop = loop
        self._loop = loop
        self._timerfd = timerfd
        self._subscribers: tuple[Callable[[float], None], ...] = ()
        self._next = 0  # index of the tick that has not been called yet
        self._histogram = LatenessHistogram()
        self._descriptor: int | None = None
        self._handle: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        state = f"running for {len(self._subscribers)}" if self.running else "stopped"
        return f"<MediaClock {self.interval * 1e3:g} ms, {state}>"

    @property
    def running(self) -> bool:
        """Whether somebody needs it."""
        return bool(self._subscribers)

    def subscribe(self, on_tick: Callable[[float], None]) -> None:
        """Calls `on_tick(now)` from now on at each tick; the first subscriber sets the clock going."""
        if not self._subscribers:
            self._loop = self._given_loop or asyncio.get_running_loop()
            self.cadence = Cadence(self.monotonic(), self.interval)
            self._next = 1
            self._arm(self._loop)
        self._subscribers = (*self._subscribers, on_tick)

    def unsubscribe(self, on_tick: Callable[[float], None]) -> None:
        """Ends the calls; without subscribers the clock stops and holds nothing of the system."""
        had = self.running
        self._subscribers = tuple(each for each in self._subscribers if each != on_tick)
        if had and not self._subscribers and self._loop is not None:
            self._disarm(self._loop)

    def lateness(self) -> Lateness:
        """How late the wake-ups were against their instants; `skipped` = ticks that had no call of their own."""
        return self._histogram.snapshot()

    def tick(self, now: float) -> None:
        """Calls the subscribers if an instant has been reached; does nothing if none has."""
        index = self.cadence.index(now)
        if index < self._next:
            return
        self._histogram.record(now - self.cadence.instant(self._next))
        self._histogram.skipped += index - self._next
        self._next = index + 1
        for on_tick in self._subscribers:
            on_tick(now)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        first = self.cadence.instant(self._next)
        self._descriptor = open_timer(first, self.interval) if self._timerfd else None
        if self._descriptor is None:
            self._handle = loop.call_at(first, self._on_call)
        else:
            loop.add_reader(self._descriptor, self._on_readable, self._descriptor)

    def _disarm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._descriptor is not None:
            loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _on_readable(self, descriptor: int) -> None:
        if read_timer(descriptor):
            self.tick(self.monotonic())

    def _on_call(self) -> None:
        self._handle = None
        try:
            self.tick(self.monotonic())
        finally:
            # Unless the last subscriber has gone, or a new one has set the clock going anew.
            if self._subscribers and self._loop is not None and self._handle is None:
                # Loops may fire a little before the instant; then the same instant is asked for again.
                self._handle = self._loop.call_at(self.cadence.instant(self._next), self._on_call)
