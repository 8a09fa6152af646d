"""What a call hears: frames for readers and listeners, concealment for holes, nothing at all where nobody listens."""

import asyncio
import gc
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from support.loop import run

from offhook import incoming
from offhook.audio import Audio
from offhook.codecs import Pcm, codec, tone
from offhook.incoming import KEPT_SILENCE, MAX_HELD_FRAMES, Decoders, FrameQueue, Incoming, Listener
from offhook.rtp import Gap, Received
from offhook.sipcore.sdp import Codec

ULAW, ALAW = codec("PCMU"), codec("PCMA")
TYPES = MappingProxyType(
    {0: Codec(0, "PCMU", 8000), 8: Codec(8, "PCMA", 8000), 101: Codec(101, "telephone-event", 8000)}
)
LOUD: Pcm = tone(440.0, 0.020)
SOFT: Pcm = tone(440.0, 0.020, level_dbm0=-50.0)
GAP = Gap(160, 1, 160)


def heard() -> Incoming:
    """An ear for both laws of G.711."""
    return Incoming(TYPES, 8000)


def packet(pcm: Pcm = LOUD, payload_type: int = 0) -> Received:
    """It, as the jitter buffer gives it out."""
    return Received((ULAW if payload_type == 0 else ALAW).encode(pcm), payload_type, 0, 0.0)


class Counting:
    """A decoder with memory, at 16,000 samples a second on a clock of 8,000: it tells how often it was asked."""

    name, sample_rate, clock_rate, frame_samples, static_payload_type, silence = "G722", 16000, 8000, 320, 9, b""

    def __init__(self) -> None:
        self.decoded = 0

    def encode(self, pcm: Pcm) -> bytes:
        """Nobody speaks here."""
        raise NotImplementedError

    def decode(self, payload: bytes | memoryview) -> Pcm:
        """20 ms of silence."""
        self.decoded += 1
        return np.zeros(320, np.int16)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The codec that `codec("G722")` gives in this test."""
    made = Counting()
    monkeypatch.setattr(incoming, "codec", lambda name: made if name == "G722" else codec(name))
    return made


class TestDecoders:
    def test_each_payload_type_has_its_own_decoder(self) -> None:
        """The peer may change between what was agreed on at any packet (RFC 3264 section 5.1)."""
        decoders = Decoders(TYPES)
        one, other = decoders.decode(0, b"\xff" * 8), decoders.decode(8, b"\xd5" * 8)
        assert one is not None
        assert other is not None
        assert (8, 8, 0) == (len(one), len(other), int(one[0]))

    @pytest.mark.parametrize("number", [101, 13, 127])
    def test_what_is_no_sound_of_ours_is_none(self, number: int) -> None:
        """Telephone events, and what was never agreed on."""
        assert Decoders(TYPES).decode(number, b"1234") is None

    def test_a_decoder_that_goes_on_keeps_its_memory(self, counting: Counting) -> None:
        """A re-INVITE that changes nothing must not make a click."""
        decoders = Decoders({9: Codec(9, "G722", 8000)})
        decoders.decode(9, b"x")
        decoders.adopt({9: Codec(9, "g722", 8000), 0: TYPES[0]})
        decoders.decode(9, b"x")
        assert (2, False) == (counting.decoded, decoders.are_stateless)


class TestPlay:
    def test_a_packet_becomes_a_frame_for_everybody_who_listens(self) -> None:
        """With the instant at which it is heard."""
        ear, frames = heard(), list[tuple[int, float]]()
        ear.sinks += [lambda frame, now: frames.append((len(frame), now))] * 2
        ear.play(packet(), 1.5)
        assert [(160, 1.5)] * 2 == frames

    def test_a_gap_becomes_sound_of_its_length(self) -> None:
        """Made of what was heard before, and counted."""
        ear, frames = heard(), list[Pcm]()
        ear.sinks.append(lambda frame, _: frames.append(frame))
        for _ in range(4):
            ear.play(packet(), 0.0)
        ear.play(GAP, 0.0)
        assert (160, 1) == (len(frames[-1]), ear.concealed)
        assert np.abs(frames[-1]).max() > 1000

    @pytest.mark.parametrize("item", [Received(b"", 0, 0, 0.0), Received(b"x" * 8, 77, 0, 0.0)])
    def test_a_packet_without_sound_is_nothing_to_hear(self, item: Received) -> None:
        """Nobody gets an empty frame."""
        ear, frames = heard(), list[Pcm]()
        ear.sinks.append(lambda frame, _: frames.append(frame))
        ear.play(item, 0.0)
        assert [] == frames

    def test_a_listener_may_leave_while_a_frame_is_handed_out(self) -> None:
        """The others get theirs all the same."""
        ear, frames = heard(), list[int]()

        def once(frame: Pcm, now: float) -> None:
            ear.sinks.remove(once)

        ear.sinks += [once, lambda frame, _: frames.append(len(frame))]
        ear.play(packet(), 0.0)
        assert [160] == frames

    def test_where_nobody_listens_holes_are_counted_all_the_same(self) -> None:
        """The figure is of the network, not of our attention."""
        ear = heard()
        ear.play(packet(), 0.0)
        ear.play(GAP, 0.0)
        assert 1 == ear.concealed

    def test_a_listener_who_comes_late_hears_no_echo_of_what_he_missed(self) -> None:
        """A hole right at the beginning is silence, not a piece of the sound before."""
        ear, frames = heard(), list[Pcm]()
        for _ in range(4):
            ear.play(packet(), 0.0)
        ear.sinks.append(lambda frame, _: frames.append(frame))
        ear.play(GAP, 0.0)
        assert 0 == np.abs(frames[0]).max()

    def test_a_decoder_with_memory_hears_what_nobody_listens_to(self, counting: Counting) -> None:
        """Else the first frames that somebody hears were noise."""
        ear = Incoming({9: Codec(9, "G722", 8000)}, 8000)
        ear.play(Received(b"x", 9, 0, 0.0), 0.0)
        assert 1 == counting.decoded

    def test_a_gap_is_counted_in_samples_of_the_codec_and_not_in_ticks(self, counting: Counting) -> None:
        """G.722: 160 ticks are 320 samples (RFC 3551 section 4.5.2). Also after a re-INVITE has brought the codec."""
        ear, frames = heard(), list[int]()
        ear.sinks.append(lambda frame, _: frames.append(len(frame)))
        ear.adopt({9: Codec(9, "G722", 8000)})
        ear.play(GAP, 0.0)
        assert ([320], 16000) == (frames, ear.sample_rate)


class TestFrameQueue:
    def test_frames_are_read_in_order_until_it_is_closed(self) -> None:
        """What is held when it is closed is still read."""

        async def main() -> list[int]:
            ear = heard()
            queue = FrameQueue(ear)
            for value in (1000, 2000):
                ear.play(packet(np.full(160, value, np.int16)), 0.0)
            queue.close()
            queue.close()
            return [round(int(frame[0]), -2) async for frame in queue]

        assert [1000, 2000] == run(main())

    def test_a_reader_who_waits_is_woken_by_the_next_frame_and_by_the_end(self) -> None:
        """Nothing is polled."""

        async def main() -> int:
            ear = heard()
            queue = FrameQueue(ear)
            reading = asyncio.ensure_future(anext(queue))
            await asyncio.sleep(0)
            ear.play(packet(), 0.0)
            frame = await reading
            ending = asyncio.ensure_future(anext(queue, None))
            await asyncio.sleep(0)
            queue.close()
            assert await ending is None
            return len(frame)

        assert 160 == run(main())

    def test_the_oldest_frame_goes_when_a_reader_is_too_slow(self) -> None:
        """The limit is crossed by one, and the loss is counted."""

        async def main() -> tuple[int, int]:
            ear = heard()
            queue = FrameQueue(ear)
            for _ in range(MAX_HELD_FRAMES + 1):
                ear.play(packet(), 0.0)
            queue.close()
            return len([frame async for frame in queue]), queue.dropped

        assert (MAX_HELD_FRAMES, 1) == run(main())

    def test_a_reader_that_nobody_holds_any_more_costs_nothing(self) -> None:
        """`async for` with a break in it leaves nobody to close the reader."""

        async def main() -> int:
            ear = heard()
            for _ in range(3):
                queue = FrameQueue(ear)
                ear.play(packet(), 0.0)
                async for _frame in queue:
                    break
            del queue
            gc.collect()
            return len(ear.sinks)

        assert 0 == run(main())

    def test_a_reader_that_was_sent_away_may_still_be_closed(self) -> None:
        """Somebody emptied the list of those who listen."""

        async def main() -> list[Any]:
            ear = heard()
            queue = FrameQueue(ear)
            ear.sinks.clear()
            queue.close()
            return [frame async for frame in queue]

        assert [] == run(main())

    def test_a_reader_of_nothing_ends_at_once(self) -> None:
        """The call was over before."""

        async def main() -> list[Any]:
            queue = FrameQueue(None)
            queue.close()
            return [frame async for frame in queue]

        assert [] == run(main())


class TestListener:
    """Time is the loop's, so the silences here are short; nothing is measured."""

    @staticmethod
    async def hear(*frames: Pcm, silence: float = 0.01, timeout: float | None = 5.0) -> Audio:
        """What a listener makes of these frames."""
        ear = heard()
        listener = Listener(ear, silence)
        for frame in frames:
            ear.play(packet(frame), 0.0)
        sound = await listener.wait(timeout)
        assert [] == ear.sinks
        return sound

    def test_an_utterance_ends_after_silence(self) -> None:
        """It begins with the first sound; of the silence behind it a tenth of a second is kept."""
        sound = run(self.hear(SOFT, SOFT, LOUD, LOUD, *[SOFT] * 20))
        assert 0.04 + KEPT_SILENCE == pytest.approx(sound.duration, abs=0.005)
        assert sound.level > -30

    def test_a_peer_that_stops_sending_is_quiet_too(self) -> None:
        """The clock counts, and not frames alone."""
        assert 0.02 == pytest.approx(run(self.hear(LOUD)).duration, abs=0.005)

    def test_sound_that_goes_on_puts_the_end_off(self) -> None:
        """Silence counts from the last sound, not from the first."""

        async def main() -> int:
            ear = heard()
            listener = Listener(ear, 0.01)
            ear.play(packet(), 0.0)
            loop = asyncio.get_running_loop()
            loop.call_later(0.008, ear.play, packet(), 0.0)
            return len((await listener.wait(None)).pcm)

        assert 320 - 10 <= run(main())

    def test_nothing_said_is_an_empty_sound_at_the_timeout(self) -> None:
        """Soft noise of a line is no speech."""
        assert 0 == len(run(self.hear(SOFT, SOFT, timeout=0.01)))

    def test_what_was_heard_is_given_at_the_timeout(self) -> None:
        """Whoever speaks without end is cut off."""
        assert 0.02 == pytest.approx(run(self.hear(LOUD, silence=60.0, timeout=0.01)).duration, abs=0.005)

    def test_a_stop_gives_what_was_heard(self) -> None:
        """The call ended; stopping twice is stopping once."""

        async def main() -> int:
            ear = heard()
            listener = Listener(ear, 60.0)
            ear.play(packet(), 0.0)
            listener.stop()
            listener.stop()
            ear.play(packet(), 0.0)
            return len(await listener.wait(None))

        assert 150 <= run(main()) <= 160

    def test_an_utterance_without_end_is_cut(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The limit is reached by the last frame; what comes after it is not heard."""
        monkeypatch.setattr(incoming, "MAX_UTTERANCE_SECONDS", 0.1)
        assert 0.1 == pytest.approx(run(self.hear(*[LOUD] * 6, silence=60.0)).duration, abs=0.005)

    def test_one_who_gives_up_leaves_nothing(self) -> None:
        """Neither a timer nor a place among the listeners."""

        async def main() -> int:
            ear = heard()
            listening = asyncio.ensure_future(Listener(ear, 60.0).wait(None))
            await asyncio.sleep(0)
            ear.play(packet(), 0.0)
            listening.cancel()
            await asyncio.wait([listening])
            return len(ear.sinks)

        assert 0 == run(main())
