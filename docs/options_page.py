"""Commands, options and exit codes as Markdown, from the functions that the command line is made of."""

# ruff: noqa: INP001 - a script beside the pages, not a package
from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_type_hints

from attribute_docs import attribute_docs

from offhook.simulator.cli import answer, call, demo  # noqa: F401 - each registers its command
from offhook.simulator.cli.app import app
from offhook.simulator.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: Final = {str: "text", Path: "file", float: "number", int: "integer"}


class Parameter(NamedTuple):
    """One argument or option."""

    names: str
    default: str
    meaning: str
    is_argument: bool


def render() -> str:
    """Each command with its arguments and options, then the exit codes."""
    functions: dict[str, Any] = {
        str(c.name or getattr(c.callback, "__name__", "")): c.callback for c in app.registered_commands
    }
    return "\n".join([*[_command(name, functions[name]) for name in sorted(functions)], _exit_codes()])


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    """What a command takes, in the order of its signature."""
    hints = get_type_hints(function, include_extras=True)
    return [_parameter(p.name, p.default, hints[p.name]) for p in inspect.signature(function).parameters.values()]


def _parameter(name: str, default: object, hint: Any) -> Parameter:
    annotated, info = get_args(hint)[:2]
    is_argument = default is inspect.Parameter.empty
    given = [text for text in (info.default, *(info.param_decls or ())) if isinstance(text, str)]
    names = [name.upper()] if is_argument else given or [f"--{name.replace('_', '-')}"]
    plain = "required" if is_argument else "" if default in {None, "", False} else f"`{default}`"
    variable = f" Environment variable: `{info.envvar}`." if info.envvar else ""
    return Parameter(
        ", ".join(f"`{part}`" for part in names) + ("" if is_argument else _kind(annotated, info)),
        plain,
        " ".join((info.help or "").split()).replace("|", "/") + variable,
        is_argument,
    )


def _kind(annotated: Any, info: Any) -> str:
    """`` number from 1``; nothing for a switch."""
    choices = [annotated, *get_args(annotated), *[inner for part in get_args(annotated) for inner in get_args(part)]]
    if bool in choices:
        return ""
    kind = next(words for python, words in KINDS.items() if python in choices)
    low = "" if info.min is None else f" from {info.min:g}"
    return f" {kind}{low}" + ("" if info.max is None else f" to {info.max:g}")


def _command(name: str, function: Callable[..., Any]) -> str:
    about, _, examples = inspect.getdoc(function).partition("Examples:")  # type: ignore[union-attr]
    lines = [f"## offhook {name}\n", f"{about.strip()}\n"]
    for title, is_argument in (("argument", True), ("option", False)):
        chosen = [p for p in parameters(function) if p.is_argument is is_argument]
        if chosen:
            lines += [f"| {title} | default | meaning |", "|---|---|---|"]
            lines += [f"| {p.names} | {p.default} | {p.meaning} |" for p in chosen]
            lines.append("")
    shown = [line.strip().removeprefix("* ").strip("`") for line in examples.splitlines() if line.strip()]
    return "\n".join([*lines, "```sh", *shown, "```", ""])


def _exit_codes() -> str:
    words = attribute_docs(ExitCode)
    rows = [f"| {code.value} | `{code.name}` | {words.get(code.name, 'All well.')} |" for code in ExitCode]
    return "\n".join(["## Exit codes\n", "| code | name | meaning |", "|---:|---|---|", *rows, ""])
