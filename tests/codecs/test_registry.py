"""Getting a codec by its name."""

import pytest

from offhook.codecs import AVAILABLE, FastG711, ReferenceG711, UnknownCodec, codec


@pytest.mark.parametrize(("name", "payload_type"), [("PCMU", 0), ("PCMA", 8)])
def test_g711_has_the_static_payload_types_and_rates_of_rfc_3551(name: str, payload_type: int) -> None:
    """RFC 3551 table 4: PCMU is 0, PCMA is 8, both at 8,000."""
    found = codec(name)
    facts = (found.name, found.static_payload_type, found.sample_rate, found.clock_rate)
    assert (name, payload_type, 8_000, 8_000) == facts


@pytest.mark.parametrize("name", ["PCMU", "pcmu", "PcmU"])
def test_a_name_may_be_written_in_any_case(name: str) -> None:
    """Encoding names "are case-insensitive" (RFC 4855 section 3)."""
    assert "PCMU" == codec(name).name


def test_a_codec_without_memory_is_shared() -> None:
    """Its tables exist once, whatever the number of calls."""
    assert codec("PCMA") is codec("PCMA")


@pytest.mark.parametrize("name", AVAILABLE)
def test_each_codec_comes_fast_and_as_a_reference(name: str) -> None:
    """The fast one is what you get without asking."""
    assert (FastG711, ReferenceG711) == (type(codec(name)), type(codec(name, implementation="reference")))


def test_an_unknown_name_is_refused_with_what_there_is() -> None:
    """The message is enough to correct the mistake."""
    with pytest.raises(UnknownCodec, match="no codec is named 'G999'; there are PCMU, PCMA"):
        codec("G999")


def test_an_unknown_implementation_is_refused_with_what_there_is() -> None:
    """As for names."""
    with pytest.raises(UnknownCodec, match="no implementation is named 'slow'; there are fast, reference"):
        codec("PCMU", "slow")  # type: ignore[arg-type]
