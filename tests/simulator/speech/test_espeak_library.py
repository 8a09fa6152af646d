"""The C library: loaded afresh for each utterance, and all that can go wrong with it."""

from __future__ import annotations

import builtins
import os
from unittest.mock import Mock

import numpy as np
import pytest

from offhook.simulator.speech import SpeechFailed, SpeechUnavailable
from offhook.simulator.speech import _espeak_library as library


def spoken(text: str, **manner) -> np.ndarray:
    """Samples as the library gives them."""
    defaults = {"language": "en-us", "variant": "", "rate": 175, "pitch": 50}
    return library.thread().submit(library.synthesise, text, **(defaults | manner)).result()[0]


@pytest.mark.usefixtures("voice")
class TestInstalled:
    """With the extra."""

    @pytest.mark.parametrize("variant", ["", "f3", "m3", "klatt2"])
    def test_equal_text_gives_equal_samples(self, variant: str) -> None:
        """Whatever was said in between: the library remembers nothing."""
        first = spoken("Hello.", variant=variant)
        spoken("Something else entirely.", variant="croak", pitch=90)
        assert np.array_equal(first, spoken("Hello.", variant=variant))

    def test_rate_pitch_and_voice_change_the_sound(self) -> None:
        """Five manners, five sounds."""
        manners = ({}, {"rate": 250}, {"pitch": 80}, {"variant": "f3"}, {"language": "en-gb"})
        assert 5 == len({spoken("Hello.", **manner).tobytes() for manner in manners})

    def test_a_faster_rate_takes_less_time(self) -> None:
        """Words per minute are what they are called."""
        slow, fast = (spoken("I would like to book a table.", rate=rate).size for rate in (100, 300))
        assert 2 * fast < slow

    @pytest.mark.parametrize("text", ["", "...", "<speak>hi</speak>", "[[h@l'oU]]", "\ud800", "😀", "\x07"], ids=ascii)
    def test_no_text_breaks_it(self, text: str) -> None:
        """Markup and phonemes mean nothing, and are read aloud or left out."""
        assert np.int16 == spoken(text).dtype

    @pytest.mark.parametrize("language", ["xx", "", "../../etc/passwd"])
    def test_an_unknown_language_is_refused(self, language: str) -> None:
        """By name."""
        with pytest.raises(SpeechFailed, match="no language"):
            spoken("Hello.", language=language)

    def test_more_speech_than_the_limit_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not cut off: a sentence without its end would be measured as one."""
        monkeypatch.setattr(library, "MAX_SPEECH_SECONDS", 1)
        assert spoken("Hello.").size < 22_050
        with pytest.raises(SpeechFailed, match="more than 1 s"):
            spoken("I would like to book a table for two.")

    def test_a_library_without_its_data_does_not_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And says so instead of ending the process."""
        path, _ = library.paths()
        monkeypatch.setattr(library, "paths", lambda: (path, "/nowhere"))
        with pytest.raises(SpeechFailed, match="does not start"):
            spoken("Hello.")

    def test_a_child_of_a_fork_speaks_too(self) -> None:
        """The thread did not survive the fork; another is made."""
        spoken("Hello.")
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.write(writer, b"1" if spoken("Hello.").size else b"0")
            os._exit(0)
        os.close(writer)
        assert b"1" == os.read(reader, 1)
        os.waitpid(child, 0)
        os.close(reader)


def test_a_refusal_of_the_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """By any other result than EE_OK, and the library is ended all the same."""
    monkeypatch.setattr(library, "_choose", lambda *_: None)
    refusing = Mock(**{"espeak_Initialize.return_value": 22_050, "espeak_Synth.return_value": -1})
    with pytest.raises(SpeechFailed, match="refused the text"):
        library._speak(refusing, "", "Hello.", ("en-us", ""), (175, 50))
    refusing.espeak_Terminate.assert_called_once_with()


def test_a_library_that_cannot_be_loaded_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path is in the sentence."""
    monkeypatch.setattr(library, "paths", lambda: ("/nowhere/libespeak-ng.so", "/nowhere"))
    with pytest.raises(SpeechFailed, match=r"/nowhere/libespeak-ng\.so"):
        spoken("Hello.")


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that can be pasted."""
    real = builtins.__import__

    def without_espeak(name: str, *rest):
        if name == "espeakng_loader":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_espeak)
    library.paths.cache_clear()
    with pytest.raises(SpeechUnavailable, match=r'pip install "offhook\[speech\]"'):
        library.paths()
