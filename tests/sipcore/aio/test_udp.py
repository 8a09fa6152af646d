"""A UDP socket in the event loop: drained, counted, closed."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest
from support.loop import run

from offhook.sipcore.aio.udp import MAX_DATAGRAMS_PER_WAKE, UdpSocket

pytestmark = pytest.mark.real_network


def test_a_wake_up_reads_so_many_and_not_one_more() -> None:
    """Other work of the loop gets its turn; the rest comes with the next wake-up."""

    async def flood() -> None:
        got: list[bytes] = []
        udp = UdpSocket("127.0.0.1", 0, lambda data, _: got.append(data))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(MAX_DATAGRAMS_PER_WAKE + 1):
                sender.sendto(b"%d" % number, udp.address)
        udp.start()
        udp._drain()
        assert MAX_DATAGRAMS_PER_WAKE == len(got)
        udp._drain()
        udp.close()
        assert [b"%d" % number for number in range(MAX_DATAGRAMS_PER_WAKE + 1)] == got

    run(flood())


def test_who_closes_it_while_it_is_drained_is_heard() -> None:
    """Nothing is read from a closed socket."""

    async def close() -> None:
        got: list[bytes] = []

        def receive(data: bytes, _: object) -> None:
            got.append(data)
            udp.close()

        udp = UdpSocket("127.0.0.1", 0, receive)
        udp.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(2):
                sender.sendto(b"x", udp.address)
        udp._drain()
        assert [b"x"] == got

    run(close())


def test_an_icmp_error_is_told_with_the_address_that_it_is_about() -> None:
    """18.4: "ICMP host, network, port or protocol unreachable errors ... SHOULD be treated as transport errors"."""

    async def refuse() -> None:
        told: asyncio.Future[tuple[tuple[str, int], int | None]] = asyncio.get_running_loop().create_future()
        udp = UdpSocket("127.0.0.1", 0, lambda *_: None, lambda address, error: told.set_result((address, error.errno)))
        udp.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(("127.0.0.1", 0))
            closed = nobody.getsockname()
        udp.send(b"x", closed)
        assert (closed, errno.ECONNREFUSED) == await told
        assert 1 == udp.errors
        udp.close()

    run(refuse())


def test_the_error_of_one_peer_does_not_hinder_a_datagram_to_another() -> None:
    """Linux tells a pending ICMP error at the next send, whomever that is for; it is read and the datagram sent."""

    async def go_on() -> None:
        got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        other = UdpSocket("127.0.0.1", 0, lambda data, _: got.set_result(data))
        other.start()
        udp = UdpSocket("127.0.0.1", 0, lambda *_: None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(("127.0.0.1", 0))
            closed = nobody.getsockname()
        assert [None, None] == [udp.send(b"lost", closed), udp.send(b"heard", other.address)]
        assert b"heard" == await got
        udp.close()
        other.close()

    run(go_on())


def test_what_the_kernel_says_against_a_datagram_comes_back() -> None:
    """Too long, for one."""
    udp = UdpSocket("127.0.0.1", 0, lambda *_: None)
    assert isinstance(udp.send(b"x" * 70_000, udp.address), OSError)
    assert (None, 1) == (udp.send(b"x", udp.address), udp.errors)
    udp.close()


def test_a_full_buffer_is_a_loss_like_any_other() -> None:
    """UDP promises nothing; it is counted."""
    udp = UdpSocket("127.0.0.1", 0, lambda *_: None)
    real, udp._socket = udp._socket, _Full()
    assert (None, 1) == (udp.send(b"x", udp.address), udp.errors)
    real.close()


class _Full:
    def sendto(self, data: bytes, address: object) -> None:
        raise BlockingIOError


def test_a_taken_port_is_refused_and_freed() -> None:
    """OSError, and no socket is left."""
    udp = UdpSocket("127.0.0.1", 0, lambda *_: None)
    with pytest.raises(OSError, match="in use"):
        UdpSocket(*udp.address, lambda *_: None)
    udp.close()


def test_ipv6_speaks_ipv6_only() -> None:
    """An IPv4 peer would look like ::ffff:127.0.0.1."""
    udp = UdpSocket("::1", 0, lambda *_: None)
    assert 1 == udp._socket.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    udp.close()
