"""A page in headless Chromium: the document after its script has run, and what its console says."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

from support.peers import require

if TYPE_CHECKING:
    from pathlib import Path

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--log-level=0",
]
"""Flags of a browser that talks to nobody and says on stderr what a page's console says."""


class Opened(NamedTuple):
    """A page after its script has run."""

    dom: str
    console: list[str]


def opened(page: Path, profile: Path) -> Opened:
    """The document as the browser has it in the end, and what its console says.

    Args:
        page: a file.
        profile: an empty folder for the browser's own files.
    """
    [program] = require("chromium")
    command = [program, *QUIET, f"--user-data-dir={profile}", "--dump-dom", page.resolve().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return Opened(done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line])
