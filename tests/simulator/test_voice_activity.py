"""Edges exact to a few samples, speech found and placed in a stream."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.speech import RATE, beep, noisy, recorded, silence

from offhook.codecs import codec
from offhook.codecs.levels import FLOOR_DBOV
from offhook.simulator import voice_activity
from offhook.simulator.voice_activity import (
    MAX_DURATION,
    Sensitivity,
    SpeechDetector,
    SpeechEnded,
    SpeechStarted,
    active_level_dbov,
    audible,
    edges,
)

WINDOW_SAMPLES = 40  # 5 ms


def over_the_phone(pcm: np.ndarray) -> np.ndarray:
    """A noisy line and G.711, as the agent's voice comes to us."""
    pcmu = codec("PCMU")
    return pcmu.decode(pcmu.encode(noisy(pcm, -60.0)))


def heard(detector: SpeechDetector, pcm: np.ndarray, frame: int = 160) -> list[tuple[int, int]]:
    """Stretches of speech as (onset, end)."""
    events = [e for at in range(0, pcm.size, frame) for e in detector.receive_audio(pcm[at : at + frame])]
    positions = [event.at_sample for event in events + detector.finish()]
    return list(zip(positions[::2], positions[1::2], strict=True))


class TestEdges:
    """The one rule for what was sent and what was received."""

    def test_a_tone_in_silence_is_found_to_the_sample(self) -> None:
        """A cosine is loud from its first sample on."""
        pcm = np.concatenate((silence(0.1), beep(0.2), silence(0.1)))
        assert (800, 2_400) == edges(pcm, RATE)

    def test_the_threshold_is_met_from_below(self) -> None:
        """-49 dBov is audible, -51 dBov is not: the threshold is -50 dBov."""
        assert edges(beep(0.1, -49.0), RATE) is not None
        assert edges(beep(0.1, -51.0), RATE) is None

    def test_silence_and_nothing_have_no_edges(self) -> None:
        """None, not a pair of zeros."""
        assert edges(silence(1.0), RATE) is None
        assert edges(silence(0.0), RATE) is None

    def test_sound_shorter_than_a_window_is_one_window(self) -> None:
        """Three loud samples alone are audible."""
        assert (0, 3) == edges(np.full(3, 1_000, np.int16), RATE)

    def test_a_single_peak_in_a_long_silence_is_no_sound(self) -> None:
        """The mean over 5 ms keeps a noise peak of -36 dBov from passing for speech."""
        pcm = silence(1.0)
        pcm[4_000] = 500
        assert edges(pcm, RATE) is None

    def test_noise_moves_an_edge_by_less_than_a_window(self) -> None:
        """On a line of -60 dBov an edge is wrong by 5 ms at most."""
        clean = np.concatenate((silence(0.5), beep(0.5), silence(0.5)))
        onset, end = edges(noisy(clean, -60.0), RATE)
        assert abs(onset - 4_000) < WINDOW_SAMPLES
        assert abs(end - 8_000) < WINDOW_SAMPLES

    @given(st.lists(st.integers(-32_768, 32_767), max_size=400), st.integers(1, 60))
    def test_searching_in_blocks_finds_what_one_look_finds(self, samples: list[int], block: int) -> None:
        """The first and last position of the rule, for any samples and any block."""
        pcm = np.array(samples, np.int16)
        every = audible(pcm, RATE)
        expected = (int(every[0]), int(every[-1]) + 1) if every.size else None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(voice_activity, "_BLOCK_SAMPLES", block)
            assert expected == edges(pcm, RATE)


class TestActiveLevel:
    """Speech level without the pauses, in the manner of ITU-T P.56."""

    def test_pauses_do_not_count(self) -> None:
        """Half a second of tone has the same level with a second of silence beside it."""
        assert -26.0 == pytest.approx(active_level_dbov(beep(0.5), RATE), abs=0.01)
        with_pause = np.concatenate((beep(0.5), silence(1.0)))
        assert -26.0 == pytest.approx(active_level_dbov(with_pause, RATE), abs=0.01)

    def test_quiet_noise_in_the_pauses_does_not_count(self) -> None:
        """What is 15.9 dB below the active level is no speech."""
        with_noise = noisy(np.concatenate((beep(0.5), silence(4.0))), -50.0)
        assert -26.0 == pytest.approx(active_level_dbov(with_noise, RATE), abs=0.1)

    def test_silence_and_nothing_have_the_lowest_level(self) -> None:
        """A number all the same, so that it can be printed and compared."""
        assert FLOOR_DBOV == active_level_dbov(silence(1.0), RATE)
        assert FLOOR_DBOV == active_level_dbov(silence(0.0), RATE)


class TestDetector:
    """From frames to speech."""

    def test_energy_finds_each_tone_to_the_sample(self) -> None:
        """Two tones with half a second between are two stretches of speech."""
        pcm = np.concatenate((silence(1.0), beep(0.3), silence(0.5), beep(0.3), silence(1.0)))
        assert [(8_000, 10_400), (14_400, 16_800)] == heard(SpeechDetector(RATE, detector="energy"), pcm)

    def test_a_gap_below_the_hangover_belongs_to_the_speech(self) -> None:
        """0.15 s are a breath, hangover is 0.2 s."""
        pcm = np.concatenate((silence(1.0), beep(0.3), silence(0.15), beep(0.3), silence(1.0)))
        assert [(8_000, 14_000)] == heard(SpeechDetector(RATE, detector="energy"), pcm)

    def test_a_click_is_no_speech(self) -> None:
        """20 ms are less than min_speech, and what follows is found all the same."""
        pcm = np.concatenate((silence(0.5), beep(0.02), silence(0.5), beep(0.3), silence(0.5)))
        assert [(8_160, 10_560)] == heard(SpeechDetector(RATE, detector="energy"), pcm)

    def test_speech_that_goes_on_ends_with_the_stream(self) -> None:
        """And not before `finish` is called; a second call has nothing to add."""
        detector = SpeechDetector(RATE, detector="energy")
        assert [SpeechStarted(800)] == detector.receive_audio(np.concatenate((silence(0.1), beep(0.3))))
        assert detector.speaking
        assert [SpeechEnded(3_200)] == detector.finish()
        assert [] == detector.finish()

    def test_noise_louder_than_the_threshold_leaves_the_scorers_estimate(self) -> None:
        """Where all is audible the rule has nothing to say: the edges are the model's, within a quarter second."""
        voice = recorded("asterisk-talking.wav")[420:16_420]
        pcm = noisy(np.concatenate((silence(1.0), voice, silence(1.0))), -46.0)
        [(onset, end)] = heard(SpeechDetector(RATE), pcm)
        assert abs(onset - 8_000) <= 2_000
        assert abs(end - 24_000) <= 2_000

    def test_a_beginning_that_was_not_audible_keeps_the_estimate(self) -> None:
        """A scorer may hear what the rule does not: its own steps are then the edges."""
        detector = SpeechDetector(RATE, detector="energy", sensitivity=Sensitivity(threshold_dbov=-60.0))
        detector._sensitivity = Sensitivity(threshold_dbov=-40.0)  # the rule alone grows deaf
        pcm = np.concatenate((silence(0.1), beep(0.3, -50.0), silence(0.4)))
        assert [(800, 3_200)] == heard(detector, pcm)

    @given(st.integers(1, 3_000))
    def test_frames_of_any_length_give_the_same_speech(self, frame: int) -> None:
        """Positions are those of the stream."""
        pcm = np.concatenate((silence(0.3), beep(0.3), silence(0.4), beep(0.1), silence(0.3)))
        whole = heard(SpeechDetector(RATE, detector="energy"), pcm, pcm.size)
        assert whole == heard(SpeechDetector(RATE, detector="energy"), pcm, frame)

    def test_what_is_kept_does_not_grow_with_the_stream(self) -> None:
        """A minute of speech or silence leaves what an edge may move by, a hangover and a frame."""
        for pcm in (silence(60.0), beep(60.0)):
            detector = SpeechDetector(RATE, detector="energy")
            heard(detector, pcm)
            assert detector.kept_samples <= (0.25 + 0.2 + 0.03) * RATE

    def test_the_callers_buffer_may_be_used_again(self) -> None:
        """The detector keeps a copy, not the array."""
        detector, buffer = SpeechDetector(RATE, detector="energy"), silence(0.02)
        found = []
        for at in range(0, 4_000, 160):
            buffer[:] = np.concatenate((silence(0.1), beep(0.2), silence(0.2)))[at : at + 160]
            found += detector.receive_audio(buffer)
        assert [SpeechStarted(800), SpeechEnded(2_400)] == found

    def test_it_says_in_one_line_what_it_hears(self) -> None:
        """For logs: the state and how far it has come."""
        detector = SpeechDetector(RATE, detector="energy")
        assert "<SpeechDetector silence at 0.000 s>" == repr(detector)
        detector.receive_audio(beep(0.03))
        assert "<SpeechDetector perhaps speech at 0.030 s>" == repr(detector)
        detector.receive_audio(beep(0.1))
        assert "<SpeechDetector speech at 0.130 s>" == repr(detector)

    def test_samples_of_another_type_are_refused(self) -> None:
        """Floats between -1 and 1 would be silence, and nobody would know why."""
        with pytest.raises(TypeError, match="float64"):
            SpeechDetector(RATE, detector="energy").receive_audio(np.zeros(160))

    def test_an_unknown_detector_is_refused(self) -> None:
        """By name."""
        with pytest.raises(ValueError, match="webrtc"):
            SpeechDetector(RATE, detector="webrtc")


class TestSensitivity:
    """What can never detect anything is refused."""

    @pytest.mark.parametrize(
        "settings",
        [
            {"start_probability": 1.01},
            {"end_probability": -0.01},
            {"start_probability": 0.3, "end_probability": 0.31},
            {"hangover": MAX_DURATION + 0.001},
            {"min_speech": MAX_DURATION + 0.001},
            {"hangover": -0.001},
        ],
        ids=str,
    )
    def test_settings_outside_their_range_are_refused(self, settings: dict[str, float]) -> None:
        """One step beyond each bound."""
        with pytest.raises(ValueError, match=r"between|hold"):
            Sensitivity(**settings)

    def test_settings_at_their_bounds_are_taken(self) -> None:
        """The bounds themselves are allowed."""
        bounds = Sensitivity(1.0, 1.0, min_speech=MAX_DURATION, hangover=MAX_DURATION)
        assert MAX_DURATION == bounds.hangover


class TestAccuracy:
    """The promise: an onset is right to 10 ms (p95) at 8 kHz after G.711 over a line of -60 dBov."""

    SENTENCES = (
        "Hello, I would like to book a table for two.",
        "Yes.",
        "Six thirty please.",
        "Three four five, seven.",
        "Stop.",
        "Fine.",
        "What time do you open on Sunday?",
        "Should have been here.",
    )

    @pytest.mark.parametrize("kind", ["silero", "energy"])
    def test_synthetic_speech_begins_and_ends_where_it_does(self, voice, kind: str) -> None:
        """Eight sentences, each at another phase of the 20 ms frames and 32 ms steps."""
        onsets, ends = [], []
        for index, sentence in enumerate(self.SENTENCES):
            speech, before = voice.say_now(sentence), 6_000 + 37 * index
            line = np.concatenate((np.zeros(before, np.int16), speech.pcm, silence(1.0)))
            spans = heard(SpeechDetector(RATE, detector=kind), over_the_phone(line))
            onsets.append(abs(spans[0][0] - before - speech.onset) / RATE)
            ends.append(abs(spans[-1][1] - before - speech.end) / RATE)
        assert np.percentile(onsets, 95) <= 0.010
        assert np.percentile(ends, 95) <= 0.010

    @pytest.mark.parametrize("kind", ["silero", "energy"])
    @pytest.mark.parametrize(
        "name", ["asterisk-talking.wav", "pjsip-input.8.wav", "pjsip-input.16.wav", "spandsp-short_nb_voice.wav"]
    )
    def test_recorded_speech_begins_where_it_does(self, name: str, kind: str) -> None:
        """Real voices, cut where they become audible and put into silence."""
        recording = recorded(name)
        onset, end = edges(recording, RATE)
        line = np.concatenate((silence(1.0), recording[onset:end][:24_000], silence(1.0)))
        spans = heard(SpeechDetector(RATE, detector=kind), over_the_phone(line))
        assert abs(spans[0][0] - 8_000) / RATE <= 0.010

    def test_music_on_hold_is_mostly_no_speech_to_the_model(self) -> None:
        """Energy takes all of it for speech; that is the price of being cheap."""
        pcm = np.tile(np.concatenate((beep(0.5), beep(0.5, -20.0))), 5)
        assert [] == heard(SpeechDetector(RATE), pcm)
        assert [(0, pcm.size)] == heard(SpeechDetector(RATE, detector="energy"), pcm)
