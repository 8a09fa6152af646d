"""What a call says: frames in order, each piece with its instants, silence between, and nothing after a stop."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.loop import run

from offhook import outgoing
from offhook.audio import Audio
from offhook.codecs import AudioCodec, Pcm, codec
from offhook.errors import AudioError
from offhook.outgoing import SEND_AHEAD_FRAMES, Outgoing, Playback

PTIME = 0.020
SAMPLES = 160
ULAW = codec("PCMU")
SILENCE = ULAW.silence


def queue() -> Outgoing:
    """An empty one, of PCMU."""
    return Outgoing(ULAW, 0, PTIME)


def sound(frames: float, value: int = 1000) -> Pcm:
    """So many frames of one value, which G.711 leaves recognisable."""
    return np.full(round(frames * SAMPLES), value, np.int16)


def audio(frames: float, value: int = 1000) -> Audio:
    """The same as a sound of its own."""
    return Audio(sound(frames, value), 8000)


def tick(out: Outgoing, instant: float = 0.0) -> int | None:
    """One frame leaves; its first sample as it sounds at the other end, rounded; None where nothing is sent."""
    frame = out.next_frame()
    if frame is None:
        return None
    out.left(instant)
    return round(int(ULAW.decode(frame[1])[0]), -2)


def ticks(out: Outgoing, count: int) -> list[int | None]:
    """So many frames."""
    return [tick(out) for _ in range(count)]


class Numbers:
    """A codec with memory: its payload tells how many frames it has coded. Also at another rate than G.711."""

    name, sample_rate, clock_rate, frame_samples, static_payload_type, silence = "NUMBERS", 16000, 8000, 320, None, b""

    def __init__(self) -> None:
        self.coded = 0

    def encode(self, pcm: Pcm) -> bytes:
        """How many frames there were, and how long this one is."""
        self.coded += 1
        return bytes([self.coded, len(pcm) // 4])

    def decode(self, payload: bytes | memoryview) -> Pcm:
        """Nobody listens here."""
        raise NotImplementedError


class TestQueue:
    def test_silence_is_sent_when_nothing_is_queued(self) -> None:
        """A stream without holes: recorders and firewalls want to see packets."""
        assert (0, SILENCE) == queue().next_frame()

    def test_pieces_leave_one_behind_the_other(self) -> None:
        """In the order in which they were queued, and then silence."""
        out = queue()
        out.queue(audio(2, 1000))
        out.queue(audio(1, 2000))
        assert [1000, 1000, 2000, 0] == ticks(out, 4)

    def test_sound_of_another_rate_is_converted(self) -> None:
        """A second at 16,000 samples is 50 frames at 8,000."""
        assert 50 == len(queue().queue(Audio.silence(1.0, 16_000)).frames)

    def test_the_last_frame_of_a_piece_is_filled_up_with_silence(self) -> None:
        """Two and a half frames are three."""
        out = queue()
        out.queue(audio(2.5))
        last = [out.next_frame() for _ in range(3)][-1]
        assert last is not None
        assert (SAMPLES // 2) * [0] == ULAW.decode(last[1])[SAMPLES // 2 :].tolist()

    def test_an_empty_piece_is_over_at_once(self) -> None:
        """Nobody waits for nothing."""
        assert queue().queue(audio(0)).is_over

    def test_a_codec_with_memory_codes_frame_by_frame(self) -> None:
        """In order, each of the codec's own size: 20 ms at 16,000 samples; the first one was the silence."""
        out = Outgoing(Numbers(), 96, PTIME)
        assert [bytes([2, 80]), bytes([3, 80])] == out.queue(Audio.silence(0.04, 16_000)).frames

    def test_nothing_is_sent_on_hold_and_what_is_queued_waits(self) -> None:
        """RFC 3264 section 8.4: the peer that put us on hold is to hear nothing."""
        out = queue()
        out.queue(audio(1))
        out.muted = True
        held = ticks(out, 2)
        out.muted = False
        assert ([None, None], [1000, 0]) == (held, ticks(out, 2))

    def test_one_piece_more_than_may_wait_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The limit is crossed by one; the refused one changes nothing."""
        monkeypatch.setattr(outgoing, "MAX_QUEUED_PIECES", 3)
        out = queue()
        for _ in range(3):
            out.queue(audio(1))
        with pytest.raises(ValueError, match="3 pieces wait"):
            out.queue(audio(1))
        assert 3 == out.backlog

    def test_pieces_that_were_stopped_take_no_place_in_the_queue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not even on hold, when nothing moves."""
        monkeypatch.setattr(outgoing, "MAX_QUEUED_PIECES", 3)
        out = queue()
        out.muted = True
        for _ in range(4):
            out.queue(audio(1)).stop()
        assert 0 == out.backlog

    def test_one_frame_more_than_may_wait_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """In all pieces together; the limit itself may be reached."""
        monkeypatch.setattr(outgoing, "MAX_QUEUED_FRAMES", 5)
        out = queue()
        out.queue(audio(2))
        out.queue(audio(3))
        with pytest.raises(ValueError, match="more than 5 frames"):
            out.queue(audio(1))


class TestPlayback:
    def test_a_piece_knows_when_it_was_on_the_wire(self) -> None:
        """From the packets' own instants: first sample, end of the last."""
        out = queue()
        piece = out.queue(audio(2))
        tick(out, 10.000)
        tick(out, 10.021)
        assert (10.000, pytest.approx(10.041), False) == (piece.started, piece.ended, piece.interrupted)

    @pytest.mark.parametrize(
        ("seconds", "instant"),
        [(0.0, 10.0), (0.019, 10.019), (0.020, 10.021), (0.030, 10.031), (0.040, None), (-0.1, None)],
    )
    def test_each_sample_has_the_instant_of_its_packet_plus_its_place_in_it(
        self, seconds: float, instant: float
    ) -> None:
        """One that never left has none."""
        out = queue()
        piece = out.queue(audio(3))
        tick(out, 10.000)
        tick(out, 10.021)
        assert instant is None or instant == pytest.approx(piece.instant_of(seconds))
        assert (instant is None) == (piece.instant_of(seconds) is None)

    def test_the_first_sample_of_each_packet_belongs_to_that_packet(self) -> None:
        """0.58 / 0.02 is a little less than 29 in floats; the sample is in packet 29 all the same."""
        out = queue()
        piece = out.queue(audio(100))
        for n in range(100):
            tick(out, 100.0 * n)
        assert [100.0 * n for n in range(100)] == [pytest.approx(piece.instant_of(n * PTIME)) for n in range(100)]

    def test_a_frame_that_the_kernel_refused_holds_up_nothing(self) -> None:
        """It has no instant; the piece ends all the same, and those behind it keep theirs."""
        out = queue()
        piece = out.queue(audio(3))
        tick(out, 1.00)
        out.next_frame()  # not followed by `left`
        tick(out, 1.04)
        assert (True, None, 1.04) == (piece.is_over, piece.instant_of(0.02), piece.instant_of(0.04))

    def test_a_piece_whose_last_frame_was_refused_ends_at_the_next_tick(self) -> None:
        """Whoever waits for it must not wait for ever."""
        out = queue()
        piece = out.queue(audio(1))
        out.next_frame()
        out.next_frame()
        assert (True, None) == (piece.is_over, piece.started)

    def test_waiting_ends_with_the_last_frame(self) -> None:
        """And gives the piece itself."""

        async def main() -> bool:
            out = queue()
            piece = out.queue(audio(1))
            waiting = [asyncio.ensure_future(piece.wait()) for _ in range(2)]
            await asyncio.sleep(0)
            tick(out)
            return [piece, piece, piece] == [*await asyncio.gather(*waiting), await piece.wait()]

        assert run(main())

    def test_a_stopped_piece_is_interrupted_and_the_next_one_follows_at_once(self) -> None:
        """Only what was stopped is left out."""
        out = queue()
        first = out.queue(audio(3, 1000))
        out.queue(audio(1, 2000))
        heard = [tick(out)]
        first.stop()
        assert [1000, 2000, 0] == [*heard, *ticks(out, 2)]
        assert (True, 0) == (first.interrupted, out.backlog)

    def test_stopping_what_is_over_changes_nothing(self) -> None:
        """It was heard to its end, and stays so."""
        out = queue()
        piece = out.queue(audio(1))
        tick(out)
        piece.stop()
        assert (False, "<Playback 0.02 s, over>") == (piece.interrupted, repr(piece))

    def test_a_piece_tells_where_it_stands(self) -> None:
        """One line for logs."""
        out = queue()
        piece = out.queue(audio(3))
        tick(out)
        shown = repr(piece)
        piece.stop()
        assert ["<Playback 0.06 s, at 0.02 s>", "<Playback 0.06 s, interrupted>"] == [shown, repr(piece)]


class TestBargeIn:
    def test_after_a_flush_not_one_queued_frame_is_sent(self) -> None:
        """Neither of pieces nor of a stream, not even the samples that did not fill a frame."""
        out = queue()
        pieces = [out.queue(audio(3)), out.queue(audio(2)), out.queue_frame(sound(1.5))]
        tick(out)
        out.flush()
        assert [0] * 10 == ticks(out, 10)
        assert ([True] * 3, 0) == ([piece.interrupted for piece in pieces], out.backlog)


class TestStream:
    def test_samples_in_any_pieces_come_out_as_one_stream(self) -> None:
        """What does not fill a frame waits for the samples that follow: no holes between."""
        out = queue()
        for part in np.split(sound(4), [50, 100, 333, 500]):
            out.queue_frame(part)
        assert [1000] * 4 == ticks(out, 4)
        assert 0 == out.backlog

    def test_samples_that_nothing_follows_are_sent_when_they_are_due(self) -> None:
        """Filled up with silence, so that the end of a stream is heard."""
        out = queue()
        out.queue_frame(sound(1.5))
        assert [1000, 1000, 0] == ticks(out, 3)

    def test_a_piece_behind_a_stream_comes_after_its_last_samples(self) -> None:
        """Order is kept between `send` and `play`."""
        out = queue()
        out.queue_frame(sound(0.5, 1000))
        out.queue(audio(1, 2000))
        assert [1000, 2000, 0] == ticks(out, 3)

    def test_what_was_lent_is_not_kept(self) -> None:
        """A caller may use its buffer again."""
        out = queue()
        buffer = sound(0.5)
        out.queue_frame(buffer)
        buffer[:] = 0
        assert 1000 == tick(out)

    @pytest.mark.parametrize("wrong", [np.zeros(160), np.zeros((2, 80), np.int16), np.zeros(160, np.int32)])
    def test_what_is_no_sound_is_refused(self, wrong: Pcm) -> None:
        """Float samples would come out as noise."""
        with pytest.raises(AudioError, match="int16"):
            queue().queue_frame(wrong)

    @given(st.lists(st.integers(0, 500), max_size=20))
    def test_not_one_sample_is_lost_or_made_up(self, sizes: list[int]) -> None:
        """Whatever the pieces are: as many samples come out as went in, in order, and then only silence."""
        out = Outgoing(codec("PCMA"), 8, PTIME)
        stream = np.repeat(np.arange(-2000, 2000, 16, dtype=np.int16), 40)[: sum(sizes)]
        parts = np.split(stream, np.cumsum(sizes)[:-1]) if sizes else []
        for part in parts:
            out.queue_frame(part)
        payloads = [frame[1] for _ in range(len(stream) // SAMPLES + 1) if (frame := out.next_frame())]
        assert b"".join(payloads).startswith(codec("PCMA").encode(stream))


class TestRoom:
    """`Call.send` keeps a few frames ahead and no more."""

    def test_a_few_frames_may_be_queued_without_waiting(self) -> None:
        """A tenth of a second is room enough for a busy loop."""

        async def main() -> int:
            out = queue()
            for _ in range(SEND_AHEAD_FRAMES):
                out.queue_frame(sound(1))
                await out.wait_for_room()
            return out.backlog

        assert SEND_AHEAD_FRAMES == run(main())

    def test_one_frame_more_waits_until_one_has_left(self) -> None:
        """The limit is crossed by one."""

        async def main() -> list[bool]:
            out = queue()
            out.queue_frame(sound(SEND_AHEAD_FRAMES + 1))
            waiting = asyncio.ensure_future(out.wait_for_room())
            await asyncio.sleep(0)
            before = waiting.done()
            tick(out)
            await waiting
            return [before, waiting.done()]

        assert [False, True] == run(main())

    def test_those_who_wait_are_served_in_turn(self) -> None:
        """Each frame that leaves frees one; nobody is passed over, however often others send."""

        async def sender(out: Outgoing, name: str, order: list[str]) -> None:
            for _ in range(3):
                out.queue_frame(sound(1))
                await out.wait_for_room()
                order.append(name)

        async def main() -> list[str]:
            out, order = queue(), list[str]()
            out.queue_frame(sound(SEND_AHEAD_FRAMES))
            senders = [asyncio.ensure_future(sender(out, name, order)) for name in "abc"]
            while not all(each.done() for each in senders):
                await asyncio.sleep(0)
                tick(out)
            return order

        assert list("abcabcabc") == run(main())

    def test_one_who_gave_up_does_not_hold_up_the_others(self) -> None:
        """His turn goes to the next."""

        async def main() -> bool:
            out = queue()
            out.queue_frame(sound(SEND_AHEAD_FRAMES + 1))
            first, second = (asyncio.ensure_future(out.wait_for_room()) for _ in range(2))
            await asyncio.sleep(0)
            first.cancel()
            tick(out)
            await second
            return first.cancelled()

        assert run(main())

    def test_a_flush_frees_all_who_wait(self) -> None:
        """One who was cancelled in the same moment is no obstacle."""

        async def main() -> list[Any]:
            out = queue()
            out.queue_frame(sound(30))
            waiting = [asyncio.ensure_future(out.wait_for_room()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[-1].cancel()
            out.flush()
            return await asyncio.gather(*waiting[:-1])

        assert [None, None] == run(main())


class TestAdopt:
    """Another codec, or another number for it, by re-INVITE."""

    def test_what_is_queued_is_said_in_the_new_codec(self) -> None:
        """Nothing is lost between two codecs of G.711: the payload is that of the new one, the sound is the same."""
        out = queue()
        out.queue(audio(9)).stop()
        piece = out.queue(audio(3))
        tick(out, 1.0)
        out.queue(audio(9)).stop()
        out.adopt(codec("PCMA"), 8)
        frame = out.next_frame()
        out.left(1.02)
        assert frame is not None
        assert (8, 1000) == (frame[0], round(int(codec("PCMA").decode(frame[1])[0]), -2))
        assert 1.02 == piece.instant_of(PTIME)

    def test_silence_is_said_in_the_new_codec(self) -> None:
        """0xD5 in A-law, under the new number."""
        out = queue()
        out.adopt(codec("PCMA"), 8)
        assert (8, codec("PCMA").silence) == out.next_frame()

    def test_the_same_codec_under_another_number_keeps_what_is_queued(self) -> None:
        """Only the payload type changes."""
        out = queue()
        out.queue(audio(1))
        out.adopt(codec("PCMU"), 96)
        assert (96, 1) == ((out.next_frame() or (0,))[0], 1 + out.backlog)

    @pytest.mark.parametrize("new", [Numbers])
    def test_what_cannot_be_said_again_is_stopped(self, new: Callable[[], AudioCodec]) -> None:
        """To a codec with memory or at another rate there is no way back from payloads."""
        out = queue()
        piece: Playback = out.queue(audio(3))
        out.adopt(new(), 96)
        assert (True, bytes([1, 80])) == (piece.interrupted, (out.next_frame() or (0, b""))[1])
