"""One thing said: its text, its samples, and where in them the sound really is.

Synthesisers put silence before and after what they say. It stays in the samples, because it makes speech sound
natural, but a latency counted from the end of the file instead of the end of the sound would be wrong by it.
So `Speech` knows both.

    SpeechError
    ├── SpeechUnavailable   the synthesiser is not there (an extra that is not installed)
    └── SpeechFailed        the synthesiser is there and refused
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import soxr

from offhook.simulator.voice_activity import active_level_dbov, edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEECH_LEVEL_DBOV = -26.0
"""dBov of active speech: the nominal level of ITU-T P.56 measurements and test material."""

MAX_TEXT_CHARACTERS = 10_000
"""Characters of one utterance: about ten minutes at 175 words per minute, and no telephone turn has more."""

_FULL_SCALE = 32767.0  # the largest magnitude that both signs of int16 can hold


class SpeechError(Exception):
    """Text could not be made into sound."""


class SpeechUnavailable(SpeechError):
    """The synthesiser is not installed; the message says what to install."""


class SpeechFailed(SpeechError):
    """The synthesiser refused a voice, a rate or a text."""


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """What was said, as sound. Shared between calls, so the samples are read-only."""

    text: str
    pcm: NDArray[np.int16]
    """One-dimensional samples, leading and trailing silence included."""
    sample_rate: int
    """Samples per second."""
    onset: int
    """Position of the first audible sample; 0 when nothing is audible."""
    end: int
    """Position one past the last audible sample; 0 when nothing is audible."""

    @classmethod
    def of(cls, text: str, pcm: NDArray[np.int16], sample_rate: int) -> Speech:
        """Find the edges of `pcm` by the shared rule and freeze it."""
        onset, end = edges(pcm, sample_rate) or (0, 0)
        pcm.flags.writeable = False
        return cls(text, pcm, sample_rate, onset, end)

    @property
    def duration(self) -> float:
        """Seconds of all samples."""
        return self.pcm.size / self.sample_rate

    @property
    def audible_duration(self) -> float:
        """Seconds from the first to the last audible sample."""
        return (self.end - self.onset) / self.sample_rate


class Voice(Protocol):
    """Somebody who can say text."""

    async def say(self, text: str) -> Speech:
        """Make sound of `text`.

        Raises:
            SpeechFailed: the text was refused.
        """
        ...


def levelled(pcm: NDArray[np.int16], sample_rate: int, wanted_rate: int, level_dbov: float | None) -> NDArray[np.int16]:
    """Bring sound to a rate (samples per second) and its active speech to a level (dBov; None leaves it).

    Where the level would clip the peaks, the gain stops short of that: softer is better than distorted.
    """
    if not pcm.size:
        return pcm.copy()
    sound: NDArray[np.float64] = soxr.resample(pcm.astype(np.float64), sample_rate, wanted_rate, quality="HQ")
    peak = float(np.max(np.abs(sound), initial=0.0))
    if not peak:
        return np.zeros(sound.size, np.int16)
    loudest = _FULL_SCALE / peak
    gain = 1.0
    if level_dbov is not None:
        gain = 10.0 ** ((level_dbov - active_level_dbov(sound, wanted_rate)) / 20.0)
    return np.rint(sound * min(gain, loudest)).astype(np.int16)
