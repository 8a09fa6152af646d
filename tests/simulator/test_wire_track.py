"""Samples find their place on the stream, and lead back to their instant on the wire."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.wire_track import MAX_PACKETS, MAX_SAMPLES, RE_ANCHOR, TrackDrop, WireTrack

RATE = 8_000
FRAME = 160  # samples and ticks of 20 ms


def packet(value: int, samples: int = FRAME) -> np.ndarray:
    """A packet full of one value."""
    return np.full(samples, value, np.int16)


def track_of(*packets: tuple[float, int], rate: int = RATE) -> WireTrack:
    """A track with packets given as (instant, timestamp); the first is full of ones, the second of twos, ..."""
    track = WireTrack(rate)
    for value, (instant, timestamp) in enumerate(packets, 1):
        assert track.add(instant, packet(value), timestamp=timestamp) is None
    return track


class TestConvention:
    """A sample's instant is its packet's instant plus its offset inside the packet."""

    def test_a_sample_is_on_the_wire_with_its_packet(self) -> None:
        """The second packet was 7 ms late: its samples are, and those of the first are not."""
        track = track_of((10.0, 500), (10.027, 660))
        assert 10.0 == track.instant_of(0)
        assert 10.0 + 159 / RATE == pytest.approx(track.instant_of(159))
        assert 10.027 == track.instant_of(160)

    def test_an_end_belongs_to_the_packet_of_the_last_sample(self) -> None:
        """Speech that fills the first packet ends 20 ms after it came, however late the second was."""
        track = track_of((10.0, 500), (10.2, 660))
        assert 10.02 == pytest.approx(track.end_instant_of(160))
        assert 10.2 == track.instant_of(160)

    def test_the_stream_goes_on_after_its_last_packet(self) -> None:
        """One past the end is a position too: the end of speech that lasts to the end."""
        assert 10.02 == pytest.approx(track_of((10.0, 500)).instant_of(160))

    @pytest.mark.parametrize("sample", [-1, 161])
    def test_positions_off_the_stream_are_refused(self, sample: int) -> None:
        """One before and one beyond the last that is allowed."""
        with pytest.raises(IndexError, match=str(sample)):
            track_of((10.0, 500)).instant_of(sample)

    def test_nothing_has_no_instants(self) -> None:
        """An empty track is an empty stream."""
        track = WireTrack(RATE)
        assert 0 == len(track) == track.pcm.size
        with pytest.raises(IndexError):
            track.instant_of(0)


class TestPlaces:
    """Where packets lie on the stream is told by their timestamps."""

    def test_a_lost_packet_leaves_silence(self) -> None:
        """And the instants in it go on from the packet before."""
        track = track_of((10.0, 0), (10.04, 320))
        assert [1] * FRAME + [0] * FRAME + [2] * FRAME == track.pcm.tolist()
        assert 10.03 == pytest.approx(track.instant_of(240))

    def test_an_overtaken_packet_goes_to_its_place(self) -> None:
        """It keeps the instant at which it came."""
        track = track_of((10.0, 0), (10.04, 320), (10.041, 160))
        assert [1] * FRAME + [3] * FRAME + [2] * FRAME == track.pcm.tolist()
        assert 10.041 == track.instant_of(160)
        assert 10.04 == track.instant_of(320)

    def test_the_first_packet_may_have_been_overtaken(self) -> None:
        """Then the stream begins with the second that came."""
        track = track_of((10.0, 160), (10.001, 0))
        assert [2] * FRAME + [1] * FRAME == track.pcm.tolist()
        assert 10.001 == track.instant_of(0)

    def test_ticks_are_not_samples_in_g722(self) -> None:
        """RFC 3551 4.5.2: the clock of G.722 ticks 8000 times a second, its sound has 16000 samples."""
        track = WireTrack(16_000, clock_rate=8_000)
        for value in range(2):
            track.add(10.0 + 0.02 * value, packet(value + 1, 320), timestamp=160 * value)
        assert [1] * 320 + [2] * 320 == track.pcm.tolist()

    @given(st.permutations(range(12)))
    def test_any_order_of_arrival_gives_the_same_stream(self, order: list[int]) -> None:
        """Twelve packets that arrive within a few milliseconds."""
        track = WireTrack(RATE)
        for arrival, index in enumerate(order):
            track.add(10.0 + arrival / 1000, packet(index + 1), timestamp=FRAME * index)
        assert np.repeat(np.arange(1, 13), FRAME).tolist() == track.pcm.tolist()

    def test_a_long_call_grows_its_room(self) -> None:
        """Twenty seconds, beyond the room of the start, and nothing is lost."""
        track = WireTrack(RATE)
        for index in range(1_000):
            track.add(0.02 * index, packet(index), timestamp=FRAME * index)
        assert np.repeat(np.arange(1_000), FRAME).tolist() == track.pcm.tolist()

    def test_the_stream_cannot_be_written_to(self) -> None:
        """It is a view of the track."""
        with pytest.raises(ValueError, match="read-only"):
            track_of((10.0, 0)).pcm[0] = 1


class TestReAnchoring:
    """Where timestamps contradict the wire, the wire is believed."""

    def test_timestamps_that_stand_still_in_a_pause_do_not_hide_it(self) -> None:
        """Three seconds of thinking are three seconds of silence."""
        track = track_of((10.0, 0), (13.0, 160))
        assert 3 * RATE + FRAME == len(track)
        assert 13.0 == track.instant_of(3 * RATE)

    def test_timestamps_that_start_anew_do_not_move_the_sound(self) -> None:
        """A re-INVITE brings another stream with timestamps of its own."""
        track = track_of((10.0, 0), (10.02, 4_000_000_000))
        assert [1] * FRAME + [2] * FRAME == track.pcm.tolist()

    @pytest.mark.parametrize(("beyond", "expected"), [(0, 2 * FRAME), (1, 2 * FRAME + 4_001)])
    def test_the_bound_is_half_a_second(self, beyond: int, expected: int) -> None:
        """At RE_ANCHOR the timestamp is believed and no hole is left; a sample beyond it the wire is."""
        wire = RE_ANCHOR + (FRAME + beyond) / RATE
        assert expected == len(track_of((10.0, 0), (10.0 + wire, FRAME)))

    def test_a_burst_after_a_stall_keeps_its_order(self) -> None:
        """A second of packets that arrive at once are a second of sound after the gap."""
        track = track_of((0.0, 0), *((1.02, FRAME * index) for index in range(1, 51)))
        assert list(range(2, 52)) == track.pcm[-50 * FRAME :: FRAME].tolist()


class TestDrops:
    """Nothing disappears without a reason."""

    def test_a_packet_without_samples_is_dropped(self) -> None:
        """It has no place."""
        track = WireTrack(RATE)
        assert TrackDrop.EMPTY is track.add(10.0, packet(1, 0), timestamp=0)
        assert 1 == track.drops[TrackDrop.EMPTY]

    def test_a_duplicate_is_dropped(self) -> None:
        """The first that came is the one that was heard."""
        track = track_of((10.0, 0))
        assert TrackDrop.DUPLICATE is track.add(10.005, packet(9), timestamp=0)
        assert [1] * FRAME == track.pcm.tolist()
        assert 10.0 == track.instant_of(0)

    def test_a_packet_far_before_the_start_is_dropped(self) -> None:
        """Half a second before the first is the last that is taken."""
        track = track_of((10.0, 8_000))
        assert track.add(10.0, packet(9), timestamp=4_000) is None
        assert TrackDrop.BEFORE_START is track.add(10.0, packet(9), timestamp=3_999)

    def test_a_full_track_takes_no_sample_more(self) -> None:
        """The stream's length is bounded, holes included."""
        track = WireTrack(RATE, max_samples=2 * FRAME)
        assert track.add(0.0, packet(1), timestamp=0) is None
        assert TrackDrop.FULL is track.add(0.02, packet(2), timestamp=FRAME + 1)
        assert track.add(0.02, packet(2), timestamp=FRAME) is None
        assert 1 == track.drops[TrackDrop.FULL]

    def test_a_full_track_takes_no_packet_more(self) -> None:
        """Packets of one sample must not cost more memory than sound."""
        track = WireTrack(RATE, max_packets=2)
        verdicts = [track.add(index / RATE, packet(1, 1), timestamp=index) for index in range(3)]
        assert [None, None, TrackDrop.FULL] == verdicts
        assert 2 == track.packets

    def test_the_bounds_are_two_hours_of_telephony(self) -> None:
        """At 8 kHz, and more packets than that takes."""
        assert 2 * 3600 * RATE == MAX_SAMPLES
        assert 2 * 3600 * 50 < MAX_PACKETS

    def test_it_says_in_one_line_what_it_holds(self) -> None:
        """For logs."""
        track = track_of((10.0, 0), (10.02, 160))
        track.add(10.02, packet(3), timestamp=160)
        assert "<WireTrack 0.040 s, 2 packets, 1 dropped>" == repr(track)
