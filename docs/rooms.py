"""Where the modules of the project lie, for the scripts that make pages of them."""

# ruff: noqa: INP001 - a script beside the pages, not a package
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
ROOMS = ("offhook", "sipcore", "rtp", "codecs", "simulator")


def sources() -> Iterator[Path]:
    """Every module's file, relative to the root: room by room, then by name; ``__main__`` would run and is left out."""
    for room in ROOMS:
        found = sorted((ROOT / room).rglob("*.py"), key=lambda path: path.parts)
        yield from (path.relative_to(ROOT) for path in found if path.name != "__main__.py")


def module_name(source: Path) -> str:
    """``rtp/aio/engine.py`` is ``offhook.rtp.aio.engine``."""
    parts = [*source.parts[:-1], *([] if source.name == "__init__.py" else [source.stem])]
    return ".".join(parts if parts[0] == "offhook" else ["offhook", *parts])
