"""Reason phrases (RFC 3261 section 21)."""

from __future__ import annotations

import pytest

from offhook.sipcore.status import REASONS, reason_phrase


@pytest.mark.parametrize(
    ("status", "phrase"), [(200, "OK"), (487, "Request Terminated"), (199, "Early Dialog Terminated")]
)
def test_a_registered_status_has_its_phrase(status: int, phrase: str) -> None:
    """Section 21 and the registry."""
    assert phrase == reason_phrase(status)


@pytest.mark.parametrize(
    ("status", "phrase"), [(299, "OK"), (499, "Bad Request"), (699, "Busy Everywhere"), (999, "Unknown")]
)
def test_an_unknown_status_counts_as_that_of_its_class(status: int, phrase: str) -> None:
    """Section 8.1.3.2: "MUST treat any final response they do not recognize as being equivalent to the x00 response code"."""
    assert phrase == reason_phrase(status)


def test_each_status_is_one_of_the_six_classes() -> None:
    """Section 7.2; phrases are short enough for any start line."""
    assert all(100 <= status <= 699 and 0 < len(phrase) < 64 for status, phrase in REASONS.items())
