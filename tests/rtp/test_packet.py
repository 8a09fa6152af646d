"""RTP packets: RFC 3550 5.1."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pcap import datagrams
from support.rtp_corpus import corpus, needs_corpus, vectors

from offhook.rtp import LocalError, MalformedPacket, RtpPacket, parse_header
from offhook.rtp.packet import MAX_CSRCS

PLAIN = RtpPacket(payload_type=0, marker=False, sequence=100, timestamp=160, ssrc=0x0A0B0C0D, payload=b"\xff\xff")

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    marker=st.booleans(),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFF_FFFF),
    ssrc=st.integers(0, 0xFFFF_FFFF),
    csrcs=st.lists(st.integers(0, 0xFFFF_FFFF), max_size=15).map(tuple),
    extension=st.none() | st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=10).map(lambda words: words * 4)),
    payload=st.binary(max_size=40),
    padding=st.integers(0, 255),
)


@pytest.mark.parametrize("data", vectors("rtp/valid"))
def test_a_valid_packet_survives_a_round_trip(data: bytes) -> None:
    """What was parsed serializes to the same octets."""
    assert data == RtpPacket.parse(data).serialize()


@pytest.mark.parametrize("data", vectors("rtp/invalid"))
def test_an_invalid_packet_is_refused(data: bytes) -> None:
    """By the packet and by the fast header alike."""
    with pytest.raises(MalformedPacket):
        RtpPacket.parse(data)
    with pytest.raises(MalformedPacket):
        parse_header(data)


def test_the_fields_stand_where_the_diagram_has_them() -> None:
    """One packet, octet by octet."""
    packet = replace(PLAIN, payload_type=0x65, marker=True, csrcs=(1,), extension=(0xBEDE, b"\x10\xaa\0\0"), padding=2)
    expected = "b1e50064 000000a0 0a0b0c0d 00000001 bede0001 10aa0000 ffff 0002"
    assert bytes.fromhex(expected) == packet.serialize()


@given(packets)
def test_any_packet_survives_a_round_trip(packet: RtpPacket) -> None:
    """Down to the length of its padding."""
    assert packet == RtpPacket.parse(packet.serialize())


@given(packets)
def test_the_header_says_the_same_as_the_packet(packet: RtpPacket) -> None:
    """`parse_header` is the packet without the object."""
    data = packet.serialize()
    payload_type, marker, sequence, timestamp, ssrc, start, end = parse_header(data)
    numbers = (packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.ssrc)
    assert numbers == (payload_type, marker, sequence, timestamp, ssrc)
    assert packet.payload == data[start:end]


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda tail: b"\xbf" + tail))
def test_any_octets_are_a_packet_or_refused(data: bytes) -> None:
    """No other exception leaves the parser."""
    try:
        packet = RtpPacket.parse(data)
    except MalformedPacket:
        with pytest.raises(MalformedPacket):
            parse_header(data)
    else:
        assert len(data) == len(packet.serialize())


def test_a_packet_cut_anywhere_in_its_header_is_refused() -> None:
    """CSRCs, extension and fixed header are needed whole."""
    whole = replace(PLAIN, csrcs=(1, 2), extension=(1, bytes(8)), payload=b"").serialize()
    for size in range(len(whole)):
        with pytest.raises(MalformedPacket):
            RtpPacket.parse(whole[:size])


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_a_buffer_is_read_like_bytes(kind: type) -> None:
    """A socket reads into a buffer; the packet copies what it keeps."""
    assert PLAIN == RtpPacket.parse(kind(PLAIN.serialize()))


@pytest.mark.parametrize(
    "change",
    [
        {"payload_type": 128},
        {"sequence": 65_536},
        {"timestamp": 2**32},
        {"ssrc": -1},
        {"csrcs": (0,) * (MAX_CSRCS + 1)},
        {"csrcs": (2**32,)},
        {"padding": 256},
        {"extension": (65_536, b"")},
        {"extension": (0, b"abc")},
        {"extension": (0, bytes(4 * 65_536))},
    ],
    ids=str,
)
def test_a_field_that_does_not_fit_is_our_own_fault(change: dict) -> None:
    """Nothing is cut silently."""
    with pytest.raises(LocalError):
        replace(PLAIN, **change).serialize()


@needs_corpus
@pytest.mark.parametrize("file", corpus("aiortc/rtp*.bin"), ids=lambda file: file.stem)
def test_foreign_packets_survive_a_round_trip(file: Path) -> None:
    """All but the padding octets, whose values mean nothing."""
    data = file.read_bytes()
    packet = RtpPacket.parse(data)
    kept = len(data) - packet.padding
    assert data[:kept] == packet.serialize()[:kept]
    assert len(data) == len(packet.serialize())


@needs_corpus
@pytest.mark.parametrize("file", corpus("**/*.pcap*"), ids=lambda file: file.stem)
def test_captures_hold_packets_or_refusals(file: Path) -> None:
    """Captures of real and of malicious traffic: STUN, DTLS, UDPTL, crafted RTP."""
    for datagram in datagrams(file):
        try:
            assert len(datagram.payload) == len(RtpPacket.parse(datagram.payload).serialize())
        except MalformedPacket:
            with pytest.raises(MalformedPacket):
                parse_header(datagram.payload)
