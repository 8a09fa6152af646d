"""What a stream plays to and from: the one thing that a user of the engine writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from offhook.rtp.jitter_buffer import Gap
    from offhook.rtp.session import Playout, Received

    from .events import PlayerEvent


class Player(Protocol):
    """Called by the engine, in the event loop, and expected back within microseconds: all streams share its tick.

    All instants are monotonic seconds. A method that raises ends its own stream and no other.
    """

    def next_frame(self, now: float, /) -> tuple[int, bytes] | None:
        """The payload type and the payload of the next frame, one packet time of it; None = silence, nothing is sent."""

    def sent(self, data: bytes, instant: float, /) -> None:
        """An RTP datagram left at this instant."""

    def arrived(self, received: Received, instant: float, /) -> None:
        """A packet of audio was accepted; it came at this instant, as the kernel saw it."""

    def play(self, item: Playout | Gap, /) -> None:
        """The jitter buffer gave out what is to be heard now: a packet, or a gap to be concealed."""

    def told(self, event: PlayerEvent, /) -> None:
        """Something happened to the stream."""
