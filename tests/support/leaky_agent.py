"""An agent whose stream has holes: it answers, sends two seconds of PCMU without some of its packets, and hangs up.

Its signalling is Offhook's own, its media is written by hand, so that what was lost is known to the packet. Its sequence
numbers pass 65,535 on the way.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final, Self

from support.loopback import HOST

from offhook.codecs import codec, tone
from offhook.rtp import RtpPacket
from offhook.sipcore import sdp
from offhook.sipcore.aio import UserAgent

if TYPE_CHECKING:
    from offhook.sipcore.aio import Leg

PACKETS: Final = 100
HOLES: Final = frozenset({10, 40, 41, 42, 77})
"""Which of its packets are never sent."""
SSRC: Final = 0x0FF00C
PTIME: Final = 0.02
"""Seconds of a packet."""

_FRAME_SAMPLES = 160
_FIRST_SEQUENCE = 65_480


class LeakyAgent:
    """Takes one call after the other, while it is entered."""

    def __init__(self) -> None:
        self._agent = UserAgent(f"udp:{HOST}:0", on_call=self._answer)
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._payload = codec("PCMU").encode(tone(1_000, PTIME))

    async def __aenter__(self) -> Self:
        self._media.bind((HOST, 0))
        await self._agent.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._agent.close()
        self._media.close()

    @property
    def uri(self) -> str:
        """Where it is called."""
        host, port = self._agent.addresses[0]
        return f"sip:agent@{host}:{port}"

    def _answer(self, leg: Leg) -> None:
        media = sdp.parse(leg.invite.body).media[0]
        lines = ["v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0"]
        lines += [f"m=audio {self._media.getsockname()[1]} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", ""]
        leg.accept("\r\n".join(lines).encode())
        loop = asyncio.get_running_loop()
        start = loop.time() + PTIME  # after the 200, which leaves when this returns
        loop.call_at(start, self._send, leg, media.port, 0, start)

    def _send(self, leg: Leg, port: int, number: int, start: float) -> None:
        """Send one packet, or not, and see to the next at its own instant."""
        if number == PACKETS:
            leg.bye()
            return
        if number not in HOLES:
            sequence, timestamp = (_FIRST_SEQUENCE + number) % 65_536, number * _FRAME_SAMPLES
            packet = RtpPacket(0, number == 0, sequence, timestamp, SSRC, payload=self._payload)
            self._media.sendto(packet.serialize(), (HOST, port))
        asyncio.get_running_loop().call_at(start + (number + 1) * PTIME, self._send, leg, port, number + 1, start)
