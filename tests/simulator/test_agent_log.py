"""What the reference agent remembers, and what of it can be posted."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.simulator.agent_log import MAX_LOGGED, TRUTH, AgentLog
from offhook.simulator.simulation_update import MAX_ID_CHARACTERS


@pytest.fixture
def log() -> AgentLog:
    """Of a call that was answered at 100 s."""
    log = AgentLog("42")
    log.begin(100.0)
    return log


def test_offsets_count_from_the_answer_in_milliseconds(log: AgentLog) -> None:
    """Of tools, events and speech alike."""
    log.tool_called("t", {}, None, at=101.2345)
    log.happened("e", at=102.0, description="d")
    log.spoke("AGENT", "hello", 103.0, 104.5)
    update = log.update({})
    assert 1_234 == update.tool_calls[0].start_offset_ms
    assert 2_000 == update.events[0].start_offset_ms
    assert (3_000, 4_500) == (
        update.recorded_transcript[0].start_offset_ms,
        update.recorded_transcript[0].end_offset_ms,
    )


def test_what_happened_before_the_answer_is_at_zero(log: AgentLog) -> None:
    """The field's offsets are not negative."""
    log.tool_called("t", {}, None, at=99.0)
    assert 0 == log.update({}).tool_calls[0].start_offset_ms


def test_the_truth_stands_in_the_metadata(log: AgentLog) -> None:
    """To the microsecond, beside what else is told."""
    log.answered_turn(heard_end=101.0, first_sample=101.8005)
    expected = [{"heard_end_s": 1.0, "response_s": 1.8005, "latency_ms": 800.5}]
    assert {"delay_s": 0.8, TRUTH: expected, "left_out": 0} == log.update({"delay_s": 0.8}).metadata


@pytest.mark.parametrize("output", [object(), {"a": {1, 2}}, b"octets"], ids=["object", "set inside", "octets"])
def test_a_tools_output_that_is_no_json_is_told_as_that(log: AgentLog, output: Any) -> None:
    """It stops neither the call nor the report."""
    log.tool_called("t", {}, output, at=101.0)
    assert log.update({}).tool_calls[0].output["error"].startswith("no JSON: ")


def test_an_output_that_holds_itself_is_no_json(log: AgentLog) -> None:
    """Nor does it end in a recursion."""
    endless: list[Any] = []
    endless.append(endless)
    log.tool_called("t", {}, endless, at=101.0)
    assert {"error": "no JSON: [[...]]"} == log.update({}).tool_calls[0].output


def test_each_kind_has_a_limit(log: AgentLog) -> None:
    """One beyond it of each kind is counted, not kept."""
    for _ in range(MAX_LOGGED + 1):
        log.tool_called("t", {}, None, at=101.0)
        log.happened("e", at=101.0)
        log.spoke("USER", "x", 101.0, 102.0)
        log.answered_turn(101.0, 102.0)
    update = log.update({})
    assert 4 == log.left_out == update.metadata["left_out"]
    assert [MAX_LOGGED] * 3 == [len(update.tool_calls), len(update.events), len(update.recorded_transcript)]


@pytest.mark.parametrize("result_id", ["x" * (MAX_ID_CHARACTERS + 1), "a\udc80"], ids=["too long", "no text"])
def test_a_strange_id_stops_no_report(result_id: str) -> None:
    """It will join no call, but the report can be written."""
    assert len(AgentLog(result_id).update({}).simulation_result_id) <= MAX_ID_CHARACTERS
