"""What we bring to a call, and what no description can say."""

import pytest

from offhook.sipcore.sdp import Attribute, Codec, Direction, LocalMedia, Timing
from offhook.sipcore.sdp.local_media import MAX_PTIME, MIN_PTIME

PCMU, PCMA = Codec(0, "PCMU", 8_000), Codec(8, "PCMA", 8_000)
OPUS = Codec(96, "opus", 48_000, 2)
EVENT = Codec(101, "telephone-event", 8_000, 1, "0-16")


def local(codecs=(PCMU, PCMA), event=EVENT, *, address="192.0.2.1", port=40_000, ptime=20) -> LocalMedia:
    """Our side of a call."""
    return LocalMedia(address, port, codecs, event, ptime, session_id=7)


class TestValidity:
    @pytest.mark.parametrize("port", [1, 65_535])
    def test_any_udp_port_will_do(self, port):
        """Port 0 would refuse our own stream."""
        assert port == local(port=port).port

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"address": "0.0.0.0"}, "address"),
            ({"address": "::"}, "address"),
            ({"address": "224.0.0.1"}, "address"),
            ({"address": "agent one"}, "address"),
            ({"port": 0}, "port"),
            ({"port": 65_536}, "port"),
            ({"ptime": MIN_PTIME - 1}, "ptime"),
            ({"ptime": MAX_PTIME + 1}, "ptime"),
            ({"codecs": ()}, "speech"),
            ({"codecs": (Codec(13, "CN", 8_000),)}, "speech"),
            ({"codecs": (PCMU, EVENT), "event": None}, "event"),
            ({"codecs": (PCMU, Codec(0, "PCMA", 8_000))}, "payload types"),
            ({"codecs": (Codec(101, "opus", 48_000, 2),)}, "payload types"),
            ({"codecs": (Codec(128, "opus", 48_000, 2),)}, "payload types"),
            ({"codecs": (Codec(-1, "opus", 48_000, 2),)}, "payload types"),
        ],
    )
    def test_what_no_description_can_say_is_refused_at_once(self, changes, reason):
        """The caller's mistake, told where it is made."""
        with pytest.raises(ValueError, match=reason):
            local(**changes)


class TestEvents:
    def test_one_clock_rate_needs_one_event_type(self):
        """The usual telephone."""
        assert (EVENT,) == local().events

    def test_without_dtmf_there_is_none(self):
        """None means none."""
        assert () == local(event=None).events

    def test_each_clock_rate_has_its_own_event_type(self):
        """RFC 4733 2.1: events share the timestamps of the audio; a free dynamic number is found for the second."""
        taken = Codec(97, "L16", 16_000)
        events = local((OPUS, taken, PCMU)).events
        assert [(98, 48_000), (99, 16_000), (101, 8_000)] == [(e.payload_type, e.clock_rate) for e in events]
        assert {"0-16"} == {e.parameters for e in events}

    def test_comfort_noise_asks_for_no_events(self):
        """Only speech has DTMF beside it."""
        noise = Codec(97, "CN", 16_000)
        assert (EVENT,) == local((PCMU, noise)).events

    def test_where_no_number_is_free_the_rate_goes_without_events(self):
        """Thirty-two dynamic numbers are all there are."""
        many = tuple(Codec(n, f"x{n}", 16_000) for n in range(96, 128) if n != 101)
        assert [8_000] == [event.clock_rate for event in local((PCMU, *many)).events]


class TestDescriptions:
    def test_our_stream_lists_codecs_ptime_mux_and_direction(self):
        """RFC 3264 section 5."""
        media = local().stream("RTP/AVP", (PCMU, EVENT), 30, Direction.SENDONLY, rtcp_mux=True)
        assert ("audio", 40_000, "RTP/AVP", ("0", "101")) == (media.kind, media.port, media.protocol, media.formats)
        expected = ["rtpmap:0 PCMU/8000", "rtpmap:101 telephone-event/8000", "fmtp:101 0-16", "ptime:30"]
        assert [*expected, "rtcp-mux", "sendonly"] == list(map(str, media.attributes))

    def test_a_stream_without_mux_does_not_name_it(self):
        """RFC 5761 5.1.1: the attribute is the whole offer."""
        media = local().stream("RTP/AVP", (PCMU,), 20, Direction.SENDRECV, rtcp_mux=False)
        assert Attribute("rtcp-mux") not in media.attributes

    @pytest.mark.parametrize(("address", "addrtype"), [("192.0.2.1", "IP4"), ("2001:db8::1", "IP6")])
    def test_our_session_names_our_address_twice(self, address, addrtype):
        """RFC 8866 5.2 and 5.7."""
        session = local(address=address).session((), (Timing(1, 2),))
        assert f"- 7 1 IN {addrtype} {address}" == str(session.origin)
        assert (f"IN {addrtype} {address}", (Timing(1, 2),)) == (str(session.connection), session.times)
