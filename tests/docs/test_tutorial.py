"""The tutorial works as it is shown: its prompts are typed, its program is run, its blocks of Python are Python."""

from __future__ import annotations

import ast
import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_what_is_typed_at_the_prompt_answers_as_shown() -> None:
    """All prompts of the page, in one session."""
    session = "\n".join(blocks(TUTORIAL, "pycon"))
    test = doctest.DocTestParser().get_doctest(session, {}, "tutorial", str(TUTORIAL), 0)
    said: list[str] = []
    outcome = doctest.DocTestRunner().run(test, out=said.append)
    assert len(test.examples) > 40
    assert 0 == outcome.failed, "".join(said)


@pytest.mark.real_network
def test_the_first_call_is_heard(tmp_path: Path) -> None:
    """The program of step 5, saved and run."""
    [program] = blocks(TUTORIAL, "python")
    path = tmp_path / "first_call.py"
    path.write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=30, check=False)
    assert "" == done.stderr
    assert "440 Hz in it: True\nPCMU: loss 0.00%" in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_python_can_be_compiled(page: Path) -> None:
    """With ``await`` at its top, as ``python -m asyncio`` takes it."""
    for block in blocks(page, "python"):
        compile(block, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
