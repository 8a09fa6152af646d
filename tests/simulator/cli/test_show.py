"""What a person sees: it fits the terminal, and is plain in a pipe."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offhook.simulator.accuracy import TimedLatency, compare
from offhook.simulator.cli.show import Narrator, show_result
from offhook.simulator.result import CallFacts, EndReason, Result
from offhook.simulator.segments import Segment
from offhook.simulator.turns import Kind, Utterance, measure

FOLDER = Path("/results/demo-1")
OURS = [
    Utterance("Hello, I would like to know where my order is, please, if that is possible.", 3.0, 4.0),
    Utterance("Stop.", 6.0, 6.5),
    Utterance("47#", 12.0, 12.4, Kind.DTMF),
]
THEIRS = [Segment(0.5, 2.0), Segment(4.8, 6.2), Segment(7.3, 8.0)]


def result(reason: EndReason = EndReason.COMPLETED, detail: str = "") -> Result:
    """Of a conversation whose keys nobody answered."""
    spoken = measure(OURS, THEIRS, answered_instant=0.0, ended_instant=20.0)
    facts = CallFacts(
        uri="sip:a@b",
        result_id="1",
        codec="PCMU",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        duration_ms=20_000.0,
        end_reason=reason,
        end_detail=detail,
    )
    truth = compare(
        [TimedLatency(t.response_s, t.latency_ms) for t in spoken.turns if t.response_s and t.latency_ms],
        [TimedLatency(4.8, 795.0)],
    )
    return Result(call=facts, turns=list(spoken.turns), metrics=spoken.metrics, truth=truth)


def shown(capsys: pytest.CaptureFixture[str], what: Result) -> list[str]:
    """Lines on stdout, without bold and dim."""
    show_result(what, FOLDER)
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Of 80 columns, without colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return monkeypatch


class TestPipe:
    """Plain lines, one for each turn, however long."""

    def test_each_turn_is_a_line_with_latency_and_truth(self, capsys: pytest.CaptureFixture[str]) -> None:
        """And the whole text."""
        lines = shown(capsys, result())
        assert f"turn at 3.0 s: latency 800 ms, truth 795.0 ms, error +5.0 ms: {OURS[0].text}" in lines
        assert "turn at 6.0 s: latency 800 ms, barge-in stop 200 ms: Stop." in lines
        assert "turn at 12.0 s: latency -: keys 47#" in lines

    def test_what_is_missing_has_its_reason(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A dash alone would be a riddle."""
        assert "turn at 12.0 s: no latency: the call ended before the agent answered" in shown(capsys, result())

    def test_every_rate_has_its_n(self, capsys: pytest.CaptureFixture[str]) -> None:
        """One, some, and none."""
        lines = "\n".join(shown(capsys, result()))
        assert "max 800 ms (n=2), 2 of 3 turns answered" in lines
        assert "Barge-in stop: 200 ms (n=1)" in lines

    def test_the_files_are_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With an address that a terminal opens."""
        assert "Report:    file:///results/demo-1/report.html" == shown(capsys, result())[-1]

    def test_a_call_that_was_not_held_is_told_with_its_end(self, capsys: pytest.CaptureFixture[str]) -> None:
        """No turns, no figures of a conversation; a stranger's words do not command the terminal."""
        empty = result(EndReason.REJECTED, "486 Busy\x1b[2J").model_copy(
            update={"turns": [], "metrics": None, "truth": None}
        )
        lines = shown(capsys, empty)
        assert "✗ PCMU after 20.0 s: the call was refused (486 Busy\\x1b[2J)" in lines
        assert not any(line.startswith(("turn", "Turn", "Truth")) for line in lines)


class TestTerminal:
    """A table that fits."""

    @pytest.mark.parametrize("columns", [80, 100, 60])
    def test_no_line_is_wider_than_the_terminal(
        self, terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
    ) -> None:
        """Long texts end in an ellipsis; each turn is one line; the paths below may run on."""
        terminal.setenv("COLUMNS", str(columns))
        table = [line for line in shown(capsys, result()) if " s   " in line]
        assert max(len(line.rstrip()) for line in table) <= columns
        assert 1 == sum("Hello, I" in line for line in table)
        assert "…" in next(line for line in table if "Hello" in line) or columns == 100

    @pytest.mark.parametrize(("columns", "has_error"), [(80, True), (60, False)])
    def test_a_narrow_terminal_leaves_the_error_out(
        self, terminal: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int, has_error: bool
    ) -> None:
        """Latency and truth stand beside each other all the same."""
        terminal.setenv("COLUMNS", str(columns))
        text = "\n".join(shown(capsys, result()))
        assert has_error is ("+5.0 ms" in text)
        assert "795 ms" in text


class TestNarrator:
    """What goes on."""

    def test_it_speaks_on_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With the seconds since it began, in one line however long; nothing of it is taken for markup or for commands."""
        text = "[bold]ringing\x1b[2J" + "x" * 200
        Narrator()(text)
        said = capsys.readouterr()
        assert "" == said.out
        assert "   0.0s  [bold]ringing\\x1b[2J" + "x" * 200 + "\n" == said.err
