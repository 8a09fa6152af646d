"""Frames become packets: RFC 3550 5.1, RFC 3551 4.1."""

from offhook.rtp import RtpPacket, TelephoneEvent
from offhook.rtp.packetizer import Packetizer


def packetizer(*, sequence: int = 100, timestamp: int = 1000) -> Packetizer:
    """A stream of 20 ms at 8 kHz."""
    return Packetizer(ssrc=7, first_sequence=sequence, first_timestamp=timestamp, clock_rate=8000, ptime=0.02)


def frames(out: Packetizer, *payloads: bytes | None) -> list[RtpPacket | None]:
    """What becomes of frames of PCMU, as packets."""
    made = [out.frame(payload, 0, 0.02 * number) for number, payload in enumerate(payloads)]
    return [None if data is None else RtpPacket.parse(data) for data in made]


def test_each_frame_is_a_packet() -> None:
    """Sequence by one, timestamp by a frame; the marker on the first of the talk spurt."""
    assert [
        RtpPacket(0, True, 100, 1000, 7, payload=b"a"),
        RtpPacket(0, False, 101, 1160, 7, payload=b"b"),
        RtpPacket(0, False, 102, 1320, 7, payload=b"c"),
    ] == frames(packetizer(), b"a", b"b", b"c")


def test_silence_is_a_hole_in_the_timestamps_only() -> None:
    """And the packet after it begins a talk spurt."""
    made = frames(packetizer(), b"a", None, None, b"b", b"c")
    assert [(100, 1000, True), None, None, (101, 1480, True), (102, 1640, False)] == [
        packet and (packet.sequence, packet.timestamp, packet.marker) for packet in made
    ]


def test_sequence_and_timestamp_wrap() -> None:
    """16 and 32 bits."""
    made = frames(packetizer(sequence=65_535, timestamp=2**32 - 160), b"a", b"b")
    assert [(65_535, 2**32 - 160), (0, 0)] == [(packet.sequence, packet.timestamp) for packet in made if packet]


def test_numbers_beyond_their_bits_are_cut() -> None:
    """The first ones come from dice, however wide."""
    (packet,) = frames(packetizer(sequence=65_536 + 5, timestamp=2**32 + 9), b"a")
    assert packet is not None
    assert (5, 9) == (packet.sequence, packet.timestamp)


def test_a_key_press_takes_the_place_of_the_audio() -> None:
    """Its packets keep the timestamp of its beginning; the audio after it goes on where time has come to."""
    out = packetizer()
    out.event_type = 101
    out.dtmf.press("5", 0.04)
    made = frames(out, b"a", b"b", b"c", b"d", b"e")
    assert [
        (101, 100, 1000, True),
        (101, 101, 1000, False),
        (101, 102, 1000, False),
        (101, 103, 1000, False),
        (0, 104, 1640, True),
    ] == [packet and (packet.payload_type, packet.sequence, packet.timestamp, packet.marker) for packet in made]
    assert TelephoneEvent(5, False, 10, 160) == TelephoneEvent.parse(made[0].payload if made[0] else b"")


def test_a_key_press_is_sent_in_silence_too() -> None:
    """Nobody speaks while dialling."""
    out = packetizer()
    out.event_type = 101
    out.dtmf.press("5", 0.04)
    assert 4 == sum(packet is not None for packet in frames(out, *[None] * 6))


def test_another_frame_length_takes_effect_at_once() -> None:
    """For the timestamps and for the durations of key presses."""
    out = packetizer()
    out.event_type = 101
    out.frame(b"a", 0, 0.0)
    out.set_ptime(0.04)
    out.dtmf.press("5", 0.08)
    made = frames(out, *[b"b"] * 6)
    assert [320, 640, 640, 640] == [
        TelephoneEvent.parse(p.payload).duration for p in made if p and p.payload_type == 101
    ]
    assert [1000 + 160 + 5 * 320] == [packet.timestamp for packet in made[5:] if packet]


def test_without_an_event_type_key_presses_wait() -> None:
    """The peer takes none."""
    out = packetizer()
    out.dtmf.press("5")
    assert 0 == frames(out, b"a")[0].payload_type


def test_what_was_sent_is_counted() -> None:
    """Packets, and octets of payload."""
    out = packetizer()
    frames(out, b"abc", None, b"de")
    assert (2, 5) == (out.packets, out.octets)


def test_the_clock_can_be_read_between_frames() -> None:
    """For sender reports: the timestamp that an instant has (RFC 3550 6.4.1)."""
    out = packetizer(timestamp=2**32 - 160)
    assert 2**32 - 160 == out.timestamp_at(5.0)
    out.frame(b"a", 0, 10.0)
    assert [2**32 - 160, 2**32 - 80, 0, 160] == [out.timestamp_at(10.0 + offset) for offset in (0.0, 0.01, 0.02, 0.04)]
