"""What can go wrong in signalling, and whose fault it is.

::

    SipError
    ├── LocalError             the caller asked for something that cannot be done
    │   ├── InvalidState       ... not in this state of the call
    │   └── (ValueError)       ... with a value that must not reach the wire
    └── RemoteError            the peer broke the protocol
        └── MalformedMessage   ... with octets that RFC 3261 section 25 does not allow

An ``AssertionError`` from this package is neither: then Offhook itself is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .message import Message


class SipError(Exception):
    """The root of all errors of the signalling core."""


class LocalError(SipError):
    """The caller asked for something illegal."""


class InvalidState(LocalError):
    """The call (or transaction) is not in a state that allows this."""


class RemoteError(SipError):
    """The peer broke the protocol."""


class MalformedMessage(RemoteError):
    """The peer sent octets that RFC 3261 section 25 does not allow.

    Attributes:
        status: the SIP status that a server should answer with (400, 413, 505, ...).
        reason: what is wrong, in a few words that fit a reason phrase.
        partial: what could be read before the fault, so that an answer can be built; None when nothing could.
    """

    def __init__(self, reason: str, status: int = 400, partial: Message | None = None) -> None:
        super().__init__(f"{status} {reason}")
        self.reason = reason
        self.status = status
        self.partial = partial
