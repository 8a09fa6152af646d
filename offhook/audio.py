"""Sound as the front door takes it and gives it: samples with their rate.

:class:`Audio` reads and writes WAV by the standard library and everything else that FFmpeg knows by PyAV. Inside it is one
channel of int16 samples.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .codecs import Pcm, resample, rms_dbov
from .errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FILE_SECONDS: Final = 3_600  # an hour of sound is 58 MB at 8 kHz; longer files are refused, not cut

Source = "Audio | str | Path"


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
            raise AudioError(f"{path}: no such file")
        try:
            return _load_wave(path)
        except (wave.Error, EOFError):
            return _load_any(path)

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


def _load_wave(path: Path) -> Audio:
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise wave.Error("not 16 bits")
        _refuse_long(path, file.getnframes() / file.getframerate())
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return Audio(_mono(samples.reshape(-1, file.getnchannels())), file.getframerate())


def _load_any(path: Path) -> Audio:
    import av  # noqa: PLC0415 - FFmpeg takes 0.2 s to load, and WAV files do without it

    pieces: list[NDArray[np.int16]] = []
    samples, rate = 0, 0
    try:
        with av.open(str(path)) as container:
            rate = container.streams.audio[0].rate
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
            for frame in container.decode(audio=0):
                for piece in resampler.resample(frame):
                    pieces.append(_samples_of(piece))
                    samples += len(pieces[-1])
                    _refuse_long(path, samples / rate)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise AudioError(
            f"{path} is not a sound file that FFmpeg can read; give a WAV, MP3, Ogg or FLAC file"
        ) from error
    if not pieces:
        raise AudioError(f"{path} holds no sound")
    return Audio(np.concatenate(pieces), rate)


def _samples_of(frame: Any) -> NDArray[np.int16]:
    array: NDArray[np.int16] = frame.to_ndarray().reshape(-1).astype(np.int16)
    return array


def _mono(samples: NDArray[np.int16]) -> Pcm:
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0], np.int16)
    mixed: Pcm = samples.mean(axis=1).round().astype(np.int16)
    return mixed


def _refuse_long(path: Path, seconds: float) -> None:
    if seconds > MAX_FILE_SECONDS:
        raise AudioError(f"{path} is longer than {MAX_FILE_SECONDS} s")
