"""The rooms and the arrows between them, read from the source: what must not drift, cannot."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("codecs", "rtp", "simulator", "sipcore")
PURE_ROOMS = ("codecs", "rtp", "sipcore")
IMPURE = frozenset({"asyncio", "random", "secrets", "selectors", "socket", "threading", "time"})
CHECKED = ("offhook", *ROOMS, "tests", "benchmarks", "examples", "docs")

# Tasks are started only where somebody keeps them, sees what they raise, and ends them. Each line says who.
KEEPERS = {
    "offhook/phone.py": "the handlers of incoming calls, in a set until they are done; `close` cancels them",
    "simulator/caller.py": "the watcher for the end of the call, cancelled and awaited where the script ends",
    "simulator/cli/call.py": "narrator, performer and end of the one call, cancelled and awaited where it ends",
    "simulator/cli/demo.py": "the agent's report, in a list; awaited, or cancelled at the end",
    "simulator/conversation.py": "those who watch and sample a call, awaited where it ends",
    "simulator/reference_agent.py": "watching, answering and speaking of one call, cancelled and awaited where it ends",
    "sipcore/aio/names.py": "the look-ups of host names, in a set until they are done; `close` cancels them",
}


@lru_cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file; each is read once."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    """From the root of the project."""
    return path.relative_to(ROOT).as_posix()


def sources(*folders: str) -> list[Path]:
    """All Python files below these folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All that is executed: what stands under `if TYPE_CHECKING:` is not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            yield from (inner for part in node.orelse for inner in (part, *statements(part)))
        else:
            yield node
            yield from statements(node)


def imports_of(path: Path) -> set[str]:
    """The modules that a file imports when it runs, absolute ones by their full names."""
    found: set[str] = set()
    for node in statements(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module or "")
    return found


def all_imports_of(path: Path) -> set[str]:
    """As above, with those for the type checker."""
    nodes = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Import | ast.ImportFrom)]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}


def tasks_started_in(path: Path) -> list[int]:
    """The lines that call `create_task` or `ensure_future`, or name them for somebody else to call."""
    nodes = ast.walk(tree_of(path))
    return sorted(
        node.lineno
        for node in nodes
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) in {"create_task", "ensure_future"}
    )


PURE = [path for path in sources(*PURE_ROOMS) if "aio" not in path.parts]


class TestPurity:
    @pytest.mark.parametrize("path", PURE, ids=name_of)
    def test_pure_modules_know_neither_sockets_nor_clocks_nor_dice(self, path: Path) -> None:
        """Time, dice and octets are arguments (design: pure inside, asyncio outside). This is the proof."""
        assert set() == {name.partition(".")[0] for name in imports_of(path)} & IMPURE

    @pytest.mark.parametrize("path", PURE, ids=name_of)
    def test_pure_modules_know_nothing_of_their_shells(self, path: Path) -> None:
        """The shell knows what it drives, and not the other way round. `__init__` may show both."""
        if path.name == "__init__.py":
            return
        relative = {
            node.module or "" for node in ast.walk(tree_of(path)) if isinstance(node, ast.ImportFrom) and node.level
        }
        assert set() == {name for name in imports_of(path) | relative if "aio" in name.split(".")}


class TestNames:
    @pytest.mark.parametrize("path", sources(*CHECKED), ids=name_of)
    def test_nobody_imports_a_room_by_its_bare_name(self, path: Path) -> None:
        """`import rtp` works from the root, and makes a second copy of every class. `codecs` is the standard library's."""
        assert set() == {name for name in all_imports_of(path) if name.partition(".")[0] in {*ROOMS} - {"codecs"}}

    @pytest.mark.parametrize("path", sources(*CHECKED), ids=name_of)
    def test_nobody_takes_the_codecs_of_the_standard_library_for_ours(self, path: Path) -> None:
        """Its modules have no parts: what is imported from below `codecs` would be ours."""
        assert set() == {name for name in all_imports_of(path) if name.startswith("codecs.")}
        assert set() == _names_from(path, "codecs") - set(dir(__import__("codecs")))


def _names_from(path: Path, module: str) -> set[str]:
    nodes = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in nodes if node.level == 0 and node.module == module for alias in node.names}


class TestArrows:
    @pytest.mark.parametrize("path", sources(*PURE_ROOMS), ids=name_of)
    def test_the_lower_rooms_know_nothing_of_one_another_nor_of_what_stands_on_them(self, path: Path) -> None:
        """SDP, RTP and codecs meet in `offhook.media` alone."""
        room = path.relative_to(ROOT).parts[0]
        ours = {name for name in all_imports_of(path) if name.partition(".")[0] == "offhook"}
        assert set() == {name for name in ours if name != f"offhook.{room}" and not name.startswith(f"offhook.{room}.")}

    @pytest.mark.parametrize("path", [path for path in sources("offhook") if path.name != "__main__.py"], ids=name_of)
    def test_the_front_door_knows_nothing_of_the_simulator(self, path: Path) -> None:
        """Only `python -m offhook` leads there."""
        below = {node.module or "" for node in ast.walk(tree_of(path)) if isinstance(node, ast.ImportFrom)}
        assert set() == {name for name in below | all_imports_of(path) if "simulator" in name.split(".")}


class TestTasks:
    def test_tasks_are_started_only_where_they_are_kept(self) -> None:
        """A task that nobody holds may vanish in the middle, and its exception with it. KEEPERS says who holds them."""
        found = {name_of(path): lines for path in sources("offhook", *ROOMS) if (lines := tasks_started_in(path))}
        assert {} == {name: lines for name, lines in found.items() if name not in KEEPERS}
        assert set(KEEPERS) == set(found), "a keeper that starts no task any more"

    @pytest.mark.parametrize("name", sorted(KEEPERS))
    def test_a_keeper_keeps(self, name: str) -> None:
        """The task is bound to a name; one that is started as a statement of its own is lost at once."""
        lost = [
            node for node in ast.walk(tree_of(ROOT / name)) if isinstance(node, ast.Expr) and _starts_task(node.value)
        ]
        assert [] == [ast.unparse(node) for node in lost]


def _starts_task(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("create_task", "ensure_future"))


class TestPackaging:
    def test_the_packages_that_are_built_are_those_of_the_tree(self) -> None:
        """Setuptools maps the rooms by name, so a new folder would be missing from the wheel without a word."""
        setup = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
        folders = {path.parent.relative_to(ROOT).parts for room in ROOMS for path in (ROOT / room).rglob("__init__.py")}
        assert sorted({"offhook", *(".".join(("offhook", *parts)) for parts in folders)}) == setup["packages"]

    def test_every_folder_with_code_is_a_package(self) -> None:
        """One without `__init__.py` is found in a checkout, and by nobody who installs."""
        assert [] == [
            name_of(path) for path in sources("offhook", *ROOMS) if not (path.parent / "__init__.py").exists()
        ]

    def test_the_rooms_are_mapped_to_their_folders(self) -> None:
        """`offhook.codecs` is `codecs/`, because a top-level package of that name cannot exist."""
        setup = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
        assert {"offhook": "offhook", **{f"offhook.{room}": room for room in ROOMS}} == setup["package-dir"]
