"""What was said, as sound: its edges, its level, its rate."""

from __future__ import annotations

import numpy as np
import pytest
from support.speech import RATE, beep, silence

from offhook.simulator.speech.utterance import Speech, levelled
from offhook.simulator.voice_activity import active_level_dbov


def test_speech_knows_where_its_sound_is() -> None:
    """The silence around it stays in the samples."""
    speech = Speech.of("hello", np.concatenate((silence(0.1), beep(0.5), silence(0.2))), RATE)
    assert (800, 4_800) == (speech.onset, speech.end)
    assert (0.8, 0.5) == (speech.duration, speech.audible_duration)


def test_speech_without_sound_has_no_audible_duration() -> None:
    """Both edges are 0: nothing was said."""
    speech = Speech.of("...", silence(0.1), RATE)
    assert (0, 0, 0.0) == (speech.onset, speech.end, speech.audible_duration)


def test_the_samples_cannot_be_written_to() -> None:
    """They are shared between calls."""
    with pytest.raises(ValueError, match="read-only"):
        Speech.of("hello", beep(0.1), RATE).pcm[0] = 1


@pytest.mark.parametrize("level", [-40.0, -26.0, -15.0])
def test_sound_is_brought_to_the_wanted_level(level: float) -> None:
    """Active level, whatever pauses there are."""
    pcm = np.concatenate((silence(1.0), beep(1.0, -30.0), silence(1.0)))
    assert level == pytest.approx(active_level_dbov(levelled(pcm, RATE, RATE, level), RATE), abs=0.1)


def test_a_level_that_would_clip_is_not_reached() -> None:
    """The loudest sample is at full scale, and the sine stays a sine."""
    pcm = levelled(beep(1.0), RATE, RATE, 0.0)
    assert 32_767 == np.abs(pcm.astype(int)).max()
    assert -3.0 == pytest.approx(active_level_dbov(pcm, RATE), abs=0.1)


def test_sound_may_keep_its_own_level() -> None:
    """None asks for nothing."""
    assert -30.0 == pytest.approx(active_level_dbov(levelled(beep(1.0, -30.0), RATE, RATE, None), RATE), abs=0.1)


def test_sound_is_brought_to_the_wanted_rate() -> None:
    """As long as before, in other samples."""
    assert 8_000 == levelled(beep(1.0, rate=22_050), 22_050, 8_000, -26.0).size


def test_silence_stays_silent() -> None:
    """No gain makes anything of it."""
    assert not levelled(silence(0.1), RATE, RATE, -26.0).any()
    assert 0 == levelled(silence(0.0), RATE, RATE, -26.0).size
