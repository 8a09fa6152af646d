"""The folder of one call: everything that a person or a script may want to open afterwards."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import numpy as np

from offhook.ladder import draw

from .conversation import CAPTURE, LADDER, RECORDING, REPORT, RESULT
from .report import render
from .report.from_result import report_data
from .result_ladder import ladder_entries, media_spans

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
    (folder / REPORT).write_text(
        render(report_data(result, audio, rate, result.recording_start_s or 0.0)), encoding="utf-8"
    )
    return result


def ladder_text(result: Result) -> str:
    """The SIP ladder with the media between, for a terminal."""
    return draw(ladder_entries(result), media_spans(result)) + "\n"


def _read_stereo(path: Path) -> tuple[NDArray[np.int16] | None, int]:
    if not path.exists():
        return None, 8_000
    with wave.open(str(path), "rb") as file:
        frames = file.readframes(file.getnframes())
        return np.frombuffer(frames, "<i2").reshape(-1, 2).astype(np.int16), file.getframerate()
