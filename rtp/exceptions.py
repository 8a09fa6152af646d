"""The errors of the RTP layer, one tree.

::

    RtpError
    ├── LocalError        our caller asked for something illegal (is a ValueError too)
    └── RemoteError       the peer broke the protocol
        └── MalformedPacket   bytes that RFC 3550 or RFC 4733 do not allow

Theory of operation: only the parsers raise a `RemoteError`. The machines above them (session, jitter buffer, source
policy) never raise because of what a peer sent: they drop, and count the drop under a `Drop` reason.
"""


class RtpError(Exception):
    """Anything that `offhook.rtp` raises on purpose."""


class LocalError(RtpError, ValueError):
    """Our caller asked for something that the protocol does not allow."""


class RemoteError(RtpError):
    """The peer sent something that the protocol does not allow."""


class MalformedPacket(RemoteError):
    """The bytes are not a packet of the kind that was expected; the text says where they go wrong."""
