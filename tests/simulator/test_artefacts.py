"""The folder of a call holds what its result says it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from offhook.rtp import StereoTimeline
from offhook.simulator.artefacts import ladder_text, write_artefacts
from offhook.simulator.result import CallFacts, EndReason, LadderEntry, QualityBothWays, Result, StreamQuality

if TYPE_CHECKING:
    from pathlib import Path


def result(*, answered: bool = True) -> Result:
    """Of a short call."""
    facts = CallFacts(
        uri="sip:a@b",
        result_id="42",
        codec="PCMU",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        duration_ms=2_000.0 if answered else None,
        end_reason=EndReason.COMPLETED if answered else EndReason.REJECTED,
    )
    lines = [("INVITE sip:a@b SIP/2.0", "us:1", "them:2"), ("SIP/2.0 200 OK", "them:2", "us:1")]
    ladder = [
        LadderEntry(instant_s=i - 1.0, direction="sent", first_line=f, text=f"{f}\r\n\r\n", source=s, destination=d)
        for i, (f, s, d) in enumerate(lines)
    ]
    return Result(call=facts, ladder=ladder, quality=QualityBothWays(received=StreamQuality(expected=99, received=97)))


def test_a_call_without_media_has_ladder_result_and_report(tmp_path: Path) -> None:
    """And no names of files that are not there."""
    written = write_artefacts(result(answered=False), tmp_path)
    assert {"ladder": "ladder.txt", "report": "report.html"} == written.artefacts
    assert {"ladder.txt", "report.html", "result.json"} == {path.name for path in tmp_path.iterdir()}


def test_what_is_there_is_named(tmp_path: Path) -> None:
    """Recording and capture were written while the call lasted; the saved result names them."""
    with (tmp_path / "recording.wav").open("w+b") as file:
        timeline = StereoTimeline(8_000, 0.0, file)
        timeline.add_left(np.ones(160, np.int16), 0.0)
        timeline.close()
    (tmp_path / "call.pcap").write_bytes(b"")
    written = write_artefacts(result(), tmp_path)
    assert {"recording", "capture", "ladder", "report"} == set(written.artefacts)
    assert written == Result.load(tmp_path / "result.json")
    assert "data:audio/wav" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_ladder_shows_the_media_between_the_messages() -> None:
    """With the packets that came; not for a call without media."""
    assert "PCMU" in ladder_text(result())
    assert "97" in ladder_text(result())
    assert "PCMU" not in ladder_text(result(answered=False))
