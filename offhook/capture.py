"""Keeps what went over the wire as a pcap file that Wireshark opens.

We do not sniff: each datagram is handed over by whoever sent or received it, together with its two endpoints and its
wall-clock instant, and is wrapped here into the IP and UDP headers that it had (or, for a message that came over TCP,
TLS or SRTP and is handed over in the clear, would have had). The headers are made anew, so the checksums are right even
where a network card would have filled them in later.

The file is the classic capture format with link type RAW: each record starts with its IP header, version 4 or 6.

Three promises hold at every instant, even if the process is killed in the next one or the disk is full:

* each record is in the file whole or not at all, and is handed to the operating system when `write` returns;
* the file never grows beyond its limit;
* the first record that does not fit ends the capture, so the file is the beginning of the story without holes. What
  comes later is counted by reason, never silently lost.

Format: draft-ietf-opsawg-pcap (classic pcap 2.4); IPv4 is RFC 791, IPv6 RFC 8200, UDP RFC 768.
"""

from __future__ import annotations

import contextlib
import math
import struct
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_CAPTURE_OCTETS = 256 * 1024 * 1024
"""Octets of one file: about an hour of eight G.711 calls, and still a file that Wireshark opens in seconds."""

MAX_DATAGRAM_OCTETS = 65_507
"""Octets of one datagram: what UDP over IPv4 can carry (65,535 less 20 of IP and 8 of UDP)."""

MAX_FLOWS = 1_024
"""Pairs of endpoints whose headers are kept ready; more are made anew, only slower."""

MAGIC_MICROSECONDS = 0xA1B2C3D4
LINKTYPE_RAW = 101
SNAPLEN_OCTETS = 65_575  # an IPv6 header and the longest UDP datagram behind it: no record is ever cut
MAX_SECONDS = 0xFFFF_FFFF  # the instant of a record is 32 bits of seconds, which last until 2106

_UDP = 17  # protocol number, RFC 768
_HOP_LIMIT = 64  # RFC 1700's default TTL; the true one was on the wire only
_DONT_FRAGMENT = 0x4000  # RFC 6864 4: an atomic datagram, so that Identification 0 means nothing

_FILE_HEADER = struct.Struct("<IHHiIII")
_RECORD_HEADER = struct.Struct("<IIII")
_IPV4_HEADER = struct.Struct(">BBHHHBBH")
_IPV6_HEADER = struct.Struct(">IHBB")
_UDP_HEADER = struct.Struct(">HHHH")


class Drop(StrEnum):
    """Why a datagram is not in the file."""

    FULL = "the capture has reached its size limit"
    STORAGE = "the file took no more octets"
    TOO_LONG = "longer than a UDP datagram can be"
    ADDRESS = "an endpoint is no numeric address and port, or the two differ in IP version"
    INSTANT = "the instant lies outside of what 32 bits of seconds can say"


class Datagram(NamedTuple):
    """One datagram as the wire saw it."""

    data: bytes
    source: tuple[str, int]
    """Numeric address and port."""
    destination: tuple[str, int]
    wall: float
    """Seconds since 1970 (UTC)."""


@dataclass(frozen=True, slots=True)
class CaptureSnapshot:
    """What a capture holds and what it had to leave out."""

    records: int
    octets: int
    drops: Mapping[Drop, int]


class PcapWriter:
    """Writes datagrams into `file` as pcap records, whole or not at all.

    Args:
        file: open for binary writing, at its start, best unbuffered (`open(path, "xb", buffering=0)`). It stays the
            caller's to close, and nothing has to be finished before.
        limit: octets that the file may reach.

    Raises:
        OSError: the file header cannot be written. Later failures are counted as `Drop.STORAGE`.
    """

    def __init__(self, file: BinaryIO, *, limit: int = MAX_CAPTURE_OCTETS) -> None:
        self._file = file
        self._limit = limit
        self._records = 0
        self._octets = 0
        self._ended: Drop | None = None
        self._drops = dict.fromkeys(Drop, 0)
        header = _FILE_HEADER.pack(MAGIC_MICROSECONDS, 2, 4, 0, 0, SNAPLEN_OCTETS, LINKTYPE_RAW)
        if file.write(header) != len(header):
            raise OSError("the file took only a part of the pcap header")
        file.flush()
        self._octets = len(header)

    def __repr__(self) -> str:
        """One line: what is held, and what was left out."""
        dropped = ", ".join(f"{count} x {drop.name}" for drop, count in self._drops.items() if count)
        return f"<PcapWriter {self._records} records, {self._octets} octets, dropped: {dropped or 'none'}>"

    def write(self, data: bytes, source: tuple[str, int], destination: tuple[str, int], wall: float) -> Drop | None:
        """Appends one datagram; None when it is in the file, else why it is not.

        Args:
            data: the UDP payload.
            source: numeric address and port.
            destination: numeric address and port, of the same IP version.
            wall: seconds since 1970 (UTC); kept to the microsecond.
        """
        return self.write_all([Datagram(data, source, destination, wall)])[0]

    def write_all(self, datagrams: Iterable[Datagram]) -> list[Drop | None]:
        """Appends a batch with one call to the operating system; one answer per datagram, as from `write`."""
        answers: list[Drop | None] = []
        batch: list[bytes] = []
        octets = self._octets
        for datagram in datagrams:
            record = self._ended or _record(datagram)
            if isinstance(record, bytes) and octets + len(record) > self._limit:
                record = self._ended = Drop.FULL
            if isinstance(record, bytes):
                batch.append(record)
                octets += len(record)
                answers.append(None)
            else:
                answers.append(record)
        if batch and not self._append(b"".join(batch)):
            self._ended = Drop.STORAGE
            answers = [answer or Drop.STORAGE for answer in answers]
        self._count(answers)
        return answers

    def snapshot(self) -> CaptureSnapshot:
        """What the file holds now; reading changes nothing."""
        return CaptureSnapshot(self._records, self._octets, dict(self._drops))

    def _append(self, octets: bytes) -> bool:
        """Writes whole records; on failure cuts the file back to the last one that is whole."""
        try:
            # An unbuffered file may take a part only, for instance the last octets of a disk.
            whole = self._file.write(octets) == len(octets)
            self._file.flush()
        except OSError:
            whole = False
        if whole:
            self._octets += len(octets)
        else:
            with contextlib.suppress(OSError):
                self._file.truncate(self._octets)
        return whole

    def _count(self, answers: list[Drop | None]) -> None:
        for answer in answers:
            if answer is None:
                self._records += 1
            else:
                self._drops[answer] += 1


class _Flow(NamedTuple):
    """What all datagrams between two endpoints have in common."""

    version: int
    addresses: bytes
    """Source and destination as in the IP header."""
    ports: tuple[int, int]
    pseudo_sum: int
    """The pseudo-header of the UDP checksum without the length (RFC 768, RFC 8200 8.1), and the ports."""


@lru_cache(maxsize=MAX_FLOWS)
def _flow(source: tuple[str, int], destination: tuple[str, int]) -> _Flow | None:
    """The flow between two endpoints, or None when no IP header can name them."""
    ports = (source[1], destination[1])
    try:
        ends = [_address(source[0]), _address(destination[0])]
    except ValueError:
        return None
    if ends[0].version != ends[1].version or not all(0 <= port <= 0xFFFF for port in ports):
        return None
    addresses = ends[0].packed + ends[1].packed
    return _Flow(ends[0].version, addresses, ports, _sum16(addresses) + _UDP + sum(ports))


def _address(host: str) -> IPv4Address | IPv6Address:
    """A numeric address; IPv4 as a dual-stack socket shows it (::ffff:192.0.2.1) is IPv4 again.

    Raises:
        ValueError: a name, or nothing that anybody would call an address.
    """
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _record(datagram: Datagram) -> bytes | Drop:
    """The record of one datagram, headers and all, or why there can be none."""
    data, source, destination, wall = datagram
    if len(data) > MAX_DATAGRAM_OCTETS:
        return Drop.TOO_LONG
    flow = _flow(source, destination)
    if flow is None:
        return Drop.ADDRESS
    if not math.isfinite(wall) or not 0 <= wall < MAX_SECONDS:
        return Drop.INSTANT
    seconds, microseconds = divmod(round(wall * 1_000_000), 1_000_000)
    packet = _packet(flow, data)
    return _RECORD_HEADER.pack(seconds, microseconds, len(packet), len(packet)) + packet


def _packet(flow: _Flow, data: bytes) -> bytes:
    """An IP packet with one UDP datagram in it.

    RFC 768: "If the computed checksum is zero, it is transmitted as all ones". Subtracting from 65,535 what the sum
    leaves modulo 65,535 gives just that: 65,535 where one's complement addition would have said zero, and never zero.
    """
    length = 8 + len(data)
    # The length counts twice: in the pseudo-header and in the header itself.
    checksum = 65_535 - (flow.pseudo_sum + 2 * length + _sum16(data)) % 65_535
    return _ip_header(flow, length) + _UDP_HEADER.pack(*flow.ports, length, checksum) + data


def _ip_header(flow: _Flow, length: int) -> bytes:
    """The IP header before `length` octets of UDP."""
    if flow.version == 6:
        return _IPV6_HEADER.pack(6 << 28, length, _UDP, _HOP_LIMIT) + flow.addresses
    fields = (0x45, 0, 20 + length, 0, _DONT_FRAGMENT, _HOP_LIMIT, _UDP)
    total = _sum16(_IPV4_HEADER.pack(*fields, 0) + flow.addresses)
    return _IPV4_HEADER.pack(*fields, -total % 65_535) + flow.addresses


def _sum16(octets: bytes) -> int:
    """The sum of big-endian 16-bit words modulo 65,535, which is what one's complement addition computes (RFC 1071).

    A number written with the digits d, each worth 65,536 to some power, leaves the sum of the d when divided by 65,535,
    just as the digits of a decimal number tell its remainder by nine. An odd last octet is padded with zero.
    """
    number = int.from_bytes(octets, "big")
    return (number << 8 if len(octets) % 2 else number) % 65_535
