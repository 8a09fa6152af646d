"""Text to speech: the seam between what a caller says and how it sounds.

A `Voice` makes `Speech` of text. espeak-ng is the voice that needs no network; any other service fits behind the
same one method. Where sound begins and ends inside a `Speech` is found by the same rule that measures the answers
(`offhook.simulator.voice_activity.edges`), so that both ends of a turn latency mean the same thing.
"""

from .espeak import AGENT_VOICE, CALLER_VOICE, EspeakVoice
from .utterance import MAX_TEXT_CHARACTERS, Speech, SpeechFailed, SpeechUnavailable, Voice

__all__ = [
    "AGENT_VOICE",
    "CALLER_VOICE",
    "MAX_TEXT_CHARACTERS",
    "EspeakVoice",
    "Speech",
    "SpeechFailed",
    "SpeechUnavailable",
    "Voice",
]
