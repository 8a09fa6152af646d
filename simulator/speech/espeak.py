"""espeak-ng as a voice: embedded, deterministic, fast; not beautiful, but always there.

What was said once is kept, as far as the cache's limit goes, because a load run says the same sentences a thousand
times; who asks for a sentence that is being made waits for that one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import OrderedDict
from dataclasses import dataclass

from . import _espeak_library
from .utterance import MAX_TEXT_CHARACTERS, SPEECH_LEVEL_DBOV, Speech, SpeechFailed, levelled

CALLER_VOICE = "en-us+f3"
"""The simulated caller's voice, unless told otherwise."""

AGENT_VOICE = "en-gb+m3"
"""The reference agent's voice: another accent, another sex, so that a recording can be followed by ear."""

MAX_CACHED_SAMPLES = 32_000_000
"""Samples kept for being said again: 64 MB, a little more than an hour at 8 kHz."""

SLOWEST, FASTEST = 80, 450
"""Words per minute that espeak-ng speaks without further tricks (speak_lib.h, espeakRATE)."""

# language [ "+" variant ], and nothing that could be part of a path
_VOICE = re.compile(r"(?P<language>[a-z0-9-]{1,32})(?:\+(?P<variant>[A-Za-z0-9]{1,32}))?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class _Manner:
    """All that decides how text sounds, and so the cache's key together with the text."""

    language: str
    variant: str
    rate: int
    pitch: int
    sample_rate: int
    level_dbov: float | None


class EspeakVoice:
    """One espeak-ng voice. Cheap to make; all of them share the library, its thread and the cache.

    Args:
        voice: language and optional variant, "en-us", "en-gb+m3", "de+f2".
        rate: words per minute, 80 to 450.
        pitch: 0 to 100.
        sample_rate: of the speech wanted, samples per second.
        level_dbov: active speech level wanted, dBov; None leaves espeak-ng's own.

    Raises:
        SpeechUnavailable: the extra is not installed; the message says how to install it.
        SpeechFailed: no such voice, or a rate or pitch outside its range.
    """

    def __init__(
        self,
        voice: str = CALLER_VOICE,
        *,
        rate: int = 175,
        pitch: int = 50,
        sample_rate: int = 8000,
        level_dbov: float | None = SPEECH_LEVEL_DBOV,
    ) -> None:
        known = _espeak_library.variants()
        match = _VOICE.fullmatch(voice)
        variant = (match["variant"] or "") if match else ""
        if match is None or (variant and variant not in known):
            raise SpeechFailed(f"no voice {voice!r}: a language such as en-us, perhaps with a variant such as +f3")
        if not SLOWEST <= rate <= FASTEST:
            raise SpeechFailed(f"{rate} words per minute: espeak-ng speaks {SLOWEST} to {FASTEST}")
        if not 0 <= pitch <= 100:
            raise SpeechFailed(f"pitch {pitch}: espeak-ng knows 0 to 100")
        self.name = voice
        self._manner = _Manner(match["language"], variant, rate, pitch, sample_rate, level_dbov)

    def __repr__(self) -> str:
        """Name and rates."""
        return f"<EspeakVoice {self.name} {self._manner.rate} wpm {self._manner.sample_rate} Hz>"

    async def say(self, text: str) -> Speech:
        """Speak `text`; the event loop goes on meanwhile.

        Raises:
            SpeechFailed: the text is longer than MAX_TEXT_CHARACTERS, or the language is unknown.
        """
        key = self._key(text)
        kept = _CACHE.get(key)
        if kept is not None:
            return kept
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_espeak_library.thread(), _spoken, key)

    def say_now(self, text: str) -> Speech:
        """Speak `text` and wait for it: for preparation and scripts without an event loop. Raises as `say`."""
        key = self._key(text)
        return _CACHE.get(key) or _espeak_library.thread().submit(_spoken, key).result()

    def _key(self, text: str) -> tuple[_Manner, str]:
        if len(text) > MAX_TEXT_CHARACTERS:
            raise SpeechFailed(f"{len(text)} characters to say: the limit is {MAX_TEXT_CHARACTERS}")
        return self._manner, text


class SpeechCache:
    """What was said lately, least recently used first to go, bounded by samples.

    Reading and writing are single dictionary operations under the interpreter's lock; writing happens on one thread.
    """

    def __init__(self, max_samples: int = MAX_CACHED_SAMPLES) -> None:
        self._max_samples = max_samples
        self._kept: OrderedDict[tuple[_Manner, str], Speech] = OrderedDict()
        self.samples = 0

    def __len__(self) -> int:
        """Utterances kept."""
        return len(self._kept)

    def get(self, key: tuple[_Manner, str]) -> Speech | None:
        """What was said for `key`, if it is still kept."""
        kept = self._kept.get(key)
        if kept is not None:
            self._touch(key)
        return kept

    def put(self, key: tuple[_Manner, str], speech: Speech) -> None:
        """Keep `speech`; one that alone is larger than the cache is not kept."""
        self._kept[key] = speech
        self.samples += speech.pcm.size
        while self.samples > self._max_samples:
            _, forgotten = self._kept.popitem(last=False)
            self.samples -= forgotten.pcm.size

    def _touch(self, key: tuple[_Manner, str]) -> None:
        with contextlib.suppress(KeyError):  # forgotten by the other thread since it was found
            self._kept.move_to_end(key)


_CACHE = SpeechCache()


def _spoken(key: tuple[_Manner, str]) -> Speech:
    """On the library's thread, one at a time: the second of two equal requests finds the first one's speech."""
    kept = _CACHE.get(key)
    if kept is not None:
        return kept
    manner, text = key
    pcm, rate = _espeak_library.synthesise(
        _CONTROL.sub(" ", text),
        language=manner.language,
        variant=manner.variant,
        rate=manner.rate,
        pitch=manner.pitch,
    )
    speech = Speech.of(text, levelled(pcm, rate, manner.sample_rate, manner.level_dbov), manner.sample_rate)
    _CACHE.put(key, speech)
    return speech
