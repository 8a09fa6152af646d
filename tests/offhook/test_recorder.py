"""A call as a stereo file: each voice on its side, each sample at its instant."""

import logging
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.agreements import agreed, media

from offhook.codecs import codec, tone, tone_present
from offhook.media import Media
from offhook.recorder import Recorder
from offhook.rtp import Received

ULAW, ALAW = codec("PCMU"), codec("PCMA")
OURS, THEIRS = tone(440.0, 0.4), tone(1000.0, 0.4)


def channels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Left and right of a file."""
    with wave.open(str(path), "rb") as file:
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    return both[:, 0], both[:, 1]


def talk(player: Media, start: float, name: str = "PCMU", number: int = 0) -> None:
    """Both sides say their tone from `start` on, in packets of 20 ms; the peer is 5 ms behind."""
    for at in range(0, len(OURS), 160):
        instant = start + at / 8000
        for observer in tuple(player.observers):
            observer.sent(number, codec(name).encode(OURS[at : at + 160]), 0, instant)
            packet = Received(codec(name).encode(THEIRS[at : at + 160]), number, at, instant)
            observer.arrived(packet, instant + 0.005)


class TestSides:
    @pytest.mark.parametrize("incoming_is_caller", [True, False])
    def test_the_caller_lies_left_and_the_callee_right(self, incoming_is_caller: bool, tmp_path: Path) -> None:
        """Whichever of the two we are."""
        player = media()
        recorder = Recorder(tmp_path / "a.wav", player, incoming_is_caller=incoming_is_caller, start=10.0)
        talk(player, 10.1)
        recorder.close()
        left, right = channels(tmp_path / "a.wav")
        assert tone_present((left if incoming_is_caller else right)[900:3900], 1000.0, 8000)
        assert tone_present((right if incoming_is_caller else left)[900:3900], 440.0, 8000)

    def test_each_sample_lies_at_its_instant_on_the_wire(self, tmp_path: Path) -> None:
        """What left 100 ms after the start begins at sample 800; what came 5 ms later, at 840."""
        player = media()
        recorder = Recorder(tmp_path / "a.wav", player, incoming_is_caller=False, start=10.0)
        talk(player, 10.1)
        recorder.close()
        begins = [int(np.flatnonzero(np.abs(side) > 50)[0]) for side in channels(tmp_path / "a.wav")]
        assert [pytest.approx(800, abs=8), pytest.approx(840, abs=8)] == begins
        assert 0.505 == pytest.approx(recorder.duration, abs=0.001)

    def test_only_sound_is_recorded(self, tmp_path: Path) -> None:
        """Neither our keys nor a payload type that was never agreed on."""
        player = media()
        recorder = Recorder(tmp_path / "a.wav", player, incoming_is_caller=False, start=0.0)
        recorder.sent(101, b"1234", 0, 0.1)
        recorder.arrived(Received(b"x" * 160, 77, 0, 0.0), 0.1)
        recorder.close()
        assert 0 == len(channels(tmp_path / "a.wav")[0])

    @pytest.mark.parametrize("first", ["sent", "arrived"])
    def test_a_codec_that_changes_in_the_call_is_followed_on_both_sides(self, first: str, tmp_path: Path) -> None:
        """A re-INVITE from PCMU to PCMA: read by the old table it would be noise. Whoever speaks it first."""
        player = media()
        recorder = Recorder(tmp_path / "a.wav", player, incoming_is_caller=False, start=0.0)
        player.adopt(agreed("PCMA"))
        if first == "arrived":
            recorder.arrived(Received(ALAW.silence, 8, 0, 0.0), -1.0)
        talk(player, 0.0, "PCMA", 8)
        recorder.close()
        left, right = channels(tmp_path / "a.wav")
        assert tone_present(left[100:3100], 440.0, 8000)
        assert tone_present(right[100:3100], 1000.0, 8000)

    def test_a_codec_of_another_rate_is_brought_to_that_of_the_file(self, tmp_path: Path) -> None:
        """The time line has one rate."""
        player = media()
        recorder = Recorder(tmp_path / "a.wav", player, incoming_is_caller=False, start=0.0)
        recorder._place(recorder._place_sent, tone(440.0, 0.4, 16_000), 16_000, 0.0)
        recorder.close()
        assert tone_present(channels(tmp_path / "a.wav")[0][:3200], 440.0, 8000)


class TestEnd:
    def test_closing_twice_is_closing_once(self, tmp_path: Path) -> None:
        """The call closes what its user may have closed before."""
        player = media()
        recorder = Recorder(tmp_path / "a.wav", player, incoming_is_caller=False, start=0.0)
        recorder.close()
        recorder.close()
        assert ([], True, None) == (player.observers, recorder._file.closed, recorder.error)

    def test_a_file_that_cannot_be_opened_is_told(self, tmp_path: Path) -> None:
        """To the one who asked for the recording, at once."""
        with pytest.raises(FileNotFoundError):
            Recorder(tmp_path / "no" / "a.wav", media(), incoming_is_caller=False, start=0.0)

    def test_a_disk_that_is_full_from_the_start_is_told_and_nothing_stays_open(self) -> None:
        """/dev/full takes no octet; the fixture of all tests looks for what is left open."""
        with pytest.raises(OSError, match="No space left"):
            Recorder(Path("/dev/full"), media(), incoming_is_caller=False, start=0.0)

    def test_a_disk_that_becomes_full_ends_the_recording_and_not_the_call(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Told once in the log, and kept."""
        player = media()
        recorder = Recorder(tmp_path / "a.wav", player, incoming_is_caller=False, start=0.0)
        monkeypatch.setattr(recorder, "_place_sent", _full)
        talk(player, 0.0)
        assert ([], True, "No space left on device") == (
            player.observers,
            recorder._file.closed,
            recorder.error and recorder.error.strerror,
        )
        assert [logging.ERROR] == [record.levelno for record in caplog.records]

    def test_a_disk_that_is_full_at_the_end_is_logged(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The file is closed all the same, and closing raises nothing."""
        recorder = Recorder(tmp_path / "a.wav", media(), incoming_is_caller=False, start=0.0)
        monkeypatch.setattr(recorder._timeline, "close", _full)
        recorder.close()
        assert (True, 1) == (recorder._file.closed, len(caplog.records))
        assert "<Recorder" in repr(recorder)


def _full(*_: Any) -> None:
    raise OSError(28, "No space left on device")
