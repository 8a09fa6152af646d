"""From a result file to what the page shows: every figure of the page has its source here."""

from __future__ import annotations

import json
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from offhook.simulator.result import EndReason
from offhook.simulator.result_ladder import ladder_entries, media_spans

from . import data

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from offhook.simulator.distribution import Distribution
    from offhook.simulator.result import Result, StreamQuality

_WELL = frozenset({EndReason.COMPLETED, EndReason.AGENT_HUNG_UP})
_SAME = 0.001  # seconds: two instants of one edge, one of which went through a file
_NEAR = 0.5  # seconds between what was heard and what the agent says it said: its clock begins a network delay later


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
        verdict=_verdict(result),
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
        messages=ladder_entries(result),
        media=media_spans(result),
        quality=_quality(result),
        versions=tuple(result.versions.items()),
        result_json=result.model_dump_json(indent=2),
    )


def _verdict(result: Result) -> data.Verdict:
    """A conversation passes when it came to its end and the agent answered; expectations are judged elsewhere."""
    metrics = result.metrics
    answered = metrics is not None and (metrics.answered_turns > 0 or metrics.turns == 0)
    return data.Verdict.PASSED if result.call.end_reason in _WELL and answered else data.Verdict.FAILED


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
        data.Figure("answered turns", metrics.answered_turns, "", metrics.turns),
    ]
    if result.truth is not None and result.truth.n:
        figures.append(
            data.Figure("error against truth, worst", result.truth.max_abs_error_ms, "ms", result.truth.n, 1)
        )
    return tuple(figures)


def _turns(result: Result) -> tuple[data.Turn, ...]:
    """Both sides' speech as blocks; the agent's answers bear the latency that led to them."""
    answers = _Answers(result)
    turns: list[data.Turn] = []
    for span in result.speech:
        if span.speaker == "USER":
            text = span.text if span.kind != "dtmf" else f"keys {span.text}"
            turns.append(data.Turn(data.Party.CALLER, span.start_s, span.end_s, text))
        else:
            turns.extend(answers.blocks(span.start_s, span.end_s))
    return tuple(sorted(turns, key=lambda turn: turn.start))


class _Answers:
    """What is known of the agent's speech, by time."""

    def __init__(self, result: Result) -> None:
        self._said = sorted(
            (e.start_offset_ms / 1000, e.utterance) for e in result.agent.transcript if e.speaker == "AGENT"
        )
        self._measured = sorted(
            (turn.response_s, turn.latency_ms)
            for turn in result.turns
            if turn.response_s is not None and turn.latency_ms is not None
        )
        errors = result.truth.errors if result.truth else ()
        self._true = {error.response_s: error.true_ms for error in errors}
        self._interruptions = [barge_in.at_s for barge_in in result.barge_ins]

    def blocks(self, start: float, end: float) -> Iterator[data.Turn]:
        """One stretch of speech; where an answer begins inside it (after an interruption), a new block begins."""
        inside: list[tuple[float, float | None]] = [
            (at, latency) for at, latency in self._measured if start - _SAME <= at < end
        ]
        if not inside or inside[0][0] > start + _SAME:
            inside.insert(0, (start, None))
        begins = [max(start, at) for at, _ in inside]
        for (at, latency), begin, over in zip(inside, begins, [*begins[1:], end], strict=True):
            yield data.Turn(
                data.Party.AGENT,
                begin,
                over,
                self._text_at(begin),
                _seconds(latency),
                _seconds(self._true.get(at)),
                any(begin <= instant <= over for instant in self._interruptions),
            )

    def _text_at(self, instant: float) -> str:
        """What the agent says that it said then."""
        after = bisect_left(self._said, (instant, ""))
        near = min(self._said[max(0, after - 1) : after + 1], key=lambda said: abs(said[0] - instant), default=None)
        return near[1] if near is not None and abs(near[0] - instant) < _NEAR else ""


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
        lost=stream.lost,
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
