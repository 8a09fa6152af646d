"""What a script may hold."""

from __future__ import annotations

import pytest

from offhook.simulator.script import DEMO, MAX_KEYS, MAX_STEPS, BargeIn, HangUp, Press, Say, Script, many_turns


@pytest.mark.parametrize("digits", ["0123456789*#ABCD", "1" * MAX_KEYS])
def test_keys_of_a_telephone_can_be_pressed(digits: str) -> None:
    """All sixteen, and as many as a press may have."""
    assert digits == Press(digits).digits


@pytest.mark.parametrize(
    "digits", ["", "E", "12 3", "1" * (MAX_KEYS + 1)], ids=["none", "no key", "a space", "too many"]
)
def test_other_keys_are_refused_before_the_call(digits: str) -> None:
    """Not in the middle of it."""
    with pytest.raises(ValueError, match="press 1 to"):
        Press(digits)


def test_a_script_has_a_longest() -> None:
    """The last that may be, and one more."""
    assert MAX_STEPS == len(Script("long", (HangUp(),) * MAX_STEPS).steps)
    with pytest.raises(ValueError, match="at most"):
        Script("too long", (HangUp(),) * (MAX_STEPS + 1))


@pytest.mark.parametrize("name", ["quiet", "patience", "silence_timeout", "max_duration"])
@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan")])
def test_durations_are_durations(name: str, seconds: float) -> None:
    """Each of them is more than nothing."""
    with pytest.raises(ValueError, match="above 0"):
        Script("x", (), **{name: seconds})


def test_the_texts_of_a_script_are_all_that_is_said() -> None:
    """In order; keys are not said."""
    assert ("a", "b") == Script("x", (Say("a"), Press("1"), BargeIn("b"))).texts


def test_the_demo_asks_interrupts_presses_and_thanks() -> None:
    """One of each kind, for the report to show."""
    assert [Say, BargeIn, Press, Say] == [type(step) for step in DEMO.steps]


def test_many_turns_have_the_time_that_they_take() -> None:
    """As many as asked for, and ten seconds for each."""
    script = many_turns(20)
    assert 20 == len(script.steps)
    assert script.max_duration >= 200.0
