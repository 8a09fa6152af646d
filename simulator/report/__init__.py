"""One call as one page: a self-contained HTML file that a person opens, listens to and understands.

`render` takes plain values (`ReportData`) and gives the whole page as a string: the template `report.html.j2` with the
style sheet, the script, the recording and the result file inside. It loads nothing, so it works from a disk, in a mail
and in ten years. All that counts is in the HTML itself; the script adds the drawing of the voices, the player and the
tooltips.

Everything that came from outside is printed as text: Jinja escapes it, the script writes text nodes only, and the page's
own policy lets nothing run but our script (see `embedding`). Each list has a limit; what is left out is counted on the
page.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from . import units
from .data import (
    BargeIn,
    Check,
    Digit,
    Figure,
    Party,
    ReportData,
    StreamQuality,
    ToolCall,
    Turn,
    Verdict,
)
from .embedding import content_security_policy, script_json, shown, wav_data_uri
from .glossary import GLOSSARY
from .sequence import sequence
from .timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BargeIn",
    "Check",
    "Digit",
    "Figure",
    "Party",
    "ReportData",
    "StreamQuality",
    "ToolCall",
    "Turn",
    "Verdict",
    "render",
]

MAX_ROWS = 1_000
"""Rows of one table or list of the page: more than anybody reads, few enough for any browser."""

MAX_EMBEDDED_AUDIO_OCTETS = 32 * 1024 * 1024
"""Octets of sound inside the page: seventeen minutes of a call at 8,000 samples per second."""

MAX_RESULT_CHARACTERS = 8 * 1024 * 1024
"""Characters of the result file inside the page; a longer one lies beside it."""

_HERE = Path(__file__).parent


def render(report: ReportData) -> str:
    """The page of one call.

    Encode it as UTF-8, which it says it is.

    Raises:
        ValueError: an instant or a duration is NaN or infinite.
    """
    style, script = _source("report.css"), _source("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            policy=content_security_policy(style, script),
            # Files of ours, which the policy names by their hash: they must stand in the page to the octet.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            audio=_audio(report),
            timeline=timeline(report),
            ladder=sequence(report.messages, report.media),
            glossary=GLOSSARY,
            defined={term.name for term in GLOSSARY},
            result_json=report.result_json if len(report.result_json) <= MAX_RESULT_CHARACTERS else "",
        )
    )


@cache
def _source(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clock": units.clock,
        "milliseconds": units.milliseconds,
        "number": units.number,
        "percent": units.percent,
        "quantity": units.quantity,
        "script_json": script_json,
        "first": _first,
        "hidden": _hidden,
    }
    environment.globals |= {"difference": units.difference, "nothing": units.NOTHING}
    return environment


def _first(rows: Sequence[object]) -> Sequence[object]:
    """The rows that are shown."""
    return rows[:MAX_ROWS]


def _hidden(rows: Sequence[object]) -> int:
    """How many rows are not."""
    return max(0, len(rows) - MAX_ROWS)


def _audio(report: ReportData) -> Markup | None:
    """The recording for the player; None when there is none or it is too long to be carried along."""
    audio = report.audio
    if audio is None or not len(audio) or audio.nbytes > MAX_EMBEDDED_AUDIO_OCTETS:
        return None
    return wav_data_uri(audio, report.sample_rate)
