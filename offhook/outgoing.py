"""What a call says: a queue of encoded frames, one of which leaves at each tick of the media clock.

Sound is encoded when it is queued and not when it is sent, so that the tick only hands out what is ready. When nothing is
queued, silence is sent: without it a peer behind a firewall hears nothing of us later, and a recorder sees holes.

Each piece knows when it was heard on the wire: :class:`Playback` has the instant of its first and of its last sample, taken
from the instants at which its packets left.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from .codecs import StatelessCodec

if TYPE_CHECKING:
    from .audio import Audio
    from .codecs import AudioCodec, Pcm

MAX_QUEUED_PIECES: Final = 1_024  # playbacks that wait; a user that queues faster than real time is told
SEND_AHEAD_FRAMES: Final = 5  # frames that `Call.send` keeps in the queue before it makes its caller wait


class Playback:
    """One piece of sound on its way out; await it to wait for its end.

    Attributes:
        started: instant of the first sample on the wire, seconds; None before it left.
        ended: instant after the last sample that left, seconds; None before the piece is over.
        interrupted: whether it was stopped before its end.
    """

    __slots__ = ("_done", "_instants", "ended", "frames", "interrupted", "position", "ptime", "started")

    def __init__(self, frames: list[bytes], ptime: float, done: asyncio.Future[None]) -> None:
        self.frames = frames
        self.ptime = ptime
        self.position = 0
        self._instants = array("d")  # of each frame that left
        self._done = done
        self.started: float | None = None
        self.ended: float | None = None
        self.interrupted = False

    @property
    def duration(self) -> float:
        """Seconds, in whole frames."""
        return len(self.frames) * self.ptime

    @property
    def is_over(self) -> bool:
        """Whether its last frame has left, or it was stopped."""
        return self._done.done()

    def instant_of(self, seconds: float) -> float | None:
        """When the sound at ``seconds`` from the beginning was on the wire; None when it never left.

        It is the instant at which the packet that carried it left, plus the offset inside the packet.
        """
        frame = int(seconds / self.ptime)
        if frame >= len(self._instants):
            return None
        return self._instants[frame] + seconds - frame * self.ptime

    def left(self, instant: float) -> None:
        """One of its frames left the socket."""
        if self.started is None:
            self.started = instant
        self._instants.append(instant)
        self.ended = instant + self.ptime
        if len(self._instants) == len(self.frames):
            self.finish()

    def stop(self) -> None:
        """Nothing more of it is sent."""
        self.interrupted = self.interrupted or len(self._instants) < len(self.frames)
        self.position = len(self.frames)
        self.finish()

    def finish(self) -> None:
        """Wake who waits."""
        if not self._done.done():
            self._done.set_result(None)

    async def wait(self) -> Playback:
        """Wait until it is over."""
        await asyncio.shield(self._done)
        return self


class Outgoing:
    """The queue of one call."""

    def __init__(self, codec: AudioCodec, payload_type: int, ptime: float) -> None:
        self.codec = codec
        self.payload_type = payload_type
        self.ptime = ptime
        self.muted = False
        "On hold: nothing is sent, and what is queued waits."
        self.frame_samples = round(codec.sample_rate * ptime)
        self._silence = codec.encode(np.zeros(self.frame_samples, np.int16))
        self._queue: deque[Playback] = deque()
        self._leaving: Playback | None = None
        self._room: asyncio.Event = asyncio.Event()

    def queue(self, audio: Audio) -> Playback:
        """Queue a piece of sound behind what is queued already.

        Raises:
            ValueError: more pieces wait than may.
        """
        return self._append(self._encode(audio.resampled(self.codec.sample_rate).pcm))

    def queue_frame(self, pcm: Pcm) -> Playback:
        """Queue samples at the codec's own rate."""
        return self._append(self._encode(pcm))

    def _append(self, frames: list[bytes]) -> Playback:
        if len(self._queue) >= MAX_QUEUED_PIECES:
            raise ValueError(f"{MAX_QUEUED_PIECES} pieces wait to be sent already")
        piece = Playback(frames, self.ptime, asyncio.get_running_loop().create_future())
        if frames:
            self._queue.append(piece)
        else:
            piece.finish()
        return piece

    def _encode(self, pcm: Pcm) -> list[bytes]:
        size = self.frame_samples
        if len(pcm) % size:
            pcm = np.concatenate([pcm, np.zeros(size - len(pcm) % size, np.int16)])
        frames = pcm.reshape(-1, size)
        if isinstance(self.codec, StatelessCodec):
            return self.codec.encode_batch(frames)
        return [self.codec.encode(frame) for frame in frames]

    @property
    def backlog(self) -> int:
        """Frames that wait."""
        return sum(len(piece.frames) - piece.position for piece in self._queue)

    async def wait_for_room(self) -> None:
        """Wait until no more than a few frames are queued."""
        while self.backlog > SEND_AHEAD_FRAMES:
            self._room.clear()
            await self._room.wait()

    def flush(self) -> None:
        """Stop everything that is queued, at once: after this call not one frame of it is sent."""
        for piece in self._queue:
            piece.stop()
        self._queue.clear()
        self._room.set()

    def next_frame(self) -> tuple[int, bytes] | None:
        """The payload for this tick; None when we are not to send."""
        if self.muted:
            return None
        while self._queue:
            piece = self._queue[0]
            if piece.position < len(piece.frames):
                payload = piece.frames[piece.position]
                piece.position += 1
                self._leaving = piece
                if piece.position == len(piece.frames):
                    self._queue.popleft()
                return self.payload_type, payload
            self._queue.popleft()
        self._leaving = None
        return self.payload_type, self._silence

    def left(self, instant: float) -> None:
        """The frame that :meth:`next_frame` gave last has left the socket."""
        if self._leaving is not None:
            self._leaving.left(instant)
            self._leaving = None
            self._room.set()
