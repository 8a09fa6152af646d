"""Key presses as telephone events: RFC 4733, in both directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pcap import datagrams
from support.rtp_corpus import corpus, needs_corpus

from offhook.rtp import (
    DtmfReceived,
    DtmfReceiver,
    DtmfSender,
    EventPacket,
    LocalError,
    MalformedPacket,
    RtpPacket,
    TelephoneEvent,
)
from offhook.rtp.drops import Drop
from offhook.rtp.telephone_event import (
    DIGITS,
    EVENT_TIMEOUT,
    MAX_DURATION_TICKS,
    MAX_PRESS,
    MAX_QUEUED_DIGITS,
    MAX_REMEMBERED,
    STALE_SECONDS,
)

RATE = 8000
FRAME = 160


def sent(sender: DtmfSender, ticks: int, start: int = 0) -> list[EventPacket | None]:
    """What a sender makes of so many ticks."""
    return [sender.tick(start + FRAME * number) for number in range(ticks)]


def press(digits: str, duration: float = 0.1, gap: float = 0.06, start: int = 0) -> list[EventPacket]:
    """All packets of some presses."""
    sender = DtmfSender(RATE, 0.02)
    sender.press(digits, duration, gap)
    packets = []
    while sender.is_sending:
        packet = sender.tick(start)
        start += FRAME
        packets += [] if packet is None else [packet]
    return packets


def heard(packets: list[EventPacket], pause: float = 0.02) -> list[DtmfReceived]:
    """What a receiver tells of packets that come at even intervals, and after a while of silence."""
    receiver = DtmfReceiver(RATE)
    for number, packet in enumerate(packets):
        receiver.handle_timeout(number * pause)
        receiver.receive(packet.payload, packet.timestamp & 0xFFFF_FFFF, number * pause)
    receiver.handle_timeout(1e9)
    return receiver.events()


def digits_of(packets: list[EventPacket]) -> str:
    """The keys a receiver tells, in order."""
    return "".join(event.digit for event in heard(packets))


class TestPayload:
    """RFC 4733 2.3."""

    def test_the_fields_stand_where_the_diagram_has_them(self) -> None:
        """Event 11 (#), end bit, volume 10, 800 ticks."""
        event = TelephoneEvent(11, end=True, volume=10, duration=800)
        assert bytes.fromhex("0b8a0320") == event.serialize()
        assert event == TelephoneEvent.parse(event.serialize())

    def test_the_reserved_bit_is_ignored(self) -> None:
        """2.3: "MUST be ignored by the receiver"."""
        assert TelephoneEvent(1, end=False, volume=0, duration=0) == TelephoneEvent.parse(b"\x01\x40\0\0")

    @pytest.mark.parametrize("size", range(4))
    def test_less_than_four_octets_are_refused(self, size: int) -> None:
        """Cut anywhere."""
        with pytest.raises(MalformedPacket):
            TelephoneEvent.parse(bytes(size))


class TestSender:
    """RFC 4733 2.5.1."""

    def test_a_press_is_a_row_of_growing_durations_and_three_ends(self) -> None:
        """One packet for each tick; the marker on the first, the timestamp that of the beginning."""
        packets = press("5", 0.1, start=1000)
        events = [TelephoneEvent.parse(packet.payload) for packet in packets]
        assert [160, 320, 480, 640, 800, 800, 800] == [event.duration for event in events]
        assert [False] * 4 + [True] * 3 == [event.end for event in events]
        assert [True] + [False] * 6 == [packet.marker for packet in packets]
        assert {1000} == {packet.timestamp for packet in packets}

    def test_the_pause_is_counted_from_the_end_of_the_press(self) -> None:
        """60 ms: two repetitions of the end, one frame of audio, then the next press."""
        sender = DtmfSender(RATE, 0.02)
        sender.press("12", 0.04, 0.06)
        shape = "".join("." if p is None else "E" if p.end else "M" if p.marker else "-" for p in sent(sender, 11))
        assert "MEEE.MEEE.." == shape

    def test_the_next_press_begins_no_sooner_than_the_ends_are_sent(self) -> None:
        """Even without a gap."""
        sender = DtmfSender(RATE, 0.02)
        sender.press("12", 0.04, 0.0)
        assert [0, 4] == [number for number, p in enumerate(sent(sender, 8)) if p is not None and p.marker]

    def test_a_short_press_lasts_forty_milliseconds(self) -> None:
        """Receivers may miss a shorter one."""
        assert [160, 320, 320, 320] == [TelephoneEvent.parse(p.payload).duration for p in press("1", 0.001)]

    def test_between_presses_the_frames_belong_to_the_audio(self) -> None:
        """None before, none after."""
        sender = DtmfSender(RATE, 0.02)
        assert None is sender.tick(0)
        assert not sender.is_sending
        sender.press("1", 0.04)
        assert sender.is_sending
        assert [True] * 4 + [False] * 3 == [packet is not None for packet in sent(sender, 7)]
        assert not sender.is_sending

    def test_a_long_press_is_sent_in_segments(self) -> None:
        """2.5.1.3: a full segment without end bit, then a new timestamp without marker; the last one ends."""
        packets = press("5", 9.0, start=2**32 - 160)
        first = [p for p in packets if p.timestamp == 2**32 - 160]
        rest = [p for p in packets if p not in first]
        assert {MAX_DURATION_TICKS - 160} == {p.timestamp for p in rest}
        assert (MAX_DURATION_TICKS, False) == (TelephoneEvent.parse(first[-1].payload).duration, first[-1].end)
        assert (72_000 - MAX_DURATION_TICKS, True) == (TelephoneEvent.parse(rest[-1].payload).duration, rest[-1].end)
        assert 3 == sum(TelephoneEvent.parse(p.payload).duration == MAX_DURATION_TICKS for p in first)
        assert 1 == sum(packet.marker for packet in packets)

    def test_a_press_of_a_whole_segment_ends_in_it(self) -> None:
        """Exactly 65,535 ticks, at a clock that divides them."""
        sender = DtmfSender(65_535, 0.2)
        sender.press("1", 1.0)
        packets = [packet for packet in (sender.tick(0) for _ in range(9)) if packet is not None]
        assert [True, True, True] == [p.end for p in packets if TelephoneEvent.parse(p.payload).duration == 65_535]

    @pytest.mark.parametrize(
        ("digits", "duration", "gap"),
        [
            ("1x", 0.1, 0.1),
            ("1 2", 0.1, 0.1),
            ("1", 0.0, 0.1),
            ("1", MAX_PRESS + 1, 0.1),
            ("1", 0.1, -1.0),
            ("1", 0.1, 61.0),
        ],
    )
    def test_what_is_no_key_press_is_our_own_fault(self, digits: str, duration: float, gap: float) -> None:
        """A `ValueError`, and nothing is queued."""
        sender = DtmfSender(RATE, 0.02)
        with pytest.raises(LocalError):
            sender.press(digits, duration, gap)
        assert not sender.is_sending

    def test_more_presses_than_the_limit_are_refused(self) -> None:
        """64 wait, the 65th does not."""
        sender = DtmfSender(RATE, 0.02)
        sender.press("1" * MAX_QUEUED_DIGITS)
        with pytest.raises(LocalError):
            sender.press("1")


class TestReceiver:
    def test_each_press_is_told_once_with_its_duration(self) -> None:
        """At its first end packet; the other two repeat it."""
        assert [DtmfReceived("5", 0.1, 0.0, complete=True)] == heard(press("5"))

    def test_all_keys_are_known(self) -> None:
        """Events 0 to 15 (3.2); small letters are meant too."""
        assert DIGITS == digits_of(press(DIGITS.lower()))

    def test_equal_digits_are_told_apart(self) -> None:
        """By their timestamps."""
        assert "1100" == digits_of(press("1100"))

    def test_a_press_without_its_ends_is_told_after_a_while(self) -> None:
        """All three were lost: 100 ms of silence, and what is known of the duration."""
        receiver = DtmfReceiver(RATE)
        for number, packet in enumerate(press("7")[:4]):
            receiver.receive(packet.payload, packet.timestamp, 0.02 * number)
        deadline = 0.06 + EVENT_TIMEOUT
        assert deadline == receiver.next_deadline()
        receiver.handle_timeout(deadline - 0.001)
        assert [] == receiver.events()
        receiver.handle_timeout(deadline)
        assert [DtmfReceived("7", 0.08, 0.0, complete=False)] == receiver.events()
        assert None is receiver.next_deadline()

    def test_an_end_after_that_is_a_repetition(self) -> None:
        """It was told already."""
        packets = press("7")
        receiver = DtmfReceiver(RATE)
        receiver.receive(packets[0].payload, packets[0].timestamp, 0.0)
        receiver.handle_timeout(1.0)
        assert None is receiver.receive(packets[-1].payload, packets[-1].timestamp, 1.1)
        assert 1 == len(receiver.events())

    def test_a_press_without_its_ends_is_told_when_the_next_begins(self) -> None:
        """Superseded, whether the key is the same or not."""
        first, second = press("4"), press("4", start=1280)
        assert [False, True] == [event.complete for event in heard(first[: 5 - 1] + second)]
        assert "45" == digits_of(first[:4] + press("5", start=1280))

    def test_a_key_that_changes_without_a_new_timestamp_is_another_press(self) -> None:
        """Some senders do so."""
        assert "12" == digits_of(press("1")[:4] + press("2"))

    def test_marker_and_first_packets_are_not_needed(self) -> None:
        """The last end packet alone tells the press."""
        assert [DtmfReceived("9", 0.1, 0.0, complete=True)] == heard(press("9")[-1:])

    def test_a_long_press_is_told_once(self) -> None:
        """The segments add up."""
        assert [DtmfReceived("5", 20.0, 0.0, complete=True)] == heard(press("5", 20.0))

    def test_a_long_press_is_told_once_when_the_ends_of_its_segments_are_lost(self) -> None:
        """The next segment begins 65,535 ticks later, so it is known what was lost."""
        packets = [p for p in press("5", 20.0) if p.end or TelephoneEvent.parse(p.payload).duration < 65_000]
        assert [DtmfReceived("5", 20.0, 0.0, complete=True)] == heard(packets, pause=0.02)

    def test_a_timestamp_that_moves_within_a_press_is_the_same_press(self) -> None:
        """Some senders count it on like that of audio; the presses then overlap."""
        moving = [packet._replace(timestamp=FRAME * number) for number, packet in enumerate(press("3")[:5])]
        assert "3" == digits_of(moving)

    def test_an_event_from_before_the_newest_press_is_stale(self) -> None:
        """It came late; its press was told when it was superseded."""
        receiver = DtmfReceiver(RATE)
        old, new = press("1", start=8000)[0], press("2", start=10_000)[0]
        receiver.receive(new.payload, new.timestamp, 0.0)
        assert Drop.EVENT_STALE is receiver.receive(old.payload, old.timestamp, 0.01)

    @pytest.mark.parametrize(("back", "told"), [(STALE_SECONDS - 0.01, ""), (STALE_SECONDS + 0.01, "1")])
    def test_a_timestamp_far_back_is_a_new_clock(self, back: float, told: str) -> None:
        """Or else no key would be heard for hours after the sender's clock was set anew."""
        later = press("2", start=100_000)
        assert "2" + told == digits_of(later + press("1", start=100_000 - round(back * RATE)))

    def test_what_is_no_digit_is_dropped_with_a_reason(self) -> None:
        """Event 16 is a hook flash; three octets are nothing."""
        receiver = DtmfReceiver(RATE)
        assert Drop.EVENT_UNKNOWN is receiver.receive(TelephoneEvent(16, True, 0, 800).serialize(), 0, 0.0)
        assert Drop.EVENT_MALFORMED is receiver.receive(b"\x01\x8a\x03", 0, 0.0)
        assert [] == receiver.events()

    def test_reset_tells_the_press_under_way_and_forgets_the_clock(self) -> None:
        """A change of SSRC."""
        receiver = DtmfReceiver(RATE)
        receiver.reset()
        packet = press("1", start=9000)[0]
        receiver.receive(packet.payload, packet.timestamp, 0.0)
        receiver.reset()
        receiver.receive(packet.payload, packet.timestamp - 160, 0.1)
        receiver.reset()
        assert [False, False] == [event.complete for event in receiver.events()]

    def test_no_more_presses_are_remembered_than_the_limit(self) -> None:
        """16 of the last ones are known as told."""
        receiver = DtmfReceiver(RATE)
        for packet in press("1" * (MAX_REMEMBERED + 1)):
            receiver.receive(packet.payload, packet.timestamp, 0.0)
        assert MAX_REMEMBERED == len(receiver._finished)

    @given(
        st.text(DIGITS, min_size=1, max_size=6),
        st.integers(0, 2**32 - 1),
        st.lists(st.sampled_from([0, 1, 1, 1, 2, 3]), min_size=80, max_size=80),
    )
    def test_each_digit_is_told_exactly_once(self, digits: str, start: int, copies: list[int]) -> None:
        """Any loss and duplication that leaves one packet of each press, across the wrap of the timestamp."""
        packets = press(digits, start=start)
        kept = {packet.timestamp: packet for packet in packets}  # one of each press
        came = []
        for packet, times in zip(packets, copies, strict=False):
            came += [packet] * (times or (packet is kept[packet.timestamp]))
        assert digits == digits_of(came)

    @given(st.data())
    def test_the_order_within_a_press_does_not_matter(self, data: st.DataObject) -> None:
        """An end that comes first tells the press; the rest repeats it."""
        packets = [p for part in range(3) for p in data.draw(st.permutations(press(str(part), start=2000 * part)))]
        assert "012" == digits_of(packets)

    @given(st.lists(st.tuples(st.binary(max_size=6), st.integers(0, 2**32 - 1), st.floats(0.0, 1.0)), max_size=40))
    def test_hostile_events_break_nothing(self, rows: list[tuple[bytes, int, float]]) -> None:
        """At most one press for each packet, and none is left open."""
        receiver, now = DtmfReceiver(RATE), 0.0
        for payload, timestamp, pause in rows:
            now += pause
            receiver.receive(payload, timestamp, now)
        receiver.handle_timeout(now + 1.0)
        assert len(receiver.events()) <= len(rows)
        assert None is receiver.next_deadline()


@needs_corpus
@pytest.mark.parametrize(
    ("name", "digits", "ticks"),
    [
        ("dtmf_2833_4", "4", 2240),
        ("opus-2013785496", "2013785496", 1600),
        ("opus-3125894607", "3125894607", 1600),
        ("ulaw-2013785496", "2013785496", 1600),
        ("ulaw-3125894607", "3125894607", 1600),
    ],
)
def test_foreign_captures_hold_the_digits_of_their_names(name: str, digits: str, ticks: int) -> None:
    """Key presses as SIPp and Asterisk send them, each once, with its duration."""
    receiver = DtmfReceiver(RATE)
    for datagram in datagrams(corpus(f"asterisk/*{name}.pcap")[0]):
        packet = RtpPacket.parse(datagram.payload)
        receiver.handle_timeout(datagram.at)
        if packet.payload_type == 101:
            assert None is receiver.receive(packet.payload, packet.timestamp, datagram.at)
    events = receiver.events()
    assert digits == "".join(event.digit for event in events)
    assert {(ticks / RATE, True)} == {(event.duration, event.complete) for event in events}
