"""How good a call is, as measured at our end: counts of the stream, and the E-model's opinion of them.

The delay that enters the score is what we know of it: half the round trip that RTCP measured (0 while it measured none), the
jitter buffer's delay and one packet. Late packets count as lost, because the listener never hears them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .rtp import Quality, assess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .media import Media


@dataclass(frozen=True, slots=True)
class CallQuality:
    """Figures of the stream that we receive, and the peer's report on ours."""

    codec: str
    received: int
    "Packets of sound that came, duplicates included."
    expected: int
    "Packets that the peer sent, by its sequence numbers."
    lost: int
    late: int
    "Came, but after their playout time."
    duplicates: int
    reordered: int
    concealed: int
    "Frames that were missing when they were due, and were made up for whoever listened."
    loss: float | None
    "Lost of expected, 0 to 1; None while nothing was received."
    jitter: float | None
    "RFC 3550 interarrival jitter now, seconds; None while nothing was received."
    max_jitter: float | None
    buffer_delay: float
    "What the jitter buffer adds now, seconds."
    round_trip: float | None
    "By RTCP, seconds; None while no report came."
    sent: int
    "Packets that we sent."
    skipped: int
    "Frames that we left out, because our own process was too late for them; their absence is no fault of the network."
    remote_loss: float | None
    "What the peer's last report says that it lost of our packets lately, 0 to 1."
    drops: Mapping[str, int]
    "Datagrams that were put aside or lost on our side, by reason; a full receive queue looks like loss of the network."
    score: Quality | None
    "E-model with every input; None while nothing was received."

    @property
    def mos_cqe(self) -> float | None:
        """Estimated conversational quality, 1 to 4.5."""
        return self.score.mos_cqe if self.score is not None else None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        if self.score is None or self.loss is None or self.jitter is None or self.max_jitter is None:
            return f"no sound was received; {self.sent} packets sent"
        return (
            f"{self.codec}: loss {self.loss:.2%} (n={self.expected}), late {self.late}, jitter {self.jitter * 1000:.1f} ms"
            f" (max {self.max_jitter * 1000:.1f}), mos_cqe {self.score.mos_cqe:.2f}; {self.sent} packets sent"
            f"{f', {self.skipped} skipped' if self.skipped else ''}"
        )


def measure(media: Media) -> CallQuality:
    """Read the figures of a call's media; reading changes nothing."""
    stats = media.stats()
    drops: dict[str, int] = {str(reason): count for reason, count in stats.drops.items()}
    drops.update({str(reason): count for reason, count in media.socket_drops().items()})
    received, buffer = stats.received, stats.jitter_buffer
    score = None
    if received.expected:
        delay = (stats.round_trip or 0.0) / 2 + buffer.delay + media.ptime
        score = assess(
            media.agreed.codec.name, expected=received.expected, lost=received.lost, late=buffer.late, delay=delay
        )
    return CallQuality(
        codec=media.agreed.codec.name,
        received=received.packets,
        expected=received.expected,
        lost=received.lost,
        late=buffer.late,
        duplicates=received.duplicates,
        reordered=received.reordered,
        concealed=media.incoming.concealed,
        loss=received.loss_fraction if received.expected else None,
        jitter=received.jitter if received.expected else None,
        max_jitter=received.max_jitter if received.expected else None,
        buffer_delay=buffer.delay,
        round_trip=stats.round_trip,
        sent=stats.sent_packets,
        skipped=media.skipped,
        remote_loss=stats.remote.fraction_lost if stats.remote is not None else None,
        drops=drops,
        score=score,
    )
