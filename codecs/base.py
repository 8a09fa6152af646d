"""What every audio codec answers to, and the one shape in which sound travels: `Pcm`.

Sound between the parts of Offhook is a one-dimensional numpy array of signed 16-bit samples, one channel, in the
machine's byte order. An encoded frame is `bytes`: the payload of one RTP packet, without its header. A codec turns one
into the other and knows nothing of packets, sequence numbers or payload types that were negotiated.

Two rates belong to each codec, because they are not always equal: `sample_rate` counts the samples that are coded,
`clock_rate` the ticks of the RTP timestamp. G.722 codes 16,000 samples a second on a clock of 8,000 ticks, a value
that "was erroneously assigned in RFC 1890 and must remain unchanged" (RFC 3551 section 4.5.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Pcm: TypeAlias = NDArray[np.int16]
"""Linear sound: int16 samples, one channel; one-dimensional unless a docstring says *batch* (frames x samples)."""

FRAME_SECONDS = 0.020  # the default packetization interval of RFC 3551 section 4.2


class AudioCodec(Protocol):
    """One direction of one stream: PCM to payloads, or payloads to PCM.

    A codec with memory (an adaptive predictor, a filter bank) serves a single direction of a single stream, so
    `codec()` makes a fresh object each time. A codec without memory is a `StatelessCodec` and may be shared by all.
    """

    @property
    def name(self) -> str:
        """The encoding name as SDP writes it (RFC 8866 section 6.6), in upper case."""

    @property
    def sample_rate(self) -> int:
        """Samples per second that are coded."""

    @property
    def clock_rate(self) -> int:
        """RTP timestamp ticks per second."""

    @property
    def frame_samples(self) -> int:
        """Samples in 20 ms."""

    @property
    def static_payload_type(self) -> int | None:
        """The payload type that RFC 3551 table 4 assigns, or None when one must be negotiated."""

    @property
    def silence(self) -> bytes:
        """20 ms of silence, encoded."""

    def encode(self, pcm: Pcm) -> bytes:
        """Encode samples, any number of them for a sample-by-sample codec, as the payload of one packet."""

    def decode(self, payload: bytes | memoryview) -> Pcm:
        """Decode one payload into a new array of samples."""


@runtime_checkable
class StatelessCodec(AudioCodec, Protocol):
    """A codec without memory: one object may serve any number of streams, and the frames of many at once."""

    def encode_batch(self, frames: Pcm) -> list[bytes]:
        """Encode a batch (frames x samples) into one payload per row."""

    def decode_batch(self, payloads: Sequence[bytes]) -> Pcm:
        """Decode payloads of one common length into a batch (frames x samples).

        Raises:
            ValueError: The payloads differ in length.
        """
