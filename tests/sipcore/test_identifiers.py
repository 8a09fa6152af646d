"""Branches, tags and Call-IDs from injected dice."""

from __future__ import annotations

import random

from offhook.sipcore.fields import MAX_CSEQ
from offhook.sipcore.grammar import CALL_ID, is_token
from offhook.sipcore.identifiers import Identifiers


class _Highest:
    """Dice that always show their highest side."""

    def getrandbits(self, k: int, /) -> int:
        return 2**k - 1

    def random(self) -> float:
        return 0.0


def test_the_same_seed_gives_the_same_call() -> None:
    """A whole call can be replayed to the octet."""
    one, other = Identifiers(random.Random(7)), Identifiers(random.Random(7))
    assert [one.branch(), one.tag(), one.call_id(), one.cseq()] == [
        other.branch(),
        other.tag(),
        other.call_id(),
        other.cseq(),
    ]


def test_a_branch_begins_with_the_magic_cookie() -> None:
    """RFC 3261 8.1.1.7."""
    assert "z9hG4bK" + "f" * 20 == Identifiers(_Highest()).branch()


def test_names_are_tokens_of_one_length() -> None:
    """Tags have 64 bits (19.3 asks for 32), Call-IDs 96; zeros in front are written."""
    names = Identifiers(random.Random(1))
    assert {(True, 16)} == {(is_token(tag), len(tag)) for tag in [names.tag() for _ in range(100)]}
    assert {(True, 24)} == {
        (CALL_ID.fullmatch(name) is not None, len(name)) for name in [names.call_id() for _ in range(100)]
    }


def test_a_first_sequence_number_leaves_room() -> None:
    """8.1.1.5: below 2**31, and after ours two billion requests fit into the dialog."""
    assert 2**15 == Identifiers(_Highest()).cseq()
    assert MAX_CSEQ > 2**16


def test_a_session_id_fits_64_bits_with_a_sign() -> None:
    """RFC 8866 section 5.2 counts versions up from there."""
    assert 2**62 - 1 == Identifiers(_Highest()).session_id()


def test_names_do_not_collide() -> None:
    """A thousand of each from one source are a thousand."""
    names = Identifiers(random.Random(3))
    assert 1_000 == len({names.branch() for _ in range(1_000)})
