"""The addresses of From, To, Contact and Route (RFC 3261 section 20.10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.sipcore.address import Address
from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.uri import OtherUri, SipUri

ALICE = SipUri("example.com", "alice")


class TestParsing:
    """name-addr = [ display-name ] LAQUOT addr-spec RAQUOT, with parameters behind it."""

    @pytest.mark.parametrize(
        ("value", "display"),
        [
            ("<sip:alice@example.com>", ""),
            ("Alice <sip:alice@example.com>", "Alice"),
            ("  Alice Liddell\t<sip:alice@example.com> ", "Alice Liddell"),
            ("Alice<sip:alice@example.com>", "Alice"),
            ('"Alice" <sip:alice@example.com>', "Alice"),
            ('"Alice"<sip:alice@example.com>', "Alice"),
            ('"" <sip:alice@example.com>', ""),
            ('"A, \\"L\\" \\\\ <sip:x@y>" <sip:alice@example.com>', 'A, "L" \\ <sip:x@y>'),
            ('"<" <sip:alice@example.com>', "<"),
            ('"%Z%45" <sip:alice@example.com>', "%Z%45"),
            ("Bell, Alexander <sip:alice@example.com>", "Bell, Alexander"),
            ('\\"Alice\\" <sip:alice@example.com>', '\\"Alice\\"'),
            ('"a\\\0b" <sip:alice@example.com>', "a\0b"),
        ],
    )
    def test_a_display_name_stands_before_the_bracket(self, value: str, display: str) -> None:
        """With or without quotes (RFC 4475 3.1.1.2, 3.1.1.5, 3.1.1.6); brackets in quotes are none."""
        assert Address(ALICE, display) == Address.parse(value)

    @pytest.mark.parametrize(
        ("value", "parameters"),
        [
            ("<sip:alice@example.com>;tag=1", {"tag": "1"}),
            ("<sip:alice@example.com> ; Tag = 1 ; lr", {"tag": "1", "lr": None}),
            ("sip:alice@example.com;tag=1", {"tag": "1"}),
            (" sip:alice@example.com ; tag = 1", {"tag": "1"}),
            ('sip:alice@example.com;x="<sip:mallory@b>;y=z";tag=1', {"x": '"<sip:mallory@b>;y=z"', "tag": "1"}),
            ('<sip:alice@example.com>;x="a;b>,<c"', {"x": '"a;b>,<c"'}),
            ('"A" <sip:alice@example.com>;+sip.instance="<urn:uuid:1>"', {"+sip.instance": '"<urn:uuid:1>"'}),
        ],
    )
    def test_what_follows_belongs_to_the_field(self, value: str, parameters: dict[str, str | None]) -> None:
        """Section 20.10: without brackets "the semicolon-delimited parameters are header-parameters, not URI parameters"."""
        address = Address.parse(value)
        assert (ALICE, parameters) == (address.uri, address.parameters)
        assert address.parameters.get("tag") == address.tag

    def test_parameters_inside_the_brackets_belong_to_the_uri(self) -> None:
        """RFC 4475 3.3.12 and 3.3.13."""
        address = Address.parse("<sip:h;transport=tcp;lr?a=b>;expires=60")
        assert ({"transport": "tcp", "lr": None}, "a=b") == (address.sip_uri.parameters, address.sip_uri.headers)
        assert {"expires": "60"} == address.parameters

    @pytest.mark.parametrize(
        "value",
        [
            "", "*", "Alice", "<>", "Alice <sip:a@h", '"Alice <sip:a@h>', '"Alice" sip:a@h', '"Alice" x <sip:a@h>', "<sip:a@h> x",
            "<sip:a@h>x;tag=1", "<sip:a@h>, <sip:b@h>", "sip:a@h, sip:b@h", "A;B <sip:a@h>", "A\x01 <sip:a@h>", "A> <sip:a@h>",
            '"Mr. J. User <sip:j.user@example.com>', '"a\\" <sip:a@h>', "< sip:a@h>", "<sip:a@h>;a b=c", '<sip:a@h>;x="y',
            'sip:a@h;x="<sip:m@b>', 'A "B;C <sip:a@h>',
        ],
    )  # fmt: skip
    def test_what_can_be_read_in_two_ways_is_refused(self, value: str) -> None:
        """RFC 4475 3.1.2.6, 3.1.2.14 and 3.1.2.15."""
        with pytest.raises(MalformedMessage):
            Address.parse(value)


class TestWriting:
    """What is written is read again."""

    @pytest.mark.parametrize(
        ("address", "text"),
        [
            (Address(ALICE), "<sip:alice@example.com>"),
            (
                Address(ALICE, "Alice Liddell", {"tag": "1", "lr": None}),
                "Alice Liddell <sip:alice@example.com>;tag=1;lr",
            ),
            (Address(ALICE, 'A "B" \\'), '"A \\"B\\" \\\\" <sip:alice@example.com>'),
            (Address(ALICE, "a  b"), '"a  b" <sip:alice@example.com>'),
            (Address(OtherUri("tel", "+1555")), "<tel:+1555>"),
        ],
    )
    def test_a_display_name_gets_quotes_where_it_needs_them(self, address: Address, text: str) -> None:
        """display-name = *(token LWS) / quoted-string"""
        assert text == str(address)
        assert address == Address.parse(text)

    @given(st.text(max_size=20).filter(lambda text: "\r" not in text and "\n" not in text))
    def test_any_display_name_survives(self, display: str) -> None:
        """Also what a peer once sent us, a NUL in a quoted-pair included: answering it must not fail."""
        assert Address(ALICE, display) == Address.parse(str(Address(ALICE, display)))

    @pytest.mark.parametrize("display", ["a\r\nEvil: 1", "a\nb", "\ud800"])
    def test_a_display_name_cannot_leave_its_line(self, display: str) -> None:
        """No peer can send it, so it is the caller's fault."""
        with pytest.raises(ValueError, match=r"display name|surrogates"):
            str(Address(ALICE, display))


class TestProperties:
    """What users of an address ask it."""

    def test_a_flag_and_an_absent_tag_are_no_tag(self) -> None:
        """Section 19.3: a tag has a value."""
        assert [None, None] == [Address(ALICE).tag, Address.parse("<sip:h>;tag").tag]

    def test_a_foreign_scheme_deserves_416(self) -> None:
        """RFC 4475 3.3.4: it may stand in To, we cannot call it."""
        with pytest.raises(MalformedMessage) as refusal:
            _ = Address.parse("<tel:+1555>").sip_uri
        assert 416 == refusal.value.status


@given(
    st.text(max_size=60)
    | st.text('<>"\\;,= a:', max_size=40).map("sip:a@b".__add__)
    | st.text('<>"\\;=sip:a@', max_size=30)
)
def test_any_text_is_an_address_or_refused(value: str) -> None:
    """And what is read means the same when it is written and read again."""
    try:
        address = Address.parse(value)
    except MalformedMessage:
        return
    if "\r" not in value and "\n" not in value:
        assert address == Address.parse(str(address))
