"""What the signalling core tells its user: facts, frozen and in the past tense.

A machine queues events while it takes an input; its user drains them with ``events()`` afterwards. An event says what
happened, never what to do about it.

The first group is what a transaction tells its transaction user (RFC 3261 section 17). A transaction ends with
:class:`TransactionTerminated` and with nothing else: what comes before it says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .message import Request, Response
    from .timers import Timer


class Event:
    """The root of all events, so that a queue of them has a type."""

    __slots__ = ()


# --- transactions (RFC 3261 section 17) ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResponseReceived(Event):
    """A response that the user has not seen yet came in (section 17.1)."""

    response: Response
    "As received; a 2xx to INVITE comes up each time it arrives, because its user acknowledges it (RFC 6026 section 7.2)."


@dataclass(frozen=True, slots=True)
class AckReceived(Event):
    """An ACK reached an INVITE server transaction that was answered with 2xx (RFC 6026 section 7.1)."""

    request: Request
    "The ACK, with the answer in its body where the 2xx made the offer."


@dataclass(frozen=True, slots=True)
class TransactionTimedOut(Event):
    """The peer said nothing for 64·T1 (sections 17.1.1.2, 17.1.2.2, 17.2.1)."""

    timer: Timer
    "B (no response to INVITE), F (no final response to another request) or H (no ACK)."


@dataclass(frozen=True, slots=True)
class TransportFailed(Event):
    """A message could not be sent (sections 17.1.4 and 17.2.4).

    A client transaction ends with it; a server transaction "MUST remain in the current state" (RFC 6026 section 8.8).
    """

    error: Exception
    "What the transport said."


@dataclass(frozen=True, slots=True)
class TransactionTerminated(Event):
    """The transaction is over and forgotten: nothing will come from it any more."""
