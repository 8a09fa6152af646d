"""Tones that a telephone knows: test tones, DTMF, and the cadences of ringing and busy.

Levels are in dBm0 for *each* frequency of a tone, on the scale of `levels`: a full-scale sine of 16-bit samples is at
+3.14 dBm0. By that scale G.711's digital milliwatt, a sine of 1,000 Hz at 0 dBm0, has a peak of 22,826. Each burst
rises and falls within 5 ms along a raised cosine, so that it does not click.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from .levels import FULL_SCALE, FULL_SCALE_SINE_DBM0

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .base import Pcm

EDGE_SECONDS = 0.005
MAX_TONE_SECONDS = 600.0  # ten minutes: longer is `cadence`, which needs no memory for it

# ITU-T Q.23: the signal of a push-button is one frequency of a low group, by its row, and one of a high group, by its
# column.
_Q23_ROWS = (697.0, 770.0, 852.0, 941.0)
_Q23_COLUMNS = (1209.0, 1336.0, 1477.0, 1633.0)
_KEYPAD = ("123A", "456B", "789C", "*0#D")
DTMF_FREQUENCIES: Final[Mapping[str, tuple[float, float]]] = {
    key: (row, column)
    for row, keys in zip(_Q23_ROWS, _KEYPAD, strict=True)
    for column, key in zip(_Q23_COLUMNS, keys, strict=True)
}
"""The low and the high frequency (hertz) of each of the sixteen digits."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """A tone that comes and goes."""

    frequencies: tuple[float, ...]
    """In hertz, sounding together."""
    on_seconds: float
    off_seconds: float
    level_dbm0: float
    """Of each frequency."""


# Europe: ITU-T E.180, 425 Hz at -10 dBm0, the ringing tone of most administrations 1 s on and 4 s off.
# United States: the Precise Tone Plan (ANSI T1.401), ringing -19 dBm0 and busy -24 dBm0 for each frequency.
RINGBACK: Final[Mapping[str, Cadence]] = {
    "europe": Cadence((425.0,), 1.0, 4.0, -10.0),
    "us": Cadence((440.0, 480.0), 2.0, 4.0, -19.0),
}
"""What a caller hears while the callee's telephone rings."""
BUSY: Final[Mapping[str, Cadence]] = {
    "europe": Cadence((425.0,), 0.5, 0.5, -10.0),
    "us": Cadence((480.0, 620.0), 0.5, 0.5, -24.0),
}
"""What a caller hears when the callee is engaged."""


def tone(
    frequencies: float | Sequence[float], seconds: float, sample_rate: int = 8_000, level_dbm0: float = -10.0
) -> Pcm:
    """Make a tone of one or more frequencies (hertz), each at the level given.

    Raises:
        ValueError: A frequency is not between 0 and half the sample rate; the tone lasts longer than 600 s
            (MAX_TONE_SECONDS) or less than nothing; or the frequencies together would exceed 16 bits.
    """
    pitches = (frequencies,) if isinstance(frequencies, int | float) else tuple(frequencies)
    if not 0 <= seconds <= MAX_TONE_SECONDS:
        raise ValueError(f"a tone lasts 0 to {MAX_TONE_SECONDS:.0f} s, not {seconds}")
    if not all(0 < pitch < sample_rate / 2 for pitch in pitches):
        raise ValueError(f"{pitches} Hz are not all between 0 and half of {sample_rate} samples/s")
    peak = FULL_SCALE * 10 ** ((level_dbm0 - FULL_SCALE_SINE_DBM0) / 20)
    if len(pitches) * peak >= FULL_SCALE:
        raise ValueError(f"{len(pitches)} x {level_dbm0} dBm0 would exceed 16 bits")
    turns = np.arange(round(seconds * sample_rate)) / sample_rate
    samples = np.zeros(len(turns))
    for pitch in pitches:
        samples += peak * np.sin(2 * np.pi * pitch * turns)
    _soften(samples, round(EDGE_SECONDS * sample_rate))
    return np.rint(samples).astype(np.int16)


def dtmf_tone(digit: str, seconds: float = 0.1, sample_rate: int = 8_000, level_dbm0: float = -10.0) -> Pcm:
    """Make the tone of a digit, `0-9 * # A-D` (ITU-T Q.23), each of its two frequencies at the level given.

    Raises:
        ValueError: There is no such digit, or as for `tone`.
    """
    frequencies = DTMF_FREQUENCIES.get(digit.upper())
    if frequencies is None:
        raise ValueError(f"no DTMF digit is {digit!r}; there are {''.join(DTMF_FREQUENCIES)}")
    return tone(frequencies, seconds, sample_rate, level_dbm0)


def cadence(pattern: Cadence, sample_rate: int = 8_000, frame_samples: int = 160) -> Iterator[Pcm]:
    """Yield a cadence frame by frame, without end, beginning with sound.

    Raises:
        ValueError: A frame has less than one sample; the pause is longer than 600 s or less than nothing; there is
            neither sound nor pause; or as for `tone`.
    """
    if frame_samples < 1:
        raise ValueError(f"a frame has one sample or more, not {frame_samples}")
    if not 0 <= pattern.off_seconds <= MAX_TONE_SECONDS:
        raise ValueError(f"a pause lasts 0 to {MAX_TONE_SECONDS:.0f} s, not {pattern.off_seconds}")
    sound = tone(pattern.frequencies, pattern.on_seconds, sample_rate, pattern.level_dbm0)
    period = np.concatenate([sound, np.zeros(round(pattern.off_seconds * sample_rate), np.int16)])
    if not len(period):
        raise ValueError("a cadence needs sound or pause")
    return _frames_of(period, frame_samples)


def _frames_of(period: Pcm, frame_samples: int) -> Iterator[Pcm]:
    position = 0
    within = np.arange(frame_samples)
    while True:
        yield period.take(position + within, mode="wrap")
        position = (position + frame_samples) % len(period)


def _soften(samples: np.ndarray[tuple[int], np.dtype[np.float64]], edge: int) -> None:
    """Let the sound rise and fall along a raised cosine, in place."""
    edge = min(edge, len(samples) // 2)
    rising = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge) if edge else np.empty(0)
    samples[:edge] *= rising
    samples[len(samples) - edge :] *= rising[::-1]
