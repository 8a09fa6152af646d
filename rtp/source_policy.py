"""Which address may send us media, and where ours goes: symmetric RTP without open doors.

Theory of operation. The address that signalling gave is believed from its first packet on. A peer behind a NAT sends from
another one; such an address is believed only if, within five seconds from the start and while the signalled address is
silent, four packets in a row come from it, in sequence, of one SSRC and of an agreed payload type. Then media is sent there
too, and nobody else is listened to (against "RTP bleed" and injection). The signalled address alone may take its place
back, by the same proof; after that it stays there until signalling opens the question again with `reset`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .drops import Drop
from .events import Address, SourceChanged

if TYPE_CHECKING:
    from collections.abc import Container

PROOF_PACKETS = 4
"""Packets in a row from a new address before it is believed; as many may be injected at most."""
LEARNING_SECONDS = 5.0
"""After the start, or a reset, another address than the signalled one can be learned."""
MAX_CANDIDATES = 16
"""Addresses that are on probation at a time; a flood from more of them only renews the table."""


@dataclass(slots=True)
class _Proof:
    """How far an address has come."""

    ssrc: int
    sequence: int
    packets: int = 1


class SourcePolicy:
    """Judges the source of each packet.

    Args:
        signalled: host and port from the session description; None if there is none yet.
        accept_types: payload types that were agreed.
        now: monotonic seconds, from which the learning time runs.
    """

    __slots__ = ("_events", "_learn_until", "_proofs", "_signalled", "_trusted", "accept_types")

    def __init__(self, signalled: Address | None, accept_types: Container[int], now: float) -> None:
        self.accept_types = accept_types
        self._signalled = signalled
        self._trusted: Address | None = None  # whom we listen to, once somebody was believed
        self._learn_until = now + LEARNING_SECONDS
        self._proofs: dict[Address, _Proof] = {}  # the oldest first
        self._events: list[SourceChanged] = []

    def __repr__(self) -> str:
        return f"<SourcePolicy signalled {self._signalled}, trusted {self._trusted}>"

    @property
    def destination(self) -> Address | None:
        """Where our media is to be sent; None = not known yet."""
        return self._trusted or self._signalled

    def judge(self, source: Address, ssrc: int, sequence: int, payload_type: int, now: float) -> Drop | None:
        """Whether a packet may be used: None, or why not."""
        if source != self._trusted:
            reason = self._judge_newcomer(source, ssrc, sequence, payload_type, now)
            if reason is not None:
                return reason
        return None if payload_type in self.accept_types else Drop.PAYLOAD_TYPE

    def _judge_newcomer(self, source: Address, ssrc: int, sequence: int, payload_type: int, now: float) -> Drop | None:
        if source == self._signalled:
            if self._trusted is None:
                self._trust(source, now)
                return None
        elif self._trusted is not None or now > self._learn_until:
            return Drop.WRONG_SOURCE
        if payload_type not in self.accept_types or self._prove(source, ssrc, sequence) < PROOF_PACKETS:
            return Drop.UNPROVEN_SOURCE
        self._trust(source, now)
        return None

    def _prove(self, source: Address, ssrc: int, sequence: int) -> int:
        """Packets in a row that came from this address, with this one."""
        proof = self._proofs.get(source)
        if proof is not None and proof.ssrc == ssrc and (proof.sequence + 1) & 0xFFFF == sequence:
            proof.sequence = sequence
            proof.packets += 1
            return proof.packets
        if proof is None and len(self._proofs) >= MAX_CANDIDATES:
            del self._proofs[next(iter(self._proofs))]
        self._proofs[source] = _Proof(ssrc, sequence)
        return 1

    def _trust(self, source: Address, now: float) -> None:
        old = self.destination
        self._trusted = source
        self._proofs.clear()
        if source != old:
            self._events.append(SourceChanged(old, source, now))

    def relearn(self, now: float) -> None:
        """The call was answered: while nobody is believed yet, another address can be learned from now on.

        Early media may have been agreed on long before, and a callee behind a NAT that only rings sends nothing.
        """
        if self._trusted is None:
            self._learn_until = now + LEARNING_SECONDS

    def reset(self, signalled: Address | None, now: float) -> None:
        """Signalling named the peer's address anew (a re-INVITE); an unchanged one changes nothing."""
        if signalled == self._signalled:
            return
        self._signalled, self._trusted = signalled, None
        self._learn_until = now + LEARNING_SECONDS
        self._proofs.clear()

    def events(self) -> list[SourceChanged]:
        """The changes of address since the last call."""
        events, self._events = self._events, []
        return events
