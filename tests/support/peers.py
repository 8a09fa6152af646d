"""Foreign programs that some tests talk to, and what to say when one is not installed.

A test that needs a peer asks for it by name and gets its path. A missing peer skips the test with the line that would
install it; where the run has promised that all peers are there (`OFFHOOK_REQUIRE_PEERS=1`), it fails instead, so that
a broken image cannot pass as a green run.
"""

from __future__ import annotations

import os
import shutil

import pytest

PACKAGES = {
    "baresip": "baresip",
    "chromium": "chromium",
    "sipp": "sip-tester",
    "tshark": "tshark",
}
"""Name of the peer to the Debian package that brings it."""

PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome")}
"""Peers that go by several program names; all others are called what they are called."""


def find(peer: str) -> str | None:
    """The path of a peer's program, or None when it is not installed."""
    found = (shutil.which(program) for program in PROGRAMS.get(peer, (peer,)))
    return next((path for path in found if path), None)


def require(*peers: str) -> list[str]:
    """The paths of the named peers, in order; skips the test (or fails it, see above) when one is missing."""
    paths = {peer: find(peer) for peer in peers}
    missing = [peer for peer, path in paths.items() if path is None]
    if missing:
        line = f"{', '.join(missing)} missing: apt-get install {' '.join(PACKAGES[peer] for peer in missing)}"
        if os.environ.get("OFFHOOK_REQUIRE_PEERS") == "1":
            pytest.fail(line, pytrace=False)
        pytest.skip(line, allow_module_level=True)
    return [path for path in paths.values() if path]
