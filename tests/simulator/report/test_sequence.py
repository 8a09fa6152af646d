"""The SIP ladder as rows of the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offhook.ladder import Fault, MediaSpan, entry_from_message
from offhook.simulator.report.sequence import MAX_MESSAGES, MAX_SPANS, sequence, status_class

A, B, C = "a:5060", "b:5060", "c:5060"
BYE = entry_from_message(b"BYE sip:b SIP/2.0\r\nCSeq: 1 BYE\r\n\r\n", 1.0, A, B)
OK = entry_from_message(b"SIP/2.0 200 OK\r\nCSeq: 1 BYE\r\n\r\n", 1.1, B, A)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("BYE sip:b SIP/2.0", "request"),
        ("SIP/2.0 180 Ringing", "s1xx"),
        ("SIP/2.0 200 OK", "s2xx"),
        ("SIP/2.0 302 Moved", "s3xx"),
        ("SIP/2.0 486 Busy", "s4xx"),
        ("SIP/2.0 503 No", "s5xx"),
        ("SIP/2.0 603 Decline", "s6xx"),
        ("SIP/2.0 700 ?", "malformed"),
        ("HELLO", "malformed"),
        ("", "request"),
    ],
)
def test_a_message_is_coloured_by_its_status(first: str, expected: str) -> None:
    """Keep-alives have no first line and no colour of alarm."""
    assert expected == status_class(entry_from_message(f"{first}\r\n\r\n".encode(), 0.0, A, B))


def test_rows_come_in_order_of_time_with_streams_and_faults_between() -> None:
    """At one instant: the message, the stream, the remark."""
    media = MediaSpan(1.0, 2.0, A, B, "PCMU", 1_250)
    rows = sequence((OK, replace(BYE, text=BYE.text.replace("1 BYE", "2 BYE"))), (media,)).rows
    assert ["message", "media", "note", "message"] == [row.kind for row in rows]
    assert "RTP PCMU · 1\u202f250 packets · 1.0\u202fs" == rows[1].words
    assert f"BYE: {Fault.NO_ANSWER.value}" == rows[2].words


def test_a_stream_of_unknown_length_does_not_say_zero_packets() -> None:
    """None is not nothing."""
    [row] = sequence((), (MediaSpan(0.0, 1.0, A, B, "PCMA"),)).rows
    assert "RTP PCMA · 1.0\u202fs" == row.words


def test_arrows_name_their_columns_by_classes() -> None:
    """The page's policy forbids style attributes."""
    far = replace(BYE, instant=2.0, destination=C)
    itself = replace(BYE, instant=3.0, source=C, destination=C)
    rows = [row for row in sequence((BYE, OK, far, itself), ()).rows if row.kind == "message"]
    assert [
        "request right from-1 to-3 span-2",
        "s2xx left from-1 to-3 span-2",
        "request right from-1 to-4 span-3",
        "request self from-3 to-4 span-1",
    ] == [row.classes for row in rows]


def test_hosts_beyond_the_columns_share_the_last_one() -> None:
    """As in the ladder in text."""
    crowd = tuple(replace(OK, instant=number, source=A, destination=f"h{number}") for number in range(9))
    ladder = sequence(crowd, ())
    assert 8 == len(ladder.hosts)
    assert ladder.rows[-1].classes.endswith("right from-1 to-9 span-8")


def test_messages_are_bounded_and_the_rest_is_counted() -> None:
    """MAX_MESSAGES crossed by one."""
    ladder = sequence((OK,) * (MAX_MESSAGES + 1), ())
    assert (MAX_MESSAGES, 1) == (len(ladder.rows), ladder.hidden)


def test_streams_are_bounded() -> None:
    """MAX_SPANS crossed by one."""
    ladder = sequence((), (MediaSpan(0.0, 1.0, A, B, "PCMU"),) * (MAX_SPANS + 1))
    assert MAX_SPANS == len(ladder.rows)
