"""espeak-ng as a voice: edges, level, rate, cache, and what it refuses."""

from __future__ import annotations

import asyncio

import pytest
from support.speech import beep

from offhook.simulator.speech import AGENT_VOICE, CALLER_VOICE, MAX_TEXT_CHARACTERS, EspeakVoice, Speech, SpeechFailed
from offhook.simulator.speech.espeak import FASTEST, SLOWEST, SpeechCache
from offhook.simulator.voice_activity import active_level_dbov, edges


@pytest.mark.usefixtures("voice")
class TestVoice:
    """What it says."""

    def test_speech_comes_at_eight_kilohertz_and_nominal_level(self) -> None:
        """Ready for G.711, unless another rate or level is asked for."""
        speech = asyncio.run(EspeakVoice().say("I would like to book a table."))
        assert 8_000 == speech.sample_rate
        assert -26.0 == pytest.approx(active_level_dbov(speech.pcm, 8_000), abs=0.1)

    def test_edges_are_those_of_the_shared_rule(self) -> None:
        """The same that will be applied to the answer."""
        speech = EspeakVoice().say_now("Six thirty please.")
        assert (speech.onset, speech.end) == edges(speech.pcm, 8_000)
        assert 0 < speech.onset < speech.end < speech.pcm.size

    def test_another_rate_and_level_are_given(self) -> None:
        """As long as before, in other samples and softer."""
        narrow = EspeakVoice().say_now("Hello there.")
        wide = EspeakVoice(sample_rate=16_000, level_dbov=-35.0).say_now("Hello there.")
        assert narrow.duration == pytest.approx(wide.duration, abs=0.001)
        assert -35.0 == pytest.approx(active_level_dbov(wide.pcm, 16_000), abs=0.1)

    def test_caller_and_agent_sound_different(self) -> None:
        """So that a recording can be followed by ear."""
        caller, agent = (EspeakVoice(name).say_now("Hello.").pcm.tobytes() for name in (CALLER_VOICE, AGENT_VOICE))
        assert caller != agent

    def test_what_was_said_once_is_not_made_again(self) -> None:
        """The same object, for another voice object of the same manner too."""
        first = EspeakVoice().say_now("Say this twice.")
        assert first is EspeakVoice().say_now("Say this twice.")
        assert first is asyncio.run(EspeakVoice().say("Say this twice."))

    def test_a_hundred_callers_wait_for_one_synthesis(self) -> None:
        """Who asks for a sentence that is being made gets that one."""

        async def everybody() -> list[Speech]:
            return await asyncio.gather(*(EspeakVoice().say("All at once.") for _ in range(100)))

        assert 1 == len(set(map(id, asyncio.run(everybody()))))

    def test_control_characters_are_spaces(self) -> None:
        """A zero octet would end the text in C."""
        zero, space = (EspeakVoice().say_now(f"zero{c}here") for c in "\0 ")
        assert zero.pcm.tobytes() == space.pcm.tobytes()

    def test_nothing_to_say_is_no_sound(self) -> None:
        """And no error: a scenario may be silent."""
        assert 0.0 == EspeakVoice().say_now("").audible_duration

    def test_the_longest_text_is_taken_and_one_character_more_is_not(self) -> None:
        """The limit is told in the refusal."""
        voice = EspeakVoice(rate=FASTEST)
        assert voice.say_now(" " * MAX_TEXT_CHARACTERS).pcm.size >= 0
        with pytest.raises(SpeechFailed, match=str(MAX_TEXT_CHARACTERS)):
            voice.say_now(" " * (MAX_TEXT_CHARACTERS + 1))

    @pytest.mark.parametrize("name", ["", "EN", "en-us+", "en-us+zz9", "en-us+../../etc", "en us", "en-us+f3+f3"])
    def test_a_name_that_is_no_voice_is_refused(self, name: str) -> None:
        """At once; espeak-ng would take some of them in silence."""
        with pytest.raises(SpeechFailed, match="no voice"):
            EspeakVoice(name)

    def test_an_unknown_language_is_refused_when_it_speaks(self) -> None:
        """Only the library knows its languages."""
        with pytest.raises(SpeechFailed, match="no language"):
            asyncio.run(EspeakVoice("xx").say("Hello."))

    @pytest.mark.parametrize(
        "manner", [{"rate": SLOWEST - 1}, {"rate": FASTEST + 1}, {"pitch": -1}, {"pitch": 101}], ids=str
    )
    def test_manners_outside_their_range_are_refused(self, manner: dict[str, int]) -> None:
        """One beyond each bound."""
        with pytest.raises(SpeechFailed, match=str(next(iter(manner.values())))):
            EspeakVoice(**manner)

    def test_it_says_in_one_line_what_it_is(self) -> None:
        """For logs."""
        assert "<EspeakVoice en-us+f3 175 wpm 8000 Hz>" == repr(EspeakVoice())


class TestCache:
    """Bounded by samples; the least recently used goes first."""

    @staticmethod
    def speech() -> Speech:
        """A hundred samples."""
        return Speech.of("", beep(0.0125), 8_000)

    def test_the_bound_is_kept_and_one_more_forgets_the_oldest(self) -> None:
        """Three fit, the fourth pushes the first out."""
        cache = SpeechCache(max_samples=300)
        for key in "abc":
            cache.put(key, self.speech())
        assert (3, 300) == (len(cache), cache.samples)
        cache.put("d", self.speech())
        assert cache.get("a") is None
        assert (3, 300) == (len(cache), cache.samples)

    def test_what_was_asked_for_lately_stays(self) -> None:
        """The other one goes."""
        cache = SpeechCache(max_samples=200)
        cache.put("a", self.speech())
        cache.put("b", self.speech())
        assert cache.get("a") is not None
        cache.put("c", self.speech())
        assert [True, False, True] == [cache.get(key) is not None for key in "abc"]

    def test_speech_larger_than_the_cache_is_not_kept(self) -> None:
        """Nor is anything else then."""
        cache = SpeechCache(max_samples=99)
        cache.put("a", self.speech())
        assert (0, 0) == (len(cache), cache.samples)

    def test_what_is_forgotten_while_it_is_read_is_still_read(self) -> None:
        """The other thread may be faster."""
        cache = SpeechCache()
        cache._touch("gone")
        assert 0 == len(cache)
