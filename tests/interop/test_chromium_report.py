"""A real browser opens the report from a disk: it draws, complains about nothing, and runs nothing that is not ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.browser import Opened, opened
from support.sample_report import IMAGE, SCRIPT, sample_report

from offhook.simulator.report import ReportData, Verdict, render

if TYPE_CHECKING:
    from pathlib import Path


def shown(html: str, folder: Path) -> Opened:
    """A page, written to disk and opened."""
    path = folder / "report.html"
    path.write_text(html, encoding="utf-8")
    return opened(path, folder / "profile")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """The sample call, which is full of hostile strings."""
    return shown(render(sample_report()), tmp_path_factory.mktemp("report"))


def test_the_script_runs_to_its_end_and_the_console_stays_empty(page: Opened) -> None:
    """Neither an error nor a refusal of the page's own policy."""
    assert 'data-ready="true"' in page.dom
    assert [] == page.console


def test_the_waveform_is_drawn_with_its_marks(page: Opened) -> None:
    """Two voices, seven turns, four latencies, one barge-in, two tools, three keys."""
    drawing = page.dom[page.dom.index('id="scroller"') : page.dom.index('class="legend"')]
    counts = {name: drawing.count(f'class="{name}"') for name in ("wave", "bracket", "barge-in", "tool", "digit")}
    assert {"wave": 2, "bracket": 4, "barge-in": 1, "tool": 2, "digit": 3} == counts
    assert 7 == len(re.findall(r'class="turn[" ]', drawing))


def test_hostile_strings_run_nothing(page: Opened) -> None:
    """The title is what we wrote, no image was made, and both strings can be read."""
    assert "<title>Book a table, with second thoughts · failed · Offhook</title>" in page.dom
    assert "<img" not in page.dom.partition('<script type="application/json"')[0]
    assert "&lt;img src=x onerror=" in page.dom


def test_the_same_strings_do_run_in_a_page_without_our_care(tmp_path: Path) -> None:
    """The twin that shows that the test above can fail."""
    assert "<title>hacked</title>" in shown(f"<title>safe</title><body>{SCRIPT}{IMAGE}", tmp_path).dom


def test_a_call_without_sound_and_turns_opens_as_well(tmp_path: Path) -> None:
    """A call that was never answered."""
    bare = ReportData("No answer", Verdict.FAILED, "sip:agent@127.0.0.1", "1", result_json="{}")
    page = shown(render(bare), tmp_path)
    assert 'data-ready="true"' in page.dom
    assert [] == page.console
