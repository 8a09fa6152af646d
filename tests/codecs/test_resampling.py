"""Changing the sample rate, live and in one piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.codecs import Pcm, Resampler, goertzel, resample, rms_dbov, tone, tone_present
from offhook.codecs.resampling import MAX_RATE, MIN_RATE

RATES = pytest.mark.parametrize(
    ("from_rate", "to_rate"),
    [(8_000, 16_000), (16_000, 8_000), (48_000, 8_000), (8_000, 48_000), (24_000, 8_000), (44_100, 8_000)],
)


def live(pcm: Pcm, from_rate: int, to_rate: int) -> list[Pcm]:
    """The same sound through a stream, in pieces of 20 ms."""
    resampler, frame = Resampler(from_rate, to_rate), from_rate // 50
    starts = range(0, len(pcm), frame)
    return [resampler.process(pcm[at : at + frame], last=at + frame >= len(pcm)) for at in starts]


@RATES
@pytest.mark.parametrize("way", [resample, lambda *args: np.concatenate(live(*args))], ids=["whole", "live"])
@pytest.mark.parametrize("frequency", [300, 1_004, 3_000])
class TestSound:
    """Both ways, within the telephone band."""

    def test_a_tone_keeps_its_frequency_and_its_level(self, way, from_rate: int, to_rate: int, frequency: int) -> None:
        """Within 0.1 dB, with everything else 40 dB below."""
        before = tone(frequency, 1.0, from_rate)
        after = way(before, from_rate, to_rate)
        change = goertzel(after, frequency, to_rate) - goertzel(before, frequency, from_rate)
        assert pytest.approx(0.0, abs=0.1) == change
        assert tone_present(after[to_rate // 10 : -to_rate // 10], frequency, to_rate, min_snr_db=40)

    def test_a_sound_keeps_its_length(self, way, from_rate: int, to_rate: int, frequency: int) -> None:
        """One second stays one second."""
        assert to_rate == len(way(tone(frequency, 1.0, from_rate), from_rate, to_rate))


@pytest.mark.parametrize("way", [resample, lambda *args: np.concatenate(live(*args))], ids=["whole", "live"])
def test_what_the_lower_rate_cannot_carry_is_taken_away(way) -> None:
    """5 kHz at 8,000 samples/s would sound as 3 kHz."""
    assert rms_dbov(way(tone(5_000, 1.0, 16_000), 16_000, 8_000)[800:-800]) < -80


@RATES
def test_a_live_stream_stays_2_ms_behind(from_rate: int, to_rate: int) -> None:
    """What has come out never lags what went in by more, so playout does not stall."""
    pieces = live(tone(440, 1.0, from_rate), from_rate, to_rate)
    came_out = np.cumsum([len(piece) for piece in pieces])
    went_in = np.arange(1, 51) * to_rate // 50
    assert [to_rate // 500] * 49 + [0] == (went_in - came_out).tolist()


@RATES
def test_the_live_stream_is_the_same_sound_as_the_whole(from_rate: int, to_rate: int) -> None:
    """In step with it to a few steps of sixteen bits, away from the edges."""
    sound = tone((307, 1_207), 1.0, from_rate)
    whole, pieces = resample(sound, from_rate, to_rate), np.concatenate(live(sound, from_rate, to_rate))
    assert np.abs(whole.astype(int) - pieces).max() <= 8


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 1_600), max_size=10))
def test_the_live_stream_does_not_depend_on_the_cuts(cuts: list[int]) -> None:
    """Frames of any length, also empty ones, give the same samples."""
    sound = tone((307, 1_207), 0.2)
    resampler = Resampler(8_000, 16_000)
    pieces = [resampler.process(piece) for piece in np.split(sound, sorted(cuts))]
    pieces.append(resampler.process(sound[:0], last=True))
    np.testing.assert_array_equal(Resampler(8_000, 16_000).process(sound, last=True), np.concatenate(pieces))


def test_after_the_last_samples_a_new_stream_begins() -> None:
    """Nothing of the first sound is heard in the second."""
    resampler, sound = Resampler(8_000, 16_000), tone(440, 0.1)
    first = resampler.process(sound, last=True)
    np.testing.assert_array_equal(first, resampler.process(sound, last=True))


def test_every_other_sample_may_be_resampled() -> None:
    """A view that is not contiguous is as good as its copy."""
    view = tone(440, 0.1, 16_000)[::2]
    expected = Resampler(8_000, 16_000).process(view.copy())
    np.testing.assert_array_equal(expected, Resampler(8_000, 16_000).process(view))


def test_equal_rates_change_nothing() -> None:
    """The very same array comes back."""
    sound = tone(440, 0.1)
    assert sound is resample(sound, 8_000, 8_000)
    assert sound is Resampler(8_000, 8_000).process(sound)
    assert sound is Resampler(8_000, 8_000).process(sound, last=True)


@pytest.mark.parametrize("from_rate", [8_000, 44_100, MIN_RATE])
def test_no_sound_stays_no_sound(from_rate: int) -> None:
    """Also at the end of a stream that never began."""
    nothing = np.empty(0, np.int16)
    assert 0 == len(resample(nothing, from_rate, 16_000))
    assert 0 == len(Resampler(from_rate, 16_000).process(nothing, last=True))


@pytest.mark.parametrize("rate", [MIN_RATE, MAX_RATE])
def test_the_outermost_rates_are_taken(rate: int) -> None:
    """The limits themselves are allowed."""
    assert rate // 10 == len(resample(tone(300, 0.1), 8_000, rate))
    assert rate // 10 == len(Resampler(8_000, rate).process(tone(300, 0.1), last=True))


@pytest.mark.parametrize("rate", [-8_000, 0, MIN_RATE - 1, MAX_RATE + 1])
def test_a_rate_beyond_them_is_refused(rate: int) -> None:
    """As rates from files of strangers may be."""
    for attempt in (lambda: Resampler(rate, 8_000), lambda: resample(tone(440, 0.1), 8_000, rate)):
        with pytest.raises(ValueError, match="a sample rate lies between 1000 and 384000"):
            attempt()
