"""RTCP of one stream: RFC 3550 6.3, 6.4, 6.6."""

from random import Random

import pytest

from offhook.rtp import (
    Goodbye,
    ReceiverReport,
    RemoteReport,
    ReportBlock,
    Reporter,
    RtcpPacket,
    SdesChunk,
    SenderReport,
    Source,
    SourceDescription,
    parse_compound,
)
from offhook.rtp.packetizer import Packetizer
from offhook.rtp.reporter import MAX_QUEUED_DATAGRAMS, MAX_REMEMBERED_REPORTS, NTP_EPOCH, ntp_time

WALL = 1_700_000_000.5
DESCRIPTION = SourceDescription((SdesChunk(7, ((1, b"us"),)),))


def reporter(*, sent: int = 0, cname: str = "us") -> Reporter:
    """A reporter of a stream that has sent so many packets of two octets."""
    out = Packetizer(ssrc=7, first_sequence=0, first_timestamp=0, clock_rate=8000, ptime=0.02)
    for number in range(sent):
        out.frame(b"ab", 0, 0.02 * number)
    return Reporter(out, cname=cname, clock_rate=8000, rng=Random(1), now=0.0)


def heard(*sequences: int) -> Source:
    """The peer's source."""
    source = Source(9, 8000, probation=0)
    for sequence in sequences:
        source.receive(sequence, 160 * sequence, 0.02 * sequence)
    return source


def report(reports: Reporter, source: Source | None = None, *, now: float = 20.0) -> list[list[RtcpPacket]]:
    """What is written when time has come to `now`."""
    reports.handle_timeout(source, now, WALL + now)
    return [parse_compound(data) for data in reports.datagrams_to_send()]


def test_ntp_counts_from_1900() -> None:
    """Seconds above, parts of 2^32 below."""
    assert (1_700_000_000 + NTP_EPOCH) << 32 | 0x8000_0000 == ntp_time(WALL)


def test_ntp_wraps_in_2036() -> None:
    """RFC 3550 4: "this will wrap around"."""
    assert 0 == ntp_time(2**32 - NTP_EPOCH)


def test_nothing_is_written_before_it_is_due() -> None:
    """The schedule decides."""
    assert [] == report(reporter(sent=1), now=0.1)


def test_who_has_sent_writes_a_sender_report() -> None:
    """With both clocks, the counts and a block on the peer; and who we are."""
    ((first, description),) = report(reporter(sent=50), heard(1, 2, 4))
    assert (
        SenderReport(7, ntp_time(WALL + 20.0), round(20.0 * 8000), 50, 100, (heard(1, 2, 4).close_report(),)) == first
    )
    assert DESCRIPTION == description


def test_who_has_not_sent_writes_a_receiver_report() -> None:
    """Without a block, if nothing was heard either."""
    assert [[ReceiverReport(7), DESCRIPTION]] == report(reporter())


def test_who_has_stopped_sending_writes_receiver_reports_from_the_third_on() -> None:
    """RFC 3550 6.4: a sender is who sent "since the last two reports"."""
    reports = reporter(sent=5)
    kinds = [type(report(reports, now=20.0 * number)[0][0]) for number in (1, 2, 3)]
    assert [SenderReport, SenderReport, ReceiverReport] == kinds


@pytest.mark.parametrize(
    ("sent", "source", "expected"),
    [(0, None, (1, 0, False)), (1, None, (1, 1, True)), (0, heard(1), (2, 1, False)), (1, heard(1), (2, 2, True))],
    ids=["alone", "only we", "only the peer", "both"],
)
def test_the_schedule_is_told_who_takes_part_and_who_sends(
    sent: int, source: Source | None, expected: tuple[int, int, bool]
) -> None:
    """Members, senders, and whether we are one of these (RFC 3550 6.2)."""
    reports = reporter(sent=sent)
    reports.handle_timeout(source, 0.1, WALL)
    assert expected == (reports.schedule.members, reports.schedule.senders, reports.schedule.we_sent)


def test_the_peers_sender_report_is_answered_with_its_age() -> None:
    """LSR and DLSR (6.4.1)."""
    reports = reporter()
    reports.receive([SenderReport(9, 0x11_2233_4455_6677, 0, 1, 1)], 28, 18.5)
    block = report(reports, heard(1))[0][0].blocks[0]
    assert (0x2233_4455, round(1.5 * 65_536)) == (block.last_sr, block.delay_since_last_sr)
    reports.forget_sender()
    assert 0 == report(reports, heard(1), now=40.0)[0][0].blocks[0].last_sr


def test_the_round_trip_is_measured_on_our_own_clock() -> None:
    """Arrival less sending less the time the peer held it; the wall clock may jump meanwhile."""
    reports = reporter(sent=1)
    sent = report(reports, now=20.0)[0][0]
    answer = ReportBlock(7, 64, 3, 0, 80, sent.ntp >> 16 & 0xFFFF_FFFF, 2 * 65_536)
    reports.receive([ReceiverReport(9, (answer,))], 32, 22.15)
    assert reports.round_trip == pytest.approx(0.15)
    assert RemoteReport(0.25, 3, 0.01, 22.15) == reports.remote


def test_an_invented_sender_report_measures_nothing() -> None:
    """Only those that we remember; a delay longer than the time passed is no negative round trip."""
    reports = reporter(sent=1)
    sent = report(reports, now=20.0)[0][0]
    reports.receive([ReceiverReport(9, (ReportBlock(7, 0, 0, 0, 0, 12345, 0),))], 32, 21.0)
    assert None is reports.round_trip
    reports.receive(
        [ReceiverReport(9, (ReportBlock(7, 0, 0, 0, 0, sent.ntp >> 16 & 0xFFFF_FFFF, 2**32 - 1),))], 32, 21.0
    )
    assert 0.0 == reports.round_trip


def test_blocks_on_others_are_not_ours() -> None:
    """A mixer reports on everybody."""
    reports = reporter()
    reports.receive([ReceiverReport(9, (ReportBlock(8, 255, 9, 0, 0, 0, 0),)), SourceDescription()], 36, 1.0)
    assert None is reports.remote


def test_no_more_reports_are_remembered_than_the_limit() -> None:
    """Eight, the oldest goes."""
    reports = reporter()
    for number in range(1, MAX_REMEMBERED_REPORTS + 2):
        reports._packetizer.frame(b"ab", 0, 20.0 * number)
        report(reports, now=20.0 * number)
    assert MAX_REMEMBERED_REPORTS == len(reports._sr_sent)
    assert 40.0 == next(iter(reports._sr_sent.values()))


def test_no_more_datagrams_wait_than_the_limit() -> None:
    """If nobody drains, the newest are kept."""
    reports = reporter()
    for number in range(1, MAX_QUEUED_DATAGRAMS + 2):
        reports.handle_timeout(None, 20.0 * number, WALL)
    assert MAX_QUEUED_DATAGRAMS == len(reports.datagrams_to_send())
    assert [] == reports.datagrams_to_send()


def test_closing_says_goodbye() -> None:
    """With a last report (6.1: each compound packet begins with one)."""
    reports = reporter(sent=2)
    reports.close(heard(1), 1.0, WALL)
    (first, description, goodbye) = parse_compound(reports.datagrams_to_send()[0])
    assert (SenderReport, 2) == (type(first), first.packets)
    assert (DESCRIPTION, Goodbye((7,))) == (description, goodbye)


def test_who_never_sent_anything_does_not_say_goodbye() -> None:
    """6.3.7: MUST NOT."""
    reports = reporter()
    reports.close(None, 1.0, WALL)
    assert [] == reports.datagrams_to_send()


def test_who_only_reported_says_goodbye() -> None:
    """RTCP counts as having sent."""
    reports = reporter()
    report(reports)
    reports.close(None, 21.0, WALL)
    assert Goodbye((7,)) == parse_compound(reports.datagrams_to_send()[0])[-1]


def test_a_change_of_our_ssrc_leaves_the_old_one() -> None:
    """RFC 3550 8.2."""
    reports = reporter(sent=1)
    reports.change_ssrc(8)
    assert [ReceiverReport(7), DESCRIPTION, Goodbye((7,))] == parse_compound(reports.datagrams_to_send()[0])
    assert 8 == report(reports)[0][0].ssrc


def test_a_name_that_is_too_long_is_cut() -> None:
    """255 octets in one item (6.5)."""
    reports = reporter(cname="ä" * 200)
    assert 255 == len(report(reports)[0][1].chunks[0].cname)
