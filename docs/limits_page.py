"""The table of limits as Markdown, from the constants that the code obeys.

Each module-level constant whose name begins with ``MAX_``, ``MIN_`` or ``LONGEST_`` is a limit. Its value is read from the
imported module, its unit and reason from the words beside it: the string below, a comment on its lines, or a comment above.
"""

# ruff: noqa: INP001 - a script beside the pages, not a package
from __future__ import annotations

import ast
import importlib
import io
import re
import tokenize
from typing import TYPE_CHECKING, NamedTuple

from rooms import ROOMS, ROOT, module_name, sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IS_LIMIT = re.compile(r"(MAX|MIN|LONGEST)_[A-Z]")


class Limit(NamedTuple):
    """One named limit."""

    name: str
    value: object
    reason: str
    "In the words of the code; empty when it gives none."
    path: str
    "Relative to the project's root."


def limits() -> list[Limit]:
    """All of them: room by room, file by file, in the order in which they are written."""
    return [limit for source in sources() for limit in _of_file(source)]


def _of_file(source: Path) -> Iterator[Limit]:
    text = (ROOT / source).read_text(encoding="utf-8")
    body = ast.parse(text).body
    names = [_assigned(node) for node in body]
    if not any(name is not None and IS_LIMIT.match(name) for name in names):
        return
    module = importlib.import_module(module_name(source))
    comments = _comments(text)
    for name, node, after in zip(names, body, [*body[1:], None], strict=True):
        if name is not None and IS_LIMIT.match(name):
            yield Limit(name, getattr(module, name), _words(node, after, comments), source.as_posix())


def _assigned(node: ast.stmt) -> str | None:
    target = (
        node.target if isinstance(node, ast.AnnAssign) else node.targets[0] if isinstance(node, ast.Assign) else None
    )
    return target.id if isinstance(target, ast.Name) else None


def _words(node: ast.stmt, after: ast.stmt | None, comments: dict[int, tuple[str, bool]]) -> str:
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
        return " ".join(after.value.value.split())
    beside = [
        comments[line][0] for line in range(node.lineno, (node.end_lineno or node.lineno) + 1) if line in comments
    ]
    if beside:
        return " ".join(beside)
    above: list[str] = []
    line = node.lineno - 1
    while line in comments and comments[line][1]:
        above.insert(0, comments[line][0])
        line -= 1
    return " ".join(above)


def _comments(source: str) -> dict[int, tuple[str, bool]]:
    """Line number to the words of its comment, and whether it has the line to itself; words to linters are left out."""
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            words = token.string.lstrip("#").strip()
            if not words.startswith(("noqa", "ruff:", "type:", "fmt:", "--")):
                found[token.start[0]] = (words, not token.line[: token.start[1]].strip())
    return found


def shown(value: object) -> str:
    """A value for people: ``67,108,864``."""
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def render() -> str:
    """One table for each room."""
    parts = []
    everything = limits()
    head = ["| limit | value | unit and reason | file |", "|---|---:|---|---|"]
    for room in ROOMS:
        rows = [_row(limit) for limit in everything if limit.path.startswith(f"{room}/")]
        parts.append("\n".join([f"## {room}/\n", *head, *rows, ""]))
    return "\n".join(parts)


def _row(limit: Limit) -> str:
    reason = limit.reason.replace("|", "/").replace("``", "`")
    return f"| `{limit.name}` | {shown(limit.value)} | {reason} | `{limit.path}` |"
