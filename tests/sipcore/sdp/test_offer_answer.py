"""RFC 3264: what offer and answer make of each other."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.sipcore.sdp import (
    Codec,
    Direction,
    LocalMedia,
    MalformedDescription,
    NotAcceptable,
    Refusal,
    build_offer,
    complete,
    negotiate,
    parse,
)

PCMU, PCMA, G722 = Codec(0, "PCMU", 8_000), Codec(8, "PCMA", 8_000), Codec(9, "G722", 8_000)
OPUS = Codec(96, "opus", 48_000, 2, "useinbandfec=1")
NOISE = Codec(13, "CN", 8_000)
EVENT = Codec(101, "telephone-event", 8_000, 1, "0-16")
LOCAL = LocalMedia("192.0.2.1", 40_000, (PCMU, PCMA, G722), EVENT, session_id=7)
TWO_RATES = replace(LOCAL, codecs=(OPUS, PCMU, NOISE))


def described(*lines: str, connection: str = "IN IP4 198.51.100.1"):
    """The peer's description with these lines behind the session's."""
    return parse("\n".join(["v=0", "o=peer 1 1 IN IP4 198.51.100.1", "s=-", f"c={connection}", "t=0 0", *lines]))


def audio(formats: str = "0 8 101", *lines: str, protocol: str = "RTP/AVP", port: int = 50_000):
    """The peer's description of one audio stream, events as 101."""
    head = f"m=audio {port} {protocol} {formats}"
    return described(head, "a=rtpmap:101 telephone-event/8000", *lines)


def refusal_of(offer, local=LOCAL) -> Refusal:
    """Why this offer cannot be answered."""
    with pytest.raises(NotAcceptable) as refused:
        negotiate(offer, local)
    return refused.value.refusal


def answer_lines(offer, local=LOCAL, **options) -> list[str]:
    """The m= lines of our answer."""
    text = negotiate(offer, local, **options).answer.serialize().decode()
    return [line for line in text.split("\r\n") if line.startswith("m=")]


class TestOffering:
    """RFC 3264 section 5."""

    def test_an_offer_lists_all_our_codecs_in_our_order(self):
        """The whole text of it."""
        head = "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        media = "m=audio 40000 RTP/AVP 0 8 9 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\n"
        tail = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=rtcp-mux\r\na=sendrecv\r\n"
        assert (head + media + tail).encode() == build_offer(LOCAL).serialize()

    def test_two_clock_rates_offer_two_event_types(self):
        """RFC 4733 2.1."""
        assert ("96", "0", "13", "97", "101") == build_offer(TWO_RATES).media[0].formats


class TestAnsweringStreams:
    """RFC 3264 section 6: for each m= line in the offer, one in the answer."""

    def test_the_answer_keeps_number_and_order_of_the_streams(self):
        """Others are refused with port 0, kind, transport and formats as offered."""
        offer = described("m=video 5000 RTP/AVP 31 32", "m=AUDIO 50000 RTP/AVP 0", "m=application 9 UDP/BFCP *")
        assert ["m=video 0 RTP/AVP 31 32", "m=audio 40000 RTP/AVP 0", "m=application 0 UDP/BFCP *"] == answer_lines(
            offer
        )
        assert {0: Refusal.NOT_AUDIO, 2: Refusal.NOT_AUDIO} == negotiate(offer, LOCAL).refused

    def test_the_first_usable_audio_is_taken_and_further_audio_refused(self):
        """Refused, disabled, encrypted and foreign streams are passed over first."""
        streams = ["m=audio 1 RTP/SAVP 0", "m=audio 0 RTP/AVP 0", "m=audio 2 RTP/AVP 3", "m=audio 3 RTP/AVP 8"]
        offer = described(*streams, "m=audio 4 RTP/AVP 0")
        negotiated = negotiate(offer, LOCAL)
        assert [0, 0, 0, 40_000, 0] == [media.port for media in negotiated.answer.media]
        assert [Refusal.ENCRYPTED, Refusal.DISABLED, Refusal.NO_CODEC, Refusal.FURTHER_AUDIO] == list(
            negotiated.refused.values()
        )
        assert ("198.51.100.1", 3) == negotiated.media.remote

    def test_a_refused_stream_has_a_format_even_if_none_was_offered(self):
        """RFC 3264 6: "At least one MUST be present, as specified by SDP"."""
        assert ["m=video 0 RTP/AVP 0", "m=audio 40000 RTP/AVP 0"] == answer_lines(
            described("m=video 9 RTP/AVP", "m=audio 9 RTP/AVP 0")
        )

    @pytest.mark.parametrize("protocol", ["RTP/AVP", "RTP/AVPF", "rtp/avp"])
    def test_the_answer_repeats_the_transport(self, protocol):
        """RFC 3264 section 6; feedback (RFC 4585) may be offered."""
        assert [f"m=audio 40000 {protocol} 0"] == answer_lines(audio("0", protocol=protocol))

    @pytest.mark.parametrize("protocol", ["RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVPF"])
    @pytest.mark.parametrize("crypto", ["a=x", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA"])
    def test_encrypted_audio_is_never_answered_in_plain(self, protocol, crypto):
        """Nor as if encrypted: 488, whether there are keys or not (CVE-2022-39269 was such a fall-back)."""
        assert Refusal.ENCRYPTED is refusal_of(audio("0", crypto, protocol=protocol))

    @pytest.mark.parametrize(
        ("offer", "refusal"),
        [
            (described(), Refusal.NO_STREAM),
            (described("m=video 5000 RTP/AVP 31"), Refusal.NO_STREAM),
            (audio("0", port=0), Refusal.DISABLED),
            (audio("0", protocol="TCP/RTP/AVP"), Refusal.TRANSPORT),
            (audio("3 18"), Refusal.NO_CODEC),
            (audio(""), Refusal.NO_CODEC),
            (audio("101"), Refusal.NO_CODEC),
            (described("m=audio 1 RTP/AVP 0", connection="IN IP4 224.2.1.1/127"), Refusal.GROUP_ADDRESS),
            (described("m=audio 1 RTP/AVP 0", connection="IN IP4 255.255.255.255"), Refusal.GROUP_ADDRESS),
            (described("m=audio 1 RTP/AVP 0", connection="FOO IP4 192.0.2.1"), Refusal.NO_ADDRESS),
        ],
    )
    def test_an_offer_without_usable_audio_gets_488_and_the_reason(self, offer, refusal):
        """Not an answer full of zeros (RFC 3261 13.3.1.3)."""
        assert refusal is refusal_of(offer)

    def test_the_answer_repeats_the_times(self):
        """RFC 3264 6: "The "t=" line in the answer MUST equal that of the offer."""
        offer = parse("v=0\no=- 1 1 IN IP4 192.0.2.9\nt=1 2\nm=audio 9 RTP/AVP 0")
        assert offer.times == negotiate(offer, LOCAL).answer.times


class TestChoosingCodecs:
    """RFC 3264 6.1."""

    def test_the_common_codecs_stand_in_the_order_of_the_offer(self):
        """The first is what we send."""
        negotiated = negotiate(audio("18 8 9 0"), LOCAL)
        assert ("8", "9", "0") == negotiated.answer.media[0].formats
        assert (PCMA, {8: PCMA, 9: G722, 0: PCMU}) == (negotiated.media.codec, negotiated.media.receive_types)

    def test_our_order_decides_where_we_prefer_it(self):
        """prefer="local"."""
        negotiated = negotiate(audio("8 101 0"), LOCAL, prefer="local")
        assert (("0", "8", "101"), PCMU) == (negotiated.answer.media[0].formats, negotiated.media.codec)

    def test_dynamic_types_are_matched_by_name_and_answered_with_their_numbers(self):
        """Never by number: 96 is Opus with us, and something else there."""
        offer = audio("96 120", "a=rtpmap:96 speex/16000", "a=rtpmap:120 OPUS/48000/2", "a=fmtp:120 stereo=0")
        negotiated = negotiate(offer, TWO_RATES)
        assert ("120",) == negotiated.answer.media[0].formats
        assert Codec(120, "opus", 48_000, 2, "stereo=0") == negotiated.media.codec
        assert {120: Codec(120, "opus", 48_000, 2, "useinbandfec=1")} == negotiated.media.receive_types

    @pytest.mark.parametrize("rtpmap", ["opus/48000", "opus/16000/2", "opusx/48000/2"])
    def test_another_clock_rate_or_channel_count_is_another_codec(self, rtpmap):
        """RFC 3264 6.1 with RFC 4855."""
        assert Refusal.NO_CODEC is refusal_of(audio("96", f"a=rtpmap:96 {rtpmap}"), TWO_RATES)

    def test_a_static_number_with_another_name_follows_the_name(self):
        """An answer that says 0 is G.722 must be followed by G.722 (an agent platform sent PCMU)."""
        media = negotiate(audio("0", "a=rtpmap:0 G722/8000"), LOCAL).media
        assert (Codec(0, "G722", 8_000), {0: Codec(0, "G722", 8_000)}) == (media.codec, media.receive_types)

    def test_a_codec_offered_twice_is_answered_once(self):
        """Duplicate names crashed a switch (CVE-2023-40019)."""
        offer = audio("0 96 0", "a=rtpmap:96 PCMU/8000")
        assert ("0",) == negotiate(offer, LOCAL).answer.media[0].formats

    def test_comfort_noise_is_agreed_only_beside_speech_of_its_clock_rate(self):
        """RFC 3389 section 4."""
        assert {0: PCMU, 13: NOISE} == negotiate(audio("13 0"), TWO_RATES).media.receive_types
        offer = audio("96 13", "a=rtpmap:96 opus/48000/2")
        assert [96] == list(negotiate(offer, TWO_RATES).media.receive_types)


class TestTelephoneEvents:
    """RFC 4733."""

    def test_events_take_the_offered_number(self):
        """Ours is 101, theirs 110: both directions use 110 when we answer."""
        media = negotiate(audio("0 110", "a=rtpmap:110 Telephone-Event/8000"), LOCAL).media
        assert (110, 110, 8_000) == (media.send_event_type, media.receive_event_type, media.event_clock_rate)

    def test_the_answer_says_which_events_we_take(self):
        """RFC 4733 2.4.1: fmtp lists what the receiver supports."""
        answer = negotiate(audio("0 110", "a=rtpmap:110 telephone-event/8000", "a=fmtp:110 0-15"), LOCAL).answer
        assert "110 0-16" == answer.media[0].attribute("fmtp")

    def test_events_have_the_clock_rate_of_the_chosen_codec(self):
        """Opus goes with telephone-event/48000 though ours is named for 8000."""
        offer = audio("96 101 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 telephone-event/48000")
        media = negotiate(offer, TWO_RATES).media
        assert (97, 48_000) == (media.send_event_type, media.event_clock_rate)

    @pytest.mark.parametrize(
        ("offer", "local"),
        [
            (audio("0"), LOCAL),
            (audio("0 101"), replace(LOCAL, event=None)),
            (audio("96 101", "a=rtpmap:96 opus/48000/2"), TWO_RATES),
        ],
    )
    def test_otherwise_there_are_no_events(self, offer, local):
        """Not offered, not wanted, or only at another clock rate."""
        media = negotiate(offer, local).media
        assert (None, None) == (media.send_event_type, media.receive_event_type)


class TestDirections:
    """RFC 3264 6.1 and 8.4."""

    @pytest.mark.parametrize(
        ("offered", "ours", "answered"),
        [
            ("sendrecv", "sendrecv", "sendrecv"),
            ("sendonly", "sendrecv", "recvonly"),
            ("recvonly", "sendrecv", "sendonly"),
            ("inactive", "sendrecv", "inactive"),
            ("sendrecv", "sendonly", "sendonly"),
            ("sendonly", "sendonly", "inactive"),
            ("recvonly", "sendonly", "sendonly"),
            ("inactive", "recvonly", "inactive"),
        ],
    )
    def test_the_answer_mirrors_the_offer_within_what_we_want(self, offered, ours, answered):
        """A hold answered with sendrecv made a carrier hang up."""
        negotiated = negotiate(audio("0", f"a={offered}"), replace(LOCAL, direction=Direction(ours)))
        assert "" == negotiated.answer.media[0].attribute(answered)
        assert Direction(answered) is negotiated.media.direction

    def test_the_old_hold_with_0_0_0_0_is_answered_recvonly(self):
        """RFC 3264 8.4; the call stays, and nothing is sent to 0.0.0.0."""
        media = negotiate(described("m=audio 9 RTP/AVP 0", connection="IN IP4 0.0.0.0"), LOCAL).media
        assert (Direction.RECVONLY, False, True) == (media.direction, media.may_send, media.may_receive)

    def test_sending_and_receiving_follow_the_direction(self):
        """Ours, after both have spoken."""
        media = negotiate(audio("0", "a=recvonly"), LOCAL).media
        assert (True, False, 0) == (media.may_send, media.may_receive, media.send_payload_type)


class TestTransportDetails:
    @pytest.mark.parametrize(
        ("lines", "milliseconds"),
        [
            ([], 20),
            (["a=ptime:30"], 30),
            (["a=ptime:10"], 10),
            (["a=ptime:60"], 60),
            (["a=ptime:9"], 20),
            (["a=ptime:61"], 20),
            (["a=ptime:22.5"], 20),
            (["a=ptime:40", "a=maxptime:30"], 30),
            (["a=maxptime:10"], 10),
            (["a=maxptime:5"], 10),
            (["a=maxptime:200"], 20),
        ],
    )
    def test_ptime_is_honoured_between_10_and_60_ms_and_maxptime_always(self, lines, milliseconds):
        """RFC 8866 6.4 and 6.5; asymmetric and huge values overflowed buffers elsewhere."""
        negotiated = negotiate(audio("0", *lines), LOCAL)
        assert (milliseconds / 1000, str(milliseconds)) == (
            negotiated.media.ptime,
            negotiated.answer.media[0].attribute("ptime"),
        )

    def test_rtcp_shares_the_port_if_both_want_it(self):
        """RFC 5761 5.1.1."""
        media = negotiate(audio("0", "a=rtcp-mux"), LOCAL).media
        assert (True, ("198.51.100.1", 50_000)) == (media.rtcp_mux, media.remote_rtcp)

    @pytest.mark.parametrize(("line", "wanted"), [("a=rtcp-mux", False), ("a=x", True)])
    def test_rtcp_has_its_own_port_otherwise(self, line, wanted):
        """One wish is not enough."""
        negotiated = negotiate(audio("0", line), replace(LOCAL, rtcp_mux=wanted))
        assert (False, ("198.51.100.1", 50_001)) == (negotiated.media.rtcp_mux, negotiated.media.remote_rtcp)
        assert negotiated.answer.media[0].attribute("rtcp-mux") is None

    @pytest.mark.parametrize("connection", ["IN IP6 2001:db8::1", "IN IP4 agent.example.com"])
    def test_ipv6_and_names_are_handed_on(self, connection):
        """Whether to look a name up is decided elsewhere."""
        media = negotiate(described("m=audio 9 RTP/AVP 0", connection=connection), LOCAL).media
        assert (connection.split()[2], 9) == media.remote


class TestReadingTheAnswer:
    """RFC 3264 section 7, for the one who offered."""

    def test_we_send_under_their_number_and_receive_under_ours(self):
        """RFC 4317 2.3: the offer said 97, the answer 99."""
        answer = audio("99 110", "a=rtpmap:99 opus/48000/2", "a=rtpmap:110 telephone-event/48000")
        media = complete(build_offer(TWO_RATES), answer)
        assert (99, 110, 97) == (media.send_payload_type, media.send_event_type, media.receive_event_type)
        assert {96: OPUS} == media.receive_types

    def test_the_first_common_codec_of_the_answer_is_sent(self):
        """RFC 3264 7: "SHOULD use the first media format listed in the answer"."""
        media = complete(build_offer(LOCAL), audio("8 0"))
        assert (PCMA, [8, 0], ("198.51.100.1", 50_000)) == (media.codec, list(media.receive_types), media.remote)

    def test_formats_that_we_did_not_offer_are_passed_over(self):
        """RFC 3264 6.1: the answer "MAY indicate additional media formats"."""
        assert PCMU == complete(build_offer(LOCAL), audio("18 0")).codec

    @pytest.mark.parametrize(
        ("answer", "refusal"),
        [
            (audio("0", port=0), Refusal.DISABLED),
            (audio("18"), Refusal.NO_CODEC),
            (audio("96"), Refusal.NO_CODEC),
            (audio("0", protocol="RTP/SAVP"), Refusal.ENCRYPTED),
            (described("m=audio 9 RTP/AVP 0", connection="IN IP4 224.0.0.1/1"), Refusal.GROUP_ADDRESS),
        ],
    )
    def test_an_answer_that_refuses_our_audio_is_not_acceptable(self, answer, refusal):
        """Port 0, or a way of accepting that we cannot follow."""
        with pytest.raises(NotAcceptable) as refused:
            complete(build_offer(LOCAL), answer)
        assert refusal is refused.value.refusal

    @pytest.mark.parametrize("answer", [described(), described("m=audio 9 RTP/AVP 0", "m=video 0 RTP/AVP 31")])
    def test_an_answer_has_as_many_streams_as_the_offer(self, answer):
        """RFC 3264 6: otherwise nobody knows which is which."""
        with pytest.raises(MalformedDescription, match="as many streams"):
            complete(build_offer(LOCAL), answer)

    def test_an_answer_has_the_same_kinds_of_streams(self):
        """RFC 3264 section 6: streams are matched up by their order."""
        with pytest.raises(MalformedDescription, match="another kind"):
            complete(build_offer(LOCAL), described("m=video 9 RTP/AVP 0"))

    @pytest.mark.parametrize("answered", Direction)
    def test_a_held_peer_stays_held_whatever_it_answers(self, answered):
        """We offered sendonly; an answer of sendrecv does not make us listen."""
        offer = build_offer(replace(LOCAL, direction=Direction.SENDONLY))
        media = complete(offer, audio("0", f"a={answered}"))
        assert (answered.receives, False) == (media.may_send, media.may_receive)

    def test_their_ptime_wins_over_ours(self):
        """It says what they like to receive (RFC 3264 6.1); without one, ours holds."""
        offer = build_offer(replace(LOCAL, ptime=40))
        assert 0.03 == complete(offer, audio("0", "a=ptime:30")).ptime
        assert 0.04 == complete(offer, audio("0")).ptime

    def test_rtcp_mux_needs_both(self):
        """RFC 5761 5.1.1, from the offering side."""
        answer = audio("0", "a=rtcp-mux")
        assert complete(build_offer(LOCAL), answer).rtcp_mux
        assert not complete(build_offer(replace(LOCAL, rtcp_mux=False)), answer).rtcp_mux
        assert not complete(build_offer(LOCAL), audio("0")).rtcp_mux

    def test_a_late_offer_is_the_same_with_the_messages_swapped(self):
        """RFC 3261 13.2.1: the offer in the 200, the answer in the ACK."""
        offer = parse(build_offer(LOCAL).serialize())
        peer = LocalMedia("198.51.100.1", 50_000, (G722,), Codec(96, "telephone-event", 8_000), session_id=9)
        ours, theirs = complete(offer, negotiate(offer, peer).answer), negotiate(offer, peer).media
        assert (G722, G722, 101, 101) == (ours.codec, theirs.codec, ours.send_event_type, theirs.send_event_type)
        assert (("198.51.100.1", 50_000), ("192.0.2.1", 40_000)) == (ours.remote, theirs.remote)


NAMES = [
    "PCMU/8000",
    "pcma/8000",
    "G722/8000",
    "opus/48000/2",
    "telephone-event/8000",
    "telephone-event/48000",
    "CN/8000",
]
STREAM = st.tuples(
    st.sampled_from(["audio", "video", "Audio"]),
    st.sampled_from([0, 9, 65_535]),
    st.sampled_from(["RTP/AVP", "RTP/AVPF", "RTP/SAVP"]),
    st.dictionaries(st.integers(0, 127), st.sampled_from([*NAMES, "broken", ""]), max_size=8),
    st.sampled_from([*Direction, "ptime:30", "rtcp-mux", "rtcp:9"]),
)


def offer_of(streams):
    """A description of generated streams."""
    lines = []
    for kind, port, protocol, rtpmaps, attribute in streams:
        lines += [" ".join([f"m={kind} {port} {protocol}", *map(str, rtpmaps)]), f"a={attribute}"]
        lines += [f"a=rtpmap:{number} {name}" for number, name in rtpmaps.items() if name]
    return described(*lines)


class TestProperties:
    @given(st.lists(STREAM, max_size=4), st.sampled_from(["offer", "local"]), st.sampled_from([LOCAL, TWO_RATES]))
    def test_every_answer_is_acceptable_to_its_offer(self, streams, prefer, local):
        """Same streams, formats out of the offer, and both sides draw the mirror image of the same call."""
        offer = offer_of(streams)
        try:
            negotiated = negotiate(offer, local, prefer=prefer)
        except NotAcceptable:
            return
        answer = parse(negotiated.answer.serialize())
        assert len(offer.media) == len(answer.media)
        accepted = [pair for pair in zip(offer.media, answer.media, strict=True) if pair[1].port]
        assert [True] == [set(theirs.formats) >= set(ours.formats) for theirs, ours in accepted]
        ours, theirs = negotiated.media, complete(offer, answer)
        assert ours.direction is theirs.direction.reversed
        assert ours.codec.key == theirs.codec.key
        assert set(ours.receive_types) == set(theirs.receive_types)
        assert ours.send_event_type == theirs.receive_event_type
