"""Sound files in, sound files out, and sentences about what is none."""

import struct
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from offhook import audio
from offhook.audio import Audio
from offhook.codecs import codec, tone, tone_present
from offhook.errors import AudioError

CORPUS = Path(__file__).parents[2].parent / "shared" / "corpora" / "audio"
TONE = tone(440.0, 0.5)


def write_wave(path: Path, frames: bytes, *, width: int = 2, channels: int = 1, rate: int = 8000) -> Path:
    """A WAV file of these octets."""
    with wave.open(str(path), "wb") as file:
        file.setsampwidth(width)
        file.setnchannels(channels)
        file.setframerate(rate)
        file.writeframes(frames)
    return path


def write_by_ffmpeg(path: Path, codec_name: str, sample_format: str) -> Path:
    """The tone, in a container that the file's name asks for."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec_name, rate=8000, layout="mono", format=sample_format)
        frame = av.AudioFrame.from_ndarray(TONE[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = 8000
        for piece in av.AudioResampler(format=sample_format, layout="mono", rate=8000).resample(frame):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


class TestValue:
    def test_a_sound_knows_its_length_and_level(self) -> None:
        """Seconds, samples, dBov: -10 dBm0 is 6.15 dB lower on that scale."""
        sound = Audio(TONE, 8000)
        assert (0.5, 4000, pytest.approx(-16.15, abs=0.1)) == (sound.duration, len(sound), sound.level)
        assert "<Audio 0.500 s at 8000 Hz, -16.2 dBov>" == repr(sound)

    def test_silence_is_zeros(self) -> None:
        """For so many seconds, at the rate that is asked for."""
        assert (1600, 0) == (len(Audio.silence(0.1, 16_000)), Audio.silence(0.1).pcm.max())

    @pytest.mark.parametrize("pcm", [np.zeros(8), np.zeros((2, 4), np.int16)])
    def test_what_is_no_row_of_int16_is_refused(self, pcm: np.ndarray) -> None:
        """Floats and stereo have to be made mono int16 by whoever knows what they mean."""
        with pytest.raises(AudioError, match="one-dimensional int16"):
            Audio(pcm, 8000)

    @pytest.mark.parametrize("rate", [0, 999, 192_001])
    def test_a_rate_that_nobody_records_at_is_refused(self, rate: int) -> None:
        """1,000 and 192,000 are the last that pass."""
        assert Audio(TONE, 1_000).duration == 192 * Audio(TONE, 192_000).duration
        with pytest.raises(AudioError, match="not a sample rate"):
            Audio(TONE, rate)

    def test_a_sound_at_another_rate_is_the_same_sound(self) -> None:
        """And at its own rate the very same object."""
        sound = Audio(TONE, 8000)
        assert tone_present(sound.resampled(16_000).pcm, 440.0, 16_000)
        assert sound is sound.resampled(8000)

    def test_two_sounds_make_one(self) -> None:
        """At the rate of the first."""
        both = Audio(TONE, 8000) + Audio(tone(600.0, 0.5, 16_000), 16_000)
        assert (8000, 8000) == (len(both), both.sample_rate)

    def test_a_sound_stands_for_itself_where_a_file_may_be_named(self, tmp_path: Path) -> None:
        """`play` takes both."""
        sound = Audio(TONE, 8000)
        sound.save(tmp_path / "a.wav")
        assert sound is Audio.of(sound)
        assert TONE.tolist() == Audio.of(str(tmp_path / "a.wav")).pcm.tolist()


class TestWave:
    def test_what_is_saved_is_loaded_again_to_the_sample(self, tmp_path: Path) -> None:
        """16 bits, one channel."""
        Audio(TONE, 8000).save(tmp_path / "a.wav")
        again = Audio.load(tmp_path / "a.wav")
        assert (8000, TONE.tolist()) == (again.sample_rate, again.pcm.tolist())

    def test_two_channels_are_mixed_into_one(self, tmp_path: Path) -> None:
        """The mean of both, so that nothing is clipped."""
        stereo = np.column_stack([np.full(100, 32_000), np.full(100, -2_000)]).astype("<i2")
        mixed = Audio.load(write_wave(tmp_path / "a.wav", stereo.tobytes(), channels=2))
        assert [15_000] * 100 == mixed.pcm.tolist()

    def test_a_header_that_promises_too_much_is_not_believed(self, tmp_path: Path) -> None:
        """Whoever streams a WAV file writes 0xFFFFFFFF for its length, and the file ends where it ends."""
        path = write_wave(tmp_path / "a.wav", TONE.tobytes())
        octets = bytearray(path.read_bytes())
        octets[4:8] = octets[40:44] = struct.pack("<I", 0xFFFFFFFF)
        path.write_bytes(octets)
        assert TONE.tolist() == Audio.load(path).pcm.tolist()

    def test_a_file_that_was_cut_off_gives_what_it_has(self, tmp_path: Path) -> None:
        """Even when it ends within a sample."""
        path = write_wave(tmp_path / "a.wav", TONE.tobytes())
        path.write_bytes(path.read_bytes()[:-1001])
        assert TONE[:-501].tolist() == Audio.load(path).pcm.tolist()

    @pytest.mark.parametrize(("width", "tolerance"), [(1, 300), (3, 2), (4, 2)])
    def test_other_widths_are_read_too(self, width: int, tolerance: int, tmp_path: Path) -> None:
        """8 bits are unsigned in WAV, 24 and 32 signed."""
        samples = TONE.astype("<i4") << 16
        octets = samples.tobytes() if width == 4 else samples.view("u1").reshape(-1, 4)[:, 4 - width :].tobytes()
        if width == 1:
            octets = bytes((octet + 128) & 0xFF for octet in octets)
        loaded = Audio.load(write_wave(tmp_path / "a.wav", octets, width=width)).pcm
        assert np.abs(loaded - TONE.astype(int)).max() <= tolerance

    @pytest.mark.parametrize(
        ("name", "codec_name", "sample_format"),
        [("f.wav", "pcm_f32le", "flt"), ("a.flac", "flac", "s16"), ("u.au", "pcm_s16be", "s16")],
    )
    def test_what_ffmpeg_knows_is_read_too(
        self, name: str, codec_name: str, sample_format: str, tmp_path: Path
    ) -> None:
        """Float WAV, FLAC, Sun audio."""
        loaded = Audio.load(write_by_ffmpeg(tmp_path / name, codec_name, sample_format)).pcm
        assert np.abs(loaded - TONE.astype(int)).max() <= 1

    def test_bare_g711_is_known_by_its_name(self, tmp_path: Path) -> None:
        """As telephone systems keep their prompts: one octet a sample, no header."""
        for name, suffix in (("PCMU", "ulaw"), ("PCMA", "al")):
            (tmp_path / f"a.{suffix}").write_bytes(codec(name).encode(TONE))
            assert tone_present(Audio.load(tmp_path / f"a.{suffix}").pcm, 440.0, 8000)


class TestRefusal:
    """The message says which file it is, and what to do."""

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        """The first mistake that anybody makes."""
        with pytest.raises(AudioError, match=r"none\.wav: no such file; give"):
            Audio.load(tmp_path / "none.wav")

    def test_a_folder_is_no_file(self, tmp_path: Path) -> None:
        """It exists, so "no such file" would mislead."""
        with pytest.raises(AudioError, match="not a file"):
            Audio.load(tmp_path)

    @pytest.mark.parametrize(
        "content", [b"", b"hello, world\n" * 50, b"RIFF\xff\xff\xff\xffWAVE", bytes(range(256)) * 9, b"RIFF"]
    )
    def test_what_is_no_sound_is_told(self, content: bytes, tmp_path: Path) -> None:
        """And what would be."""
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(AudioError, match=r"give a WAV, MP3, Ogg or FLAC|holds no sound"):
            Audio.load(tmp_path / "a.wav")

    def test_a_file_without_a_sample_is_told(self, tmp_path: Path) -> None:
        """A prompt that says nothing is a mistake that nobody would hear."""
        with pytest.raises(AudioError, match="holds no sound"):
            Audio.load(write_wave(tmp_path / "a.wav", b""))

    def test_a_wave_file_without_a_rate_is_told(self, tmp_path: Path) -> None:
        """0 samples a second."""
        octets = bytearray(write_wave(tmp_path / "a.wav", TONE.tobytes()).read_bytes())
        octets[24:28] = bytes(4)
        (tmp_path / "a.wav").write_bytes(octets)
        with pytest.raises(AudioError):
            Audio.load(tmp_path / "a.wav")

    def test_a_file_that_cannot_be_read_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The system's own words, with the name of the file."""
        write_wave(tmp_path / "a.wav", TONE.tobytes())
        monkeypatch.setattr(
            audio.wave, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
        )
        with pytest.raises(AudioError, match=r"a\.wav cannot be read: Permission denied"):
            Audio.load(tmp_path / "a.wav")

    def test_a_playlist_cannot_make_us_open_what_it_names(self, tmp_path: Path) -> None:
        """FFmpeg would follow it to files and addresses of a stranger's choice."""
        write_wave(tmp_path / "secret.wav", TONE.tobytes())
        for body in ("#EXTM3U\n#EXTINF:10,\nsecret.wav\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile secret.wav\n"):
            (tmp_path / "list.wav").write_text(body)
            with pytest.raises(AudioError):
                Audio.load(tmp_path / "list.wav")

    @pytest.mark.parametrize("name", ["long.wav", "long.ulaw"])
    def test_a_file_longer_than_an_hour_is_refused_before_it_is_read(self, name: str, tmp_path: Path) -> None:
        """One sample too many; the file has holes, so that it costs no disk. An hour to the sample would pass."""
        path = write_wave(tmp_path / name, b"") if name.endswith("wav") else tmp_path / name
        width = 2 if name.endswith("wav") else 1
        octets = 44 * (width == 2) + width * (3_600 * 8_000 + 1)
        with path.open("ab") as file:
            file.truncate(octets)
        if width == 2:
            with path.open("r+b") as file:
                file.seek(40)
                file.write(struct.pack("<I", 0xFFFFFFFF))
        with pytest.raises(AudioError, match=r"too long.*cut it"):
            Audio.load(path)

    @pytest.mark.parametrize(("limit", "value"), [("MAX_FILE_SECONDS", 0.49), ("MAX_FILE_SAMPLES", 3_999)])
    def test_both_limits_hold_for_ffmpeg_too(
        self, limit: str, value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the length that the container tells, and by what really comes."""
        path = write_by_ffmpeg(tmp_path / "a.flac", "flac", "s16")
        assert 4000 == len(Audio.load(path))
        monkeypatch.setattr(audio, limit, value)
        with pytest.raises(AudioError, match="too long"):
            Audio.load(path)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpora are not here")
@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.[wou]*")), ids=lambda path: path.name)
def test_sounds_of_the_field_are_read(path: Path) -> None:
    """Prompts and voices of other projects: each is more than a second of sound."""
    sound = Audio.load(path)
    assert sound.duration >= 1.0
    assert -60 < sound.level < 0
