"""The gate before tests that need foreign programs."""

from __future__ import annotations

import sys

import pytest
from support import peers


@pytest.fixture
def ghost(monkeypatch: pytest.MonkeyPatch) -> str:
    """A peer that is certainly not installed."""
    monkeypatch.setitem(peers.PACKAGES, "ghost", "ghost-tools")
    monkeypatch.delenv("OFFHOOK_REQUIRE_PEERS", raising=False)
    return "ghost"


def test_a_peer_that_is_installed_is_given_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any of its program names will do."""
    monkeypatch.setitem(peers.PROGRAMS, "snake", ("no-such-snake", sys.executable))
    assert [sys.executable] == peers.require("snake")


def test_a_missing_peer_skips_the_test_and_names_its_package(ghost: str) -> None:
    """Who reads the summary can copy the line."""
    with pytest.raises(pytest.skip.Exception, match="ghost missing: apt-get install ghost-tools"):
        peers.require(ghost)


def test_a_missing_peer_fails_the_test_where_all_peers_were_promised(
    ghost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken image must not pass as a green run."""
    monkeypatch.setenv("OFFHOOK_REQUIRE_PEERS", "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install ghost-tools"):
        peers.require(ghost)
