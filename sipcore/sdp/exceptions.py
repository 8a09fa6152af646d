"""What may go wrong with a session description: it cannot be read, or it cannot be agreed with.

```
ValueError
└── MalformedDescription     400   the peer sent bytes that RFC 8866 section 9 does not allow
Exception
└── NotAcceptable            488   readable, but no call can come of it (RFC 3264 section 6); carries a Refusal
```

Both carry the SIP status that a server should answer with, and a sentence for the one who reads the log.
"""

from enum import StrEnum
from typing import ClassVar


class MalformedDescription(ValueError):
    """The octets are no session description, or one beyond our limits.

    Attributes:
        status: The SIP status that a request with such a body deserves.
        reason: What is wrong, as a sentence.
    """

    status: ClassVar[int] = 400

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refusal(StrEnum):
    """Why a stream is refused. The value is the sentence that is shown."""

    NOT_AUDIO = "the stream is not audio"
    DISABLED = "the peer set the stream's port to 0"
    FURTHER_AUDIO = "another audio stream is in use already"
    ENCRYPTED = "the stream asks for encryption and is never carried in plain"
    TRANSPORT = "the stream's transport is not RTP/AVP or RTP/AVPF"
    NO_CODEC = "the stream has no codec in common with us"
    NO_ADDRESS = "the stream has no address that media can be sent to"
    GROUP_ADDRESS = "the stream's address is multicast, broadcast or reserved"
    NO_STREAM = "the description has no audio stream"

    @property
    def warning(self) -> int:
        """The warn-code that tells the same to machines (RFC 3261 section 20.43)."""
        return _WARNINGS[self]


_WARNINGS = {
    Refusal.NOT_AUDIO: 304,  # media type not available
    Refusal.DISABLED: 304,
    Refusal.FURTHER_AUDIO: 304,
    Refusal.ENCRYPTED: 302,  # incompatible transport protocol
    Refusal.TRANSPORT: 302,
    Refusal.NO_CODEC: 305,  # incompatible media format
    Refusal.NO_ADDRESS: 301,  # incompatible network address formats
    Refusal.GROUP_ADDRESS: 330,  # multicast not available
    Refusal.NO_STREAM: 304,
}


class NotAcceptable(Exception):
    """The description can be read, but no audio stream of it can be used.

    Attributes:
        status: The SIP status for it, 488 Not Acceptable Here (RFC 3261 section 21.4.26).
        refusal: Which of our reasons it was.
        reason: The same as a sentence.
    """

    status: ClassVar[int] = 488

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.reason: str = refusal.value
