"""Flows: where a message came from, or goes to."""

from __future__ import annotations

import pytest

from offhook.sipcore.flow import MAX_ADDRESS_CHARACTERS, Flow, bracketed, is_numeric, is_other_address

LOCAL, REMOTE = ("127.0.0.1", 5060), ("::1", 5070)


def test_only_udp_loses_messages() -> None:
    """Retransmission is the transport's business everywhere else (section 17)."""
    assert [False, True] == [Flow(name, LOCAL, REMOTE).reliable for name in ("UDP", "TCP")]


def test_a_flow_is_shown_with_both_ends() -> None:
    """An IPv6 address stands in brackets, or its port could not be told from it."""
    assert "udp:127.0.0.1:5060~[::1]:5070" == str(Flow("UDP", LOCAL, REMOTE))
    assert "[::1]:5070" == bracketed(REMOTE)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "fe80::1%eth0", "2001:db8::1"])
def test_an_address_needs_no_asking(host: str) -> None:
    """IPv4, IPv6, and IPv6 with a zone."""
    assert is_numeric(host)


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1.example", "1.2.3", "256.1.1.1"])
def test_a_name_is_no_address(host: str) -> None:
    """Even where it begins like one."""
    assert not is_numeric(host)


def test_a_text_longer_than_any_address_is_not_looked_at() -> None:
    """One character decides; beyond it nothing is read and nothing remembered."""
    zone = "::1%" + "z" * (MAX_ADDRESS_CHARACTERS - 4)
    assert is_numeric(zone)
    assert not is_numeric(zone + "z")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("10.0.0.1", "192.0.2.1", True),
        ("10.0.0.1", "10.0.0.1", False),
        ("::1", "0:0:0:0:0:0:0:1", False),
        ("pc33.example.com", "192.0.2.1", False),
        ("10.0.0.1", "pc33.example.com", False),
    ],
)
def test_two_addresses_differ_by_what_they_mean(one: str, other: str, expected: bool) -> None:
    """A name is nobody's other address: it might resolve to the very one."""
    assert expected == is_other_address(one, other)
