"""How numbers are written on the page: always with their unit, never with more digits than they are good for.

Seconds come in. A latency goes out in whole milliseconds, since a frame of sound is 20 of them; a position in the call
goes out as a clock. What was not measured goes out as a dash.
"""

from __future__ import annotations

import math

NOTHING = "\u2013"
THIN_SPACE = "\u202f"
MINUS = "\u2212"


def number(value: float | None, digits: int = 0) -> str:
    """A number with groups of three digits and a true minus: 12 345.6."""
    if value is None or not math.isfinite(value):
        return NOTHING
    written = f"{abs(value):,.{digits}f}".replace(",", THIN_SPACE)
    negative = value < 0 and any(digit in "123456789" for digit in written)
    return MINUS + written if negative else written


def quantity(value: float | None, unit: str, digits: int = 0) -> str:
    """A number and its unit, which a line end cannot part."""
    written = number(value, digits)
    return f"{written}{THIN_SPACE}{unit}" if unit and written != NOTHING else written


def milliseconds(seconds: float | None, digits: int = 0) -> str:
    """A latency: 803 ms."""
    return quantity(None if seconds is None else seconds * 1_000, "ms", digits)


def difference(measured: float | None, truth: float | None) -> str:
    """An error with its sign, in milliseconds: +3 ms."""
    if measured is None or truth is None:
        return NOTHING
    written = milliseconds(measured - truth)
    return written if written.startswith((MINUS, "0", NOTHING)) else f"+{written}"


def clock(seconds: float | None) -> str:
    """A position in the call: 1:02.35."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    hundredths = round(abs(seconds) * 100)
    sign = MINUS if seconds < 0 and hundredths else ""
    minutes, rest = divmod(hundredths, 6_000)
    return f"{sign}{minutes}:{rest // 100:02d}.{rest % 100:02d}"


def percent(part: float, whole: float) -> str:
    """A share: 0.16 %; a dash when there is no whole."""
    return quantity(100 * part / whole, "%", 2) if whole else NOTHING
