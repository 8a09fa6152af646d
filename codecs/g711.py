"""G.711 mu-law and A-law: eight bits a sample, 8,000 samples a second (ITU-T G.711; RFC 3551 section 4.5.14).

Both laws cut the range of a sample into a sign and eight *segments* of sixteen equal steps. From one segment to the next
the steps double, so quiet sound is kept finely and loud sound coarsely. A code is `sign | segment | step` (1, 3 and 4
bits), sent with some bits inverted so that silence does not look like a dead line: all of them in mu-law, every other
one in A-law.

*Decoding* is exact: G.711 gives one output value to each code (tables 1a/1b and 2a/2b, the columns "y"), and so do
`mu_law_output` and `a_law_output` from the segments.

*Encoding* differs among well-known implementations. The one obeyed here in all 65,536 inputs is FFmpeg's, which LiveKit
shares: the sample is cut to its upper 14 bits, rounding down, and the code whose output value is **nearest** wins; at
a tie, the louder one. The ITU's own software library (G.191 STL) makes another code of 964 of the 65,536 inputs in
either law, each time the neighbouring one. It follows the decision values of the tables, which where two segments meet
lie a little nearer to zero than halfway, and it cuts negative samples towards zero (as one's complement).

There are two implementations with equal results. `ReferenceG711` computes one sample at a time, to be read beside the
standard. `FastG711` looks up whole frames, or batches of them, in tables that are built at import from the same output
values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .base import FRAME_SECONDS, Pcm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

SAMPLE_RATE = 8_000  # samples per second (G.711 section 1); also the RTP clock (RFC 3551 table 4)
FRAME_SAMPLES = round(SAMPLE_RATE * FRAME_SECONDS)

_SIGN = 0x80
_STEPS = 16  # per segment
_MU_BIAS = 33  # makes the segments of mu-law begin at powers of two: 32 + 1 (in 14-bit units)
_MU_LARGEST = 0x1FFF  # 8,191: the biased magnitude that the last mu-law segment ends with


def mu_law_output(magnitude_code: int) -> int:
    """The positive output value, in 16-bit samples, of a mu-law code 0..127 before inversion (G.711 table 2a)."""
    segment, step = divmod(magnitude_code, _STEPS)
    return 4 * (((2 * step + _MU_BIAS) << segment) - _MU_BIAS)


def a_law_output(magnitude_code: int) -> int:
    """The positive output value, in 16-bit samples, of an A-law code 0..127 before inversion (G.711 table 1a)."""
    segment, step = divmod(magnitude_code, _STEPS)
    if segment == 0:  # the first two segments share one straight line
        return 8 * (2 * step + 1)
    return 8 * ((2 * step + 33) << (segment - 1))


def mu_law_segment(magnitude: int) -> int:
    """The code 0..127 by the decision values of G.711 table 2a; the magnitude is of 14-bit samples, 0..8192."""
    biased = min(magnitude + _MU_BIAS, _MU_LARGEST)
    segment = biased.bit_length() - 6
    return _STEPS * segment + ((biased >> (segment + 1)) & 0xF)


def a_law_segment(magnitude: int) -> int:
    """The code 0..127 by the decision values of G.711 table 1a; the magnitude is of 14-bit samples, 0..8192."""
    thirteen_bit = min(magnitude >> 1, 0xFFF)
    segment = max(thirteen_bit.bit_length() - 5, 0)
    return _STEPS * segment + ((thirteen_bit >> max(segment, 1)) & 0xF)


@dataclass(frozen=True, slots=True)
class Law:
    """One of the two laws: what G.711 and RFC 3551 say about it."""

    name: str
    static_payload_type: int
    inversion: int
    """The bits that are inverted on the wire."""
    output: Callable[[int], int]
    """Magnitude code to positive output value."""
    segment: Callable[[int], int]
    """14-bit magnitude to magnitude code, by the standard's decision values."""


# G.711 table 1a note 2: "The character signals are obtained by inverting the even bits"; in mu-law (table 2a) all of
# the magnitude's bits are. Both laws send a sign bit of one for a positive value.
MU_LAW = Law("PCMU", 0, 0xFF, mu_law_output, mu_law_segment)
A_LAW = Law("PCMA", 8, 0x55 | _SIGN, a_law_output, a_law_segment)


class _G711:
    """What the two implementations share: the facts of a law."""

    __slots__ = ("law", "name", "silence", "static_payload_type")

    sample_rate = SAMPLE_RATE
    clock_rate = SAMPLE_RATE
    frame_samples = FRAME_SAMPLES

    def __init__(self, law: Law) -> None:
        self.law = law
        self.name = law.name
        self.static_payload_type = law.static_payload_type
        self.silence = bytes([law.inversion]) * FRAME_SAMPLES  # plus zero: 0xFF in mu-law, 0xD5 in A-law

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class ReferenceG711(_G711):
    """G.711 in plain Python, one sample at a time: slow, to be read and to be compared with."""

    __slots__ = ()

    def encode_sample(self, sample: int) -> int:
        """Encode one 16-bit sample as an octet."""
        coarse = sample >> 2  # the 14 bits of mu-law; A-law needs only 13 of them
        magnitude = abs(coarse)
        code = self.law.segment(magnitude)
        # Where a segment begins, the last step of the finer segment below may be nearer.
        if code and self._is_nearer(code - 1, code, 4 * magnitude):
            code -= 1
        return (code | (_SIGN if coarse < 0 else 0)) ^ self.law.inversion

    def decode_sample(self, octet: int) -> int:
        """Decode one octet as a 16-bit sample."""
        code = octet ^ self.law.inversion
        output = self.law.output(code & ~_SIGN)
        return -output if code & _SIGN else output

    def encode(self, pcm: Pcm) -> bytes:
        """Encode samples, any number, one octet each."""
        return bytes(map(self.encode_sample, _checked(pcm).ravel().tolist()))

    def decode(self, payload: bytes | memoryview) -> Pcm:
        """Decode octets, any number, one sample each."""
        return np.array([self.decode_sample(octet) for octet in bytes(payload)], dtype=np.int16)

    def encode_batch(self, frames: Pcm) -> list[bytes]:
        """Encode a batch (frames x samples) into one payload per row."""
        return [self.encode(frame) for frame in frames]

    def decode_batch(self, payloads: Sequence[bytes]) -> Pcm:
        """Decode payloads of one common length into a batch (frames x samples)."""
        _common_length(payloads)
        return np.stack([self.decode(payload) for payload in payloads]) if payloads else _no_frames()

    def _is_nearer(self, quieter: int, louder: int, value: int) -> bool:
        return value - self.law.output(quieter) < self.law.output(louder) - value


class FastG711(_G711):
    """G.711 by tables: one numpy look-up for a frame, or for a batch of frames of many streams."""

    __slots__ = ("_octet_of", "_sample_of")

    def __init__(self, law: Law) -> None:
        super().__init__(law)
        self._sample_of = _decoding_table(law)
        self._octet_of = _encoding_table(law)

    def encode(self, pcm: Pcm) -> bytes:
        """Encode samples, any number, one octet each; a batch (frames x samples) gives its rows one after another."""
        # Negative indices would find the same octets, but guessing each sign costs half a microsecond a frame.
        return self._octet_of.take(_checked(pcm).view(np.uint16)).tobytes()

    def decode(self, payload: bytes | memoryview) -> Pcm:
        """Decode octets, any number, one sample each."""
        return self._sample_of.take(np.frombuffer(payload, np.uint8))

    def encode_batch(self, frames: Pcm) -> list[bytes]:
        """Encode a batch (frames x samples) into one payload per row: one look-up for all of them."""
        rows, length = frames.shape
        octets = self.encode(frames)
        return [octets[row * length : (row + 1) * length] for row in range(rows)]

    def decode_batch(self, payloads: Sequence[bytes]) -> Pcm:
        """Decode payloads of one common length into a batch (frames x samples): one look-up for all of them.

        Raises:
            ValueError: The payloads differ in length.
        """
        length = _common_length(payloads)
        return self.decode(b"".join(payloads)).reshape(len(payloads), length)


def pcmu_to_pcma(payload: bytes) -> bytes:
    """Turn mu-law octets into A-law octets, without a way through samples.

    Equal to decoding and encoding, which is not in every code the conversion of G.711 table 3.
    """
    return payload.translate(_PCMU_TO_PCMA)


def pcma_to_pcmu(payload: bytes) -> bytes:
    """Turn A-law octets into mu-law octets, without a way through samples.

    Equal to decoding and encoding, which is not in every code the conversion of G.711 table 4.
    """
    return payload.translate(_PCMA_TO_PCMU)


def _checked(pcm: Pcm) -> Pcm:
    """Refuse what would be looked up in a wrong place: floats, other widths, the other byte order."""
    if pcm.dtype != np.int16:
        raise TypeError(f"PCM is int16 samples, not {pcm.dtype}")
    return pcm


def _common_length(payloads: Sequence[bytes]) -> int:
    """The octets of each payload; 0 when there is none."""
    lengths = set(map(len, payloads))
    if len(lengths) > 1:
        raise ValueError(f"a batch needs payloads of one length, not of {sorted(lengths)} octets")
    return lengths.pop() if lengths else 0


def _no_frames() -> Pcm:
    return np.empty((0, 0), np.int16)


def _outputs(law: Law) -> NDArray[np.int64]:
    return np.array([law.output(code) for code in range(_SIGN)], dtype=np.int64)


def _decoding_table(law: Law) -> Pcm:
    """256 samples, indexed by the octet on the wire."""
    outputs = _outputs(law)
    samples = np.concatenate([outputs, -outputs])
    table: Pcm = samples[np.arange(256) ^ law.inversion].astype(np.int16)
    return table


def _encoding_table(law: Law) -> NDArray[np.uint8]:
    """65,536 octets, indexed by the sample's sixteen bits as an unsigned number."""
    outputs = _outputs(law)
    halfway = (outputs[:-1] + outputs[1:]) / 2
    coarse = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int64) >> 2
    codes = np.searchsorted(halfway, 4 * np.abs(coarse), side="right")
    codes[coarse < 0] |= _SIGN
    table: NDArray[np.uint8] = (codes ^ law.inversion).astype(np.uint8)
    return table


PCMU = FastG711(MU_LAW)
PCMA = FastG711(A_LAW)

_ALL_OCTETS = bytes(range(256))
_PCMU_TO_PCMA = PCMA.encode(PCMU.decode(_ALL_OCTETS))
_PCMA_TO_PCMU = PCMU.encode(PCMA.decode(_ALL_OCTETS))
