"""Custom headers as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.custom_headers import pairs_of


@pytest.mark.parametrize("headers", [{"X-A": "1"}, [("X-A", "1")], (("X-A", "1"),), (["X-A", "1"],)])
def test_a_mapping_and_pairs_say_the_same(headers: Any) -> None:
    """A list as well as a tuple."""
    assert (("X-A", "1"),) == pairs_of(headers)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        (["X-A"], "mapping or pairs"),
        ([("X-A", "1", "2")], "mapping or pairs"),
        ({"X-A": None}, "'X-A': a text"),
        ({1: "a"}, "1: a text"),
    ],
)
def test_what_is_no_header_is_named(headers: Any, words: str) -> None:
    """None would be sent as a word, which nobody wants."""
    with pytest.raises(ValueError, match=words):
        pairs_of(headers)
