"""The ladder: how a call looks on paper, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook import ladder
from offhook.ladder import Fault, LadderEntry, MediaSpan, draw, entry_from_message, faults, mark_again, visible

A, B = "127.0.0.1:5060", "127.0.0.1:5080"


def octets(first: str, cseq: str, *more: str) -> bytes:
    """A message of the few lines that a ladder looks at."""
    return "\r\n".join([first, f"CSeq: {cseq}", "Call-ID: one@a", *more, "", ""]).encode()


def sent(instant: float, first: str, cseq: str, *more: str) -> LadderEntry:
    """From the caller to the agent."""
    return entry_from_message(octets(first, cseq, *more), instant, A, B)


def got(instant: float, first: str, cseq: str, *more: str) -> LadderEntry:
    """From the agent to the caller."""
    return entry_from_message(octets(first, cseq, *more), instant, B, A)


def kinds(entries: list[LadderEntry], *media: MediaSpan) -> list[Fault]:
    """The faults of a ladder without their words."""
    return [note.fault for note in faults(entries, media)]


INVITE = sent(10.0, "INVITE sip:agent@b SIP/2.0", "1 INVITE", "Content-Type: application/sdp")
OK = got(10.5, "SIP/2.0 200 OK", "1 INVITE", "c: application/sdp")
ACK = sent(10.6, "ACK sip:agent@b SIP/2.0", "1 ACK")
BYE = sent(12.0, "BYE sip:agent@b SIP/2.0", "2 BYE")
BYE_OK = got(12.125, "SIP/2.0 200 OK", "2 BYE")
CALL = [INVITE, OK, ACK, BYE, BYE_OK]


class TestWhatStandsOnAnArrow:
    """Reading a message as a human would: first line, CSeq, Content-Type."""

    def test_a_request_is_named_by_its_method_and_its_offer(self) -> None:
        """The URI is in the text; the method is what one looks for."""
        assert "INVITE (SDP)" == INVITE.summary
        assert "ACK" == ACK.summary

    def test_a_response_is_named_by_its_status_and_what_it_answers(self) -> None:
        """CSeq tells one 200 from the other; `c` is Content-Type in short (RFC 3261 7.3.3)."""
        assert ["200 OK (INVITE, SDP)", "200 OK (BYE)"] == [OK.summary, BYE_OK.summary]

    @pytest.mark.parametrize(
        ("data", "summary"),
        [
            (b"SIP/2.0 200 OK\r\n", "200 OK"),
            (b"SIP/2.0 200 OK\nCSeq: 7\n\n", "200 OK"),
            (b"SIP/2.0 2x0 OK\r\n\r\n", "malformed: SIP/2.0 2x0 OK"),
            (b"SIP/2.0 \r\n\r\n", "malformed: SIP/2.0"),
            (b"HELLO\r\n\r\n", "malformed: HELLO"),
            (b"\x80\xff", "malformed: \\x80\\xff"),
            (b"\r\n\r\n", "keep-alive ping"),
            (b"\r\n", "keep-alive pong"),
            (b"", "empty datagram"),
            (b"\0\0\0\0", "empty datagram"),
        ],
    )
    def test_messages_that_no_parser_accepts_are_shown_too(self, data: bytes, summary: str) -> None:
        """They are often the ones that somebody is looking for."""
        assert summary == entry_from_message(data, 0.0, A, B).summary

    def test_headers_after_the_empty_line_are_the_body(self) -> None:
        """A CSeq in a body answers nothing."""
        assert "200 OK" == entry_from_message(b"SIP/2.0 200 OK\r\n\r\nCSeq: 1 BYE\r\n", 0.0, A, B).summary

    @given(st.binary(max_size=200))
    def test_any_octets_give_an_entry(self, data: bytes) -> None:
        """Nothing that a stranger sends raises, and nothing in the drawing is unprintable."""
        drawing = draw([entry_from_message(data, 0.0, A, B)])
        assert drawing.replace("\n", "").isprintable()

    def test_a_summary_is_bounded(self) -> None:
        """MAX_SUMMARY_CHARACTERS crossed by one; the ellipsis takes the last place."""
        exact = "M" * ladder.MAX_SUMMARY_CHARACTERS
        assert exact == sent(0.0, f"{exact} sip:b SIP/2.0", "1 M").summary
        assert exact[1:] + "…" == sent(0.0, f"{exact}M sip:b SIP/2.0", "1 M").summary

    def test_a_text_is_bounded(self) -> None:
        """MAX_TEXT_CHARACTERS crossed by one."""
        entry = entry_from_message(b"x" * (ladder.MAX_TEXT_CHARACTERS + 1), 0.0, A, B)
        assert ladder.MAX_TEXT_CHARACTERS == len(entry.text)

    def test_only_so_many_lines_are_searched(self) -> None:
        """MAX_HEADER_LINES crossed by one: the CSeq in the line behind is not found."""
        fill = [f"X-{number}: y" for number in range(ladder.MAX_HEADER_LINES - 2)]
        found = "\r\n".join(["SIP/2.0 200 OK", *fill, "CSeq: 1 BYE"])
        missed = "\r\n".join(["SIP/2.0 200 OK", *fill, "X: y", "CSeq: 1 BYE"])
        entries = [entry_from_message(text.encode(), 0.0, A, B) for text in (found, missed)]
        assert ["200 OK (BYE)", "200 OK"] == [entry.summary for entry in entries]


class TestRetransmissions:
    """RFC 3261 17: the same message, to the octet, the same way."""

    def test_a_message_that_was_sent_before_is_marked(self) -> None:
        """The first one is not."""
        assert [False, True] == [entry.again for entry in mark_again([INVITE, replace(INVITE, instant=10.5)])]

    def test_the_same_words_the_other_way_are_no_retransmission(self) -> None:
        """A proxy that sends a message back."""
        back = replace(INVITE, source=B, destination=A)
        assert [False, False] == [entry.again for entry in mark_again([INVITE, back])]

    def test_keep_alives_are_no_retransmissions(self) -> None:
        """They say the same each time, and mean it."""
        ping = entry_from_message(b"\r\n\r\n", 0.0, A, B)
        assert [False, False] == [entry.again for entry in mark_again([ping, ping])]


class TestForeignText:
    """What strangers wrote cannot act on the terminal."""

    @pytest.mark.parametrize(
        ("hostile", "shown"),
        [
            ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
            ("a\r\nb\tc\x7f\x9b", "a\\x0d\\x0ab\\x09c\\x7f\\x9b"),
            ("abc\u202edef", "abc\\u202edef"),
            ("e\u0301\u0301", "e\\u0301\\u0301"),
            ("\ud800", "\\ud800"),
            ("\U000e0001", "\\U000e0001"),
            ("Grüße 你好", "Grüße 你好"),
        ],
    )
    def test_what_is_not_printable_is_shown_as_an_escape(self, hostile: str, shown: str) -> None:
        """ANSI, control characters, direction marks, piled accents, lone surrogates; honest letters stay."""
        assert shown == visible(hostile)

    def test_line_ends_stay_where_they_are_wanted(self) -> None:
        """The full text of a message has many lines."""
        assert "a\nb\\x1b" == visible("a\nb\x1b", keep="\n")


class TestFaults:
    """What an experienced eye sees."""

    def test_a_complete_call_has_none(self) -> None:
        """INVITE, 200, ACK, BYE, 200."""
        assert [] == faults(CALL)

    @pytest.mark.parametrize("final", [OK, got(10.5, "SIP/2.0 486 Busy Here", "1 INVITE")], ids=["2xx", "4xx"])
    def test_a_final_response_wants_an_ack(self, final: LadderEntry) -> None:
        """For each class of status; a repeated response is one fault, at its first instant."""
        entries = [INVITE, final, replace(final, instant=11.0, again=True)]
        [note] = faults(entries)
        assert (10.5, Fault.NO_ACK, final.summary) == (note.instant, note.fault, note.about)

    def test_the_ack_of_another_invite_does_not_count(self) -> None:
        """The CSeq number of an ACK is that of its INVITE (RFC 3261 17.1.1.3)."""
        assert [Fault.NO_ACK] == kinds([INVITE, OK, replace(ACK, text=ACK.text.replace("1 ACK", "2 ACK"))])

    def test_a_request_wants_a_final_response(self) -> None:
        """100 and 180 are none; an ACK wants nothing."""
        trying = got(10.1, "SIP/2.0 100 Trying", "1 INVITE")
        assert [Fault.NO_ANSWER] == kinds([INVITE, trying, replace(INVITE, instant=10.5, again=True)])

    def test_credentials_asked_for_a_third_time_are_a_loop(self) -> None:
        """MAX_CHALLENGES crossed by one; a repeated 401 is the same challenge."""
        entries = []
        for number in range(1, 4):
            entries.append(sent(number, "REGISTER sip:b SIP/2.0", f"{number} REGISTER"))
            entries += [got(number + 0.1, "SIP/2.0 401 Unauthorized", f"{number} REGISTER")] * 2
        assert [] == kinds(entries[:6])
        assert [Fault.CHALLENGED_AGAIN] == kinds(mark_again(entries))

    def test_a_long_silence_is_noted_where_it_starts(self) -> None:
        """LONG_GAP itself is allowed, a millisecond more is not."""
        assert [] == faults([*CALL, sent(12.125 + ladder.LONG_GAP, "ACK sip:b SIP/2.0", "9 ACK")])
        [note] = faults([*CALL, sent(12.126 + ladder.LONG_GAP, "ACK sip:b SIP/2.0", "9 ACK")])
        assert (12.125, Fault.LONG_GAP) == (note.instant, note.fault)

    def test_media_is_no_silence(self) -> None:
        """A conversation has no messages for minutes."""
        late = [replace(BYE, instant=60.0), replace(BYE_OK, instant=60.1)]
        assert [Fault.LONG_GAP] == kinds([*CALL[:3], *late])
        assert [] == kinds([*CALL[:3], *late], MediaSpan(10.6, 59.9, A, B, "PCMU"))

    def test_malformed_messages_accuse_nobody(self) -> None:
        """Without a CSeq there is no transaction to judge."""
        assert [] == faults([entry_from_message(b"SIP/2.0", 0.0, A, B), entry_from_message(b"", 0.0, A, B)])


class TestTheDrawing:
    """Columns, arrows, spans, notes."""

    def test_a_call_looks_like_this(self) -> None:
        """The whole picture, so that nobody changes it by accident."""
        media = [MediaSpan(10.5, 12.0, B, A, "PCMU", 75)]
        assert [
            " time (s)  127.0.0.1:5060                                        127.0.0.1:5080",
            "    0.000         │─────────────────── INVITE (SDP) ───────────────────▶│",
            "    0.500         │◀─────────────── 200 OK (INVITE, SDP) ───────────────│",
            "    0.500         │◀═══════════ RTP PCMU, 75 packets, 1.5 s ════════════│",
            "    0.600         │─────────────────────── ACK ────────────────────────▶│",
            "    2.000         │─────────────────────── BYE ────────────────────────▶│",
            "    2.125         │◀─────────────────── 200 OK (BYE) ───────────────────│",
        ] == draw(CALL, media).splitlines()

    def test_faults_hang_below_the_message_they_are_about(self) -> None:
        """With their sentence, from the enum."""
        lines = draw([INVITE, OK]).splitlines()
        assert f"          ! 200 OK (INVITE, SDP): {Fault.NO_ACK.value}" == lines[3]

    def test_retransmissions_say_so(self) -> None:
        """In words: a thin arrow would not survive a copy."""
        assert " INVITE (SDP) (again) " in draw(mark_again([INVITE, INVITE]))

    @given(st.integers(0, 200), st.integers(2, 4))
    def test_every_row_is_as_wide_as_asked_and_never_narrower_than_eighty(self, width: int, count: int) -> None:
        """Lifelines stand in the same column in each row; three hosts of 21 characters fit into 80 columns."""
        names = [f"192.168.100.{number}:50600" for number in range(count)]
        entries = [replace(ACK, source=names[0], destination=name) for name in names[1:]]
        rows = draw(entries, width=width).splitlines()[1:]
        assert 1 == len({len(row) for row in rows})
        assert count > 3 or len(rows[0]) <= max(width, 80)

    def test_an_arrow_may_pass_over_a_host(self) -> None:
        """And leaves the lifelines outside of it alone."""
        entries = [replace(ACK, destination="proxy"), ACK, replace(ACK, source="proxy", destination=B)]
        rows = draw(entries).splitlines()[1:]
        assert [3, 2, 3] == [row.count("│") for row in rows]
        assert [1, 1, 1] == [row.count("▶") for row in rows]

    def test_a_host_that_talks_to_itself_gets_a_loop(self) -> None:
        """No arrow has length zero."""
        row = draw([replace(ACK, destination=A), ACK]).splitlines()[1]
        assert "│ ↺ ACK" in row

    def test_wide_letters_keep_the_lifelines_straight(self) -> None:
        """An East Asian letter takes two columns of a terminal."""
        plain = draw([got(0.0, "SIP/2.0 180 xxxx", "1 INVITE")]).splitlines()[1]
        wide = draw([got(0.0, "SIP/2.0 180 你好", "1 INVITE")]).splitlines()[1]
        assert plain == wide.replace("你好", "xxxx")

    def test_words_that_do_not_fit_are_cut(self) -> None:
        """Also wide ones; the arrow keeps its shaft."""
        row = draw([got(0.0, "SIP/2.0 180 " + "你" * 60, "1 INVITE")]).splitlines()[1]
        assert "你…" in row
        assert "─" in row

    def test_hosts_beyond_the_limit_share_a_column(self) -> None:
        """MAX_HOSTS crossed by one."""
        crowd = [replace(ACK, source="a", destination=f"b{number}") for number in range(ladder.MAX_HOSTS)]
        assert ladder.MAX_HOSTS == len(ladder.hosts(crowd[:-1]))
        assert ladder.OTHER_HOSTS not in ladder.hosts(crowd[:-1])
        assert ladder.OTHER_HOSTS == ladder.hosts(crowd)[ladder.MAX_HOSTS - 1] == ladder.hosts(crowd)[-1]
        assert "ACK" in draw(crowd).splitlines()[-1]

    def test_rows_beyond_the_limit_are_counted(self) -> None:
        """MAX_ROWS crossed by one."""
        drawing = draw([ACK] * (ladder.MAX_ROWS + 1))
        assert ladder.MAX_ROWS == drawing.count("▶")
        assert drawing.endswith("messages that are not drawn: 1\n")

    def test_nothing_is_said_in_words(self) -> None:
        """A capture that saw no message."""
        assert "no message was seen\n" == draw([])
