"""The C interface of espeak-ng (speak_lib.h), as far as speaking needs it.

espeak-ng is one global machine: one voice, one rate, one callback. All use of it therefore runs on one thread of
its own, which also keeps it out of the event loop and out of asyncio's shared pool.

It also remembers: the phase of the voice's flutter runs on from one utterance to the next, so the same text never
sounds the same twice, and a test that depends on it would fail one time in a hundred. Nothing in its interface
resets that. The library is therefore loaded afresh for each utterance and closed after it (0.2 ms beside the
1 ms per second of speech that synthesis takes), and equal text gives equal samples, in any order and any process.
"""

from __future__ import annotations

import ctypes
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from .utterance import SpeechFailed, SpeechUnavailable

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SPEECH_SECONDS: Final = 1_200
"""Seconds of one synthesis: plain words of the longest text need as many at the slowest rate. More is refused."""

# speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000  # else it ends the whole process when its data is missing
_RATE, _PITCH = 1, 3
_CHARS_UTF8 = 1  # and no other flag: neither SSML nor [[phonemes]] in the text mean anything
_POS_CHARACTER = 1
_OK = 0

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    """espeak_VOICE."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # priority octet, language, 0, ... , 0: no plain C string
        ("identifier", ctypes.c_char_p),
        ("gender_age_variant_spare", ctypes.c_ubyte * 4),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


@functools.cache
def paths() -> tuple[str, str]:
    """Path of the shared library and of the folder with its data.

    Raises:
        SpeechUnavailable: the extra is not installed.
    """
    try:
        import espeakng_loader  # noqa: PLC0415 - an extra: only asked for when somebody speaks
    except ImportError as error:
        raise SpeechUnavailable('espeak-ng is not installed: pip install "offhook[speech]"') from error
    return str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())


@functools.cache
def thread() -> ThreadPoolExecutor:
    """The one thread on which espeak-ng runs."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="espeak-ng")


os.register_at_fork(after_in_child=thread.cache_clear)  # a forked child has the object but not the thread


def variants() -> frozenset[str]:
    """Names that may follow the plus sign of a voice. espeak-ng itself takes an unknown one in silence."""
    folder = Path(paths()[1]) / "voices" / "!v"
    return frozenset(entry.name for entry in folder.iterdir())


def synthesise(text: str, *, language: str, variant: str, rate: int, pitch: int) -> tuple[NDArray[np.int16], int]:
    """Speak once: samples and samples per second. Only on `thread()`.

    Args:
        text: any text; control characters are the caller's to remove.
        language: an espeak-ng language code such as "en-us".
        variant: a voice variant such as "f3", or "".
        rate: words per minute.
        pitch: 0 to 100.

    Raises:
        SpeechUnavailable: the extra is not installed.
        SpeechFailed: the library cannot be loaded or started, or knows no such language.
    """
    library_path, data_path = paths()
    libc = ctypes.CDLL(None)
    libc.dlopen.restype = ctypes.c_void_p
    libc.dlopen.argtypes = (ctypes.c_char_p, ctypes.c_int)
    libc.dlclose.argtypes = (ctypes.c_void_p,)
    handle = libc.dlopen(os.fsencode(library_path), os.RTLD_NOW)
    if not handle:
        raise SpeechFailed(f"espeak-ng cannot be loaded from {library_path}")
    try:
        library = ctypes.CDLL(library_path, handle=handle)
        return _speak(library, data_path, text, (language, variant), (rate, pitch))
    finally:
        libc.dlclose(handle)


def _speak(
    library: ctypes.CDLL, data_path: str, text: str, voice: tuple[str, str], manner: tuple[int, int]
) -> tuple[NDArray[np.int16], int]:
    sample_rate = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, os.fsencode(data_path), _DONT_EXIT)
    if sample_rate <= 0:
        raise SpeechFailed("espeak-ng does not start")
    heard: list[bytes] = []
    room = MAX_SPEECH_SECONDS * sample_rate

    def receive(samples: int | None, count: int, _events: int | None) -> int:
        nonlocal room
        if samples and count > 0:
            heard.append(ctypes.string_at(samples, 2 * count))
            room -= count
        return int(room < 0)  # 1 stops the synthesis

    callback = _Callback(receive)  # held by this name for as long as the library may call it
    try:
        library.espeak_SetSynthCallback(callback)
        _choose(library, *voice)
        for parameter, value in zip((_RATE, _PITCH), manner, strict=True):
            library.espeak_SetParameter(parameter, value, 0)
        octets = text.encode(errors="replace")
        size = ctypes.c_size_t(len(octets) + 1)
        if library.espeak_Synth(octets, size, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None) != _OK:
            raise SpeechFailed("espeak-ng refused the text")
        library.espeak_Synchronize()
    finally:
        library.espeak_Terminate()
    if room < 0:
        raise SpeechFailed(f"the text makes more than {MAX_SPEECH_SECONDS} s of speech")
    return np.frombuffer(b"".join(heard), np.int16), int(sample_rate)


def _choose(library: ctypes.CDLL, language: str, variant: str) -> None:
    """Set the voice by its identifier: by name, espeak-ng does not find "en-gb", whose file is called "en"."""
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    listed = library.espeak_ListVoices(None)
    position = 0
    while listed[position]:
        voice = listed[position].contents
        # The first language of a voice stands behind one octet of priority.
        first_language = ctypes.string_at(voice.languages + 1).decode(errors="replace")
        name = voice.identifier + (b"+" + variant.encode() if variant else b"")
        if first_language == language and library.espeak_SetVoiceByName(name) == _OK:
            return
        position += 1
    raise SpeechFailed(f"espeak-ng has no language {language!r}")
