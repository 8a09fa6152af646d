"""The ladder of a result."""

from __future__ import annotations

from datetime import UTC, datetime

from offhook.simulator.result import CallFacts, EndReason, LadderEntry, QualityBothWays, Result, StreamQuality
from offhook.simulator.result_ladder import ladder_entries, media_spans

OURS, THEIRS = "127.0.0.1:5060", "127.0.0.1:5070"
RINGING = "SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"


def result(duration_ms: float | None = 2_000.0) -> Result:
    """One call with one message."""
    return Result(
        call=CallFacts(
            uri="sip:x@y", result_id="1", codec="PCMU", started_at=datetime.now(UTC), duration_ms=duration_ms,
            end_reason=EndReason.COMPLETED,
        ),
        quality=QualityBothWays(
            sent=StreamQuality(measured_by="peer", expected=99, received=99), received=StreamQuality(received=100)
        ),
        ladder=[
            LadderEntry(
                instant_s=-0.5, direction="sent", first_line="SIP/2.0 180 Ringing", text=RINGING, source=OURS,
                destination=THEIRS, again=True,
            )
        ],
    )  # fmt: skip


def test_a_message_is_summed_up_by_what_it_answers() -> None:
    """The status line alone does not say which request it belongs to; a repetition stays marked."""
    (entry,) = ladder_entries(result())
    assert ("180 Ringing (INVITE)", -0.5, True) == (entry.summary, entry.instant, entry.again)


def test_both_streams_are_drawn_with_their_packets() -> None:
    """What we sent as the peer counted it, what came as we did, from the answer to the end."""
    assert [(OURS, THEIRS, 99, 2.0), (THEIRS, OURS, 100, 2.0)] == [
        (span.source, span.destination, span.packets, span.end) for span in media_spans(result())
    ]


def test_a_call_that_was_never_answered_has_no_streams() -> None:
    """Nothing is drawn that was not there."""
    assert () == media_spans(result(duration_ms=None))
