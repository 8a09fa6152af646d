"""The jitter buffer: rows of (arrival, sequence, timestamp) give (verdict, played at)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.rtp import Gap, JitterBuffer, LocalError, RtpPacket, Verdict
from offhook.rtp.drops import Drop
from offhook.rtp.jitter_buffer import (
    GROWTH_MARGIN,
    MAX_GAPS,
    MAX_LATE_RUN,
    MAX_SKIPPED,
    MAX_TIMESTAMP_JUMP,
    SHRINK_STEP,
)

RATE = 8000
FRAME = 0.020
HELD, LATE, DUPLICATE, OVERFLOW = Verdict.HELD, Verdict.LATE, Verdict.DUPLICATE, Verdict.OVERFLOW

Buffer = JitterBuffer[RtpPacket]
Played = list[tuple[float, object]]


def packet(number: int, *, ticks: int | None = None, ssrc: int = 7, marker: bool = False) -> RtpPacket:
    """The packet of this sequence number, of a stream of 20 ms frames that began with 0."""
    timestamp = 160 * number if ticks is None else ticks
    return RtpPacket(0, marker, number & 0xFFFF, timestamp & 0xFFFF_FFFF, ssrc, payload=b"x")


def play(buffer: Buffer, until: float, since: float = 0.0) -> Played:
    """Takes what becomes due, each at its deadline: (instant in ms, sequence number or gap)."""
    played: Played = []
    while (deadline := buffer.next_deadline()) is not None and deadline <= until:
        while (due := buffer.take(max(deadline, since))) is not None:
            played.append((round(max(deadline, since) * 1000), due if isinstance(due, Gap) else due.sequence))
    return played


def run(buffer: Buffer, *rows: tuple[float, RtpPacket]) -> tuple[list[Verdict], Played]:
    """Puts each packet at its arrival, and plays in between and after."""
    verdicts, played, now = [], [], 0.0
    for arrival, arrived in rows:
        played += play(buffer, arrival - 1e-9, now)
        verdicts.append(buffer.put(arrived, arrival))
        now = arrival
    return verdicts, played + play(buffer, 1e9, now)


def steady(count: int, *, first: int = 0, transit: float = 0.0, **kind: int) -> list[tuple[float, RtpPacket]]:
    """Rows of an even stream."""
    return [(FRAME * number + transit, packet(number, **kind)) for number in range(first, first + count)]


class TestOrderAndTime:
    def test_each_packet_is_played_after_the_delay(self) -> None:
        """Playout = timestamp + least transit + 40 ms; jitter within the delay does not show."""
        rows = [(0.000, packet(0)), (0.035, packet(1)), (0.041, packet(2)), (0.075, packet(3))]
        verdicts, played = run(Buffer(RATE), *rows)
        assert [HELD] * 4 == verdicts
        assert [(40, 0), (60, 1), (80, 2), (100, 3)] == played

    def test_packets_that_change_places_are_put_in_order(self) -> None:
        """And counted as reordered."""
        buffer = Buffer(RATE)
        _, played = run(buffer, (0.0, packet(0)), (0.041, packet(2)), (0.042, packet(1)), (0.06, packet(3)))
        assert [(40, 0), (60, 1), (80, 2), (100, 3)] == played
        assert 1 == buffer.stats().reordered

    def test_the_first_two_packets_may_change_places_too(self) -> None:
        """The stream begins with what is played first, not with what came first."""
        _, played = run(Buffer(RATE), (0.0, packet(1)), (0.001, packet(0)), (0.02, packet(2)))
        assert [0, 1, 2] == [number for _, number in played]

    def test_sequence_and_timestamp_wrap_unnoticed(self) -> None:
        """65,535 is followed by 0, 2^32 - 1 by 0."""
        rows = [(FRAME * n, packet(65_534 + n, ticks=2**32 - 320 + 160 * n)) for n in range(5)]
        _, played = run(Buffer(RATE), *rows)
        assert [(40, 65_534), (60, 65_535), (80, 0), (100, 1), (120, 2)] == played

    def test_a_duplicate_is_dropped_whether_it_waits_or_was_played(self) -> None:
        """Sequence number already held, or already handed out."""
        buffer = Buffer(RATE)
        verdicts, played = run(buffer, (0.0, packet(0)), (0.0, packet(0)), (0.02, packet(1)), (0.05, packet(0)))
        assert [HELD, DUPLICATE, HELD, DUPLICATE] == verdicts
        assert [(40, 0), (60, 1)] == played
        assert 2 == buffer.stats().duplicate

    def test_a_late_wake_up_finds_all_that_became_due(self) -> None:
        """One for each call, then None."""
        buffer = Buffer(RATE)
        for arrival, arrived in steady(5):
            buffer.put(arrived, arrival)
        taken = [buffer.take(0.085) for _ in range(4)]
        assert [packet(0), packet(1), packet(2), None] == taken

    def test_nothing_is_due_in_an_empty_buffer(self) -> None:
        """No deadline, nothing to take."""
        buffer = Buffer(RATE)
        assert None is buffer.next_deadline()
        assert None is buffer.take(1.0)


class TestLoss:
    def test_each_lost_packet_becomes_a_gap_when_its_place_is_due(self) -> None:
        """With its ticks, sequence number and timestamp."""
        buffer = Buffer(RATE)
        _, played = run(buffer, *steady(2), *steady(2, first=4))
        gaps = [(80, Gap(160, 2, 320)), (100, Gap(160, 3, 480))]
        assert [(40, 0), (60, 1), *gaps, (120, 4), (140, 5)] == played
        assert (2, 4) == (buffer.stats().lost, buffer.stats().played)

    def test_a_packet_that_comes_before_its_gap_is_due_is_played(self) -> None:
        """A hole is no loss until its time has come."""
        _, played = run(Buffer(RATE), (0.0, packet(0)), (0.04, packet(2)), (0.055, packet(1)))
        assert [(40, 0), (60, 1), (80, 2)] == played

    def test_a_packet_that_comes_after_its_gap_is_late(self) -> None:
        """Its place was passed; the delay grows by what it needed."""
        buffer = Buffer(RATE)
        verdicts, played = run(buffer, (0.0, packet(0)), (0.04, packet(2)), (0.065, packet(1)), (0.066, packet(1)))
        assert [HELD, HELD, LATE, LATE] == verdicts
        assert [0, Gap(160, 1, 160), 2] == [what for _, what in played]
        assert buffer.delay == pytest.approx(0.045 + GROWTH_MARGIN)
        assert 2 == buffer.stats().late

    def test_a_hole_in_the_timestamps_alone_is_silence(self) -> None:
        """DTX: consecutive sequence numbers, so nothing is due until the next talk spurt."""
        buffer = Buffer(RATE)
        _, played = run(buffer, *steady(2), (3.0, packet(2, ticks=24_000)), (3.02, packet(3, ticks=24_160)))
        assert [0, 1, 2, 3] == [what for _, what in played]
        assert [(40, 0), (60, 1)] == played[:2]
        assert 3035 <= played[2][0] <= 3040
        assert 0 == buffer.stats().lost

    def test_gaps_end_where_the_next_packet_begins(self) -> None:
        """One of the two frames before packet 4 was silence, one was lost: the gap lies next to the packet."""
        rows = [*steady(2), (0.10, packet(3, ticks=160 * 5))]
        _, played = run(Buffer(RATE), *rows)
        assert Gap(160, 2, 160 * 4) in [what for _, what in played]

    def test_the_length_of_a_gap_is_guessed_from_its_neighbours(self) -> None:
        """When no step of the stream is known yet, the room is shared evenly."""
        _, played = run(Buffer(RATE), (0.0, packet(0)), (0.12, packet(3, ticks=720)))
        assert [Gap(240, 1, 240), Gap(240, 2, 480)] == [what for _, what in played if isinstance(what, Gap)]

    @pytest.mark.parametrize(("lost", "gaps"), [(MAX_GAPS, MAX_GAPS), (MAX_GAPS + 1, 0)])
    def test_a_long_outage_is_silence(self, lost: int, gaps: int) -> None:
        """More than a second of gaps helps nobody; it is counted as loss all the same."""
        buffer = Buffer(RATE)
        _, played = run(buffer, *steady(2), *steady(2, first=2 + lost))
        assert gaps == sum(isinstance(what, Gap) for _, what in played)
        assert lost == buffer.stats().lost

    def test_lost_packets_without_room_leave_no_gap(self) -> None:
        """A timestamp that stands still has no time to conceal."""
        buffer = Buffer(RATE)
        _, played = run(buffer, (0.0, packet(0)), (0.001, packet(3, ticks=0)))
        assert [0, 3] == [what for _, what in played]
        assert 2 == buffer.stats().lost

    def test_the_share_of_late_packets_is_of_those_due(self) -> None:
        """Late of played and lost."""
        buffer = Buffer(RATE)
        assert 0.0 == buffer.stats().late_fraction
        run(buffer, (0.0, packet(0)), (0.04, packet(2)), (0.065, packet(1)))
        assert buffer.stats().late_fraction == pytest.approx(1 / 3)


class TestSequenceNumbersWithoutSound:
    """Key presses and keep-alives take sequence numbers of the same stream."""

    def test_they_are_no_loss(self) -> None:
        """Silence is where they were."""
        buffer = Buffer(RATE)
        rows = [*steady(2), *steady(2, first=5)]
        for arrival, arrived in rows:
            if arrived.sequence == 5:
                play(buffer, arrival)
                for sequence in (2, 3, 4):
                    buffer.skip(7, sequence)
            buffer.put(arrived, arrival)
        assert [5, 6] == [what for _, what in play(buffer, 1e9)]
        assert 0 == buffer.stats().lost

    def test_a_packet_lost_among_them_is_one_gap(self) -> None:
        """The loss is told, the key press is not."""
        buffer = Buffer(RATE)
        run(buffer, *steady(2))
        for sequence in (2, 4, 5):
            buffer.skip(7, sequence)
        buffer.put(packet(6), 0.12)
        assert [Gap(160, 3, 800), 6] == [what for _, what in play(buffer, 1e9)]

    def test_they_may_come_before_anything_was_played(self) -> None:
        """A stream that begins with a key press in its second packet."""
        buffer = Buffer(RATE)
        buffer.put(packet(0), 0.0)
        buffer.skip(7, 1)
        buffer.put(packet(2), 0.04)
        assert [0, 2] == [what for _, what in play(buffer, 1e9)]
        assert 0 == buffer.stats().lost

    @pytest.mark.parametrize("played", [True, False])
    def test_no_more_are_remembered_than_the_limit(self, played: bool) -> None:
        """A press of a minute, while an earlier packet is missing."""
        buffer = Buffer(RATE)
        buffer.put(packet(0), 0.0)
        if played:
            play(buffer, 1.0)
        for sequence in range(2, 3 + MAX_SKIPPED):
            buffer.skip(7, sequence)
        assert len(buffer._skipped) <= MAX_SKIPPED
        assert (1 if played else 0) == buffer.stats().lost

    def test_those_of_another_place_are_ignored(self) -> None:
        """Before the stream, of another stream, passed, or far away."""
        buffer = Buffer(RATE)
        buffer.skip(7, 1)
        run(buffer, *steady(2))
        for ssrc, sequence in ((8, 2), (7, 0), (7, 4000)):
            buffer.skip(ssrc, sequence)
        assert not buffer._skipped


class TestDelay:
    def test_it_grows_at_once_and_the_packet_is_played(self) -> None:
        """Nothing behind it was played, so the stream waits for it; the next ones are in time."""
        buffer = Buffer(RATE)
        verdicts, played = run(buffer, *steady(2), *steady(3, first=2, transit=0.09))
        assert [HELD] * 5 == verdicts
        assert [(135, 2), (155, 3), (175, 4)] == played[2:]
        assert buffer.delay == pytest.approx(0.09 + GROWTH_MARGIN)

    def test_a_packet_beyond_the_greatest_delay_is_late(self) -> None:
        """200 ms after the quickest one."""
        buffer = Buffer(RATE)
        verdicts, _ = run(buffer, *steady(2), *steady(1, first=2, transit=0.2), *steady(1, first=3, transit=0.201))
        assert [HELD, HELD, HELD, LATE] == verdicts
        assert buffer.delay == pytest.approx(0.2)

    def test_it_shrinks_by_a_step_at_a_talk_spurt(self) -> None:
        """Marker or silence before it; not below what the jitter asks for."""
        buffer = Buffer(RATE)
        run(buffer, *steady(3))
        run(buffer, (1.0, packet(3, ticks=8000, marker=True)))
        assert buffer.delay == pytest.approx(0.040 - SHRINK_STEP)
        run(buffer, (2.0, packet(4, ticks=16_000)))
        assert buffer.delay == pytest.approx(0.040 - 2 * SHRINK_STEP)

    def test_it_does_not_shrink_while_speech_goes_on(self) -> None:
        """A hundred even packets."""
        buffer = Buffer(RATE)
        run(buffer, *steady(100))
        assert buffer.delay == pytest.approx(0.040)

    def test_it_does_not_shrink_at_a_marker_while_something_is_held(self) -> None:
        """The spurt before is not over yet."""
        buffer = Buffer(RATE)
        buffer.put(packet(0), 0.0)
        buffer.put(packet(1, marker=True), 0.02)
        assert buffer.delay == pytest.approx(0.040)

    def test_it_shrinks_where_the_listener_hears_silence_down_to_the_least(self) -> None:
        """For streams that never pause."""
        buffer = Buffer(RATE)
        run(buffer, *steady(3))
        for _ in range(100):
            buffer.heard_silence()
        assert buffer.delay == pytest.approx(0.020)

    def test_it_shrinks_no_further_than_the_jitter_allows(self) -> None:
        """50 ms of spread were seen in the last two seconds."""
        buffer = Buffer(RATE)
        run(buffer, *steady(2), (0.09, packet(2)), *steady(2, first=3))
        for _ in range(100):
            buffer.heard_silence()
        assert buffer.delay == pytest.approx(0.05 + GROWTH_MARGIN)

    def test_silence_before_the_first_packet_changes_nothing(self) -> None:
        """The initial delay stands."""
        buffer = Buffer(RATE)
        buffer.heard_silence()
        assert 0.040 == buffer.delay

    @pytest.mark.parametrize("drift", [300e-6, -300e-6])
    def test_clock_drift_is_followed(self, drift: float) -> None:
        """Ten minutes against a sender whose clock is 300 ppm off: nothing is late, the delay stays within its limits."""
        buffer = Buffer(RATE)
        for number in range(30_000):
            now = FRAME * number * (1 + drift)
            assert HELD is buffer.put(packet(number), now)
            buffer.take(now)
        assert (0, 0) == (buffer.stats().late, buffer.stats().overflow)
        assert buffer.delay == pytest.approx(0.040, abs=0.002)

    def test_a_packet_that_is_quicker_than_all_before_lowers_the_playout(self) -> None:
        """The first one was held up by 300 ms, so the delay would be 340 ms; it is cut to its maximum."""
        buffer = Buffer(RATE)
        run(buffer, (0.3, packet(0)), (0.3, packet(1)), (0.3, packet(2)), *steady(20, first=3, transit=0.0))
        assert buffer.delay <= 0.2


class TestAnchor:
    """What follows a jump is believed after the second packet, that is within 40 ms."""

    def test_another_ssrc_takes_over_with_its_second_packet(self) -> None:
        """A transfer: both packets are played, nothing of the old stream is left behind."""
        buffer = Buffer(RATE)
        rows = [*steady(3), (0.06, packet(900, ssrc=8)), (0.08, packet(901, ssrc=8)), (0.10, packet(902, ssrc=8))]
        verdicts, played = run(buffer, *rows)
        assert [HELD] * 6 == verdicts
        assert [0, 1, 2, 900, 901, 902] == [what for _, what in played]
        assert [(100, 900), (120, 901), (140, 902)] == played[3:]
        assert 2 == buffer.stats().anchored

    @pytest.mark.parametrize(
        "jump",
        [
            lambda n: packet(20_000 + n, ticks=160 * n),
            lambda n: packet(n, ticks=160 * n + 80_000),
            lambda n: packet(n, ticks=160 * n - 80_000),
            lambda n: packet(50_000 + n, ticks=160 * n + 2**31),
        ],
        ids=["sequence", "timestamp ahead", "timestamp back", "both"],
    )
    def test_a_jump_takes_effect_with_its_second_packet(self, jump) -> None:
        """Sequence or timestamp, ahead or back; the listener hears it 40 ms after the first one came."""
        rows = [*steady(3), *((FRAME * number, jump(number)) for number in range(3, 6))]
        buffer = Buffer(RATE)
        verdicts, played = run(buffer, *rows)
        assert [HELD] * 6 == verdicts
        assert [(100, jump(3).sequence), (120, jump(4).sequence), (140, jump(5).sequence)] == played[3:]
        assert 0 == buffer.stats().lost

    def test_what_is_left_of_the_old_stream_is_due_at_once(self) -> None:
        """In its order, and before the new stream."""
        buffer = Buffer(RATE)
        for arrival, arrived in [*steady(3), (0.06, packet(9, ssrc=8)), (0.061, packet(10, ssrc=8))]:
            buffer.put(arrived, arrival)
        assert 0.06 == buffer.next_deadline()
        assert [0, 1, 2] == [buffer.take(0.061).sequence for _ in range(3)]
        assert None is buffer.take(0.061)
        assert 2 == len(buffer)

    def test_a_wild_packet_is_a_stray(self) -> None:
        """The stream goes on as if it had not come."""
        buffer = Buffer(RATE)
        _, played = run(buffer, *steady(3), (0.05, packet(9, ssrc=8)), *steady(2, first=3))
        assert [0, 1, 2, 3, 4] == [what for _, what in played]
        assert (1, 1) == (buffer.stats().stray, buffer.stats().anchored)

    def test_two_streams_that_alternate_do_not_displace_each_other(self) -> None:
        """The one that was first is played."""
        buffer = Buffer(RATE)
        rows = [row for n in range(10) for row in ((FRAME * n, packet(n)), (FRAME * n + 0.001, packet(n, ssrc=8)))]
        _, played = run(buffer, *rows)
        assert list(range(10)) == [what for _, what in played]

    def test_strays_that_do_not_follow_each_other_change_nothing(self) -> None:
        """Each replaces the one before; the same one again is a duplicate."""
        buffer = Buffer(RATE)
        wild = [packet(9, ssrc=8), packet(9, ssrc=8), packet(40_000, ssrc=9), packet(500, ssrc=9)]
        verdicts, _ = run(buffer, *steady(1), *((0.01, stray) for stray in wild))
        assert [HELD, HELD, DUPLICATE, HELD, HELD] == verdicts
        assert (2, 1) == (buffer.stats().stray, buffer.stats().anchored)

    def test_a_longer_path_is_accepted_after_a_few_late_packets(self) -> None:
        """All packets take 500 ms more from one moment on."""
        buffer = Buffer(RATE)
        verdicts, played = run(buffer, *steady(10), *steady(10, first=10, transit=0.5))
        assert [LATE] * (MAX_LATE_RUN - 1) + [HELD] * 7 == verdicts[10:]
        assert [13, 14, 15, 16, 17, 18, 19] == [what for _, what in played[10:]]

    def test_a_few_old_late_packets_do_not_move_the_stream(self) -> None:
        """They are older than what waits, so they say nothing of the path."""
        buffer = Buffer(RATE)
        for number in (0, 10, 11):
            buffer.put(packet(number), FRAME * number)
        assert [LATE] * 5 == [buffer.put(packet(number), 0.5) for number in range(1, 6)]
        assert 1 == buffer.stats().anchored

    @pytest.mark.parametrize(("off", "anchored"), [(MAX_TIMESTAMP_JUMP - 0.01, 1), (MAX_TIMESTAMP_JUMP + 0.01, 2)])
    def test_a_second_off_is_a_jump(self, off: float, anchored: int) -> None:
        """MAX_TIMESTAMP_JUMP, ahead of the clock."""
        buffer = Buffer(RATE)
        rows = [(FRAME * n, packet(n, ticks=160 * n + round(off * RATE))) for n in (3, 4)]
        run(buffer, *steady(3), *rows)
        assert anchored == buffer.stats().anchored

    def test_reset_forgets_the_stream_but_not_the_counts(self) -> None:
        """The next packet is a first one."""
        buffer = Buffer(RATE)
        run(buffer, *steady(2))
        buffer.put(packet(2), 0.04)
        buffer.reset()
        assert (0, None, 2) == (len(buffer), buffer.next_deadline(), buffer.stats().played)
        assert [(9040, 1)] == run(buffer, (9.0, packet(1)))[1]


class TestLimits:
    def test_beyond_the_capacity_the_oldest_goes(self) -> None:
        """64 packets; the 65th is held, the first is dropped."""
        buffer = Buffer(RATE)
        verdicts = [buffer.put(packet(number), 0.001 * number) for number in range(65)]
        assert [HELD] * 65 == verdicts
        assert (64, 1) == (buffer.stats().held, buffer.stats().overflow)
        assert 1 == buffer.take(10.0).sequence

    def test_the_oldest_may_be_the_one_that_came(self) -> None:
        """Then the verdict says so."""
        buffer = Buffer(RATE, capacity=2)
        for number in (5, 6):
            buffer.put(packet(number), 0.0)
        assert OVERFLOW is buffer.put(packet(4), 0.0)

    def test_what_is_left_of_the_old_stream_counts_too(self) -> None:
        """And goes first."""
        buffer = Buffer(RATE, capacity=3)
        for arrival, arrived in [*steady(3), (0.06, packet(9, ssrc=8)), (0.061, packet(10, ssrc=8))]:
            buffer.put(arrived, arrival)
        assert (3, 2) == (len(buffer), buffer.stats().overflow)
        assert 2 == buffer.take(1.0).sequence

    @pytest.mark.parametrize(
        "arguments",
        [{"min_delay": 0.05}, {"max_delay": 0.03}, {"capacity": 0}, {"min_delay": -1.0}, {"clock_rate": 0}],
        ids=str,
    )
    def test_delays_out_of_order_are_our_own_fault(self, arguments: dict) -> None:
        """0 <= least <= initial <= greatest."""
        with pytest.raises(LocalError):
            Buffer(**{"clock_rate": RATE, **arguments})

    def test_every_refusal_has_a_reason_to_show(self) -> None:
        """The verdict's value is the drop; a held packet has none."""
        assert [None, Drop.LATE, Drop.DUPLICATE, Drop.OVERFLOW] == [verdict.value for verdict in Verdict]

    def test_it_says_in_a_line_how_it_stands(self) -> None:
        """For logs and debuggers."""
        buffer = Buffer(RATE)
        buffer.put(packet(0), 0.0)
        assert "<JitterBuffer 1 held, 40 ms, 0 late, 0 lost>" == repr(buffer)


arrivals = st.lists(st.tuples(st.integers(0, 80), st.floats(0.0, 0.4), st.booleans(), st.booleans()), max_size=120)


class TestAnyNetwork:
    @given(arrivals)
    def test_playout_is_strictly_increasing(self, rows: list[tuple[int, float, bool, bool]]) -> None:
        """Any order, any loss, any duplication, any delay up to 400 ms: no packet before an older one, none twice."""
        buffer = Buffer(RATE)
        came = sorted((FRAME * number + delay, number) for number, delay, _, _ in rows)
        _, played = run(buffer, *((arrival, packet(60_000 + number)) for arrival, number in came))
        sequences = [what.sequence if isinstance(what, Gap) else what for _, what in played]
        unwrapped = [(sequence - 60_000) & 0xFFFF for sequence in sequences]
        assert sorted(set(unwrapped)) == unwrapped
        assert sorted(instant for instant, _ in played) == [instant for instant, _ in played]

    @given(arrivals)
    def test_every_packet_has_one_fate(self, rows: list[tuple[int, float, bool, bool]]) -> None:
        """Played, late, duplicate, dropped for room, stray, or held: the counts add up."""
        buffer = Buffer(RATE, capacity=8)
        for number, delay, is_marked, is_taken in rows:
            now = FRAME * number + delay
            buffer.put(replace(packet(number), marker=is_marked), now)
            assert len(buffer) <= 8
            if is_taken:
                buffer.take(now)
        stats = buffer.stats()
        fates = stats.played + stats.late + stats.duplicate + stats.overflow + stats.stray + stats.held
        assert len(rows) == fates + (buffer._candidate is not None)

    @given(
        st.lists(
            st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF), st.integers(0, 2), st.floats(0.0, 10.0)),
            max_size=100,
        )
    )
    def test_hostile_numbers_break_nothing(self, rows: list[tuple[int, int, int, float]]) -> None:
        """Whatever sequence, timestamp and SSRC: memory stays bounded, and all that was held comes out."""
        buffer, now = Buffer(RATE, capacity=8), 0.0
        for sequence, timestamp, ssrc, pause in rows:
            now += pause
            buffer.put(RtpPacket(0, False, sequence, timestamp, ssrc), now)
            assert len(buffer) <= 8
            if pause > 5.0:
                buffer.skip(ssrc, sequence + 1 & 0xFFFF)
                buffer.take(now)
        play(buffer, now + 10.0)
        assert 0 == len(buffer)
