"""What arrives is heard, with the instants at which it was on the wire, whatever the network did to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.speech import beep, silence

from offhook.codecs import codec
from offhook.rtp import Received
from offhook.simulator.hearing import MAX_HOLE, MAX_PACKET, Hearing, HearingDrop, SpeechEnded, SpeechStarted
from offhook.simulator.voice_activity import SpeechDetector
from offhook.simulator.wire_track import WireTrack
from offhook.sipcore.sdp import Codec

FRAME = 160  # samples and ticks of 20 ms
ENCODED = {0: codec("PCMU"), 8: codec("PCMA")}
TYPES = {0: Codec(0, "PCMU", 8_000), 101: Codec(101, "telephone-event", 8_000), 13: Codec(13, "CN", 8_000)}


def word(before: float = 0.1, length: float = 0.2, after: float = 0.5) -> np.ndarray:
    """A tone with silence around it."""
    return np.concatenate((silence(before), beep(length), silence(after)))


def packets(pcm: np.ndarray, timestamp: int = 0, payload_type: int = 0, ssrc: int = 1) -> list[Received]:
    """A packet for each 20 ms."""
    frames = pcm.reshape(-1, FRAME)
    encode = ENCODED[payload_type].encode
    return [
        Received(encode(f), payload_type, (timestamp + FRAME * i) & 0xFFFF_FFFF, 0.0, ssrc=ssrc)
        for i, f in enumerate(frames)
    ]


class Ears:
    """A `Hearing` with a notebook."""

    def __init__(self, track: WireTrack | None = None) -> None:
        self.types = dict(TYPES)
        self.edges: list[tuple[str, float]] = []
        self.hearing = Hearing(lambda: self.types, SpeechDetector(8_000, detector="energy"), self.note, track)

    def note(self, event: SpeechStarted | SpeechEnded, instant: float) -> None:
        """Write down an edge, to the millisecond."""
        self.edges.append(("start" if isinstance(event, SpeechStarted) else "end", round(instant, 3)))

    def hear(self, stream: list[Received], at: float) -> Ears:
        """Packets each 20 ms from an instant on."""
        for index, packet in enumerate(stream):
            self.hearing.arrived(packet, at + 0.02 * index)
        return self

    def wait(self, start: float, end: float) -> Ears:
        """Our own packets leave meanwhile."""
        for index in range(round((end - start) / 0.02) + 1):
            self.hearing.sent(0, b"", 0, start + 0.02 * index)
        return self


class TestEdges:
    """The convention of `wire_track`: a sample's instant is its packet's, plus its offset inside."""

    def test_a_word_is_heard_where_it_was_on_the_wire(self) -> None:
        """From 10.1 s to 10.3 s."""
        assert [("start", 10.1), ("end", 10.3)] == Ears().hear(packets(word()), 10.0).edges

    def test_speech_that_goes_on_at_the_end_of_the_call_ends_there(self) -> None:
        """Where its last packet ended."""
        ears = Ears().hear(packets(word(after=0.0)), 10.0)
        ears.hearing.finish()
        assert [("start", 10.1), ("end", 10.3)] == ears.edges

    def test_silence_at_the_end_of_the_call_is_no_edge(self) -> None:
        """Finishing tells nothing new."""
        ears = Ears().hear(packets(word()), 10.0)
        ears.hearing.finish()
        assert 2 == len(ears.edges)

    def test_a_track_is_kept_for_whoever_gives_one(self) -> None:
        """With the same samples on it."""
        track = WireTrack(8_000)
        Ears(track).hear(packets(word()), 10.0)
        assert word().size == len(track)


class TestLateAndLost:
    """What the network does to packets."""

    def test_a_late_packet_moves_the_edge_that_it_carries(self) -> None:
        """The packet of the onset came 15 ms later than its place: so did the onset."""
        ears = Ears()
        for index, packet in enumerate(packets(word())):
            ears.hearing.arrived(packet, 10.0 + 0.02 * index + (0.015 if index == 5 else 0.0))
        assert [("start", 10.115), ("end", 10.3)] == ears.edges

    def test_packets_lost_inside_a_word_do_not_end_it(self) -> None:
        """Two of twenty are a hole of 40 ms."""
        ears = Ears()
        stream = packets(word(length=0.4))
        for index in sorted(set(range(len(stream))) - {10, 11}):
            ears.hearing.arrived(stream[index], 10.0 + 0.02 * index)
        assert [("start", 10.1), ("end", 10.5)] == ears.edges

    def test_a_duplicate_is_heard_once(self) -> None:
        """And counted."""
        ears = Ears()
        for index, packet in enumerate(packets(word())):
            ears.hearing.arrived(packet, 10.0 + 0.02 * index)
            ears.hearing.arrived(packet, 10.001 + 0.02 * index)
        assert [("start", 10.1), ("end", 10.3)] == ears.edges
        assert word().size // FRAME == ears.hearing.drops[HearingDrop.OVERTAKEN]

    def test_an_overtaken_packet_is_a_short_hole(self) -> None:
        """What came after it has been heard; 20 ms of silence inside a word are no pause."""
        ears = Ears()
        stream = packets(word())
        stream[8], stream[9] = stream[9], stream[8]
        assert [("start", 10.1), ("end", 10.3)] == ears.hear(stream, 10.0).edges
        assert 1 == ears.hearing.drops[HearingDrop.OVERTAKEN]

    def test_packets_held_up_are_heard_when_they_come(self) -> None:
        """A stall of 300 ms: on the wire the word was in two pieces, and neither is lost."""
        stream = packets(word(length=0.6))
        ears = Ears().hear(stream[:10], 10.0).wait(10.2, 10.48)
        for packet in stream[10:25]:
            ears.hearing.arrived(packet, 10.5)
        ears.hear(stream[25:], 10.5)
        assert [("start", 10.1), ("end", 10.2), ("start", 10.5)] == ears.edges[:3]
        assert 0 == sum(ears.hearing.drops.values())

    def test_a_word_that_was_held_up_as_a_whole_is_heard(self) -> None:
        """All its packets came at once, after 400 ms of nothing."""
        stream = packets(word(length=0.2, after=0.6))
        ears = Ears().hear(stream[:5], 10.0).wait(10.1, 10.48)
        for packet in stream[5:25]:
            ears.hearing.arrived(packet, 10.5)
        ears.hear(stream[25:], 10.52)
        assert ("start", 10.5) == ears.edges[0]
        assert ["start", "end"] == [kind for kind, _ in ears.edges]


class TestSilence:
    """Peers that send nothing while they say nothing."""

    def test_a_peer_that_stops_sending_has_stopped_speaking(self) -> None:
        """Our own packets tell the time; the end is that of its last packet."""
        ears = Ears().hear(packets(word(after=0.0)), 10.0).wait(10.3, 11.0)
        assert [("start", 10.1), ("end", 10.3)] == ears.edges

    def test_time_can_be_told_when_nothing_of_ours_leaves(self) -> None:
        """On hold."""
        ears = Ears().hear(packets(word(after=0.0)), 10.0)
        ears.hearing.passed(11.0)
        assert ("end", 10.3) == ears.edges[-1]

    def test_a_short_pause_is_not_filled(self) -> None:
        """The next packet may be on its way."""
        ears = Ears().hear(packets(word(after=0.0)), 10.0)
        ears.hearing.passed(10.39)
        assert [("start", 10.1)] == ears.edges

    def test_a_peer_that_never_sent_anything_is_not_heard(self) -> None:
        """And costs nothing."""
        assert [] == Ears().wait(10.0, 12.0).edges

    @pytest.mark.parametrize("step", [8_000, 0], ids=["timestamps go on", "timestamps stand still"])
    def test_speech_after_a_second_of_nothing_is_where_it_arrives(self, step: int) -> None:
        """Discontinuous transmission, by the book and otherwise."""
        ears = Ears().hear(packets(word(after=0.0)), 10.0).wait(10.3, 11.28)
        ears.hear(packets(word(before=0.0), timestamp=15 * FRAME + step), 11.3)
        assert [("start", 10.1), ("end", 10.3), ("start", 11.3), ("end", 11.5)] == ears.edges

    def test_silence_that_was_not_sent_is_silence(self) -> None:
        """A hole of 300 ms in the timestamps ends a word although none of our packets told the time."""
        ears = Ears().hear(packets(word(after=0.0)), 10.0)
        ears.hear(packets(word(before=0.0), timestamp=30 * FRAME), 10.6)
        assert [("start", 10.1), ("end", 10.3), ("start", 10.6), ("end", 10.8)] == ears.edges


class TestNewBeginnings:
    """Streams that start anew in the middle of a call."""

    @pytest.mark.parametrize("timestamp", [3_000_000_000, 4_000_000, 0xFFFF_FF00])
    def test_a_timestamp_that_jumps_is_a_new_beginning(self, timestamp: int) -> None:
        """Forwards, and backwards across zero: the word after it is where it arrives."""
        ears = Ears().hear(packets(word(), timestamp=1_000_000), 10.0)
        ears.hear(packets(word(), timestamp=timestamp), 10.8)
        assert [("start", 10.1), ("end", 10.3), ("start", 10.9), ("end", 11.1)] == ears.edges

    def test_another_ssrc_is_a_new_beginning(self) -> None:
        """Its timestamps are its own, even where they seem to have been passed."""
        ears = Ears().hear(packets(word(), timestamp=1_000), 10.0)
        ears.hear(packets(word(), timestamp=1_000, ssrc=2), 10.8)
        assert [("start", 10.1), ("end", 10.3), ("start", 10.9), ("end", 11.1)] == ears.edges

    def test_the_gap_before_a_new_beginning_is_told_by_the_wire(self) -> None:
        """A word broken off by a change of the SSRC that took half a second has ended."""
        ears = Ears().hear(packets(word(after=0.0)), 10.0)
        ears.hear(packets(word(before=0.0), timestamp=77, ssrc=2), 10.8)
        assert [("start", 10.1), ("end", 10.3), ("start", 10.8), ("end", 11.0)] == ears.edges

    @pytest.mark.parametrize(("beyond", "filled"), [(0, MAX_HOLE), (1, 0.02)])
    def test_a_hole_has_a_longest(self, beyond: int, filled: float) -> None:
        """One tick more is a new beginning, whose gap the wire tells: 20 ms."""
        ears = Ears().hear(packets(silence(0.02)), 10.0)
        fed: list[int] = []
        ears.hearing._detector.receive_audio = lambda pcm: fed.append(len(pcm)) or []
        ears.hear(packets(silence(0.02), timestamp=FRAME + round(MAX_HOLE * 8_000) + beyond), 10.04)
        assert [round(filled * 8_000), FRAME] == fed


class TestWhatIsNotHeard:
    """Packets that are no sound, or too much of it."""

    def test_a_codec_that_is_agreed_on_later_is_heard(self) -> None:
        """A re-INVITE added PCMA."""
        ears = Ears().hear(packets(silence(0.1)), 10.0)
        ears.types[8] = Codec(8, "PCMA", 8_000)
        ears.hear(packets(word(), timestamp=5 * FRAME, payload_type=8), 10.1)
        assert [("start", 10.2), ("end", 10.4)] == ears.edges

    @pytest.mark.parametrize("payload_type", [8, 13, 101], ids=["not agreed on", "comfort noise", "keys"])
    def test_what_is_no_sound_is_counted(self, payload_type: int) -> None:
        """It neither is heard nor raises."""
        ears = Ears()
        ears.hearing.arrived(Received(b"\x00" * 160, payload_type, 0, 0.0), 10.0)
        assert 1 == ears.hearing.drops[HearingDrop.NOT_SOUND]
        assert ears.hearing.last_arrival is None

    @pytest.mark.parametrize(("more", "dropped"), [(0, 0), (1, 1)])
    def test_a_packet_has_a_longest(self, more: int, dropped: int) -> None:
        """Half a second; one octet beyond it is not listened to."""
        ears = Ears()
        ears.hearing.arrived(Received(b"\xff" * (round(MAX_PACKET * 8_000) + more), 0, 0, 0.0), 10.0)
        assert dropped == ears.hearing.drops[HearingDrop.TOO_LONG]

    @given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 400), st.floats(0, 3)), max_size=30))
    def test_whatever_arrives_edges_alternate_and_nothing_is_raised(
        self, arrivals: list[tuple[int, int, float]]
    ) -> None:
        """Any timestamps, lengths and pauses."""
        ears, now = Ears(), 10.0
        for timestamp, length, pause in arrivals:
            now += pause
            ears.hearing.arrived(Received(b"\x80" * length, 0, timestamp, now), now)
            ears.hearing.passed(now + 0.01)
        assert all(kind == ("start", "end")[i % 2] for i, (kind, _) in enumerate(ears.edges))
