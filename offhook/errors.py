"""What the front door raises.

::

    OffhookError
    ├── CallFailed      a call of ours was not answered, or could not be placed
    ├── CallOver        something was asked of a call that has ended
    └── AudioError      a file that is no sound, or sound of the wrong shape

Wrong arguments are ``ValueError``, as everywhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .sipcore.message import Response

_Q850: Final = re.compile(r"Q\.850[^,]*?cause\s*=\s*(\d{1,3})", re.IGNORECASE)


class OffhookError(Exception):
    """The root of what Phone and Call raise by themselves."""


class CallFailed(OffhookError):
    """A call came to nothing.

    Attributes:
        status: the SIP status: as received, or 408 (no answer), 487 (cancelled), 488 (no common codec), 503 (transport).
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
        value = self.response.headers.get("Reason") if self.response is not None else None
        found = _Q850.search(value or "")
        return int(found[1]) if found else None


class CallOver(OffhookError):
    """The call has ended; ``args[0]`` says by whose doing."""


class AudioError(OffhookError):
    """No sound could be made of what was given."""
