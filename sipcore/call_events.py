"""What a session tells its user, in the past tense. Each is delivered once, in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .message import Request, Response


class EndedBy(StrEnum):
    """Whose doing the end of a call was."""

    LOCAL = "we hung up"
    REMOTE = "the peer hung up"
    NO_ACK = "the peer never acknowledged our answer (RFC 3261 13.3.1.4)"
    PEER_LOST = "the peer answered a request inside the call with 408 or 481, or not at all (RFC 3261 12.2.1.2)"


@dataclass(frozen=True, slots=True)
class CallProgressed:
    """A provisional response other than 100 came: the callee rings, or sends early media."""

    response: Response


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """The callee accepted; the ACK is on its way."""

    response: Response


@dataclass(frozen=True, slots=True)
class InviteFailed:
    """The INVITE came to nothing: ours was refused, or we left one unanswered."""

    status: int
    "As received, or what RFC 3261 says it amounts to: 408 no answer at all, 487 cancelled, 503 transport failure."
    reason: str
    response: Response | None
    "None when no final response came."


@dataclass(frozen=True, slots=True)
class CallConfirmed:
    """The caller acknowledged our answer; to a late offer its ACK bears the answer."""

    ack: Request


@dataclass(frozen=True, slots=True)
class CallCancelled:
    """The caller gave up before we answered; 487 has been sent."""

    request: Request
    "The CANCEL, or the BYE inside the early dialog."


@dataclass(frozen=True, slots=True)
class SessionOffered:
    """A re-INVITE wants to change the session: answer it with ``accept_offer`` or ``refuse_offer``."""

    request: Request
    "Without a body it asks for an offer of ours."


@dataclass(frozen=True, slots=True)
class SessionAcknowledged:
    """The ACK of our answer to a re-INVITE came; when the re-INVITE asked for an offer, it bears the answer."""

    ack: Request


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call, once confirmed or answered, is over."""

    by: EndedBy
    request: Request | None
    "The BYE of the peer; None otherwise."


CallEvent = (
    CallProgressed
    | CallAnswered
    | InviteFailed
    | CallConfirmed
    | CallCancelled
    | SessionOffered
    | SessionAcknowledged
    | CallEnded
)
