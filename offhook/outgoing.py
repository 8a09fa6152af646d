"""What a call says: a queue of encoded frames, one of which leaves at each tick of the media clock.

Sound is encoded when it is queued and not when it is sent, so that the tick only hands out what is ready. When nothing is
queued, silence is sent: without it a peer behind a firewall hears nothing of us later, and a recorder sees holes.

Each piece knows when it was heard on the wire: :class:`Playback` has the instant of its first and of its last sample, taken
from the instants at which its packets left. A frame that the kernel refused to send has no instant, and holds up nothing.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import deque
from math import isnan, nan
from typing import TYPE_CHECKING, Final

import numpy as np

from .codecs import StatelessCodec
from .errors import AudioError

if TYPE_CHECKING:
    from .audio import Audio
    from .codecs import AudioCodec, Pcm

MAX_QUEUED_PIECES: Final = 1_024  # playbacks that wait; a user that queues faster than real time is told
MAX_QUEUED_FRAMES: Final = 360_000  # frames (two hours of 20 ms, some 75 MB) that wait in all pieces together
SEND_AHEAD_FRAMES: Final = 5  # frames that `Call.send` keeps in the queue before it makes its caller wait
_ROUNDING: Final = (
    1e-9  # of a frame: what floats lose, so that the first sample of a packet is not told by the one before
)


class Playback:
    """One piece of sound on its way out; :meth:`wait` waits for its end.

    Attributes:
        started: instant of the first sample on the wire, seconds; None before it left.
        ended: instant after the last sample that left, seconds; None before a frame has left.
        interrupted: whether it was stopped before its end.
        is_over: whether its last frame has left, or it was stopped.
    """

    __slots__ = (
        "_done",
        "_instants",
        "_outgoing",
        "ended",
        "frames",
        "interrupted",
        "is_over",
        "position",
        "ptime",
        "started",
    )

    def __init__(self, outgoing: Outgoing, frames: list[bytes]) -> None:
        self.frames = frames
        self.ptime = outgoing.ptime
        self.position = 0
        "Index of the frame that leaves next."
        self.started: float | None = None
        self.ended: float | None = None
        self.interrupted = False
        self.is_over = not frames
        self._outgoing = outgoing
        self._instants = array("d")  # of each frame that was due; NaN for one that the kernel refused
        self._done: asyncio.Future[None] | None = None  # made for those who wait; most frames of a stream have nobody

    @property
    def duration(self) -> float:
        """Seconds, in whole frames."""
        return len(self.frames) * self.ptime

    def instant_of(self, seconds: float) -> float | None:
        """When the sound at ``seconds`` from the beginning was on the wire; None when it never left.

        It is the instant at which the packet that carried it left, plus the offset inside the packet.
        """
        frame = int(seconds / self.ptime + _ROUNDING)
        if not 0 <= frame < len(self._instants) or isnan(self._instants[frame]):
            return None
        return self._instants[frame] + seconds - frame * self.ptime

    def left(self, instant: float) -> None:
        """The frame that is due has left the socket."""
        if self.started is None:
            self.started = instant
        self.ended = instant + self.ptime
        self._instants.append(instant)
        if len(self._instants) == len(self.frames):
            self._finish()

    def lost(self) -> None:
        """The frame that was due could not be sent; the sound goes on without it."""
        self._instants.append(nan)
        if len(self._instants) == len(self.frames):
            self._finish()

    def stop(self) -> None:
        """Nothing more of it is sent; one that is over stays as it is."""
        if not self.is_over:
            self.interrupted = True
            self._outgoing.forget(len(self.frames) - self.position)
            self.position = len(self.frames)
            self._finish()

    def _finish(self) -> None:
        self.is_over = True
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    async def wait(self) -> Playback:
        """Wait until it is over."""
        if not self.is_over:
            if self._done is None:
                self._done = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._done)
        return self

    def __repr__(self) -> str:
        state = (
            "interrupted" if self.interrupted else "over" if self.is_over else f"at {self.position * self.ptime:.2f} s"
        )
        return f"<Playback {self.duration:.2f} s, {state}>"


class Outgoing:
    """The queue of one call.

    Args:
        codec: encodes what is queued.
        payload_type: what it is sent under.
        ptime: seconds of sound in a frame; stays as it is for the life of the stream.
    """

    def __init__(self, codec: AudioCodec, payload_type: int, ptime: float) -> None:
        self.ptime = ptime
        self.muted = False
        "On hold: nothing is sent, and what is queued waits."
        self.backlog = 0
        "Frames that wait."
        self._queue: deque[Playback] = deque()
        self._leaving: Playback | None = None
        self._rest: Pcm | None = None  # samples of a stream that do not fill a frame yet
        self._room: deque[asyncio.Future[None]] = deque()  # who waits to send more, in order
        self._use(codec, payload_type)

    def _use(self, codec: AudioCodec, payload_type: int) -> None:
        self.codec = codec
        self.payload_type = payload_type
        self.frame_samples = round(codec.sample_rate * self.ptime)
        self.silence = (payload_type, codec.encode(np.zeros(self.frame_samples, np.int16)))
        "One frame of it, as :meth:`next_frame` gives it."

    def adopt(self, codec: AudioCodec, payload_type: int) -> None:
        """Go on with another codec or number: what is queued is said in the new one where that costs no rate conversion."""
        old = self.codec
        if codec.name != old.name:
            if (
                isinstance(old, StatelessCodec)
                and isinstance(codec, StatelessCodec)
                and codec.sample_rate == old.sample_rate
            ):
                for piece in self._queue:
                    waiting = piece.frames[piece.position :]
                    if waiting:
                        piece.frames[piece.position :] = codec.encode_batch(old.decode_batch(waiting))
            else:
                self.flush()
        self._use(codec, payload_type)

    # -- what goes in --------------------------------------------------------------------------------------------------

    def queue(self, audio: Audio) -> Playback:
        """Queue a piece of sound behind what is queued already; its last frame is filled up with silence.

        Raises:
            ValueError: more waits than may.
        """
        if self._rest is not None:
            self._append(self._encode(self._filled(self._rest)))
            self._rest = None
        return self._append(self._encode(self._filled(audio.resampled(self.codec.sample_rate).pcm)))

    def queue_frame(self, pcm: Pcm) -> Playback:
        """Queue the next samples of a stream, any number, at the codec's own rate.

        What does not fill a frame waits for the samples that follow; when none have come by the time it is due, silence fills it.

        Raises:
            AudioError: they are no one-dimensional int16 array.
            ValueError: more waits than may.
        """
        if pcm.dtype != np.int16 or pcm.ndim != 1:
            raise AudioError(f"sound is sent as a one-dimensional int16 array, not {pcm.ndim}-d {pcm.dtype}")
        if self._rest is not None:
            pcm = np.concatenate([self._rest, pcm])
        whole = len(pcm) - len(pcm) % self.frame_samples
        piece = self._append(self._encode(pcm[:whole]))
        self._rest = pcm[whole:].copy() if whole < len(pcm) else None
        return piece

    def _append(self, frames: list[bytes]) -> Playback:
        if len(self._queue) >= MAX_QUEUED_PIECES:
            self._queue = deque([piece for piece in self._queue if not piece.is_over])
        if len(self._queue) >= MAX_QUEUED_PIECES:
            raise ValueError(f"{MAX_QUEUED_PIECES} pieces wait to be sent already")
        if self.backlog + len(frames) > MAX_QUEUED_FRAMES:
            raise ValueError(f"more than {MAX_QUEUED_FRAMES} frames would wait to be sent")
        piece = Playback(self, frames)
        if frames:
            self._queue.append(piece)
            self.backlog += len(frames)
        return piece

    def _filled(self, pcm: Pcm) -> Pcm:
        missing = -len(pcm) % self.frame_samples
        return np.concatenate([pcm, np.zeros(missing, np.int16)]) if missing else pcm

    def _encode(self, pcm: Pcm) -> list[bytes]:
        if len(pcm) == self.frame_samples:
            return [self.codec.encode(pcm)]
        frames = pcm.reshape(-1, self.frame_samples)
        if isinstance(self.codec, StatelessCodec):
            return self.codec.encode_batch(frames)
        return [self.codec.encode(frame) for frame in frames]

    async def wait_for_room(self) -> None:
        """Wait until no more than a few frames are queued; of several who wait, each frame that leaves frees one, in turn."""
        if self.backlog > SEND_AHEAD_FRAMES or self._room:
            turn = asyncio.get_running_loop().create_future()
            self._room.append(turn)
            await turn

    def _make_room(self) -> None:
        while self._room and self.backlog <= SEND_AHEAD_FRAMES:
            turn = self._room.popleft()
            if not turn.done():  # else its owner was cancelled
                turn.set_result(None)
                return

    def forget(self, frames: int) -> None:
        """So many frames of the queue will not be sent."""
        self.backlog -= frames
        self._make_room()

    def flush(self) -> None:
        """Stop everything that is queued, at once: after this call not one frame of it is sent."""
        queue, self._queue = self._queue, deque()
        for piece in queue:
            piece.stop()
        self._rest = None
        while self._room:  # those whose frames are gone have room
            turn = self._room.popleft()
            if not turn.done():
                turn.set_result(None)

    # -- what goes out -------------------------------------------------------------------------------------------------

    def next_frame(self) -> tuple[int, bytes] | None:
        """The payload for this tick; None when we are not to send."""
        if self._leaving is not None:  # what was handed out last was not sent
            self._leaving.lost()
            self._leaving = None
        if self.muted:
            return None
        queue = self._queue
        while queue:
            piece = queue[0]
            position, frames = piece.position, piece.frames
            if position == len(frames):
                queue.popleft()
                continue
            piece.position = position + 1
            if position + 1 == len(frames):
                queue.popleft()
            self.backlog -= 1
            if self._room:
                self._make_room()
            self._leaving = piece
            return self.payload_type, frames[position]
        if self._room:  # who queued less than a frame waits for room that no frame of its own will make
            self._make_room()
        return self.silence if self._rest is None else self._next_rest(self._rest)

    def _next_rest(self, rest: Pcm) -> tuple[int, bytes]:
        self._rest = None
        return self.payload_type, self.codec.encode(self._filled(rest))

    def left(self, instant: float) -> None:
        """The frame that :meth:`next_frame` gave last has left the socket."""
        piece = self._leaving
        if piece is not None:
            self._leaving = None
            piece.left(instant)
