"""Custom headers as people write them: a mapping, or pairs in any iterable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Pairs = tuple[tuple[str, str], ...]
HeaderInput = Mapping[str, str] | Iterable[tuple[str, str]]


def pairs_of(headers: HeaderInput) -> Pairs:
    """The headers as pairs, in order.

    Raises:
        ValueError: something else than a mapping or pairs of texts; the message names it.
    """
    items: Iterable[object] = headers.items() if isinstance(headers, Mapping) else headers
    pairs = []
    for item in items:
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise ValueError(f'headers are a mapping or pairs, like {{"X-Name": "value"}}; this is none: {item!r}')
        name, value = item
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError(f"header {name!r}: a text is wanted, not {value!r}")  # noqa: TRY004 - wrong arguments are this
        pairs.append((name, value))
    return tuple(pairs)
