"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from typing import Annotated

import typer

CodecOption = Annotated[
    list[str] | None,
    typer.Option("--codec", "-c", help="Codec to offer, most preferred first; may be repeated: PCMU, PCMA."),
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
    """The names asked for, or all that are spoken."""
    return tuple(name.upper() for name in names) if names else ("PCMU", "PCMA")
