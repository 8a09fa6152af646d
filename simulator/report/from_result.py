"""From a result file to what the page shows: every figure of the page has its source here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from offhook.ladder import LadderEntry, MediaSpan
from offhook.simulator.result import EndReason

from . import data

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from offhook.simulator.distribution import Distribution
    from offhook.simulator.result import Result, StreamQuality

_WELL = frozenset({EndReason.COMPLETED, EndReason.AGENT_HUNG_UP})


def report_data(
    result: Result, audio: NDArray[np.int16] | None = None, sample_rate: int = 8_000, audio_start: float = 0.0
) -> data.ReportData:
    """Fill the page.

    Args:
        result: of one call.
        audio: the recording, shape (samples, 2), int16.
        sample_rate: of the recording, samples per second.
        audio_start: instant of its first sample, seconds from the answer.
    """
    call = result.call
    received = result.quality.received
    mos = received.mos_cqe if received is not None else None
    return data.ReportData(
        title=call.scenario or "call",
        verdict=data.Verdict.PASSED if call.end_reason in _WELL else data.Verdict.FAILED,
        reason=f"{call.end_reason.value}{f' ({call.end_detail})' if call.end_detail else ''}",
        uri=call.uri,
        result_id=call.result_id,
        codec=call.codec,
        started=call.started_at.isoformat(timespec="milliseconds"),
        duration=_seconds(call.duration_ms),
        setup=_seconds(result.setup.setup_ms),
        time_to_first_audio=_seconds(result.setup.ttfa_ms),
        mos=mos.mean if mos is not None else None,
        figures=_figures(result),
        audio=audio,
        sample_rate=sample_rate,
        audio_start=audio_start,
        turns=_turns(result),
        barge_ins=tuple(
            data.BargeIn(data.Party.CALLER, barge_in.at_s, _seconds(barge_in.stop_ms)) for barge_in in result.barge_ins
        ),
        tool_calls=tuple(
            data.ToolCall(tool.name, tool.start_offset_ms / 1000, None, _json(tool.parameters), _json(tool.output))
            for tool in result.agent.tool_calls
        ),
        digits=tuple(
            data.Digit(
                digit.digit,
                digit.at_s,
                digit.duration_ms / 1000,
                data.Party.CALLER if digit.sent else data.Party.AGENT,
            )
            for digit in result.dtmf
        ),
        messages=tuple(
            LadderEntry(entry.instant_s, entry.source, entry.destination, entry.first_line, entry.text, entry.again)
            for entry in result.ladder
        ),
        media=_media(result),
        quality=_quality(result),
        versions=tuple(result.versions.items()),
        result_json=result.model_dump_json(indent=2),
    )


def _figures(result: Result) -> tuple[data.Figure, ...]:
    metrics = result.metrics
    if metrics is None:
        return ()
    latency, stop = metrics.turn_latency_ms, metrics.barge_in_stop_ms
    figures = [
        data.Figure("turn_latency p50", latency.p50, "ms", latency.n),
        data.Figure("turn_latency p95", latency.p95, "ms", latency.n),
        data.Figure("turn_latency max", latency.max, "ms", latency.n),
        data.Figure("barge_in_stop", stop.mean, "ms", stop.n),
        data.Figure("agent_talk_share", _percent(metrics.agent_talk_share), "%", None, 1),
        data.Figure("overlap", metrics.overlap_ms, "ms"),
        data.Figure("silence", metrics.silence_ms, "ms"),
        data.Figure("turns", metrics.turns, "", metrics.answered_turns),
    ]
    if result.truth is not None and result.truth.n:
        figures.append(
            data.Figure("error against truth, worst", result.truth.max_abs_error_ms, "ms", result.truth.n, 1)
        )
    return tuple(figures)


def _turns(result: Result) -> tuple[data.Turn, ...]:
    """Both sides' speech as blocks; the agent's answers bear the latency that led to them."""
    said = sorted(
        (entry for entry in result.agent.transcript if entry.speaker == "AGENT"), key=lambda e: e.start_offset_ms
    )
    true = {round(error.response_s, 3): error.true_ms for error in result.truth.errors} if result.truth else {}
    latencies = {
        round(turn.response_s, 3): turn.latency_ms
        for turn in result.turns
        if turn.response_s is not None and turn.latency_ms is not None
    }
    interruptions = [barge_in.at_s for barge_in in result.barge_ins]
    turns = []
    for span in result.speech:
        if span.speaker == "USER":
            text = span.text if span.kind != "dtmf" else f"keys {span.text}"
            turns.append(data.Turn(data.Party.CALLER, span.start_s, span.end_s, text))
            continue
        key = round(span.start_s, 3)
        nearest = min(said, key=lambda e: abs(e.start_offset_ms / 1000 - span.start_s), default=None)
        known = nearest is not None and abs(nearest.start_offset_ms / 1000 - span.start_s) < 0.5
        turns.append(
            data.Turn(
                data.Party.AGENT,
                span.start_s,
                span.end_s,
                nearest.utterance if known and nearest is not None else "",
                _seconds(latencies.get(key)),
                _seconds(true.get(key)),
                any(span.start_s <= at <= span.end_s for at in interruptions),
            )
        )
    return tuple(turns)


def _media(result: Result) -> tuple[MediaSpan, ...]:
    """The two streams as spans of the ladder, between the hosts of its first message."""
    call, received = result.call, result.quality.received
    if not result.ladder or call.duration_ms is None:
        return ()
    ours, theirs = result.ladder[0].source, result.ladder[0].destination
    end = call.duration_ms / 1000
    packets = received.received if received is not None else None
    return (
        MediaSpan(0.0, end, ours, theirs, call.codec),
        MediaSpan(0.0, end, theirs, ours, call.codec, packets),
    )


def _quality(result: Result) -> tuple[data.StreamQuality, ...]:
    both = ((data.Party.AGENT, result.quality.received), (data.Party.CALLER, result.quality.sent))
    return tuple(_stream(party, stream, result.call.codec) for party, stream in both if stream is not None)


def _stream(party: data.Party, stream: StreamQuality, codec: str) -> data.StreamQuality:
    inputs = stream.mos_inputs.model_dump() if stream.mos_inputs is not None else {}
    mine = stream.measured_by == "us"
    return data.StreamQuality(
        party=party,
        measured_by="our receiver" if mine else "the agent's RTCP reports",
        codec=codec,
        received=stream.received,
        lost=stream.lost if mine else round(stream.expected * stream.loss_pct / 100),
        late=stream.late,
        duplicates=stream.duplicates,
        reordered=stream.reordered,
        jitter_mean=_of(stream.jitter_ms, "mean"),
        jitter_p95=_of(stream.jitter_ms, "p95"),
        jitter_max=_of(stream.jitter_ms, "max"),
        round_trip=_of(stream.rtt_ms, "mean"),
        mos=stream.mos_cqe.mean if stream.mos_cqe is not None else None,
        mos_inputs=tuple((name, _plain(value)) for name, value in inputs.items()),
    )


def _of(distribution: Distribution | None, name: str) -> float | None:
    value: float | None = getattr(distribution, name) if distribution is not None else None
    return _seconds(value)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=1)
