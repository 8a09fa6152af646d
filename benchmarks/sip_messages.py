r"""What one SIP message costs, beside the least that Python can do with it.

Run it as `python benchmarks/sip_messages.py`. Each figure is the best of several rounds, in CPU microseconds of this process
per message. The messages are 907-octet INVITEs with an SDP of 13 lines, all different in branch, tag and Call-ID. There are
two sets: in the first a few peers call again and again, as they do at a proxy or under load; in the second each caller is a
stranger, so that no table of read URIs knows him. The floor is `data.decode().split("\r\n")`: the octets are text, the
lines are apart, nothing is understood. A second table sends what nobody sends in good faith, in 4 and in 64 kB: a ratio near
16 means that the cost grows with the size and not with its square.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import time
from typing import TYPE_CHECKING, Final

from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.message import Request, response_to
from offhook.sipcore.parser import MAX_LINE_OCTETS, parse

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS: Final = 9
ROUND_SECONDS: Final = 0.05  # of CPU
MESSAGES: Final = 2_000  # more than any table of ours keeps
PEERS: Final = 20  # that call again and again

SDP: Final = """v=0
o=- 3724394400 3724394401 IN IP4 192.0.2.10
s=-
c=IN IP4 192.0.2.10
t=0 0
m=audio 40000 RTP/AVP 9 0 8 101
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
""".replace("\n", "\r\n")
ANSWER: Final = [("Contact", "<sip:agent@192.0.2.20:5060>"), ("Content-Type", "application/sdp")]


def invite(call: int, peer: int) -> bytes:
    """One INVITE of 907 octets."""
    host = f"10.{peer >> 16 & 255:03}.{peer >> 8 & 255:03}.{peer & 255:03}"
    lines = [
        "INVITE sip:agent@192.0.2.20:5060 SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:5062;rport;branch=z9hG4bK{call:020x}",
        "Max-Forwards: 70",
        f'From: "Alice Example" <sip:alice@{host}>;tag={call:016x}',
        "To: <sip:agent@192.0.2.20:5060>",
        f"Call-ID: {call:024x}@{host}",
        "CSeq: 1 INVITE",
        f"Contact: <sip:alice@{host}:5062;transport=udp>",
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REFER, NOTIFY",
        "Supported: timer, replaces",
        "User-Agent: Example Phone 1.0",
        "Content-Type: application/sdp",
        f"Content-Length: {len(SDP)}",
    ]
    head = "\r\n".join(lines)
    return f"{head}\r\nX-Note: {'x' * (907 - len(head) - len(SDP) - 14)}\r\n\r\n{SDP}".encode()


def handle(data: bytes) -> object:
    """What a server needs of an INVITE before it does anything."""
    message = parse(data)
    return (
        message.via, message.from_.tag, message.to.tag, message.call_id, message.cseq, message.contact,
        message.headers["Content-Length"], message.max_forwards,
    )  # fmt: skip


def validate(data: bytes) -> None:
    """Everything that the stack acts upon."""
    parse(data).validate()


def answer(request: Request) -> bytes:
    """200 with SDP, as octets."""
    return response_to(request, 200, to_tag="314159265358979", headers=ANSWER, body=BODY).to_bytes()


BODY: Final = SDP.encode()


def cost(work: Callable[[bytes], object], inputs: list[bytes]) -> float:
    """CPU microseconds per input, best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        calls, start = 0, time.process_time()
        while (spent := time.process_time() - start) < ROUND_SECONDS or not calls:
            for data in inputs:
                work(data)
            calls += len(inputs)
        best = min(best, spent / calls)
    return best * 1e6


def costs(messages: list[bytes]) -> dict[str, float]:
    """The rows of one set of messages."""
    requests = {data: message for data in messages if isinstance(message := parse(data), Request)}
    return {
        "decode and split at line ends (the floor)": cost(lambda data: data.decode().split("\r\n"), messages),
        "parse": cost(parse, messages),
        "parse, and the eight fields to handle it": cost(handle, messages),
        "parse and validate": cost(validate, messages),
        "200 with SDP, from request to octets": cost(lambda data: answer(requests[data]), messages),
    }


def hostile(unit: str, octets: int) -> bytes:
    """A message of so many octets whose Contact lines repeat ``unit``."""
    head, _, _ = invite(1, 1).partition(b"Content-Type")
    line = unit * ((MAX_LINE_OCTETS - 10) // len(unit))
    room = octets - len(head) - len("\r\n\r\n")
    lines = "".join(f"Contact: {line}\r\n" for _ in range(room // len(line) + 1)).encode()
    return head + lines[:room] + b"\r\n\r\n"


def refuse(data: bytes) -> None:
    """Read all of it, whatever comes of it."""
    with contextlib.suppress(MalformedMessage):
        parse(data).validate()


def main() -> None:
    """Print both tables."""
    known = costs([invite(2**70 + call, call % PEERS) for call in range(MESSAGES)])
    strange = costs([invite(2**70 + call, call) for call in range(MESSAGES)])
    print(
        f"SIP messages: {platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} CPUs, {sys.platform}"
    )
    print(
        f"n = {MESSAGES} INVITEs of {len(invite(2**70, 0))} octets with {SDP.count(chr(10))} lines of SDP; CPU µs per message\n"
    )
    print(f"{'':44}{PEERS:>3} peers  x floor   strangers  x floor")
    floor, strange_floor = next(iter(known.values())), next(iter(strange.values()))
    for name, microseconds in known.items():
        other = strange[name]
        print(f"{name:44}{microseconds:9.2f}{microseconds / floor:9.1f}{other:12.2f}{other / strange_floor:9.1f}")
    print(f"\n{'hostile Contact lines of':32}{'4 kB':>10}{'64 kB':>10}{'ratio':>8}")
    for name, unit in HOSTILE.items():
        small, large = cost(refuse, [hostile(unit, 4_096)]), cost(refuse, [hostile(unit, 65_535)])
        print(f"{name:32}{small:10.1f}{large:10.1f}{large / small:8.1f}")


HOSTILE: Final = {
    "commas": ",", "quotes": '"', "quoted backslashes": '"\\\\",', "semicolons": ";", "parameters": ";a=b", "colons": ":",
    "brackets": "<>", "addresses": "<sip:a@b>;q=1,", "folds": "a\r\n ", "short lines": "a\r\nb: ",
}  # fmt: skip

if __name__ == "__main__":
    main()
