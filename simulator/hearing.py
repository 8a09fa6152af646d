"""Ears on the wire: what the other side says, as it arrives, with the instant of each edge of its speech.

A :class:`Hearing` observes the media of a call. Each accepted packet is decoded, put on a :class:`~.wire_track.WireTrack`
for measuring afterwards, and fed to a :class:`~.voice_activity.SpeechDetector` for taking turns now. The jitter buffer has
no part in it: what is told is when sound was on the wire.

The detector wants a stream without holes. Lost packets are silence in it, and so is a peer that stops sending: our own
packets, which leave each 20 ms, serve as the clock that notices it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from offhook.codecs import codec
from offhook.rtp import Unwrapper

from .voice_activity import SpeechDetector, SpeechEnded, SpeechEvent, SpeechStarted
from .wire_track import WireTrack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from offhook.codecs import AudioCodec
    from offhook.rtp import Received
    from offhook.sipcore.sdp import Codec

SILENT_AFTER: Final = 0.1  # seconds without a packet, after which the peer is taken to be silent
MAX_HOLE: Final = 2.0  # seconds of silence that one packet's timestamp can make; a longer jump is a new beginning
_REMEMBERED: Final = 512  # packets (10 s) for which the way from a position in the stream to the wire is known


class Hearing:
    """Hears one call; a :class:`~offhook.media.WireObserver`.

    Args:
        types: what may arrive, by payload type.
        detector: told apart speech from other sound, at the codec's sample rate.
        heard: called with each edge of speech and its instant on the wire.
    """

    def __init__(
        self,
        types: Mapping[int, Codec],
        detector: SpeechDetector,
        heard: Callable[[SpeechEvent, float], None],
    ) -> None:
        self._decoders: dict[int, AudioCodec] = {
            number: codec(kind.name) for number, kind in types.items() if not kind.is_companion
        }
        first = next(iter(self._decoders.values()))
        self._rate = first.sample_rate
        self._clock_rate = first.clock_rate
        self.track = WireTrack(self._rate, clock_rate=self._clock_rate)
        self._detector = detector
        self._heard = heard
        self._unwrap = Unwrapper(32)
        self._next_timestamp: int | None = None
        self._fed = 0  # samples
        self._places: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)  # position in the stream, instant
        self._last_instant: float | None = None

    def arrived(self, packet: Received, instant: float) -> None:
        """A packet of the peer was accepted."""
        decoder = self._decoders.get(packet.payload_type)
        if decoder is None:
            return
        pcm = decoder.decode(packet.payload)
        timestamp = self._unwrap.unwrap(packet.timestamp)
        self.track.add(instant, pcm, timestamp=timestamp)
        hole = self._hole_before(timestamp)
        if hole is None:
            return  # overtaken: it stands on the track, but the detector has passed its place
        if hole:
            self._feed(np.zeros(hole, np.int16), instant - hole / self._rate)
        self._next_timestamp = timestamp + len(pcm) * self._clock_rate // self._rate
        self._last_instant = instant
        self._feed(pcm, instant)

    def sent(self, payload_type: int, payload: bytes, timestamp: int, instant: float) -> None:
        """A packet of ours left; if the peer has been silent for long, its silence is heard up to now."""
        del payload_type, payload, timestamp
        if self._last_instant is None or instant - self._last_instant < SILENT_AFTER:
            return
        missing = round((instant - self._last_instant - SILENT_AFTER / 2) * self._rate)
        self._feed(np.zeros(missing, np.int16), self._last_instant)
        if self._next_timestamp is not None:
            self._next_timestamp += missing * self._clock_rate // self._rate
        self._last_instant += missing / self._rate

    def _hole_before(self, timestamp: int) -> int | None:
        """Samples that are missing before this packet; None when its place has been passed."""
        if self._next_timestamp is None:
            return 0
        missing = (timestamp - self._next_timestamp) * self._rate // self._clock_rate
        if missing < 0:
            return None if missing > -MAX_HOLE * self._rate else 0
        return missing if missing <= MAX_HOLE * self._rate else 0

    def _feed(self, pcm: NDArray[np.int16], instant: float) -> None:
        self._places.append((self._fed, instant))
        self._fed += len(pcm)
        for event in self._detector.receive_audio(pcm):
            self._heard(event, self._instant_of(event))

    def _instant_of(self, event: SpeechEvent) -> float:
        """From a position in the stream to the wire; an end belongs to the packet that carried the last sample."""
        sample = event.at_sample - (1 if isinstance(event, SpeechEnded) else 0)
        for place, instant in reversed(self._places):
            if place <= sample:
                return instant + (event.at_sample - place) / self._rate
        place, instant = self._places[0]
        return instant + (event.at_sample - place) / self._rate


__all__ = ["Hearing", "SpeechEnded", "SpeechStarted"]
