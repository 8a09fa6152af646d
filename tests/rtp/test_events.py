"""What the RTP layer tells its user."""

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from offhook.rtp import RtpEvent


@pytest.mark.parametrize("event", get_args(RtpEvent), ids=lambda event: event.__name__)
def test_an_event_is_a_frozen_fact_with_an_instant(event: type) -> None:
    """It tells when, and cannot be changed afterwards."""
    names = list(event.__dataclass_fields__)
    fact = event(*range(len(names)))
    assert {"at", "arrival"} & set(names)
    with pytest.raises(FrozenInstanceError):
        setattr(fact, names[0], None)
