"""Reads UDP datagrams out of captures: classic pcap and pcapng, as far as the corpora need it."""

from __future__ import annotations

from struct import unpack_from
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NULL, ETHERNET, RAW_BSD, RAW, LINUX_COOKED = 0, 1, 12, 101, 113
LINK_HEADER_OCTETS = {NULL: 4, ETHERNET: 14, RAW_BSD: 0, RAW: 0, LINUX_COOKED: 16}
UDP = 17


class Datagram(NamedTuple):
    """One UDP datagram of a capture."""

    at: float
    """Seconds, as captured."""
    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes


def datagrams(path: Path) -> list[Datagram]:
    """All UDP datagrams over IPv4 of a capture, in its order."""
    data = path.read_bytes()
    frames = _pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else _pcap(data)
    found = (_udp(at, link, frame) for at, link, frame in frames)
    return [datagram for datagram in found if datagram is not None]


def _pcap(data: bytes) -> Iterator[tuple[float, int, bytes]]:
    order = "<" if data[:4] in {b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"} else ">"
    fraction = 1e-9 if b"\xa1\xb2\x3c\x4d" in {data[:4], data[3::-1]} else 1e-6
    (link,) = unpack_from(order + "I", data, 20)
    at = 24
    while at + 16 <= len(data):
        seconds, part, captured, _ = unpack_from(order + "4I", data, at)
        yield seconds + part * fraction, link & 0xFFFF, data[at + 16 : at + 16 + captured]
        at += 16 + captured


def _pcapng(data: bytes) -> Iterator[tuple[float, int, bytes]]:
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    links: list[int] = []
    at = 0
    while at + 12 <= len(data):
        kind, size = unpack_from(order + "2I", data, at)
        if kind == 1:
            links.append(unpack_from(order + "H", data, at + 8)[0])
        elif kind == 6:
            interface, high, low, captured, _ = unpack_from(order + "5I", data, at + 8)
            yield (high << 32 | low) * 1e-6, links[interface], data[at + 28 : at + 28 + captured]
        at += size


def _udp(at: float, link: int, frame: bytes) -> Datagram | None:
    start = LINK_HEADER_OCTETS[link]
    if link == ETHERNET and frame[12:14] == b"\x81\x00":  # a VLAN tag
        start += 4
    packet = frame[start:]
    if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != UDP:
        return None
    header = 4 * (packet[0] & 0x0F)
    source_port, port, size = unpack_from("!3H", packet, header)
    hosts = [".".join(map(str, packet[begin : begin + 4])) for begin in (12, 16)]
    return Datagram(at, (hosts[0], source_port), (hosts[1], port), packet[header + 8 : header + size])
