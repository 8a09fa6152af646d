"""What the front door raises.

::

    OffhookError
    ├── CallFailed      a call of ours was not answered, or one to us could not be taken
    ├── CallOver        something was asked of a call that has ended
    └── AudioError      a file that is no sound, or sound of the wrong shape

Wrong arguments are ``ValueError``, as everywhere. What is asked of a call at the wrong time (an answer to a call of ours, sound
before there is media) is :class:`offhook.sipcore.InvalidState`. An address that cannot be called at all is told by the room
that knows: :class:`offhook.sipcore.MalformedMessage`, :class:`offhook.sipcore.UnknownHost`, :class:`offhook.rtp.aio.NoPortsLeft`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .sipcore.message import Message, Response

MAX_CAUSE: Final = 127  # ITU-T Q.850 table 1: the cause value has seven bits


class OffhookError(Exception):
    """The root of what Phone and Call raise by themselves."""


class CallFailed(OffhookError):
    """A call came to nothing.

    Attributes:
        status: the SIP status: as received, or 408 (no answer, or no ACK of ours), 487 (cancelled), 488 (no common codec),
            503 (transport, or no means left for another call), 500 (a fault of ours).
        reason: the phrase that came with it.
        response: the final response; None when none came.
    """

    def __init__(self, status: int, reason: str, response: Response | None = None) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status
        self.reason = reason
        self.response = response

    @property
    def q850(self) -> int | None:
        """The telephone network's cause (ITU-T Q.850) from a Reason header (RFC 3326), where one was sent."""
        return None if self.response is None else q850_cause(self.response)


class CallOver(OffhookError):
    """The call has ended; ``args[0]`` says by whose doing."""


class AudioError(OffhookError):
    """No sound could be made of what was given."""


def q850_cause(message: Message) -> int | None:
    """The first usable Q.850 cause among the Reason values of a message (RFC 3326 section 2); None where there is none.

    ``Reason = "Reason" HCOLON reason-value *(COMMA reason-value)``, and each ``protocol *(SEMI reason-params)``. The text of a
    value may hold both separators; it comes behind the cause in every message seen, so nothing is lost by not reading it.
    """
    for field in message.headers.get_all("Reason"):
        for value in field.split(","):
            protocol, *parameters = value.split(";")
            if protocol.strip().upper() == "Q.850":
                for parameter in parameters:
                    name, _, number = parameter.partition("=")
                    if name.strip().lower() == "cause" and (cause := _cause(number.strip())) is not None:
                        return cause
    return None


def _cause(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= 3
    return int(text) if is_number and int(text) <= MAX_CAUSE else None
