"""Offer and answer with the ports behind them, on an engine that only counts."""

import random
from typing import Any

import pytest
from support.agreements import PEER

from offhook.media import SPOKEN
from offhook.negotiation import Negotiation, description_in, warning_of
from offhook.rtp.aio import NoPortsLeft, TooManyStreams
from offhook.sipcore import Headers, Request, sdp
from offhook.sipcore.sdp import MalformedDescription, NotAcceptable, Refusal

ULAW, ALAW = SPOKEN["PCMU"], SPOKEN["PCMA"]


class FakePair:
    def __init__(self) -> None:
        self.address = ("127.0.0.1", 40_000)
        self.closed = 0

    def close(self) -> None:
        """Counted."""
        self.closed += 1


class FakeStream:
    tap = rtcp_destination = None


class FakeEngine:
    """Opens pairs and starts streams, unless it is full."""

    def __init__(self) -> None:
        self.pairs: list[FakePair] = []
        self.hosts: list[str] = []
        self.is_full = False
        self.stream = FakeStream()

    def open(self, host: str) -> FakePair:
        """Another pair, while there is one."""
        if self.is_full:
            raise NoPortsLeft("none left")
        self.hosts.append(host)
        self.pairs.append(FakePair())
        return self.pairs[-1]

    def start(self, *_: Any, **__: Any) -> FakeStream:
        """The stream of this engine, while there is room."""
        if self.is_full:
            raise TooManyStreams("no more")
        return self.stream


def side(
    engine: FakeEngine | None = None, *codecs: sdp.Codec, facing: str = "192.0.2.1", tap: Any = None
) -> Negotiation:
    """One side of a call."""
    known = codecs or (ULAW, ALAW)
    return Negotiation(engine or FakeEngine(), known, facing, "127.0.0.1", random.Random(1), lambda: 0.0, lambda: tap)  # type: ignore[arg-type]


def theirs(*codecs: sdp.Codec, port: int = PEER[1], direction: str = "sendrecv") -> bytes:
    """A peer's description, offer or answer."""
    local = sdp.LocalMedia(
        PEER[0], port, codecs or (ULAW, ALAW), direction=sdp.Direction(direction), rtcp_mux=False, session_id=9
    )
    return sdp.build_offer(local).serialize()


def version_of(description: bytes) -> int:
    """From its o= line."""
    return sdp.parse(description).origin.session_version


class TestOffer:
    def test_an_offer_names_the_address_that_faces_the_peer_and_a_port_of_ours(self) -> None:
        """The sockets are bound where we listen, the description says how we are reached."""
        engine = FakeEngine()
        written = sdp.parse(side(engine, facing="192.0.2.7").offer())
        assert written.connection is not None
        assert ("192.0.2.7", 40_000, ["127.0.0.1"]) == (written.connection.address, written.media[0].port, engine.hosts)

    def test_an_offer_lists_our_codecs_in_our_order_and_the_keys(self) -> None:
        """RFC 3264 section 5.1: most preferred first."""
        assert ("8", "0", "101") == sdp.parse(side(None, ALAW, ULAW).offer()).media[0].formats

    def test_the_answer_completes_the_offer(self) -> None:
        """From then on nobody waits for an answer."""
        ours = side()
        ours.offer()
        waiting = ours.is_offering
        ours.complete(theirs(ALAW))
        assert ours.agreed is not None
        assert ("PCMA", PEER, True, False) == (ours.agreed.codec.name, ours.agreed.remote, waiting, ours.is_offering)

    def test_a_later_answer_to_the_same_offer_takes_the_place_of_the_first(self) -> None:
        """A 200 behind a 183, by another branch of a fork."""
        ours = side()
        ours.offer()
        ours.complete(theirs(ULAW))
        ours.complete(theirs(ALAW, port=5_000))
        assert ours.agreed is not None
        assert ("PCMA", 5_000) == (ours.agreed.codec.name, ours.agreed.remote[1])

    def test_a_missing_answer_is_not_acceptable(self) -> None:
        """A 200 without a description, after an offer."""
        ours = side()
        ours.offer()
        with pytest.raises(NotAcceptable, match="no audio stream"):
            ours.complete(b"")

    def test_an_answer_to_nothing_is_not_acceptable(self) -> None:
        """We have not offered."""
        with pytest.raises(NotAcceptable):
            side().complete(theirs())


class TestAnswer:
    def test_an_offer_is_answered_by_what_both_know(self) -> None:
        """And nothing else."""
        ours = side(None, ALAW)
        answer = sdp.parse(ours.answer(theirs(ULAW, ALAW)))
        assert ours.agreed is not None
        assert (("8",), "PCMA") == (answer.media[0].formats, ours.agreed.codec.name)

    @pytest.mark.parametrize(
        ("theirs_is", "ours_is"), [("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")]
    )
    def test_a_direction_is_mirrored(self, theirs_is: str, ours_is: str) -> None:
        """RFC 3264 section 6.1; a hold that is answered with sendrecv is hung up by carriers."""
        ours = side()
        assert f"a={ours_is}\r\n".encode() in ours.answer(theirs(direction=theirs_is))
        assert ours.agreed is not None
        assert ours_is == ours.agreed.direction

    def test_the_version_grows_when_and_only_when_the_description_changes(self) -> None:
        """RFC 3264 section 8; the ports are opened once."""
        engine = FakeEngine()
        ours = side(engine)
        answers = [
            ours.answer(theirs()),
            ours.answer(theirs()),
            ours.answer(theirs(direction="sendonly")),
            ours.answer(theirs()),
        ]
        assert [1, 1, 2, 3] == [version_of(answer) for answer in answers]
        assert (answers[0], 1) == (answers[1], len(engine.pairs))

    def test_a_late_offer_is_answered_by_an_offer_of_ours(self) -> None:
        """RFC 3261 section 13.2.1: the answer then comes in the ACK."""
        ours = side()
        assert ("0", "8", "101") == sdp.parse(ours.answer(b"")).media[0].formats
        assert (True, None) == (ours.is_offering, ours.agreed)

    def test_what_is_no_description_is_told(self) -> None:
        """400 is its status."""
        with pytest.raises(MalformedDescription):
            side().answer(b"hello")

    def test_an_offer_that_fits_nothing_leaves_what_was_agreed_on(self) -> None:
        """RFC 3261 section 14.2: a refused re-INVITE changes nothing."""
        ours = side(None, ULAW)
        ours.answer(theirs(ULAW))
        before = ours.agreed
        with pytest.raises(NotAcceptable, match="no codec in common"):
            ours.answer(theirs(ALAW))
        assert before is ours.agreed

    def test_an_offer_of_encryption_alone_is_refused(self) -> None:
        """Never carried in plain."""
        with pytest.raises(NotAcceptable, match="encryption"):
            side().answer(theirs().replace(b"RTP/AVP", b"RTP/SAVP"))


class TestPorts:
    def test_nothing_is_opened_before_the_first_description(self) -> None:
        """A call that is only rung costs no port."""
        engine = FakeEngine()
        side(engine).close()
        assert [] == engine.pairs

    def test_ports_that_no_media_took_are_freed_once(self) -> None:
        """A call that was refused."""
        engine = FakeEngine()
        ours = side(engine)
        ours.offer()
        ours.close()
        ours.close()
        assert [1] == [pair.closed for pair in engine.pairs]

    def test_ports_that_the_media_took_are_its_own_to_free(self) -> None:
        """The stream closes them behind its goodbye."""
        engine = FakeEngine()
        ours = side(engine, tap="tap")
        ours.answer(theirs())
        media = ours.start(lambda _: None)
        ours.close()
        assert ([0], "tap") == ([pair.closed for pair in engine.pairs], media.stream.tap if media.stream else None)

    def test_ports_are_freed_when_the_media_could_not_be_started(self) -> None:
        """The engine is full."""
        engine = FakeEngine()
        ours = side(engine)
        ours.answer(theirs())
        engine.is_full = True
        with pytest.raises(TooManyStreams):
            ours.start(lambda _: None)
        ours.close()
        assert [1] == [pair.closed for pair in engine.pairs]

    def test_no_port_left_is_told(self) -> None:
        """Nothing is sent then."""
        engine = FakeEngine()
        engine.is_full = True
        with pytest.raises(NoPortsLeft):
            side(engine).offer()

    def test_an_address_that_no_peer_could_send_to_frees_the_ports(self) -> None:
        """A public address that says nothing."""
        engine = FakeEngine()
        ours = side(engine, facing="0.0.0.0")
        with pytest.raises(ValueError, match="no peer can send"):
            ours.offer()
        ours.close()
        assert [1] == [pair.closed for pair in engine.pairs]


class TestWords:
    @pytest.mark.parametrize(
        ("types", "body"),
        [
            (["application/sdp"], b"v=0"),
            (["Application/SDP; charset=x"], b"v=0"),
            ([], b"v=0"),
            (["application/isup"], b""),
        ],
    )
    def test_only_a_session_description_is_taken_for_one(self, types: list[str], body: bytes) -> None:
        """A body of another kind is as good as none; one without a kind is believed."""
        headers = Headers([("Content-Type", name) for name in types])
        assert body == description_in(Request("INVITE", "sip:a@127.0.0.1", headers, b"v=0"))

    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            (NotAcceptable(Refusal.NO_CODEC), 305),
            (NotAcceptable(Refusal.ENCRYPTED), 302),
            (MalformedDescription("bad"), 399),
        ],
    )
    def test_a_refusal_says_why_by_its_number(self, fault: Any, code: int) -> None:
        """RFC 3261 section 20.43."""
        assert (("Warning", f'{code} offhook "{fault}"'),) == warning_of(fault)

    def test_a_warning_stays_within_its_line_whatever_the_peer_wrote(self) -> None:
        """Quotes, line breaks and controls in the fault's own words."""
        ((_, value),) = warning_of(MalformedDescription('a"b\\c\r\nd\x00'))
        assert "399 offhook \"a'b'c''d'\"" == value


@pytest.mark.parametrize("connection", ["IN IP4 media.example.com", "IN IP6 2001:db8::1"])
def test_media_that_could_not_be_sent_is_refused_and_not_mute(connection: str) -> None:
    """488: an engine that sends to numbers of its own version of IP would leave the call without a sound."""
    offer = f"v=0\r\no=- 1 1 {connection}\r\ns=-\r\nc={connection}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n".encode()
    with pytest.raises(NotAcceptable) as refused:
        side().answer(offer)
    assert (488, Refusal.NO_ADDRESS) == (refused.value.status, refused.value.refusal)
