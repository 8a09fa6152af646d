"""What an agent tells the simulator about a call: the body of POST /v1/update-simulation-result.

The agent received a simulation result id in a SIP header and posts once, after the call, what it did: tool calls,
events, what it understood. Offsets are milliseconds from the start of the call, which is its answer. There is no
field for the failure of a tool call: failures are told inside `output`.

Readers are tolerant where the field's senders differ (an id may be a number, unknown fields are ignored) and strict
where a guess would falsify a result: a missing required field is refused with pydantic's ValidationError, whose
`errors()` are the `detail` of a 422 answer. All lists are bounded, because whoever can reach the port may post.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

MAX_ENTRIES = 10_000
"""Entries of one list: a call of two hours with more than one event a second is no call."""

MAX_TRACE_IDS = 1_000
"""Trace ids of one call."""

MAX_TEXT_CHARACTERS = 100_000
"""Characters of one string: a name, a description, an utterance."""

MAX_ID_CHARACTERS = 256
"""Characters of a result id: it has to fit a SIP header."""

Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS)]
"""A string from outside."""


def _as_text(value: Any) -> Any:
    """Ids are strings here; some senders write them as numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


ResultId = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=MAX_ID_CHARACTERS)]
"""A simulation result id: opaque, a string; a JSON integer is accepted for it."""


class FromOutside(BaseModel):
    """What all parts of the body share."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True, frozen=True)


class Event(FromOutside):
    """Something that happened in the call, as the agent saw it."""

    title: Text
    """What happened."""
    start_offset_ms: int
    """Milliseconds from the start of the call."""
    description: Text | None = None
    """More about it."""
    end_offset_ms: int | None = None
    """Milliseconds from the start of the call, for what lasted."""
    tags: list[Text] = Field(default=[], max_length=MAX_ENTRIES)
    """Labels."""
    metadata: dict[str, JsonValue] | None = None
    """Free form."""


class ToolCall(FromOutside):
    """A tool that the agent called."""

    name: Text
    """Name of the tool."""
    start_offset_ms: int = Field(ge=0)
    """Milliseconds from the start of the call."""
    description: Text | None = None
    """What it was called for."""
    parameters: dict[str, JsonValue] | None = None
    """What it was called with."""
    output: JsonValue = None
    """What it returned, failures included."""


class TranscriptEntry(FromOutside):
    """What the agent understood or said."""

    start_offset_ms: int
    """Milliseconds from the start of the call."""
    end_offset_ms: int
    """Milliseconds from the start of the call."""
    speaker: Literal["AGENT", "USER"]
    """Who spoke: the agent or the simulated caller."""
    utterance: Text
    """The words."""
    filler_utterance: bool | None = None
    """Whether it only filled time ("one moment")."""


class SimulationUpdate(FromOutside):
    """The body of POST /v1/update-simulation-result."""

    simulation_result_id: ResultId
    """The id received in the SIP header for this call; a string, a JSON integer is accepted."""
    events: list[Event] = Field(default=[], max_length=MAX_ENTRIES)
    """Call events."""
    tool_calls: list[ToolCall] = Field(default=[], max_length=MAX_ENTRIES)
    """Tool calls made."""
    recorded_transcript: list[TranscriptEntry] = Field(default=[], max_length=MAX_ENTRIES)
    """The agent's own transcript, for the accuracy of its speech recognition."""
    tags: list[Text] = Field(default=[], max_length=MAX_ENTRIES)
    """Labels of the call."""
    metadata: dict[str, JsonValue] = {}
    """Free form."""
    trace_ids: list[Text] = Field(default=[], max_length=MAX_TRACE_IDS)
    """OpenTelemetry traces of the call; undocumented in the field, sent nevertheless."""
