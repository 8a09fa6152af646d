"""What can be done with an incoming call, besides the reference agent: echo it, play to it, or run somebody's own code."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from offhook.errors import AudioError, CallOver

if TYPE_CHECKING:
    import offhook
    from offhook.codecs import Pcm

Answerer = Callable[["offhook.Call"], Awaitable[None]]

MAX_ECHO_BACKLOG: Final = 10  # frames (200 ms) that an echo may lag; beyond it what waits is dropped


class NoSuchAgent(ValueError):
    """``module:name`` leads to nothing that can serve a call."""


async def echo(call: offhook.Call) -> None:
    """Answer and send back what is heard, until the caller hangs up.

    Raises:
        CallFailed: the caller gave up before the answer.
    """
    call.ring()
    await call.answer()
    media = call.media
    assert media is not None, "answered calls have media"

    def reflect(frame: Pcm, _now: float) -> None:
        if media.outgoing.backlog >= MAX_ECHO_BACKLOG:
            media.outgoing.flush()
        media.outgoing.queue_frame(frame)

    media.incoming.sinks.append(reflect)
    await call.ended()


def player(audio: offhook.Audio, *, again: bool = True) -> Answerer:
    """Answer and play a sound, over and over unless told otherwise, until the caller hangs up.

    Raises:
        AudioError: there is no sound in it.
    """
    if not len(audio):
        raise AudioError("there is no sound to play: the file is empty")

    async def play(call: offhook.Call) -> None:
        call.ring()
        await call.answer()
        with suppress(CallOver):
            while not call.is_over:
                await call.play(audio)
                if not again:
                    break

    return play


def own_agent(name: str) -> Answerer:
    """Find ``module:function``; the current folder is searched first.

    Raises:
        NoSuchAgent: no such module or name, or it is not callable; the message shows a working example.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise NoSuchAgent(
            f"{name!r} is no agent: write 'reference', or 'module:function' with async def function(call)"
        )
    if (folder := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, folder)
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # whatever somebody's module raises while it is loaded
        raise NoSuchAgent(f"{name}: {type(error).__name__}: {error}") from error
    is_plain = inspect.isfunction(found) and not inspect.iscoroutinefunction(found)
    if not callable(found) or is_plain:
        raise NoSuchAgent(f"{name} cannot serve a call: it should be 'async def {attribute}(call)'")
    agent: Answerer = found
    return agent
