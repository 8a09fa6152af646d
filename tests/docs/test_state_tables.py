"""The page on transactions shows the tables that the code runs by."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "explanation" / "transactions.md"


@pytest.fixture(scope="module")
def state_tables() -> ModuleType:
    """The script, imported as a module."""
    spec = importlib.util.spec_from_file_location("state_tables", DOCS / "state_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_what_the_code_does(state_tables: ModuleType) -> None:
    """If this fails: python docs/state_tables.py docs/explanation/transactions.md."""
    page = PAGE.read_text(encoding="utf-8")
    assert state_tables.renew(page) == page


def test_every_cell_of_every_machine_is_shown(state_tables: ModuleType) -> None:
    """What is done stands in a row of its own, with the words of its action."""
    text = state_tables.render()
    for _, machine in state_tables.MACHINES:
        for (state, stimulus), cell in machine.TRANSITIONS.items():
            assert f"| {state} | {stimulus} | {cell.state} | {state_tables._words(cell)} |" in text
            assert state_tables._words(cell)


def test_every_reason_to_ignore_something_is_shown(state_tables: ModuleType) -> None:
    """In the words of the enumeration."""
    text = state_tables.render()
    for _, machine in state_tables.MACHINES:
        assert all(str(drop) in text for drop in machine.IGNORED.values())


def test_a_page_without_the_marks_is_refused(state_tables: ModuleType) -> None:
    """Rather than left as it is."""
    with pytest.raises(ValueError, match="must hold the lines"):
        state_tables.renew("# Transactions")
