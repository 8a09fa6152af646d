"""Every figure of the page has its source in the result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from offhook.simulator.accuracy import TimedLatency, compare
from offhook.simulator.report import render
from offhook.simulator.report.data import Party, Verdict
from offhook.simulator.report.from_result import report_data
from offhook.simulator.result import (
    AgentReport,
    CallFacts,
    Digit,
    EndReason,
    QualityBothWays,
    Result,
    Setup,
    SpeechSpan,
    StreamQuality,
)
from offhook.simulator.segments import Segment
from offhook.simulator.simulation_update import ToolCall, TranscriptEntry
from offhook.simulator.turns import Kind, Utterance, measure


def said(utterance: str, at: float, speaker: str = "AGENT") -> TranscriptEntry:
    """An entry of the agent's transcript."""
    return TranscriptEntry.model_validate(
        {
            "start_offset_ms": round(1000 * at),
            "end_offset_ms": round(1000 * at) + 500,
            "speaker": speaker,
            "utterance": utterance,
        }
    )


def result(
    agent_speech: list[Segment], *ours: Utterance, reason: EndReason = EndReason.COMPLETED, **parts: Any
) -> Result:
    """Of a call of 20 s."""
    spoken = measure(ours, agent_speech, answered_instant=0.0, ended_instant=20.0)
    spans = [
        SpeechSpan(speaker="USER", start_s=u.start_instant, end_s=u.end_instant, kind=u.kind.value, text=u.text)
        for u in ours
    ]
    spans += [SpeechSpan(speaker="AGENT", start_s=s.start_instant, end_s=s.end_instant) for s in spoken.agent_speech]
    facts = CallFacts(
        uri="sip:a@b",
        result_id="42",
        codec="PCMU",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        duration_ms=20_000.0,
        end_reason=reason,
    )
    return Result(
        call=facts,
        setup=Setup(setup_ms=120.0, ttfa_ms=500.0),
        turns=list(spoken.turns),
        metrics=spoken.metrics,
        speech=sorted(spans, key=lambda span: span.start_s),
        barge_ins=[turn.barge_in for turn in spoken.turns if turn.barge_in],
        **parts,
    )


GREETING, ANSWER = Segment(0.5, 2.0), Segment(4.8, 6.0)
QUESTION = Utterance("where is it", 3.0, 4.0)


class TestVerdict:
    """A conversation passes when it came to its end and the agent answered."""

    @pytest.mark.parametrize(
        ("reason", "speech", "verdict"),
        [
            (EndReason.COMPLETED, [GREETING, ANSWER], Verdict.PASSED),
            (EndReason.AGENT_HUNG_UP, [GREETING, ANSWER], Verdict.PASSED),
            (EndReason.MAX_DURATION, [GREETING, ANSWER], Verdict.FAILED),
            (EndReason.COMPLETED, [GREETING], Verdict.FAILED),
        ],
        ids=["complete", "the agent hung up", "too long", "never answered"],
    )
    def test_it_is_judged_by_its_end_and_its_answers(
        self, reason: EndReason, speech: list[Segment], verdict: Verdict
    ) -> None:
        """And by nothing else."""
        assert verdict is report_data(result(speech, QUESTION, reason=reason)).verdict

    def test_a_call_without_turns_of_ours_needs_no_answer(self) -> None:
        """Nobody asked."""
        assert Verdict.PASSED is report_data(result([GREETING])).verdict

    def test_a_call_that_was_never_held_failed(self) -> None:
        """There are no figures, and none are shown."""
        held = result([GREETING]).model_copy(update={"metrics": None})
        data = report_data(held)
        assert (Verdict.FAILED, ()) == (data.verdict, data.figures)


class TestTurns:
    """Blocks on the time line."""

    def test_an_answer_bears_its_latency_and_its_words(self) -> None:
        """Measured and true, in seconds; the words are the agent's own, nearest in time."""
        agent = AgentReport(
            transcript=[said("hello", 0.52), said("it is there", 4.81), said("[1.0 s of speech]", 4.8, "USER")]
        )
        truth = compare([TimedLatency(4.8, 800.0)], [TimedLatency(4.79, 790.0)])
        greeting, question, answer = report_data(result([GREETING, ANSWER], QUESTION, agent=agent, truth=truth)).turns
        assert [Party.AGENT, Party.CALLER, Party.AGENT] == [greeting.party, question.party, answer.party]
        assert ("hello", None, "it is there") == (greeting.text, greeting.latency, answer.text)
        assert (0.8, 0.79) == (pytest.approx(answer.latency), pytest.approx(answer.true_latency))

    def test_words_that_are_far_away_are_nobodys(self) -> None:
        """More than half a second is another sentence."""
        (greeting,) = report_data(result([GREETING], agent=AgentReport(transcript=[said("later", 1.2)]))).turns
        assert "" == greeting.text

    def test_an_answer_after_an_obeyed_interruption_is_a_block_of_its_own(self) -> None:
        """The page merges gaps of half a second; the answer 0.4 s after "stop" must not hide in the old sentence."""
        stop = Utterance("stop", 1.5, 1.75)
        blocks = report_data(result([Segment(0.5, 1.7), Segment(2.1, 4.0)], stop)).turns
        assert [(0.5, True), (1.5, False), (2.1, False)] == [(b.start, b.interrupted) for b in blocks]
        assert 0.35 == pytest.approx(blocks[2].latency)

    def test_keys_are_shown_as_keys(self) -> None:
        """In the lane of the caller."""
        (keys,) = report_data(result([], Utterance("47#", 3.0, 4.0, Kind.DTMF))).turns
        assert "keys 47#" == keys.text


class TestTheRest:
    """Figures, tools, keys, media."""

    def test_figures_have_their_n(self) -> None:
        """Answered turns of turns."""
        figures = {f.name: (f.value, f.n) for f in report_data(result([GREETING, ANSWER], QUESTION)).figures}
        assert (800.0, 1) == (pytest.approx(figures["turn_latency p50"][0]), figures["turn_latency p50"][1])
        assert (1, 1) == figures["answered turns"]

    def test_times_are_seconds(self) -> None:
        """The result has milliseconds."""
        data = report_data(result([GREETING]))
        assert (20.0, 0.12, 0.5) == (data.duration, data.setup, data.time_to_first_audio)

    def test_tools_and_keys_are_told(self) -> None:
        """With what went in and came out."""
        agent = AgentReport(tool_calls=[ToolCall(name="t", start_offset_ms=1_500, parameters={"a": 1}, output=None)])
        data = report_data(
            result([GREETING], agent=agent, dtmf=[Digit(digit="4", at_s=1.0, duration_ms=100.0, sent=False)])
        )
        (tool,) = data.tool_calls
        assert ("t", 1.5, '{\n "a": 1\n}', "") == (tool.name, tool.start, tool.parameters, tool.output)
        assert (Party.AGENT, 0.1) == (data.digits[0].party, data.digits[0].duration)

    def test_both_directions_of_the_media_are_told_with_who_counted(self) -> None:
        """What we received, and what the agent's RTCP says of what we sent."""
        quality = QualityBothWays(
            received=StreamQuality(expected=10, received=9, lost=1, loss_pct=10.0),
            sent=StreamQuality(measured_by="peer", expected=10, received=8, lost=2, loss_pct=20.0),
        )
        received, sent = report_data(result([GREETING], quality=quality)).quality
        assert (Party.AGENT, 1, Party.CALLER, 2) == (received.party, received.lost, sent.party, sent.lost)

    def test_the_page_can_be_drawn_of_it(self) -> None:
        """With sound and without."""
        sound = np.zeros((8_000, 2), np.int16)
        assert "data:audio/wav" in render(report_data(result([GREETING, ANSWER], QUESTION), sound))
        assert "where is it" in render(report_data(result([GREETING, ANSWER], QUESTION)))
