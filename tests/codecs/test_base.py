"""The contract of codecs, held against the codecs there are."""

import pytest

from offhook.codecs import AVAILABLE, FRAME_SECONDS, StatelessCodec, codec


@pytest.mark.parametrize("name", AVAILABLE)
def test_a_frame_is_20_ms_long_in_samples_in_ticks_and_as_silence(name: str) -> None:
    """The default packetization interval is 20 ms (RFC 3551 section 4.2)."""
    a_codec = codec(name)
    assert a_codec.sample_rate * FRAME_SECONDS == a_codec.frame_samples
    assert a_codec.frame_samples == len(a_codec.decode(a_codec.silence))


@pytest.mark.parametrize("name", AVAILABLE)
def test_a_codec_without_memory_says_so(name: str) -> None:
    """An engine may ask whether it may share a codec and give it the frames of many streams at once."""
    assert isinstance(codec(name), StatelessCodec)
