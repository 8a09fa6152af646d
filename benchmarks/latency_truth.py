"""Are the latencies true? The project's own bar: every turn within 20 ms of what the agent knows.

The reference agent answers after 300, 800 and 1,500 ms and logs, on its own wire, when it heard the end of each turn and when
its answer really left. The caller measures the same turns at the other end. Each pair of a codec and a delay is one
conversation with real speech, real sockets and the voice activity detector that tells voice from noise.

A conversation runs in a process of its own, so that those at work beside it cost it no time of its event loop; `--at-once`
says how many do (each takes a fifth of a core). The table gives the error, measured minus true: its mean is the bias, its
standard deviation the noise.

    python benchmarks/latency_truth.py [--turns 20] [--at-once 3]
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from offhook.simulator.cli.demo import hold_demo
from offhook.simulator.script import many_turns

if TYPE_CHECKING:
    from offhook.simulator.accuracy import Accuracy

CODECS: Final = ("PCMU", "PCMA")
DELAYS: Final = (0.3, 0.8, 1.5)  # seconds that the agent thinks
TURNS: Final = 20
BAR_MS: Final = 20.0  # one packet: what a listener without a buffer cannot tell apart


class Case(NamedTuple):
    """One conversation."""

    codec: str
    delay: float
    turns: int


class Outcome(NamedTuple):
    """What came of it."""

    case: Case
    truth: Accuracy | None
    measured_turns: int
    end: str
    late_ms: float | None
    "How much later than its delay the agent really answered, mean: its clock's tick and the machine's load."

    @property
    def passed(self) -> bool:
        """Every turn was measured and logged, and none is off by more than the bar."""
        truth = self.truth
        return (
            truth is not None
            and truth.n == self.case.turns == self.measured_turns
            and truth.max_abs_error_ms is not None
            and truth.max_abs_error_ms <= BAR_MS
        )


def hold(case: Case) -> Outcome:
    """Hold one conversation, in this process."""
    with tempfile.TemporaryDirectory(prefix="offhook-truth-") as folder:
        work = hold_demo(Path(folder), case.delay, (case.codec,), many_turns(case.turns), "Ada", lambda _: None)
        result = asyncio.run(work)
    truth = result.truth
    late = truth.true_mean_ms - 1000.0 * case.delay if truth is not None and truth.true_mean_ms is not None else None
    return Outcome(case, truth, len(result.turns), result.call.end_reason.value, late)


def line(outcome: Outcome) -> str:
    """A row of the table."""
    case, truth = outcome.case, outcome.truth
    verdict = "PASS" if outcome.passed else f"FAIL ({outcome.end})"
    if truth is None:
        return f"{case.codec:6}{case.delay * 1000:7.0f} ms{0:5d}{'-':>12}{'-':>12}{'-':>12}{'-':>12}  {verdict}"
    figures = (truth.mean_error_ms, truth.error_sd_ms, truth.max_abs_error_ms, outcome.late_ms)
    cells = "".join(f"{'-':>12}" if value is None else f"{value:9.2f} ms" for value in figures)
    return f"{case.codec:6}{case.delay * 1000:7.0f} ms{truth.n:5d}{cells}  {verdict}"


def main() -> int:
    """Run all cases and print the table; 1 when one fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--turns", type=int, default=TURNS, help="turns of each conversation")
    parser.add_argument(
        "--at-once", type=int, default=3 * (os.cpu_count() or 2) // 2, help="conversations at the same time"
    )
    wish = parser.parse_args()
    cases = [Case(codec, delay, wish.turns) for delay in DELAYS for codec in CODECS]
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {wish.at_once} conversations at a time, bar {BAR_MS:g} ms"
    )
    print(f"{'codec':6}{'delay':>10}{'n':>5}{'mean error':>12}{'sd':>12}{'max |error|':>12}{'agent late':>12}  verdict")
    began = time.monotonic()
    outcomes = []
    with ProcessPoolExecutor(wish.at_once, multiprocessing.get_context("spawn")) as processes:
        for outcome in processes.map(hold, cases):
            outcomes.append(outcome)
            print(line(outcome), flush=True)
    failed = [outcome for outcome in outcomes if not outcome.passed]
    turns = sum(outcome.truth.n for outcome in outcomes if outcome.truth)
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} pass, n={turns} turns, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
