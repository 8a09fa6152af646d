"""The pages tell the truth: those made from the code are up to date, and what they point to exists."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]
SCRIPTS = (
    "attribute_docs",
    "build",
    "limits_page",
    "names_page",
    "options_page",
    "rooms",
    "schema_page",
    "state_tables",
)


@pytest.fixture(scope="module")
def build() -> Iterator[ModuleType]:
    """The script that makes the pages, with its neighbours importable as when it is run."""
    sys.path.insert(0, str(DOCS))
    try:
        yield importlib.import_module("build")
    finally:
        sys.path.remove(str(DOCS))
        for name in SCRIPTS:
            sys.modules.pop(name, None)


def text_of(name: str) -> str:
    """One reference page."""
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


# --- made from the code ---------------------------------------------------------------------------------------------


def test_every_page_that_is_made_from_the_code_is_up_to_date(build: ModuleType) -> None:
    """If this fails: ``make docs``, and commit what it wrote."""
    assert [] == [path.name for path in build.out_of_date()]


def test_the_python_page_has_every_public_name(build: ModuleType) -> None:
    """Each ``__all__`` of each package is a section, name by name."""
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text_of("python-api.md"), re.MULTILINE | re.DOTALL))
    for package in build.names_page.packages():
        for name in importlib.import_module(package).__all__:
            assert f"| `{name}` |" in sections[package], f"{package}.{name}"


def test_the_limits_page_has_every_named_limit(build: ModuleType) -> None:
    """Counted another way than the page is made: by the lines that begin with a limit's name."""
    written = re.compile(r"^(MAX|MIN|LONGEST)_[A-Z0-9_]+(: [^=]+)? = ", re.MULTILINE)
    count = sum(len(written.findall((ROOT / path).read_text(encoding="utf-8"))) for path in build.limits_page.sources())
    assert count == len(re.findall(r"^\| `(?:MAX|MIN|LONGEST)_", text_of("limits.md"), re.MULTILINE))


def test_the_command_line_page_has_every_option_that_help_shows() -> None:
    """As a newcomer sees them in ``offhook COMMAND --help``."""
    from typer.testing import CliRunner  # noqa: PLC0415

    from offhook.simulator.cli.app import app  # noqa: PLC0415

    page = text_of("command-line.md")
    for command in ("answer", "call", "demo"):
        shown = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        section = page.partition(f"## offhook {command}\n")[2].partition("\n## ")[0]
        for option in set(re.findall(r"│ (--[a-z-]+)", shown)) - {"--help"}:
            assert f"`{option}`" in section, f"{command} {option}"


def test_the_result_page_explains_every_field_of_the_schema(build: ModuleType) -> None:
    """With words and not with a name alone."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]*) \|$", text_of("result-json.md"), re.MULTILINE)
    described = build.schema_page.schema()
    parts = [described, *[part for part in described["$defs"].values() if "properties" in part]]
    assert sum(len(part["properties"]) for part in parts) == len(rows)
    assert [] == [name for name, _, meaning in rows if not meaning.strip()]


def test_a_page_without_the_marks_is_refused(build: ModuleType) -> None:
    """Rather than left as it is."""
    with pytest.raises(ValueError, match="must hold the lines"):
        build.between_marks("# A page", "made")


def test_check_writes_nothing_and_says_what_is_out_of_date(
    build: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``python docs/build.py --check`` exits with 1; without ``--check`` the page is written."""
    page = tmp_path / "page.md"
    monkeypatch.setattr(build, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(build, "pages", lambda: {page: "made"})
    assert 1 == build.main(["--check"])
    assert not page.exists()
    assert 0 == build.main([])
    assert "made" == page.read_text(encoding="utf-8")
    assert 0 == build.main(["--check"])
    assert "out of date: page.md\nwritten: page.md\n" == capsys.readouterr().out


# --- what the pages point to ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    """Files and folders; anchors are the reader's."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert [] == broken


def test_every_test_that_proves_a_section_of_an_rfc_exists() -> None:
    """docs/rfc-coverage.md names them in backquotes."""
    page = (DOCS / "rfc-coverage.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[^`]+)`", page)
    assert named
    assert [] == [path for path in named if not (ROOT / path).exists()]
