"""The front of the room."""

from offhook import codecs


def test_the_public_names_are_sorted_and_there() -> None:
    """Constants, then classes, then functions, each by the alphabet, as the linter sorts them."""
    assert len(set(codecs.__all__)) == len(codecs.__all__)
    assert [] == [name for name in codecs.__all__ if not hasattr(codecs, name)]
