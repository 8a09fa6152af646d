"""What a person sees in the terminal: what goes on, and what came of it.

At a terminal the turns are a table that fits its width; in a pipe each turn is one plain line. Each figure has its n beside it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from offhook.ladder import visible
from offhook.simulator.accuracy import TurnError
from offhook.simulator.distribution import Distribution
from offhook.simulator.result import EndReason, Result
from offhook.simulator.turns import Turn

NARROW: Final = 64  # columns; below them the error is left out, which can be seen from latency and truth
LEAST: Final = 8  # columns of the caller's words, however narrow the terminal
_WELL: Final = frozenset({EndReason.COMPLETED, EndReason.AGENT_HUNG_UP})


class Narrator:
    """Prints what goes on to stderr, with the seconds since it began."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._start = time.monotonic()

    def __call__(self, text: str) -> None:
        """Print one line."""
        elapsed = time.monotonic() - self._start
        line = Text(f"{elapsed:6.1f}s  ", style="dim") + Text(visible(text))
        self._console.print(line, soft_wrap=True)


def show_result(result: Result, folder: Path) -> None:
    """Print turns and figures of a call, and where its files lie."""
    console = Console(highlight=False)
    console.print()
    console.print(_headline(result), soft_wrap=True)
    if console.is_terminal:
        console.print(_table(result, console.width))
        console.print(_grid(_figures(result)))
    else:
        for line in (*_lines(result), *(f"{name}: {value}" for name, value in _figures(result))):
            console.print(line, soft_wrap=True, markup=False)
    for reason in _reasons(result):
        console.print(reason, soft_wrap=True, markup=False)
    if result.truth is not None:
        console.print(Text(f"Truth: {result.truth.sentence}", style="bold"), soft_wrap=True)
    files = ", ".join(sorted([*result.artefacts.values(), "result.json"]))
    console.print(f"\nArtefacts: {folder}/ ({files})", soft_wrap=True, markup=False)
    console.print(f"Report:    {(folder / 'report.html').resolve().as_uri()}", soft_wrap=True, markup=False)
    sys.stdout.flush()


def _headline(result: Result) -> Text:
    call = result.call
    well = call.end_reason in _WELL
    length = f" after {call.duration_ms / 1000:.1f} s" if call.duration_ms is not None else ""
    detail = f" ({visible(call.end_detail)})" if call.end_detail and not well else ""
    mark = Text("✓ " if well else "✗ ", style="bold green" if well else "bold red")
    return mark + Text(f"{visible(call.codec) or 'no media'}{length}: {call.end_reason.value}{detail}")


def _table(result: Result, width: int) -> Table:
    """The turns; what the caller said is cut to the room that the figures leave."""
    errors = _errors(result)
    headings = ["at", "the caller's turn", "latency", "truth", "error", "stop"]
    rows = [_row(turn, _error_of(turn, errors)) for turn in result.turns]
    if width < NARROW:
        headings.remove("error")
        rows = [[*row[:4], row[5]] for row in rows]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
    between = 3 * (len(headings) - 1) + 2  # columns that rich draws nothing in
    room = max(LEAST, width - between - sum(widths) + widths[1])
    for number, heading in enumerate(headings):
        table.add_column(
            heading, justify="left" if number == 1 else "right", no_wrap=True, min_width=min(widths[number], room)
        )
    for row in rows:
        table.add_row(*(_cut(cell, room) for cell in row))
    return table


def _cut(text: str, width: int) -> Text:
    cell = Text(text)
    cell.truncate(width, overflow="ellipsis")
    return cell


def _row(turn: Turn, error: TurnError | None) -> list[str]:
    return [
        f"{turn.start_s:.1f} s",
        _words(turn),
        _ms(turn.latency_ms),
        _ms(error.true_ms if error else None),
        f"{error.error_ms:+.1f} ms" if error else "-",
        _stop(turn),
    ]


def _lines(result: Result) -> list[str]:
    errors = _errors(result)
    lines = []
    for turn in result.turns:
        error = _error_of(turn, errors)
        truth = f", truth {error.true_ms:.1f} ms, error {error.error_ms:+.1f} ms" if error else ""
        stop = f", barge-in stop {_stop(turn)}" if turn.barge_in is not None else ""
        lines.append(f"turn at {turn.start_s:.1f} s: latency {_ms(turn.latency_ms)}{truth}{stop}: {_words(turn)}")
    return lines


def _reasons(result: Result) -> list[str]:
    """Why a figure is missing."""
    reasons = []
    for turn in result.turns:
        no_stop = turn.barge_in.no_stop if turn.barge_in is not None else None
        missing = (("latency", turn.no_latency), ("stop", no_stop))
        reasons += [f"turn at {turn.start_s:.1f} s: no {what}: {why.value}" for what, why in missing if why is not None]
    return reasons


def _errors(result: Result) -> dict[float, TurnError]:
    return {round(error.response_s, 3): error for error in result.truth.errors} if result.truth else {}


def _error_of(turn: Turn, errors: dict[float, TurnError]) -> TurnError | None:
    return errors.get(round(turn.response_s, 3)) if turn.response_s is not None else None


def _words(turn: Turn) -> str:
    return visible(f"keys {turn.text}" if turn.kind == "dtmf" else turn.text)


def _stop(turn: Turn) -> str:
    return _ms(turn.barge_in.stop_ms) if turn.barge_in is not None else "-"


def _grid(figures: list[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, value in figures:
        grid.add_row(name, Text(value))
    return grid


def _figures(result: Result) -> list[tuple[str, str]]:
    metrics, received = result.metrics, result.quality.received
    figures = [("Setup", f"{_ms(result.setup.setup_ms)}, time to first audio {_ms(result.setup.ttfa_ms)} (n=1)")]
    if metrics is not None:
        answered = f"{metrics.answered_turns} of {metrics.turns} turns answered"
        figures.append(("Turn latency", f"{_spread(metrics.turn_latency_ms)}, {answered}"))
        figures.append(("Barge-in stop", _spread(metrics.barge_in_stop_ms)))
        share = f"{metrics.agent_talk_share:.0%}" if metrics.agent_talk_share is not None else "-"
        figures.append(
            ("Agent talks", f"{share} of the call; overlap {_s(metrics.overlap_ms)}, silence {_s(metrics.silence_ms)}")
        )
    if received is not None:
        mos = f"{received.mos_cqe.mean:.2f}" if received.mos_cqe is not None and received.mos_cqe.n else "-"
        jitter = received.jitter_ms
        worst = f"{jitter.max:.1f} ms (n={jitter.n})" if jitter is not None and jitter.n else "-"
        lost = "nothing was received" if received.loss_pct is None else f"loss {received.loss_pct:.2f} %"
        figures.append(("Media", f"{lost}, late {received.late or 0} (n={received.expected}), jitter max {worst}"))
        figures.append(("mos_cqe", f"{mos}, estimated by the E-model"))
    agent = result.agent
    told = f"{len(agent.tool_calls)} tool calls, {len(agent.events)} events, {len(agent.transcript)} transcript entries"
    figures.append(("Agent's report", f"{told} (n={agent.posts} posts)"))
    return figures


def _spread(values: Distribution) -> str:
    if not values.n:
        return "none measured (n=0)"
    if values.n == 1:
        return f"{values.mean:.0f} ms (n=1)"
    return f"p50 {values.p50:.0f}, p95 {values.p95:.0f}, max {values.max:.0f} ms (n={values.n})"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def _s(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s"
