"""What a person sees in the terminal: what goes on, and what came of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from offhook.simulator.distribution import Distribution
from offhook.simulator.result import Result


class Narrator:
    """Prints what goes on, with the seconds since it began."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._start = time.monotonic()

    def __call__(self, text: str) -> None:
        """Print one line."""
        elapsed = time.monotonic() - self._start
        self._console.print(Text(f"{elapsed:6.1f}s  ", style="dim") + Text(text))


def show_result(result: Result, folder: Path) -> None:
    """Print turns and figures of a call, and where its files lie."""
    console = Console(highlight=False)
    console.print()
    console.print(_turns(result))
    console.print(_figures(result))
    if result.truth is not None:
        console.print(Text(f"Truth: {result.truth.sentence}", style="bold"))
    console.print(f"Artefacts: {folder}/  ({', '.join(sorted([*result.artefacts.values(), 'result.json']))})")
    console.print(f"Report:    {(folder / 'report.html').resolve().as_uri()}", soft_wrap=True)
    sys.stdout.flush()


def _turns(result: Result) -> Table:
    table = Table(title="Turns", title_justify="left", title_style="bold")
    table.add_column("at", justify="right")
    table.add_column("caller")
    table.add_column("latency", justify="right")
    table.add_column("truth", justify="right")
    table.add_column("error", justify="right")
    table.add_column("barge-in stop", justify="right")
    errors = {round(error.response_s, 3): error for error in result.truth.errors} if result.truth else {}
    for turn in result.turns:
        error = errors.get(round(turn.response_s, 3)) if turn.response_s is not None else None
        stop = turn.barge_in.stop_ms if turn.barge_in is not None else None
        table.add_row(
            f"{turn.start_s:.1f} s",
            Text(f"keys {turn.text}" if turn.kind == "dtmf" else turn.text),
            _ms(turn.latency_ms) if turn.no_latency is None else "-",
            _ms(error.true_ms if error else None),
            f"{error.error_ms:+.1f} ms" if error else "-",
            _ms(stop),
        )
    return table


def _figures(result: Result) -> Text:
    lines = []
    metrics, received = result.metrics, result.quality.received
    lines.append(
        f"Setup {_ms(result.setup.setup_ms)}, time to first audio {_ms(result.setup.ttfa_ms)}, codec {result.call.codec or '-'}, "
        f"{result.call.end_reason.value}"
    )
    if metrics is not None:
        lines.append(f"Turn latency    {_spread(metrics.turn_latency_ms)}")
        lines.append(f"Barge-in stop   {_spread(metrics.barge_in_stop_ms)}")
        share = f"{metrics.agent_talk_share:.0%}" if metrics.agent_talk_share is not None else "-"
        lines.append(
            f"Agent talks     {share} of the call; overlap {metrics.overlap_ms:.0f} ms, silence {metrics.silence_ms:.0f} ms"
        )
    if received is not None:
        mos = (
            f"{received.mos_cqe.mean:.2f}"
            if received.mos_cqe is not None and received.mos_cqe.mean is not None
            else "-"
        )
        jitter = (
            f"{received.jitter_ms.max:.1f}"
            if received.jitter_ms is not None and received.jitter_ms.max is not None
            else "-"
        )
        lines.append(
            f"Media           loss {received.loss_pct:.2f} % (n={received.expected}), late {received.late}, "
            f"jitter max {jitter} ms, mos_cqe {mos} (E-model estimate)"
        )
    lines.append(
        f"Agent's report  {len(result.agent.tool_calls)} tool calls, {len(result.agent.events)} events, "
        f"{len(result.agent.transcript)} transcript entries, {result.agent.posts} post(s)"
    )
    return Text("\n".join(lines))


def _spread(values: Distribution) -> str:
    if not values.n:
        return "none measured (n=0)"
    return f"p50 {values.p50:.0f} ms, p95 {values.p95:.0f} ms, max {values.max:.0f} ms (n={values.n})"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
