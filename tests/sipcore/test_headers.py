"""Header fields in the order and case of the wire (RFC 3261 section 7.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.headers import COMPACT, Headers, canonical

NAMES = st.sampled_from(["Via", "v", "VIA", "X-Thing", "x-thing", "Contact", "m", "Subject"])
VALUES = st.text("ab ,;", max_size=6)


def two_vias() -> Headers:
    """Two spellings of one name with another between them."""
    return Headers([("Via", "a"), ("X-One", "1"), ("v", "b"), ("Subject", "s")])


class TestLookingUp:
    """Section 7.3.1: names are case-insensitive; 7.3.3: compact forms are the same names."""

    @pytest.mark.parametrize("name", ["Via", "via", "VIA", "v", "V", "vIa"])
    def test_every_spelling_finds_the_field(self, name: str) -> None:
        """Frequent spellings and all others."""
        assert "a" == two_vias().first(name)
        assert ("a", "a", ["a", "b"], True, 2) == (
            two_vias()[name], two_vias().get(name), two_vias().get_all(name), name in two_vias(), two_vias().count(name),
        )  # fmt: skip

    @pytest.mark.parametrize(("short", "long"), COMPACT.items())
    def test_each_compact_form_has_its_long_name(self, short: str, long: str) -> None:
        """In either case."""
        assert {long} == {canonical(short), canonical(short.upper()), canonical(long), canonical(long.upper())}

    def test_a_name_of_another_alphabet_is_not_ours(self) -> None:
        """The Kelvin sign is a k in lower case: Supported's compact form to one reader, nothing to another."""
        assert "\u212a" == canonical("\u212a")

    def test_what_is_not_there_is_not_found(self) -> None:
        """KeyError by subscript, a default or nothing otherwise."""
        headers = two_vias()
        assert (None, "d", [], [], False, 0, None) == (
            headers.get("To"), headers.get("To", "d"), headers.get_all("To"), headers.get_list("To"), "To" in headers,
            headers.count("To"), headers.first("To"),
        )  # fmt: skip
        assert 1 not in headers
        with pytest.raises(KeyError):
            _ = headers["To"]

    def test_the_first_missing_name_is_told(self) -> None:
        """Canonical names, as an index has them."""
        assert ["to", None] == [two_vias().lacking(["via", "to", "from"]), two_vias().lacking(["via"])]

    def test_values_of_one_line_and_of_many_are_one_list(self) -> None:
        """Section 7.3.1: fields may be combined with commas; empty values are none."""
        headers = Headers([("Contact", '"A, B" <sip:a>, <sip:b,c>'), ("m", ","), ("Contact", ""), ("Contact", "sip:d")])
        assert ['"A, B" <sip:a>', "<sip:b,c>", "sip:d"] == headers.get_list("contact")
        assert '"A, B" <sip:a>' == headers.first("contact")

    def test_an_empty_line_does_not_hide_the_first_value(self) -> None:
        """What is topmost is the same for the list and for its first value."""
        headers = Headers([("Contact", ""), ("Contact", "sip:a"), ("Contact", "sip:b")])
        assert "sip:a" == headers.first("Contact") == headers.get_list("Contact")[0]
        assert headers["contact"] == ""

    def test_open_quotes_spoil_a_list(self) -> None:
        """It cannot be split without guessing."""
        with pytest.raises(MalformedMessage):
            Headers([("Contact", '"a, b')]).get_list("Contact")

    def test_tokens_are_read_in_lower_case_and_never_refused(self) -> None:
        """Supported, Require, Allow: lists of tokens have no quotes, so an open one closes nothing."""
        headers = Headers([("Supported", "Timer, 100rel,,"), ("k", 'x"'), ("Supported", "")])
        assert {"timer", "100rel", 'x"'} == headers.tokens("Supported")


class TestChanging:
    """What we write."""

    def test_fields_keep_their_order_and_case(self) -> None:
        """Section 7.3.1; what a peer sent is passed on to the letter."""
        headers = two_vias()
        assert [("Via", "a"), ("X-One", "1"), ("v", "b"), ("Subject", "s")] == headers.items()
        assert (["Via", "X-One", "v", "Subject"], 4) == (list(headers), len(headers))
        assert "Via: a\r\nX-One: 1\r\nv: b\r\nSubject: s\r\n" == headers.to_text()
        assert "Headers([('Subject', 's')])" == repr(Headers({"Subject": "s"}))

    @pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "é", " Via"])
    def test_a_name_is_a_token(self, name: str) -> None:
        """field-name = token"""
        with pytest.raises(ValueError, match="not a header name"):
            Headers([(name, "x")])

    @pytest.mark.parametrize("value", ["a\r\nEvil: 1", "a\n", "\ra", "a\0", "\ud800"])
    def test_a_value_cannot_leave_its_line(self, value: str) -> None:
        """Neither by add nor by set."""
        headers = two_vias()
        for change in (headers.add, headers.set):
            with pytest.raises(ValueError, match=r"Subject|surrogates"):
                change("Subject", value)
        assert two_vias() == headers

    def test_blanks_around_a_value_are_not_part_of_it(self) -> None:
        """HCOLON and SWS: only SP and HTAB are blanks, a no-break space is text."""
        assert "\xa0a" == Headers([("X", " \t\xa0a ")])["x"]

    def test_set_leaves_one_at_the_place_of_the_first(self) -> None:
        """Other fields stay where they are."""
        headers = two_vias()
        headers.set("Via", "c")
        headers.set("To", "t")
        assert [("Via", "c"), ("X-One", "1"), ("Subject", "s"), ("To", "t")] == headers.items()
        assert ["c"] == headers.get_all("via")

    def test_replace_first_keeps_those_below(self) -> None:
        """And the name as it came."""
        headers = two_vias()
        headers.replace_first("V", "c")
        assert ([("Via", "c"), ("X-One", "1"), ("v", "b"), ("Subject", "s")], ["c", "b"]) == (
            headers.items(),
            headers.get_all("via"),
        )
        with pytest.raises(KeyError):
            headers.replace_first("To", "t")

    def test_remove_takes_all_of_a_name(self) -> None:
        """And nothing where there is none."""
        headers = two_vias()
        headers.remove("VIA")
        headers.remove("To")
        assert [("X-One", "1"), ("Subject", "s")] == headers.items()
        assert "via" not in headers

    def test_a_copy_is_independent(self) -> None:
        """Both ways."""
        headers = two_vias()
        copy = headers.copy()
        assert copy == headers
        copy.add("Via", "c")
        assert copy != headers
        assert ["a", "b"] == headers.get_all("Via")

    def test_headers_equal_only_headers(self) -> None:
        """And can be no key: they change."""
        assert two_vias() != two_vias().items()
        with pytest.raises(TypeError):
            hash(two_vias())


@given(st.lists(st.tuples(st.sampled_from(["add", "set", "remove", "replace_first"]), NAMES, VALUES), max_size=12))
def test_the_index_always_tells_what_the_list_holds(changes: list[tuple[str, str, str]]) -> None:
    """Whatever is done, looking up finds what is written on the wire."""
    headers = Headers()
    for change, name, value in changes:
        if change == "remove":
            headers.remove(name)
        elif change != "replace_first" or name in headers:
            getattr(headers, change)(name, value)
    for name in ("via", "x-thing", "contact", "subject"):
        assert [value for wire, value in headers.items() if canonical(wire) == name] == headers.get_all(name)
    assert Headers.trusted(headers.items()) == headers
