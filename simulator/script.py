"""What a simulated caller does, step by step.

A script is a list of steps. *Say*, *Press* and *HangUp* wait until the agent has spoken and fallen silent; *BargeIn* waits
until it speaks, and interrupts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KEYS: Final = "0123456789*#ABCD"
MAX_STEPS: Final = 1_000  # of a script; more than an hour of conversation
MAX_KEYS: Final = 32  # of one Press; longer numbers are pressed in two


@dataclass(frozen=True, slots=True)
class Say:
    """Wait for the agent to finish, then say something."""

    text: str


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Wait for the agent to speak, let it speak for a while, then interrupt it.

    An agent that finishes earlier cannot be interrupted any more: then it is said as a turn.
    """

    text: str
    after: float = 1.0
    "Seconds into the agent's turn, its short pauses included."


@dataclass(frozen=True, slots=True)
class Press:
    """Wait for the agent to finish, then press keys.

    Raises:
        ValueError: no keys, a key that no telephone has, or more than :data:`MAX_KEYS`.
    """

    digits: str
    "Of ``0123456789*#ABCD``."

    def __post_init__(self) -> None:
        """Refuse now what could not be sent then."""
        if not 1 <= len(self.digits) <= MAX_KEYS or not set(self.digits) <= set(KEYS):
            raise ValueError(f"{self.digits!r}: press 1 to {MAX_KEYS} keys of {KEYS}")


@dataclass(frozen=True, slots=True)
class HangUp:
    """Wait for the agent to finish, then hang up; scripts end so by themselves."""


Step = Say | BargeIn | Press | HangUp


@dataclass(frozen=True, slots=True)
class Script:
    """A caller's part of a conversation.

    Raises:
        ValueError: more than :data:`MAX_STEPS` steps, or a duration that is none.
    """

    name: str
    steps: tuple[Step, ...]
    quiet: float = 0.7
    "Seconds of silence after which the agent is taken to have finished."
    patience: float = 8.0
    "Seconds to wait for the agent to say something; then the caller goes on regardless."
    silence_timeout: float = 30.0
    "Seconds without a word of the agent after which the caller hangs up."
    max_duration: float = 300.0
    "Seconds after which the caller hangs up, whatever happens."

    def __post_init__(self) -> None:
        """Refuse what could not be followed."""
        if len(self.steps) > MAX_STEPS:
            raise ValueError(f"{len(self.steps)} steps; a script has at most {MAX_STEPS}")
        durations = (self.quiet, self.patience, self.silence_timeout, self.max_duration)
        if not all(seconds > 0.0 for seconds in durations):  # NaN is not above 0 either
            raise ValueError("a script's durations are seconds above 0")

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is said, in order."""
        return tuple(step.text for step in self.steps if isinstance(step, Say | BargeIn))


DEMO: Final = Script(
    "demo",
    (
        Say("Hello, I would like to know where my order is."),
        BargeIn("Stop, that is enough. Let me give you the number.", after=1.5),
        Press("4711#"),
        Say("Thank you, that is all. Goodbye."),
    ),
)
"Greeting, a question that makes the agent call a tool, an interruption, keys, a farewell."


def many_turns(count: int) -> Script:
    """A conversation of ``count`` short turns, for measuring latencies."""
    words = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    steps = tuple(Say(f"This is question number {words[i % len(words)]}.") for i in range(count))
    return Script(f"{count} turns", steps, max_duration=30.0 + 10.0 * count)
