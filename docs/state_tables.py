"""Print the state tables of the four transactions as Markdown, from the tables that the code runs by.

::

    python docs/state_tables.py                                        # print
    python docs/state_tables.py docs/explanation/transactions.md       # renew the part of a page between its two marks

For each machine there is a diagram (Mermaid, which most viewers of Markdown draw), a table of what is done, in the words of
the docstrings of the actions, and a table of what is ignored, in the words of ``Drop``.
"""

# ruff: noqa: INP001 - a script beside the pages, not a package
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from offhook.sipcore.transaction import (
    ClientTransaction,
    InviteClientTransaction,
    InviteServerTransaction,
    ServerTransaction,
)

if TYPE_CHECKING:
    from offhook.sipcore.drops import Drop
    from offhook.sipcore.transaction import Transaction, Transition

BEGIN = "<!-- state tables: begin (python docs/state_tables.py docs/explanation/transactions.md) -->\n"
END = "<!-- state tables: end -->\n"

MACHINES: tuple[tuple[str, type[Transaction]], ...] = (
    ("INVITE client (figure 5, RFC 6026)", InviteClientTransaction),
    ("Non-INVITE client (figure 6)", ClientTransaction),
    ("INVITE server (figure 7, RFC 6026)", InviteServerTransaction),
    ("Non-INVITE server (figure 8)", ServerTransaction),
)


def render() -> str:
    """All four machines as Markdown."""
    return "\n".join(_machine(title, machine) for title, machine in MACHINES)


def renew(page: str) -> str:
    """The text of a page with the part between the marks rendered anew.

    Raises:
        ValueError: the page does not bear both marks, once each and in order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page must hold the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{render()}\n{END}{after}"


def _machine(title: str, machine: type[Transaction]) -> str:
    parts = [f"### {title}\n", _diagram(machine), _done(machine), _ignored(machine)]
    return "\n".join(parts)


def _diagram(machine: type[Transaction]) -> str:
    """The arrows between states, with those of one pair of states on one line; what stays in a state is left to the table."""
    first = next(iter(machine.TRANSITIONS))[0]
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, stimulus), cell in machine.TRANSITIONS.items():
        if state != cell.state:
            arrows.setdefault((state, cell.state), []).append(stimulus)
    lines = [f"    {start} --> {goal}: {', '.join(stimuli)}" for (start, goal), stimuli in arrows.items()]
    return "\n".join(
        ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}", *lines, "    Terminated --> [*]", "```\n"]
    )


def _done(machine: type[Transaction]) -> str:
    cells = machine.TRANSITIONS.items()
    rows = [f"| {state} | {stimulus} | {cell.state} | {_words(cell)} |" for (state, stimulus), cell in cells]
    return "\n".join(["| in state | comes | goes to | and does |", "|---|---|---|---|", *rows, ""])


def _words(cell: Transition) -> str:
    """The first sentence of the action's docstring; timers that outlive the state are named."""
    text = (cell.action.__doc__ or "").partition("\n")[0].strip().partition(";")[0].rstrip(".")
    return f"{text} (timers run on)" if cell.keeps else text


def _ignored(machine: type[Transaction]) -> str:
    reasons: dict[Drop, dict[str, list[str]]] = {}
    for (state, stimulus), drop in machine.IGNORED.items():
        reasons.setdefault(drop, {}).setdefault(state, []).append(stimulus)
    everything = len({stimulus for _, stimulus in [*machine.TRANSITIONS, *machine.IGNORED]})
    rows = [
        f"| {state} | {'everything' if len(stimuli) == everything else ', '.join(stimuli)} | {drop} |"
        for drop, cells in reasons.items()
        for state, stimuli in cells.items()
    ]
    return "\n".join(["| in state | is ignored | because |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.stdout.write(render())
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(renew(path.read_text(encoding="utf-8")), encoding="utf-8")
