"""RFC 3264 section 8: changing a session that runs."""

import pytest

from offhook.sipcore.sdp import (
    Codec,
    Direction,
    LocalMedia,
    build_offer,
    hold_offer,
    negotiate,
    parse,
    revise,
    with_direction,
)

LOCAL = LocalMedia("192.0.2.1", 40_000, (Codec(0, "PCMU", 8_000),), session_id=7)
OFFER = "v=0\no=- 1 1 IN IP4 198.51.100.1\nc=IN IP4 198.51.100.1\nm=video 9 RTP/AVP 31\nm=audio 9 RTP/AVP 0\n"


def directions(description) -> list[str]:
    """The direction attributes of the live streams."""
    words = set(Direction)
    return [a.name for media in description.media if media.port for a in media.attributes if a.name in words]


class TestVersions:
    def test_an_unchanged_description_keeps_its_version(self):
        """RFC 3264 8: without increment of the version "the SDP MUST be identical"."""
        offer = build_offer(LOCAL)
        assert revise(offer, build_offer(LOCAL)) is offer

    def test_a_changed_description_has_the_next_version_and_the_same_origin(self):
        """Even if our address is another now: all but the version "MUST be identical"."""
        moved = LocalMedia("192.0.2.2", 40_000, LOCAL.codecs, session_id=9)
        revised = revise(build_offer(LOCAL), build_offer(moved))
        assert "- 7 2 IN IP4 192.0.2.1" == str(revised.origin)
        assert "192.0.2.2" == revised.connection.address

    def test_a_second_answer_is_revised_like_an_offer(self):
        """A refresh with the same offer gets the same answer, to the octet."""
        first = negotiate(parse(OFFER), LOCAL).answer
        again = negotiate(parse(OFFER), LOCAL).answer
        held = negotiate(parse(OFFER + "a=sendonly\n"), LOCAL).answer
        assert (1, 2) == (revise(first, again).origin.session_version, revise(first, held).origin.session_version)


class TestHolding:
    @pytest.mark.parametrize(
        ("before", "held"),
        [("sendrecv", "sendonly"), ("recvonly", "inactive"), ("sendonly", "sendonly"), ("inactive", "inactive")],
    )
    def test_holding_stops_what_we_receive(self, before, held):
        """Section 8.4: sendrecv becomes sendonly, recvonly becomes inactive."""
        running = with_direction(build_offer(LOCAL), Direction(before))
        assert [held] == directions(hold_offer(running))

    def test_holding_twice_is_no_change(self):
        """So the version stays."""
        held = hold_offer(build_offer(LOCAL))
        assert 2 == held.origin.session_version
        assert hold_offer(held) is held

    def test_resuming_gives_the_old_description_with_the_next_version(self):
        """Nothing else has changed on the way."""
        offer = build_offer(LOCAL)
        resumed = with_direction(hold_offer(offer), Direction.SENDRECV)
        assert (3, offer.media) == (resumed.origin.session_version, resumed.media)

    def test_refused_streams_keep_their_place_and_stay_refused(self):
        """Section 8: the number of m= lines never shrinks."""
        held = hold_offer(negotiate(parse(OFFER), LOCAL).answer)
        assert [("video", 0), ("audio", 40_000)] == [(media.kind, media.port) for media in held.media]
        assert (["sendonly"], ()) == (directions(held), held.media[0].attributes)

    def test_a_stream_without_direction_gets_one(self):
        """It was sendrecv by default (RFC 8866 6.7)."""
        assert ["sendonly"] == directions(hold_offer(parse(OFFER.replace("m=video 9", "m=video 0"))))
