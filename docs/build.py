"""Renew the pages that are made from the code; ``make docs`` runs it.

::

    python docs/build.py             # write what has changed, and name it
    python docs/build.py --check     # write nothing; exit 1 when a page is out of date

A page is prose with one part between two marks, which is made anew. Only the schema is a file of its own.
"""

# ruff: noqa: INP001 - a script beside the pages, not a package
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import limits_page
import names_page
import options_page
import schema_page
import state_tables

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parent
BEGIN = "<!-- made by docs/build.py: begin -->\n"
END = "<!-- made by docs/build.py: end -->\n"

PARTS: dict[str, Callable[[], str]] = {
    "reference/command-line.md": options_page.render,
    "reference/limits.md": limits_page.render,
    "reference/python-api.md": names_page.render,
    "reference/result-json.md": schema_page.render,
}


def between_marks(page: str, part: str) -> str:
    """The page with ``part`` between its marks.

    Raises:
        ValueError: the page does not bear both marks in order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page must hold the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{part}\n{END}{after}"


def pages() -> dict[Path, str]:
    """Every page that is made, as it should be."""
    made = {DOCS / name: between_marks(_read(DOCS / name), render()) for name, render in PARTS.items()}
    made[DOCS / "reference" / "result.schema.json"] = schema_page.schema_text()
    transactions = DOCS / "explanation" / "transactions.md"
    made[transactions] = state_tables.renew(_read(transactions))
    return made


def out_of_date() -> dict[Path, str]:
    """Those that are not as they should be."""
    return {path: text for path, text in pages().items() if not path.exists() or _read(path) != text}


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write or check; gives the exit code."""
    stale = out_of_date()
    for path, text in stale.items():
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'out of date' if '--check' in arguments else 'written'}: {path.relative_to(DOCS.parent)}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
