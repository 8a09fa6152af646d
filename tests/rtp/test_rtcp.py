"""RTCP packets: RFC 3550 6.4 to 6.7, A.2; RFC 4585 6.1; RFC 5506; RFC 5761 4."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pcap import datagrams
from support.rtp_corpus import corpus, needs_corpus, vectors

from offhook.rtp import (
    ApplicationDefined,
    Goodbye,
    LocalError,
    MalformedPacket,
    PayloadFeedback,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SdesChunk,
    SenderReport,
    SourceDescription,
    TransportFeedback,
    UnknownRtcp,
    is_rtcp,
    parse_compound,
    serialize_compound,
)
from offhook.rtp.rtcp import CNAME, MAX_PACKETS

BLOCK = ReportBlock(2, 64, -2, 0x10064, 8, 0x8000_0000, 0x10000)
EMPTY = ReceiverReport(1)

words = st.integers(0, 0xFFFF_FFFF)
blocks = st.builds(
    ReportBlock, words, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), words, words, words, words
)
whole_words = st.binary(max_size=4).map(lambda part: part * 4)
chunks = st.builds(
    SdesChunk, words, st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=20)), max_size=4).map(tuple)
)
reports = st.builds(ReceiverReport, words, st.lists(blocks, max_size=3).map(tuple), whole_words) | st.builds(
    SenderReport,
    words,
    st.integers(0, 2**64 - 1),
    words,
    words,
    words,
    st.lists(blocks, max_size=3).map(tuple),
    whole_words,
)
others = st.one_of(
    st.builds(SourceDescription, st.lists(chunks, max_size=3).map(tuple)),
    st.builds(Goodbye, st.lists(words, max_size=31).map(tuple), st.none() | st.binary(max_size=255)),
    st.builds(ApplicationDefined, st.integers(0, 31), words, st.binary(min_size=4, max_size=4), whole_words),
    st.builds(TransportFeedback, st.integers(0, 31), words, words, whole_words),
    st.builds(PayloadFeedback, st.integers(0, 31), words, words, whole_words),
    st.builds(UnknownRtcp, st.integers(207, 223), st.integers(0, 31), whole_words),
)
compounds = st.tuples(reports, st.lists(others, max_size=4)).map(lambda parts: [parts[0], *parts[1]])


@pytest.mark.parametrize("data", vectors("rtcp/valid"))
def test_a_valid_compound_packet_survives_a_round_trip(data: bytes) -> None:
    """What was parsed serializes to the same octets."""
    assert data == serialize_compound(parse_compound(data))


@pytest.mark.parametrize("data", vectors("rtcp/invalid"))
def test_an_invalid_compound_packet_is_refused(data: bytes) -> None:
    """The checks of A.2, and each packet's own counts."""
    with pytest.raises(MalformedPacket):
        parse_compound(data)


@given(compounds)
def test_any_compound_packet_survives_a_round_trip(packets: list[RtcpPacket]) -> None:
    """`parse_compound` and `serialize_compound` are each other's inverse."""
    assert packets == parse_compound(serialize_compound(packets))


@given(compounds)
def test_a_compound_packet_cut_anywhere_is_refused_or_ends_between_packets(packets: list[RtcpPacket]) -> None:
    """No cut gives another exception, nor a packet that was not there."""
    data = serialize_compound(packets)
    for size in range(len(data)):
        try:
            parsed = parse_compound(data[:size])
        except MalformedPacket:
            continue
        assert packets[: len(parsed)] == parsed


@given(st.binary(max_size=80), st.sampled_from(range(192, 224)), st.integers(0, 31))
def test_any_octets_behind_a_header_are_packets_or_refused(tail: bytes, kind: int, count: int) -> None:
    """No other exception leaves the parser, whatever the type and count say."""
    body = tail[: len(tail) // 4 * 4]
    try:
        parsed = parse_compound(bytes([0x80 | count, kind, 0, len(body) // 4]) + body, reduced_size=True)
    except MalformedPacket:
        return
    assert 1 == len(parsed)


def test_a_report_block_holds_a_negative_loss() -> None:
    """RFC 3550 A.3: the cumulative loss is signed, because duplicates count as received."""
    assert bytes.fromhex("00000002 40fffffe 00010064 00000008 80000000 00010000") == BLOCK.serialize()
    assert BLOCK == ReportBlock.parse(BLOCK.serialize())


def test_the_canonical_name_is_found_among_the_items() -> None:
    """RFC 3550 6.5.1."""
    assert b"us" == SdesChunk(1, ((2, b"name"), (CNAME, b"us"))).cname
    assert None is SdesChunk(1, ((2, b"name"),)).cname


def test_a_compound_packet_begins_with_a_report_unless_reduced_size_was_agreed() -> None:
    """RFC 3550 6.1, RFC 5506 3.4."""
    data = Goodbye((1,)).serialize()
    assert [Goodbye((1,))] == parse_compound(data, reduced_size=True)
    with pytest.raises(MalformedPacket):
        parse_compound(data)


def test_more_packets_than_the_limit_are_refused() -> None:
    """One datagram makes no more than `MAX_PACKETS` objects."""
    assert MAX_PACKETS == len(parse_compound(EMPTY.serialize() * MAX_PACKETS))
    with pytest.raises(MalformedPacket):
        parse_compound(EMPTY.serialize() * (MAX_PACKETS + 1))


@pytest.mark.parametrize(
    "packet",
    [
        ReceiverReport(2**32),
        ReceiverReport(1, (BLOCK,) * 32),
        ReceiverReport(1, extension=b"abc"),
        ReceiverReport(1, padding=3),
        ReceiverReport(1, padding=256),
        SenderReport(1, 2**64, 0, 0, 0),
        SourceDescription((SdesChunk(1, ((CNAME, bytes(256)),)),)),
        SourceDescription((SdesChunk(1, ((0, b""),)),)),
        Goodbye((1,), bytes(256)),
        Goodbye((-1,)),
        ApplicationDefined(0, 1, b"abc"),
        ApplicationDefined(32, 1, b"abcd"),
        TransportFeedback(0, 1, 2**32),
    ],
    ids=lambda packet: repr(packet)[:50],
)
def test_a_field_that_does_not_fit_is_our_own_fault(packet: RtcpPacket) -> None:
    """Nothing is cut silently."""
    with pytest.raises(LocalError):
        packet.serialize()


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (b"\x80\xc8", True),
        (b"\x81\xc0", True),
        (b"\x81\xdf", True),
        (b"\x80\xbf", False),
        (b"\x80\xe0", False),
        (b"\x80\x00", False),
        (b"\x00\xc8", False),
        (b"\x80", False),
        (b"", False),
    ],
)
def test_rtcp_is_told_from_rtp_by_its_second_octet(data: bytes, verdict: bool) -> None:
    """RFC 5761 4: 192 to 223, where RTP would have marker and payload types 64 to 95."""
    assert verdict == is_rtcp(data)


@needs_corpus
@pytest.mark.parametrize("file", corpus("aiortc/rtcp*.bin"), ids=lambda file: file.stem)
def test_foreign_packets_do_what_their_names_say(file: Path) -> None:
    """Those named invalid or truncated are refused, the others survive a round trip up to the values of padding."""
    data = file.read_bytes()
    if file.stem.endswith(("invalid", "truncated")):
        with pytest.raises(MalformedPacket):
            parse_compound(data, reduced_size=True)
        return
    packets = parse_compound(data, reduced_size=True)
    kept = len(data) - packets[-1].padding
    assert data[:kept] == serialize_compound(packets)[:kept]
    assert len(data) == len(serialize_compound(packets))


@needs_corpus
def test_a_report_without_blocks_that_crashed_others_is_read() -> None:
    """AST-2017-012: a sender report, then a receiver report that has nothing to say."""
    compounds = [d.payload for d in datagrams(corpus("asterisk/*crash-27382.pcap")[0]) if is_rtcp(d.payload)]
    _, empty, _ = parse_compound(compounds[1])
    assert ReceiverReport(0x6A1B26D7) == empty


@needs_corpus
def test_several_reports_in_one_datagram_are_all_read() -> None:
    """Each datagram of this capture holds a report and a description, at least."""
    for datagram in datagrams(corpus("pcap/ndpi-rtcp_multiple*")[0]):
        assert 2 <= len(parse_compound(datagram.payload))
