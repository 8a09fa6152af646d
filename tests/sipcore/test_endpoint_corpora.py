"""The whole core, fed with messages that nobody here wrote: whole, cut in half, some of them answered."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from offhook.sipcore.endpoint import CallReceived, Endpoint, Settings
from offhook.sipcore.flow import Flow

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
US = ("127.0.0.1", 5060)
FILES = sorted(
    path
    for folder in ("sip", "fuzz/pjsip/fuzz-sip", "rtp/aiortc")
    for path in (CORPORA / folder).rglob("*")
    if path.is_file() and path.suffix != ".json"
)

pytestmark = pytest.mark.skipif(not FILES, reason="the corpora are not here")


def feed(core: Endpoint) -> float:
    """Each file whole and by half, from changing peers; of three calls one is answered, one rings first, one waits."""
    now = 0.0
    for number, data in enumerate(half for path in FILES for half in halves(path.read_bytes())):
        core.receive_datagram(data, Flow("UDP", US, (f"192.0.2.{number % 250 + 1}", 5060)), now)
        for session in (news.session for news in core.events() if isinstance(news, CallReceived)):
            if number % 3 == 0:
                session.ring(now)
            if number % 3 < 2:
                session.accept(b"v=0\r\n", "application/sdp", now)
        core.settle(now)
        core.datagrams_to_send()
        now += 0.01
    return now


def halves(data: bytes) -> tuple[bytes, bytes]:
    """The datagram, and one that was cut."""
    return data, data[: len(data) // 2]


def test_strangers_messages_raise_nothing_and_leave_nothing() -> None:
    """Each is answered, acted upon or counted under a reason; when all timers have run, not one call or timer is left."""
    core = Endpoint(Settings(), random.Random(1), lambda _flow: US)
    now = feed(core)
    seen = core.counts()
    assert seen.received["INVITE"] > 50
    assert sum(seen.dropped.values()) > len(FILES)  # half of them are cut
    while (deadline := core.next_deadline()) is not None:
        now = max(now, deadline)
        core.handle_timeout(now)
        core.events()
        core.datagrams_to_send()
    left = core.counts()
    assert (0, 0, 0) == (left.sessions, left.dialogs, left.transactions)
