"""From a host name to an address, and from a peer's address to ours."""

from __future__ import annotations

import socket

import pytest
from support.loop import run

from offhook.sipcore.aio import resolver
from offhook.sipcore.aio.resolver import MAX_ROUTES_REMEMBERED, LocalAddress, UnknownHost, resolve


def test_an_address_is_its_own_answer() -> None:
    """Nobody is asked."""
    assert ("::1", 5060) == run(resolve("::1", 5060, socket.AF_INET))


@pytest.mark.real_network
def test_a_name_has_an_address_in_its_family() -> None:
    """By the system's resolver."""
    assert ("127.0.0.1", 5060) == run(resolve("localhost", 5060, socket.AF_INET))


@pytest.mark.parametrize("host", ["nobody.invalid", "a" * 64])
@pytest.mark.real_network
def test_a_name_without_address_is_refused(host: str) -> None:
    """Also one that no name can be."""
    with pytest.raises(UnknownHost, match="has no address"):
        run(resolve(host, 5060))


def test_a_bound_address_faces_everybody() -> None:
    """The kernel has no say in it."""
    assert "127.0.0.5" == LocalAddress().facing("192.0.2.1", "127.0.0.5")


@pytest.mark.parametrize(("peer", "bound", "expected"), [("127.0.0.9", "0.0.0.0", "127.0.0.1"), ("::1", "::", "::1")])
def test_bound_to_all_the_route_decides(peer: str, bound: str, expected: str) -> None:
    """Loopback faces loopback."""
    assert expected == LocalAddress().facing(peer, bound)


@pytest.mark.parametrize("peer", ["bob.example", "::1"])
def test_a_name_or_another_family_lies_behind_the_default_route(peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked once."""
    asked: list[str] = []
    monkeypatch.setattr(resolver, "_route_to", lambda host, family: asked.append(host) or "10.0.0.2")
    local = LocalAddress()
    assert ["10.0.0.2"] * 2 == [local.facing(peer, "0.0.0.0") for _ in range(2)]
    assert ["192.0.2.1"] == asked


def test_one_peer_too_many_forgets_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a table of hints: losing it costs a question each."""
    monkeypatch.setattr(resolver, "_route_to", lambda host, family: host)
    local = LocalAddress()
    for number in range(MAX_ROUTES_REMEMBERED + 1):
        local.facing(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "0.0.0.0")
    assert 1 == len(local._facing)


def test_without_a_route_it_is_loopback() -> None:
    """Whatever we say then, nobody hears it."""
    assert "127.0.0.1" == resolver._route_to("not an address", socket.AF_INET)
