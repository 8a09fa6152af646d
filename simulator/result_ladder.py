"""The ladder of a result: its SIP messages and its two streams, ready to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offhook.ladder import LadderEntry, MediaSpan, entry_from_message

if TYPE_CHECKING:
    from .result import Result


def ladder_entries(result: Result) -> tuple[LadderEntry, ...]:
    """The messages, each with the summary that its text deserves: ``200 OK (INVITE, SDP)``."""
    return tuple(
        entry_from_message(
            entry.text.encode("utf-8", "replace"), entry.instant_s, entry.source, entry.destination, again=entry.again
        )
        for entry in result.ladder
    )


def media_spans(result: Result) -> tuple[MediaSpan, ...]:
    """Both streams, between the hosts of the first message; empty when the call was never answered."""
    call, quality = result.call, result.quality
    if not result.ladder or call.duration_ms is None:
        return ()
    ours, theirs = result.ladder[0].source, result.ladder[0].destination
    end = call.duration_ms / 1000
    return (
        MediaSpan(0.0, end, ours, theirs, call.codec, quality.sent.expected if quality.sent is not None else None),
        MediaSpan(
            0.0, end, theirs, ours, call.codec, quality.received.received if quality.received is not None else None
        ),
    )
