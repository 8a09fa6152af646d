"""The folder of one call: everything that a person or a script may want to open afterwards."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import numpy as np

from offhook.ladder import LadderEntry, MediaSpan, draw

from .conversation import CAPTURE, LADDER, RECORDING, REPORT, RESULT
from .report import render
from .report.from_result import report_data

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from .result import Result


def write_artefacts(result: Result, folder: Path) -> Result:
    """Write ladder, result and report beside recording and capture; gives the result with the names of all files."""
    names = {"recording": RECORDING, "capture": CAPTURE, "ladder": LADDER, "report": REPORT}
    present = {kind: name for kind, name in names.items() if kind in {"ladder", "report"} or (folder / name).exists()}
    result = result.model_copy(update={"artefacts": present})
    result.save(folder / RESULT)
    (folder / LADDER).write_text(ladder_text(result), encoding="utf-8")
    audio, rate = _read_stereo(folder / RECORDING)
    (folder / REPORT).write_text(render(report_data(result, audio, rate)), encoding="utf-8")
    return result


def ladder_text(result: Result) -> str:
    """The SIP ladder with the media between, for a terminal."""
    entries = [
        LadderEntry(entry.instant_s, entry.source, entry.destination, entry.first_line, entry.text, entry.again)
        for entry in result.ladder
    ]
    spans: tuple[MediaSpan, ...] = ()
    if entries and result.call.duration_ms is not None:
        received = result.quality.received
        spans = (
            MediaSpan(
                0.0,
                result.call.duration_ms / 1000,
                entries[0].destination,
                entries[0].source,
                result.call.codec,
                received.received if received else None,
            ),
        )
    return draw(entries, spans) + "\n"


def _read_stereo(path: Path) -> tuple[NDArray[np.int16] | None, int]:
    if not path.exists():
        return None, 8_000
    with wave.open(str(path), "rb") as file:
        frames = file.readframes(file.getnframes())
        return np.frombuffer(frames, "<i2").reshape(-1, 2).astype(np.int16), file.getframerate()
