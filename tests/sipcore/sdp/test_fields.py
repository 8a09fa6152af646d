"""RFC 8866 section 5: the lines that have parts."""

import pytest

from offhook.sipcore.sdp import Attribute, Bandwidth, Connection, MalformedDescription, Origin, Timing
from offhook.sipcore.sdp.fields import (
    MAX_BANDWIDTH_DIGITS,
    MAX_REMEMBERED,
    MAX_SESSION_ID_DIGITS,
    MAX_TIME_DIGITS,
    attribute_of,
    connection_at,
    number,
    timing_of,
)

ORIGINS = {
    "jdoe 3724394400 3724394405 IN IP4 198.51.100.1": Origin(
        "jdoe", 3724394400, 3724394405, "IN", "IP4", "198.51.100.1"
    ),
    "- 1 2 IN IP6 2001:db8::1": Origin("-", 1, 2, "IN", "IP6", "2001:db8::1"),
    "- 1 2 IN IP4": Origin("-", 1, 2, "IN", "IP4", ""),
    "- 1 2 IN": Origin("-", 1, 2, "IN", "", ""),
    "Desk Phone 1 2 IN IP4 192.0.2.1": Origin("Desk Phone", 1, 2, "IN", "IP4", "192.0.2.1"),
}
CONNECTIONS = {
    "IN IP4 192.0.2.1": Connection("IP4", "192.0.2.1"),
    "IN IP6 2001:db8::1": Connection("IP6", "2001:db8::1"),
    "IN IP4 233.252.0.1/127": Connection("IP4", "233.252.0.1", ttl=127),
    "IN IP4 233.252.0.1/127/3": Connection("IP4", "233.252.0.1", ttl=127, count=3),
    "IN IP6 ff00::db8:0:101/3": Connection("IP6", "ff00::db8:0:101", count=3),
    "IN IP6 ::1/1/1": Connection("IP6", "::1", ttl=1),
    "ATM NSAP 47.0091": Connection("NSAP", "47.0091", nettype="ATM"),
}


class TestNumbers:
    def test_digits_are_counted_before_they_are_converted(self):
        """A million digits cost nothing; a payload type of 4294967296 once crashed a stack (CVE-2018-1000098)."""
        assert 99_999 == number("99999", 5)
        assert number("100000", 5) is None
        assert number("9" * 1_000_000, 5) is None

    @pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "0x1", "١", "²"])
    def test_only_ascii_digits_are_a_number(self, text):
        """RFC 8866 section 9: DIGIT is 0 to 9, whatever `int` would take."""
        assert number(text, 5) is None


class TestOrigin:
    @pytest.mark.parametrize(("text", "origin"), ORIGINS.items(), ids=ORIGINS)
    def test_origins_read_and_write_the_same(self, text, origin):
        """RFC 8866 5.2, and what cameras and desk telephones make of it."""
        assert origin == Origin.parse(text)
        assert text == str(origin)

    @pytest.mark.parametrize("text", ["", "user", "- 1 2", "- one 2 IN IP4 192.0.2.1", "- 1 -2 IN IP4 192.0.2.1"])
    def test_an_origin_without_its_numbers_is_refused(self, text):
        """RFC 8866 5.2: re-offers are told by the version, so there must be one."""
        with pytest.raises(MalformedDescription):
            Origin.parse(text)

    def test_a_session_id_has_at_most_39_digits(self):
        """The limit, and one beyond."""
        assert 10**38 == Origin.parse(f"- {10**38} 1 IN IP4 192.0.2.1").session_id
        with pytest.raises(MalformedDescription):
            Origin.parse(f"- {10**MAX_SESSION_ID_DIGITS} 1 IN IP4 192.0.2.1")


class TestConnection:
    @pytest.mark.parametrize(("text", "connection"), CONNECTIONS.items(), ids=CONNECTIONS)
    def test_connections_read_and_write_the_same(self, text, connection):
        """RFC 8866 5.7: TTL and count for IPv4, only a count for IPv6."""
        assert connection == Connection.parse(text)
        assert connection == Connection.parse(str(connection))

    @pytest.mark.parametrize("text", ["", "IN", "IN IP4", "IN IP4 "])
    def test_a_connection_without_address_says_nothing(self, text):
        """Trunks send that; the session's address, or the origin's, then holds."""
        assert Connection.parse(text) is None

    @pytest.mark.parametrize("address", ["a/", "/1", "a/x", "a/1/2/3", "a/1234", "a b"])
    def test_a_broken_address_is_refused_rather_than_guessed(self, address):
        """Media must not go to a place nobody meant."""
        with pytest.raises(MalformedDescription):
            Connection.parse(f"IN IP4 {address}")

    def test_short_connections_are_remembered_and_long_ones_are_read_too(self):
        """As with attributes."""
        short, long = "IN IP4 192.0.2.1", "IN IP4 " + "a" * MAX_REMEMBERED
        assert connection_at(short) is connection_at(short)
        assert Connection("IP4", "a" * MAX_REMEMBERED) == connection_at(long)

    def test_several_ipv4_addresses_without_ttl_cannot_be_written(self):
        """RFC 8866 5.7: IPv4 multicast MUST have a TTL."""
        with pytest.raises(ValueError, match="TTL"):
            str(Connection("IP4", "233.252.0.1", count=2))


class TestBandwidthAndTiming:
    def test_bandwidth_is_a_name_and_a_number(self):
        """RFC 8866 5.8."""
        assert Bandwidth("AS", 128) == Bandwidth.parse("AS:128")
        assert "AS:128" == str(Bandwidth("AS", 128))

    @pytest.mark.parametrize("text", ["", "AS", "AS:", ":1", "AS:x", f"AS:{10**MAX_BANDWIDTH_DIGITS}"])
    def test_any_other_bandwidth_says_nothing(self, text):
        """Never a reason to lose a call; 12 digits are the limit."""
        assert Bandwidth.parse(text) is None

    def test_times_are_two_numbers(self):
        """RFC 8866 5.9."""
        assert Timing(3034423619, 3042462419) == Timing.parse("3034423619 3042462419")
        assert "0 0" == str(Timing())

    @pytest.mark.parametrize("text", ["", "0", "0 x", "x 0", "0 0 0", f"0 {10**MAX_TIME_DIGITS}"])
    def test_any_other_times_say_nothing(self, text):
        """20 digits are the limit."""
        assert Timing.parse(text) is None


class TestAttribute:
    @pytest.mark.parametrize(
        ("text", "attribute"),
        [
            ("sendrecv", Attribute("sendrecv")),
            ("rtpmap:0 PCMU/8000", Attribute("rtpmap", "0 PCMU/8000")),
            ("x:", Attribute("x", "")),
            ("x:a:b", Attribute("x", "a:b")),
        ],
    )
    def test_attributes_read_and_write_the_same(self, text, attribute):
        """RFC 8866 5.13: a name, or a name and whatever stands behind the first colon."""
        assert attribute == Attribute.parse(text)
        assert text == str(attribute)

    def test_short_attributes_are_remembered_and_long_ones_are_not(self):
        """The memory is bounded in characters: keys of a hostile peer do not fill it."""
        short, long = "x" * MAX_REMEMBERED, "x" * (MAX_REMEMBERED + 1)
        assert attribute_of(short) is attribute_of(short)
        assert attribute_of(long) == attribute_of(long)
        assert attribute_of(long) is not attribute_of(long)

    def test_long_time_lines_are_read_too(self):
        """Only the short ones are remembered."""
        assert Timing() == timing_of("0" + " " * MAX_REMEMBERED + "0")
        assert timing_of("0 0") is timing_of("0 0")
