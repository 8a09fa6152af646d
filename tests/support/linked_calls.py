"""Two ends of a call without network: what one sends arrives at the other, a packet each 20 ms of whatever clock runs.

An end looks like `offhook.Call` to callers and agents. Its outgoing queue is the real one; what leaves it is shown to the
observers of this end as sent and to those of the other end as arrived, at the same instant. So latencies are what they are,
and a test says to the millisecond what must be measured.
"""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
from support.speech import beep, silence

from offhook.codecs import codec
from offhook.errors import CallFailed, CallOver
from offhook.events import Answered, DtmfReceived, Ended
from offhook.inbox import Inbox
from offhook.outgoing import Outgoing
from offhook.rtp import Received, TelephoneEvent
from offhook.rtp.telephone_event import DIGITS
from offhook.simulator.speech import Speech
from offhook.sipcore.exceptions import InvalidState
from offhook.sipcore.headers import Headers
from offhook.sipcore.sdp import Codec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from offhook.audio import Audio
    from offhook.outgoing import Playback

PTIME = 0.02
PCMU = Codec(0, "PCMU", 8_000)
EVENT_TYPE = 101


class ToneVoice:
    """Says each text as one tone: a hundredth of a second for each letter, between two short silences."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def say(self, text: str) -> Speech:
        """A `Speech` whose edges are where the tone's are."""
        self.said.append(text)
        return Speech.of(text, np.concatenate((silence(0.03), beep(0.01 * len(text)), silence(0.05))), 8_000)


class End:
    """One end of a call."""

    def __init__(self, headers: tuple[tuple[str, str], ...] = (), *, takes_keys: bool = True) -> None:
        self._loop = asyncio.get_running_loop()
        self._inbox: Inbox[object] = Inbox(1_000)
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._timestamp = 5_000
        self._keys: list[tuple[str, int]] = []  # digit and packets sent of it
        self._keys_sent: asyncio.Future[None] | None = None
        self.other: End | None = None
        self.deaf = False  # nothing of ours reaches the other end
        self.id = "call-1"
        self.caller_number = "alice"
        self.request = SimpleNamespace(headers=Headers(headers))
        self.fails: CallFailed | None = None
        self.answered_at: float | None = None
        self.media = SimpleNamespace(
            receive_types={0: PCMU},
            incoming=SimpleNamespace(sample_rate=8_000),
            observers=[],
            outgoing=Outgoing(codec("PCMU"), 0, PTIME),
            agreed=SimpleNamespace(send_event_type=EVENT_TYPE if takes_keys else None, event_clock_rate=8_000),
        )

    # -- what callers and agents ask of a call

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._ended.done()

    async def answer(self) -> None:
        """Take the call, if nothing is to go wrong."""
        if self.fails is not None:
            self.end("failure", str(self.fails))
            raise self.fails
        self.answered_at = self._loop.time()
        self._inbox.put(Answered(self.answered_at, "PCMU"))

    def hang_up(self) -> None:
        """End it at both ends."""
        if not self.is_over:
            self.end("local", "we hung up")
            if self.other is not None:
                self.other.end("remote", "the other side hung up")

    async def ended(self) -> Ended:
        """Wait for the end."""
        return await asyncio.shield(self._ended)

    async def events(self) -> AsyncIterator[object]:
        """What happens, until the end."""
        async for event in self._inbox.read():
            yield event

    def start_playing(self, audio: Audio) -> Playback:
        """Queue a sound."""
        if self.is_over:
            raise CallOver("the call is over")
        return self.media.outgoing.queue(audio)

    def stop_playing(self) -> None:
        """Drop what is queued."""
        self.media.outgoing.flush()

    async def send_dtmf(self, digits: str) -> None:
        """Press keys of 100 ms, with pauses of 60 ms."""
        if self.media.agreed.send_event_type is None:
            raise InvalidState("the peer takes no telephone events")
        self._keys = [(digit, 0) for digit in digits]
        self._keys_sent = self._loop.create_future()
        await self._keys_sent
        if self.is_over:
            raise CallOver("the call is over")

    # -- the wire

    def end(self, by: str, reason: str) -> None:
        """The call is over."""
        if self.is_over:
            return
        self.media.outgoing.flush()
        ended = Ended(by, reason, self._loop.time())
        self._ended.set_result(ended)
        self._inbox.put(ended)
        self._inbox.close()
        self._release_keys()

    def _release_keys(self) -> None:
        if self._keys_sent is not None and not self._keys_sent.done():
            self._keys_sent.set_result(None)

    def tick(self) -> None:
        """One packet leaves, and arrives."""
        now = self._loop.time()
        if not self._tick_key(now):
            frame = self.media.outgoing.next_frame()
            self.media.outgoing.left(now)
            self._show(0, frame[1], self._timestamp, now)
        self._timestamp += 160

    def _show(self, kind: int, payload: bytes, timestamp: int, now: float) -> None:
        for observer in list(self.media.observers):
            observer.sent(kind, payload, timestamp, now)
        if self.other is not None and kind == 0 and not self.deaf:
            for observer in list(self.other.media.observers):
                observer.arrived(Received(payload, 0, timestamp & 0xFFFF_FFFF, now), now)

    def _tick_key(self, now: float) -> bool:
        """Five packets of a key, three of silence behind it."""
        if not self._keys:
            return False
        digit, sent = self._keys[0]
        if sent == 8:
            self._keys.pop(0)
            if self._keys:
                return self._tick_key(now)
            self._release_keys()
            return False
        self._keys[0] = digit, sent + 1
        if sent >= 5:
            return False
        event = TelephoneEvent(DIGITS.index(digit), sent == 4, 10, 160 * (sent + 1))
        self._show(EVENT_TYPE, event.serialize(), self._timestamp - 160 * sent, now)
        if sent == 4 and self.other is not None:
            self.other._inbox.put(DtmfReceived(digit, 0.1, now - 4 * PTIME))
        return True


@contextlib.asynccontextmanager
async def linked(headers: tuple[tuple[str, str], ...] = (), **caller: bool) -> AsyncIterator[tuple[End, End]]:
    """Caller's end and agent's end, with a clock that moves their packets; both are over at the end."""
    ours, theirs = End(**caller), End(headers)
    ours.other, theirs.other = theirs, ours
    ticking = asyncio.create_task(_tick(ours, theirs))
    try:
        yield ours, theirs
    finally:
        ours.hang_up()
        theirs.hang_up()
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


async def _tick(*ends: End) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    number = 0
    while not any(end.is_over for end in ends):
        for end in ends:
            end.tick()
        number += 1
        await asyncio.sleep(max(0.0, start + number * PTIME - loop.time()))


__all__ = ["PTIME", "End", "ToneVoice", "linked"]
