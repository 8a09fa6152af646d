"""The strings that stand below the attributes of a class, which Python itself does not keep."""

# ruff: noqa: INP001 - a script beside the pages, not a package
from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise


def attribute_docs(owner: type) -> dict[str, str]:
    """Attribute of a class to its words, on one line."""
    return _described(_tree(owner).body)


def instance_docs(owner: type) -> dict[str, str]:
    """What ``__init__`` sets and describes: ``self.name = ...`` with a string below."""
    for node in _tree(owner).body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return {name: words for name, words in _described(node.body).items() if not name.startswith("_")}
    return {}


def _tree(owner: type) -> ast.ClassDef:
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
    assert isinstance(tree, ast.ClassDef)
    return tree


def _described(body: list[ast.stmt]) -> dict[str, str]:
    found = {}
    for node, after in pairwise(body):
        name = _assigned(node)
        if name and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[name] = " ".join(str(after.value.value).split())
    return found


def _assigned(node: ast.stmt) -> str | None:
    target = (
        node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
    )
    if isinstance(target, ast.Attribute):
        return target.attr
    return target.id if isinstance(target, ast.Name) else None
