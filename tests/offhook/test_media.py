"""The media of one call as the engine drives it, frame by frame, without engine or socket."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from support.agreements import PEER, agreed, media
from support.loop import run

from offhook.audio import Audio
from offhook.codecs import codec, tone
from offhook.media import RTP_HEADER_OCTETS, Media, spoken
from offhook.rtp import Gap, Received, TelephoneEvent
from offhook.sipcore import sdp

ULAW = codec("PCMU")
SOUND = Audio(tone(440.0, 0.2), 8000)


def tick(player: Media, now: float = 0.0) -> bytes | None:
    """What the engine does for a frame: ask, make the packet, tell that it left."""
    payload_type, payload = player.next_frame(now) or (0, None)
    data = player.session.send_frame(payload, payload_type, now)
    if data is not None:
        player.sent(data, now)
    return data


def kind(data: bytes | None) -> str:
    """silence, sound, keys or nothing."""
    if data is None:
        return "nothing"
    payload = data[RTP_HEADER_OCTETS:]
    return "keys" if data[1] & 0x7F == 101 else "silence" if payload == ULAW.silence else "sound"


class Observer:
    def __init__(self, player: Media) -> None:
        self.noted: list[tuple[Any, ...]] = []
        player.observers.append(self)

    def sent(self, payload_type: int, payload: bytes, timestamp: int, instant: float) -> None:
        """Noted."""
        self.noted.append((payload_type, len(payload), timestamp, instant))

    def arrived(self, packet: Received, instant: float) -> None:
        """Noted."""
        self.noted.append((packet.payload_type, instant))


class FakeStream:
    def __init__(self) -> None:
        self.rtcp_destination: Any = "unset"
        self.tap: Any = "unset"
        self.stopped = 0

    def stop(self) -> None:
        """Counted."""
        self.stopped += 1


class FakeEngine:
    """Remembers what it was asked to start."""

    def __init__(self) -> None:
        self.stream = FakeStream()

    def start(self, *arguments: Any, **named: Any) -> FakeStream:
        """The stream of this engine."""
        self.asked = named
        return self.stream


def started(player: Media) -> FakeEngine:
    """The engine that serves it now."""
    engine = FakeEngine()
    player.start(engine, object())  # type: ignore[arg-type]
    return engine


class TestSpoken:
    def test_codecs_are_asked_for_by_name(self) -> None:
        """In the order of preference, in any case, each once."""
        assert ["PCMA", "PCMU"] == [known.name for known in spoken(("pcma", "PCMU", "PCMA"))]

    @pytest.mark.parametrize("names", [(), ("PCMU", "G729")])
    def test_a_codec_that_is_not_spoken_is_named(self, names: tuple[str, ...]) -> None:
        """With those that are."""
        with pytest.raises(ValueError, match="there are PCMU, PCMA"):
            spoken(names)


class TestStart:
    def test_the_engine_keeps_the_step_that_was_agreed_on(self) -> None:
        """A peer that asks for 30 ms gets a packet each 30 ms, and not 30 ms of sound each 20."""
        player = media(agreed(ptime=30))
        engine = started(player)
        assert (0.030, 240) == (engine.asked["ptime"], len((player.next_frame(0.0) or (0, b""))[1]))

    def test_rtcp_goes_beside_the_media_unless_another_place_was_given(self) -> None:
        """RFC 3605: a=rtcp."""
        beside = media()
        assert started(beside).stream.rtcp_destination is None
        elsewhere = media(_with_rtcp(agreed()))
        assert (PEER[0], 4_100) == started(elsewhere).stream.rtcp_destination

    def test_stopping_before_the_start_is_no_error(self) -> None:
        """A call may end at any moment; stopping twice is stopping once for the stream itself."""
        player = media()
        player.stop()
        engine = started(player)
        player.stop()
        assert 1 == engine.stream.stopped


def _with_rtcp(agreement: sdp.AgreedMedia) -> sdp.AgreedMedia:
    """The same with a place of its own for RTCP."""
    return replace(agreement, remote_rtcp=(PEER[0], 4_100))


class TestSending:
    def test_an_observer_sees_each_packet_that_leaves(self) -> None:
        """Payload type, payload, timestamp, instant."""
        player = media()
        observer = Observer(player)
        first, second = tick(player, 1.0), tick(player, 1.02)
        assert first is not None
        assert second is not None
        stamps = [int.from_bytes(data[4:8], "big") for data in (first, second)]
        assert [(0, 160, stamps[0], 1.0), (0, 160, stamps[1], 1.02)] == observer.noted
        assert 160 == (stamps[1] - stamps[0]) % 2**32

    def test_an_observer_may_leave_when_it_has_seen_enough(self) -> None:
        """The others see the packet all the same."""
        player = media()
        first, second = Observer(player), Observer(player)
        first.sent = lambda *_: player.observers.remove(first)  # type: ignore[method-assign]
        tick(player)
        assert 1 == len(second.noted)

    def test_an_observer_sees_each_packet_that_arrives(self) -> None:
        """With the instant at which the kernel saw it."""
        player = media()
        observer = Observer(player)
        player.arrived(Received(ULAW.silence, 0, 0, 0.0), 2.5)
        assert [(0, 2.5)] == observer.noted

    def test_what_is_due_to_be_heard_goes_to_those_who_listen(self) -> None:
        """With the clock's time."""
        player = media()
        frames: list[tuple[int, float]] = []
        player.incoming.sinks.append(lambda frame, now: frames.append((len(frame), now)))
        player.play(Received(ULAW.silence, 0, 0, 0.0))
        player.play(Gap(160, 1, 160))
        assert [(160, 0.0), (160, 0.0)] == frames


class TestKeys:
    def test_pressing_ends_when_the_last_packet_has_left(self) -> None:
        """A press of 40 ms and its three end packets (RFC 4733 section 2.5.1.4)."""

        async def main() -> list[str]:
            player = media()
            pressing = asyncio.ensure_future(player.press("5", 0.04, 0.02))
            await asyncio.sleep(0)
            sent = []
            while not pressing.done():
                sent.append(tick(player))
                await asyncio.sleep(0)
            assert 5 == TelephoneEvent.parse((sent[0] or b"")[RTP_HEADER_OCTETS:]).event
            return [kind(data) for data in sent]

        kinds = run(main())
        assert {"keys", "silence"} >= set(kinds)
        assert "keys" == kinds[0]

    def test_sound_waits_for_the_keys_and_none_of_it_is_lost_under_them(self) -> None:
        """Events take the place of sound on the wire; its instants must be those at which it really left."""

        async def main() -> tuple[int, int, bool]:
            player = media()
            piece = player.outgoing.queue(SOUND)
            tick(player)
            pressing = asyncio.ensure_future(player.press("12", 0.04, 0.04))
            await asyncio.sleep(0)
            sent = [kind(tick(player)) for _ in range(60)]
            await pressing
            return sent.count("sound"), len(piece.frames) - 1, piece.is_over

        sound, expected, is_over = run(main())
        assert (expected, True) == (sound, is_over)

    def test_two_who_press_at_once_wait_for_the_last_key(self) -> None:
        """The presses follow one another."""

        async def main() -> list[bool]:
            player = media()
            pressing = [asyncio.ensure_future(player.press(key, 0.04, 0.02)) for key in "12"]
            await asyncio.sleep(0)
            while player.session.is_sending_dtmf:
                tick(player)
            await asyncio.gather(*pressing)
            return [each.done() for each in pressing]

        assert [True, True] == run(main())

    def test_no_key_is_nothing_to_wait_for(self) -> None:
        """An empty string is pressed at once."""
        run(media().press("", 0.1, 0.1))

    def test_the_end_of_the_stream_frees_whoever_presses(self) -> None:
        """Not one more packet will leave."""

        async def main() -> None:
            player = media()
            pressing = asyncio.ensure_future(player.press("1", 0.1, 0.1))
            await asyncio.sleep(0)
            player.stop()
            await pressing

        run(main())


class TestAdopt:
    """What a re-INVITE may change."""

    @pytest.mark.parametrize("direction", ["sendonly", "inactive"])
    def test_on_hold_nothing_is_sent_neither_sound_nor_keys(self, direction: str) -> None:
        """RFC 3264 section 8.4; what is queued waits, and goes on after it."""

        async def main() -> tuple[set[str], set[str]]:
            player = media()
            player.outgoing.queue(SOUND)
            pressing = asyncio.ensure_future(player.press("1", 0.04, 0.02))
            await asyncio.sleep(0)
            player.adopt(agreed(direction=direction))
            held = {kind(tick(player)) for _ in range(20)}
            player.adopt(agreed())
            resumed = {kind(tick(player)) for _ in range(40)}
            await pressing
            return held, resumed

        held, resumed = run(main())
        assert {"nothing"} == held
        assert {"keys", "sound"} <= resumed

    def test_a_peer_at_0_0_0_0_is_sent_nothing_at_all(self) -> None:
        """The hold of RFC 2543: that address would be this very host, for sound and reports alike."""
        player = media()
        engine = started(player)
        player.adopt(agreed(address="0.0.0.0"))
        assert (None, None) == (player.session.destination, engine.stream.rtcp_destination)
        player.adopt(agreed())
        assert PEER == player.session.destination

    def test_whoever_presses_keys_is_freed_when_they_can_never_be_sent(self) -> None:
        """The peer resumes without telephone events."""

        async def main() -> str:
            player = media()
            pressing = asyncio.ensure_future(player.press("1", 0.04, 0.02))
            await asyncio.sleep(0)
            player.adopt(agreed(event=None))
            await pressing
            player.outgoing.queue(SOUND)
            return kind(tick(player))

        assert "sound" == run(main())

    def test_another_codec_is_spoken_and_understood_from_the_next_frame_on(self) -> None:
        """Under the number that goes with it."""
        player = media()
        frames: list[int] = []
        player.incoming.sinks.append(lambda frame, _: frames.append(round(int(frame[0]), -2)))
        player.adopt(agreed("PCMA"))
        data = tick(player)
        player.play(Received(codec("PCMA").silence, 8, 0, 0.0))
        player.play(Received(ULAW.silence, 0, 0, 0.0))  # not agreed on any more
        assert data is not None
        assert (8, codec("PCMA").silence, [0]) == (data[1] & 0x7F, data[RTP_HEADER_OCTETS:], frames)

    def test_another_packet_time_changes_nothing_of_ours(self) -> None:
        """It is a wish (RFC 8866 section 6.4); our clock keeps its step, and so the timestamps stay true."""
        player = media()
        player.adopt(agreed(ptime=40))
        first, second = tick(player), tick(player)
        assert first is not None
        assert second is not None
        assert 160 == (int.from_bytes(second[4:8], "big") - int.from_bytes(first[4:8], "big")) % 2**32
        assert 160 == len(second) - RTP_HEADER_OCTETS


def test_media_tells_what_may_arrive_and_what_was_left_out() -> None:
    """Before it is started nothing was left out."""
    player = media()
    assert ({0, 8}, 0, 0) == (set(player.receive_types), player.skipped, player.stats().sent_packets)
