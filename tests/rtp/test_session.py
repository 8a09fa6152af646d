"""One media stream in both directions: packets, key presses, reports, and what is told of them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pcap import datagrams
from support.rtp_corpus import corpus, needs_corpus

from offhook.rtp import (
    DtmfReceived,
    FirstPacket,
    Gap,
    Goodbye,
    JitterBuffer,
    LocalError,
    OwnSsrcChanged,
    ReceiverReport,
    RemoteBye,
    RtpPacket,
    RtpSession,
    SdesChunk,
    SenderReport,
    SourceChanged,
    SourceDescription,
    SsrcChanged,
    TelephoneEvent,
    Verdict,
    parse_compound,
    serialize_compound,
)
from offhook.rtp.drops import Drop
from offhook.rtp.session import MAX_EVENTS

if TYPE_CHECKING:
    from pathlib import Path

PEER = ("192.0.2.1", 4000)
STRANGER = ("203.0.113.66", 6666)
WALL = 1_700_000_000.0


def session(**changes: object) -> RtpSession:
    """A PCMU call with telephone events, of SSRC 7, that began at second 0."""
    arguments = {
        "ssrc": 7,
        "first_sequence": 100,
        "first_timestamp": 1000,
        "clock_rate": 8000,
        "cname": "us",
        "remote": PEER,
        "accept_types": {0},
        "event_type": 101,
        "send_event_type": 97,
        "rng": Random(1),
        "now": 0.0,
    }
    return RtpSession(**{**arguments, **changes})


def packet(number: int, *, ssrc: int = 9, kind: int = 0, payload: bytes = b"\xff" * 160) -> bytes:
    """The packet of this number, of an even stream."""
    return RtpPacket(kind, number == 0, number & 0xFFFF, 160 * number & 0xFFFF_FFFF, ssrc, payload=payload).serialize()


def receive(
    stream: RtpSession, numbers: range, *, source: tuple[str, int] = PEER, at: float = 0.0, **kind: int
) -> None:
    """Packets that arrive every 20 ms from `at` on."""
    for place, number in enumerate(numbers):
        now = at + 0.02 * place
        stream.receive_rtp(packet(number, **kind), source, now, now)


def rtcp(*packets: object) -> bytes:
    """A compound packet of the peer's."""
    return serialize_compound([ReceiverReport(9), *packets])


class TestSending:
    def test_frames_become_packets(self) -> None:
        """One for each tick; silence sends nothing."""
        stream = session()
        sent = [stream.send_frame(payload, 0, 0.02 * n) for n, payload in enumerate([b"a", None, b"b"])]
        assert [RtpPacket(0, True, 100, 1000, 7, payload=b"a").serialize(), None] == sent[:2]
        assert RtpPacket(0, True, 101, 1320, 7, payload=b"b").serialize() == sent[2]
        assert (2, 2) == (stream.stats().sent_packets, stream.stats().sent_octets)

    def test_key_presses_are_sent_instead_of_audio(self) -> None:
        """With the payload type that the peer takes."""
        stream = session()
        stream.send_dtmf("1#", duration=0.04)
        sent = [RtpPacket.parse(stream.send_frame(b"a", 0, 0.02 * n) or b"") for n in range(10)]
        assert "eeeeaeeeea" == "".join("e" if p.payload_type == 97 else "a" for p in sent)
        assert [1, 11] == sorted({TelephoneEvent.parse(p.payload).event for p in sent if p.payload_type == 97})
        assert not stream.is_sending_dtmf

    def test_a_peer_that_takes_no_events_gets_none(self) -> None:
        """Our caller is told at once."""
        with pytest.raises(LocalError):
            session(send_event_type=None).send_dtmf("1")

    def test_other_keys_are_a_value_error(self) -> None:
        """0-9 * # A-D."""
        with pytest.raises(ValueError, match="a key of 'x'"):
            session().send_dtmf("x")

    def test_media_goes_to_the_signalled_address(self) -> None:
        """Until another one is believed."""
        assert PEER == session().destination


class TestReceiving:
    def test_an_accepted_packet_is_handed_back_with_its_arrival(self) -> None:
        """For recorders; and its first one is told."""
        stream = session()
        received = stream.receive_rtp(packet(0), PEER, 1.0, 1.001)
        assert received is not None
        assert (b"\xff" * 160, 0, 0, 1.0) == (
            received.payload,
            received.payload_type,
            received.timestamp,
            received.arrival,
        )
        assert (0, True, 9, Verdict.HELD) == (received.sequence, received.marker, received.ssrc, received.verdict)
        assert [FirstPacket(1.0, PEER, 9, 0)] == stream.events()
        assert [] == stream.events()

    def test_the_same_packet_is_handed_out_when_it_is_due(self) -> None:
        """40 ms after its arrival."""
        stream = session()
        received = stream.receive_rtp(packet(0), PEER, 1.0, 1.001)
        assert 1.04 == stream.next_playout()
        assert None is stream.take(1.039)
        assert received is stream.take(1.04)
        assert None is stream.next_playout()

    def test_a_lost_packet_is_a_gap(self) -> None:
        """And is counted by the source and by the jitter buffer."""
        stream = session()
        receive(stream, range(2))
        receive(stream, range(3, 5), at=0.06)
        taken = [stream.take(1.0) for _ in range(6)]
        assert Gap(160, 2, 320) == taken[2]
        assert None is taken[5]
        assert (1, 1) == (stream.stats().received.lost, stream.stats().jitter_buffer.lost)

    def test_a_buffer_is_copied(self) -> None:
        """The socket's buffer is used again for the next datagram."""
        buffer = bytearray(packet(0))
        received = session().receive_rtp(memoryview(buffer), PEER, 0.0, 0.0)
        buffer[:] = bytes(len(buffer))
        assert received is not None
        assert b"\xff" * 160 == received.payload

    def test_a_late_packet_is_received_but_not_played(self) -> None:
        """A recorder still wants it; the drop is counted."""
        stream = session()
        receive(stream, range(2))
        receive(stream, range(3, 5), at=0.06)
        while stream.take(0.5) is not None:
            pass
        late = stream.receive_rtp(packet(2), PEER, 0.5, 0.5)
        assert late is not None
        assert Verdict.LATE is late.verdict
        assert {Drop.LATE: 1} == stream.stats().drops

    def test_a_duplicate_is_dropped(self) -> None:
        """Once is enough."""
        stream = session()
        receive(stream, range(1))
        assert None is stream.receive_rtp(packet(0), PEER, 0.0, 0.0)
        assert {Drop.DUPLICATE: 1} == stream.stats().drops

    def test_our_own_jitter_buffer_may_be_given(self) -> None:
        """With other delays."""
        stream = session(jitter_buffer=JitterBuffer(8000, min_delay=0.0, initial_delay=0.0))
        stream.receive_rtp(packet(0), PEER, 1.0, 1.0)
        assert 1.0 == stream.next_playout()

    def test_silence_lets_the_delay_come_down(self) -> None:
        """The listener knows what it hears."""
        stream = session()
        receive(stream, range(1))
        stream.heard_silence()
        assert stream.stats().jitter_buffer.delay == pytest.approx(0.035)

    def test_an_echo_of_our_own_stream_is_a_stream_like_any_other(self) -> None:
        """Echo services send our SSRC back."""
        stream = session()
        receive(stream, range(3), ssrc=7)
        assert 3 == stream.stats().received.packets

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", Drop.NOT_RTP),
            (b"\x80", Drop.MALFORMED),
            (bytes.fromhex("000100002112a442") + bytes(12), Drop.NOT_RTP),
            (bytes.fromhex("16feff0000000000000000"), Drop.NOT_RTP),
            (bytes.fromhex("1000") + b"ZRTP" + bytes(12), Drop.NOT_RTP),
            (b"\x8f" + packet(0)[1:20], Drop.MALFORMED),
            (b"\xa0" + packet(0)[1:], Drop.MALFORMED),
            (packet(0, kind=96), Drop.PAYLOAD_TYPE),
        ],
        ids=["empty", "one octet", "STUN", "DTLS", "ZRTP", "CSRCs missing", "padding 255", "other payload type"],
    )
    def test_what_cannot_be_used_is_counted_under_its_reason(self, data: bytes, reason: Drop) -> None:
        """And nothing is raised."""
        stream = session()
        assert None is stream.receive_rtp(data, PEER, 0.0, 0.0)
        assert {reason: 1} == stream.stats().drops

    def test_a_stranger_is_not_heard(self) -> None:
        """Before, while and after the peer speaks."""
        stream = session()
        receive(stream, range(1))
        receive(stream, range(50, 60), source=STRANGER, ssrc=66)
        assert {Drop.WRONG_SOURCE: 10} == stream.stats().drops
        assert PEER == stream.destination

    def test_a_peer_behind_a_nat_is_found(self) -> None:
        """Told before its first packet."""
        stream = session()
        receive(stream, range(4), source=STRANGER)
        assert [SourceChanged(PEER, STRANGER, 0.06), FirstPacket(0.06, STRANGER, 9, 0)] == stream.events()
        assert STRANGER == stream.destination

    def test_a_foreign_payload_type_is_no_loss(self) -> None:
        """Comfort noise that nobody agreed upon is dropped, but the network has not lost it."""
        stream = session()
        receive(stream, range(2))
        receive(stream, range(2, 3), kind=13, at=0.04)
        receive(stream, range(3, 5), at=0.06)
        assert [0, 1, 3, 4] == [stream.take(1.0).sequence for _ in range(4)]
        assert (0, 5) == (stream.stats().received.lost, stream.stats().received.expected)

    def test_a_packet_without_payload_keeps_alive_and_nothing_more(self) -> None:
        """RFC 6263 4.1; it is neither played nor lost."""
        stream = session()
        receive(stream, range(2))
        assert None is stream.receive_rtp(packet(2, payload=b""), PEER, 0.04, 0.04)
        receive(stream, range(3, 4), at=0.06)
        assert [0, 1, 3] == [stream.take(1.0).sequence for _ in range(3)]
        assert ({}, 0) == (stream.stats().drops, stream.stats().received.lost)


class TestSsrcChange:
    def test_a_new_ssrc_is_told_and_heard_with_its_second_packet(self) -> None:
        """A transfer to another media server; no audio is lost."""
        stream = session()
        receive(stream, range(3))
        receive(stream, range(500, 503), ssrc=10, at=0.06)
        assert [FirstPacket(0.0, PEER, 9, 0), SsrcChanged(9, 10, 0.08)] == stream.events()
        assert [0, 1, 2, 500, 501, 502] == [stream.take(1.0).sequence for _ in range(6)]
        assert 10 == stream.stats().remote_ssrc

    def test_the_counts_of_the_call_go_on(self) -> None:
        """Both sources, with the loss of each."""
        stream = session()
        receive(stream, range(0, 6, 2))
        receive(stream, range(500, 503), ssrc=10, at=0.12)
        received = stream.stats().received
        assert (6, 8, 2) == (received.packets, received.expected, received.lost)

    def test_a_single_packet_of_another_ssrc_changes_nothing(self) -> None:
        """Two that alternate, neither."""
        stream = session()
        for number in range(5):
            receive(stream, range(number, number + 1), at=0.02 * number)
            receive(stream, range(number, number + 1), at=0.02 * number, ssrc=66)
        assert 9 == stream.stats().remote_ssrc
        assert [0, 1, 2, 3, 4] == [stream.take(1.0).sequence for _ in range(5)]

    def test_one_stray_of_each_of_many_streams_is_put_aside(self) -> None:
        """None of them follows itself."""
        stream = session()
        receive(stream, range(1))
        for ssrc in range(20, 30):
            receive(stream, range(1), ssrc=ssrc)
        assert (9, 1) == (stream.stats().remote_ssrc, stream.stats().received.packets)


class TestKeyPresses:
    def press(self, stream: RtpSession, first: int, *, packets: int = 5, ssrc: int = 9) -> None:
        """Key 5, pressed when the packet of this number was due."""
        for n in range(packets):
            payload = TelephoneEvent(5, n > 3, 10, 160 * (n + 1)).serialize()
            event = RtpPacket(101, n == 0, first + n, 160 * first, ssrc, payload=payload)
            stream.receive_rtp(event.serialize(), PEER, 0.02 * (first + n), 0.02 * (first + n))

    def test_a_key_press_is_told_once_and_is_neither_audio_nor_loss(self) -> None:
        """Its packets count in the sequence, its timestamps not in the jitter."""
        stream = session()
        receive(stream, range(2))
        self.press(stream, 2)
        receive(stream, range(7, 9), at=0.14)
        assert DtmfReceived("5", 0.1, 0.04, complete=True) in stream.events()
        assert [0, 1, 7, 8] == [stream.take(1.0).sequence for _ in range(4)]
        stats = stream.stats()
        assert (9, 0, 0) == (stats.received.packets, stats.received.lost, stats.jitter_buffer.lost)
        assert stats.received.jitter == pytest.approx(0.0, abs=1e-9)

    def test_a_press_without_its_end_is_told_in_time(self) -> None:
        """`next_deadline` asks for it."""
        stream = session()
        self.press(stream, 2, packets=3)
        assert stream.next_deadline() == pytest.approx(0.08 + 0.1)
        stream.handle_timeout(0.181, WALL)
        assert DtmfReceived("5", 0.06, 0.04, complete=False) == stream.events()[-1]

    def test_an_event_that_is_no_digit_is_counted(self) -> None:
        """With its reason."""
        stream = session()
        receive(stream, range(1), kind=101)
        assert {Drop.EVENT_UNKNOWN: 1} == stream.stats().drops

    def test_a_press_of_a_stream_that_is_not_believed_is_dropped(self) -> None:
        """The first packet of another SSRC."""
        stream = session()
        receive(stream, range(1))
        self.press(stream, 2, packets=1, ssrc=66)
        assert {Drop.OTHER_STREAM: 1} == stream.stats().drops


class TestReports:
    def test_a_report_is_written_when_it_is_due(self) -> None:
        """And the next deadline is that of the next one."""
        stream = session()
        stream.send_frame(b"a", 0, 0.0)
        receive(stream, range(3))
        due = stream.next_deadline()
        stream.handle_timeout(due + 3.0, WALL)
        (datagram,) = stream.rtcp_to_send()
        assert [SenderReport, SourceDescription] == [type(part) for part in parse_compound(datagram)]
        assert due < stream.next_deadline()

    def test_what_the_peer_says_of_us_stands_in_the_numbers(self) -> None:
        """Loss, jitter, round trip."""
        ours, theirs = session(), session(ssrc=9, remote=PEER)
        receive(ours, range(2))
        theirs.receive_rtp(ours.send_frame(b"a", 0, 0.0), PEER, 0.05, 0.05)
        ours.handle_timeout(10.0, WALL)
        theirs.receive_rtcp(ours.rtcp_to_send()[0], PEER, 10.05)
        theirs.handle_timeout(12.05, WALL + 99.0)
        ours.receive_rtcp(theirs.rtcp_to_send()[0], PEER, 12.1)
        assert ours.stats().round_trip == pytest.approx(0.1, abs=1e-4)
        assert 0.0 == ours.stats().remote.fraction_lost

    def test_a_goodbye_of_the_peers_source_is_told(self) -> None:
        """It ends nothing; the call ends by signalling."""
        stream = session()
        receive(stream, range(1))
        stream.receive_rtcp(rtcp(Goodbye((9,), b"enough \xff")), (PEER[0], 4001), 1.0)
        assert RemoteBye(9, "enough \ufffd", 1.0) == stream.events()[-1]
        receive(stream, range(1, 2), at=0.02)
        assert 2 == stream.stats().received.packets

    def test_a_goodbye_without_words_has_an_empty_reason(self) -> None:
        """There need not be any."""
        stream = session()
        receive(stream, range(1))
        stream.receive_rtcp(rtcp(Goodbye((9,))), PEER, 1.0)
        assert RemoteBye(9, "", 1.0) == stream.events()[-1]

    @pytest.mark.parametrize(
        ("data", "source", "reason"),
        [
            (rtcp(Goodbye((9,))), STRANGER, Drop.RTCP_WRONG_SOURCE),
            (rtcp(Goodbye((66,))), PEER, Drop.RTCP_FOREIGN_BYE),
            (Goodbye((9,)).serialize(), PEER, Drop.RTCP_MALFORMED),
            (bytes.fromhex("000100002112a442") + bytes(12), PEER, Drop.RTCP_MALFORMED),
            (b"", PEER, Drop.RTCP_MALFORMED),
        ],
        ids=["stranger", "other SSRC", "no report first", "STUN", "empty"],
    )
    def test_what_cannot_be_honoured_is_counted(self, data: bytes, source: tuple[str, int], reason: Drop) -> None:
        """BYE is for the source that we hear, and from its host."""
        stream = session()
        receive(stream, range(1))
        stream.events()
        stream.receive_rtcp(data, source, 1.0)
        assert ({reason: 1}, []) == (stream.stats().drops, stream.events())

    def test_without_a_peer_there_is_no_rtcp(self) -> None:
        """No address, no source."""
        stream = session(remote=None)
        stream.receive_rtcp(rtcp(Goodbye((9,))), PEER, 1.0)
        stream.update(now=1.0, remote=PEER)
        stream.receive_rtcp(rtcp(Goodbye((9,))), PEER, 1.0)
        assert {Drop.RTCP_WRONG_SOURCE: 1, Drop.RTCP_FOREIGN_BYE: 1} == stream.stats().drops

    def test_a_collision_of_ssrcs_is_resolved(self) -> None:
        """RFC 3550 8.2: BYE, and another one by the dice."""
        stream = session()
        stream.send_frame(b"a", 0, 0.0)
        stream.receive_rtcp(rtcp(SourceDescription((SdesChunk(7, ((1, b"them"),)),))), PEER, 1.0)
        new = Random(1)
        new.random()
        fresh = stream.stats().ssrc
        assert [OwnSsrcChanged(7, fresh, 1.0)] == stream.events()
        assert Goodbye((7,)) == parse_compound(stream.rtcp_to_send()[0])[-1]
        assert fresh == RtpPacket.parse(stream.send_frame(b"b", 0, 0.02)).ssrc != 7

    @pytest.mark.parametrize("chunk", [SdesChunk(7, ((1, b"us"),)), SdesChunk(7), SdesChunk(9, ((1, b"them"),))])
    def test_our_own_name_and_the_peers_are_no_collision(self, chunk: SdesChunk) -> None:
        """An echo of our RTCP, a chunk without a name, the usual description."""
        stream = session()
        stream.receive_rtcp(rtcp(SourceDescription((chunk,))), PEER, 1.0)
        assert ([], 7) == (stream.events(), stream.stats().ssrc)


class TestUpdateAndClose:
    def test_a_re_invite_moves_the_media(self) -> None:
        """Address and payload types; the old ones are not accepted any more."""
        stream = session()
        receive(stream, range(1))
        stream.update(now=5.0, remote=("192.0.2.2", 5000), accept_types={8}, event_type=96, send_event_type=None)
        assert ("192.0.2.2", 5000) == stream.destination
        receive(stream, range(1, 2), source=("192.0.2.2", 5000), kind=8, at=5.0)
        receive(stream, range(2, 3), source=("192.0.2.2", 5000), kind=0, at=5.0)
        assert {Drop.PAYLOAD_TYPE: 1} == stream.stats().drops
        with pytest.raises(LocalError):
            stream.send_dtmf("1")

    def test_what_is_not_given_stays_as_it_is(self) -> None:
        """Only the time."""
        stream = session()
        stream.update(now=5.0)
        receive(stream, range(1))
        stream.send_dtmf("1")
        assert (PEER, {}) == (stream.destination, stream.stats().drops)

    def test_a_re_invite_may_change_the_length_of_our_packets(self) -> None:
        """From 20 to 30 ms: the timestamps follow."""
        stream = session()
        stream.send_frame(b"a", 0, 0.0)
        stream.update(now=0.01, ptime=0.03)
        sent = [RtpPacket.parse(stream.send_frame(b"a", 0, 0.03 * n) or b"") for n in (1, 2)]
        assert [1160, 1400] == [packet.timestamp for packet in sent]

    def test_on_hold_nothing_has_a_destination(self) -> None:
        """No address."""
        stream = session()
        stream.update(now=5.0, remote=None)
        assert None is stream.destination

    def test_closing_says_goodbye_and_ends_both_directions(self) -> None:
        """What comes after is counted."""
        stream = session()
        stream.send_frame(b"a", 0, 0.0)
        stream.close(1.0, WALL)
        stream.close(1.0, WALL)
        (datagram,) = stream.rtcp_to_send()
        assert Goodbye((7,)) == parse_compound(datagram)[-1]
        assert None is stream.send_frame(b"a", 0, 1.02)
        stream.receive_rtp(packet(0), PEER, 1.1, 1.1)
        stream.receive_rtcp(rtcp(), PEER, 1.1)
        assert {Drop.CLOSED: 2} == stream.stats().drops

    def test_after_closing_nothing_is_due(self) -> None:
        """No report is written any more."""
        stream = session()
        stream.close(1.0, WALL)
        stream.handle_timeout(100.0, WALL)
        assert (None, []) == (stream.next_deadline(), stream.rtcp_to_send())


class TestNumbers:
    def test_reading_changes_nothing(self) -> None:
        """Twice the same."""
        stream = session()
        receive(stream, range(3))
        assert stream.stats() == stream.stats()

    def test_intervals_are_of_the_present_source(self) -> None:
        """None before anything came."""
        stream = session()
        assert None is stream.close_interval(0.0)
        receive(stream, range(3))
        assert (3, 0.0, 1.0) == ((interval := stream.close_interval(1.0)).packets, interval.start, interval.end)

    def test_no_more_events_wait_than_the_limit(self) -> None:
        """The oldest go."""
        stream = session()
        receive(stream, range(1))
        for _ in range(MAX_EVENTS):
            stream.receive_rtcp(rtcp(Goodbye((9,))), PEER, 1.0)
        events = stream.events()
        assert MAX_EVENTS == len(events)
        assert isinstance(events[0], RemoteBye)

    def test_it_says_in_a_line_how_it_stands(self) -> None:
        """For logs and debuggers."""
        assert "<RtpSession 00000007: 0 sent, None>" == repr(session())

    @given(st.lists(st.tuples(st.binary(max_size=40), st.booleans(), st.booleans(), st.floats(0.0, 1.0)), max_size=40))
    def test_hostile_datagrams_raise_nothing(self, rows: list[tuple[bytes, bool, bool, float]]) -> None:
        """On either port, from the peer's address or another, with time going on."""
        stream, now = session(), 0.0
        for data, is_rtcp, is_peer, pause in rows:
            now += pause
            if is_rtcp:
                stream.receive_rtcp(b"\x80\xc9\0\x01" + bytes(4) + data, PEER if is_peer else STRANGER, now)
            else:
                stream.receive_rtp(b"\x80\x65" + data, PEER if is_peer else STRANGER, now, now)
            stream.handle_timeout(now, WALL)
            stream.take(now)
        assert sum(stream.stats().drops.values()) <= 2 * len(rows) + 40 * 31


@needs_corpus
@pytest.mark.parametrize("file", corpus("../fuzz/pjsip/fuzz-rtp/*"), ids=lambda file: file.stem)
def test_seeds_of_foreign_fuzzers_are_counted_whole_and_in_pieces(file: Path) -> None:
    """Each piece is refused for one reason, or received."""
    stream, data = session(accept_types=range(128), event_type=None), file.read_bytes()
    pieces = [data[start : start + size] for size in (len(data), 172, 12) for start in range(0, len(data), size)]
    accepted = sum(stream.receive_rtp(piece, PEER, 0.0, 0.0) is not None for piece in pieces)
    refused = sum(count for reason, count in stream.stats().drops.items() if reason not in {Drop.LATE, Drop.OVERFLOW})
    silent = sum(len(piece) == 12 and piece[0] >> 6 == 2 for piece in pieces)
    assert len(pieces) - silent <= accepted + refused <= len(pieces)


@needs_corpus
def test_a_foreign_change_of_ssrc_is_followed() -> None:
    """Three captures played one after the other, as Asterisk's test does: the call goes on, and nothing is raised."""
    stream, at = session(accept_types={8}), 0.0
    for name in ("g711a", "ssrc1", "ssrc2"):
        for datagram in datagrams(corpus(f"asterisk/*SSRC_change*{name}.pcap")[0]):
            stream.receive_rtp(datagram.payload, PEER, at, at)
            at += 0.02
    assert 236 == stream.stats().received.packets
    assert {Drop.PAYLOAD_TYPE: 3} == stream.stats().drops


@needs_corpus
def test_a_foreign_call_is_played_to_the_last_packet() -> None:
    """40 ms packets of A-law, with the pace of the capture."""
    capture = datagrams(corpus("asterisk/*40msalaw.pcap")[0])
    stream, played = session(accept_types={8}, ptime=0.04), 0
    for datagram in capture:
        stream.receive_rtp(datagram.payload, PEER, datagram.at, datagram.at)
        while (due := stream.take(datagram.at)) is not None:
            played += not isinstance(due, Gap)
    while stream.take(capture[-1].at + 1.0) is not None:
        played += 1
    assert len(capture) == played == stream.stats().received.packets
