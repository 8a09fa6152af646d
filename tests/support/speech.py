"""Sound for the tests of speech: tones in silence, noisy lines, and recorded voices when the corpora are there."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from offhook.codecs import resample
from offhook.simulator.voice_activity import active_level_dbov

CORPORA = Path(__file__).parents[3] / "shared" / "corpora" / "audio"
RATE = 8_000


def silence(seconds: float, rate: int = RATE) -> np.ndarray:
    """So many seconds of zeros."""
    return np.zeros(round(seconds * rate), np.int16)


def beep(seconds: float, level_dbov: float = -26.0, rate: int = RATE) -> np.ndarray:
    """A cosine of 400 Hz: loud from its first sample on."""
    phase = 2 * np.pi * 400 / rate * np.arange(round(seconds * rate))
    return np.rint(32768 * np.sqrt(2) * 10 ** (level_dbov / 20) * np.cos(phase)).astype(np.int16)


def noisy(pcm: np.ndarray, floor_dbov: float, seed: int = 7) -> np.ndarray:
    """The sound on a line whose noise has that level."""
    noise = np.random.default_rng(seed).normal(0, 32768 * 10 ** (floor_dbov / 20), pcm.size)
    return np.clip(np.rint(pcm + noise), -32768, 32767).astype(np.int16)


def recorded(name: str) -> np.ndarray:
    """A recorded voice at 8 kHz and -26 dBov; skips the test when the corpora are not there."""
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"no recorded speech at {path}")
    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        narrow = resample(pcm, file.getframerate(), RATE)
    gain = 10 ** ((-26 - active_level_dbov(narrow, RATE)) / 20)
    return np.clip(narrow * gain, -32768, 32767).astype(np.int16)


__all__ = ["CORPORA", "RATE", "beep", "noisy", "recorded", "silence"]
