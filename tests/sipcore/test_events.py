"""What the signalling core tells: facts."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from offhook.sipcore import events
from offhook.sipcore.events import Event, TransactionTerminated, TransactionTimedOut
from offhook.sipcore.timers import Timer

EVENTS = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]


@pytest.mark.parametrize("event", [kind for kind in EVENTS if kind is not Event], ids=lambda event: event.__name__)
def test_every_event_is_a_sentence_in_the_past_tense(event: type[Event]) -> None:
    """Its name says what happened, its docstring says it to people."""
    assert event.__name__.endswith(("ed", "Out"))
    assert event.__doc__.partition("\n")[0].endswith(".")


def test_what_happened_cannot_be_changed() -> None:
    """Events are passed around freely."""
    event = TransactionTimedOut(Timer.B)
    with pytest.raises(FrozenInstanceError):
        event.timer = Timer.F
    assert ["timer"] == [field.name for field in fields(event)]


def test_two_events_that_say_the_same_are_equal() -> None:
    """So that tests and users can compare them."""
    assert (TransactionTerminated(), TransactionTimedOut(Timer.B)) == (
        TransactionTerminated(),
        TransactionTimedOut(Timer.B),
    )
