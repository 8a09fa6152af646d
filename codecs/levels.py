"""How loud is it, and is there a tone in it: levels of PCM in decibels.

*dBov* counts from the overload point: a square wave between the largest samples is at 0 dBov, a sine with the same
peaks at -3.01 dBov. This is the scale of RFC 6464 section 3 ("expressed in -dBov, with values from 0 to 127"), of voice activity
and of mixing, and it ends at -127 dBov, which also stands for perfect silence.

*dBm0* counts from the digital milliwatt of telephony. ITU-T G.711 puts the largest sine that A-law can carry at
+3.14 dBm0 (mu-law: +3.17). Offhook takes +3.14 dBm0 for a full-scale sine of int16 samples, whatever the codec, so
0 dBm0 = -6.15 dBov.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .base import Pcm

FULL_SCALE = 32_768.0  # the overload point of 16-bit samples
FLOOR_DBOV = -127.0  # RFC 6464 section 3: 127 is the quietest level that can be told
FULL_SCALE_SINE_DBM0 = 3.14  # ITU-T G.711, the theoretical load capacity of A-law
FULL_SCALE_SINE_DBOV = 10 * math.log10(0.5)


def rms_dbov(pcm: Pcm) -> float:
    """The root-mean-square level in dBov, -127.0 to 0.0; nothing at all is silence."""
    return _dbov(_power(pcm))


def goertzel(pcm: Pcm, frequency: float, sample_rate: int) -> float:
    """The level in dBov of the part of the sound that has one frequency (hertz).

    Goertzel's question, answered by fitting a sine of that frequency (least squares): unlike his filter it is exact
    where the frequency does not fit the length. What lies nearer than about `sample_rate / len(pcm)` hertz is not told
    apart.

    Raises:
        ValueError: The frequency is not between 0 and half the sample rate, exclusive.
    """
    return _dbov(_tone_power(pcm, frequency, sample_rate))


def tone_present(pcm: Pcm, frequency: float, sample_rate: int, min_snr_db: float = 10.0) -> bool:
    """Whether a tone (hertz) lasts through this sound and stands above all the rest by so many decibels.

    Raises:
        ValueError: The frequency is not between 0 and half the sample rate, exclusive.
    """
    tone = _tone_power(pcm, frequency, sample_rate)
    rest = max(_power(pcm) - tone, 0.0)
    return tone > 0.0 and tone >= rest * 10 ** (min_snr_db / 10)


def _power(pcm: Pcm) -> float:
    """The mean square, as a share of the overload point's."""
    if not len(pcm):
        return 0.0
    samples = pcm.astype(np.float64)
    return float(samples @ samples) / len(pcm) / FULL_SCALE**2


def _tone_power(pcm: Pcm, frequency: float, sample_rate: int) -> float:
    if not 0 < frequency < sample_rate / 2:
        raise ValueError(f"{frequency} Hz is not between 0 and half of {sample_rate} samples/s")
    if not len(pcm):
        return 0.0
    phase = 2 * np.pi * frequency / sample_rate * np.arange(len(pcm))
    waves = np.column_stack([np.cos(phase), np.sin(phase)])
    amplitudes = np.linalg.lstsq(waves, pcm.astype(np.float64), rcond=None)[0]
    fitted = waves @ amplitudes
    return float(fitted @ fitted) / len(pcm) / FULL_SCALE**2


def _dbov(power: float) -> float:
    return max(10 * math.log10(power), FLOOR_DBOV) if power > 0 else FLOOR_DBOV
