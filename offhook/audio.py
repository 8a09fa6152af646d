"""Sound as the front door takes it and gives it: samples with their rate.

:class:`Audio` reads 16-bit WAV by the standard library, the bare G.711 of telephone systems (``.ulaw``, ``.alaw``) by our own
codecs, and everything else that FFmpeg knows by PyAV. Inside it is one channel of int16 samples.

A file may come from anybody: what is too long is refused before it is read, and FFmpeg may open nothing but the file itself,
whatever a playlist in it asks for.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from .codecs import Pcm, codec, resample, rms_dbov
from .errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FILE_SECONDS: Final = 3_600  # an hour of sound is 58 MB at 8 kHz; longer files are refused, not cut
MAX_FILE_SAMPLES: Final = 3_600 * 48_000  # samples of one channel, 346 MB: the same hour at the rate of studios

_SUFFIXES: Final = {".ulaw": "PCMU", ".ul": "PCMU", ".alaw": "PCMA", ".al": "PCMA"}  # files without a header
_BLOCK: Final = 65_536  # sample frames of a WAV file that are mixed at a time


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """One channel of sound.

    Attributes:
        pcm: int16 samples, one-dimensional.
        sample_rate: samples per second.
    """

    pcm: Pcm
    sample_rate: int

    def __post_init__(self) -> None:
        if self.pcm.dtype != np.int16 or self.pcm.ndim != 1:
            raise AudioError(f"sound is a one-dimensional int16 array, not {self.pcm.ndim}-d {self.pcm.dtype}")
        if not 1_000 <= self.sample_rate <= 192_000:
            raise AudioError(f"not a sample rate: {self.sample_rate}")

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.pcm) / self.sample_rate

    @property
    def level(self) -> float:
        """Level in dB relative to overload; -127 is silence."""
        return rms_dbov(self.pcm)

    @classmethod
    def silence(cls, seconds: float, sample_rate: int = 8_000) -> Audio:
        """Nothing, for so long."""
        return cls(np.zeros(round(seconds * sample_rate), np.int16), sample_rate)

    @classmethod
    def load(cls, path: str | Path) -> Audio:
        """Read a sound file; several channels are mixed into one.

        Raises:
            AudioError: there is no such file, or it is not sound; the message says what to do.
        """
        path = Path(path)
        if not path.is_file():
            raise AudioError(
                f"{path}: {'not a file' if path.exists() else 'no such file'}; give the path of a sound file"
            )
        try:
            bare = _SUFFIXES.get(path.suffix.lower())
            return _load_bare(path, bare) if bare else _load_wave(path) or _load_any(path)
        except OSError as error:
            raise AudioError(f"{path} cannot be read: {error.strerror or error}") from error

    @classmethod
    def of(cls, source: Audio | str | Path) -> Audio:
        """``source`` itself, or the file that it names."""
        return source if isinstance(source, Audio) else cls.load(source)

    def save(self, path: str | Path) -> None:
        """Write a 16-bit mono WAV file."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.sample_rate)
            file.writeframes(self.pcm.astype("<i2").tobytes())

    def resampled(self, sample_rate: int) -> Audio:
        """The same sound at another rate."""
        if sample_rate == self.sample_rate:
            return self
        return Audio(resample(self.pcm, self.sample_rate, sample_rate), sample_rate)

    def __add__(self, other: Audio) -> Audio:
        """One after the other, at this one's rate."""
        return Audio(np.concatenate([self.pcm, other.resampled(self.sample_rate).pcm]), self.sample_rate)

    def __len__(self) -> int:
        return len(self.pcm)

    def __repr__(self) -> str:
        return f"<Audio {self.duration:.3f} s at {self.sample_rate} Hz, {self.level:.1f} dBov>"


def _load_bare(path: Path, name: str) -> Audio:
    """One octet is one sample, at 8,000 a second."""
    _refuse_long(path, path.stat().st_size, 8_000)
    return _sound(path, codec(name).decode(path.read_bytes()), 8_000)


def _load_wave(path: Path) -> Audio | None:
    """A 16-bit WAV file; None when it is anything else.

    The length in the header is believed only as far as the file goes: whoever streams a WAV file writes the largest number there.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, rate = file.getnchannels(), file.getframerate()
            if file.getsampwidth() != 2 or not rate:
                return None
            _refuse_long(path, min(file.getnframes(), path.stat().st_size // (2 * channels)), rate)
            blocks: list[Pcm] = []
            while octets := file.readframes(_BLOCK):
                whole = len(octets) - len(octets) % (2 * channels)  # a file that was cut off ends anywhere
                blocks.append(_mono(np.frombuffer(octets[:whole], "<i2").reshape(-1, channels)))
    except (wave.Error, EOFError):
        return None
    return _sound(path, np.concatenate(blocks) if blocks else np.zeros(0, np.int16), rate)


def _load_any(path: Path) -> Audio:
    import av  # noqa: PLC0415 - FFmpeg takes 0.2 s to load, and WAV files do without it

    pieces: list[Pcm] = []
    samples, rate = 0, 0
    try:
        # FFmpeg gets the open file and no way to open another: a playlist would lead it to whatever a stranger names.
        with path.open("rb") as file, av.open(file, "r", options={"protocol_whitelist": "none"}) as container:
            rate = container.streams.audio[0].rate
            if container.duration:
                _refuse_long(path, container.duration * rate // av.time_base, rate)
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    pieces.append(piece.to_ndarray().reshape(-1).astype(np.int16))
                    samples += len(pieces[-1])
                    _refuse_long(path, samples, rate)
    except (av.FFmpegError, IndexError, TypeError, ValueError) as error:
        raise AudioError(
            f"{path} is not a sound file that FFmpeg can read; give a WAV, MP3, Ogg or FLAC file,"
            f" or bare G.711 named .ulaw or .alaw"
        ) from error
    return _sound(path, np.concatenate(pieces) if pieces else np.zeros(0, np.int16), rate)


def _sound(path: Path, pcm: Pcm, rate: int) -> Audio:
    if not len(pcm):
        raise AudioError(f"{path} holds no sound; is it still being written?")
    return Audio(pcm, rate)


def _mono(samples: NDArray[np.int16]) -> Pcm:
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0], np.int16)
    mixed: Pcm = samples.mean(axis=1).round().astype(np.int16)
    return mixed


def _refuse_long(path: Path, samples: int, rate: int) -> None:
    if samples > MAX_FILE_SECONDS * rate or samples > MAX_FILE_SAMPLES:
        raise AudioError(
            f"{path} is too long: a sound of {samples / rate:.0f} s at {rate} Hz is more than {MAX_FILE_SECONDS} s,"
            f" or more than an hour at 48 kHz; cut it"
        )
