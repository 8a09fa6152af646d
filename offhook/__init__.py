"""Offhook calls voice agents and answers for them: a SIP/RTP stack in pure Python on asyncio.

::

    async with offhook.Phone("udp:127.0.0.1:0") as phone:
        async with phone.call("sip:agent@127.0.0.1:5060", headers={"X-Simulation-Result-Id": "42"}) as call:
            await call.play("question.wav")
            answer = await call.listen(silence=0.8)
            print(call.quality)

Below the phone lie the rooms it is made of: :mod:`offhook.sipcore` (signalling), :mod:`offhook.rtp` (media),
:mod:`offhook.codecs` (sound); above it :mod:`offhook.simulator` (conversations). The names below are loaded when they are
first used (PEP 562), so that whoever needs the message parser alone does not pay for numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audio import Audio
    from .call import Call
    from .errors import AudioError, CallFailed, CallOver, OffhookError
    from .events import Answered, CallEvent, DtmfReceived, Ended, MediaChanged, MediaStarted, Ringing
    from .outgoing import Playback
    from .phone import Phone
    from .quality import CallQuality
    from .recorder import Recorder

_HOMES = {
    "Answered": "events",
    "Audio": "audio",
    "AudioError": "errors",
    "Call": "call",
    "CallEvent": "events",
    "CallFailed": "errors",
    "CallOver": "errors",
    "CallQuality": "quality",
    "DtmfReceived": "events",
    "Ended": "events",
    "MediaChanged": "events",
    "MediaStarted": "events",
    "OffhookError": "errors",
    "Phone": "phone",
    "Playback": "outgoing",
    "Recorder": "recorder",
    "Ringing": "events",
}

__all__ = [
    "Answered",
    "Audio",
    "AudioError",
    "Call",
    "CallEvent",
    "CallFailed",
    "CallOver",
    "CallQuality",
    "DtmfReceived",
    "Ended",
    "MediaChanged",
    "MediaStarted",
    "OffhookError",
    "Phone",
    "Playback",
    "Recorder",
    "Ringing",
]


def __getattr__(name: str) -> object:
    """Load a public name from its home."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'offhook' has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
