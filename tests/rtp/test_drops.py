"""The reasons for which something is put aside."""

from offhook.rtp import Drop


def test_every_reason_is_a_sentence_of_its_own() -> None:
    """Read after "the packet": what a person reads beside a count."""
    sentences = [str(drop) for drop in Drop]
    assert len(set(sentences)) == len(Drop)
    assert all(len(sentence.split()) >= 4 and not sentence.endswith(".") for sentence in sentences)
