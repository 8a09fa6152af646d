"""Concealing lost frames as in ITU-T G.711 Appendix I."""

import wave
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.codecs import Concealer, Pcm, rms_dbov
from offhook.codecs.concealment import MAX_LOST_SECONDS

SPEECH = Path(__file__).parents[3] / "shared/corpora/audio/spandsp-short_nb_voice.wav"
FRAME = 160  # samples in 20 ms at 8,000 samples/s


def voice(frequency: float = 130.0, harmonics: int = 7, seconds: float = 1.0, rate: int = 8_000) -> Pcm:
    """A steady vowel: one harmonic is a tone."""
    phase = 2 * np.pi * frequency / rate * np.arange(round(seconds * rate))
    return sum(3_000 / k * np.sin(k * phase + k) for k in range(1, harmonics + 1)).astype(np.int16)


def with_concealment(pcm: Pcm, lost: Collection[int], rate: int = 8_000) -> Pcm:
    """What the concealer makes of a stream whose frames of these numbers are lost."""
    concealer, frame = Concealer(rate), rate // 50
    frames = enumerate(pcm.reshape(-1, frame))
    return np.concatenate([concealer.lost(frame) if n in lost else concealer.good(heard) for n, heard in frames])


def with_silence(pcm: Pcm, lost: Collection[int]) -> Pcm:
    """The same with nothing in place of what is lost."""
    frames = pcm.reshape(-1, FRAME).copy()
    frames[list(lost)] = 0
    return frames.ravel()


def with_repetition(pcm: Pcm, lost: Collection[int]) -> Pcm:
    """The same with the frame before in place of what is lost."""
    frames = pcm.reshape(-1, FRAME).copy()
    for n in sorted(lost):
        frames[n] = frames[n - 1]
    return frames.ravel()


def log_spectral_distance(one: Pcm, other: Pcm) -> float:
    """In decibels, over windows of 20 ms that overlap; what lies below 30 steps of sixteen bits is taken as silence."""
    windows = [np.lib.stride_tricks.sliding_window_view(pcm.astype(float), FRAME)[::40] for pcm in (one, other)]
    power = [np.abs(np.fft.rfft(np.hanning(FRAME) * window)) ** 2 + 1e3 * FRAME for window in windows]
    return float(np.mean(np.sqrt(np.mean((10 * np.log10(power[0] / power[1])) ** 2, axis=1))))


def steepest(pcm: Pcm) -> int:
    """The largest step from one sample to the next."""
    return int(np.abs(np.diff(pcm.astype(int))).max())


class TestSound:
    """What is heard in place of a lost frame."""

    @pytest.mark.parametrize("frequency", [67.0, 130.0, 171.3, 199.0])
    @pytest.mark.parametrize("otherwise", [with_silence, with_repetition])
    def test_a_vowel_is_hurt_less_than_by_silence_or_by_repetition(
        self, frequency: float, otherwise: Callable[[Pcm, Collection[int]], Pcm]
    ) -> None:
        """The spectrum around the lost frame stays closer to what was sent."""
        sent, around = voice(frequency), slice(9 * FRAME, 13 * FRAME)
        damage = [log_spectral_distance(sent[around], way(sent, {10})[around]) for way in (with_concealment, otherwise)]
        assert damage[0] < 0.75 * damage[1]

    def test_a_tone_of_200_hz_goes_on(self) -> None:
        """Its period is the shortest that is looked for; all it loses is the fall of the second 10 ms."""
        sent, around = voice(200, 1), slice(9 * FRAME, 13 * FRAME)
        damage = [
            log_spectral_distance(sent[around], way(sent, {10})[around]) for way in (with_concealment, with_silence)
        ]
        assert damage[0] < 0.25 * damage[1]

    @pytest.mark.skipif(not SPEECH.exists(), reason="the corpora are not here")
    @pytest.mark.parametrize("otherwise", [with_silence, with_repetition])
    def test_speech_is_hurt_less_too(self, otherwise: Callable[[Pcm, Collection[int]], Pcm]) -> None:
        """Each fifth frame of a spoken sentence is lost; judged where somebody speaks."""
        with wave.open(str(SPEECH)) as file:
            sent = np.frombuffer(file.readframes(500 * FRAME), np.int16)
        lost = range(7, len(sent) // FRAME - 2, 5)
        around = [slice((n - 1) * FRAME, (n + 2) * FRAME) for n in lost if rms_dbov(sent[n * FRAME :][:FRAME]) > -35]
        ours, theirs = with_concealment(sent, lost), otherwise(sent, lost)
        damage = [np.mean([log_spectral_distance(sent[at], way[at]) for at in around]) for way in (ours, theirs)]
        assert damage[0] < 0.95 * damage[1]

    @pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
    def test_the_first_10_ms_are_the_periods_before(self, rate: int) -> None:
        """A periodic sound goes on as it was, at each rate, to a step or two."""
        sent = voice(100, rate=rate)
        heard = with_concealment(sent, {10}, rate)
        first = slice(rate // 5, rate // 5 + rate // 100)
        assert np.abs(heard[first].astype(int) - sent[first]).max() <= 2

    @pytest.mark.parametrize("period", [41, 47, 62, 119])
    @pytest.mark.parametrize("stage", [1, 2], ids=["two periods", "three periods"])
    def test_the_periods_go_on_in_step(self, period: int, stage: int) -> None:
        """Where more periods come to be repeated, their phase stays that of the sound (Appendix I: each 10 ms)."""
        sent = voice(8_000 / period)
        heard = with_concealment(sent, {10, 11})
        part = slice(10 * FRAME + 80 * stage, 10 * FRAME + 80 * (stage + 1))
        assert np.corrcoef(sent[part], heard[part])[0, 1] > 0.99


class TestLevel:
    """Appendix I: 20 % less with each 10 ms after the first, nothing after 60 ms."""

    def test_the_level_falls_by_a_fifth_with_each_10_ms(self) -> None:
        """Peaks in the middle of each 10 ms: 1.0, 0.9, 0.7, 0.5, 0.3, 0.1 of the sound before."""
        concealer = Concealer()
        concealer.good(voice(200, 1))
        peaks = np.abs(concealer.lost(480).reshape(6, 80)[:, 20:60].astype(int)).max(axis=1)
        assert pytest.approx([1.0, 0.95, 0.75, 0.55, 0.35, 0.15], abs=0.05) == (peaks / 3_000).tolist()

    def test_after_60_ms_there_is_silence(self) -> None:
        """A guess that old only disturbs."""
        concealer = Concealer()
        concealer.good(voice())
        assert concealer.lost(480)[400:].any()
        assert not concealer.lost(8_000).any()

    def test_before_anything_was_heard_there_is_silence(self) -> None:
        """There is nothing to go on with."""
        assert not Concealer().lost(FRAME).any()

    def test_after_silence_there_is_silence(self) -> None:
        """Nor is there when nothing but zeros was heard."""
        concealer = Concealer()
        concealer.good(np.zeros(800, np.int16))
        assert not concealer.lost(FRAME).any()


class TestBorders:
    """No clicks, where the guess begins, within it, and where the sound returns."""

    @pytest.mark.parametrize("frequency", [67.0, 130.0, 171.3, 199.0])
    @pytest.mark.parametrize("lost", [{10}, {10, 11}, {10, 11, 12, 13, 14}, {10, 12, 14}], ids=str)
    def test_no_sample_steps_much_further_than_in_the_sound_itself(self, frequency: float, lost: set[int]) -> None:
        """A click is a step that the sound would not have made."""
        sent = voice(frequency)
        assert steepest(with_concealment(sent, lost)) <= 1.25 * steepest(sent)

    def test_an_unvoiced_sound_makes_no_click_either(self) -> None:
        """Noise has no period; its own steps are the measure."""
        sent = np.random.default_rng(7).normal(0, 2_000, 8_000).astype(np.int16)
        assert steepest(with_concealment(sent, {10, 20, 30, 31, 40})) <= 1.25 * steepest(sent)

    def test_the_guess_begins_where_the_sound_has_been(self) -> None:
        """A step to the first period is spread over a quarter of it: here over 10 samples."""
        concealer = Concealer()
        concealer.good(np.repeat(np.array([0, 8_000], np.int16), [800, 8]))
        guess = np.concatenate([[8_000], concealer.lost(11)])
        assert steepest(guess) <= 8_000 / 10

    def test_returning_sound_is_untouched_after_10_ms(self) -> None:
        """The cross-fade is a quarter period and 4 ms for each 10 ms of gap, at most 10 ms."""
        sent = voice()
        heard = with_concealment(sent, set(range(10, 20)))
        assert not np.array_equal(sent[20 * FRAME :][:80], heard[20 * FRAME :][:80])
        np.testing.assert_array_equal(sent[20 * FRAME + 80 :], heard[20 * FRAME + 80 :])

    def test_a_returning_frame_shorter_than_the_fade_is_all_fade(self) -> None:
        """The next one is untouched again."""
        concealer, sent = Concealer(), voice()
        concealer.good(sent[:1_600])
        concealer.lost(480)
        assert 40 == len(concealer.good(sent[2_080:2_120]))
        assert sent[2_120:2_160].tolist() == concealer.good(sent[2_120:2_160]).tolist()

    def test_the_received_frame_itself_is_never_written_to(self) -> None:
        """What is faded in is a copy."""
        concealer, returning = Concealer(), voice()[:FRAME]
        kept = returning.copy()
        concealer.lost(FRAME)
        assert returning is not concealer.good(returning)
        np.testing.assert_array_equal(kept, returning)


class TestPath:
    """How it is driven."""

    def test_good_frames_pass_through_untouched_and_without_delay(self) -> None:
        """The very same array comes back."""
        concealer, frame = Concealer(), voice()[:FRAME]
        assert all(frame is concealer.good(frame) for _ in range(100))

    def test_the_past_is_kept_by_value(self) -> None:
        """A caller may use the same buffer for each frame."""
        frame, again = voice(200, 1)[:800].copy(), Concealer()
        again.good(frame)
        frame[:] = 0
        assert again.lost(FRAME).any()

    def test_a_gap_may_be_asked_for_in_pieces(self) -> None:
        """The pieces are the whole, of whatever lengths."""
        whole, pieces = Concealer(), Concealer()
        whole.good(voice())
        pieces.good(voice())
        expected = whole.lost(700)
        np.testing.assert_array_equal(expected, np.concatenate([pieces.lost(n) for n in (1, 159, 0, 240, 300)]))

    def test_an_empty_frame_does_not_end_a_gap(self) -> None:
        """Sound comes back with its first sample."""
        one, other, nothing = Concealer(), Concealer(), np.empty(0, np.int16)
        for concealer in (one, other):
            concealer.good(voice())
        one.lost(FRAME)
        one.good(nothing)
        assert other.lost(2 * FRAME)[FRAME:].tolist() == one.lost(FRAME).tolist()

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 1_000)), max_size=12), st.integers(1_000, 17_000))
    def test_any_course_of_a_stream_gives_as_many_samples_as_it_has(
        self, course: list[tuple[bool, int]], rate: int
    ) -> None:
        """Loud noise, at any rate, in frames of any length: always sound of the same length, never an overflow."""
        concealer, noise = (
            Concealer(rate),
            np.random.default_rng(7).choice(np.array([-32_768, 32_767], np.int16), 1_000),
        )
        heard = [concealer.good(noise[:n]) if good else concealer.lost(n) for good, n in course]
        assert [(n,) for _, n in course] == [piece.shape for piece in heard]

    @pytest.mark.parametrize("samples", [-1, round(MAX_LOST_SECONDS * 8_000) + 1])
    def test_a_gap_without_measure_is_refused(self, samples: int) -> None:
        """More than a minute is a stream that has ended."""
        with pytest.raises(ValueError, match="a gap has 0 to 60 s of samples"):
            Concealer().lost(samples)

    def test_the_longest_gap_is_concealed(self) -> None:
        """The limit itself is allowed."""
        assert 60 * 8_000 == len(Concealer().lost(60 * 8_000))

    def test_a_rate_too_low_for_a_pitch_is_refused(self) -> None:
        """A quarter of the shortest period must be a sample."""
        with pytest.raises(ValueError, match="concealment needs 1,000 samples/s or more, not 999"):
            Concealer(999)
