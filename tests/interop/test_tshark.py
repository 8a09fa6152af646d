"""What Wireshark's dissector says about our captures: a reader that is not ours finds nothing to complain about."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.dissector import FAULTS, Stream, streams, tshark
from support.leaky_agent import HOLES, PACKETS, SSRC, LeakyAgent
from support.offhook_command import ON_LOOPBACK, offhook
from support.processes import running

from offhook.capture import PcapWriter

if TYPE_CHECKING:
    from pathlib import Path

HOSTS = {"ipv4": ("127.0.0.1", "127.0.0.2", "IP4"), "ipv6": ("2001:db8::1", "2001:db8::2", "IP6")}
RTP_PACKETS = 50


def sip(first: str, *headers: str, body: str = "") -> bytes:
    """A message with the headers that a dissector wants."""
    common = [
        "Via: SIP/2.0/UDP caller.invalid;branch=z9hG4bK1",
        "From: <sip:caller@offhook.invalid>;tag=1",
        "To: <sip:agent@offhook.invalid>;tag=2",
        "Call-ID: 1@offhook.invalid",
        "CSeq: 1 INVITE",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([first, *common, *headers, "", body]).encode()


def sdp(host: str, network: str, port: int) -> str:
    """One stream of G.711."""
    lines = ["v=0", f"o=- 1 1 IN {network} {host}", "s=-", f"c=IN {network} {host}", "t=0 0"]
    return "\r\n".join([*lines, f"m=audio {port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", ""])


@pytest.fixture(params=HOSTS)
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A call's beginning: INVITE, 200, and a second of sound, odd and even payloads in turn."""
    caller, agent, network = HOSTS[request.param]
    typed = "Content-Type: application/sdp"
    invite = sip("INVITE sip:agent@offhook.invalid SIP/2.0", typed, body=sdp(caller, network, 40_000))
    ok = sip("SIP/2.0 200 OK", typed, body=sdp(agent, network, 50_000))
    path = tmp_path / "call.pcap"
    with path.open("xb", buffering=0) as file:
        writer = PcapWriter(file)
        writer.write(invite, (caller, 5060), (agent, 5080), 1_700_000_000.0)
        writer.write(ok, (agent, 5080), (caller, 5060), 1_700_000_000.5)
        for number in range(RTP_PACKETS):
            header = struct.pack(">BBHII", 0x80, 0, number, number * 160, 7)
            sound = b"\xff" * (160 + number % 2)
            writer.write(header + sound, (caller, 40_000), (agent, 50_000), 1_700_000_001 + number * 0.02)
    return path


def test_tshark_finds_neither_bad_checksums_nor_malformed_packets(capture: Path) -> None:
    """Each header is right, over both IP versions and for payloads of odd length."""
    assert [] == tshark(capture, "-Y", FAULTS)
    assert 2 + RTP_PACKETS == len(tshark(capture, "-Y", "udp.checksum.status == 1"))


def test_tshark_sees_the_invite_and_follows_its_offer_to_the_rtp(capture: Path) -> None:
    """With SIP in the same file nobody has to tell Wireshark which port carries sound."""
    assert 1 == len(tshark(capture, "-Y", 'sip.Method == "INVITE"'))
    assert RTP_PACKETS == len(tshark(capture, "-Y", "rtp.ssrc == 7"))


def test_tshark_counts_the_stream_as_we_sent_it(capture: Path) -> None:
    """Instants, ports and sequence numbers add up to a stream without loss."""
    assert [Stream(40_000, 50_000, ssrc=7, packets=RTP_PACKETS, lost=0)] == streams(capture)


def test_instants_survive_to_the_microsecond(capture: Path) -> None:
    """The second message came half a second after the first."""
    instants = tshark(capture, "-T", "fields", "-e", "frame.time_epoch")[:2]
    assert ["1700000000.000000", "1700000000.500000"] == [instant[:17] for instant in instants]


class RealCall(NamedTuple):
    """A call by `offhook call`, as it reported it, and the capture of it."""

    capture: Path
    report: dict[str, Any]


async def call_a_leaky_agent(capture: Path) -> RealCall:
    """`offhook call`, in a process of its own; the agent hangs up when it has sent its stream."""
    async with LeakyAgent() as agent:
        with running(offhook("call", agent.uri, *ON_LOOPBACK, "--capture", str(capture), "--json")) as program:
            assert 0 == await asyncio.to_thread(program.wait), program.output
            text = "\n".join(program.lines)
    return RealCall(capture, json.loads(text[text.index("{") : text.rindex("}") + 1]))


@pytest.fixture(scope="module")
def real_call(tmp_path_factory: pytest.TempPathFactory) -> RealCall:
    """Two seconds of sound, of which some packets never come."""
    return asyncio.run(call_a_leaky_agent(tmp_path_factory.mktemp("call") / "call.pcap"))


def test_the_capture_of_a_real_call_has_no_fault(real_call: RealCall) -> None:
    """Neither malformed packets nor bad checksums nor anything that Wireshark's experts warn of."""
    assert [] == tshark(real_call.capture, "-Y", FAULTS)
    assert len(real_call.report["messages"]) == len(tshark(real_call.capture, "-Y", "sip"))


def test_tshark_counts_what_was_lost_as_we_do(real_call: RealCall) -> None:
    """RTP is found by the session descriptions; packets that came and packets that never came are the same number."""
    [heard] = [stream for stream in streams(real_call.capture) if stream.ssrc == SSRC]
    quality = real_call.report["quality"]
    assert (PACKETS - len(HOLES), len(HOLES)) == (heard.packets, heard.lost)
    assert (heard.packets, heard.lost) == (quality["received"], quality["lost"])


def test_tshark_counts_what_we_sent_as_we_do(real_call: RealCall) -> None:
    """Our own stream is whole: as many packets as we say, none missing between them."""
    [said] = [stream for stream in streams(real_call.capture) if stream.ssrc != SSRC]
    assert (real_call.report["quality"]["sent"], 0) == (said.packets, said.lost)
