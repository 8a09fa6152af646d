"""What is played when a packet is missing: packet loss concealment as in ITU-T G.711 Appendix I.

Speech repeats itself. When a frame is lost, the last *pitch period* heard is found by autocorrelation and repeated;
from 10 ms on the last two periods are repeated in turn, from 20 ms on the last three, so that a long gap does not buzz
on one note. The first 10 ms keep their level, each further 10 ms lose 20 % of it, and from 60 ms on there is silence:
a guess that old only disturbs. When sound comes back, what would have been played next is faded into it.

The Appendix delays all sound by 3.75 ms to be able to smooth the last heard samples into the first guessed ones. This
concealer adds **no delay**. The repeated periods are blended so that each runs into the next, as in the Appendix, but
the step between what was already played and the first period is taken out of the future instead of the past: it is
added to the first quarter of a period and fades to nothing there. A periodic sound has no such step, so nothing is
added to it.

On the good path a frame is copied into the history and passed through untouched; the search for the pitch happens once
per gap. The lengths of the Appendix are given for 8,000 samples/s and scale with the rate here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .base import Pcm

# ITU-T G.711 Appendix I, section I.2; all in seconds
SHORTEST_PITCH = 0.005  # 200 Hz
LONGEST_PITCH = 0.015  # 66 2/3 Hz
CORRELATED = 0.020  # how much of the latest sound is compared with what was before it
STAGE = 0.010  # what is repeated and how loud changes in steps of 10 ms
LIFE = 0.060  # after this a gap is silent
FADE_IN_PER_STAGE = 0.004  # what each 10 ms of gap add to the cross-fade into the returning sound
LONGEST_FADE_IN = 0.010  # seconds: where the growth of the cross-fade ends, as in Appendix I

LOSS_PER_STAGE = 0.2  # of the level, from the second stage on: nothing is left after five of them
MOST_PERIODS = 3  # that are repeated in turn
MAX_LOST_SECONDS = 60.0  # in one call; who misses more has lost the stream, and memory is not to be had for the asking

_Samples: TypeAlias = NDArray[np.float64]


class Concealer:
    """Conceals the gaps of one stream: tell it each frame in order of playout, heard or lost, and play what it returns.

    Attributes:
        sample_rate: Samples per second of the stream.
    """

    __slots__ = ("_end", "_envelope", "_gap", "_guess", "_past", "_pitch", "_span", "sample_rate")

    def __init__(self, sample_rate: int = 8_000) -> None:
        """Raises ValueError for a rate below 1,000 samples/s, where a quarter of a pitch period is no sample."""
        if sample_rate < 1_000:
            raise ValueError(f"concealment needs 1,000 samples/s or more, not {sample_rate}")
        self.sample_rate = sample_rate
        longest = self._samples(LONGEST_PITCH)
        # Three periods and the quarter before them (48.75 ms): more than the correlation looks at (35 ms).
        self._span = MOST_PERIODS * longest + longest // 4
        # The past is written from left to right and moved back when the right end is reached.
        self._past = np.zeros(8 * self._span, np.int16)
        self._end = self._span
        stages = np.arange(self._samples(LIFE)) / self._samples(STAGE)
        self._envelope = np.clip(1.0 - LOSS_PER_STAGE * (stages - 1.0), 0.0, 1.0)
        self._gap = 0  # samples of the present gap that were played
        self._guess: _Samples | None = None  # the whole continuation, made at the first loss of a gap
        self._pitch = 0

    def good(self, pcm: Pcm) -> Pcm:
        """Take a frame that was received; return what to play.

        That is the same array, or after a gap a new one whose beginning is faded in: a quarter period and 4 ms for each
        10 ms of gap, at most 10 ms. A first frame shorter than that is all fade.
        """
        if self._guess is not None and len(pcm):
            pcm = self._fade_in(pcm, self._guess)
            self._guess, self._gap = None, 0
        self._remember(pcm)
        return pcm

    def lost(self, samples: int) -> Pcm:
        """Return so many samples to play in place of sound that did not come.

        Raises:
            ValueError: The number is negative, or more than 60 s (MAX_LOST_SECONDS).
        """
        if not 0 <= samples <= MAX_LOST_SECONDS * self.sample_rate:
            raise ValueError(f"a gap has 0 to {MAX_LOST_SECONDS:.0f} s of samples, not {samples}")
        if self._guess is None:
            self._guess = self._continuation()
        played = _to_pcm(_cut(self._guess, self._gap, samples))
        self._gap += samples
        self._remember(played)
        return played

    def _samples(self, seconds: float) -> int:
        return round(seconds * self.sample_rate)

    def _remember(self, pcm: Pcm) -> None:
        """Keep the latest `_span` samples before `_end`."""
        pcm = pcm[-self._span :]
        if self._end + len(pcm) > len(self._past):
            self._past[: self._span] = self._past[self._end - self._span : self._end]
            self._end = self._span
        self._past[self._end : self._end + len(pcm)] = pcm
        self._end += len(pcm)

    def _continuation(self) -> _Samples:
        """How the sound goes on for `LIFE` seconds, if nothing more is heard of it."""
        past = self._past[self._end - self._span : self._end].astype(np.float64)
        self._pitch = pitch = self._find_pitch(past)
        quarter = pitch // 4
        stage, life = self._samples(STAGE), len(self._envelope)
        guess = _repeat(past, pitch, 1, 0, life)
        for periods in range(2, MOST_PERIODS + 1):
            start = (periods - 1) * stage
            longer = _repeat(past, pitch, periods, start, life - start)
            guess[start:] = _cross_fade(guess[start:], longer, quarter)
        step = past[-1] - past[-pitch - 1]
        guess[:quarter] += step * _falling(quarter)
        return guess * self._envelope

    def _find_pitch(self, past: _Samples) -> int:
        """The period, in samples, at which the latest sound resembles what was before it most."""
        shortest, longest = self._samples(SHORTEST_PITCH), self._samples(LONGEST_PITCH)
        compared = self._samples(CORRELATED)
        searched = past[-compared - longest : -shortest]
        total = np.concatenate([[0.0], np.cumsum(searched * searched)])
        energies = total[compared:] - total[:-compared]
        # A window of silence has no say: the floor of one step squared per sample keeps it from dividing by nothing.
        likeness = np.correlate(searched, past[-compared:], "valid") / np.sqrt(np.maximum(energies, compared))
        return shortest + int(np.argmax(likeness[::-1]))  # from the shortest period on: of equals it is the best

    def _fade_in(self, pcm: Pcm, guess: _Samples) -> Pcm:
        stages = self._gap / self._samples(STAGE)
        length = self._pitch // 4 + round(stages * self._samples(FADE_IN_PER_STAGE))
        length = min(length, self._samples(LONGEST_FADE_IN), len(pcm))
        blended = pcm.copy()
        blended[:length] = _to_pcm(_cross_fade(_cut(guess, self._gap, length), pcm[:length], length))
        return blended


def _repeat(past: _Samples, pitch: int, periods: int, start: int, length: int) -> _Samples:
    """The last periods over and over, from the phase that the first of them has `start` samples into the gap.

    The end of the stretch is blended into what came before its beginning, so that it runs into itself without a step.
    """
    quarter = pitch // 4
    stretch = past[-periods * pitch :].copy()
    before = past[-periods * pitch - quarter : -periods * pitch]
    stretch[-quarter:] = _cross_fade(stretch[-quarter:], before, quarter)
    return np.take(stretch, start % pitch + np.arange(length), mode="wrap")


def _cross_fade(out: _Samples, into: NDArray[np.generic], length: int) -> _Samples:
    """The one sound going over into the other within the first samples (overlap-add with straight flanks)."""
    faded = into.astype(np.float64)
    falling = _falling(length)
    faded[:length] = out[:length] * falling + faded[:length] * (1.0 - falling)
    return faded


def _falling(length: int) -> _Samples:
    """From just below one to just above nothing."""
    return np.arange(length, 0, -1) / (length + 1)


def _cut(guess: _Samples, start: int, length: int) -> _Samples:
    """A piece of the guess; silence where it has ended."""
    piece = guess[start : start + length]
    return np.concatenate([piece, np.zeros(length - len(piece))])


def _to_pcm(samples: _Samples) -> Pcm:
    return np.clip(np.rint(samples), -32_768, 32_767).astype(np.int16)
