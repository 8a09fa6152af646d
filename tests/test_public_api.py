"""The names that people type: each is there, in order, and explained."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("codecs", "rtp", "simulator", "sipcore")


def modules() -> list[str]:
    """All of ours by their import names."""
    found = [
        "offhook" if path.stem == "__init__" else f"offhook.{path.stem}" for path in (ROOT / "offhook").glob("*.py")
    ]
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found.append(".".join(("offhook", *(parts[:-1] if parts[-1] == "__init__" else parts))))
    return sorted(set(found) - {"offhook.__main__"})  # which runs when it is imported


def public_names() -> list[tuple[str, str]]:
    """Module and name, from every `__all__`."""
    return [(name, public) for name in modules() for public in getattr(import_module(name), "__all__", ())]


PACKAGES = [name for name in modules() if getattr(import_module(name), "__all__", None)]


class TestAll:
    @pytest.mark.parametrize("name", PACKAGES)
    def test_all_is_sorted_and_names_each_thing_once(self, name: str) -> None:
        """Constants, then classes, then functions, as ruff sorts them (RUF022)."""
        names = list(import_module(name).__all__)
        assert sorted(set(names), key=_isort_style) == names

    @pytest.mark.parametrize("name", PACKAGES)
    def test_every_public_name_can_be_had(self, name: str) -> None:
        """Also those that are loaded when they are first used."""
        module = import_module(name)
        assert [] == [public for public in module.__all__ if not hasattr(module, public)]

    @pytest.mark.parametrize("name", PACKAGES)
    def test_every_public_name_explains_itself(self, name: str) -> None:
        """Classes and functions by their own docstring; a value by that of its type or of its module."""
        module = import_module(name)
        assert [] == [public for public in module.__all__ if not _is_explained(getattr(module, public))]


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is_for(name: str) -> None:
    """In plain words, at its top."""
    assert (import_module(name).__doc__ or "").strip()


def _isort_style(name: str) -> tuple[int, str]:
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


def _is_explained(value: Any) -> bool:
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return True
    doc = (value.__dict__.get("__doc__") if inspect.isclass(value) else value.__doc__) or ""
    generated = inspect.isclass(value) and doc.startswith(f"{value.__name__}(")  # what a dataclass writes for itself
    return bool(doc.strip()) and not generated


class TestFrontDoor:
    def test_what_is_listed_is_what_can_be_seen(self) -> None:
        """`dir(offhook)` shows names that are not loaded yet, for whoever completes them with a key."""
        offhook = import_module("offhook")
        assert set(offhook.__all__) <= set(dir(offhook))

    def test_a_name_that_does_not_exist_is_told_as_everywhere(self) -> None:
        """The lazy loading must not change what a misspelling looks like."""
        with pytest.raises(AttributeError, match="module 'offhook' has no attribute 'Telephone'"):
            _ = import_module("offhook").Telephone

    def test_every_name_has_one_home(self) -> None:
        """The table of homes and the list of names are the same set."""
        offhook = import_module("offhook")
        assert sorted(offhook._HOMES) == sorted(offhook.__all__)

    @pytest.mark.parametrize(
        ("module", "absent"), [("offhook.sipcore", "numpy"), ("offhook.rtp.packet", "aiohttp"), ("offhook", "numpy")]
    )
    def test_whoever_needs_one_room_does_not_pay_for_the_others(self, module: str, absent: str) -> None:
        """The message parser alone loads neither arrays nor web servers (PEP 562)."""
        asked = f"import sys, {module}; raise SystemExit({absent!r} in sys.modules)"
        assert 0 == subprocess.run([sys.executable, "-c", asked], check=False, timeout=60).returncode
