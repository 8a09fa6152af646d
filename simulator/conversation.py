"""One simulated call, from the INVITE to the folder of results.

:func:`converse` places the call, lets a :class:`~.caller.Caller` follow its script, waits for the agent's own report, measures,
and gives a :class:`~.result.Result`. :func:`write_artefacts` puts it into a folder, with everything a person may want to open.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import offhook

from .assembly import Observed, assemble
from .caller import Caller
from .reference_agent import RESULT_ID_HEADER
from .result import AgentReport, EndReason, Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .script import Script
    from .server import ResultInbox
    from .speech import Voice

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

    Args:
        phone: places the call.
        order: what to do.
        voice: the caller's.
        folder: for the artefacts.
        inbox: where the agent's report comes in; None when there is none to wait for.
        tell: hears in a few words what goes on.
    """
    phone.trace.remember()
    phone.trace.capture(folder / CAPTURE)
    if inbox is not None:
        inbox.expect(order.result_id)
    started_at = datetime.now(UTC)
    call = await phone.dial(order.uri, headers=order.all_headers, codecs=order.codecs)
    progress = _Progress()
    watching = asyncio.create_task(_watch(call, progress, tell))
    try:
        caller, reason, detail = await _talk(call, order, voice, folder, progress, tell)
        ended = await call.ended()
    finally:
        call.hang_up()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    report = AgentReport()
    if inbox is not None and call.answered_at is not None:
        tell("waiting for the agent's report")
        report = await inbox.take(order.result_id, order.report_timeout)
    observed = Observed(
        order, call, caller, reason, detail or ended.reason, ended.at, started_at, progress.ringing_at, progress.digits,
        progress.jitter,
    )  # fmt: skip
    return assemble(observed, phone.trace.ladder(call), report)


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


async def _talk(
    call: offhook.Call,
    order: Order,
    voice: Voice,
    folder: Path,
    progress: _Progress,
    tell: Callable[[str], None],
) -> tuple[Caller | None, EndReason, str]:
    """Wait for the answer and follow the script; tells why the call ended."""
    timer = asyncio.get_running_loop().call_later(order.ring_timeout, call.give_up)
    try:
        await call.answered()
    except offhook.CallFailed as failure:
        return None, _why(failure.status), str(failure)
    finally:
        timer.cancel()
    call.record(folder / RECORDING)
    sampling = asyncio.create_task(_sample(call, progress))
    caller = Caller(call, order.script, voice, order.detector, tell)
    try:
        return caller, await caller.run(), ""
    finally:
        sampling.cancel()


async def _sample(call: offhook.Call, progress: _Progress) -> None:
    """Note the jitter once a second."""
    while not call.is_over:
        await asyncio.sleep(SAMPLE_EVERY)
        if call.quality.expected:
            progress.jitter.append(call.quality.jitter)


def _why(status: int) -> EndReason:
    if status == 487:
        return EndReason.CANCELLED
    if status in {408, 480}:
        return EndReason.NO_ANSWER
    return EndReason.REJECTED if 300 <= status < 700 and status != 503 else EndReason.FAILED
