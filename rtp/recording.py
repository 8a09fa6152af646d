"""Both directions of a call as a stereo WAV file, on one time line.

Theory of operation. Each chunk of sound comes with the instant of its first sample. A chunk that follows the one before it
within 40 ms is laid right behind it, so jitter makes no holes; one that comes later is laid at its own instant, and what lies
between is silence. A chunk that comes earlier than the end of the one before (a burst after a stall) is laid behind it, up to
one second ahead of the clock; silent chunks are then left out until the time line is right again. Nothing that was laid is
ever overwritten.

Memory is bounded: whole seconds that are more than two seconds old are written out. The header of the file is put right after
each write, so a crash leaves a playable file.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from .exceptions import LocalError

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADER_OCTETS = 44
"""RIFF header, `fmt ` chunk of 16 octets, and the head of the `data` chunk."""
JITTER_TOLERANCE = 0.040
"""Seconds that a chunk may be away from the end of the one before and still be laid right behind it."""
MAX_LEAD = 1.0
"""Seconds that a channel may run ahead of the clock after a burst; what is beyond is left out and counted."""
HOLD_SECONDS = 2
"""Seconds that are kept in memory behind the newest sample, so that the other channel can still be laid."""
MAX_SECONDS = 6 * 3600
"""The longest recording: at 48 kHz it just stays below the 4 GiB of a RIFF file. What is beyond is left out and counted."""
QUIET_PEAK = 16
"""A chunk whose samples all lie within ±16 (-66 dBov) is silence; G.711 codes silence as ±8 at most."""

_LEFT, _RIGHT = 0, 1
_FRAME_OCTETS = 4  # two channels of 16 bits
_WAV_HEADER = Struct("<4sI4s4sIHHIIHH4sI")


class StereoTimeline:
    """Records two channels onto one time line.

    Args:
        sample_rate: samples per second, of both channels.
        start: the instant of sample 0, monotonic seconds.
        file: binary, writable and seekable; it is not closed here.
    """

    def __init__(self, sample_rate: int, start: float, file: BinaryIO) -> None:
        self.sample_rate = sample_rate
        self._start = start
        self._file = file
        self._tolerance = round(JITTER_TOLERANCE * sample_rate)
        self._origin = 0  # index of the oldest sample in memory
        self._window: NDArray[np.int16] = np.zeros(((HOLD_SECONDS + 2) * sample_rate, 2), dtype="<i2")
        self._ends = [0, 0]  # per channel: index behind the last sample laid
        self._written = 0  # samples per channel in the file
        self._closed = False
        self.left_out = 0
        """Samples that were given and not laid: their place was written out, taken, or beyond the limits."""
        self._write_header()

    def __repr__(self) -> str:
        return f"<StereoTimeline {max(self._ends) / self.sample_rate:.3f} s at {self.sample_rate} Hz>"

    @property
    def duration(self) -> float:
        """From the start to the end of the last sample, seconds."""
        return max(self._ends) / self.sample_rate

    def add_left(self, pcm: NDArray[np.int16], instant: float) -> None:
        """Lays sound onto the left channel.

        Args:
            pcm: one-dimensional, 16 bits.
            instant: of its first sample, monotonic seconds.

        Raises:
            LocalError: not one-dimensional int16, or the recording is closed.
        """
        self._add(_LEFT, pcm, instant)

    def add_right(self, pcm: NDArray[np.int16], instant: float) -> None:
        """Lays sound onto the right channel; as `add_left`."""
        self._add(_RIGHT, pcm, instant)

    def _add(self, channel: int, pcm: NDArray[np.int16], instant: float) -> None:
        if self._closed or pcm.ndim != 1 or pcm.dtype != np.int16:
            raise LocalError("a recording takes one-dimensional int16 arrays until it is closed")
        position = self._position(channel, pcm, instant)
        if position < self._origin:
            skipped = min(len(pcm), self._origin - position)
            self.left_out += skipped
            pcm, position = pcm[skipped:], position + skipped
        kept = max(0, min(len(pcm), MAX_SECONDS * self.sample_rate - position))
        self.left_out += len(pcm) - kept
        for at in range(0, kept, self.sample_rate):
            self._lay(channel, pcm[at : min(kept, at + self.sample_rate)], position + at)

    def _position(self, channel: int, pcm: NDArray[np.int16], instant: float) -> int:
        """Index at which the chunk is to be laid; before the window if it is to be left out."""
        wanted = round((instant - self._start) * self.sample_rate)
        end = self._ends[channel]
        lead = end - wanted
        if lead < -self._tolerance or end == 0:
            return wanted
        is_paid_back = lead > self._tolerance and _is_quiet(pcm)
        if is_paid_back or lead > MAX_LEAD * self.sample_rate:
            return self._origin - len(pcm)
        return end

    def _lay(self, channel: int, pcm: NDArray[np.int16], position: int) -> None:
        end = position + len(pcm)
        while end > self._origin + len(self._window):
            self._write_second()
        self._window[position - self._origin : end - self._origin, channel] = pcm
        self._ends[channel] = end
        while max(self._ends) >= self._origin + (HOLD_SECONDS + 1) * self.sample_rate:
            self._write_second()

    def _write_second(self) -> None:
        """Moves the oldest second from memory into the file."""
        second = self.sample_rate
        self._append(self._window[:second])
        self._window[:-second] = self._window[second:]
        self._window[-second:] = 0
        self._origin += second

    def _append(self, samples: NDArray[np.int16]) -> None:
        self._file.write(samples.tobytes())
        self._written += len(samples)
        self._write_header()

    def _write_header(self) -> None:
        """The 44 octets before the samples, for what is in the file by now."""
        octets = self._written * _FRAME_OCTETS
        rate = self.sample_rate
        fields = (b"fmt ", 16, 1, 2, rate, rate * _FRAME_OCTETS, _FRAME_OCTETS, 16, b"data", octets)
        self._file.seek(0)
        self._file.write(_WAV_HEADER.pack(b"RIFF", octets + HEADER_OCTETS - 8, b"WAVE", *fields))
        self._file.seek(HEADER_OCTETS + octets)

    def close(self) -> None:
        """Writes what is left in memory; may be called again."""
        if not self._closed:
            self._closed = True
            self._append(self._window[: max(self._ends) - self._origin])


def _is_quiet(pcm: NDArray[np.int16]) -> bool:
    return not len(pcm) or bool(pcm.max() <= QUIET_PEAK and pcm.min() >= -QUIET_PEAK)
