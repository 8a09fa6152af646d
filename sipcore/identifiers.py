"""Branches, tags and Call-IDs from one injected source of dice.

Production passes :class:`secrets.SystemRandom` (RFC 3261 19.3: tags "MUST be globally unique and cryptographically random
with at least 32 bits of randomness"), tests and seeded runs a ``random.Random``: a whole call is then the same to the octet.
"""

from __future__ import annotations

from typing import Protocol

from .fields import MAGIC_COOKIE


class Dice(Protocol):
    """The part of :class:`random.Random` that is used."""

    def getrandbits(self, k: int, /) -> int:
        """An integer of ``k`` random bits."""
        ...

    def random(self) -> float:
        """A float in [0, 1)."""
        ...


class Identifiers:
    """Makes the names that must not collide."""

    __slots__ = ("_dice",)

    def __init__(self, dice: Dice) -> None:
        self._dice = dice

    def branch(self) -> str:
        """A transaction's name: the magic cookie of RFC 3261 and 80 random bits."""
        return f"{MAGIC_COOKIE}{self._dice.getrandbits(80):020x}"

    def tag(self) -> str:
        """A tag of 64 random bits."""
        return f"{self._dice.getrandbits(64):016x}"

    def call_id(self) -> str:
        """A Call-ID of 96 random bits; no host name, which would tell more than the peer needs."""
        return f"{self._dice.getrandbits(96):024x}"

    def cseq(self) -> int:
        """A first sequence number, small enough never to reach 2**31 (section 8.1.1.5)."""
        return self._dice.getrandbits(15) + 1

    def session_id(self) -> int:
        """An SDP session id of 62 bits (RFC 8866 section 5.2)."""
        return self._dice.getrandbits(62)
