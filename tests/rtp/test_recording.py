"""Both directions on one time line, in a WAV file that is playable at any moment."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.rtp import LocalError, StereoTimeline
from offhook.rtp import recording as module
from offhook.rtp.recording import HEADER_OCTETS, HOLD_SECONDS, MAX_LEAD, MAX_SECONDS, QUIET_PEAK

RATE = 8000
FRAME = 160
START = 100.0


def timeline() -> tuple[StereoTimeline, io.BytesIO]:
    """A recording at 8 kHz that began at second 100, and its file."""
    file = io.BytesIO()
    return StereoTimeline(RATE, START, file), file


def frame(value: int, samples: int = FRAME) -> np.ndarray:
    """20 ms of one value."""
    return np.full(samples, value, dtype=np.int16)


def read(file: io.BytesIO) -> np.ndarray:
    """What the standard library reads from the file: (samples, 2)."""
    file.seek(0)
    with wave.open(file) as wav:
        assert (2, 2, RATE) == (wav.getnchannels(), wav.getsampwidth(), wav.getframerate())
        return np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").reshape(-1, 2)


def runs(channel: np.ndarray) -> list[tuple[int, int]]:
    """(value, samples) of each stretch of equal samples."""
    edges = np.flatnonzero(np.diff(channel)) + 1
    return [(int(part[0]), len(part)) for part in np.split(channel, edges) if len(part)]


def recorded(*rows: tuple[float, np.ndarray]) -> list[tuple[int, int]]:
    """What the left channel holds after chunks at these seconds from the start."""
    line, file = timeline()
    for offset, pcm in rows:
        line.add_left(pcm, START + offset)
    line.close()
    return runs(read(file)[:, 0])


class TestPlace:
    def test_each_channel_lies_at_its_own_instants(self) -> None:
        """Left at once, right half a second later."""
        line, file = timeline()
        line.add_left(frame(1), START)
        line.add_right(frame(2), START + 0.5)
        line.close()
        samples = read(file)
        assert [(1, 160), (0, 4000)] == runs(samples[:, 0])
        assert [(0, 4000), (2, 160)] == runs(samples[:, 1])

    def test_jitter_makes_no_holes(self) -> None:
        """Up to 40 ms away from its place, a chunk is laid right behind the one before."""
        assert [(1, 160), (2, 160), (3, 160)] == recorded((0.0, frame(1)), (0.06, frame(2)), (0.01, frame(3)))

    def test_beyond_the_tolerance_a_chunk_lies_at_its_instant(self) -> None:
        """60.125 ms after the end of the one before: one sample more than 40 ms is a hole."""
        assert [(1, 160), (0, 321), (2, 160)] == recorded((0.0, frame(1)), (0.020 + 321 / RATE, frame(2)))

    def test_a_burst_after_a_stall_loses_nothing(self) -> None:
        """Five packets at one instant are laid one behind the other."""
        rows = [(0.2, frame(value)) for value in range(101, 106)]
        assert [(0, 1600), *((value, 160) for value in range(101, 106))] == recorded(*rows)

    def test_silence_pays_the_lead_back(self) -> None:
        """Quiet chunks are left out while the channel runs ahead, so that the time line becomes right again."""
        burst = [(0.0, frame(value)) for value in range(101, 106)]
        quiet = [(0.02 * number, frame(-QUIET_PEAK)) for number in (1, 2, 3)]
        assert [*((value, 160) for value in range(101, 106)), (-QUIET_PEAK, 160), (109, 160)] == recorded(
            *burst, *quiet, (0.08, frame(109))
        )

    @pytest.mark.parametrize("value", [QUIET_PEAK + 1, -QUIET_PEAK - 1, -32_768])
    def test_speech_is_never_left_out_for_that(self, value: int) -> None:
        """One step beyond silence, and the one value that has no positive twin."""
        burst = [(0.0, frame(value)) for value in range(101, 106)]
        assert (value, 160) in recorded(*burst, (0.02, frame(value)))

    @pytest.mark.parametrize(("over", "left_out"), [(0, 0), (1, FRAME)])
    def test_a_channel_runs_ahead_by_a_second_at_most(self, over: int, left_out: int) -> None:
        """What is beyond is left out and counted."""
        line, _ = timeline()
        line.add_left(frame(1, round(MAX_LEAD * RATE) + over), START)
        line.add_left(frame(102), START)
        assert left_out == line.left_out

    def test_what_was_laid_is_not_overwritten(self) -> None:
        """A chunk from before the end of the one before is laid behind it."""
        assert [(101, 1600), (102, 160)] == recorded((0.0, frame(101, 1600)), (0.1, frame(102)))

    def test_what_comes_before_the_start_is_cut(self) -> None:
        """Half of the chunk."""
        line, file = timeline()
        line.add_left(frame(1), START - 0.01)
        line.close()
        assert ([(1, 80)], 80) == (runs(read(file)[:, 0]), line.left_out)

    def test_an_empty_chunk_is_nothing(self) -> None:
        """Whatever the lead."""
        assert [(1, 8000)] == recorded((0.0, frame(1, 8000)), (0.0, frame(1, 0)))

    def test_a_long_chunk_is_laid_whole(self) -> None:
        """Ten seconds at once, more than the memory holds."""
        assert [(7, 80_000)] == recorded((0.0, frame(7, 80_000)))


class TestFile:
    def test_it_is_playable_before_it_is_closed(self) -> None:
        """A crash leaves all but the last seconds."""
        line, file = timeline()
        for number in range(500):
            line.add_left(frame(1), START + 0.02 * number)
        copy = io.BytesIO(file.getvalue())
        assert [(1, (10 - HOLD_SECONDS) * RATE)] == runs(read(copy)[:, 0])

    def test_it_is_a_wav_file_from_the_first_moment(self) -> None:
        """With nothing in it."""
        line, file = timeline()
        assert 0 == len(read(file))
        assert HEADER_OCTETS == len(file.getvalue())
        line.close()
        assert HEADER_OCTETS == len(file.getvalue())

    def test_memory_does_not_grow(self) -> None:
        """A pause of ten minutes is written as silence."""
        line, file = timeline()
        line.add_left(frame(1), START)
        line.add_right(frame(2), START + 600.0)
        assert (HOLD_SECONDS + 2) * RATE == len(line._window)
        line.close()
        assert 600 * RATE + FRAME == len(read(file))
        assert 600.02 == line.duration

    def test_the_other_channel_may_come_two_seconds_later(self) -> None:
        """What is older was written out, and is left out and counted."""
        line, file = timeline()
        line.add_left(frame(1, 10 * RATE), START)
        line.add_right(frame(2), START + 8.0)
        line.add_right(frame(3), START + 7.99)
        line.close()
        assert [(0, 8 * RATE), (2, FRAME), (3, FRAME)] == runs(read(file)[:, 1])[:3]
        late, _ = timeline()
        late.add_left(frame(1, 10 * RATE), START)
        late.add_right(frame(2), START + 7.99)
        assert 80 == late.left_out

    def test_beyond_the_limit_nothing_is_laid(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`MAX_SECONDS`; here two, to keep the test small."""
        monkeypatch.setattr(module, "MAX_SECONDS", 2)
        line, file = timeline()
        line.add_left(frame(1), START + 1.99)
        line.add_left(frame(1), START + 2.05)
        line.close()
        assert (80 + FRAME, 2 * RATE) == (line.left_out, len(read(file)))

    def test_the_longest_recording_fits_into_a_riff_file(self) -> None:
        """32 bits of octets, at 48 kHz."""
        assert MAX_SECONDS * 48_000 * 4 + HEADER_OCTETS < 2**32

    def test_closing_twice_is_closing_once(self) -> None:
        """And afterwards nothing is taken."""
        line, file = timeline()
        line.add_left(frame(1), START)
        line.close()
        line.close()
        assert FRAME == len(read(file))
        with pytest.raises(LocalError):
            line.add_left(frame(1), START)

    @pytest.mark.parametrize(
        "pcm", [np.zeros((2, 2), dtype=np.int16), np.zeros(2, dtype=np.float32)], ids=["2-D", "float"]
    )
    def test_other_arrays_are_our_own_fault(self, pcm: np.ndarray) -> None:
        """One-dimensional int16."""
        with pytest.raises(LocalError):
            timeline()[0].add_right(pcm, START)

    def test_it_says_in_a_line_how_it_stands(self) -> None:
        """For logs and debuggers."""
        line, _ = timeline()
        line.add_left(frame(1), START)
        assert "<StereoTimeline 0.020 s at 8000 Hz>" == repr(line)


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 3000), st.floats(-1.0, 12.0)),
        max_size=30,
    )
)
def test_every_sample_is_laid_or_counted(rows: list[tuple[bool, int, float]]) -> None:
    """Any chunks at any instants, in any order: nothing is overwritten, nothing vanishes."""
    line, file = timeline()
    for is_left, samples, offset in rows:
        (line.add_left if is_left else line.add_right)(frame(1000, samples), START + offset)
    line.close()
    laid = int(np.count_nonzero(read(file)))
    assert sum(samples for _, samples, _ in rows) == laid + line.left_out
