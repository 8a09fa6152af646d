"""When somebody speaks: one rule for audible edges, one streaming detector that stands on it.

Turn latency is a difference of two instants: the last audible sample that was sent and the first audible sample
that came back. Both must be found by the same rule, or the difference holds the disagreement of two rules.
The rule is `edges`: a window of 5 ms slides over the samples, one sample at a time; where its mean power reaches
the threshold it is *audible*; inside audible windows, the first and the last sample whose own magnitude reaches the
threshold are the edges. Short windows make it exact to a few samples on a clean onset and never wrong by more than
one window; the mean over the window keeps single noise peaks from passing for speech.

Levels are in dBov (RFC 6464 section 3, "the level at which the payload is overloaded"): 0 dBov is the power of a
full-scale square wave, so a full-scale sine has -3.01 dBov.

`SpeechDetector` tells speech from other sound while it streams. A scorer gives one probability per step (Silero:
32 ms; energy: 10 ms), hysteresis and durations make speech out of probabilities, and each edge is then moved to the
edge of the audible run it lies in, so the coarse step of the model does not show in the result:

    silence --(probability >= start)--> candidate --(min_speech voiced)--> speaking, SpeechStarted
    candidate --(BRIDGE without voice)--> silence: a click
    speaking --(hangover without voice)--> silence, SpeechEnded

Where the sound is audible without a break (noise louder than the threshold) the rule has nothing to say and the
scorer's own estimate stays.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from offhook.codecs.levels import FLOOR_DBOV, FULL_SCALE

from .voice_probability import EnergyProbability, SileroProbability

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .voice_probability import Probability

THRESHOLD_DBOV = -50.0
"""dBov. Ten dB above a noisy line's floor (-60), and far below the softest consonants of speech at -26."""

WINDOW = 0.005
"""Seconds. Two periods of a low voice's pitch would be 20; 5 ms is what an edge may be wrong by in noise."""

BRIDGE = 0.1
"""Seconds. The closure of a plosive inside a word is shorter, a pause between words that matters is longer."""

LOOKBACK = 0.25
"""Seconds that an edge may be moved by: a model needs up to a few steps of 32 ms to make up its mind."""

MAX_DURATION = 10.0
"""Seconds that `min_speech` and `hangover` may be: they bound the audio the detector keeps."""

RIM = 0.02
"""Seconds. Sound that reaches this close to the border of what was looked at does not end there: noise has no gaps."""

_BLOCK_SAMPLES = 65_536  # looked at in one go by `edges`, so that two hours of sound need no gigabyte of squares
_ACTIVE_MARGIN_DB = 15.9  # ITU-T P.56 section 7: the margin between active level and activity threshold


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began."""

    at_sample: int
    """Position of the first audible sample in the stream that was fed, counted from 0."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Speech ended."""

    at_sample: int
    """Position one past the last audible sample in the stream that was fed."""


SpeechEvent = SpeechStarted | SpeechEnded


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What counts as speech. Durations are seconds, probabilities lie between 0 and 1.

    Raises:
        ValueError: a probability outside 0..1, an end above its start, a duration below 0 or above MAX_DURATION.
    """

    start_probability: float = 0.5
    """A step at or above this begins speech."""
    end_probability: float = 0.35
    """Once begun, a step at or above this continues it."""
    min_speech: float = 0.06
    """Less voice than this is a click."""
    hangover: float = 0.2
    """This long without voice ends speech. Below the 0.3 s of silence that prove that a barge-in was obeyed."""
    threshold_dbov: float = THRESHOLD_DBOV
    """The edge rule's threshold, and the energy scorer's."""

    def __post_init__(self) -> None:
        """Refuse what can never detect anything."""
        if not 0.0 <= self.end_probability <= self.start_probability <= 1.0:
            raise ValueError("0 <= end_probability <= start_probability <= 1 does not hold")
        if not (0.0 <= self.min_speech <= MAX_DURATION and 0.0 <= self.hangover <= MAX_DURATION):
            raise ValueError(f"min_speech and hangover lie between 0 and {MAX_DURATION} seconds")


def active_level_dbov(pcm: NDArray[np.int16] | NDArray[np.float64], sample_rate: int) -> float:
    """Speech level in dBov while speech is active: pauses do not count.

    In the manner of ITU-T P.56: blocks of 20 ms are active within 15.9 dB of the mean power of the active blocks
    (the highest such level); P.56 itself smooths an envelope instead of cutting blocks. Perfect silence,
    and no sound at all, have FLOOR_DBOV.
    """
    block = max(1, min(sample_rate // 50, pcm.size))
    whole = pcm[: pcm.size - pcm.size % block].reshape(-1, block)
    power = np.mean(np.square(whole, dtype=np.float64), axis=1)
    power = power[power > 0.0]
    if not power.size:
        return FLOOR_DBOV
    margin = 10.0 ** (-_ACTIVE_MARGIN_DB / 10.0)
    active = power[power >= margin * power.max()]
    while True:
        wider = power[power >= margin * active.mean()]
        if wider.size == active.size:
            return 10.0 * math.log10(float(active.mean()) / FULL_SCALE**2)
        active = wider


def audible(
    pcm: NDArray[np.int16],
    sample_rate: int,
    threshold_dbov: float = THRESHOLD_DBOV,
    window: float = WINDOW,
) -> NDArray[np.intp]:
    """Positions of the audible samples, ascending: the rule itself, see the module's text.

    Args:
        pcm: one-dimensional int16 samples, any number of them.
        sample_rate: samples per second.
        threshold_dbov: power that is audible, dBov.
        window: seconds; sound shorter than one window is judged as one window.
    """
    width = _window_samples(pcm, sample_rate, window)
    if not width:
        return np.empty(0, np.intp)
    floor = FULL_SCALE**2 * 10.0 ** (threshold_dbov / 10.0)
    squares = np.square(pcm, dtype=np.int64)
    energy = np.concatenate((np.zeros(1, np.int64), np.cumsum(squares)))
    hits = energy[width:] - energy[:-width] >= floor * width
    # A sample is covered when any of the `width` windows that hold it is a hit.
    covered = np.cumsum(np.concatenate((hits, np.zeros(width - 1, np.bool_))), dtype=np.int64)
    covered[width:] -= covered[:-width].copy()
    return np.flatnonzero((covered > 0) & (squares >= floor))


def edges(
    pcm: NDArray[np.int16],
    sample_rate: int,
    threshold_dbov: float = THRESHOLD_DBOV,
    window: float = WINDOW,
) -> tuple[int, int] | None:
    """Positions of the first and one past the last audible sample, or None when nothing is audible.

    Arguments as of `audible`. The one rule for what was sent and for what was received.
    """
    onset = _first_audible(pcm, sample_rate, threshold_dbov, window)
    if onset is None:
        return None
    tail = _first_audible(pcm[::-1], sample_rate, threshold_dbov, window)
    assert tail is not None, "what is audible forwards is audible backwards"
    return onset, pcm.size - tail


def _first_audible(pcm: NDArray[np.int16], sample_rate: int, threshold_dbov: float, window: float) -> int | None:
    """Search block by block; a block holds every window that begins in it."""
    width = _window_samples(pcm, sample_rate, window)
    for begin in range(0, pcm.size - width + 1 if width else 0, _BLOCK_SAMPLES):
        block = pcm[begin : begin + _BLOCK_SAMPLES + width - 1]
        found = audible(block, sample_rate, threshold_dbov, window)
        if found.size:
            return begin + int(found[0])
    return None


def _window_samples(pcm: NDArray[np.int16], sample_rate: int, window: float) -> int:
    return min(pcm.size, max(1, round(window * sample_rate)))


class SpeechDetector:
    """Finds speech in a stream of frames; positions are exact to a few milliseconds. See the module's text.

    Args:
        sample_rate: 8000 or 16000 samples per second.
        detector: "silero" tells voice from noise and music and costs 0.5 to 2 ms per 32 ms of sound;
            "energy" takes all that is audible for speech and costs microseconds: for thousands of calls.
        sensitivity: thresholds and durations.

    Raises:
        ValueError: another sample rate, or an unknown detector.
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        detector: Literal["silero", "energy"] = "silero",
        sensitivity: Sensitivity | None = None,
    ) -> None:
        self._sensitivity = s = sensitivity or Sensitivity()
        self._sample_rate = sample_rate
        self._probability = _probability(detector, sample_rate, s.threshold_dbov)
        self._min_speech = round(s.min_speech * sample_rate)
        self._hangover = round(s.hangover * sample_rate)
        self._bridge = round(BRIDGE * sample_rate)
        self._rim = round(RIM * sample_rate)
        self._lookback = round(LOOKBACK * sample_rate)
        self._recent: deque[NDArray[np.int16]] = deque()
        self._recent_begin = 0  # position of the first kept sample
        self._received = 0  # samples fed so far
        self._scored = 0  # samples whose probability is known
        self._ended = 0  # where the last speech ended: the next cannot begin before
        self._onset: int | None = None  # of the candidate or of the speech
        self._voiced = 0  # samples of voice since the candidate began
        self._last_voiced = 0  # one past the last voiced step
        self._speaking = False

    def __repr__(self) -> str:
        """One line for logs and tests."""
        state = "speech" if self._speaking else "silence" if self._onset is None else "perhaps speech"
        return f"<SpeechDetector {state} at {self._scored / self._sample_rate:.3f} s>"

    @property
    def speaking(self) -> bool:
        """Whether speech has started and not ended."""
        return self._speaking

    @property
    def kept_samples(self) -> int:
        """Samples kept for refining edges: bounded by the durations of the sensitivity plus one frame."""
        return self._received - self._recent_begin

    def receive_audio(self, pcm: NDArray[np.int16]) -> list[SpeechEvent]:
        """Take the next samples of the stream, any number; give what they revealed, in order.

        Events come late, by `min_speech` or `hangover` and up to a step; their positions do not.

        Raises:
            TypeError: not int16.
        """
        if pcm.dtype != np.int16:
            raise TypeError(f"speech detection wants int16 samples, not {pcm.dtype}")
        self._recent.append(pcm.copy())  # the caller may reuse its buffer
        self._received += pcm.size
        found: list[SpeechEvent] = []
        for probability in self._probability.receive_audio(pcm):
            event = self._step(probability)
            if event is not None:
                found.append(event)
        self._forget()
        return found

    def finish(self) -> list[SpeechEvent]:
        """Say that the stream is over: speech that goes on ends here. A new stream needs a new detector."""
        if not self._speaking:
            return []
        return [self._end(self._received, over=True)]

    def _step(self, probability: float) -> SpeechEvent | None:
        begin = self._scored
        self._scored = end = begin + self._probability.step_samples
        s = self._sensitivity
        if probability >= (s.start_probability if self._onset is None else s.end_probability):
            return self._voice(begin, end)
        if self._onset is None:
            return None
        quiet = end - self._last_voiced
        if self._speaking:
            return self._end(end) if quiet >= self._hangover else None
        if quiet >= self._bridge:
            self._onset = None
        return None

    def _voice(self, begin: int, end: int) -> SpeechEvent | None:
        if self._onset is None:
            self._onset, self._voiced = begin, 0
        self._voiced += end - begin
        self._last_voiced = end
        if self._speaking or self._voiced < self._min_speech:
            return None
        self._speaking = True
        self._onset = self._refined_onset(self._onset, end)
        return SpeechStarted(self._onset)

    def _end(self, now: int, *, over: bool = False) -> SpeechEnded:
        self._ended = self._refined_end(now, over=over)
        self._onset, self._speaking = None, False
        return SpeechEnded(self._ended)

    def _refined_onset(self, estimate: int, now: int) -> int:
        """Begin of the first audible run that reaches into the candidate."""
        begin = max(self._ended, estimate - self._lookback, self._recent_begin)
        first, last = self._runs(begin, now)
        reaching = np.flatnonzero(last >= estimate)
        if not reaching.size:
            return estimate
        onset = int(first[reaching[0]])
        without_a_break = begin > 0 and onset - begin < self._rim
        return estimate if without_a_break else onset

    def _refined_end(self, now: int, *, over: bool) -> int:
        """One past the end of the last audible run that began before the scorer went quiet."""
        assert self._onset is not None, "only speech ends"
        begin = max(self._onset, self._last_voiced - self._lookback, self._recent_begin)
        first, last = self._runs(begin, now)
        begun = np.flatnonzero(first < self._last_voiced)
        if not begun.size:
            return self._last_voiced
        end = int(last[begun[-1]]) + 1
        without_a_break = now - end < self._rim and not over  # a stream's end is an edge, that of our knowledge not
        return self._last_voiced if without_a_break else end

    def _runs(self, begin: int, end: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """First and last positions of the audible runs in the stream's [begin, end), bridged by BRIDGE."""
        kept = np.concatenate(self._recent)[begin - self._recent_begin : end - self._recent_begin]
        loud = audible(kept, self._sample_rate, self._sensitivity.threshold_dbov) + begin
        if not loud.size:
            return loud, loud
        breaks = np.flatnonzero(np.diff(loud) > self._bridge)
        return loud[np.concatenate(([0], breaks + 1))], loud[np.concatenate((breaks, [-1]))]

    def _forget(self) -> None:
        """Keep what a later refinement may look at, in whole frames."""
        if self._onset is None:
            needed = self._scored - self._lookback
        else:
            needed = (self._last_voiced if self._speaking else self._onset) - self._lookback
        while self._recent and self._recent_begin + self._recent[0].size <= needed:
            self._recent_begin += self._recent.popleft().size


def _probability(detector: str, sample_rate: int, threshold_dbov: float) -> Probability:
    if detector == "silero":
        return SileroProbability(sample_rate)
    if detector == "energy":
        return EnergyProbability(sample_rate, threshold_dbov)
    raise ValueError(f"no detector called {detector!r}: silero or energy")
