"""Options that several commands share, and how their texts are read: what is wrong is told before anything begins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from offhook.media import SPOKEN
from offhook.simulator.script import KEYS, MAX_KEYS

CodecOption = Annotated[
    list[str] | None,
    typer.Option("--codec", "-c", help="Codec to offer, most preferred first; may be repeated: PCMU, PCMA."),
]
PublicAddressOption = Annotated[
    str | None,
    typer.Option("--public-address", help="Host that signalling and media are reached at, behind a NAT."),
]
HeaderOption = Annotated[
    list[str] | None,
    typer.Option("--header", "-H", help="Custom header of the INVITE, `Name: value`; may be repeated."),
]


def headers_of(texts: list[str] | None) -> tuple[tuple[str, str], ...]:
    """Read ``Name: value``.

    Raises:
        typer.BadParameter: no colon, or no name.
    """
    pairs = []
    for text in texts or ():
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise typer.BadParameter(f"{text!r} is no header; write 'X-Name: value'", param_hint="--header")
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)


def codecs_of(names: list[str] | None) -> tuple[str, ...]:
    """The names asked for, or all that are spoken.

    Raises:
        typer.BadParameter: a codec that is not spoken here.
    """
    wanted = tuple(name.upper() for name in names) if names else tuple(SPOKEN)
    for name in wanted:
        if name not in SPOKEN:
            raise typer.BadParameter(f"{name} is not spoken here; there are {', '.join(SPOKEN)}", param_hint="--codec")
    return wanted


def keys_of(text: str) -> str:
    """Keys to press.

    Raises:
        typer.BadParameter: one that no telephone has, or too many.
    """
    keys = text.upper()
    if not set(keys) <= set(KEYS) or len(keys) > MAX_KEYS:
        raise typer.BadParameter(f"{text!r}: at most {MAX_KEYS} keys of {KEYS}", param_hint="--dtmf")
    return keys


def ports_of(text: str | None) -> range | None:
    """A range of RTP ports, ``10000-20000``.

    Raises:
        typer.BadParameter: it is none.
    """
    if text is None:
        return None
    first, dash, last = text.partition("-")
    if not (dash and _is_port(first) and _is_port(last) and int(first) < int(last)):
        raise typer.BadParameter(f"{text!r} is no range of ports; write 10000-20000", param_hint="--rtp-ports")
    return range(int(first), int(last) + 1)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535


def writable(path: Path | None, hint: str) -> Path | None:
    """A file that can be made.

    Raises:
        typer.BadParameter: its folder is not there, or it is a folder itself.
    """
    if path is not None and path.is_dir():
        raise typer.BadParameter(f"{path} is a folder", param_hint=hint)
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}", param_hint=hint)
    return path
