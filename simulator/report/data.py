"""What a report shows, as plain values.

These classes know nothing of how a call was measured or stored: whoever has a result fills them. Instants are seconds
on one clock, the call's: zero is where the caller counts from (the answer, if there was one), so an INVITE may have a
negative instant. Durations are seconds. What was not measured is None and is shown as a dash, never as zero.

All strings may have been written by strangers. Nothing here escapes them; the page does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from offhook.ladder import LadderEntry, MediaSpan


class Party(StrEnum):
    """Who speaks."""

    CALLER = "caller"
    AGENT = "agent"


class Verdict(StrEnum):
    """How the run ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the call, with what it stands on."""

    name: str
    """As in the glossary where it stands there: "turn_latency p50"."""
    value: float | None
    """In `unit`."""
    unit: str = ""
    n: int | None = None
    """How many measurements are behind it."""
    digits: int = 0
    """Decimals that the measurement is good for."""
    bound: str = ""
    """What was asked of it, as written in the scenario: "p(95)<1500"."""
    met: bool | None = None
    """Whether it kept to the bound; None without one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation or evaluation and how it came out."""

    name: str
    passed: bool | None
    """None: it was not reached."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One party speaks until it has finished or was interrupted."""

    party: Party
    start: float
    """Onset, seconds of the call."""
    end: float
    text: str = ""
    """What was said, or what was understood."""
    latency: float | None = None
    """Of an agent's turn: from the end of the caller's speech to this onset, in seconds."""
    true_latency: float | None = None
    """The same by the agent's own clock, where the agent is one whose truth is known."""
    interrupted: bool = False
    """Whether the other party cut it short."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """One party starts to speak while the other still does."""

    party: Party
    """Who barged in."""
    start: float
    stop_time: float | None
    """Seconds until the other fell silent; None when it never did."""
    true_stop_time: float | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the agent did besides speaking."""

    name: str
    start: float
    duration: float | None = None
    parameters: str = ""
    """As JSON text."""
    output: str = ""
    matched: bool | None = None
    """Whether it was the call that the scenario expected; None where it expected nothing."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One DTMF key (RFC 4733)."""

    key: str
    start: float
    duration: float
    party: Party = Party.CALLER


@dataclass(frozen=True, slots=True)
class StreamQuality:
    """One direction of the media, as its receiver saw it."""

    party: Party
    """Who sent it."""
    measured_by: str
    """Whose eyes: "our receiver", "RTCP reports of the agent"."""
    codec: str
    received: int
    """Packets."""
    lost: int
    late: int | None = None
    """Packets that came after their playout time."""
    duplicates: int | None = None
    reordered: int | None = None
    jitter_mean: float | None = None
    """Seconds, RFC 3550 6.4.1."""
    jitter_p95: float | None = None
    jitter_max: float | None = None
    round_trip: float | None = None
    """Seconds, RFC 3550 6.4.1 (LSR and DLSR)."""
    mos: float | None = None
    mos_kind: str = "mos_cqe"
    """Which MOS: mos_cqe (E-model with delay) or mos_lqe (without)."""
    r_factor: float | None = None
    mos_inputs: tuple[tuple[str, str], ...] = ()
    """Name and value of what went into the E-model."""


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything that one report shows."""

    title: str
    verdict: Verdict
    uri: str
    result_id: str
    """Value of the X-Simulation-Result-Id header, by which the agent knows the call."""
    reason: str = ""
    """Why the verdict is what it is, in one sentence."""
    codec: str = ""
    started: str = ""
    """Wall-clock instant, ISO 8601."""
    duration: float | None = None
    """Seconds from answer to end."""
    setup: float | None = None
    """Seconds from INVITE to answer."""
    time_to_first_audio: float | None = None
    """Seconds from answer to the agent's first onset."""
    mos: float | None = None
    mos_kind: str = "mos_cqe"
    figures: tuple[Figure, ...] = ()
    checks: tuple[Check, ...] = ()
    audio: NDArray[np.int16] | None = None
    """Shape (samples, 2): the caller left, the agent right, as they were on the wire."""
    sample_rate: int = 8_000
    """Samples per second of `audio`."""
    audio_start: float = 0.0
    """Instant of the first sample, seconds of the call."""
    turns: tuple[Turn, ...] = ()
    barge_ins: tuple[BargeIn, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    digits: tuple[Digit, ...] = ()
    messages: tuple[LadderEntry, ...] = ()
    media: tuple[MediaSpan, ...] = ()
    quality: tuple[StreamQuality, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    """Name and version of the software that took part."""
    result_json: str = ""
    """The result file as it is, to be downloaded from the page."""
