"""Pcap files of a call, read back with a parser of the test's own."""

from __future__ import annotations

import io
import struct
from ipaddress import ip_address
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook import capture
from offhook.capture import Datagram, Drop, PcapWriter

CALLER = ("127.0.0.1", 5060)
AGENT = ("127.0.0.2", 40_000)
WALL = 1_700_000_000.25
FILE_HEADER_OCTETS = 24
RECORD_OVERHEAD_OCTETS = 16 + 20 + 8  # record, IPv4 and UDP headers


class Record(NamedTuple):
    seconds: int
    microseconds: int
    packet: bytes


def records(octets: bytes) -> list[Record]:
    """The records of a little-endian microsecond pcap file; an assertion fails on anything left over."""
    found, offset = [], FILE_HEADER_OCTETS
    while offset < len(octets):
        seconds, microseconds, held, original = struct.unpack_from("<IIII", octets, offset)
        assert held == original
        packet = octets[offset + 16 : offset + 16 + held]
        assert held == len(packet), "the last record is cut"
        found.append(Record(seconds, microseconds, packet))
        offset += 16 + held
    return found


def ones_complement(octets: bytes) -> int:
    """RFC 1071 as its C code does it: add words, fold carries. Zero header sums show as 0xFFFF."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def written(*datagrams: Datagram, limit: int = capture.MAX_CAPTURE_OCTETS) -> tuple[PcapWriter, bytes]:
    """A writer that was given these datagrams, and the file it made."""
    file = io.BytesIO()
    writer = PcapWriter(file, limit=limit)
    writer.write_all(datagrams)
    return writer, file.getvalue()


class FullDisk(io.BytesIO):
    """A file on a disk of `room` octets; it takes what fits, then fails, as a raw file does."""

    def __init__(self, room: int, *, error: bool) -> None:
        super().__init__()
        self.room, self.error = room, error

    def write(self, octets: bytes) -> int:  # type: ignore[override]
        """Takes what there is room for."""
        fitting = bytes(octets[: self.room - self.tell()])
        taken = super().write(fitting)
        if self.error and taken < len(octets):
            raise OSError(28, "No space left on device")
        return taken


def test_an_empty_capture_is_already_a_pcap_file() -> None:
    """Version 2.4, whole packets, link type RAW."""
    _, octets = written()
    assert (0xA1B2C3D4, 2, 4, 0, 0, 65_575, 101) == struct.unpack("<IHHiIII", octets)


def test_an_ipv4_datagram_gets_the_headers_it_had_on_the_wire() -> None:
    """RFC 791 and RFC 768: addresses, ports, lengths."""
    _, octets = written(Datagram(b"hello", CALLER, AGENT, WALL))
    [record] = records(octets)
    header = struct.unpack(">BBHHHBBH4s4s", record.packet[:20])
    assert (0x45, 0, 33, 0, 0x4000, 64, 17) == header[:7]
    assert [b"\x7f\0\0\1", b"\x7f\0\0\2"] == list(header[8:])
    assert (5060, 40_000, 13) == struct.unpack(">HHH", record.packet[20:26])
    assert b"hello" == record.packet[28:]


def test_an_ipv6_datagram_gets_the_headers_it_had_on_the_wire() -> None:
    """RFC 8200 3: version, payload length, next header, hop limit; a scope is no part of the packet."""
    _, octets = written(Datagram(b"hello", ("fe80::1%eth0", 5060), ("2001:db8::2", 5061), WALL))
    [record] = records(octets)
    assert (6 << 28, 13, 17, 64) == struct.unpack(">IHBB", record.packet[:8])
    assert ip_address("fe80::1").packed + ip_address("2001:db8::2").packed == record.packet[8:40]


def test_an_ipv4_address_in_ipv6_clothes_is_written_as_ipv4() -> None:
    """A dual-stack socket shows its IPv4 peers as ::ffff:127.0.0.1."""
    writer, octets = written(Datagram(b"", ("::ffff:127.0.0.1", 5060), AGENT, WALL))
    assert 0x45 == records(octets)[0].packet[0]
    assert 1 == writer.snapshot().records


@given(data=st.binary(max_size=64), port=st.integers(0, 0xFFFF))
def test_every_checksum_adds_up_over_ipv4(data: bytes, port: int) -> None:
    """RFC 1071: a header summed with its checksum in it gives all ones."""
    _, octets = written(Datagram(data, ("10.0.0.1", port), ("10.0.0.2", port), WALL))
    packet = records(octets)[0].packet
    pseudo = packet[12:20] + struct.pack(">BBH", 0, 17, len(packet) - 20)
    assert 0xFFFF == ones_complement(packet[:20])
    assert 0xFFFF == ones_complement(pseudo + packet[20:])


@given(data=st.binary(max_size=64), port=st.integers(0, 0xFFFF))
def test_every_checksum_adds_up_over_ipv6(data: bytes, port: int) -> None:
    """RFC 8200 8.1: the UDP checksum covers both addresses and is not optional."""
    _, octets = written(Datagram(data, ("::1", port), ("2001:db8::2", port), WALL))
    packet = records(octets)[0].packet
    pseudo = packet[8:40] + struct.pack(">II", len(packet) - 40, 17)
    assert 0xFFFF == ones_complement(pseudo + packet[40:])


def test_a_udp_checksum_of_zero_goes_out_as_all_ones() -> None:
    """RFC 768: zero would mean that there is no checksum."""
    _, plain = written(Datagram(b"\0\0", CALLER, AGENT, WALL))
    checksum = records(plain)[0].packet[26:28]
    _, octets = written(Datagram(checksum, CALLER, AGENT, WALL))
    assert b"\xff\xff" == records(octets)[0].packet[26:28]


def test_instants_keep_their_microseconds() -> None:
    """A float of today's seconds is good for a quarter of a microsecond; rounding may carry into the seconds."""
    instants = [WALL, 1_700_000_000.999_999_9]
    _, octets = written(*(Datagram(b"", CALLER, AGENT, wall) for wall in instants))
    assert [(1_700_000_000, 250_000), (1_700_000_001, 0)] == [record[:2] for record in records(octets)]


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        (("localhost", 5060), AGENT),
        (("", 5060), AGENT),
        (("::1", 5060), AGENT),
        (("127.0.0.1", 65_536), AGENT),
        (CALLER, ("127.0.0.1", -1)),
    ],
    ids=["a name", "nothing", "two IP versions", "port too high", "port too low"],
)
def test_endpoints_that_no_header_can_name_are_counted(source: tuple[str, int], destination: tuple[str, int]) -> None:
    """Only numeric addresses: nobody asks the DNS in order to write a file."""
    writer, octets = written()
    assert Drop.ADDRESS == writer.write(b"x", source, destination, WALL)
    assert 1 == writer.snapshot().drops[Drop.ADDRESS]
    assert [] == records(octets)


@pytest.mark.parametrize("wall", [-0.1, float("nan"), float("inf"), 2.0**32])
def test_instants_that_no_record_can_hold_are_counted(wall: float) -> None:
    """Seconds are 32 bits without sign."""
    writer, _ = written()
    assert Drop.INSTANT == writer.write(b"x", CALLER, AGENT, wall)


def test_the_longest_datagram_fits_and_one_octet_more_is_counted() -> None:
    """MAX_DATAGRAM_OCTETS crossed by one."""
    whole = Datagram(bytes(capture.MAX_DATAGRAM_OCTETS), CALLER, AGENT, WALL)
    writer, octets = written(whole, whole._replace(data=whole.data + b"\0"))
    assert [65_535] == [len(record.packet) for record in records(octets)]
    assert 1 == writer.snapshot().drops[Drop.TOO_LONG]


def test_the_flows_kept_ready_are_bounded() -> None:
    """MAX_FLOWS crossed by one: the oldest makes room, and the datagram is written all the same."""
    ports = range(capture.MAX_FLOWS + 1)
    writer, _ = written(*(Datagram(b"", CALLER, ("127.0.0.2", port), WALL) for port in ports))
    assert capture.MAX_FLOWS + 1 == writer.snapshot().records
    assert capture.MAX_FLOWS == capture._flow.cache_info().currsize


def test_a_capture_may_be_exactly_as_long_as_its_limit() -> None:
    """The limit itself is allowed."""
    one = Datagram(b"0123456789", CALLER, AGENT, WALL)
    limit = FILE_HEADER_OCTETS + RECORD_OVERHEAD_OCTETS + 10
    writer, octets = written(one, limit=limit)
    assert limit == len(octets) == writer.snapshot().octets


def test_the_first_record_beyond_the_limit_ends_the_capture() -> None:
    """Later records are left out even where they would fit: the file has no holes."""
    one = Datagram(b"0123456789", CALLER, AGENT, WALL)
    limit = FILE_HEADER_OCTETS + 2 * (RECORD_OVERHEAD_OCTETS + 10) - 1
    writer, octets = written(one, one, one._replace(data=b""), limit=limit)
    assert Drop.FULL == writer.write(b"", CALLER, AGENT, WALL)
    assert [b"0123456789"] == [record.packet[28:] for record in records(octets)]
    assert 3 == writer.snapshot().drops[Drop.FULL]


@pytest.mark.parametrize("error", [True, False], ids=["by an error", "by taking a part"])
def test_a_disk_that_fills_up_leaves_only_whole_records(error: bool) -> None:
    """What the disk took of the last record is cut off again, and the capture ends."""
    file = FullDisk(FILE_HEADER_OCTETS + RECORD_OVERHEAD_OCTETS + 20, error=error)
    writer = PcapWriter(file)
    answers = [writer.write(b"0123456789", CALLER, AGENT, WALL) for _ in range(3)]
    assert [None, Drop.STORAGE, Drop.STORAGE] == answers
    assert [b"0123456789"] == [record.packet[28:] for record in records(file.getvalue())]


def test_a_file_that_takes_no_header_is_refused() -> None:
    """There is no capture without it; the caller decides whether the call goes on."""
    with pytest.raises(OSError, match="part of the pcap header"):
        PcapWriter(FullDisk(10, error=False))


def test_a_capture_says_in_one_line_what_it_holds() -> None:
    """And what it left out."""
    writer, _ = written(Datagram(b"x", CALLER, AGENT, WALL))
    assert "<PcapWriter 1 records, 69 octets, dropped: none>" == repr(writer)
    writer.write(b"x", ("a name", 1), AGENT, WALL)
    assert "<PcapWriter 1 records, 69 octets, dropped: 1 x ADDRESS>" == repr(writer)
