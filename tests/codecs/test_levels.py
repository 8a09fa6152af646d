"""Levels in decibels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.codecs import Pcm, codec, goertzel, rms_dbov, tone, tone_present
from offhook.codecs.levels import FLOOR_DBOV, FULL_SCALE_SINE_DBM0, FULL_SCALE_SINE_DBOV

RATE = 8_000


def sine(frequency: float, peak: float, samples: int = RATE) -> Pcm:
    """A pure tone, without the edges of `tone`."""
    return np.rint(peak * np.sin(2 * np.pi * frequency / RATE * np.arange(samples))).astype(np.int16)


def noise(rms: float, samples: int = RATE) -> Pcm:
    """White noise, the same each time."""
    return np.rint(np.random.default_rng(7).normal(0, rms, samples)).astype(np.int16)


class TestRms:
    """The scale of RFC 6464 section 3."""

    def test_the_loudest_square_wave_is_at_overload(self) -> None:
        """0 dBov is as loud as 16 bits can be."""
        assert 0.0 == rms_dbov(np.full(160, -32_768, np.int16))

    def test_a_full_scale_sine_is_3_db_below_overload(self) -> None:
        """A sine carries half the power of a square of the same peak."""
        assert pytest.approx(-3.01, abs=0.01) == rms_dbov(sine(1_000, 32_767))

    @pytest.mark.parametrize("samples", [0, 1, 160])
    def test_silence_is_at_the_floor(self, samples: int) -> None:
        """-127 dBov stands for silence, and for no sound at all."""
        assert FLOOR_DBOV == rms_dbov(np.zeros(samples, np.int16))

    def test_the_quietest_long_sound_does_not_fall_through_the_floor(self) -> None:
        """One step in a hundred million samples would be -170 dBov."""
        quiet = np.zeros(10_000_000, np.int16)
        quiet[0] = 1
        assert FLOOR_DBOV == rms_dbov(quiet)

    @given(st.lists(st.integers(-32_768, 32_767), max_size=50))
    def test_every_sound_has_a_level_on_the_scale(self, values: list[int]) -> None:
        """Never above overload, never below the floor."""
        assert FLOOR_DBOV <= rms_dbov(np.array(values, np.int16)) <= 0.0

    @pytest.mark.parametrize(("name", "milliwatt"), [("PCMU", "1e0b0b1e9e8b8b9e"), ("PCMA", "342121 34b4a1a1b4")])
    def test_the_digital_milliwatt_is_0_dbm0(self, name: str, milliwatt: str) -> None:
        """G.711 tables 5 and 6: these eight octets are a sine of 1 kHz "at a nominal level of 0 dBm0"."""
        level_dbov = rms_dbov(codec(name).decode(bytes.fromhex(milliwatt)))
        assert pytest.approx(0.0, abs=0.1) == level_dbov - FULL_SCALE_SINE_DBOV + FULL_SCALE_SINE_DBM0


class TestGoertzel:
    """The power of one frequency."""

    @pytest.mark.parametrize("frequency", [100, 440, 1_004, 1_633.3, 3_900])
    def test_a_tone_is_found_at_its_level(self, frequency: float) -> None:
        """Also where the frequency does not fit the length."""
        expected = rms_dbov(sine(frequency, 10_000))
        assert pytest.approx(expected, abs=0.001) == goertzel(sine(frequency, 10_000), frequency, RATE)

    @pytest.mark.parametrize("samples", [3, 7, 50, 160])
    def test_a_tone_is_found_in_a_piece_shorter_than_a_period(self, samples: int) -> None:
        """Where a filter would mistake the piece for an offset."""
        piece = sine(100, 10_000)[:samples]
        assert pytest.approx(rms_dbov(piece), abs=0.01) == goertzel(piece, 100, RATE)

    def test_other_frequencies_hold_little(self) -> None:
        """40 dB less at ten times the distance that can be told apart."""
        assert goertzel(sine(1_000, 10_000, 400), 1_210, RATE) < rms_dbov(sine(1_000, 10_000)) - 25

    @pytest.mark.parametrize("samples", [0, 160])
    def test_silence_holds_no_tone(self, samples: int) -> None:
        """The floor, also for no sound at all."""
        assert FLOOR_DBOV == goertzel(np.zeros(samples, np.int16), 440, RATE)

    @pytest.mark.parametrize("frequency", [0, -1, 4_000, 9_000])
    def test_a_frequency_that_cannot_be_in_the_sound_is_refused(self, frequency: float) -> None:
        """Between 0 and half the sample rate, exclusive."""
        with pytest.raises(ValueError, match="is not between 0 and half of 8000 samples/s"):
            goertzel(sine(440, 1_000), frequency, RATE)


class TestTonePresence:
    """What interoperability tests ask of a recording."""

    def test_a_tone_that_went_through_g711_is_present(self) -> None:
        """The noise of the code lies far below."""
        pcmu = codec("PCMU")
        heard = pcmu.decode(pcmu.encode(tone(440, 1.0)))
        assert tone_present(heard, 440, RATE)
        assert not tone_present(heard, 450, RATE)

    @pytest.mark.parametrize(("noise_rms", "present"), [(2_000, True), (2_500, False)])
    def test_the_tone_must_stand_above_the_noise(self, noise_rms: float, present: bool) -> None:
        """A peak of 10,000 is an RMS of 7,071: 11 dB above the one, 9 dB above the other."""
        assert present == tone_present(sine(1_000, 10_000) + noise(noise_rms), 1_000, RATE, min_snr_db=10)

    def test_half_a_tone_is_not_a_tone(self) -> None:
        """It has to last through the sound."""
        assert not tone_present(np.concatenate([sine(440, 10_000), np.zeros(RATE, np.int16)]), 440, RATE)

    @pytest.mark.parametrize("samples", [0, 160])
    def test_there_is_no_tone_in_silence(self, samples: int) -> None:
        """Nothing does not stand above nothing."""
        assert not tone_present(np.zeros(samples, np.int16), 440, RATE)
