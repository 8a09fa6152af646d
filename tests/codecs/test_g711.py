"""G.711, proved three times: by an independent formula, by foreign data, by properties."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.codecs import FastG711, Pcm, ReferenceG711, pcma_to_pcmu, pcmu_to_pcma
from offhook.codecs.g711 import A_LAW, MU_LAW, PCMA, PCMU, Law

SWEEP = Path(__file__).parents[3] / "shared/corpora/g711/livekit-sweep"
EVERY_SAMPLE = np.arange(-32_768, 32_768).astype(np.int16)
EVERY_OCTET = bytes(range(256))
BOTH_LAWS = pytest.mark.parametrize("law", [MU_LAW, A_LAW], ids=lambda law: law.name)
BOTH = pytest.mark.parametrize("codec", [PCMU, PCMA, ReferenceG711(MU_LAW), ReferenceG711(A_LAW)], ids=repr)

samples = st.integers(-32_768, 32_767)


def pcm(*values: int) -> Pcm:
    """Samples, written out."""
    return np.array(values, dtype=np.int16)


def piecewise_outputs(law: Law) -> list[int]:
    """The output values of codes 0..127, walked step by step through the segments instead of shifted into place."""
    first_step, first_output, equal_segments = {"PCMU": (8, 0, 1), "PCMA": (16, 8, 2)}[law.name]
    outputs, step, output = [], first_step, first_output
    for segment in range(8):
        if segment >= equal_segments:
            output += step // 2  # the first step of twice the size has its middle half a small step further on
            step *= 2
        for _ in range(16):
            outputs.append(output)
            output += step
    return outputs


def signs_and_magnitudes(law: Law) -> list[int]:
    """What each of the 256 octets stands for, by G.711's tables 1 and 2."""
    upright = [octet ^ (0xFF if law is MU_LAW else 0xD5) for octet in EVERY_OCTET]
    outputs = piecewise_outputs(law)
    return [-outputs[code - 128] if code >= 128 else outputs[code] for code in upright]


class TestDecoding:
    """ITU-T G.711 tables 1a to 2b, columns of output values."""

    @BOTH_LAWS
    @pytest.mark.parametrize("implementation", [FastG711, ReferenceG711])
    def test_every_octet_has_the_output_value_of_the_standard(self, law: Law, implementation: type) -> None:
        """Walking the segments step by step gives the same 256 values."""
        assert signs_and_magnitudes(law) == implementation(law).decode(EVERY_OCTET).tolist()

    @pytest.mark.parametrize(
        ("codec", "octet", "expected"),
        [
            (PCMU, 0xFF, 0),
            (PCMU, 0x7F, 0),
            (PCMU, 0x80, 32_124),
            (PCMU, 0x00, -32_124),
            (PCMA, 0xD5, 8),
            (PCMA, 0x55, -8),
            (PCMA, 0xAA, 32_256),
            (PCMA, 0x2A, -32_256),
        ],
    )
    def test_known_octets_have_known_values(self, codec: FastG711, octet: int, expected: int) -> None:
        """Zero and the two ends, as every implementation has them."""
        assert [expected] == codec.decode(bytes([octet])).tolist()

    @BOTH
    @pytest.mark.parametrize("octets", [0, 1, 159, 160, 161, 1_500])
    def test_a_payload_of_any_length_is_decoded(self, codec: FastG711, octets: int) -> None:
        """One octet is one sample; nothing else can be wrong with a payload."""
        decoded = codec.decode(memoryview(bytes(octets)))
        assert (np.int16, (octets,)) == (decoded.dtype, decoded.shape)

    def test_the_decoded_frame_is_the_callers_own(self) -> None:
        """Writing into it changes neither the payload nor the tables."""
        PCMU.decode(b"\xff")[0] = 99
        assert [0] == PCMU.decode(b"\xff").tolist()


class TestEncoding:
    """The nearest output value of the 14-bit sample, as FFmpeg and LiveKit have it."""

    @BOTH_LAWS
    def test_every_sample_gets_the_nearest_output_value(self, law: Law) -> None:
        """All 65,536 inputs against a search through all 128 magnitudes; at a tie the louder one."""
        outputs = np.array(piecewise_outputs(law))[::-1]  # the louder first: argmin takes the first of equals
        coarse = np.floor(EVERY_SAMPLE / 4).astype(int)
        nearest = 127 - np.argmin(np.abs(4 * np.abs(coarse)[:, None] - outputs), axis=1)
        expected = (nearest + np.where(coarse < 0, 128, 0)) ^ (0xFF if law is MU_LAW else 0xD5)
        assert bytes(expected.tolist()) == FastG711(law).encode(EVERY_SAMPLE)

    @BOTH_LAWS
    def test_both_implementations_agree_on_every_sample(self, law: Law) -> None:
        """What is fast is what is readable."""
        assert ReferenceG711(law).encode(EVERY_SAMPLE) == FastG711(law).encode(EVERY_SAMPLE)

    @pytest.mark.parametrize(
        ("codec", "sample", "expected"),
        [
            (PCMU, 0, 0xFF),
            (PCMU, -1, 0x7E),
            (PCMU, 32_767, 0x80),
            (PCMU, -32_768, 0x00),
            (PCMA, 0, 0xD5),
            (PCMA, -1, 0x55),
            (PCMA, 32_767, 0xAA),
            (PCMA, -32_768, 0x2A),
        ],
    )
    def test_known_samples_have_known_octets(self, codec: FastG711, sample: int, expected: int) -> None:
        """Zero, just below it, and the two ends."""
        assert bytes([expected]) == codec.encode(pcm(sample))

    @BOTH
    def test_20_ms_of_silence_are_encoded_zeros(self, codec: FastG711) -> None:
        """0xFF in mu-law, 0xD5 in A-law."""
        assert codec.encode(np.zeros(160, np.int16)) == codec.silence
        assert {0xFF if codec.law is MU_LAW else 0xD5} == set(codec.silence)

    @BOTH
    def test_no_samples_make_no_octets(self, codec: FastG711) -> None:
        """Any length may be encoded, also none."""
        assert b"" == codec.encode(pcm())

    @BOTH
    def test_every_other_sample_of_a_frame_may_be_encoded(self, codec: FastG711) -> None:
        """A view that is not contiguous is as good as its copy."""
        assert codec.encode(EVERY_SAMPLE[::2].copy()) == codec.encode(EVERY_SAMPLE[::2])

    @BOTH
    @pytest.mark.parametrize("dtype", ["float64", "int32", "uint16", ">i2"])
    def test_what_is_not_16_bit_pcm_is_refused(self, codec: FastG711, dtype: str) -> None:
        """Samples of another kind would be looked up in a wrong place without a word."""
        with pytest.raises(TypeError, match="int16 samples, not"):
            codec.encode(np.zeros(160, dtype))  # type: ignore[arg-type]


class TestRoundTrips:
    """What a code loses and what it keeps."""

    def test_a_law_codes_survive_decoding_and_encoding(self) -> None:
        """A-law has no zero, so each of its values has one code only."""
        assert EVERY_OCTET == PCMA.encode(PCMA.decode(EVERY_OCTET))

    def test_mu_law_codes_survive_but_for_negative_zero(self) -> None:
        """Mu-law has two zeros; the negative one (0x7F) comes back as the positive one (0xFF)."""
        assert EVERY_OCTET.replace(b"\x7f", b"\xff") == PCMU.encode(PCMU.decode(EVERY_OCTET))

    @BOTH_LAWS
    @given(quieter=samples, louder=samples)
    def test_order_is_kept(self, law: Law, quieter: int, louder: int) -> None:
        """Decoding an encoded sample never puts two samples into the other order."""
        codec = FastG711(law)
        low, high = codec.decode(codec.encode(pcm(*sorted([quieter, louder])))).tolist()
        assert low <= high

    @BOTH_LAWS
    @given(sample=samples)
    def test_the_error_stays_within_the_steps_of_the_segment(self, law: Law, sample: int) -> None:
        """Half a step of the finer or the coarser segment at hand, and the two bits that were cut off."""
        codec, outputs = FastG711(law), piecewise_outputs(law)
        decoded = int(codec.decode(codec.encode(pcm(sample)))[0])
        place = outputs.index(abs(decoded))
        step = outputs[min(place + 1, 127)] - outputs[min(place, 126)]
        overload = max(abs(sample) - outputs[127], 0)
        assert abs(decoded - sample) <= max(step / 2 + 4, overload)

    @BOTH_LAWS
    def test_transcoding_equals_decoding_and_encoding(self, law: Law) -> None:
        """256 octets each way, without a way through samples."""
        here, there = (PCMU, PCMA) if law is MU_LAW else (PCMA, PCMU)
        translate = pcmu_to_pcma if law is MU_LAW else pcma_to_pcmu
        assert there.encode(here.decode(EVERY_OCTET)) == translate(EVERY_OCTET)


class TestBatches:
    """The frames of many streams at once."""

    @BOTH
    def test_a_batch_is_encoded_into_one_payload_per_row(self, codec: FastG711) -> None:
        """The same payloads as one by one."""
        frames = EVERY_SAMPLE[:1_600].reshape(10, 160)
        assert [codec.encode(frame) for frame in frames] == codec.encode_batch(frames)

    @BOTH
    def test_payloads_of_one_length_are_decoded_into_a_batch(self, codec: FastG711) -> None:
        """The same samples as one by one, as frames x samples."""
        payloads = [EVERY_OCTET[start : start + 64] for start in range(0, 256, 64)]
        expected = np.stack([codec.decode(payload) for payload in payloads])
        np.testing.assert_array_equal(expected, codec.decode_batch(payloads))

    @BOTH
    def test_an_empty_batch_is_empty_both_ways(self, codec: FastG711) -> None:
        """A tick on which nothing arrived is a batch of none."""
        assert (0, 0) == codec.decode_batch([]).shape
        assert [] == codec.encode_batch(codec.decode_batch([]))

    @BOTH
    def test_payloads_of_several_lengths_are_refused_as_a_batch(self, codec: FastG711) -> None:
        """An array has one width; the caller sorts by length."""
        with pytest.raises(ValueError, match=r"not of \[159, 160\] octets"):
            codec.decode_batch([bytes(160), bytes(159)])

    @BOTH
    def test_encoding_a_batch_as_a_whole_puts_its_rows_one_after_another(self, codec: FastG711) -> None:
        """So a batch for one stream needs no cutting."""
        frames = EVERY_SAMPLE[:640].reshape(4, 160)
        assert b"".join(codec.encode_batch(frames)) == codec.encode(frames)


@pytest.mark.skipif(not SWEEP.exists(), reason="the corpora are not here")
@pytest.mark.parametrize(("codec", "kind"), [(PCMU, "ulaw"), (PCMA, "alaw")], ids=["PCMU", "PCMA"])
class TestForeignData:
    """A full sweep of 16-bit samples as LiveKit encodes and decodes it."""

    def test_every_sample_is_encoded_as_livekit_does(self, codec: FastG711, kind: str) -> None:
        """65,536 samples."""
        sweep = np.frombuffer((SWEEP / "sweep.s16le").read_bytes(), "<i2").astype(np.int16)
        assert (SWEEP / f"sweep.{kind}").read_bytes() == codec.encode(sweep)

    def test_every_octet_is_decoded_as_livekit_does(self, codec: FastG711, kind: str) -> None:
        """All 256 codes occur in the sweep, but for mu-law's negative zero, which no encoder makes."""
        expected = np.frombuffer((SWEEP / f"sweep.{kind}.s16le").read_bytes(), "<i2")
        np.testing.assert_array_equal(expected, codec.decode((SWEEP / f"sweep.{kind}").read_bytes()))
