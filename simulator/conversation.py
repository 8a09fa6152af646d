"""One simulated call, from the INVITE to its result.

:func:`converse` places the call, lets a :class:`~.caller.Caller` follow its script, waits for the agent's own report, measures,
and gives a :class:`~.result.Result`. :func:`~.artefacts.write_artefacts` puts it into a folder, with everything a person may
want to open.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import offhook

from .assembly import Observed, assemble
from .caller import Caller, prepared
from .reference_agent import RESULT_ID_HEADER
from .result import AgentReport, EndReason, Result
from .voice_probability import load_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .script import Script
    from .server import ResultInbox
    from .speech import Speech, Voice

RECORDING = "recording.wav"
CAPTURE = "call.pcap"
LADDER = "ladder.txt"
RESULT = "result.json"
REPORT = "report.html"
SAMPLE_EVERY = 1.0  # seconds between two readings of the jitter


@dataclass(frozen=True, slots=True)
class Order:
    """What to do in one call."""

    uri: str
    script: Script
    result_id: str
    "Sent as ``X-Simulation-Result-Id``; the agent's report is joined by it."
    headers: tuple[tuple[str, str], ...] = ()
    "Further custom headers, as they are."
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    detector: Literal["silero", "energy"] = "silero"
    ring_timeout: float = 30.0
    "Seconds to wait for an answer."
    report_timeout: float = 10.0
    "Seconds to wait for the agent's report after the call."

    @property
    def all_headers(self) -> tuple[tuple[str, str], ...]:
        """Those of the INVITE."""
        return ((RESULT_ID_HEADER, self.result_id), ("X-Call-Type", "SIP"), *self.headers)


@dataclass(slots=True)
class _Progress:
    """What the call's events told on the way."""

    ringing_at: float | None = None
    digits: list[offhook.DtmfReceived] = field(default_factory=list)
    jitter: list[float] = field(default_factory=list)
    "RFC 3550 jitter, once a second, in seconds."


async def converse(
    phone: offhook.Phone,
    order: Order,
    voice: Voice,
    folder: Path,
    inbox: ResultInbox | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Result:
    """Hold one conversation; recording and capture are written into ``folder``, which exists.

    A call that fails is a result too. The phone is for one conversation at a time: its capture holds all that it sends.

    Args:
        phone: places the call.
        order: what to do.
        voice: the caller's.
        folder: for the artefacts.
        inbox: where the agent's report comes in; None when there is none to wait for.
        tell: hears in a few words what goes on.

    Raises:
        SpeechFailed: the voice refused a text of the script.
        ValueError: a header that must not be sent, or an unknown codec.
        MalformedMessage: the URI is none.
        UnknownHost: its host has no address.
        OSError: the folder cannot be written to.
    """
    speeches = await prepared(order.script, voice)
    if order.detector == "silero":
        load_model()
    phone.trace.remember()
    phone.trace.capture(folder / CAPTURE)
    if inbox is not None:
        inbox.expect(order.result_id)
    try:
        observed = await _hold(phone, order, speeches, folder, tell)
        await phone.settled()  # the answer to our BYE belongs to the ladder
        report = AgentReport()
        if inbox is not None and observed.call.answered_at is not None:
            tell("waiting for the agent's report")
            report = await inbox.take(order.result_id, order.report_timeout)
    finally:
        if inbox is not None:
            inbox.forget(order.result_id)
    return assemble(observed, phone.trace.ladder(observed.call), report)


async def _hold(
    phone: offhook.Phone,
    order: Order,
    speeches: dict[str, Speech],
    folder: Path,
    tell: Callable[[str], None],
) -> Observed:
    """From the INVITE to the end of the call."""
    started_at = datetime.now(UTC)
    call = await phone.dial(order.uri, headers=order.all_headers, codecs=order.codecs)
    progress = _Progress()
    watching = asyncio.create_task(_watch(call, progress, tell))
    try:
        spoken = await _talk(call, order, speeches, folder, progress, tell)
        await watching  # it ends with the call
        ended = await call.ended()
    finally:
        call.hang_up()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return Observed(
        order=order,
        call=call,
        caller=spoken.caller,
        reason=spoken.reason,
        detail=spoken.detail or ended.reason,
        q850=ended.q850 if spoken.q850 is None else spoken.q850,
        ended_at=ended.at,
        started_at=started_at,
        ringing_at=progress.ringing_at,
        digits=progress.digits,
        jitter=progress.jitter,
        recording_start=spoken.recording_start,
    )


async def _watch(call: offhook.Call, progress: _Progress, tell: Callable[[str], None]) -> None:
    async for event in call.events():
        match event:
            case offhook.Ringing(status, at) if status >= 180 and progress.ringing_at is None:
                progress.ringing_at = at
                tell("the agent's phone rings")
            case offhook.Answered(_, codec):
                tell(f"answered, {codec}")
            case offhook.DtmfReceived() as digit:
                progress.digits.append(digit)


@dataclass(frozen=True, slots=True)
class _Spoken:
    caller: Caller | None
    reason: EndReason
    detail: str
    q850: int | None = None
    recording_start: float | None = None
    "Instant of the recording's first sample."


async def _talk(
    call: offhook.Call,
    order: Order,
    speeches: dict[str, Speech],
    folder: Path,
    progress: _Progress,
    tell: Callable[[str], None],
) -> _Spoken:
    """Wait for the answer and follow the script; tells why the call ended."""
    timer = asyncio.get_running_loop().call_later(order.ring_timeout, call.give_up)
    try:
        await call.answered()
    except offhook.CallFailed as failure:
        return _Spoken(None, _why(failure.status), str(failure), failure.q850)
    finally:
        timer.cancel()
    caller = Caller(call, order.script, speeches, order.detector, tell)
    sampling = asyncio.create_task(_sample(call, progress))
    try:
        recorder = call.record(folder / RECORDING)
        return _Spoken(caller, *await caller.run(), recording_start=recorder.start)
    except offhook.CallOver as over:  # it ended between the answer and the recording
        return _Spoken(caller, EndReason.AGENT_HUNG_UP, str(over))
    finally:
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
        _read_jitter(call, progress)


async def _sample(call: offhook.Call, progress: _Progress) -> None:
    """Note the jitter once a second."""
    while not call.is_over:
        await asyncio.sleep(SAMPLE_EVERY)
        _read_jitter(call, progress)


def _read_jitter(call: offhook.Call, progress: _Progress) -> None:
    jitter = call.quality.jitter
    if jitter is not None:
        progress.jitter.append(jitter)


def _why(status: int) -> EndReason:
    """SIP tells refusals (3xx, 4xx, 6xx) from servers that failed (5xx), RFC 3261 section 21."""
    if status == 487:
        return EndReason.CANCELLED
    if status in {408, 480}:
        return EndReason.NO_ANSWER
    return EndReason.FAILED if 500 <= status < 600 else EndReason.REJECTED
