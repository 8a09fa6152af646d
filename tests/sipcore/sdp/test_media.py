"""What the attributes of one stream say."""

import pytest

from offhook.sipcore.sdp import Connection, Direction, Refusal, parse
from offhook.sipcore.sdp.media import (
    MAX_ADDRESS,
    address_refusal,
    connection_of,
    direction_of,
    is_unspecified,
    milliseconds_of,
    rtcp_of,
)

SENDRECV, SENDONLY, RECVONLY, INACTIVE = (
    Direction.SENDRECV,
    Direction.SENDONLY,
    Direction.RECVONLY,
    Direction.INACTIVE,
)


def described(*lines: str, session: str = "c=IN IP4 192.0.2.1"):
    """A stream at port 40000 with these lines, and the session around it."""
    text = "\n".join(["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", session, "t=0 0", "m=audio 40000 RTP/AVP 0", *lines])
    description = parse(text)
    return description.media[0], description


class TestDirection:
    @pytest.mark.parametrize(
        ("theirs", "ours"),
        [(SENDRECV, SENDRECV), (SENDONLY, RECVONLY), (RECVONLY, SENDONLY), (INACTIVE, INACTIVE)],
    )
    def test_the_other_side_sees_the_mirror_image(self, theirs, ours):
        """RFC 3264 6.1."""
        assert ours is theirs.reversed
        assert (theirs.sends, theirs.receives) == (ours.receives, ours.sends)

    @pytest.mark.parametrize("one", Direction)
    @pytest.mark.parametrize("other", Direction)
    def test_both_must_allow_a_way(self, one, other):
        """An answer never does more than the offer allows."""
        both = one.within(other)
        assert (one.sends and other.sends, one.receives and other.receives) == (both.sends, both.receives)

    def test_a_direction_is_the_word_of_its_attribute(self):
        """RFC 8866 6.7."""
        assert ["inactive", "sendonly", "recvonly", "sendrecv"] == [str(direction) for direction in Direction]
        assert SENDONLY is Direction("sendonly") is Direction.of(sends=True, receives=False)

    @pytest.mark.parametrize(
        ("session", "stream", "expected"),
        [
            ("a=x", "a=x", SENDRECV),
            ("a=sendonly", "a=x", SENDONLY),
            ("a=sendonly", "a=recvonly", RECVONLY),
            ("c=IN IP4 0.0.0.0", "a=x", SENDONLY),
            ("c=IN IP4 0.0.0.0", "a=recvonly", INACTIVE),
            ("c=IN IP6 ::", "a=sendrecv", SENDONLY),
            ("c=IN IP4 0.0.0.0", "c=IN IP4 192.0.2.1", SENDRECV),
        ],
    )
    def test_the_stream_speaks_first_then_the_session_and_0_0_0_0_is_a_hold(self, session, stream, expected):
        """RFC 8866 6.7; RFC 3264 8.4 for the hold of RFC 2543: the writer receives nothing."""
        assert expected is direction_of(*described(stream, session=session))


class TestAddress:
    @pytest.mark.parametrize(
        ("session", "stream", "address"),
        [
            ("c=IN IP4 192.0.2.1", "c=IN IP4 192.0.2.2", "192.0.2.2"),
            ("c=IN IP4 192.0.2.1", "c=IN IP4", "192.0.2.1"),
            ("c=IN IP4", "a=x", "192.0.2.9"),
        ],
    )
    def test_the_nearest_address_counts(self, session, stream, address):
        """RFC 8866 5.7; the origin's, where a trunk leaves both out."""
        assert address == connection_of(*described(stream, session=session)).address

    def test_a_description_may_have_no_address_at_all(self):
        """Then it is not acceptable, but no error."""
        description = parse("v=0\no=- 1 1 IN IP4\nm=audio 40000 RTP/AVP 0")
        assert connection_of(description.media[0], description) is None
        assert Refusal.NO_ADDRESS is address_refusal(None)

    @pytest.mark.parametrize(
        ("addrtype", "address"),
        [
            ("IP4", "192.0.2.1"),
            ("IP4", "0.0.0.0"),
            ("IP4", "223.255.255.255"),
            ("IP4", "agent.example.com"),
            ("IP6", "2001:db8::1"),
            ("IP6", "::"),
            ("IP6", "ff::1"),
            ("IP6", "::ffff:192.0.2.1"),
            ("IP6", "agent.example.com"),
        ],
    )
    def test_unicast_addresses_and_names_are_fine(self, addrtype, address):
        """Whether a name is looked up is decided elsewhere."""
        assert address_refusal(Connection(addrtype, address)) is None

    @pytest.mark.parametrize(
        "connection",
        [
            Connection("IP4", "224.0.0.1"),
            Connection("IP4", "239.255.255.255"),
            Connection("IP4", "255.255.255.255"),
            Connection("IP4", "240.0.0.1"),
            Connection("IP4", "0.0.0.1"),
            Connection("IP4", "192.0.2.1", ttl=1),
            Connection("IP6", "2001:db8::1", count=2),
            Connection("IP6", "ff02::1"),
            Connection("IP6", "::ffff:224.0.0.1"),
        ],
        ids=str,
    )
    def test_no_call_makes_us_send_to_a_group(self, connection):
        """Multicast, broadcast, reserved: one call must not reach many."""
        assert Refusal.GROUP_ADDRESS is address_refusal(connection)

    @pytest.mark.parametrize(
        ("addrtype", "address"),
        [
            ("IP4", "3758096385"),
            ("IP4", "224.1"),
            ("IP4", "0xe0.0.0.1"),
            ("IP4", "010.0.0.1"),
            ("IP4", "256.0.0.1"),
            ("IP4", "1.2.3.4."),
            ("IP4", "2001:db8::a"),
            ("IP4", "ag\xebnt.example"),
            ("IP6", "192.0.2.1"),
            ("IP6", "2001:db8::g"),
            ("IP6", "fe80::1%eth0"),
            ("IP6", "::ffff:0.0.0.0"),
            ("IP5", "192.0.2.1"),
        ],
    )
    def test_what_a_resolver_might_take_for_another_address_is_none(self, addrtype, address):
        """3758096385 and 0xe0.0.0.1 are 224.0.0.1 to some resolvers."""
        assert Refusal.NO_ADDRESS is address_refusal(Connection(addrtype, address))

    def test_only_the_internet_and_names_up_to_255_characters(self):
        """RFC 8866 8.2.6: nettype IN; RFC 1035 2.3.4: 255."""
        assert Refusal.NO_ADDRESS is address_refusal(Connection("IP4", "192.0.2.1", nettype="ATM"))
        assert address_refusal(Connection("IP4", "a" * MAX_ADDRESS)) is None
        assert Refusal.NO_ADDRESS is address_refusal(Connection("IP4", "a" * (MAX_ADDRESS + 1)))

    @pytest.mark.parametrize("address", ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::0.0.0.0"])
    def test_nothing_can_be_sent_to_the_unspecified_address(self, address):
        """However it is written."""
        assert is_unspecified(address)
        assert not is_unspecified("10.0.0.1")


class TestPacketTimes:
    @pytest.mark.parametrize(
        ("text", "milliseconds"),
        [
            ("20", 20.0),
            ("0.125", 0.125),
            ("99999", 99_999.0),
            ("100000", None),
            ("2.000001", 2.000001),
            ("2.0000001", None),
            ("1.", None),
            ("0", None),
            ("-20", None),
            ("1e3", None),
            ("x", None),
            ("", None),
        ],
    )
    def test_ptime_is_a_positive_number(self, text, milliseconds):
        """RFC 8866 6.4: non-zero-int-or-real; digits are bounded, five before the dot and six behind."""
        assert milliseconds == milliseconds_of(described(f"a=ptime:{text}")[0], "ptime")

    def test_an_absent_ptime_is_none(self):
        """Then the default of RFC 3551 holds."""
        assert milliseconds_of(described()[0], "maxptime") is None


class TestRtcp:
    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            ([], ("192.0.2.1", 40001)),
            (["a=rtcp:53020"], ("192.0.2.1", 53020)),
            (["a=rtcp:53020 IN IP4 192.0.2.2"], ("192.0.2.2", 53020)),
            (["a=rtcp:53020 IN IP4 224.0.0.1"], ("192.0.2.1", 40001)),
            (["a=rtcp:53020 IN IP4 0.0.0.0"], ("192.0.2.1", 40001)),
            (["a=rtcp:1 IN IP7 X"], ("192.0.2.1", 40001)),
            (["a=rtcp:1 IN"], ("192.0.2.1", 40001)),
            (["a=rtcp:0"], ("192.0.2.1", 40001)),
            (["a=rtcp:65535"], ("192.0.2.1", 65535)),
            (["a=rtcp:65536"], ("192.0.2.1", 40001)),
            (["a=rtcp"], ("192.0.2.1", 40001)),
        ],
    )
    def test_rtcp_goes_where_the_attribute_says_or_to_the_next_port(self, lines, expected):
        """RFC 3605; RFC 3550 section 11."""
        assert expected == rtcp_of(described(*lines)[0], "192.0.2.1")

    def test_there_is_no_port_behind_the_last(self):
        """Then RTCP shares the port of RTP."""
        media = parse("v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio 65535 RTP/AVP 0").media[0]
        assert ("192.0.2.1", 65535) == rtcp_of(media, "192.0.2.1")
