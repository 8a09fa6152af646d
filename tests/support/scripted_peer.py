"""A SIP peer that does exactly what a test tells it, right or wrong, over a real socket on loopback.

The phones of Offhook are well-behaved; what others do (early media, hold, a late offer, an answer that fits nothing) is written
down here message by message::

    async with Peer() as peer:
        call = await phone.dial(peer.uri)
        invite = await peer.expect("INVITE")
        peer.answer(invite, 183, peer.sdp())
        peer.answer(invite, 200, peer.sdp())
        ack = await peer.expect("ACK")
        await peer.request("INVITE", invite, body=peer.sdp("sendonly"))   # a re-INVITE

Retransmissions of what was received already are passed over, so that a test sees each message once.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Self

from offhook.sipcore import Request, Response, parse

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 5.0  # seconds that a test waits for a message before it fails
TAG = "peer"


class Peer(asyncio.DatagramProtocol):
    """One user agent, for one dialog at a time, and the UDP port that it names for its sound."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[Request | Response] = asyncio.Queue()
        self.seen: set[bytes] = set()
        self.phone = ("127.0.0.1", 0)
        "Where the last message came from, or where the first one goes."
        self._sequence = 0
        self._branches = 0
        self._version = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.setblocking(False)
        self.rtp.bind(("127.0.0.1", 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.transport.close()
        self.rtp.close()
        await asyncio.sleep(0)  # asyncio closes the socket in its next round

    @property
    def address(self) -> tuple[str, int]:
        """Where it is reached."""
        host, port = self.transport.get_extra_info("sockname")
        return host, port

    @property
    def uri(self) -> str:
        """What to dial."""
        return f"sip:peer@{self.address[0]}:{self.address[1]}"

    # -- reading -------------------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """asyncio hands over what came."""
        self.phone = addr
        if data not in self.seen:
            self.seen.add(data)
            self.received.put_nowait(parse(data))

    async def expect(self, *wanted: str | int) -> Any:
        """The next message that is this request or response; others (100, 180, RTP reports) are passed over."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.received.get()
                name = message.method if isinstance(message, Request) else message.status
                if name in wanted:
                    return message

    async def packet(self) -> bytes:
        """The next RTP datagram of the phone's."""
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.rtp, 2048), PATIENCE)

    def forget_packets(self) -> int:
        """Throw away what lies in the RTP socket; tells how many datagrams there were."""
        count = 0
        while True:
            try:
                self.rtp.recv(2048)
            except BlockingIOError:
                return count
            count += 1

    # -- writing -------------------------------------------------------------------------------------------------------

    def sdp(
        self, direction: str = "sendrecv", *, codecs: str = "0 101", address: str = "127.0.0.1", more: str = ""
    ) -> bytes:
        """Our description, each time with the next version."""
        self._version += 1
        port = self.rtp.getsockname()[1]
        return (
            f"v=0\r\no=- 1 {self._version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP {codecs}\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n{more}"
        ).encode()

    def answer(
        self, request: Request, status: int, body: bytes = b"", *more: str, content_type: str = "application/sdp"
    ) -> None:
        """Respond to a request of the phone's."""
        to = request.headers["to"] + ("" if "tag=" in request.headers["to"] else f";tag={TAG}")
        lines = [f"SIP/2.0 {status} Whatever", *[f"Via: {via}" for via in request.headers.get_all("via")]]
        lines += [f"From: {request.headers['from']}", f"To: {to}", f"Call-ID: {request.headers['call-id']}"]
        lines += [f"CSeq: {request.headers['cseq']}", f"Contact: <{self.uri}>", *more]
        self._send(lines, body, content_type)

    def invite(
        self,
        address: tuple[str, int],
        body: bytes = b"",
        *more: str,
        content_type: str = "application/sdp",
        to: str = "agent",
    ) -> Request:
        """Call a phone; gives the INVITE, which later requests of the dialog and its CANCEL are made from."""
        self.phone = address
        self._sequence = 1
        target = f"sip:{to}@{address[0]}:{address[1]}"
        lines = self._head(
            "INVITE", target, f"<sip:caller@127.0.0.1>;tag={TAG}", f"<{target}>", f"{self.address[1]}@peer"
        )
        return self._send([*lines, *more], body, content_type)

    def cancel(self, invite: Request) -> None:
        """Give the call up that this INVITE began."""
        lines = [f"CANCEL {invite.target} SIP/2.0", f"Via: {invite.headers['via']}"]
        lines += [f"{name}: {invite.headers[name]}" for name in ("From", "To", "Call-ID")]
        self._send([*lines, f"CSeq: {invite.cseq.number} CANCEL", "Max-Forwards: 70"])

    def ack(self, response: Response, body: bytes = b"", content_type: str = "application/sdp") -> None:
        """Acknowledge a 2xx of the phone's."""
        headers = response.headers
        target = f"sip:phone@{self.phone[0]}:{self.phone[1]}"
        lines = self._head("ACK", target, headers["from"], headers["to"], headers["call-id"], response.cseq.number)
        self._send(lines, body, content_type)

    def request(
        self,
        method: str,
        message: Request | Response,
        body: bytes = b"",
        *more: str,
        content_type: str = "application/sdp",
    ) -> Request:
        """A request inside the dialog that one of the phone's messages belongs to."""
        self._sequence += 1
        ours, theirs = message.headers["from"], message.headers["to"]
        if isinstance(message, Request):
            ours, theirs = f"{theirs};tag={TAG}", ours
        target = f"sip:phone@{self.phone[0]}:{self.phone[1]}"
        lines = self._head(method, target, ours, theirs, message.headers["call-id"])
        return self._send([*lines, *more], body, content_type)

    def _head(
        self, method: str, target: str, ours: str, theirs: str, call_id: str, sequence: int | None = None
    ) -> list[str]:
        self._branches += 1
        host, port = self.address
        return [
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{self._branches}",
            f"From: {ours}",
            f"To: {theirs}",
            f"Call-ID: {call_id}",
            f"CSeq: {sequence or self._sequence} {method}",
            f"Contact: <{self.uri}>",
            "Max-Forwards: 70",
        ]

    def _send(self, lines: list[str], body: bytes = b"", content_type: str = "application/sdp") -> Any:
        if body:
            lines = [*lines, f"Content-Type: {content_type}"]
        data = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
        self.transport.sendto(data, self.phone)
        return parse(data)
