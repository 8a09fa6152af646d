"""One datagram in, one message out, or a refusal (RFC 3261 section 7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sip_texts import FIELDS, REQUEST_LINE, STATUS_LINE, datagram

from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.headers import Headers
from offhook.sipcore.message import Request, Response, response_to
from offhook.sipcore.parser import MAX_HEAD_OCTETS, MAX_HEADERS, MAX_LINE_OCTETS, MAX_MESSAGE_OCTETS, parse, parse_head

VECTORS = Path(__file__).parents[1] / "vectors" / "sip"
TOKENS = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)
VALUES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=30)


def vectors(folder: str) -> list[Path]:
    """The messages of one folder."""
    return sorted((VECTORS / folder).glob("*.sip"))


def refused(data: bytes) -> MalformedMessage:
    """With what a message is refused, at the latest when its fields are read."""
    with pytest.raises(MalformedMessage) as refusal:
        parse(data).validate()
    return refusal.value


def content(message: Request | Response) -> tuple[object, ...]:
    """All that two equal messages have in common."""
    start = (message.method, message.target) if isinstance(message, Request) else (message.status, message.reason)
    return (*start, message.headers.items(), message.body)


class TestVectors:
    """The folder is the verdict; each message has a twin in the other folder, one fault away."""

    @pytest.mark.parametrize("path", vectors("valid"), ids=lambda path: path.stem)
    def test_a_valid_message_is_read_and_survives_a_round_trip(self, path: Path) -> None:
        """What is written is read as the same."""
        message = parse(path.read_bytes())
        message.validate()
        again = parse(message.to_bytes())
        again.headers.set("Content-Length", str(len(message.body)))
        message.headers.set("Content-Length", str(len(message.body)))
        assert content(message) == content(again)

    @pytest.mark.parametrize("path", vectors("invalid"), ids=lambda path: path.stem)
    def test_its_twin_is_refused(self, path: Path) -> None:
        """With a status that a server may send."""
        assert refused(path.read_bytes()).status in {400, 505}

    def test_no_twin_is_missing(self) -> None:
        """One without the other proves little."""
        assert [path.name for path in vectors("valid")] == [path.name for path in vectors("invalid")]


class TestStartLine:
    """Sections 7.1 and 7.2."""

    def test_a_request_has_a_method_a_target_and_a_version(self) -> None:
        """Methods are case-sensitive, names of others are methods too."""
        message = parse(datagram(start="!a%41 sip:h;x=y SIP/2.0", fields={**FIELDS, "CSeq": "1 !a%41"}))
        assert isinstance(message, Request)
        assert ("!a%41", "sip:h;x=y", b"") == (message.method, message.target, message.body)

    @pytest.mark.parametrize(
        ("line", "status", "reason"),
        [
            ("SIP/2.0 100 ", 100, ""),
            ("SIP/2.0 200  A  b", 200, " A  b"),
            ("sip/2.0 699 x", 699, "x"),
            ("SIP/2.0 404", 404, ""),
        ],
    )
    def test_a_response_has_a_status_and_a_phrase(self, line: str, status: int, reason: str) -> None:
        """RFC 4475 3.1.1.13: the phrase may be empty."""
        message = parse(datagram(start=line))
        assert isinstance(message, Response)
        assert (status, reason) == (message.status, message.reason)

    @pytest.mark.parametrize(
        "line",
        [
            "", "OPTIONS", "OPTIONS sip:h", "OPTIONS  SIP/2.0", "OPTIONS  sip:h SIP/2.0", "OPTIONS sip:h  SIP/2.0", "OPTIONS sip:h SIP/2.0 ",
            "OPTIONS\tsip:h\tSIP/2.0", "OPTIONS sip:a b SIP/2.0", "OPT/IONS sip:h SIP/2.0", "OPTIONS sip:h HTTP/1.1", " OPTIONS sip:h SIP/2.0",
            "OPTIONS sip:\\\0h SIP/2.0", "OPTIONS sip:\\\0h sip/2.0", "é sip:h SIP/2.0",
            "SIP/2.0", "SIP/2.0 20 x", "SIP/2.0 2000 x", "SIP/2.0 099 x", "SIP/2.0 700 x", "SIP/2.0 ２００ x", "SIP/2.0 200 \\\0",
        ],
    )  # fmt: skip
    def test_what_is_no_start_line_deserves_400(self, line: str) -> None:
        """RFC 4475 3.1.2.8 to 3.1.2.10 and 3.1.2.19: no blank too many, no status out of range."""
        assert 400 == refused(datagram(start=line)).status

    @pytest.mark.parametrize(
        "line", ["OPTIONS sip:h SIP/7.0", "OPTIONS sip:h SIP/", "SIP/3.0 200 OK", "\u017fIP/2.0 200 OK"]
    )
    def test_another_version_deserves_505(self, line: str) -> None:
        """Section 21.5.6, RFC 4475 3.1.2.16."""
        assert (505, "Version Not Supported") == ((refusal := refused(datagram(start=line))).status, refusal.reason)

    @pytest.mark.parametrize(
        ("line", "answerable"),
        [("OPTIONS sip:h SIP/7.0", True), ("OPTIONS sip:h", True), ("é x SIP/2.0", False), ("SIP/2.0 0 x", False)],
    )
    def test_a_refused_request_can_be_answered(self, line: str, answerable: bool) -> None:
        """What was read is at hand; a response is never answered."""
        assert answerable == isinstance(refused(datagram(start=line)).partial, Request)

    def test_nothing_hides_behind_the_start_line(self) -> None:
        """A folded start line would make a header field part of the phrase for one reader, a field for another."""
        assert "Folded start line" == refused(datagram(start=f"{STATUS_LINE}\r\n Via: x")).reason
        assert "Folded start line" == refused(datagram(start=f"{REQUEST_LINE}\r\n\tVia: x")).reason


class TestFields:
    """Section 7.3."""

    def test_names_and_values_are_kept_as_they_came(self) -> None:
        """Blanks around the colon and at the end are not part of either (section 7.3.1)."""
        message = parse(datagram("x-ODD \t:\t a  b \t", "s:", "S: \xa0x"))
        assert [("x-ODD", "a  b"), ("s", ""), ("S", "\xa0x")] == message.headers.items()[6:]

    def test_a_folded_line_is_one_line(self) -> None:
        """Section 7.3.1: folding equals a single SP; an empty continuation adds nothing."""
        message = parse(datagram("Subject: I know", "\t \tyou're there,", " pick up", "   ", "s:", " x"))
        assert ["I know you're there, pick up", "x"] == message.headers.get_all("Subject")

    @pytest.mark.parametrize(
        "line", ["Subject", "Subject x", ": x", "Sub ject: x", "Sübject: x", "S\x0bubject: x", "\x0b: x", "Via"]
    )
    def test_a_line_is_a_token_and_a_colon(self, line: str) -> None:
        """header = header-name HCOLON header-value"""
        assert ("Invalid header field", 400) == (
            (refusal := refused(datagram(line, "Subject: y"))).reason,
            refusal.status,
        )
        assert refusal.partial is not None
        assert "y" == refusal.partial.headers["subject"]

    @pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b", "\n", "\r", "a\n b", "\\\0 \0"])
    def test_stray_control_characters_are_refused_and_never_repeated(self, bad: str) -> None:
        """They are how one message smuggles another past a filter, and our answer must not carry them on."""
        refusal = refused(datagram(f"Via: {bad}", "Via: SIP/2.0/UDP below", f"Subject: {bad}"))
        assert "Control character in header fields" == refusal.reason
        assert isinstance(refusal.partial, Request)
        answer = response_to(refusal.partial, refusal.status, refusal.reason, to_tag="1").to_bytes()
        assert [FIELDS["Via"], "SIP/2.0/UDP below"] == parse(answer).headers.get_all("via")

    @pytest.mark.parametrize("line", ["OPTIONS sip:\n SIP/2.0", "OPTIONS x", "é", "OPTIONS sip:h SIP/3.0"])
    def test_two_faults_at_once_leave_what_can_be_answered(self, line: str) -> None:
        """A broken start line besides a stray line break: no message, no crash, nothing carried on."""
        partial = refused(datagram("Subject: a\nb", start=line)).partial
        assert partial is None or "subject" not in partial.headers

    @pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
    def test_five_fields_must_be_there(self, name: str) -> None:
        """Section 8.1.1; without them no answer finds its way (RFC 4475 3.3.1)."""
        assert f"Missing {name}" == refused(datagram(without=name)).reason

    @pytest.mark.parametrize(
        "line",
        [
            "f: <sip:b@h>;tag=1",
            "T: <sip:b@h>",
            "i: x",
            "CSeq: 2 OPTIONS",
            "Max-Forwards: 69",
            "L: 1\r\nContent-Length: 0",
            "c: a/b\r\nC: a/c",
        ],
    )
    def test_single_fields_may_not_differ(self, line: str) -> None:
        """RFC 4475 3.3.8 and 3.3.9: two readers would see two messages."""
        refusal = refused(datagram(line))
        assert refusal.reason.startswith("Conflicting ")
        assert refusal.partial is not None

    def test_single_fields_may_agree(self) -> None:
        """A copy is careless, not dangerous."""
        lines = [f"{name}: {value}" for name, value in FIELDS.items() if name != "Via"]
        parse(datagram(*lines, "Content-Length: 0", "l: 0")).validate()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Call-ID", "a b"),
            ("Call-ID", ""),
            ("CSeq", "x OPTIONS"),
            ("CSeq", "1 options"),
            ("CSeq", "36893488147419103232 OPTIONS"),
        ],
    )
    def test_a_message_can_be_matched(self, name: str, value: str) -> None:
        """RFC 4475 3.1.2.4 and 3.1.2.17."""
        refusal = refused(datagram(fields={**FIELDS, name: value}))
        assert 400 == refusal.status
        assert refusal.partial is not None

    def test_a_response_may_answer_any_method(self) -> None:
        """Only a request names its method twice."""
        assert "OPTIONS" == parse(datagram(start=STATUS_LINE)).cseq.method


class TestBody:
    """Sections 7.4 and 18.3."""

    @pytest.mark.parametrize(
        ("lines", "body"),
        [([], b"abc\r\n\r\n\0"), (["Content-Length: 3"], b"abc"), (["l: 00003"], b"abc"), (["l: 0"], b"")],
    )
    def test_content_length_cuts_what_is_too_much(self, lines: list[str], body: bytes) -> None:
        """Without it the body is the rest of the datagram (RFC 4475 3.1.1.8, 3.4.1)."""
        assert body == parse(datagram(*lines, body=b"abc\r\n\r\n\0")).body

    @pytest.mark.parametrize(
        "length",
        ["4", "-1", "+1", "", "3\xa0", "3, 3", "0x3", "٣", "99999999999", "9" * 5_000, str(MAX_MESSAGE_OCTETS + 1)],
    )
    def test_a_length_that_is_none_deserves_400(self, length: str) -> None:
        """RFC 4475 3.1.2.2 and 3.1.2.3."""
        refusal = refused(datagram(f"Content-Length: {length}", body=b"abc"))
        assert 400 == refusal.status
        assert refusal.partial is not None

    @pytest.mark.parametrize("lead", [b"\r\n", b"\r\n\r\n", b"\n", b"\r\n\n"])
    def test_line_ends_before_the_start_line_are_skipped(self, lead: bytes) -> None:
        """Section 7.5: "implementations processing SIP messages over stream-oriented transports MUST ignore any CRLF"."""
        assert content(parse(datagram())) == content(parse(lead + datagram()))

    def test_a_message_of_lines_with_lf_alone_is_read(self) -> None:
        """The field sends it; with no CR anywhere there is one way to read it."""
        data = datagram("Subject: a", " b", body=b"x\n\ny").replace(b"\r\n", b"\n")
        assert ("a b", b"x\n\ny") == (parse(data).headers["subject"], parse(data).body)
        assert "Control character in header fields" == refused(data + b"\r\n\r\n").reason

    @pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0", b"\xff" * 9, b"OPTIONS", b"\n\n"])
    def test_what_is_no_message_is_refused_without_a_partial_one(self, data: bytes) -> None:
        """Keep-alives and junk."""
        assert refused(data).partial is None

    def test_a_message_must_end_its_fields(self) -> None:
        """Otherwise the last field may have been cut."""
        refusal = refused(datagram()[:-2])
        assert refused(datagram()[:-4]).reason == refusal.reason
        assert "No end of header fields" == refusal.reason
        assert refusal.partial is not None

    def test_a_message_may_be_cut_anywhere(self) -> None:
        """At each of its octets it is a message or a refusal, and a whole one only at its end."""
        data = datagram("Content-Length: 4", 'Contact: "a\\"b" <sip:a@h;x=y>;q=1', body=b"body")
        for length in range(len(data)):
            assert refused(data[:length]).status in {400, 505}
        parse(data).validate()


class TestLimits:
    """The limit itself passes, one more does not."""

    def test_a_datagram_has_65535_octets(self) -> None:
        """Section 18.1.1 knows no larger one."""
        filled = datagram(body=b"x" * (MAX_MESSAGE_OCTETS - len(datagram())))
        assert MAX_MESSAGE_OCTETS == len(filled)
        parse(filled)
        assert (513, None) == ((refusal := refused(filled + b"x")).status, refusal.partial)

    def test_a_head_has_a_bound_of_its_own(self) -> None:
        """A stream knows no datagrams."""
        lines = [f"X: {'x' * 8_000}"] * 8
        head = datagram(*lines)[:-4]
        parse_head(head + b"\r\nX: " + b"x" * (MAX_HEAD_OCTETS - len(head) - 5))
        with pytest.raises(MalformedMessage, match="513 Header fields too large"):
            parse_head(head + b"\r\nX: " + b"x" * (MAX_HEAD_OCTETS - len(head) - 4))

    def test_a_head_has_256_lines(self) -> None:
        """Of the refused one so much is read that it can be answered."""
        lines = ["X: x"] * (MAX_HEADERS - len(FIELDS))
        parse(datagram(*lines))
        refusal = refused(datagram(*lines, "X: x"))
        assert (513, "Too many header fields") == (refusal.status, refusal.reason)
        assert refusal.partial is not None
        assert FIELDS["Call-ID"] == refusal.partial.call_id

    @pytest.mark.parametrize("letter", ["x", "é"])
    def test_a_field_has_8192_octets(self, letter: str) -> None:
        """Octets are counted, not characters, name and value together."""
        value = letter * ((MAX_LINE_OCTETS - 1) // len(letter.encode())) + "x" * (
            (MAX_LINE_OCTETS - 1) % len(letter.encode())
        )
        parse(datagram(f"X: {value}"))
        assert "Invalid header field" == refused(datagram(f"X: {value}x")).reason


@st.composite
def messages(draw: st.DrawFn) -> Request | Response:
    """Messages that a caller of ours may build."""
    items = draw(st.lists(st.tuples(TOKENS.map("X-".__add__), VALUES), max_size=4))
    headers = Headers([*FIELDS.items(), *items])
    body = draw(st.binary(max_size=30))
    if draw(st.booleans()):
        return Response(draw(st.integers(100, 699)), draw(VALUES), headers, body)
    method = draw(TOKENS)
    headers.set("CSeq", f"{draw(st.integers(0, 2**31 - 1))} {method}")
    return Request.build(method, draw(TOKENS), headers, body)


@settings(deadline=None)
@given(messages())
def test_what_is_written_is_read(message: Request | Response) -> None:
    """For messages of any method, status, phrase, field and body."""
    again = parse(message.to_bytes())
    assert str(len(message.body)) == again.headers["content-length"]
    again.headers.remove("content-length")
    assert content(message) == content(again)


SPOILT = st.tuples(
    st.integers(0, 400),
    st.integers(0, 3),
    st.binary(max_size=4) | st.sampled_from([b"\r\n", b"\r\n ", b'"', b"<", b",", b"\\", b"\0", b":"]),
)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.builds(lambda spoil: spoilt(*spoil), SPOILT))
def test_any_octets_are_a_message_or_refused(data: bytes) -> None:
    """Nothing else escapes, neither now nor when its fields are read or an answer is written."""
    try:
        message = parse(data)
        message.validate()
    except MalformedMessage as refusal:
        if isinstance(refusal.partial, Request):
            response_to(refusal.partial, refusal.status, refusal.reason, to_tag="1").to_bytes()
        return
    _ = message.via.response_address(), str(message.from_), str(message.to), message.contact, message.routes
    assert content(parse(parse(message.to_bytes()).to_bytes())) == content(parse(message.to_bytes()))


def spoilt(at: int, gone: int, put: bytes) -> bytes:
    """A good message with a few octets changed."""
    data = datagram(
        'Contact: "A" <sip:a@h;x=y>;q=1', "Route: <sip:p;lr>", "Subject: a", " b", "Content-Length: 2", body=b"ab"
    )
    return data[:at] + put + data[at + gone :]
