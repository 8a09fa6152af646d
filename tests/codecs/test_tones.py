"""Tones, digits and cadences."""

from itertools import islice

import numpy as np
import pytest

from offhook.codecs import BUSY, DTMF_FREQUENCIES, RINGBACK, Cadence, Pcm, cadence, dtmf_tone, goertzel, rms_dbov, tone
from offhook.codecs.levels import FULL_SCALE_SINE_DBM0, FULL_SCALE_SINE_DBOV
from offhook.codecs.tones import MAX_TONE_SECONDS

DBM0 = FULL_SCALE_SINE_DBM0 - FULL_SCALE_SINE_DBOV  # what is added to dBov to get dBm0


def middle(pcm: Pcm) -> Pcm:
    """The sound without its edges."""
    return pcm[400:-400]


class TestTone:
    """One burst."""

    @pytest.mark.parametrize("level_dbm0", [-40.0, -10.0, 0.0, 3.0])
    def test_a_tone_has_its_level(self, level_dbm0: float) -> None:
        """In dBm0: 0 dBm0 is a peak of 22,826, and +3.14 dBm0 is full scale."""
        assert pytest.approx(level_dbm0, abs=0.02) == rms_dbov(middle(tone(1_000, 1.0, 8_000, level_dbm0))) + DBM0

    def test_each_of_several_frequencies_has_the_level(self) -> None:
        """Together they are louder."""
        both = middle(tone((440, 480), 1.1, 8_000, -19.0))
        assert pytest.approx([-19.0, -19.0], abs=0.05) == [goertzel(both, f, 8_000) + DBM0 for f in (440, 480)]

    @pytest.mark.parametrize(("rate", "samples"), [(8_000, 4_000), (16_000, 8_000), (48_000, 24_000)])
    def test_a_tone_lasts_as_long_as_asked(self, rate: int, samples: int) -> None:
        """At each rate."""
        assert (samples,) == tone(440, 0.5, rate).shape

    @pytest.mark.parametrize("edge", [slice(0, 4), slice(-4, None)], ids=["start", "end"])
    def test_it_neither_starts_nor_ends_with_a_click(self, edge: slice) -> None:
        """The first and the last half millisecond hold less than a fiftieth of the peak."""
        loud = tone(1_000, 0.1, 8_000, 0.0)
        assert np.abs(loud[edge]).max() < np.abs(loud).max() / 50

    @pytest.mark.parametrize("seconds", [0.0, 0.000_1, 0.000_2, 0.004])
    def test_a_burst_shorter_than_its_edges_is_all_edge(self, seconds: float) -> None:
        """Half of it rises, half of it falls; none at all is none at all."""
        assert round(seconds * 8_000) == len(tone(1_000, seconds))

    @pytest.mark.parametrize("seconds", [-0.1, MAX_TONE_SECONDS + 0.1])
    def test_a_tone_without_measure_is_refused(self, seconds: float) -> None:
        """Memory is not to be had for the asking."""
        with pytest.raises(ValueError, match="a tone lasts 0 to 600 s"):
            tone(440, seconds)

    def test_the_longest_tone_is_made(self) -> None:
        """The limit itself is allowed."""
        assert 1_000 * MAX_TONE_SECONDS == len(tone(440, MAX_TONE_SECONDS, 1_000))

    @pytest.mark.parametrize("frequency", [0, -440, 4_000])
    def test_a_frequency_beyond_the_rate_is_refused(self, frequency: float) -> None:
        """It would sound as another one."""
        with pytest.raises(ValueError, match="not all between 0 and half of 8000"):
            tone((440, frequency), 0.1)

    @pytest.mark.parametrize(("frequencies", "level_dbm0"), [((440,), 3.15), ((440, 480), -2.8)])
    def test_a_tone_that_would_clip_is_refused(self, frequencies: tuple[float, ...], level_dbm0: float) -> None:
        """A clipped tone is not the tone that was asked for."""
        with pytest.raises(ValueError, match="would exceed 16 bits"):
            tone(frequencies, 0.1, 8_000, level_dbm0)

    @pytest.mark.parametrize(("frequencies", "level_dbm0"), [((440,), 3.13), ((440, 480), -2.9)])
    def test_the_loudest_tones_fit(self, frequencies: tuple[float, ...], level_dbm0: float) -> None:
        """Up to the last step of sixteen bits."""
        assert np.abs(tone(frequencies, 1.0, 8_000, level_dbm0).astype(int)).max() > 32_000


class TestDtmf:
    """ITU-T Q.23."""

    @pytest.mark.parametrize(
        ("digit", "low", "high"),
        [
            ("1", 697, 1_209),
            ("5", 770, 1_336),
            ("9", 852, 1_477),
            ("0", 941, 1_336),
            ("#", 941, 1_477),
            ("d", 941, 1_633),
        ],
    )
    def test_a_digit_is_its_row_and_its_column(self, digit: str, low: float, high: float) -> None:
        """Both at the level asked for, and nothing else of note."""
        heard = dtmf_tone(digit, 1.0)
        levels = [goertzel(heard, frequency, 8_000) + DBM0 for frequency in (low, high)]
        assert pytest.approx([-10.0, -10.0], abs=0.1) == levels
        assert max(goertzel(heard, f, 8_000) + DBM0 for f in (697, 770, 1_209, 1_633) if f not in (low, high)) < -40

    def test_there_are_sixteen_digits_that_all_differ(self) -> None:
        """Four rows of four."""
        assert set("0123456789*#ABCD") == set(DTMF_FREQUENCIES)
        assert 16 == len(set(DTMF_FREQUENCIES.values()))

    @pytest.mark.parametrize("digit", ["", "E", "12", " "])
    def test_what_is_not_a_digit_is_refused(self, digit: str) -> None:
        """With a list of what there is."""
        with pytest.raises(ValueError, match=r"there are 123A456B789C\*0#D"):
            dtmf_tone(digit)


class TestCadence:
    """Ringing and busy, frame by frame."""

    @pytest.mark.parametrize(
        ("pattern", "on", "off"),
        [
            (RINGBACK["us"], 100, 200),
            (RINGBACK["europe"], 50, 200),
            (BUSY["us"], 25, 25),
            (BUSY["europe"], 25, 25),
        ],
    )
    def test_sound_and_pause_follow_one_another_for_ever(self, pattern: Cadence, on: int, off: int) -> None:
        """In frames of 20 ms, three rounds of it."""
        frames = islice(cadence(pattern), 3 * (on + off))
        assert 3 * ([True] * on + [False] * off) == [bool(frame.any()) for frame in frames]

    @pytest.mark.parametrize("pattern", [*RINGBACK.values(), *BUSY.values()])
    def test_the_sound_has_the_frequencies_and_the_level_of_the_table(self, pattern: Cadence) -> None:
        """In the first burst, half a second long or more."""
        burst = np.concatenate(list(islice(cadence(pattern), 25)))
        levels = [goertzel(burst, frequency, 8_000) + DBM0 for frequency in pattern.frequencies]
        assert pytest.approx([pattern.level_dbm0] * len(levels), abs=0.3) == levels

    def test_frames_need_not_fit_the_rhythm(self) -> None:
        """Frames of any length, put together, are the same sound."""
        odd = np.concatenate(list(islice(cadence(BUSY["us"], frame_samples=333), 60)))
        even = np.concatenate(list(islice(cadence(BUSY["us"]), 125)))
        np.testing.assert_array_equal(even[:19_980], odd)

    def test_a_frame_may_be_longer_than_the_rhythm(self) -> None:
        """Then it holds several rounds."""
        frame = next(cadence(Cadence((1_000.0,), 0.01, 0.01, -10.0), frame_samples=480))
        np.testing.assert_array_equal(np.tile(frame[:160], 3), frame)

    @pytest.mark.parametrize(
        ("pattern", "frame_samples", "reason"),
        [
            (BUSY["us"], 0, "a frame has one sample or more, not 0"),
            (Cadence((440.0,), 0.0, 0.0, -10.0), 160, "a cadence needs sound or pause"),
            (Cadence((440.0,), 1.0, -0.1, -10.0), 160, "a pause lasts 0 to 600 s"),
            (Cadence((440.0,), 1.0, MAX_TONE_SECONDS + 0.1, -10.0), 160, "a pause lasts 0 to 600 s"),
            (Cadence((440.0,), MAX_TONE_SECONDS + 0.1, 1.0, -10.0), 160, "a tone lasts 0 to 600 s"),
        ],
    )
    def test_a_cadence_without_measure_is_refused(self, pattern: Cadence, frame_samples: int, reason: str) -> None:
        """At once, not at the first frame."""
        with pytest.raises(ValueError, match=reason):
            cadence(pattern, frame_samples=frame_samples)
