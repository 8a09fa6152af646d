"""When each sample of one direction of a call was on the wire.

**The convention, told once, here.** *A sample's instant is the instant of the packet that carries it plus the
sample's offset inside that packet.* It is the moment at which a listener without any buffer would hear it. It holds
for what we send (instant: the packet left our socket) and for what we receive (instant: it arrived at our socket),
so the difference of two instants contains no jitter buffer, neither ours nor an imagined one.

Two times meet in a track. Where a sample stands in the *stream* is told by RTP timestamps: packets that were lost or
never sent leave silence there, packets that were overtaken go to their place. When it was on the *wire* is told by
the packets' instants. `pcm` is the stream, without holes, for whoever looks for speech in it; `instant_of` leads from
a position in it back to the wire.

A sender's timestamps may lie: some stand still while an agent thinks, some start anew after a re-INVITE. When a
packet's step on the stream differs from its step on the wire by more than RE_ANCHOR, the wire is believed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SAMPLES = 2 * 3600 * 8000
"""Samples of one track: two hours at 8 kHz, 115 MB if all of them are spoken."""

MAX_PACKETS = 1_000_000
"""Packets of one track: two hours are 360,000 of 20 ms; packets of a sample each must not cost more than sound."""

RE_ANCHOR = 0.5
"""Seconds. Larger than any reordering, not larger than the gap that still belongs to one segment of speech."""

_FIRST_SECONDS = 8  # of room at the start; it doubles


class TrackDrop(StrEnum):
    """Why a packet is not on a track."""

    EMPTY = "it carries no samples"
    DUPLICATE = "a packet with its timestamp is on the track already"
    BEFORE_START = "it belongs before the start of the track by more than reordering explains"
    FULL = "the track holds as much as it may"


class WireTrack:
    """Samples of one direction, on a stream without holes, each with its instant on the wire.

    Args:
        sample_rate: samples per second of what is added.
        clock_rate: RTP ticks per second; equal to `sample_rate` unless told (G.722: 8000 ticks, 16000 samples).
        max_samples: bound of the stream, in samples.
        max_packets: bound of the packets remembered.
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        clock_rate: int | None = None,
        max_samples: int = MAX_SAMPLES,
        max_packets: int = MAX_PACKETS,
    ) -> None:
        self.sample_rate = sample_rate
        self._clock_rate = clock_rate or sample_rate
        self._max_samples = max_samples
        self._max_packets = max_packets
        self._re_anchor = round(RE_ANCHOR * sample_rate)
        # Positions inside `_sound` are places; place 0 leaves room for packets that the first one overtook.
        self._sound = np.zeros(_FIRST_SECONDS * sample_rate, np.int16)
        self._places: array[int] = array("q")  # of the packets, ascending
        self._instants: array[float] = array("d")  # of the same packets
        self._end = 0  # place one past the last sample
        self._latest: tuple[int, float, int] | None = None  # timestamp, instant, place of the packet added last
        self.drops: dict[TrackDrop, int] = dict.fromkeys(TrackDrop, 0)

    def __len__(self) -> int:
        """Samples of the stream, holes included."""
        return self._end - self._places[0] if self._places else 0

    def __repr__(self) -> str:
        """One line for logs and tests."""
        dropped = sum(self.drops.values())
        seconds = len(self) / self.sample_rate
        return f"<WireTrack {seconds:.3f} s, {len(self._places)} packets, {dropped} dropped>"

    @property
    def packets(self) -> int:
        """Packets on the track."""
        return len(self._places)

    def add(self, instant: float, pcm: NDArray[np.int16], *, timestamp: int) -> TrackDrop | None:
        """Put one packet where it belongs, in the order of arrival or of sending.

        Args:
            instant: monotonic seconds at which the packet was on the wire.
            pcm: its samples, int16.
            timestamp: its RTP timestamp in ticks, unwrapped to an ever-growing integer.

        Returns:
            None when it is on the track, else why not; drops are counted in `drops`.
        """
        reason = self._place(instant, pcm, timestamp)
        if reason is not None:
            self.drops[reason] += 1
        return reason

    @property
    def pcm(self) -> NDArray[np.int16]:
        """The stream from its first sample to its last, zeros where no packet was. A view: copy it to keep it."""
        view = self._sound[self._places[0] : self._end] if self._places else self._sound[:0]
        view.flags.writeable = False
        return view

    def instant_of(self, sample: int) -> float:
        """Instant at which the sample at position `sample` of `pcm` was on the wire, monotonic seconds.

        Where no packet carried it (a hole, or one past the end) the packet before it is thought to go on.

        Raises:
            IndexError: the position is not on the stream; one past its end is.
        """
        if not (self._places and 0 <= sample <= len(self)):
            raise IndexError(f"sample {sample} of a track of {len(self)}")
        place = self._places[0] + sample
        packet = bisect_right(self._places, place) - 1
        return self._instants[packet] + (place - self._places[packet]) / self.sample_rate

    def end_instant_of(self, sample: int) -> float:
        """Instant at which the sample *before* `sample` was over: for the ends of segments, one past their last.

        It differs from `instant_of` where the next packet was late: a segment's end belongs to the packet that
        carried its last sample.

        Raises:
            IndexError: there is no sample before `sample`.
        """
        return self.instant_of(sample - 1) + 1.0 / self.sample_rate

    def _place(self, instant: float, pcm: NDArray[np.int16], timestamp: int) -> TrackDrop | None:
        if not pcm.size:
            return TrackDrop.EMPTY
        place = self._expected_place(instant, timestamp)
        if place < 0:
            return TrackDrop.BEFORE_START
        first = self._places[0] if self._places else place
        end = max(self._end, place + pcm.size)
        if end - min(first, place) > self._max_samples or len(self._places) >= self._max_packets:
            return TrackDrop.FULL
        at = bisect_left(self._places, place)
        if at < len(self._places) and self._places[at] == place:
            return TrackDrop.DUPLICATE
        self._grow(end)
        self._places.insert(at, place)
        self._instants.insert(at, instant)
        self._sound[place : place + pcm.size] = pcm
        self._end = end
        self._latest = timestamp, instant, place
        return None

    def _expected_place(self, instant: float, timestamp: int) -> int:
        if self._latest is None:
            return self._re_anchor
        last_timestamp, last_instant, last_place = self._latest
        step = (timestamp - last_timestamp) * self.sample_rate // self._clock_rate
        on_the_wire = round((instant - last_instant) * self.sample_rate)
        if abs(step - on_the_wire) <= self._re_anchor:
            return last_place + step
        return max(self._end, last_place + on_the_wire)

    def _grow(self, needed: int) -> None:
        size = self._sound.size
        if needed <= size:
            return
        while size < needed:
            size *= 2
        size = min(size, self._max_samples + self._re_anchor)
        sound = np.zeros(size, np.int16)
        sound[: self._sound.size] = self._sound
        self._sound = sound
