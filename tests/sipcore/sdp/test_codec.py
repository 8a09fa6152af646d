"""RFC 8866 6.6 and RFC 3551 section 6: what payload types mean."""

import pytest

from offhook.sipcore.sdp import STATIC_CODECS, Attribute, Codec, MediaDescription, codecs_of
from offhook.sipcore.sdp.codec import MAX_CHANNELS_DIGITS, MAX_CLOCK_RATE_DIGITS, MAX_RTPMAP


def stream(formats: str, *attributes: str) -> MediaDescription:
    """An audio stream with these formats and attributes."""
    return MediaDescription(
        "audio", 40000, "RTP/AVP", tuple(formats.split()), attributes=tuple(map(Attribute.parse, attributes))
    )


class TestCodec:
    def test_the_same_codec_has_the_same_key_under_any_number_and_in_any_case(self):
        """RFC 3264 6.1 with RFC 4855: encoding names are case-insensitive."""
        assert Codec(96, "opus", 48_000, 2).key == Codec(111, "OPUS", 48_000, 2, "useinbandfec=1").key
        assert Codec(96, "L16", 16_000).key != Codec(96, "L16", 8_000).key
        assert Codec(96, "L16", 16_000).key != Codec(96, "L16", 16_000, 2).key

    @pytest.mark.parametrize("name", ["telephone-event", "CN", "red"])
    def test_companions_only_go_along_with_speech(self, name):
        """RFC 4733, RFC 3389, RFC 2198."""
        assert Codec(101, name, 8_000).is_companion
        assert not Codec(0, "PCMU", 8_000).is_companion

    def test_a_codec_writes_its_attributes(self):
        """RFC 8866 6.6: one channel is left out; 6.15: parameters are their own line."""
        opus = Codec(96, "opus", 48_000, 2, "useinbandfec=1")
        assert (Attribute("rtpmap", "0 PCMU/8000"),) == Codec(0, "PCMU", 8_000).attributes()
        assert (Attribute("rtpmap", "96 opus/48000/2"), Attribute("fmtp", "96 useinbandfec=1")) == opus.attributes()


class TestStaticTypes:
    @pytest.mark.parametrize(
        ("number", "name", "clock_rate"),
        [(0, "PCMU", 8_000), (3, "GSM", 8_000), (4, "G723", 8_000), (8, "PCMA", 8_000), (13, "CN", 8_000)],
    )
    def test_old_codecs_need_no_rtpmap(self, number, name, clock_rate):
        """RFC 3551 table 4."""
        assert (Codec(number, name, clock_rate),) == codecs_of(stream(str(number)))

    def test_g722_has_a_clock_of_8000(self):
        """RFC 3551 4.5.2: an error of RFC 1890 that is kept for ever."""
        assert 8_000 == STATIC_CODECS[9].clock_rate

    def test_an_rtpmap_overrules_the_table(self):
        """A peer may write `rtpmap:0 G722/8000` and mean it."""
        assert (Codec(0, "G722", 8_000),) == codecs_of(stream("0", "rtpmap:0 G722/8000"))

    def test_a_static_type_may_have_parameters(self):
        """G.729 says by fmtp whether annex B is spoken."""
        assert (Codec(18, "G729", 8_000, 1, "annexb=no"),) == codecs_of(stream("18", "fmtp:18 annexb=no"))


class TestDynamicTypes:
    def test_codecs_come_in_the_order_of_the_formats(self):
        """RFC 8866 5.14: the m= line gives the preference; the order of the attributes means nothing."""
        media = stream("101 0 96", "rtpmap:96 opus/48000/2", "fmtp:101 0-16", "rtpmap:101 telephone-event/8000")
        assert ["telephone-event", "PCMU", "opus"] == [codec.name for codec in codecs_of(media)]

    def test_a_dynamic_type_without_rtpmap_means_nothing(self):
        """It is passed over; once it crashed a well-known stack."""
        assert () == codecs_of(stream("96 127", "fmtp:96 0-16"))

    def test_an_rtpmap_beyond_the_formats_means_nothing(self):
        """`rtpmap:65535` once indexed a table."""
        assert STATIC_CODECS[0] == codecs_of(stream("0", "rtpmap:65535 PCMU/8000", "rtpmap:96 opus/48000/2"))[0]

    @pytest.mark.parametrize(
        "rtpmap",
        [
            "",
            "PCMU",
            "PCMU/",
            "/8000",
            "PCMU/0",
            "PCMU/x",
            "PCMU/8000/0",
            "PCMU/8000/x",
            "PC\xb5U/8000",
            f"L16/{10**MAX_CLOCK_RATE_DIGITS}",
            f"L16/8000/{10**MAX_CHANNELS_DIGITS}",
            "x" * (MAX_RTPMAP - 4) + "/8000",
        ],
    )
    def test_a_broken_rtpmap_counts_as_none(self, rtpmap):
        """Numbers have limits, zero is none of them, and names are ASCII of bounded length."""
        assert (STATIC_CODECS[0],) == codecs_of(stream("0 96", f"rtpmap:96 {rtpmap}"))

    def test_names_and_rates_up_to_the_limits_are_read(self):
        """One less than what is refused above."""
        name = "x" * (MAX_RTPMAP - 5)
        assert (Codec(96, name, 8_000),) == codecs_of(stream("96", f"rtpmap:96 {name}/8000"))
        assert (Codec(96, "L16", 9_999_999, 999),) == codecs_of(stream("96", "rtpmap:96 L16/9999999/999"))

    def test_the_first_of_several_meanings_counts(self):
        """Neither a repeated format nor a second rtpmap makes a second codec."""
        media = stream("96 96", "rtpmap:96 L16/16000", "rtpmap:96 opus/48000/2", "fmtp:96 a", "fmtp:96 b")
        assert (Codec(96, "L16", 16_000, 1, "a"),) == codecs_of(media)

    def test_blanks_around_the_parts_do_not_matter(self):
        """Some write two, some write one at the end."""
        media = stream("96", "rtpmap: 96  L16/16000", "fmtp:96  a; b ")
        assert (Codec(96, "L16", 16_000, 1, "a; b"),) == codecs_of(media)

    def test_long_parameters_are_read_and_not_remembered(self):
        """The memory of codecs is bounded in characters too."""
        media = stream("0", "fmtp:0 " + "x" * (MAX_RTPMAP + 1))
        assert "x" * (MAX_RTPMAP + 1) == codecs_of(media)[0].parameters
        assert codecs_of(media)[0] is not codecs_of(media)[0]

    def test_formats_that_are_no_payload_types_are_left_out(self):
        """Streams that are not RTP have names there."""
        assert () == codecs_of(stream("* webrtc-datachannel", "rtpmap:* PCMU/8000", "rtpmap"))
