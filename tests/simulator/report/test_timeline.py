"""The picture of a call on its time axis, as data."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.report.data import BargeIn, Digit, Party, ReportData, ToolCall, Turn, Verdict
from offhook.simulator.report.timeline import MAX_MARKS, MAX_TITLE_CHARACTERS, extent, overlaps, timeline

NOTHING = ReportData("t", Verdict.PASSED, "sip:a@b", "1")
ASKED = Turn(Party.CALLER, 1.0, 2.0, "What time is it?")
ANSWERED = Turn(Party.AGENT, 2.5, 4.0, "Noon.", latency=0.5)


def drawn(**changes: Any) -> dict[str, Any]:
    """The picture of a report with these fields."""
    picture = timeline(replace(NOTHING, **changes))
    assert picture is not None
    return picture


def test_a_call_without_sound_and_turns_has_no_picture() -> None:
    """A call that was never answered, or a recording of no sample."""
    assert timeline(NOTHING) is None
    assert timeline(replace(NOTHING, audio=np.zeros((0, 2), dtype=np.int16))) is None


def test_the_axis_spans_recording_turns_and_keys() -> None:
    """Whatever is earliest and latest."""
    audio = np.zeros((8_000, 2), dtype=np.int16)
    digit = Digit("5", 4.2, 0.1)
    assert (0.2, 1.2) == extent(replace(NOTHING, audio=audio, audio_start=0.2))
    assert (0.2, 4.0) == extent(replace(NOTHING, audio=audio, audio_start=0.2, turns=(ASKED, ANSWERED)))
    assert (1.0, pytest.approx(4.3)) == extent(replace(NOTHING, turns=(ASKED,), digits=(digit,)))


def test_each_lane_is_the_outline_of_one_channel() -> None:
    """The caller left, the agent right."""
    audio = np.zeros((80, 2), dtype=np.int16)
    audio[:, 1] = 16_384
    assert {"caller": [0, 0], "agent": [500, 500]} == drawn(audio=audio)["lanes"]


def test_turns_alone_make_a_picture_without_lanes() -> None:
    """The result may outlive its recording."""
    assert drawn(turns=(ASKED,))["lanes"] is None


def test_a_latency_ends_at_the_onset_it_belongs_to() -> None:
    """It is drawn from our end to the agent's onset; turns without one have none."""
    assert [{"start": 2.0, "end": 2.5}] == drawn(turns=(ASKED, ANSWERED))["latencies"]


def test_barge_ins_tools_and_keys_are_marks() -> None:
    """With what their tooltips say."""
    picture = drawn(
        turns=(ASKED,),
        barge_ins=(BargeIn(Party.CALLER, 1.0, None),),
        tool_calls=(ToolCall("clock", 1.2, 0.1, "{}", "12:00"),),
        digits=(Digit("#", 1.4, 0.1, Party.AGENT),),
    )
    assert [{"party": "caller", "start": 1.0, "stopTime": None}] == picture["bargeIns"]
    assert [{"name": "clock", "start": 1.2, "duration": 0.1, "detail": "{} → 12:00"}] == picture["tools"]
    assert [{"key": "#", "start": 1.4, "duration": 0.1, "party": "agent"}] == picture["digits"]


def test_titles_are_bounded() -> None:
    """MAX_TITLE_CHARACTERS crossed by one."""
    exact = "x" * MAX_TITLE_CHARACTERS
    turns = (replace(ASKED, text=exact), replace(ASKED, text=exact + "x"))
    assert [exact, exact[1:] + "…"] == [turn["text"] for turn in drawn(turns=turns)["turns"]]


def test_marks_are_bounded() -> None:
    """MAX_MARKS crossed by one, and the axis ends with what is drawn."""
    picture = drawn(turns=(ASKED,) * MAX_MARKS + (ANSWERED,))
    assert MAX_MARKS == len(picture["turns"])
    assert 2.0 == picture["end"]


def test_the_picture_is_json() -> None:
    """The script reads nothing else."""
    audio = np.zeros((80, 2), dtype=np.int16)
    picture = drawn(audio=audio, turns=(ASKED, ANSWERED), digits=(Digit("1", 0.0, 0.1),))
    assert picture == json.loads(json.dumps(picture))


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        ([(0, 2)], [(1, 3)], [(1, 2)]),
        ([(0, 9)], [(1, 2), (3, 4)], [(1, 2), (3, 4)]),
        ([(1, 2), (3, 4)], [(0, 9)], [(1, 2), (3, 4)]),
        ([(0, 1)], [(1, 2)], []),
        ([(5, 6)], [(1, 2)], []),
        ([(0, 1)], [], []),
    ],
    ids=["one into the other", "we hold on", "they hold on", "touching", "apart", "alone"],
)
def test_overlaps_are_where_both_speak(
    ours: list[tuple[float, float]], theirs: list[tuple[float, float]], both: list[tuple[float, float]]
) -> None:
    """In whatever order the turns are listed."""
    turns = [Turn(Party.AGENT, *span) for span in theirs] + [Turn(Party.CALLER, *span) for span in ours]
    assert both == list(overlaps(tuple(turns)))


@given(st.lists(st.integers(1, 5), max_size=12), st.lists(st.integers(1, 5), max_size=12))
def test_overlaps_are_what_counting_by_hand_finds(ours: list[int], theirs: list[int]) -> None:
    """Lengths of speech and pause in turn; the hand counts whole seconds in which both speak."""
    turns, seconds = [], []
    for party, lengths in ((Party.CALLER, ours), (Party.AGENT, theirs)):
        edges = np.cumsum([0, *lengths]).tolist()
        spans = list(zip(edges[0::2], edges[1::2], strict=False))
        turns += [Turn(party, start, end) for start, end in spans]
        seconds.append({second for start, end in spans for second in range(start, end)})
    assert len(seconds[0] & seconds[1]) == sum(end - start for start, end in overlaps(tuple(turns)))
