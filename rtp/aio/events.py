"""What the engine tells a player, beside the events of its session: facts, frozen, in the past tense."""

from dataclasses import dataclass

from offhook.rtp.events import RtpEvent


@dataclass(frozen=True, slots=True)
class StreamFailed:
    """The player raised, so its stream was stopped; told once, and nothing follows it."""

    error: Exception


@dataclass(frozen=True, slots=True)
class FramesSkipped:
    """The loop was so late that frames were left out; the player was not asked for them, so none of its audio is lost."""

    frames: int
    at: float
    """Monotonic seconds."""


EngineEvent = StreamFailed | FramesSkipped
"""All that the engine adds to what a session tells."""

PlayerEvent = RtpEvent | EngineEvent
"""All that a player can be told."""
