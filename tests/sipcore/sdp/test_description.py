"""RFC 8866: a whole description, from octets to value and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.sipcore.sdp import (
    Attribute,
    Bandwidth,
    Connection,
    MalformedDescription,
    MediaDescription,
    Origin,
    SessionDescription,
    Timing,
    parse,
)
from offhook.sipcore.sdp.description import (
    MAX_ATTRIBUTES,
    MAX_DESCRIPTION_OCTETS,
    MAX_FORMATS,
    MAX_LINE,
    MAX_LINES,
    MAX_MEDIA,
)

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
AUDIO = "m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
FULL = (
    "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=Call to John Smith\r\ni=SDP Offer #1\r\n"
    "u=http://www.jdoe.example.com/home.html\r\ne=Jane Doe <jane@jdoe.example.com>\r\np=+1 617 555-6011\r\n"
    "c=IN IP4 198.51.100.1\r\nb=AS:128\r\nt=0 0\r\na=recvonly\r\nk=prompt\r\n"
    "m=audio 49170/2 RTP/AVP 0\r\ni=voice\r\nc=IN IP6 2001:db8::2\r\nb=TIAS:64000\r\na=ptime:20\r\nk=clear:x\r\n"
    "m=video 51372 RTP/AVP 99\r\na=rtpmap:99 h263-1998/90000\r\n"
)

VALID = {
    "minimal": "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n",
    "bare line feeds": HEAD.replace("\r\n", "\n"),
    "no end of the last line": HEAD.rstrip(),
    "blank lines": HEAD.replace("\r\n", "\r\n\r\n"),
    "leading blank line": "\n" + HEAD,
    "blanks at line ends": HEAD.replace("\r\n", " \t\r\n"),
    "doubled carriage returns": HEAD.replace("\r\n", "\r\r\n"),
    "no session name": HEAD.replace("s=-\r\n", ""),
    "empty session name": HEAD.replace("s=-", "s="),
    "no times": HEAD.replace("t=0 0\r\n", ""),
    "junk lines": "; hello\r\n" + HEAD + "f=invalid:yes\r\na=\r\nX\r\nt=never\r\nb=much\r\n",
    "connection behind times": "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nc=IN IP4 192.0.2.1\r\n",
    "no format": HEAD + "m=video 0 RTP/AVP\r\n",
    "not RTP": HEAD + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    "highest numbers": HEAD + "m=audio 65535/65535 RTP/AVP 127\r\n",
    "Latin-1": (HEAD.replace("s=-", "s=caf\xe9")).encode("latin-1"),
    "UTF-8": HEAD.replace("s=-", "s=\u260e").encode(),
}
INVALID = {
    "nothing": "",
    "no version": HEAD.replace("v=0\r\n", ""),
    "other version": HEAD.replace("v=0", "v=1"),
    "no origin": HEAD.replace("o=- 1 1 IN IP4 192.0.2.1\r\n", ""),
    "NUL": HEAD.replace("s=-", "s=\0"),
    "bare carriage return": HEAD.replace("s=-", "s=a\rm=audio 1 RTP/AVP 0"),
    "lone surrogate": HEAD.replace("s=-", "s=\ud800"),
    "stream before the session": AUDIO + HEAD,
    "two fields of media": HEAD + "m=audio 40000\r\n",
    "transport beyond ASCII": HEAD + "m=audio 40000 RTP/\xc4VP 0\r\n",
    "port beyond 65535": HEAD + "m=audio 65536 RTP/AVP 0\r\n",
    "port of six digits": HEAD + "m=audio 000001 RTP/AVP 0\r\n",
    "negative port": HEAD + "m=audio -1 RTP/AVP 0\r\n",
    "no ports": HEAD + "m=audio 40000/0 RTP/AVP 0\r\n",
    "number of ports missing": HEAD + "m=audio 40000/ RTP/AVP 0\r\n",
    "payload type 128": HEAD + "m=audio 40000 RTP/AVP 128\r\n",
    "payload type 4294967296": HEAD + "m=audio 40000 rtp/savp 4294967296\r\n",
    "payload type by name": HEAD + "m=audio 40000 RTP/AVP PCMU\r\n",
    "connection suffix": HEAD + AUDIO + "c=IN IP4 192.0.2.1/x\r\n",
}


class TestParsing:
    @pytest.mark.parametrize("data", VALID.values(), ids=VALID)
    def test_what_real_telephones_send_is_read_and_survives_a_round_trip(self, data):
        """RFC 8866 5: "parsers SHOULD be tolerant"; what was read can be sent and read again."""
        description = parse(data)
        assert description == parse(description.serialize())

    @pytest.mark.parametrize("data", INVALID.values(), ids=INVALID)
    def test_what_nobody_could_trust_is_refused_with_a_reason(self, data):
        """One exception, with the status and a sentence."""
        with pytest.raises(MalformedDescription) as refused:
            parse(data)
        assert (400, True) == (refused.value.status, bool(refused.value.reason))

    def test_the_session_has_its_fields(self):
        """RFC 8866 5.2 to 5.13."""
        description = parse(FULL)
        assert Origin("jdoe", 3724394400, 3724394405, "IN", "IP4", "198.51.100.1") == description.origin
        assert ("Call to John Smith", "SDP Offer #1") == (description.name, description.information)
        assert "http://www.jdoe.example.com/home.html" == description.uri
        assert ("Jane Doe <jane@jdoe.example.com>",) == description.emails
        assert ("+1 617 555-6011",) == description.phones
        assert (Connection("IP4", "198.51.100.1"), (Bandwidth("AS", 128),)) == (
            description.connection,
            description.bandwidths,
        )
        assert ((Timing(0, 0),), (Attribute("recvonly"),)) == (description.times, description.attributes)

    def test_each_stream_has_its_own_section(self):
        """RFC 8866 5.14: a section goes from its m= line to the next."""
        audio, video = parse(FULL).media
        assert ("audio", 49170, 2, "RTP/AVP", ("0",)) == (
            audio.kind,
            audio.port,
            audio.port_count,
            audio.protocol,
            audio.formats,
        )
        assert ("voice", Connection("IP6", "2001:db8::2")) == (audio.information, audio.connection)
        assert ((Bandwidth("TIAS", 64000),), (Attribute("ptime", "20"),)) == (audio.bandwidths, audio.attributes)
        assert ("video", (Attribute("rtpmap", "99 h263-1998/90000"),)) == (video.kind, video.attributes)

    def test_lines_that_say_nothing_are_kept_where_they_were(self):
        """Nothing disappears silently: keys are obsolete (RFC 8866 5.12), repeat times are not for telephones."""
        description = parse(FULL)
        assert (("k=prompt",), ("k=clear:x",)) == (description.unread, description.media[0].unread)

    def test_of_lines_that_may_stand_once_the_first_counts(self):
        """A second origin or address is kept, and ignored."""
        description = parse(HEAD + "o=- 9 9 IN IP4 192.0.2.9\r\nc=IN IP4 192.0.2.9\r\n" + AUDIO + "i=a\r\ni=b\r\n")
        assert (1, "192.0.2.1") == (description.origin.session_id, description.connection.address)
        assert ("o=- 9 9 IN IP4 192.0.2.9", "c=IN IP4 192.0.2.9") == description.unread
        assert ("a", ("i=b",)) == (description.media[0].information, description.media[0].unread)

    def test_missing_lines_get_the_values_of_a_telephone_call(self):
        """RFC 3264 section 5: "s=-" and "t=0 0"."""
        description = parse(VALID["minimal"])
        assert ("-", (Timing(0, 0),), None) == (description.name, description.times, description.connection)

    def test_attributes_are_found_by_name(self):
        """Absent, without value, and with one are three things; the first of several counts."""
        media = parse(HEAD + AUDIO + "a=ptime:20\r\na=ptime:30\r\n").media[0]
        assert (None, "", "20") == (media.attribute("mid"), media.attribute("sendrecv"), media.attribute("ptime"))
        assert "" == parse(HEAD + "a=ice-lite\r\n").attribute("ice-lite")


LIMITS = {
    "streams": lambda extra: ["m=audio 0 RTP/AVP 0"] * (MAX_MEDIA + extra),
    "formats of a stream": lambda extra: ["m=audio 0 RTP/AVP" + " 0" * (MAX_FORMATS + extra)],
    "session attributes": lambda extra: ["a=x"] * (MAX_ATTRIBUTES + extra),
    "stream attributes": lambda extra: ["m=audio 0 RTP/AVP 0"] + ["a=x"] * (MAX_ATTRIBUTES + extra),
    "characters of a line": lambda extra: ["a=" + "x" * (MAX_LINE - 2 + extra)],
    "lines": lambda extra: ["k=x"] * (MAX_LINES - 5 + extra),
}


class TestLimits:
    @pytest.mark.parametrize("lines", LIMITS.values(), ids=LIMITS)
    def test_each_limit_may_be_reached(self, lines):
        """Nothing is lost at the limit itself."""
        text = HEAD + "\r\n".join([*lines(0), ""])
        assert text == parse(text).serialize().decode()

    @pytest.mark.parametrize("lines", LIMITS.values(), ids=LIMITS)
    def test_one_beyond_a_limit_is_refused(self, lines):
        """The work that one description can cause is bounded."""
        with pytest.raises(MalformedDescription, match="more than"):
            parse(HEAD + "\r\n".join([*lines(1), ""]))

    def test_the_whole_may_have_65535_octets(self):
        """Octets, not characters: UTF-8 counts as it is sent."""
        text = HEAD + "\u260e" * 100
        text += "\n" * (MAX_DESCRIPTION_OCTETS - len(text.encode()))
        assert parse(text)
        with pytest.raises(MalformedDescription, match="octets"):
            parse(text + "\n")


class TestSerialising:
    def test_lines_stand_in_the_order_of_the_grammar(self):
        """RFC 8866 section 9: the order of the lines is fixed."""
        letters = [line[:1] for line in parse(FULL).serialize().decode().split("\r\n")]
        assert [*"vosiuepcbtak", *"micbak", *"ma", ""] == letters

    @pytest.mark.parametrize("forged", ["a\r\nm=audio 1 RTP/AVP 0", "a\nb", "a\rb", "a\n\rb", "a\0b"])
    def test_a_value_that_would_forge_lines_is_refused(self, forged):
        """What we put in never breaks out of its line."""
        description = SessionDescription(Origin("-", 1, 1), attributes=(Attribute("x", forged),))
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            description.serialize()

    def test_a_built_description_reads_back_as_itself(self):
        """serialize and parse are inverse."""
        stream = MediaDescription("audio", 40000, "RTP/AVP", ("0", "8"), attributes=(Attribute("sendonly"),))
        description = SessionDescription(Origin("-", 1, 2, "IN", "IP4", "192.0.2.1"), media=(stream,))
        assert description == SessionDescription.parse(description.serialize())


def parse_or_refuse(data: bytes | str) -> SessionDescription | str:
    """The description, or the reason against it."""
    try:
        return parse(data)
    except MalformedDescription as refused:
        return refused.reason


class TestProperties:
    @given(st.binary(max_size=400) | st.text(max_size=400))
    def test_any_input_gives_a_description_or_a_refusal(self, data):
        """Bytes from the network have two outcomes."""
        assert parse_or_refuse(data) is not None

    @given(
        st.lists(
            st.builds(
                "{}={}".format,
                st.sampled_from("vosiuepcbtrzkamx"),
                st.sampled_from(["0", "", "0 0", "IN IP4 1.2.3.4/5", "x:1", "audio 9 RTP/AVP 0", "- 1 1 IN IP4 a"])
                | st.text(max_size=12),
            )
        )
    )
    def test_whatever_is_read_survives_a_round_trip(self, lines):
        """parse(x.serialize()) == x, in any order of lines and with any junk between them."""
        read = parse_or_refuse("v=0\no=- 1 1 IN IP4 192.0.2.1\n" + "\n".join(lines))
        assert isinstance(read, str) or read == parse(read.serialize())
