"""baresip calls us and we call baresip, with both laws of G.711: sound and keys come through in both directions.

We say 440 Hz and baresip says 1,000 Hz, so what somebody hears cannot be his own voice. What baresip hears is what its own
decoder made of our packets.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.baresip import baresip
from support.loopback import HOST

import offhook as front_door
from offhook.codecs import tone, tone_present

if TYPE_CHECKING:
    from support.baresip import Baresip

OUR_HERTZ, THEIR_HERTZ = 440.0, 1_000.0
OURS = front_door.Audio(tone(OUR_HERTZ, 1.0), 8_000)
THEIRS = front_door.Audio(tone(THEIR_HERTZ, 30.0), 8_000)
WINDOW, STEP = 4_000, 800
"""Samples: half a second in which a tone must stand, looked for every tenth of a second."""
KEYS = "47*#"
STEP_SECONDS = 20.0
"""Within which each step of a conversation must be done."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What came through, at both ends."""

    codec: str
    heard_by_us: front_door.Audio
    heard_by_them: front_door.Audio
    keys_to_us: str
    keys_to_them: str
    ended_by: str


def hears(audio: front_door.Audio, hertz: float) -> bool:
    """Whether a tone stands somewhere for half a second, 20 dB above all the rest."""
    starts = range(0, len(audio) - WINDOW, STEP)
    return any(tone_present(audio.pcm[start : start + WINDOW], hertz, audio.sample_rate, 20.0) for start in starts)


async def talk(call: front_door.Call, peer: Baresip) -> tuple[front_door.Audio, str, str]:
    """Say our tone and hear theirs, press keys and notice theirs: what we heard, keys to us, keys to them."""
    ears = call.audio
    await call.play(OURS)
    ears.close()
    heard = front_door.Audio(np.concatenate([frame async for frame in ears]), call.sample_rate)
    await call.send_dtmf(KEYS)
    to_them = [(await asyncio.to_thread(peer.wait_for, "CALL_DTMF_START"))["param"] for _ in KEYS]
    to_us = []
    pressed = call.dtmf()
    for key in KEYS:
        await asyncio.to_thread(peer.command, "sndcode", key)
        to_us.append(await anext(pressed))
    return heard, "".join(to_us), "".join(to_them)


async def they_call(peer: Baresip) -> tuple[front_door.Call, tuple[front_door.Audio, str, str]]:
    """baresip dials us and hangs up in the end."""
    async with front_door.Phone(f"udp:{HOST}:0") as phone:
        calls = phone.incoming()
        taken = asyncio.ensure_future(anext(calls))
        await asyncio.sleep(0)  # the phone refuses calls that nobody takes
        await asyncio.to_thread(peer.command, "dial", phone.uri.replace("sip:", "sip:offhook@"))
        call = await taken
        await call.answer()
        came = await talk(call, peer)
        await asyncio.to_thread(peer.command, "hangup")
        await call.ended()
        return call, came


async def we_call(peer: Baresip) -> tuple[front_door.Call, tuple[front_door.Audio, str, str]]:
    """We dial baresip, which answers by itself, and hang up in the end."""
    async with front_door.Phone(f"udp:{HOST}:0") as phone, phone.call(peer.uri) as call:
        came = await talk(call, peer)
        call.hang_up()
        await asyncio.to_thread(peer.wait_for, "CALL_CLOSED")
        return call, came


async def converse(peer: Baresip, who: str) -> Conversation:
    """A call from beginning to end, within bounded time."""
    async with asyncio.timeout(STEP_SECONDS):
        call, (heard, to_us, to_them) = await (we_call(peer) if who == "we call" else they_call(peer))
        ended = await call.ended()
    return Conversation(call.codec or "", heard, peer.heard(), to_us, to_them, ended.by)


@pytest.fixture(scope="module", params=["PCMU", "PCMA"])
def codec(request: pytest.FixtureRequest) -> str:
    """The law that baresip is told to speak."""
    return str(request.param)


@pytest.fixture(scope="module", params=["they call", "we call"])
def who(request: pytest.FixtureRequest) -> str:
    """Who dials, and hangs up."""
    return str(request.param)


@pytest.fixture(scope="module")
def conversation(codec: str, who: str, tmp_path_factory: pytest.TempPathFactory) -> Conversation:
    """One call a law and direction."""
    with baresip(tmp_path_factory.mktemp("baresip"), codec, THEIRS) as peer:
        return asyncio.run(converse(peer, who))


def test_the_only_codec_that_baresip_speaks_is_agreed_on(conversation: Conversation, codec: str) -> None:
    """Whoever offers (RFC 3264 6.1)."""
    assert codec == conversation.codec


def test_we_hear_the_tone_of_baresip_and_not_our_own(conversation: Conversation) -> None:
    """1,000 Hz come in, 440 Hz do not come back."""
    assert hears(conversation.heard_by_us, THEIR_HERTZ)
    assert not hears(conversation.heard_by_us, OUR_HERTZ)


def test_baresip_hears_our_tone_and_not_its_own(conversation: Conversation) -> None:
    """440 Hz, as baresip's own decoder gave them out."""
    assert hears(conversation.heard_by_them, OUR_HERTZ)
    assert not hears(conversation.heard_by_them, THEIR_HERTZ)


def test_each_key_that_we_press_is_noticed_by_baresip_once(conversation: Conversation) -> None:
    """In order, as telephone events (RFC 4733)."""
    assert KEYS == conversation.keys_to_them


def test_each_key_that_baresip_presses_is_told_once(conversation: Conversation) -> None:
    """In order, though baresip sends each event many times."""
    assert KEYS == conversation.keys_to_us


def test_the_end_of_the_call_is_known_to_be_theirs_or_ours(conversation: Conversation, who: str) -> None:
    """BYE from the one who dialled."""
    assert ("local" if who == "we call" else "remote") == conversation.ended_by
