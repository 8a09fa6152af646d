"""SIP and SIPS URIs (RFC 3261 section 19.1), in the forms of RFC 4475 and RFC 5118 too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.uri import (
    MAX_KEPT_URI_CHARACTERS,
    MAX_KEPT_URIS,
    MAX_URI_OCTETS,
    OtherUri,
    SipUri,
    _kept_uri,
    parse_host_port,
    parse_uri,
    quote_user,
)


class TestParsing:
    """Section 19.1.1."""

    @pytest.mark.parametrize(
        ("text", "uri"),
        [
            ("sip:example.com", SipUri("example.com")),
            ("sip:alice@example.com", SipUri("example.com", "alice")),
            ("sips:alice:secret@example.com:5061", SipUri("example.com", "alice", 5061, "sips", "secret")),
            ("sip:h;transport=TCP;lr", SipUri("h", parameters={"transport": "TCP", "lr": None})),
            ("sip:h?subject=a&to=b", SipUri("h", headers="subject=a&to=b")),
            ("sip:a:@h", SipUri("h", "a", password="")),
            (
                "sip:+1-212-555-1212:1234@gw.example;user=phone",
                SipUri("gw.example", "+1-212-555-1212", None, "sip", "1234", {"user": "phone"}),
            ),
        ],
    )
    def test_each_part_has_its_place(self, text: str, uri: SipUri) -> None:
        """sip:user:password@host:port;uri-parameters?headers"""
        assert uri == parse_uri(text)
        assert text == str(uri)

    @pytest.mark.parametrize(
        ("text", "user"),
        [
            ("sip:user;par=u%40example.net@example.com", "user;par=u%40example.net"),
            ("sip:a?b=c@example.com", "a?b=c"),
            ("sip:a;b?c;d@example.com", "a;b?c;d"),
            ("sip:sips%3Auser%40example.com@example.com", "sips%3Auser%40example.com"),
            ("sip:null-%00-null@example.com", "null-%00-null"),
            ("sip:%00%00@example.com", "%00%00"),
            ("sip:Jürgen@example.com", "Jürgen"),
        ],
    )
    def test_marks_in_the_user_part_belong_to_it(self, text: str, user: str) -> None:
        """RFC 4475 3.1.1.3, 3.1.1.4 and 3.1.1.9: a semicolon there is no parameter, an escape stays one."""
        uri = SipUri.parse(text)
        assert (user, "example.com", {}) == (uri.user, uri.host, uri.parameters)
        assert text == str(uri)

    @pytest.mark.parametrize(
        ("text", "host", "port"),
        [
            ("sip:[2001:db8::10]", "2001:db8::10", None),
            ("sip:[2001:db8::10]:5070", "2001:db8::10", 5070),
            ("sip:[2001:db8::10:5070]", "2001:db8::10:5070", None),
            ("sip:user@[::ffff:192.0.2.10]:19823", "::ffff:192.0.2.10", 19823),
            ("sip:user@[2001:db8:::192.0.2.1]", "2001:db8:::192.0.2.1", None),
        ],
    )
    def test_an_ipv6_host_stands_in_brackets(self, text: str, host: str, port: int | None) -> None:
        """RFC 5118 sections 4.1, 4.3, 4.7 and 4.10: only behind the bracket does a colon begin a port."""
        uri = SipUri.parse(text)
        assert (host, port) == (uri.host, uri.port)
        assert text == str(uri)

    @pytest.mark.parametrize(
        "text",
        [
            "", "sip", "sip:", "sip:@h", "sip::secret@h", "sip:a@", "sip:a@b@c", "sip:h:", "sip:h:x", "sip:h:65536",
            "sip:h:-1", "sip:h h", "sip:a b@h", "sip:%zz@h", "sip:%4@h", "sip:h;a b", "sip:h;a/b=c", "sip:h?a b", "sip:<h>",
            'sip:h;x="y"', "sip:h\t", "sip:h\0", "sip:h\x01", "sip:a\x7f@h", "sip:h;x=\x7f", "sip:2001:db8::10", "sip:[::1",
            "sip:[::1]x", "sip:[]", "sip:[g::]", "sip:ü.example", "1sip:h", ":h", "no colon", "tel:", "tel:1 2", "urn:a<b>",
            "\u017fip:h",
        ],
    )  # fmt: skip
    def test_what_is_no_uri_is_refused(self, text: str) -> None:
        """RFC 4475 3.1.2.7, 3.1.2.14; RFC 5118 section 4.2: an IPv6 address without brackets is none."""
        with pytest.raises(MalformedMessage) as refusal:
            parse_uri(text)
        assert 400 == refusal.value.status

    @pytest.mark.parametrize(
        "text", ["tel:+15551234567;phone-context=x", "http://a/?b#c", "urn:service:sos", 'x.y+z-1:"']
    )
    def test_other_schemes_stay_whole(self, text: str) -> None:
        """They are carried, not understood."""
        scheme, _, rest = text.partition(":")
        assert OtherUri(scheme, rest) == parse_uri(text)
        assert text == str(parse_uri(text))

    def test_a_scheme_is_read_in_any_case(self) -> None:
        """Section 19.1.4 compares it so; it is kept in lower case."""
        assert [SipUri("h"), OtherUri("tel", "1")] == [parse_uri("SIP:h"), parse_uri("TEL:1")]

    def test_another_scheme_where_sip_is_needed_deserves_416(self) -> None:
        """Section 8.2.2.1."""
        with pytest.raises(MalformedMessage) as refusal:
            SipUri.parse("tel:1")
        assert 416 == refusal.value.status

    def test_an_escaped_parameter_name_is_that_parameter(self) -> None:
        """RFC 4475 3.1.1.3: %6C%72 is lr, and a value is not unescaped twice."""
        uri = SipUri.parse("sip:h;%6C%72;n%61me=v%61lue%25%34%31;%zz;a%3Bb=c")
        assert {"lr": None, "name": "v%61lue%25%34%31", "%zz": None, "a%3bb": "c"} == uri.parameters
        assert uri.is_loose_router


class TestLimits:
    """One octet more than the limit is refused, the limit itself is not."""

    @pytest.mark.parametrize("letter", ["a", "é"])
    def test_a_uri_of_the_largest_size_is_read(self, letter: str) -> None:
        """Octets are counted, not characters."""
        user = letter * ((MAX_URI_OCTETS - len("sip:@h")) // len(letter.encode()))
        assert user == SipUri.parse(f"sip:{user}@h").user
        with pytest.raises(MalformedMessage) as refusal:
            parse_uri(f"sip:{user}{letter}@h")
        assert (414, "Request-URI Too Long") == (refusal.value.status, refusal.value.reason)

    def test_the_table_of_read_uris_is_bounded(self) -> None:
        """A peer that sends strangers fills it once and no further."""
        for number in range(MAX_KEPT_URIS + 1):
            parse_uri(f"sip:{number}@example.com")
        assert MAX_KEPT_URIS == _kept_uri.cache_info().currsize

    def test_a_long_uri_is_not_kept(self) -> None:
        """Otherwise the table's size in octets would be the peer's to choose."""
        shorter = f"sip:{'a' * (MAX_KEPT_URI_CHARACTERS - 6)}@h"
        assert parse_uri(shorter) is parse_uri(shorter)
        assert parse_uri(shorter + "h") is not parse_uri(shorter + "h")

    def test_a_kept_uri_cannot_be_changed(self) -> None:
        """It is shared by all messages that name it."""
        with pytest.raises(TypeError):
            SipUri.parse("sip:h;lr").parameters["lr"] = "x"  # type: ignore[index]


class TestProperties:
    """What users of a URI ask it."""

    @pytest.mark.parametrize(("text", "port"), [("sip:h", 5060), ("sips:h", 5061), ("sip:h:5070", 5070)])
    def test_the_port_has_a_default(self, text: str, port: int) -> None:
        """Section 19.1.2."""
        assert port == SipUri.parse(text).effective_port

    @pytest.mark.parametrize(
        ("text", "transport"), [("sip:h", None), ("sip:h;transport=TCP", "tcp"), ("sip:h;transport", None)]
    )
    def test_the_transport_is_read_in_lower_case(self, text: str, transport: str | None) -> None:
        """Section 19.1.4: parameter values are case-insensitive."""
        assert transport == SipUri.parse(text).transport

    def test_a_request_uri_bears_neither_headers_nor_method(self) -> None:
        """Table 1 of section 19.1.1."""
        bare = SipUri.parse("sip:a@h;lr")
        assert bare == SipUri.parse("sip:a@h;method=REGISTER;lr?to=b").without_headers()
        assert bare is bare.without_headers()

    @given(st.text(min_size=1, max_size=20).filter(lambda text: not set(text) & set("\r\n\0") and text.isprintable()))
    def test_any_text_can_be_quoted_into_a_user_part(self, text: str) -> None:
        """Section 19.1.2: it ends up there whole, and nowhere else."""
        uri = SipUri.parse(f"sip:{quote_user(text)}@h")
        assert (quote_user(text), None, "h", {}, "") == (uri.user, uri.password, uri.host, uri.parameters, uri.headers)

    def test_only_what_may_not_stand_in_a_user_part_is_escaped(self) -> None:
        """user-unreserved = "&" / "=" / "+" / "$" / "," / ";" / "?" / "/"; an escape is of octets."""
        assert "a;b%40%C3%BC%25" == quote_user("a;b@ü%")

    def test_a_line_break_is_not_quoted_but_refused(self) -> None:
        """Whoever sends it means no user."""
        with pytest.raises(ValueError, match="user"):
            quote_user("a\r\nb")


class TestEquivalence:
    """Section 19.1.4, with the examples it gives."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
            ("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com", "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"),
            ("sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
            ("sip:a%3bb@h", "sip:a%3Bb@h"),
        ],
    )  # fmt: skip
    def test_these_name_the_same_resource(self, one: str, other: str) -> None:
        """Order of parameters and escapes of unreserved characters mean nothing."""
        assert SipUri.parse(one).equivalent(SipUri.parse(other))
        assert SipUri.parse(other).equivalent(SipUri.parse(one))

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com:6000;transport=tcp", "sip:bob@biloxi.com;transport=tcp"),
            ("sip:bob@biloxi.com;transport=udp", "sip:bob@biloxi.com;transport=tcp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;user=phone"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@h", "sips:bob@h"),
            ("sip:bob@h", "sip:h"),
            ("sip:bob:a@h", "sip:bob:b@h"),
            ("sip:a%3Bb@h", "sip:a;b@h"),
        ],
    )  # fmt: skip
    def test_these_name_two_resources(self, one: str, other: str) -> None:
        """A default is not the same as nothing; an escaped reserved character is not the character."""
        assert not SipUri.parse(one).equivalent(SipUri.parse(other))
        assert not SipUri.parse(other).equivalent(SipUri.parse(one))


@given(st.text(max_size=60) | st.text(':;?@=%[]<>&."\\ 09afsip', max_size=40).map("sip:".__add__))
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    """And what is read means the same when it is written and read again."""
    try:
        uri = parse_uri(text)
    except MalformedMessage:
        return
    assert uri == parse_uri(str(uri))


@given(st.text(max_size=30) | st.text("[]:.0af%", max_size=20))
def test_any_text_is_a_host_or_refused(text: str) -> None:
    """A port is below 65,536."""
    try:
        host, port = parse_host_port(text)
    except MalformedMessage:
        return
    assert host
    assert port is None or 0 <= port <= 65_535
