"""The command `offhook`, as a process of its own."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from support.loopback import HOST
from support.processes import Program, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.relay import Address

ON_LOOPBACK = ["--listen", f"udp:{HOST}:0"]


def offhook(*arguments: str) -> list[str]:
    """The command line; by the interpreter that runs the tests, so that both have the same Offhook."""
    return [sys.executable, "-m", "offhook", *arguments]


@contextlib.contextmanager
def answering(*arguments: str, folder: Path | None = None) -> Iterator[tuple[Program, Address]]:
    """`offhook answer` while it listens, and where."""
    with running(offhook("answer", *ON_LOOPBACK, *arguments), folder) as program:
        host, _, port = program.wait_for_line("listening on udp:").split()[2].removeprefix("udp:").rpartition(":")
        yield program, (host, int(port))
