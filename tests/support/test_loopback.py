"""Ports that are said to be free are free."""

from __future__ import annotations

import socket

import pytest
from support import loopback
from support.loopback import CANDIDATES, HOST, free_ports, is_free


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_a_port_that_somebody_holds_is_not_free(kind: socket.SocketKind) -> None:
    """For UDP as for TCP, and free again when it is given back."""
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind((HOST, 0))
        port = holder.getsockname()[1]
        assert not is_free(port)
    assert is_free(port)


def test_ports_are_consecutive_and_below_what_the_system_gives() -> None:
    """So nobody is handed one of them by chance."""
    first = free_ports(5)
    assert CANDIDATES.start <= first < CANDIDATES.stop - 5
    assert [True] * 5 == [is_free(port) for port in range(first, first + 5)]


def test_a_machine_without_free_ports_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of looking for ever."""
    monkeypatch.setattr(loopback, "is_free", lambda port: False)
    with pytest.raises(OSError, match="no 2 consecutive free ports"):
        free_ports(2)
