"""The timers of RFC 3261 section 17 (table 4 of its appendix A) and RFC 6026, by their letters.

Machines hold no timer objects: they keep ``{Timer: deadline}`` and clear it when they leave a state, so that a forgotten
timer cannot exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Timer(StrEnum):
    """Each value is the RFC's own meaning of the letter; where two letters share a sentence, what tells them apart is added."""

    A = "INVITE request retransmit interval, for UDP only"
    B = "INVITE transaction timeout timer"
    D = "Wait time for response retransmits to an INVITE"
    E = "Non-INVITE request retransmit interval, UDP only"
    F = "Non-INVITE transaction timeout timer"
    G = "INVITE response retransmit interval"
    H = "Wait time for ACK receipt"
    I = "Wait time for ACK retransmits"  # noqa: E741 - the RFC's letter
    J = "Wait time for non-INVITE request retransmits"
    K = "Wait time for response retransmits to any other request"
    L = "Wait time for accepted INVITE request retransmits"  # RFC 6026
    M = "Wait time for retransmission of 2xx to INVITE or additional 2xx from other branches"  # RFC 6026
    TRYING = "100 (Trying) when the transaction user says nothing for 200 ms"  # RFC 3261 17.2.1


@dataclass(frozen=True, slots=True)
class Timers:
    """The base values, in seconds (RFC 3261 section 17.1.1.1); all others are derived."""

    t1: float = 0.5
    "Round-trip time estimate."
    t2: float = 4.0
    "The longest interval between retransmissions of non-INVITE requests and INVITE responses."
    t4: float = 5.0
    "The longest time that a message stays in the network."
    d: float = 32.0
    "Timer D: at least 32 s over an unreliable transport."

    @property
    def timeout(self) -> float:
        """64·T1: timers B, F, H, J, L and M."""
        return 64 * self.t1
