"""How long a file and a function may be: what has to be scrolled is not read."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("offhook", "codecs", "rtp", "sipcore", "simulator", "benchmarks", "examples", "docs")
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60
MAX_TEST_FILE_LINES = 1_000  # tests are read one by one; beyond this the file they belong to is too large


def sources(*folders: str) -> list[Path]:
    """All Python files below these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def length_of(path: Path) -> int:
    """Lines."""
    return len(path.read_text(encoding="utf-8").splitlines())


def functions_of(path: Path) -> list[tuple[str, int, int]]:
    """Name, first line and length of each function of a file, its docstring included."""
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(f.name, f.lineno, (f.end_lineno or f.lineno) - f.lineno + 1) for f in found if isinstance(f, kinds)]


def test_no_file_is_longer_than_can_be_kept_in_mind() -> None:
    """600 lines; most have a third of it."""
    assert [] == [
        f"{path.relative_to(ROOT)}: {n}" for path in sources(*FOLDERS) if (n := length_of(path)) > MAX_FILE_LINES
    ]


def test_no_function_is_longer_than_a_screen() -> None:
    """60 lines; most have ten."""
    assert [] == [
        f"{path.relative_to(ROOT)}:{line} {name}: {n}"
        for path in sources(*FOLDERS, "tests")
        for name, line, n in functions_of(path)
        if n > MAX_FUNCTION_LINES
    ]


def test_no_file_of_tests_outgrows_what_it_tests() -> None:
    """1,000 lines."""
    found = [
        f"{path.relative_to(ROOT)}: {n}" for path in sources("tests") if (n := length_of(path)) > MAX_TEST_FILE_LINES
    ]
    assert [] == found
