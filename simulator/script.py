"""What a simulated caller does, step by step.

A script is a list of steps. *Say*, *Press* and *HangUp* wait until the agent has spoken and fallen silent; *BargeIn* waits
until it speaks, and interrupts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Say:
    """Wait for the agent to finish, then say something."""

    text: str


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Wait for the agent to speak, let it speak for a while, then interrupt it."""

    text: str
    after: float = 1.0
    "Seconds into the agent's speech."


@dataclass(frozen=True, slots=True)
class Press:
    """Wait for the agent to finish, then press keys."""

    digits: str
    "Of ``0123456789*#ABCD``."


@dataclass(frozen=True, slots=True)
class HangUp:
    """Wait for the agent to finish, then hang up; scripts end so by themselves."""


Step = Say | BargeIn | Press | HangUp


@dataclass(frozen=True, slots=True)
class Script:
    """A caller's part of a conversation."""

    name: str
    steps: tuple[Step, ...]
    quiet: float = 0.7
    "Seconds of silence after which the agent is taken to have finished."
    patience: float = 8.0
    "Seconds to wait for the agent to say something; then the caller goes on regardless."
    max_duration: float = 300.0
    "Seconds after which the caller hangs up, whatever happens."


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
