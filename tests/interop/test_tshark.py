"""What Wireshark's dissector says about our captures: a reader that is not ours finds nothing to complain about."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.peers import require

from offhook.capture import PcapWriter

if TYPE_CHECKING:
    from pathlib import Path

CHECKSUMS = ["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
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


def tshark(path: Path, *arguments: str) -> list[str]:
    """The lines that tshark prints about a file; it must not complain about the file itself."""
    [program] = require("tshark")
    command = [program, "-n", "-r", str(path), *CHECKSUMS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "cut short" not in done.stderr
    return done.stdout.splitlines()


def test_tshark_finds_neither_bad_checksums_nor_malformed_packets(capture: Path) -> None:
    """Each header is right, over both IP versions and for payloads of odd length."""
    faults = "_ws.malformed || udp.checksum.status == 0 || ip.checksum.status == 0 || _ws.expert.severity >= 6291456"
    assert [] == tshark(capture, "-Y", faults)
    assert 2 + RTP_PACKETS == len(tshark(capture, "-Y", "udp.checksum.status == 1"))


def test_tshark_sees_the_invite_and_follows_its_offer_to_the_rtp(capture: Path) -> None:
    """With SIP in the same file nobody has to tell Wireshark which port carries sound."""
    assert 1 == len(tshark(capture, "-Y", 'sip.Method == "INVITE"'))
    assert RTP_PACKETS == len(tshark(capture, "-Y", "rtp.ssrc == 7"))


def test_tshark_counts_the_stream_as_we_sent_it(capture: Path) -> None:
    """Instants, ports and sequence numbers add up to a stream without loss."""
    [stream] = [line for line in tshark(capture, "-q", "-z", "rtp,streams") if "0x00000007" in line]
    words = stream.split()
    assert ["40000", "50000", str(RTP_PACKETS), "0"] == [words[3], words[5], words[8], words[9]]


def test_instants_survive_to_the_microsecond(capture: Path) -> None:
    """The second message came half a second after the first."""
    instants = tshark(capture, "-T", "fields", "-e", "frame.time_epoch")[:2]
    assert ["1700000000.000000", "1700000000.500000"] == [instant[:17] for instant in instants]
