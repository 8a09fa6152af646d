"""The patterns of RFC 3261 section 25 and the scanners that respect quotes and brackets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.grammar import (
    CALL_ID,
    IPV6_REFERENCE,
    MAX_DIGITS,
    SIP,
    SIP_VERSION,
    bounded_int,
    closing_quote,
    format_parameters,
    has_bare_nul,
    is_token,
    octets,
    parse_parameters,
    refuse_line_breaks,
    split_parameters,
    split_unquoted,
)

TOKENS = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)


class TestPatterns:
    """RFC 3261 section 25.1."""

    @pytest.mark.parametrize("text", ["INVITE", "a", "!interesting-Method0123456789_*+`.%indeed'~"])
    def test_a_token_is_made_of_letters_digits_and_ten_marks(self, text: str) -> None:
        """token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")"""
        assert is_token(text)

    @pytest.mark.parametrize("text", ["", " ", "a b", "a/b", "a\n", "é", "\u212a", 'a"', "a;b", "a\0"])
    def test_what_would_end_a_token_is_no_part_of_one(self, text: str) -> None:
        """Neither separators, nor control characters, nor letters of other alphabets."""
        assert not is_token(text)

    def test_brackets_and_quotes_of_a_call_id_need_not_balance(self) -> None:
        """word allows them one by one (RFC 4475 3.1.1.2)."""
        assert CALL_ID.fullmatch("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{")

    @pytest.mark.parametrize("text", ["a b", "a,b", "a;b", "é", ""])
    def test_a_call_id_holds_no_separator_of_fields(self, text: str) -> None:
        """callid = word [ "@" word ]"""
        assert CALL_ID.fullmatch(text) is None

    @pytest.mark.parametrize("text", ["[::1]", "[2001:db8::9:1]", "[::ffff:192.0.2.10]", "[fe80::1%eth0]"])
    def test_an_ipv6_reference_stands_in_brackets(self, text: str) -> None:
        """IPv6reference = "[" IPv6address "]", also with an IPv4 address inside (RFC 5118 section 4.7)."""
        assert IPV6_REFERENCE.fullmatch(text)

    @pytest.mark.parametrize("text", ["SIP", "sip", "sIp"])
    def test_the_protocol_is_named_in_any_case(self, text: str) -> None:
        """Section 7.1: "The SIP-Version string is case-insensitive"."""
        assert SIP.fullmatch(text)
        assert SIP_VERSION.fullmatch(f"{text}/2.0")

    @pytest.mark.parametrize("text", ["\u017fip", "s\u0131p", "\u017fIP"])
    def test_the_protocol_is_named_in_ascii(self, text: str) -> None:
        """A long s and a dotless i are S and I in upper case, yet a filter before us reads them as something else."""
        assert SIP.fullmatch(text) is None
        assert SIP_VERSION.fullmatch(f"{text}/2.0") is None


class TestValuesOfOurs:
    """What we are asked to send must not become a line of its own."""

    @pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nEvil: 1", "a\0b", '"\\\0" \0'])
    def test_line_breaks_and_a_bare_nul_are_refused(self, value: str) -> None:
        """They would begin a header, or a message, of their own."""
        with pytest.raises(ValueError, match="Subject must not contain CR, LF or NUL"):
            refuse_line_breaks(value, "Subject")

    @pytest.mark.parametrize("value", ["", "a b", "Grüße", "\udcff"])
    def test_what_stays_in_its_place_comes_back(self, value: str) -> None:
        """An octet that is not UTF-8 is kept as it came."""
        assert value == refuse_line_breaks(value, "Subject")

    def test_a_lone_surrogate_has_no_octets(self) -> None:
        """It is refused before it reaches the encoder of a whole message."""
        with pytest.raises(ValueError, match="surrogates"):
            refuse_line_breaks("\ud800", "Subject")

    def test_a_nul_is_bare_without_its_backslash(self) -> None:
        """Section 25.1, quoted-pair."""
        assert [False, False, True] == [has_bare_nul("a"), has_bare_nul("\\\0"), has_bare_nul("\0")]

    def test_octets_are_counted_as_on_the_wire(self) -> None:
        """A letter may cost several, an octet that is not UTF-8 costs one."""
        assert [3, 6, 1] == [octets("abc"), octets("äöü"), octets("\udcff")]


class TestSplitting:
    """Sections 7.3.1 and 25.1: a comma or semicolon in quotes or brackets separates nothing."""

    @pytest.mark.parametrize(
        ("value", "parts"),
        [
            ("a, b\t,c", ["a", "b", "c"]),
            ("", [""]),
            ('"a,b" <sip:c>, <sip:d,e>', ['"a,b" <sip:c>', "<sip:d,e>"]),
            ('"a\\",b", c', ['"a\\",b"', "c"]),
            ('"a\\\\", b', ['"a\\\\"', "b"]),
            ('<a">, b', ['<a">', "b"]),
            ('"<", b', ['"<"', "b"]),
            ("\xa0a\xa0,b", ["\xa0a\xa0", "b"]),
        ],
    )
    def test_commas_separate_outside_of_quotes_and_brackets(self, value: str, parts: list[str]) -> None:
        """Only SP and HTAB are white space; a quoted-pair ends no quotes."""
        assert parts == split_unquoted(value, ",")

    @pytest.mark.parametrize("value", ['"', '"a', "<", "<a", 'a, "b\\"', '"a\\', '\\"a'])
    def test_what_is_opened_must_be_closed(self, value: str) -> None:
        """RFC 4475 3.1.2.6: where an open quote ends is anybody's guess, so nobody guesses; outside of quotes a backslash is one."""
        with pytest.raises(MalformedMessage, match="Unbalanced quotes or brackets"):
            split_unquoted(value, ",")

    @given(
        st.lists(st.text('abc,"\\', max_size=6).map(lambda t: '"' + t.replace("\\", "\\\\").replace('"', '\\"') + '"'))
    )
    def test_quoted_strings_come_back_one_by_one(self, strings: list[str]) -> None:
        """Whatever is in them."""
        assert strings == [part for part in split_unquoted(",".join(strings), ",") if part]

    def test_parameters_are_split_outside_of_quotes(self) -> None:
        """gen-value may be a quoted-string."""
        assert ["a", 'b="c;d"'] == split_parameters('a;b="c;d"')
        assert ["a", "b=c"] == split_parameters("a;b=c")

    @pytest.mark.parametrize(
        ("value", "end"), [('""', 1), ('"a"b"', 2), ('"\\""', 3), ('"\\\\"', 3), ('"\\a\\"" x', 5)]
    )
    def test_a_quoted_string_ends_at_the_first_free_quote(self, value: str, end: int) -> None:
        """A quoted-pair is one character."""
        assert end == closing_quote(value)

    @pytest.mark.parametrize("value", ['"', '"a', '"\\"', '"' + "\\a" * 9])
    def test_a_quoted_string_must_end(self, value: str) -> None:
        """Otherwise it has swallowed the rest of the field."""
        with pytest.raises(MalformedMessage, match="Unbalanced"):
            closing_quote(value)


class TestNumbers:
    """1*DIGIT with a limit."""

    @pytest.mark.parametrize(("text", "number"), [("0", 0), ("70", 70), ("0068", 68), ("255", 255), ("0" * 5_000, 0)])
    def test_leading_zeros_mean_nothing(self, text: str, number: int) -> None:
        """RFC 4475 3.1.1.1 sends them; five thousand are more than Python converts."""
        assert number == bounded_int(text, 255, "Max-Forwards")

    @pytest.mark.parametrize(
        "text", ["", "-1", "+1", "1 ", "1.0", "٣", "²", "256", "9" * 5_000, "1" + "0" * MAX_DIGITS]
    )
    def test_what_is_no_number_or_too_large_is_refused(self, text: str) -> None:
        """The limit is crossed by one; digits of other scripts are not DIGIT."""
        with pytest.raises(MalformedMessage, match="400 Invalid Max-Forwards"):
            bounded_int(text, 255, "Max-Forwards")

    def test_the_largest_number_of_sip_fits_the_digits(self) -> None:
        """2**32 - 1 has ten digits, and eleven are never converted."""
        assert 2**32 - 1 == bounded_int(str(2**32 - 1), 2**32 - 1, "Expires")
        with pytest.raises(MalformedMessage):
            bounded_int("1" * (MAX_DIGITS + 1), 10**10 - 1, "Expires")


class TestParameters:
    """generic-param = token [ EQUAL gen-value ]"""

    @pytest.mark.parametrize(
        ("text", "parameters"),
        [
            ("lr", {"lr": None}),
            ("tag=a", {"tag": "a"}),
            ("Tag = a\t", {"tag": "a"}),
            ("tag=", {"tag": ""}),
            ("tag=a;tag=b", {"tag": "a"}),
            ("x=a;X=b", {"x": "a"}),
            ("a;;b; ", {"a": None, "b": None}),
            ("a=b=c", {"a": "b=c"}),
        ],
    )
    def test_names_are_lower_case_and_the_first_wins(self, text: str, parameters: dict[str, str | None]) -> None:
        """A flag has no value; empty parameters mean nothing."""
        assert parameters == parse_parameters(text.split(";"))

    @pytest.mark.parametrize("text", ["a b", "=x", "a/b=c", "\u212a=1", "\xa0"])
    def test_a_name_is_a_token(self, text: str) -> None:
        """The Kelvin sign is a k in lower case, and no token."""
        with pytest.raises(MalformedMessage, match="Invalid parameter name"):
            parse_parameters([text])

    @given(st.dictionaries(TOKENS.map(str.lower), st.none() | TOKENS))
    def test_what_is_written_is_read(self, parameters: dict[str, str | None]) -> None:
        """format_parameters is the inverse."""
        assert parameters == parse_parameters(format_parameters(parameters).split(";"))
