"""The picture of a call on its time axis, as data for the script that draws it.

Everything is computed here, so the script only places it: the outline of both voices, who spoke when, how long an
answer took, where both spoke at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .data import Party, ReportData, Turn
from .embedding import shown
from .peaks import LEVELS, bucket_count, peaks

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MARKS = 2_000
"""Turns, keys or tool calls, of each kind, that are drawn; their tables say how many more there are."""

MAX_TITLE_CHARACTERS = 300
"""Characters of a text that a block on the time axis or its tooltip carries; the whole stands in the tables."""


def timeline(report: ReportData) -> dict[str, object] | None:
    """What the script draws, or None when there is nothing on the time axis."""
    turns = report.turns[:MAX_MARKS]
    start, end = extent(report)
    if end <= start:
        return None
    return {
        "start": start,
        "end": end,
        "audioStart": report.audio_start,
        "audioSeconds": 0.0 if report.audio is None else len(report.audio) / report.sample_rate,
        "lanes": _lanes(report),
        "levels": LEVELS,
        "turns": [
            {"party": turn.party, "start": turn.start, "end": turn.end, "text": _title(turn.text)} for turn in turns
        ],
        "latencies": [
            {"start": turn.start - turn.latency, "end": turn.start}
            for turn in turns
            if turn.party is Party.AGENT and turn.latency is not None
        ],
        "overlaps": [{"start": begin, "end": finish} for begin, finish in overlaps(turns)],
        "bargeIns": [
            {"party": barge_in.party, "start": barge_in.start, "stopTime": barge_in.stop_time}
            for barge_in in report.barge_ins[:MAX_MARKS]
        ],
        "tools": [
            {
                "name": _title(tool.name),
                "start": tool.start,
                "duration": tool.duration,
                "detail": _title(f"{tool.parameters} → {tool.output}"),
            }
            for tool in report.tool_calls[:MAX_MARKS]
        ],
        "digits": [
            {"key": _title(digit.key), "start": digit.start, "duration": digit.duration, "party": digit.party}
            for digit in report.digits[:MAX_MARKS]
        ],
    }


def extent(report: ReportData) -> tuple[float, float]:
    """First and last instant of the time axis, in seconds of the call: the recording, and all that was heard."""
    ends = [turn.end for turn in report.turns[:MAX_MARKS]]
    ends += [digit.start + digit.duration for digit in report.digits[:MAX_MARKS]]
    starts = [turn.start for turn in report.turns[:MAX_MARKS]] + [digit.start for digit in report.digits[:MAX_MARKS]]
    if report.audio is not None and len(report.audio):
        starts.append(report.audio_start)
        ends.append(report.audio_start + len(report.audio) / report.sample_rate)
    return (min(starts), max(ends)) if starts else (0.0, 0.0)


def overlaps(turns: tuple[Turn, ...]) -> Iterator[tuple[float, float]]:
    """Where both parties speak at once; linear in the number of turns and overlaps, for turns of one party in order."""
    ours = sorted((turn.start, turn.end) for turn in turns if turn.party is Party.CALLER)
    theirs = sorted((turn.start, turn.end) for turn in turns if turn.party is Party.AGENT)
    mine = other = 0
    while mine < len(ours) and other < len(theirs):
        begin = max(ours[mine][0], theirs[other][0])
        finish = min(ours[mine][1], theirs[other][1])
        if begin < finish:
            yield begin, finish
        if ours[mine][1] < theirs[other][1]:
            mine += 1
        else:
            other += 1


def _lanes(report: ReportData) -> dict[str, list[int]] | None:
    """The outline of each voice: lowest and highest in turn, stretch by stretch."""
    audio = report.audio
    if audio is None or not len(audio):
        return None
    count = bucket_count(len(audio), report.sample_rate)
    channels = zip((Party.CALLER, Party.AGENT), audio.T, strict=True)
    return {party.value: peaks(channel, count).ravel().tolist() for party, channel in channels}


def _title(text: str) -> str:
    """A text short enough for a tooltip."""
    cut = text if len(text) <= MAX_TITLE_CHARACTERS else text[: MAX_TITLE_CHARACTERS - 1] + "…"
    return str(shown(cut))
