"""Reception statistics: RFC 3550 A.1 (validity), A.3 (loss), A.8 (jitter)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pcap import datagrams
from support.rtp_corpus import corpus, needs_corpus

from offhook.rtp import Arrival, MalformedPacket, ReceptionStats, Source, parse_header
from offhook.rtp.source import MAX_DROPOUT, MAX_MISORDER, MAX_TRANSIT_STEP, MIN_SEQUENTIAL

RATE = 8000


def believed(*sequences: int, payload: int = 160) -> Source:
    """A source that got these, 20 ms apart, and believed the first."""
    source = Source(7, RATE, probation=0)
    for number, sequence in enumerate(sequences):
        source.receive(sequence, 160 * number, 0.02 * number, payload)
    return source


class TestValidity:
    """RFC 3550 A.1."""

    def test_two_packets_in_sequence_make_a_source_valid(self) -> None:
        """Both are counted then, and their octets."""
        source = Source(7, RATE)
        assert Arrival.UNCONFIRMED is source.receive(10, 0, 0.0, 160)
        assert not source.valid
        assert Arrival.IN_ORDER is source.receive(11, 160, 0.02, 160)
        assert source.valid
        stats = source.stats()
        assert (2, 320, 2, 0) == (stats.packets, stats.octets, stats.expected, stats.lost)

    def test_a_packet_out_of_sequence_begins_the_probation_anew(self) -> None:
        """And is the first of the next try."""
        source = Source(7, RATE)
        verdicts = [source.receive(sequence, 0, 0.0) for sequence in (10, 12, 13)]
        assert [Arrival.UNCONFIRMED, Arrival.UNCONFIRMED, Arrival.IN_ORDER] == verdicts
        assert 2 == source.stats().expected

    def test_without_probation_the_first_packet_counts(self) -> None:
        """The transport address was judged already."""
        assert 1 == believed(10).stats().packets

    @pytest.mark.parametrize(("ahead", "verdict"), [(2999, Arrival.IN_ORDER), (3000, Arrival.UNCONFIRMED)])
    def test_a_gap_below_the_greatest_dropout_is_loss(self, ahead: int, verdict: Arrival) -> None:
        """MAX_DROPOUT."""
        assert MAX_DROPOUT == 3000
        assert verdict is believed(10).receive(10 + ahead, 0, 0.0)

    @pytest.mark.parametrize(("age", "verdict"), [(100, Arrival.REORDERED), (101, Arrival.UNCONFIRMED)])
    def test_a_packet_is_reordered_up_to_the_greatest_misorder(self, age: int, verdict: Arrival) -> None:
        """MAX_MISORDER."""
        assert MAX_MISORDER == 100
        assert verdict is believed(1000).receive(1000 - age, 0, 0.0)

    def test_two_packets_far_away_restart_the_sequence(self) -> None:
        """A.1: "Two sequential packets -- assume that the other side restarted"; the jump is no loss."""
        source = believed(10, 11, 12)
        assert Arrival.UNCONFIRMED is source.receive(40_000, 0, 1.0)
        assert Arrival.RESTARTED is source.receive(40_001, 160, 1.02)
        stats = source.stats()
        assert (5, 5, 0, 1) == (stats.packets, stats.expected, stats.lost, stats.restarts)

    def test_one_wild_packet_changes_nothing(self) -> None:
        """It is not counted, and the stream goes on."""
        source = believed(10, 11)
        source.receive(40_000, 0, 1.0)
        assert Arrival.IN_ORDER is source.receive(12, 0, 1.0)
        assert (3, 3) == (source.stats().packets, source.stats().expected)

    def test_it_takes_two_packets_after_the_probation_too(self) -> None:
        """A source that was believed at once is not easier to lead astray."""
        source = Source(7, RATE, probation=0)
        source.receive(10, 0, 0.0)
        run = [source.receive(40_000 + number, 0, 0.0) for number in range(MIN_SEQUENTIAL)]
        assert [Arrival.UNCONFIRMED, Arrival.RESTARTED] == run


class TestLoss:
    """RFC 3550 A.3."""

    def test_what_is_missing_is_lost(self) -> None:
        """Expected by the sequence numbers, less what came."""
        stats = believed(1, 2, 5, 6).stats()
        assert (6, 4, 2) == (stats.expected, stats.packets, stats.lost)
        assert stats.loss_fraction == pytest.approx(1 / 3)

    def test_nothing_lost_of_nothing(self) -> None:
        """No division by zero before the first packet."""
        assert 0.0 == ReceptionStats().loss_fraction
        assert 0.0 == Source(7, RATE).close_interval(1.0).loss_fraction

    def test_a_reordered_packet_is_not_lost(self) -> None:
        """It is counted as reordered."""
        stats = believed(1, 3, 2, 4).stats()
        assert (0, 1, 4) == (stats.lost, stats.reordered, stats.expected)

    def test_a_packet_from_before_the_first_belongs_to_the_stream(self) -> None:
        """When the very first two change places."""
        stats = believed(2, 1, 3).stats()
        assert (3, 0) == (stats.expected, stats.lost)

    def test_a_duplicate_hides_no_loss(self) -> None:
        """The sample code of the RFC would count it against the lost one."""
        stats = believed(1, 2, 2, 4, 1).stats()
        assert (2, 1, 5) == (stats.duplicates, stats.lost, stats.packets)

    def test_the_sequence_wraps_without_loss(self) -> None:
        """65,535 is followed by 0."""
        stats = believed(65_534, 65_535, 0, 1).stats()
        assert (4, 0) == (stats.expected, stats.lost)

    def test_an_hour_of_wraps_is_counted(self) -> None:
        """180,000 packets turn the sequence number nearly three times."""
        source = Source(7, RATE, probation=0)
        for number in range(0, 180_000, 2):
            source.receive(number & 0xFFFF, 160 * number & 0xFFFF_FFFF, 0.02 * number)
        assert (179_999, 89_999) == (source.stats().expected, source.stats().lost)

    @given(
        st.permutations(range(60)), st.sets(st.integers(0, 59), max_size=30), st.lists(st.integers(0, 59), max_size=20)
    )
    def test_the_counts_are_exact_for_any_order(self, order: list[int], lost: set[int], twice: list[int]) -> None:
        """Any order within the window, any loss, any duplication."""
        came = [number for number in order if number not in lost] + [number for number in twice if number not in lost]
        source = believed(*(65_500 + number & 0xFFFF for number in came))
        stats = source.stats()
        span = max(came) - min(came) + 1 if came else 0
        assert (len(came), span, span - len(set(came))) == (stats.packets, stats.expected, stats.lost)
        assert len(came) - len(set(came)) == stats.duplicates


class TestJitter:
    """RFC 3550 A.8."""

    def test_an_even_stream_has_none(self) -> None:
        """20 ms of ticks, 20 ms of time."""
        assert believed(1, 2, 3).stats().jitter == pytest.approx(0.0, abs=1e-12)

    def test_it_follows_the_change_of_transit_by_a_sixteenth(self) -> None:
        """J += (|D| - J) / 16."""
        source = believed(1)
        source.receive(2, 160, 0.036)
        assert source.stats().jitter == pytest.approx(0.001)
        source.receive(3, 320, 0.040)
        assert source.stats().jitter == pytest.approx(0.001 + (0.016 - 0.001) / 16)

    def test_it_is_the_same_across_the_wrap_of_the_timestamp(self) -> None:
        """Only differences count, so uptime does not matter."""
        source = Source(7, RATE, probation=0)
        source.receive(1, 2**32 - 160, 1e6)
        source.receive(2, 0, 1e6 + 0.036)
        assert source.stats().jitter == pytest.approx(0.001)

    def test_silence_is_not_jitter(self) -> None:
        """A hole in the timestamps as long as the one in time."""
        source = believed(1)
        source.receive(2, 80_000, 10.0)
        assert source.stats().jitter == pytest.approx(0.0)

    @pytest.mark.parametrize(
        ("step", "jitter"), [(MAX_TRANSIT_STEP, MAX_TRANSIT_STEP / 16), (MAX_TRANSIT_STEP + 0.001, 0.0)]
    )
    def test_a_new_timestamp_origin_is_not_jitter(self, step: float, jitter: float) -> None:
        """Music on hold that begins its own clock under the same SSRC."""
        source = believed(1)
        source.receive(2, 0, step)
        assert source.stats().jitter == pytest.approx(jitter)

    def test_events_and_duplicates_are_left_out(self) -> None:
        """A key press keeps its timestamp while time goes on (RFC 4733 2.1)."""
        source = believed(1)
        for number in range(2, 8):
            source.receive(number, 160, 0.02 * number, timed=False)
        source.receive(8, 160 * 7, 0.14)
        source.receive(8, 160 * 7, 0.90)
        assert source.stats().jitter == pytest.approx(0.0, abs=1e-12)

    def test_the_highest_jitter_is_kept(self) -> None:
        """It falls again, the maximum does not."""
        source = believed(1)
        source.receive(2, 160, 0.036)
        for number in range(2, 40):
            source.receive(number + 1, 160 * number, 0.016 + 0.02 * number)
        stats = source.stats()
        assert stats.max_jitter == pytest.approx(0.001)
        assert stats.jitter < 0.0002


class TestReadings:
    """A statistic of an interval is the difference of two readings."""

    def test_reading_changes_nothing(self) -> None:
        """Twice the same."""
        source = believed(1, 2, 5)
        assert source.stats() == source.stats()

    def test_an_interval_counts_what_came_since_the_last(self) -> None:
        """Both begin where the one before ended."""
        source = believed(1, 2, 5)
        first = source.close_interval(0.05)
        source.receive(6, 480, 0.06, 160)
        second = source.close_interval(0.10)
        assert (0.0, 0.05, 3, 480, 5, 2) == (
            first.start,
            first.end,
            first.packets,
            first.octets,
            first.expected,
            first.lost,
        )
        assert (0.05, 0.10, 1, 160, 1, 0) == (
            second.start,
            second.end,
            second.packets,
            second.octets,
            second.expected,
            second.lost,
        )
        assert first.loss_fraction == pytest.approx(0.4)

    def test_a_late_packet_of_the_interval_before_does_not_make_loss_negative(self) -> None:
        """A.3: `if (expected_interval == 0 || lost_interval <= 0) fraction = 0`."""
        source = believed(1, 2, 4)
        assert 1 == source.close_interval(1.0).lost
        source.receive(3, 320, 1.1)
        assert 0 == source.close_interval(2.0).lost

    def test_the_highest_jitter_of_an_interval_is_its_own(self) -> None:
        """The next interval begins with the jitter as it stands."""
        source = believed(1)
        source.receive(2, 160, 0.036)
        assert source.close_interval(1.0).max_jitter == pytest.approx(0.001)
        source.receive(3, 320, 0.056)
        assert source.close_interval(2.0).max_jitter == pytest.approx(0.001)
        assert source.close_interval(3.0).max_jitter < 0.001
        assert source.stats().max_jitter == pytest.approx(0.001)

    def test_sources_add_up_to_a_call(self) -> None:
        """Counts are summed, extremes kept, the jitter is that of the later one."""
        total = believed(1, 2, 4).stats().plus(believed(9, 10).stats())
        assert (5, 800, 6, 1) == (total.packets, total.octets, total.expected, total.lost)
        assert 0.0 == total.first_arrival
        assert believed(1).stats() == ReceptionStats().plus(believed(1).stats())
        assert 0.0 == believed(1).stats().plus(ReceptionStats()).last_arrival

    def test_it_says_in_a_line_how_it_stands(self) -> None:
        """For logs and debuggers."""
        assert "<Source 00000007: 3 packets, 1 lost of 4>" == repr(believed(1, 2, 4))


class TestReportBlock:
    """RFC 3550 6.4.1 and A.3."""

    def test_a_block_tells_the_loss_since_the_one_before(self) -> None:
        """In 1/256 of what was expected."""
        source = believed(1, 2, 5, 6)
        first = source.close_report()
        assert (85, 2, 6) == (first.fraction_lost, first.cumulative_lost, first.highest_sequence)
        source.receive(7, 0, 0.1)
        second = source.close_report(last_sr=9, delay_since_last_sr=65_536)
        assert (0, 2, 9, 65_536) == (
            second.fraction_lost,
            second.cumulative_lost,
            second.last_sr,
            second.delay_since_last_sr,
        )

    def test_duplicates_count_as_received(self) -> None:
        """So the cumulative loss can be negative."""
        assert -2 == believed(1, 1, 1).close_report().cumulative_lost

    def test_a_total_loss_fits_into_the_fraction(self) -> None:
        """255 of 256 at most."""
        source = believed(1)
        source.close_report()
        source.receive(2999, 0, 0.1)
        assert 255 == source.close_report().fraction_lost

    def test_the_jitter_is_told_in_ticks(self) -> None:
        """16 ms of change are 1 ms of jitter, 8 ticks."""
        source = believed(1)
        source.receive(2, 160, 0.0361)
        assert 8 == source.close_report().jitter

    def test_the_highest_sequence_number_counts_the_turns(self) -> None:
        """16 bits of cycles above."""
        assert 0x10001 == believed(65_535, 0, 1).close_report().highest_sequence


@needs_corpus
@pytest.mark.parametrize(
    ("name", "packets", "expected", "duplicates"),
    [
        ("call1_alaw.a", 405, 405, 0),
        ("call1_alaw.o", 405, 405, 0),
        ("call1_g722.a", 624, 624, 0),
        ("call1_g722.o", 619, 619, 0),
        ("call1_ulaw.a", 593, 592, 1),
        ("call1_ulaw.o", 591, 591, 0),
        ("corrupted_g722.o", 383, 383, 0),
    ],
)
def test_foreign_calls_are_counted_as_their_makers_did(name: str, packets: int, expected: int, duplicates: int) -> None:
    """Packet counts, losses and duplicates of real calls."""
    source: Source | None = None
    for datagram in datagrams(corpus(f"rtpproxy-pcap/{name}.pcap")[0]):
        try:
            _, _, sequence, timestamp, ssrc, _, _ = parse_header(datagram.payload)
        except MalformedPacket:
            continue
        source = source or Source(ssrc, RATE, probation=0)
        source.receive(sequence, timestamp, datagram.at)
    assert source is not None
    stats = source.stats()
    assert (packets, expected, duplicates) == (stats.packets, stats.expected, stats.duplicates)
    assert 0 == stats.lost
