"""One number per step: steps keep their length and place, whatever the frames were."""

from __future__ import annotations

import os

import numpy as np
import pytest
from support.speech import RATE, beep, recorded, silence

from offhook.simulator import voice_probability
from offhook.simulator.voice_probability import EnergyProbability, SileroProbability, load_model, on_one_core


def in_frames(scorer, pcm: np.ndarray, frame: int) -> list[float]:
    """All probabilities of a stream that comes in frames of so many samples."""
    return [p for at in range(0, pcm.size, frame) for p in scorer.receive_audio(pcm[at : at + frame])]


def test_energy_is_judged_every_ten_milliseconds() -> None:
    """80 samples at 8 kHz; an incomplete step waits."""
    scorer = EnergyProbability(RATE, -50.0)
    assert 80 == scorer.step_samples
    assert [] == scorer.receive_audio(beep(0.01)[:79])
    assert [1.0] == scorer.receive_audio(beep(0.01)[79:])


def test_energy_is_speech_above_the_threshold_only() -> None:
    """-26 dBov is above -50 dBov, -60 dBov and silence are below."""
    pcm = np.concatenate((beep(0.01, -26.0), beep(0.01, -60.0), silence(0.01)))
    assert [1.0, 0.0, 0.0] == EnergyProbability(RATE, -50.0).receive_audio(pcm)


@pytest.mark.parametrize("frame", [1, 79, 160, 4_000])
def test_frames_of_any_length_give_the_same_energy(frame: int) -> None:
    """Steps are counted in the stream, not in frames."""
    pcm = np.concatenate((silence(0.2), beep(0.1), silence(0.2)))
    whole = EnergyProbability(RATE, -50.0).receive_audio(pcm)
    assert whole == in_frames(EnergyProbability(RATE, -50.0), pcm, frame)


@pytest.mark.parametrize(("rate", "step"), [(8_000, 256), (16_000, 512)])
def test_silero_judges_every_32_milliseconds(rate: int, step: int) -> None:
    """512 samples at 16 kHz, whatever the stream's own rate; the resampler holds back 2 ms."""
    scorer = SileroProbability(rate)
    assert step == scorer.step_samples
    assert 31 == len(scorer.receive_audio(silence(1.0, rate)))


def test_silero_tells_a_voice_from_a_tone() -> None:
    """That is what it is for: a beep as loud as a voice is none."""
    voice = SileroProbability(RATE).receive_audio(recorded("asterisk-talking.wav")[:16_000])
    assert np.mean(voice) > 0.8
    assert np.mean(SileroProbability(RATE).receive_audio(beep(2.0))) < 0.2


def test_silero_gives_the_same_for_frames_of_any_length() -> None:
    """The resampler and the chunks carry over from frame to frame."""
    pcm = recorded("asterisk-talking.wav")[:8_000]
    whole = SileroProbability(RATE).receive_audio(pcm)
    assert whole == pytest.approx(in_frames(SileroProbability(RATE), pcm, 160))


@pytest.mark.parametrize("rate", [7_999, 44_100, 48_000])
def test_other_sample_rates_are_refused(rate: int) -> None:
    """The model knows 16 kHz, telephony knows 8 kHz."""
    with pytest.raises(ValueError, match=str(rate)):
        SileroProbability(rate)
    with pytest.raises(ValueError, match=str(rate)):
        EnergyProbability(rate, -50.0)


class TestOneCore:
    """The model's threads spin for one another; on the core of their caller they take turns."""

    @pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity to set")
    def test_the_thread_keeps_to_one_core_and_is_let_go_again(self) -> None:
        """Also when what it did there failed."""
        before, inside = os.sched_getaffinity(0), set()

        def fail() -> None:
            inside.update(os.sched_getaffinity(0))
            raise RuntimeError

        with pytest.raises(RuntimeError), on_one_core():
            fail()
        assert (1, True) == (len(inside), inside <= before)
        assert before == os.sched_getaffinity(0)

    def test_without_affinity_nothing_is_done(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """There is no such call outside of Linux."""
        monkeypatch.setattr(voice_probability, "_GET_CPU", None)
        monkeypatch.setattr(os, "sched_setaffinity", None, raising=False)
        with on_one_core():
            pass

    def test_no_chunk_moves_no_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Most frames of 20 ms complete no step of the model."""
        scorer = SileroProbability(8_000)
        monkeypatch.setattr(voice_probability, "on_one_core", None)
        assert [] == scorer.receive_audio(np.zeros(160, np.int16))

    def test_the_model_is_loaded_before_it_is_needed(self) -> None:
        """Twice is once more."""
        load_model()
        load_model()
