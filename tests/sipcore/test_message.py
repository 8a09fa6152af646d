"""Requests and responses as values, and the messages that RFC 3261 derives from another one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sip_texts import FIELDS, datagram

from offhook.sipcore.address import Address
from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.fields import CSeq, Via
from offhook.sipcore.headers import Headers
from offhook.sipcore.message import (
    INT32,
    MAX_CONTACTS,
    MAX_FORWARDS,
    MAX_ROUTES,
    MAX_VIAS,
    Message,
    Request,
    Response,
    ack_to,
    cancel_of,
    response_to,
)
from offhook.sipcore.parser import parse
from offhook.sipcore.uri import SipUri

ANY_TEXT = st.text(max_size=30) | st.text('a:\r\n \t\0\\"', max_size=12)


def request(*more: str, **changes: str) -> Request:
    """An OPTIONS with further lines, some of its fields changed."""
    fields = {**FIELDS, **{name.replace("_", "-"): value for name, value in changes.items()}}
    message = parse(datagram(*more, fields=fields))
    assert isinstance(message, Request)
    return message


class TestTypedFields:
    """Fields are read when they are asked for."""

    def test_each_field_has_its_type(self) -> None:
        """RFC 3261 section 8.1.1."""
        message = request("Contact: <sip:alice@192.0.2.1>", "Content-Type: Application/SDP;x=y")
        assert Via("UDP", "192.0.2.1", 5060, {"branch": "z9hG4bK776asdhds"}) == message.via
        assert ("1928301774", None) == (message.from_.tag, message.to.tag)
        assert ("a84b4c76e66710@192.0.2.1", CSeq(314159, "OPTIONS"), 70) == (
            message.call_id,
            message.cseq,
            message.max_forwards,
        )
        assert (Address(SipUri("192.0.2.1", "alice")), "application/sdp") == (message.contact, message.content_type)
        assert (SipUri("example.com", "bob"), True) == (message.uri, message.is_initial)

    def test_a_field_is_read_once_until_it_changes(self) -> None:
        """A changed header is read anew, an unchanged one is not."""
        message = request()
        first, uri = message.to, message.uri
        assert first is message.to
        assert uri is message.uri
        message.headers.set("To", "<sip:bob@example.com>;tag=2")
        message.target = "sip:carol@example.com"
        assert ("2", False, "carol") == (message.to.tag, message.is_initial, SipUri.parse(str(message.uri)).user)

    def test_the_topmost_via_ends_at_its_comma_and_not_at_a_quoted_one(self) -> None:
        """Section 7.3.1: a quoted comma separates nothing."""
        message = request(Via='SIP/2.0/UDP a;x="1,2";branch=z9hG4bK1, SIP/2.0/UDP b;branch=z9hG4bK2')
        assert Via("UDP", "a", None, {"x": '"1,2"', "branch": "z9hG4bK1"}) == message.via

    @pytest.mark.parametrize(
        ("lines", "user"),
        [
            ([], None),
            (["Contact: *"], None),
            (["Contact:"], None),
            (['m: "A, B" <sip:a@h>;q=1, <sip:b@h>'], "a"),
            (["Contact: sip:a@h;x=y", "Contact: <sip:b@h>"], "a"),
        ],
    )
    def test_the_first_contact_counts(self, lines: list[str], user: str | None) -> None:
        """An asterisk is no address (section 10.2.2)."""
        contact = request(*lines).contact
        assert user == (contact and contact.sip_uri.user)

    def test_what_may_be_missing_is_none(self) -> None:
        """RFC 2543 peers leave Max-Forwards out."""
        message = parse(datagram(without="Max-Forwards"))
        assert (None, "", [], []) == (message.max_forwards, message.content_type, message.routes, message.record_routes)

    def test_what_must_not_be_missing_is_a_fault_of_the_peer(self) -> None:
        """A partial message is read with the same care."""
        with pytest.raises(MalformedMessage, match="Missing Call-ID") as refusal:
            _ = Request("OPTIONS", "sip:h", Headers()).call_id
        assert refusal.value.partial is not None

    def test_routes_are_read_in_order(self) -> None:
        """From one line or several."""
        message = request("Route: <sip:a;lr>, <sip:b;lr>", "Record-Route: <sip:c;lr>", "Route: <sip:d>")
        assert (["<sip:a;lr>", "<sip:b;lr>", "<sip:d>"], ["<sip:c;lr>"]) == (message.routes, message.record_routes)

    def test_a_message_has_a_word_for_its_log(self) -> None:
        """One line each."""
        message = request()
        assert "<Request OPTIONS sip:bob@example.com a84b4c76e66710@192.0.2.1 314159 OPTIONS>" == repr(message)
        assert "<Response 200 OK a84b4c76e66710@192.0.2.1 314159 OPTIONS>" == repr(response_to(message, 200))


class TestStamp:
    """RFC 3261 18.2.1, RFC 3581 section 4."""

    @pytest.mark.parametrize(
        ("via", "stamped"),
        [
            ("SIP/2.0/UDP h;rport", ["SIP/2.0/UDP h;rport=9;received=192.0.2.9"]),
            ('SIP/2.0/UDP h;x="a,b", SIP/2.0/UDP i', ['SIP/2.0/UDP h;x="a,b";received=192.0.2.9', "SIP/2.0/UDP i"]),
            ("SIP/2.0/UDP 192.0.2.9", ["SIP/2.0/UDP 192.0.2.9"]),
        ],
    )
    def test_the_topmost_via_tells_where_a_request_came_from(self, via: str, stamped: list[str]) -> None:
        """Those below stay as they are, on the same line or not."""
        message = request(Via=via)
        message.headers.add("Via", "SIP/2.0/UDP last")
        message.stamp(("192.0.2.9", 9))
        assert [*stamped, "SIP/2.0/UDP last"] == message.headers.get_list("via")

    @pytest.mark.parametrize("via", ["", ",", "nonsense"])
    def test_a_via_that_cannot_be_read_is_not_stamped(self, via: str) -> None:
        """Whatever stands below it."""
        message = request(Via=via)
        with pytest.raises(MalformedMessage):
            message.stamp(("192.0.2.9", 9))


class TestValidate:
    """Nothing malformed is found later."""

    @pytest.mark.parametrize(
        "line",
        [
            "Contact: *", "m: <sip:a@h>, tel:1", "Route: <sip:a;lr>", "Record-Route: <sip:a;lr>, <sips:b>", "Expires: 0",
            f"Expires: {INT32}", "Via: SIP/2.0/TCP b", "Authorization: anything",
        ],
    )  # fmt: skip
    def test_a_message_that_can_be_acted_upon_passes(self, line: str) -> None:
        """What the stack does not act upon is not judged."""
        request(line).validate()

    @pytest.mark.parametrize(
        ("line", "status"),
        [
            ("Contact: <sip:a@h>, <sip:b", 400), ("Contact: nonsense", 400), ("Contact: <sip:a@h>, nonsense", 400), ("Contact: <sip:a@h>, *", 400), ("Route: <sip:a@h", 400),
            ("Route: <tel:1>", 416), ("Record-Route: nonsense", 400), (f"Expires: {INT32 + 1}", 400), ("Expires: soon", 400),
            ("Via: nonsense", 400),
        ],
    )  # fmt: skip
    def test_a_spoilt_line_is_refused_with_its_status(self, line: str, status: int) -> None:
        """And the refusal carries the message, so that it can be answered."""
        message = request(line)
        with pytest.raises(MalformedMessage) as refusal:
            message.validate()
        assert (status, message) == (refusal.value.status, refusal.value.partial)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Via", "SIP/2.0/UDP h:x"), ("From", "<sip:alice@example.com>;tag="), ("From", "nobody"), ("To", "<sip:b@h>;tag="),
            ("To", '"Bob <sip:b@h>'), ("Max_Forwards", "256"), ("Max_Forwards", "-1"),
        ],
    )  # fmt: skip
    def test_a_spoilt_field_is_refused(self, name: str, value: str) -> None:
        """tag-param = "tag" EQUAL token: an empty tag would be a tag to one and none to another."""
        with pytest.raises(MalformedMessage, match="400"):
            request(**{name: value}).validate()

    @pytest.mark.parametrize(
        "target", ["sip:bob@example.com?Route=%3Csip:evil%3E", "<sip:bob@example.com>", "nonsense"]
    )
    def test_a_request_uri_is_bare(self, target: str) -> None:
        """RFC 4475 3.1.2.7 and 3.1.2.11: escaped headers must never become header fields."""
        with pytest.raises(MalformedMessage, match="400"):
            parse(datagram(start=f"OPTIONS {target} SIP/2.0")).validate()

    @pytest.mark.parametrize(
        ("name", "value", "limit"),
        [("Via", "SIP/2.0/UDP h", MAX_VIAS - 1), ("Contact", "<sip:h>", MAX_CONTACTS), ("Route", "<sip:h;lr>", MAX_ROUTES), ("Record-Route", "<sip:h;lr>", MAX_ROUTES)],
    )  # fmt: skip
    def test_a_list_has_a_limit(self, name: str, value: str, limit: int) -> None:
        """One value more is refused, on however many lines."""
        request(f"{name}: {', '.join([value] * limit)}").validate()
        with pytest.raises(MalformedMessage, match=f"Too many {name.lower()} values"):
            request(f"{name}: {', '.join([value] * (limit - 1))}", f"{name}: {value}", f"{name}: {value}").validate()

    def test_the_lists_of_routes_have_their_limit_without_validate_too(self) -> None:
        """Whoever asks for them gets no more."""
        many = ", ".join(["<sip:h;lr>"] * (MAX_ROUTES + 1))
        with pytest.raises(MalformedMessage, match="Too many route values"):
            _ = request(f"Route: {many}").routes
        with pytest.raises(MalformedMessage, match="Too many record-route values"):
            _ = request(f"Record-Route: {many}").record_routes


class TestWriting:
    """A message as on the wire."""

    def test_a_message_that_is_passed_on_is_the_same_to_the_octet(self) -> None:
        """Octets that are not UTF-8 included."""
        data = datagram("x-Odd: caf\udce9", "l: 3", "Subject: last", body=b"a\0\xff")
        assert data == parse(data).to_bytes()

    def test_content_length_is_always_right(self) -> None:
        """Section 20.14; two that said the same become one, in the place of the first."""
        message = parse(datagram("Content-Length: 3", "Subject: x", "l: 3", body=b"abc"))
        message.body = b"abcd"
        assert message.to_bytes().endswith(b"Content-Length: 4\r\nSubject: x\r\n\r\nabcd")
        assert ["3", "3"] == message.headers.get_all("Content-Length")

    def test_content_length_is_written_last_where_it_has_no_place(self) -> None:
        """Streams cannot do without it (section 18.3)."""
        assert parse(datagram(body=b"ab")).to_bytes().endswith(b"Max-Forwards: 70\r\nContent-Length: 2\r\n\r\nab")

    def test_a_message_is_a_request_or_a_response(self) -> None:
        """Nothing else has a start line."""
        with pytest.raises(AssertionError):
            Message(Headers()).to_bytes()

    @pytest.mark.parametrize(
        ("method", "target"), [("", "sip:h"), ("A B", "sip:h"), ("OPTIONS", ""), ("OPTIONS", "sip:h x"), ("OPTIONS", "sip:\th"), ("OPTIONS", "sip:h\r\nEvil: 1")]
    )  # fmt: skip
    def test_a_request_line_has_three_words(self, method: str, target: str) -> None:
        """Request-Line = Method SP Request-URI SP SIP-Version CRLF"""
        with pytest.raises(ValueError, match=r"request line|Request-URI"):
            Request.build(method, target, Headers())

    @given(
        ANY_TEXT | st.text("sip:@h", min_size=1),
        ANY_TEXT | st.text("xX-", min_size=1),
        ANY_TEXT,
        st.binary(max_size=20),
    )
    def test_no_text_of_a_request_breaks_out(self, target: str, name: str, value: str, body: bytes) -> None:
        """Either it is refused, or the output is exactly one message with that value."""
        headers = Headers(FIELDS)
        try:
            headers.add(name, value)
            data = Request.build("OPTIONS", target, headers, body).to_bytes()
        except ValueError:
            return
        again = parse(data)
        assert isinstance(again, Request)
        assert (target, body) == (again.target, again.body)
        assert [*headers.items(), ("Content-Length", str(len(body)))] == again.headers.items()


class TestResponses:
    """RFC 3261 section 8.2.6."""

    def test_a_response_repeats_five_fields(self) -> None:
        """8.2.6.2: From, Call-ID, CSeq and all Via equal the request's; To gets a tag."""
        answer = response_to(request("v: SIP/2.0/UDP below"), 486, to_tag="314")
        assert ["Via", "Via", "From", "To", "Call-ID", "CSeq"] == [name for name, _ in answer.headers.items()]
        assert (486, "Busy Here", "<sip:bob@example.com>;tag=314") == (
            answer.status,
            answer.reason,
            answer.headers["to"],
        )
        assert [FIELDS["Via"], "SIP/2.0/UDP below"] == answer.headers.get_all("via")
        assert (True, False, False) == (answer.is_final, answer.is_success, answer.is_provisional)

    def test_a_tag_that_is_there_stays(self) -> None:
        """8.2.6.2: "If a request contained a To tag in the request, the To header field in the response MUST equal that"."""
        message = request(To="<sip:b@h>;tag=1")
        assert [message.headers["to"]] * 2 == [
            response_to(message, 200, to_tag="2").headers["to"],
            response_to(message, 200).headers["to"],
        ]

    def test_a_to_that_cannot_be_read_goes_back_as_it_came(self) -> None:
        """A tag behind it might not be one."""
        assert '"Bob <sip:b@h>' == response_to(request(To='"Bob <sip:b@h>'), 400, to_tag="2").headers["to"]

    @pytest.mark.parametrize(
        ("status", "repeated"),
        [(100, ["Timestamp"]), (183, ["Record-Route"]), (299, ["Record-Route"]), (300, []), (699, [])],
    )
    def test_some_statuses_repeat_more(self, status: int, repeated: list[str]) -> None:
        """8.2.6.1: Timestamp in 100; 12.1.1: Record-Route in what can make a dialog."""
        answer = response_to(request("Timestamp: 54", "Record-Route: <sip:p;lr>", "Subject: x"), status)
        assert repeated == [name for name, _ in answer.headers.items()][5:]
        assert (status < 200, 200 <= status < 300) == (answer.is_provisional, answer.is_success)

    def test_what_is_given_comes_last(self) -> None:
        """Further fields, a phrase, a body."""
        answer = response_to(request(), 200, "Fine", headers=[("Content-Type", "text/plain")], body=b"hi")
        assert answer.to_bytes().startswith(b"SIP/2.0 200 Fine\r\nVia: ")
        assert answer.to_bytes().endswith(b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi")

    def test_of_a_partial_request_what_is_there_is_repeated(self) -> None:
        """A refused message can be answered; of two From fields the first."""
        partial = Request("OPTIONS", "sip:h", Headers([("Via", "v"), ("From", "a"), ("f", "b")]))
        assert [("Via", "v"), ("From", "a")] == response_to(partial, 400, to_tag="1").headers.items()

    @pytest.mark.parametrize(
        ("status", "tag", "reason"),
        [(99, None, "x"), (700, None, "x"), (200, "a;b", "x"), (200, "a\r\nEvil: 1", "x"), (200, None, "x\r\nEvil: 1")],
    )
    def test_what_is_no_response_is_refused(self, status: int, tag: str | None, reason: str) -> None:
        """The limits are crossed by one, the line not at all."""
        with pytest.raises(ValueError, match=r"status|reason"):
            response_to(request(), status, reason, to_tag=tag)

    @given(ANY_TEXT, ANY_TEXT | st.text("abc", max_size=4), ANY_TEXT)
    def test_no_text_of_a_response_breaks_out(self, reason: str, tag: str, value: str) -> None:
        """Either it is refused, or the output is exactly one message with that value."""
        try:
            answer = response_to(request(), 200, reason, to_tag=tag, headers=[("Subject", value)])
        except ValueError:
            return
        again = parse(answer.to_bytes())
        assert isinstance(again, Response)
        assert (200, answer.reason, tag or None) == (again.status, again.reason, again.to.tag)
        assert [*answer.headers.items(), ("Content-Length", "0")] == again.headers.items()


class TestDerivedRequests:
    """RFC 3261 sections 9.1 and 17.1.1.3."""

    LINES = (
        "Via: SIP/2.0/UDP below",
        "Route: <sip:a;lr>",
        "Route: <sip:b;lr>",
        "Authorization: Digest a",
        "Require: x",
    )

    def test_an_ack_repeats_the_invite_and_the_to_of_its_response(self) -> None:
        """17.1.1.3, with the credentials of the INVITE (22.1)."""
        invite = request(*self.LINES)
        ack = ack_to(invite, response_to(invite, 486, to_tag="9"))
        assert ("ACK", invite.target, "9", CSeq(314159, "ACK")) == (ack.method, ack.target, ack.to.tag, ack.cseq)
        assert [FIELDS["Via"]] == ack.headers.get_all("via")
        assert [
            ("Route", "<sip:a;lr>"),
            ("Route", "<sip:b;lr>"),
            ("Max-Forwards", str(MAX_FORWARDS)),
        ] == ack.headers.items()[1:4]
        assert ["From", "To", "Call-ID", "CSeq", "Authorization"] == [name for name, _ in ack.headers.items()[4:]]

    def test_a_cancel_repeats_the_request(self) -> None:
        """9.1: "MUST have a single Via header field value matching the top Via value", Route, and no Require."""
        invite = request(*self.LINES, Via="SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b")
        cancel = cancel_of(invite)
        assert ["Via", "Route", "Route", "Max-Forwards", "From", "To", "Call-ID", "CSeq"] == [
            name for name, _ in cancel.headers.items()
        ]
        assert (["SIP/2.0/UDP a;branch=z9hG4bK1"], CSeq(314159, "CANCEL")) == (
            cancel.headers.get_all("via"),
            cancel.cseq,
        )
        assert [invite.headers[name] for name in ("from", "to", "call-id")] == [
            cancel.headers[name] for name in ("from", "to", "call-id")
        ]
