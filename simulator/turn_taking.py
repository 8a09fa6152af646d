"""When the agent's turn has come: the caller has said something, or pressed keys, and is done.

A pure machine without clock and sockets. It is told the edges of the caller's speech and the keys, and tells when an answer is to
be prepared. The rules:

1.  Speech that ended is a turn. Its answer is due ``delay`` after the last audible sample, whenever that was learnt.
2.  Keys are a turn when ``#`` ends them, or when none follows for ``digit_pause``. A ``#`` with nothing before it is a key.
3.  Whoever speaks again, or presses on, was not done: an answer that has not been given is taken back, and what was said and
    pressed until then belongs to the longer turn. The last end counts.
4.  While the caller speaks nothing is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_DIGITS: Final = 64  # keys of one turn; then they are complete, whoever goes on pressing


@dataclass(frozen=True, slots=True)
class CallersTurn:
    """What the caller did, and when it was done with it."""

    ended: float
    "Instant of the last audible sample, or of the end of the last key, seconds."
    digits: str = ""
    "Keys of the turn; empty when there was only speech."


class TurnTaking:
    """The caller's side of the turn that is going on.

    Args:
        digit_pause: seconds without a key after which keys are complete.
    """

    def __init__(self, digit_pause: float) -> None:
        self._digit_pause = digit_pause
        self._speaking = False
        self._ended: float | None = None  # of what waits for its answer
        self._digits = ""
        self._complete_at: float | None = None  # when the keys are complete, unless another follows

    @property
    def caller_is_speaking(self) -> bool:
        """Whether speech began that has not ended."""
        return self._speaking

    def receive_speech_start(self, instant: float) -> None:
        """The caller began to speak: nothing is due until it ends."""
        del instant
        self._speaking = True

    def receive_speech_end(self, instant: float) -> None:
        """The caller fell silent; ``instant`` is when its last audible sample was over."""
        self._speaking = False
        self._ended = instant if self._ended is None else max(self._ended, instant)
        if self._complete_at is not None:
            self._complete_at = max(self._complete_at, instant)

    def receive_key(self, digit: str, ended: float) -> None:
        """The caller pressed a key, which was over at ``ended``."""
        is_final = digit == "#" and bool(self._digits)
        if not is_final:
            self._digits = (self._digits + digit)[:MAX_DIGITS]
        self._ended = ended if self._ended is None else max(self._ended, ended)
        is_complete = is_final or len(self._digits) >= MAX_DIGITS
        self._complete_at = ended if is_complete else ended + self._digit_pause

    def next_deadline(self) -> float | None:
        """When the turn is complete if nothing more comes, seconds; None while the caller speaks or has done nothing."""
        if self._speaking or self._ended is None:
            return None
        return self._ended if self._complete_at is None else self._complete_at

    def turn(self) -> CallersTurn | None:
        """What waits for its answer; None when nothing does."""
        return None if self._ended is None else CallersTurn(self._ended, self._digits)

    def answered(self) -> None:
        """The answer was given: what comes is a new turn."""
        self._ended = None
        self._digits = ""
        self._complete_at = None
