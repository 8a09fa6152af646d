"""The command that everybody tries first: a conversation on loopback, judged by strangers and by its own agent's log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.browser import opened
from support.dissector import FAULTS, streams, tshark
from support.offhook_command import offhook
from support.processes import running

from offhook.simulator.result import EndReason, Result

if TYPE_CHECKING:
    from pathlib import Path

TURNS, DELAY = 3, 0.3
LARGEST_ERROR_MS = 20.0
"""One packet: what we measure on the wire and what the agent knows of itself may differ by no more."""
WITHIN = 90.0
"""Seconds for a conversation of fifteen."""


class Demo(NamedTuple):
    """A run of the demo."""

    exit_code: int
    folder: Path
    result: Result


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Three questions and their answers."""
    out = tmp_path_factory.mktemp("demo")
    with running(offhook("demo", "--turns", str(TURNS), "--delay", str(DELAY), "--out", str(out)), out) as program:
        code = program.wait(WITHIN)
    [path] = out.glob("*/result.json")
    return Demo(code, path.parent, Result.load(path))


def test_the_demo_succeeds_and_leaves_a_valid_result(demo: Demo) -> None:
    """The conversation came to its own end."""
    assert 0 == demo.exit_code
    assert EndReason.COMPLETED is demo.result.call.end_reason


def test_every_turn_is_measured_as_the_agent_knows_it(demo: Demo) -> None:
    """Latencies seen on the wire against those that the agent logged, turn by turn."""
    assert demo.result.truth is not None
    errors = [error.error_ms for error in demo.result.truth.errors]
    assert TURNS == len(errors)
    assert [] == [error for error in errors if abs(error) > LARGEST_ERROR_MS]


def test_every_artefact_that_the_result_names_is_there(demo: Demo) -> None:
    """And none is empty."""
    sizes = {name: (demo.folder / name).stat().st_size for name in demo.result.artefacts.values()}
    assert {"recording", "capture", "ladder", "report"} <= set(demo.result.artefacts)
    assert 0 < min(sizes.values())


def test_wireshark_finds_no_fault_in_the_capture(demo: Demo) -> None:
    """Two streams, both without loss, and not one malformed packet."""
    capture = demo.folder / demo.result.artefacts["capture"]
    assert [] == tshark(capture, "-Y", FAULTS)
    assert [0, 0] == [stream.lost for stream in streams(capture)]


def test_the_report_opens_in_a_browser_without_complaint(demo: Demo, tmp_path: Path) -> None:
    """Its script runs to its end, and the console stays empty."""
    page = opened(demo.folder / demo.result.artefacts["report"], tmp_path)
    assert 'data-ready="true"' in page.dom
    assert [] == page.console
