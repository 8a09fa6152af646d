"""Ears on the wire: what the other side says, as it arrives, with the instant of each edge of its speech.

A :class:`Hearing` observes the media of a call. Each accepted packet is decoded and fed to a
:class:`~.voice_activity.SpeechDetector`. The jitter buffer has no part in it: what is told is when sound was on the wire, by
the convention of :mod:`~.wire_track`.

The detector wants a stream without holes, so silence is made up where no packets are. Before a packet whose timestamp jumps
ahead it is known (lost packets, and silence that was not sent). While nothing comes at all it is guessed: our own packets, which
leave each 20 ms, serve as the clock that notices a peer which has fallen silent. When the guess was wrong, because the packets
were only held up, they are heard when they come: on the wire there *was* a pause before them.

Positions in the detector's stream are led back to the wire by the packets they came with, so made-up silence moves no edge.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from offhook.codecs import codec
from offhook.rtp import Unwrapper

from .voice_activity import SpeechDetector, SpeechEnded, SpeechEvent, SpeechStarted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from offhook.codecs import AudioCodec
    from offhook.rtp import Received
    from offhook.sipcore.sdp import Codec

    from .wire_track import WireTrack

SILENT_AFTER: Final = 0.1  # seconds without a packet, after which the peer is taken to be silent
HELD_BACK: Final = 0.05  # seconds of silence that are not made up yet: a packet for them may be on its way
MAX_HOLE: Final = 2.0  # seconds that a timestamp may jump; a longer jump is a new beginning
MAX_PACKET: Final = 0.5  # seconds of sound in one packet; nobody sends more, and listening to it takes time
_REMEMBERED: Final = (
    512  # pieces (10 s of packets) for which the way from a position in the stream to the wire is known
)


class HearingDrop(StrEnum):
    """Why an accepted packet was not heard."""

    NOT_SOUND = "its payload type is no sound that was agreed on"
    TOO_LONG = "it holds more sound than a packet may"
    OVERTAKEN = "the sound after it was heard already"


class Hearing:
    """Hears one call; a :class:`~offhook.media.WireObserver`.

    Args:
        types: asked for what may arrive, by payload type: at once, and when an unknown type comes (a re-INVITE adds some).
        detector: tells speech from other sound, at the codec's sample rate.
        heard: called with each edge of speech and its instant on the wire, seconds.
        track: keeps the sound for later, when it is given.

    Attributes:
        last_arrival: instant of the last packet of sound, seconds; None while none came.
        drops: packets that were not heard, by reason.
    """

    def __init__(
        self,
        types: Callable[[], Mapping[int, Codec]],
        detector: SpeechDetector,
        heard: Callable[[SpeechEvent, float], None],
        track: WireTrack | None = None,
    ) -> None:
        self._types = types
        self._decoders: dict[int, AudioCodec] = {}
        self._learn()
        first = next(iter(self._decoders.values()))
        self._rate = first.sample_rate
        self._clock_rate = first.clock_rate
        self._detector = detector
        self._heard = heard
        self._track = track
        self._unwrap = Unwrapper(32)
        self._ssrc: int | None = None
        self._next_timestamp = 0  # ticks; that of the packet which would leave no hole
        self._made_up = 0  # ticks before it that are guessed silence, for which packets may still come
        self._fed = 0  # samples
        self._fed_until = 0.0  # the instant at which what was fed is over
        self._places: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)  # position in the stream, instant
        self.last_arrival: float | None = None
        self.drops: dict[HearingDrop, int] = dict.fromkeys(HearingDrop, 0)

    def arrived(self, packet: Received, instant: float) -> None:
        """A packet of the peer was accepted; ``instant`` is when the kernel saw it."""
        if packet.payload_type not in self._decoders:
            self._learn()
        decoder = self._decoders.get(packet.payload_type)
        if decoder is None:
            self.drops[HearingDrop.NOT_SOUND] += 1
            return
        if len(packet.payload) > MAX_PACKET * self._rate:  # no codec has more samples than octets
            self.drops[HearingDrop.TOO_LONG] += 1
            return
        pcm = decoder.decode(packet.payload)
        timestamp = self._unwrap.unwrap(packet.timestamp)
        if self._track is not None:
            self._track.add(instant, pcm, timestamp=timestamp)
        hole = self._hole_before(timestamp, packet.ssrc, instant)
        if hole is None:
            self.drops[HearingDrop.OVERTAKEN] += 1
            return
        self._feed_silence(hole, instant - hole / self._rate)
        self._feed(pcm, instant)
        self._next_timestamp = timestamp + self._ticks(len(pcm))
        self._made_up = 0
        self._ssrc = packet.ssrc
        self.last_arrival = instant

    def sent(self, payload_type: int, payload: bytes, timestamp: int, instant: float) -> None:
        """A packet of ours left: so much time has passed."""
        del payload_type, payload, timestamp
        self.passed(instant)

    def passed(self, now: float) -> None:
        """Time has passed; if the peer sent nothing in it, its silence is heard."""
        if self.last_arrival is None or now - self._fed_until < SILENT_AFTER:
            return
        missing = round((now - self._fed_until - HELD_BACK) * self._rate)
        self._feed_silence(missing, self._fed_until)
        self._next_timestamp += self._ticks(missing)
        self._made_up += self._ticks(missing)

    def finish(self) -> None:
        """The call is over: speech that goes on ends where the last packet did."""
        for event in self._detector.finish():
            self._heard(event, self._instant_of(event))

    def _learn(self) -> None:
        for number, kind in self._types().items():
            if number not in self._decoders and not kind.is_companion:
                self._decoders[number] = codec(kind.name)

    def _hole_before(self, timestamp: int, ssrc: int, instant: float) -> int | None:
        """Samples that are missing before this packet; None when its place has been passed."""
        if self.last_arrival is None:
            return 0
        missing, guessed = self._samples(timestamp - self._next_timestamp), self._samples(self._made_up)
        longest = MAX_HOLE * self._rate
        is_new = ssrc != self._ssrc or missing > longest or missing < -longest - guessed
        if not is_new and missing >= 0:
            return missing
        if not is_new and missing < -guessed:
            return None
        # A new beginning, whose timestamps have nothing to do with those before, or held up: the wire tells the gap.
        return round(min(max(0.0, instant - self._fed_until), MAX_HOLE) * self._rate)

    def _ticks(self, samples: int) -> int:
        return samples * self._clock_rate // self._rate

    def _samples(self, ticks: int) -> int:
        return ticks * self._rate // self._clock_rate

    def _feed_silence(self, samples: int, instant: float) -> None:
        """In pieces, because a long pause must not be one array; nothing for no samples."""
        most = round(MAX_HOLE * self._rate)
        for begin in range(0, samples, most):
            self._feed(np.zeros(min(most, samples - begin), np.int16), instant + begin / self._rate)

    def _feed(self, pcm: NDArray[np.int16], instant: float) -> None:
        self._places.append((self._fed, instant))
        self._fed += len(pcm)
        self._fed_until = instant + len(pcm) / self._rate
        for event in self._detector.receive_audio(pcm):
            self._heard(event, self._instant_of(event))

    def _instant_of(self, event: SpeechEvent) -> float:
        """From a position in the stream to the wire; an end belongs to the packet that carried the last sample."""
        sample = event.at_sample - isinstance(event, SpeechEnded)
        place, instant = next((p for p in reversed(self._places) if p[0] <= sample), self._places[0])
        return instant + (event.at_sample - place) / self._rate


__all__ = ["Hearing", "HearingDrop", "SpeechEnded", "SpeechStarted"]
