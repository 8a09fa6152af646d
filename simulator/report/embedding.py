"""Puts foreign octets and strings into one HTML file so that they stay data.

The report is opened from a disk, where nobody sends headers, and much of its text was written by strangers. So it says
by itself what may run: a Content-Security-Policy that forbids everything but our own style sheet and script, each named
by its SHA-256 (CSP Level 3, 2.3.1), and data URIs for the sound. Whatever else would slip in, the browser refuses it.

JSON in a `<script>` element must not contain what HTML takes for its end, so the characters that HTML or JavaScript
could misread are written as escapes, which JSON allows in strings only, where alone they can occur.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import wave
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_TEXT_CHARACTERS = 20_000
"""Characters of one text that a page shows; a longer one is in the result file."""

# Control characters but tab and line feed, marks that reverse the reading direction, byte order mark, lone surrogates.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

_SCRIPT_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def content_security_policy(style: str, script: str) -> str:
    """The policy of a page with this one style sheet and this one script."""
    return (
        f"default-src 'none'; style-src '{_sha256(style)}'; script-src '{_sha256(script)}'; "
        "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
    )


def script_json(value: object) -> Markup:
    """A value as JSON that may stand in a `<script type="application/json">`.

    Raises:
        ValueError: it contains NaN or infinity, which JSON does not know.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_SCRIPT_ESCAPES))  # noqa: S704 - the line above is the escaping


def wav_data_uri(audio: NDArray[np.int16], sample_rate: int) -> Markup:
    """A recording as the address of itself.

    Args:
        audio: shape (samples, channels).
        sample_rate: samples per second.
    """
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(audio.shape[1])
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(audio.astype("<i2").tobytes())
    encoded = base64.b64encode(file.getvalue()).decode("ascii")
    return Markup("data:audio/wav;base64,") + encoded


def shown(value: object) -> object:
    """What the page makes of any value it prints: text is bounded, and what no font shows becomes an escape.

    Letters of all scripts stay, with their joiners and combining marks. Escaping for HTML comes after this, and is Jinja's.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = _UNSHOWABLE.sub(_escape, value[:MAX_TEXT_CHARACTERS].replace("\r\n", "\n"))
    hidden = len(value) - MAX_TEXT_CHARACTERS
    return text if hidden <= 0 else f"{text} … ({hidden:,} more characters)"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _sha256(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode("ascii")
