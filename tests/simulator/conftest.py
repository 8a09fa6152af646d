"""What several tests of the simulator need."""

from __future__ import annotations

import pytest

from offhook.simulator.speech import EspeakVoice, SpeechUnavailable


@pytest.fixture
def voice() -> EspeakVoice:
    """The caller's voice; skips where the synthesiser is not installed."""
    try:
        return EspeakVoice()
    except SpeechUnavailable as missing:
        pytest.skip(str(missing))
