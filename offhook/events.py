"""What :meth:`Call.events` tells, in the past tense; all instants are the event loop's monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import q850_cause

if TYPE_CHECKING:
    from .sipcore.message import Request, Response


@dataclass(frozen=True, slots=True)
class Ringing:
    """The callee was told of our call: 180, 183 or another provisional response."""

    status: int
    at: float
    response: Response


@dataclass(frozen=True, slots=True)
class Answered:
    """The call stands and media flows."""

    at: float
    codec: str
    "Encoding name of what we send."


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    """The peer pressed a key; told once a press."""

    digit: str
    duration: float
    "Seconds."
    at: float


@dataclass(frozen=True, slots=True)
class MediaStarted:
    """The first packet of the peer's sound came."""

    at: float
    source: tuple[str, int]


@dataclass(frozen=True, slots=True)
class MediaChanged:
    """The peer changed the session: put us on hold, took us back, moved its media elsewhere, took another codec."""

    direction: str
    "What we do from now on: ``sendrecv``, ``sendonly``, ``recvonly`` or ``inactive``."
    at: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over."""

    by: str
    "``local``, ``remote`` or ``failure``."
    reason: str
    at: float
    request: Request | None = None
    "The peer's BYE or CANCEL."

    @property
    def q850(self) -> int | None:
        """The telephone network's cause (ITU-T Q.850) from the Reason header of that request, where one was sent."""
        return None if self.request is None else q850_cause(self.request)


CallEvent = Ringing | Answered | DtmfReceived | MediaStarted | MediaChanged | Ended
