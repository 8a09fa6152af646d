"""The result of one simulated call: `result.json`.

One file says all that is known of a call: how it was set up, what was said when, what the agent reported, how good
the media was, how true the measurements are, and which windows and versions all that rests on. It is written once,
after the call, and read by reports, comparisons, thresholds and other people's scripts; `schema()` describes it to
editors.

**One clock.** Every field ending in `_s` counts seconds from the *answer* of the call (the 200 OK arrived or left).
What came before, such as the INVITE, is negative. In a call that was never answered the origin is the INVITE.
Durations end in `_ms`. Shares lie between 0 and 1, percentages end in `_pct`. The agent's own `…_offset_ms` fields
have the same origin.

A reader refuses a file of another `schema_version`; fields that a reader does not know are ignored, so fields may be
added without a new version, and are removed or changed only with one.
"""

import contextlib
import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from .accuracy import Accuracy
from .distribution import Distribution
from .simulation_update import Event, ResultId, SimulationUpdate, ToolCall, TranscriptEntry
from .turns import BargeIn, Metrics, Turn

__all__ = [
    "SCHEMA_VERSION",
    "AgentReport",
    "CallFacts",
    "Digit",
    "EndReason",
    "Event",
    "LadderEntry",
    "MosInputs",
    "QualityBothWays",
    "Result",
    "ResultTooLarge",
    "Setup",
    "SimulationUpdate",
    "SpeechSpan",
    "StreamQuality",
    "ToolCall",
    "TranscriptEntry",
    "schema",
]

SCHEMA_VERSION: Literal[1] = 1
"""Of the files written here."""

MAX_RESULT_OCTETS = 64 * 1024 * 1024
"""Octets of a file that is read: two hours of call with every SIP message are a few megabytes."""


class ResultTooLarge(ValueError):
    """A file is larger than MAX_RESULT_OCTETS and was not read."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True, allow_inf_nan=False, validate_default=True)


class EndReason(StrEnum):
    """Why the call ended."""

    COMPLETED = "the conversation came to its end and the caller hung up"
    AGENT_HUNG_UP = "the agent hung up"
    MAX_DURATION = "the call reached its longest allowed duration"
    SILENCE = "the agent said nothing for too long"
    MEDIA_LOST = "no more packets came from the agent"
    REJECTED = "the call was refused"
    NO_ANSWER = "nobody answered in time"
    CANCELLED = "the caller gave up before the answer"
    FAILED = "the call failed on the way"
    ABORTED = "the run was stopped from outside"


class CallFacts(_Part):
    """Which call it was."""

    uri: str
    """SIP URI or URL that was called."""
    result_id: ResultId
    """Simulation result id: sent to the agent, by which its own report is joined."""
    call_id: str = ""
    """The SIP Call-ID, or the session id of another transport."""
    scenario: str = ""
    """Name of the scenario, when one was run."""
    run_id: str = ""
    """The run this call belongs to."""
    transport: str = ""
    """udp, tcp, tls, ws or wss."""
    headers: dict[str, str] = {}
    """Headers that we added to the INVITE."""
    codec: str = ""
    """Name of the negotiated codec, as in SDP: PCMU, PCMA, G722, opus."""
    sample_rate: int | None = Field(default=None, gt=0)
    """Samples per second of the codec's sound."""
    packet_time_ms: float | None = Field(default=None, gt=0)
    """Milliseconds of sound per packet that we sent."""
    encrypted: bool = False
    """Whether the media was SRTP."""
    started_at: AwareDatetime
    """Wall-clock time at which the INVITE was sent, ISO 8601 with its zone."""
    duration_ms: float | None = Field(default=None, ge=0)
    """Milliseconds from answer to end; null when never answered."""
    end_reason: EndReason
    """Why it ended."""
    end_detail: str = ""
    """More about the end, for people."""
    sip_status: int | None = Field(default=None, ge=100, le=699)
    """Status of the final response to the INVITE."""
    q850_cause: int | None = Field(default=None, ge=0, le=127)
    """Cause of a Reason header (RFC 3326), when the end had one."""


class Setup(_Part):
    """How the call came about; milliseconds, null for what did not happen."""

    setup_ms: float | None = Field(default=None, ge=0)
    """INVITE sent to 200 OK received."""
    pdd_ms: float | None = Field(default=None, ge=0)
    """Post-dial delay: INVITE sent to the first 18x (RFC 6076's session request delay for a call that rings)."""
    ttfa_ms: float | None = Field(default=None, ge=0)
    """Time to first audio: answer to the agent's first audible sample."""
    invites: int = Field(default=1, ge=0)
    """INVITEs that were needed, those after a challenge included, retransmissions not."""
    retransmissions: int = Field(default=0, ge=0)
    """SIP messages that had to be sent again, all of the call."""


class MosInputs(_Part):
    """What a MOS of the E-model was computed from (ITU-T G.107)."""

    codec: str
    """Whose impairments were used."""
    ie: float
    """Equipment impairment factor of the codec."""
    bpl: float
    """Packet-loss robustness factor of the codec."""
    concealed: bool
    """Whether the factor holds for a receiver that conceals losses."""
    burst_ratio: float
    """1 for random loss, above for bursts."""
    delay_ms: float
    """One-way delay that was assumed or measured, milliseconds."""
    loss_pct: float = Field(ge=0, le=100)
    """Effective loss: lost and late packets, per cent of the expected."""


class StreamQuality(_Part):
    """One direction of the media."""

    measured_by: Literal["us", "peer"] = "us"
    """Who counted: we from the packets, or the peer in its RTCP reports."""
    expected: int = Field(default=0, ge=0)
    """Packets that should have come, by sequence numbers: the n of the percentages."""
    received: int = Field(default=0, ge=0)
    """Packets that came."""
    lost: int = Field(default=0, ge=0)
    """Packets that never came."""
    loss_pct: float | None = Field(default=None, ge=0, le=100)
    """Lost packets, per cent of the expected; null when nothing was expected."""
    late: int | None = Field(default=None, ge=0)
    """Packets that came after their playout time."""
    late_pct: float | None = Field(default=None, ge=0, le=100)
    """Late packets, per cent of the expected."""
    duplicates: int | None = Field(default=None, ge=0)
    """Packets that came more than once."""
    reordered: int | None = Field(default=None, ge=0)
    """Packets that were overtaken."""
    jitter_ms: Distribution | None = None
    """Interarrival jitter (RFC 3550 6.4.1), milliseconds, over the intervals of the call."""
    rtt_ms: Distribution | None = None
    """Round-trip time by RTCP, milliseconds."""
    mos_cqe: Distribution | None = None
    """Conversational MOS, estimated by the E-model (P.800.1), over the intervals of the call; min is the worst."""
    mos_inputs: MosInputs | None = None
    """What it was computed from, over the whole call."""


class QualityBothWays(_Part):
    """The media, direction by direction."""

    sent: StreamQuality | None = None
    """From us to the agent, as its RTCP reports say."""
    received: StreamQuality | None = None
    """From the agent to us, as we counted."""


class SpeechSpan(_Part):
    """Somebody spoke; for timelines."""

    speaker: Literal["AGENT", "USER"]
    """The agent, or our simulated caller."""
    start_s: float
    """Seconds from the answer."""
    end_s: float
    """Seconds from the answer."""
    kind: Literal["speech", "dtmf", "backchannel", "noise"] = "speech"
    """What it was; only of ours is anything but speech known."""
    text: str = ""
    """The words, when known."""


class Digit(_Part):
    """One DTMF digit."""

    digit: str = Field(pattern=r"^[0-9A-D*#]$")
    """Which key."""
    at_s: float
    """Seconds from the answer: its event began."""
    duration_ms: float = Field(ge=0)
    """How long it was held."""
    method: Literal["rtp", "info", "inband"] = "rtp"
    """RFC 4733 events, SIP INFO, or tones in the sound."""
    sent: bool
    """Whether we sent it; else we received it."""


class LadderEntry(_Part):
    """One SIP message of the call."""

    instant_s: float
    """Seconds from the answer; the INVITE's are negative."""
    direction: Literal["sent", "received"]
    """As seen from us."""
    first_line: str
    """Request line or status line."""
    text: str
    """The whole message, as it was on the wire; octets that are no UTF-8 are replaced."""
    source: str = ""
    """Host and port it came from."""
    destination: str = ""
    """Host and port it went to."""
    again: bool = False
    """Whether it is a retransmission."""


class AgentReport(_Part):
    """What the agent posted about the call, joined by its result id."""

    tool_calls: list[ToolCall] = []
    """Tools it called."""
    events: list[Event] = []
    """What happened, as it saw it."""
    transcript: list[TranscriptEntry] = []
    """What it understood and said."""
    tags: list[str] = []
    """Its labels for the call."""
    metadata: dict[str, JsonValue] = {}
    """Whatever else it told."""
    trace_ids: list[str] = []
    """Its OpenTelemetry traces."""
    posts: int = Field(default=0, ge=0)
    """How often it posted; 0: it told nothing."""

    def joined_with(self, update: SimulationUpdate) -> Self:
        """Take in one post: lists grow, metadata is overwritten key by key."""
        return type(self)(
            tool_calls=[*self.tool_calls, *update.tool_calls],
            events=[*self.events, *update.events],
            transcript=[*self.transcript, *update.recorded_transcript],
            tags=list(dict.fromkeys([*self.tags, *update.tags])),
            metadata={**self.metadata, **update.metadata},
            trace_ids=list(dict.fromkeys([*self.trace_ids, *update.trace_ids])),
            posts=self.posts + 1,
        )


class Result(_Part):
    """All that is known of one simulated call."""

    schema_version: Literal[1] = SCHEMA_VERSION
    """Version of this format."""
    call: CallFacts
    """Which call it was and how it ended."""
    setup: Setup = Setup()
    """How it came about."""
    turns: list[Turn] = []
    """Our turns and the responses to them."""
    metrics: Metrics | None = None
    """Figures of the conversation, with the windows they rest on; null when there was none."""
    speech: list[SpeechSpan] = []
    """Who spoke when, both sides."""
    barge_ins: list[BargeIn] = []
    """Interruptions of the agent by us, also found in their turns."""
    dtmf: list[Digit] = []
    """Digits, sent and received."""
    quality: QualityBothWays = QualityBothWays()
    """The media."""
    agent: AgentReport = AgentReport()
    """What the agent told about the call."""
    truth: Accuracy | None = None
    """Measured latencies against those the agent logged, when it did."""
    ladder: list[LadderEntry] = []
    """The SIP messages, in order."""
    recording_start_s: float | None = None
    """Seconds from the answer: the first sample of the recording; null when nothing was recorded."""
    artefacts: dict[str, str] = {}
    """File names relative to this file, by what they are: recording, capture, ladder, report."""
    versions: dict[str, str] = {}
    """Software: Offhook, Python, numpy, the voice activity detector, the platform."""

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a file.

        Raises:
            OSError: there is no such file, or it cannot be read.
            ResultTooLarge: it is larger than MAX_RESULT_OCTETS.
            pydantic.ValidationError: it is no result, or one of another schema version.
        """
        with Path(path).open("rb") as file:
            octets = file.read(MAX_RESULT_OCTETS + 1)
        if len(octets) > MAX_RESULT_OCTETS:
            raise ResultTooLarge(f"{path} is larger than {MAX_RESULT_OCTETS} octets")
        return cls.model_validate_json(octets)

    def save(self, path: Path | str) -> None:
        """Write a file, whole or not at all: a crash leaves the old one.

        Raises:
            OSError: it cannot be written.
        """
        target = Path(path)
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.model_dump_json(indent=2).encode())
            Path(draft).chmod(0o644)  # mkstemp keeps it to the owner; a result is for reports and colleagues
            Path(draft).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(draft).unlink()
            raise


def schema() -> dict[str, Any]:
    """JSON Schema of `result.json`, with a description for every field."""
    described = Result.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Offhook result"} | described
