"""What a call hears: payloads from the jitter buffer become frames, holes become concealment, listeners get both.

Two time lines exist and are not mixed. *Played* frames come evenly, when the jitter buffer gives them out: they are what
:attr:`Call.audio` and ``listen`` get. *Arrived* packets carry the instant at which the kernel saw them: recordings and
measurements are made of those.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from .audio import Audio
from .codecs import Concealer, codec, rms_dbov
from .rtp import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .codecs import AudioCodec, Pcm
    from .rtp import Playout
    from .sipcore.sdp import Codec

MAX_HELD_FRAMES: Final = 500  # frames (10 s) that a reader may lag behind; then the oldest go, and are counted
SPEECH_DBOV: Final = (
    -45.0
)  # level above which `listen` takes a frame for sound; telephone silence lies at -60 and below

FrameSink = "Callable[[Pcm, float], None]"


class Decoders:
    """One decoder for each payload type that may arrive."""

    def __init__(self, types: Mapping[int, Codec]) -> None:
        self._by_type: dict[int, AudioCodec] = {}
        self.adopt(types)

    def adopt(self, types: Mapping[int, Codec]) -> None:
        """Take over what a new negotiation allows; decoders that go on being used keep their memory."""
        known = self._by_type
        self._by_type = {
            number: known[number] if number in known and known[number].name == kind.name.upper() else codec(kind.name)
            for number, kind in types.items()
            if not kind.is_companion
        }

    def decode(self, payload_type: int, payload: bytes) -> Pcm | None:
        """Samples, or None for a type that is no sound of ours."""
        decoder = self._by_type.get(payload_type)
        return decoder.decode(payload) if decoder is not None else None

    @property
    def sample_rate(self) -> int:
        """Of the first one."""
        return next(iter(self._by_type.values())).sample_rate


class Incoming:
    """The hearing of one call."""

    def __init__(self, types: Mapping[int, Codec], clock_rate: int) -> None:
        self.decoders = Decoders(types)
        self._concealer = Concealer(self.decoders.sample_rate)
        self._ticks_to_samples = self.decoders.sample_rate / clock_rate
        self.sinks: list[Callable[[Pcm, float], None]] = []
        self.concealed = 0
        "Frames that were made up."

    @property
    def sample_rate(self) -> int:
        """Samples per second of what is heard."""
        return self.decoders.sample_rate

    def play(self, item: Playout | Gap, now: float) -> None:
        """What the jitter buffer gives out becomes a frame for everybody who listens."""
        if isinstance(item, Gap):
            self.concealed += 1
            frame = self._concealer.lost(round(item.ticks * self._ticks_to_samples))
        else:
            pcm = self.decoders.decode(item.payload_type, item.payload)
            if pcm is None or not len(pcm):
                return
            frame = self._concealer.good(pcm)
        for sink in self.sinks:
            sink(frame, now)


class FrameQueue:
    """Frames between the media clock and a reader; async-iterable, bounded."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._frames: deque[Pcm] = deque()
        self._wake = asyncio.Event()
        self._closed = False
        self.dropped = 0
        "Frames that the reader was too slow for."
        incoming.sinks.append(self._put)

    def _put(self, frame: Pcm, _now: float) -> None:
        if len(self._frames) >= MAX_HELD_FRAMES:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self._wake.set()

    def close(self) -> None:
        """No more frames come; the reader sees the end after what is held."""
        if self._put in self._incoming.sinks:
            self._incoming.sinks.remove(self._put)
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> FrameQueue:
        return self

    async def __anext__(self) -> Pcm:
        while not self._frames:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._frames.popleft()


class Listener:
    """Hears one utterance: from the first sound until it has been quiet for so long.

    Time is counted by the clock and not by frames alone, so that a peer that stops sending is quiet too.
    """

    def __init__(self, incoming: Incoming, silence: float, now: float) -> None:
        self._incoming = incoming
        self._silence = silence
        self._heard: list[Pcm] = []
        self._last_sound: float | None = None
        self._began = now
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None
        incoming.sinks.append(self._hear)

    def _hear(self, frame: Pcm, now: float) -> None:
        sounds = rms_dbov(frame) > SPEECH_DBOV
        if sounds:
            self._last_sound = now
            self._rearm()
        if self._last_sound is not None:
            self._heard.append(frame)

    def _rearm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._silence, self.stop)

    def stop(self) -> None:
        """End now, with what was heard."""
        if not self._done.done():
            self._done.set_result(None)

    async def wait(self, timeout: float | None) -> Audio:
        """The utterance without the silence behind it; empty when nothing was said within ``timeout`` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._done)
        except TimeoutError:
            pass
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._incoming.sinks.remove(self._hear)
            self.stop()
        pcm = np.concatenate(self._heard) if self._heard else np.zeros(0, np.int16)
        return Audio(_without_tail(pcm, self._incoming.sample_rate), self._incoming.sample_rate)


def _without_tail(pcm: Pcm, sample_rate: int) -> Pcm:
    """Cut the quiet end off, but for a tenth of a second."""
    loud = np.flatnonzero(np.abs(pcm) > 32_768 * 10 ** (SPEECH_DBOV / 20))
    return pcm[: loud[-1] + 1 + sample_rate // 10] if len(loud) else pcm[:0]
