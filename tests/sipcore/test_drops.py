"""The reasons to ignore something."""

from __future__ import annotations

import pytest

from offhook.sipcore.drops import Drop


def test_every_reason_has_a_sentence_of_its_own() -> None:
    """Two names for one sentence would be one member, and be counted as one."""
    assert len(Drop.__members__) == len(Drop)


@pytest.mark.parametrize("drop", list(Drop))
def test_every_reason_is_a_sentence_for_people(drop: Drop) -> None:
    """It is shown as it stands."""
    assert " " in drop
    assert drop == drop.strip(". ")
