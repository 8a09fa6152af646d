"""The public names as Markdown, from every ``__all__`` of the packages and the docstrings behind it."""

# ruff: noqa: INP001 - a script beside the pages, not a package
from __future__ import annotations

import dataclasses
import importlib
import inspect
from enum import Enum
from typing import Any

from attribute_docs import attribute_docs, instance_docs
from rooms import module_name, sources

from offhook import rtp, sipcore

DETAILED = (
    sipcore.UserAgent,
    sipcore.Leg,
    sipcore.Endpoint,
    sipcore.Settings,
    sipcore.Timers,
    rtp.RtpSession,
    rtp.JitterBuffer,
)
"""Classes below the front door whose members are listed too."""


def packages() -> list[str]:
    """The packages that say what is public, the front door first."""
    names = [module_name(source) for source in sources() if source.name == "__init__.py"]
    return [name for name in names if hasattr(importlib.import_module(name), "__all__")]


def render() -> str:
    """One section for each package."""
    return "\n".join(_package(name) for name in packages())


def _package(name: str) -> str:
    package = importlib.import_module(name)
    lines = [f"## {name}\n", f"{_sentence(package.__doc__)}\n", "| name | is | does |", "|---|---|---|"]
    members = []
    for public in package.__all__:
        value = getattr(package, public)
        lines.append(f"| `{public}` | {_kind(value)} | {_about(value)} |")
        if (
            inspect.isclass(value)
            and not issubclass(value, Enum | Exception)
            and (name == "offhook" or value in DETAILED)
        ):
            members.append(_members(value))
    return "\n".join([*lines, "", *members])


def _kind(value: Any) -> str:
    if inspect.ismodule(value):
        return "module"
    if inspect.isclass(value):
        return "exception" if issubclass(value, Exception) else "enumeration" if issubclass(value, Enum) else "class"
    return (
        "function"
        if callable(value) and hasattr(value, "__name__")
        else "type"
        if hasattr(value, "__args__")
        else "constant"
    )


def _about(value: Any) -> str:
    own = inspect.isclass(value) or inspect.ismodule(value) or inspect.isroutine(value)
    return _sentence(value.__doc__) if own else ""


def _members(owner: type) -> str:
    rows = [f"| `{name}` | {_clean(words)} |" for name, words in {**_fields(owner), **instance_docs(owner)}.items()]
    for name, member in vars(owner).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            rows.append(f"| `{name}` | {_sentence(member.__doc__)} |")
        elif inspect.isroutine(member):
            function = getattr(member, "__func__", member)
            awaited = "await " if inspect.iscoroutinefunction(function) else ""
            rows.append(f"| `{awaited}{name}({_parameters(function)})` | {_sentence(function.__doc__)} |")
    return "\n".join([f"### {owner.__name__}\n", "| member | is |", "|---|---|", *rows, ""])


def _fields(owner: type) -> dict[str, str]:
    if not dataclasses.is_dataclass(owner):
        return {}
    words = attribute_docs(owner)
    return {field.name: words.get(field.name, "") for field in dataclasses.fields(owner)}


def _parameters(function: Any) -> str:
    """Names and plain defaults; types are in the code and in every editor."""
    shown, starred = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in {"self", "cls"}:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            shown.append("*")
        starred = starred or parameter.kind is parameter.VAR_POSITIONAL
        name = f"*{parameter.name}" if parameter.kind is parameter.VAR_POSITIONAL else parameter.name
        plain = isinstance(parameter.default, int | float | str | bool | tuple | None)
        shown.append(
            name if parameter.default is parameter.empty else f"{name}={parameter.default!r}" if plain else f"{name}=…"
        )
    return ", ".join(shown)


def _sentence(text: str | None) -> str:
    """The first paragraph of a docstring, fit for a table."""
    return _clean((text or "").strip().split("\n\n")[0])


def _clean(text: str) -> str:
    """On one line, without the marks of Sphinx."""
    words = " ".join(text.split())
    for role in (":class:", ":meth:", ":mod:", ":attr:", ":func:"):
        words = words.replace(role, "")
    return (
        words.replace("``", "`").replace("`~.", "`").replace("`~", "`").replace("|", "\\|").removesuffix("::").strip()
    )
