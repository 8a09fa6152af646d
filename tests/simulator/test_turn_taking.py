"""When the caller is done, by speech and by keys."""

from __future__ import annotations

import pytest

from offhook.simulator.turn_taking import MAX_DIGITS, CallersTurn, TurnTaking

PAUSE = 1.5


@pytest.fixture
def turns() -> TurnTaking:
    """Nothing was said yet."""
    return TurnTaking(PAUSE)


def press(turns: TurnTaking, keys: str, at: float = 10.0) -> None:
    """Keys that end each tenth of a second, the first one at an instant."""
    for index, key in enumerate(keys):
        turns.receive_key(key, at + 0.1 * index)


class TestSpeech:
    """Rules 1, 3 and 4."""

    def test_nothing_said_is_nothing_due(self, turns: TurnTaking) -> None:
        """No turn, no deadline."""
        assert (None, None) == (turns.turn(), turns.next_deadline())

    def test_speech_that_ended_is_a_turn(self, turns: TurnTaking) -> None:
        """Complete at its last audible sample, though that is learnt later."""
        turns.receive_speech_start(9.0)
        turns.receive_speech_end(10.0)
        assert CallersTurn(10.0) == turns.turn()
        assert 10.0 == turns.next_deadline()

    def test_nothing_is_due_while_the_caller_speaks(self, turns: TurnTaking) -> None:
        """Not even what was said before."""
        turns.receive_speech_end(10.0)
        turns.receive_speech_start(10.4)
        assert turns.caller_is_speaking
        assert turns.next_deadline() is None

    def test_who_goes_on_was_not_done(self, turns: TurnTaking) -> None:
        """The last end counts."""
        turns.receive_speech_end(10.0)
        turns.receive_speech_start(10.4)
        turns.receive_speech_end(11.0)
        assert CallersTurn(11.0) == turns.turn()

    def test_an_answered_turn_is_over(self, turns: TurnTaking) -> None:
        """What comes is a new one."""
        turns.receive_speech_end(10.0)
        turns.answered()
        assert (None, None) == (turns.turn(), turns.next_deadline())


class TestKeys:
    """Rules 2 and 3."""

    def test_a_hash_completes_the_keys(self, turns: TurnTaking) -> None:
        """At its own end; it is none of the digits."""
        press(turns, "4711#")
        assert CallersTurn(10.4, "4711") == turns.turn()
        assert 10.4 == turns.next_deadline()

    def test_a_pause_completes_the_keys(self, turns: TurnTaking) -> None:
        """The turn still ended with the last key."""
        press(turns, "47")
        assert CallersTurn(10.1, "47") == turns.turn()
        assert 10.1 + PAUSE == turns.next_deadline()

    def test_a_hash_alone_is_a_key(self, turns: TurnTaking) -> None:
        """There is nothing that it could complete."""
        press(turns, "#")
        assert CallersTurn(10.0, "#") == turns.turn()
        assert 10.0 + PAUSE == turns.next_deadline()

    def test_answered_keys_are_forgotten(self, turns: TurnTaking) -> None:
        """The next ones are others."""
        press(turns, "12#")
        turns.answered()
        press(turns, "3#", at=20.0)
        assert CallersTurn(20.1, "3") == turns.turn()

    @pytest.mark.parametrize(("count", "deadline"), [(MAX_DIGITS - 1, PAUSE), (MAX_DIGITS, 0.0), (MAX_DIGITS + 1, 0.0)])
    def test_keys_have_a_limit(self, turns: TurnTaking, count: int, deadline: float) -> None:
        """With the last that may be they are complete; one more is left out."""
        press(turns, "1" * count)
        turn = turns.turn()
        assert turn is not None
        assert min(count, MAX_DIGITS) == len(turn.digits)
        assert turn.ended + deadline == turns.next_deadline()


class TestSpeechAndKeys:
    """Both in one turn."""

    def test_keys_after_speech_belong_to_its_turn(self, turns: TurnTaking) -> None:
        """Who says that a number follows, and presses it."""
        turns.receive_speech_end(9.0)
        press(turns, "47#")
        assert CallersTurn(10.2, "47") == turns.turn()

    def test_speech_after_keys_belongs_to_their_turn(self, turns: TurnTaking) -> None:
        """The keys are complete when both have ended."""
        press(turns, "47")
        turns.receive_speech_start(10.5)
        turns.receive_speech_end(12.0)
        assert CallersTurn(12.0, "47") == turns.turn()
        assert 12.0 == turns.next_deadline()

    def test_a_key_pressed_while_speaking_waits_for_the_end_of_speech(self, turns: TurnTaking) -> None:
        """Rule 4; and keys whose pause is not over then have it still."""
        turns.receive_speech_start(9.5)
        press(turns, "4")
        assert turns.next_deadline() is None
        turns.receive_speech_end(10.2)
        assert CallersTurn(10.2, "4") == turns.turn()
        assert 10.0 + PAUSE == turns.next_deadline()

    def test_a_word_that_ended_before_the_last_key_does_not_move_the_end(self, turns: TurnTaking) -> None:
        """Ends of speech are learnt late."""
        press(turns, "4#")
        turns.receive_speech_end(9.9)
        assert CallersTurn(10.1, "4") == turns.turn()
