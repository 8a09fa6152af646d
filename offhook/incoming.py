"""What a call hears: payloads from the jitter buffer become frames, holes become concealment, listeners get both.

Two time lines exist and are not mixed. *Played* frames come evenly, when the jitter buffer gives them out: they are what
:attr:`Call.audio` and ``listen`` get. *Arrived* packets carry the instant at which the kernel saw them: recordings and
measurements are made of those.

While nobody listens nothing is decoded: thousands of calls that only speak, or that are measured on the wire, cost nothing
here.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from .audio import Audio
from .codecs import Concealer, StatelessCodec, codec
from .rtp import Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .codecs import AudioCodec, Pcm
    from .rtp import Playout
    from .sipcore.sdp import Codec

MAX_HELD_FRAMES: Final = 500  # frames (10 s) that a reader may lag behind; then the oldest go, and are counted
MAX_UTTERANCE_SECONDS: Final = 600.0  # of one `listen`: ten minutes are 10 MB; then it ends with what was heard
SPEECH_DBOV: Final = -45.0  # above this level `listen` takes a frame for sound; telephone silence lies at -60 and below
KEPT_SILENCE: Final = 0.1  # seconds of quiet that stay behind an utterance, so that its last sound is not cut

_LOUD: Final = 32_768 * 10 ** (SPEECH_DBOV / 20)  # the amplitude of that level


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
        self.are_stateless = all(isinstance(decoder, StatelessCodec) for decoder in self._by_type.values())
        "Whether a payload can be left out without harm to those that follow."

    def decode(self, payload_type: int, payload: bytes) -> Pcm | None:
        """Samples, or None for a type that is no sound of ours."""
        decoder = self._by_type.get(payload_type)
        return decoder.decode(payload) if decoder is not None else None

    @property
    def sample_rate(self) -> int:
        """Samples per second, of the first one."""
        return next(iter(self._by_type.values())).sample_rate


class Incoming:
    """The hearing of one call.

    Args:
        types: what may arrive, by payload type.
        clock_rate: RTP ticks per second.
    """

    def __init__(self, types: Mapping[int, Codec], clock_rate: int) -> None:
        self.decoders = Decoders(types)
        self._clock_rate = clock_rate
        self._concealer = Concealer(self.decoders.sample_rate)
        self._is_past_stale = False  # the concealer has not heard what came last
        self.sinks: list[Callable[[Pcm, float], None]] = []
        "Each is called with a frame and the instant (seconds) at which it is heard."
        self.concealed = 0
        "Frames that were missing when they were due, and were made up for whoever listened."

    @property
    def sample_rate(self) -> int:
        """Samples per second of what is heard."""
        return self.decoders.sample_rate

    def adopt(self, types: Mapping[int, Codec]) -> None:
        """Take over what a new negotiation allows."""
        self.decoders.adopt(types)
        if self._concealer.sample_rate != self.sample_rate:
            self._concealer = Concealer(self.sample_rate)

    def play(self, item: Playout | Gap, now: float) -> None:
        """What the jitter buffer gives out becomes a frame for everybody who listens."""
        if not self.sinks:
            self._pass_over(item)
            return
        if self._is_past_stale:
            self._concealer = Concealer(self.sample_rate)
            self._is_past_stale = False
        if isinstance(item, Gap):
            self.concealed += 1
            frame = self._concealer.lost(round(item.ticks * self.sample_rate / self._clock_rate))
        else:
            pcm = self.decoders.decode(item.payload_type, item.payload)
            if pcm is None or not len(pcm):
                return
            frame = self._concealer.good(pcm)
        for sink in tuple(self.sinks):
            sink(frame, now)

    def _pass_over(self, item: Playout | Gap) -> None:
        """Nobody listens; a codec with memory must hear it all the same."""
        self._is_past_stale = True
        if isinstance(item, Gap):
            self.concealed += 1
        elif not self.decoders.are_stateless:
            self.decoders.decode(item.payload_type, item.payload)


class _Held:
    """The frames of one reader: what the media clock knows of it, and all that it keeps alive."""

    __slots__ = ("closed", "dropped", "frames", "wake")

    def __init__(self) -> None:
        self.frames: deque[Pcm] = deque()
        self.wake = asyncio.Event()
        self.closed = False
        self.dropped = 0

    def put(self, frame: Pcm, _now: float) -> None:
        if len(self.frames) >= MAX_HELD_FRAMES:
            self.frames.popleft()
            self.dropped += 1
        self.frames.append(frame)
        self.wake.set()

    def close(self) -> None:
        self.closed = True
        self.wake.set()


class FrameQueue:
    """Frames between the media clock and a reader; async-iterable, bounded.

    It hears from its making until it is closed, the call ends, or nobody holds it any more.
    """

    def __init__(self, incoming: Incoming | None) -> None:
        """Listen to ``incoming``; to None, when there is nothing to be heard any more."""
        held = self._held = _Held()
        if incoming is None:
            held.close()
        else:
            incoming.sinks.append(held.put)
            # Nobody has to close a reader: `async for frame in call.audio` with a break in it must not cost for ever.
            self._leave = weakref.finalize(self, _remove, incoming.sinks, held.put)
            self._leave.atexit = False

    @property
    def dropped(self) -> int:
        """Frames that the reader was too slow for."""
        return self._held.dropped

    def close(self) -> None:
        """No more frames come; the reader sees the end after what is held."""
        if not self._held.closed:
            self._leave()
            self._held.close()

    def __aiter__(self) -> FrameQueue:
        return self

    async def __anext__(self) -> Pcm:
        held = self._held
        while not held.frames:
            if held.closed:
                raise StopAsyncIteration
            held.wake.clear()
            await held.wake.wait()
        return held.frames.popleft()


def _remove(sinks: list[Callable[[Pcm, float], None]], sink: Callable[[Pcm, float], None]) -> None:
    if sink in sinks:
        sinks.remove(sink)


class Listener:
    """Hears one utterance: from the first sound until it has been quiet for so long.

    Time is counted by the clock and not by frames alone, so that a peer that stops sending is quiet too.

    Args:
        incoming: what is heard.
        silence: seconds of quiet that end it.
    """

    def __init__(self, incoming: Incoming, silence: float) -> None:
        self._incoming = incoming
        self._silence = silence
        self._heard: list[Pcm] = []
        self._samples = 0
        self._loop = asyncio.get_running_loop()
        self._last_sound = 0.0  # by the loop's clock
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None  # set once the first sound was heard
        incoming.sinks.append(self._hear)

    def _hear(self, frame: Pcm, _now: float) -> None:
        if _is_sound(frame):
            self._last_sound = self._loop.time()
            if self._timer is None:
                self._timer = self._loop.call_later(self._silence, self._look)
        if self._timer is None or self._done.done():
            return
        self._heard.append(frame)
        self._samples += len(frame)
        if self._samples >= MAX_UTTERANCE_SECONDS * self._incoming.sample_rate:
            self.stop()

    def _look(self) -> None:
        """Has it been quiet for long enough? One timer for each silence, and not one for each frame."""
        quiet_until = self._last_sound + self._silence
        if self._loop.time() < quiet_until:
            self._timer = self._loop.call_at(quiet_until, self._look)
        else:
            self.stop()

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


def _is_sound(frame: Pcm) -> bool:
    """Whether its level is above :data:`SPEECH_DBOV`."""
    samples = frame.astype(np.float32)
    return float(samples @ samples) > _LOUD * _LOUD * len(frame)


def _without_tail(pcm: Pcm, sample_rate: int) -> Pcm:
    """Cut the quiet end off, but for a tenth of a second."""
    loud = np.flatnonzero((pcm > _LOUD) | (pcm < -_LOUD))
    return pcm[: loud[-1] + 1 + round(KEPT_SILENCE * sample_rate)] if len(loud) else pcm[:0]
