"""Which codecs there are, and how to get one by its name.

The table below is the whole truth: nothing registers itself by being imported. A codec without memory is made once and
handed out again and again; one with memory is made anew for each direction of each stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from .g711 import A_LAW, MU_LAW, PCMA, PCMU, ReferenceG711

if TYPE_CHECKING:
    from collections.abc import Callable

    from .base import AudioCodec

Implementation: TypeAlias = Literal["fast", "reference"]

_FACTORIES: dict[str, dict[Implementation, Callable[[], AudioCodec]]] = {
    "PCMU": {"fast": lambda: PCMU, "reference": lambda: ReferenceG711(MU_LAW)},
    "PCMA": {"fast": lambda: PCMA, "reference": lambda: ReferenceG711(A_LAW)},
}

AVAILABLE: tuple[str, ...] = tuple(_FACTORIES)
"""The encoding names that `codec` knows, as SDP writes them, in the order in which they are best offered."""


class UnknownCodec(ValueError):
    """There is no codec of this name, or no such implementation of it; the message lists what there is."""


def codec(name: str, implementation: Implementation = "fast") -> AudioCodec:
    """Hand out a codec for one direction of one stream.

    Args:
        name: The encoding name of SDP, in any case (RFC 4855 section 3: "case-insensitive").
        implementation: `fast` for work, `reference` to be read and compared with; their results are equal.

    Raises:
        UnknownCodec: No codec of this name or no such implementation.
    """
    factories = _FACTORIES.get(name.upper())
    if factories is None:
        raise UnknownCodec(f"no codec is named {name!r}; there are {', '.join(AVAILABLE)}")
    factory = factories.get(implementation)
    if factory is None:
        known = ", ".join(get_args(Implementation))
        raise UnknownCodec(f"no implementation is named {implementation!r}; there are {known}")
    return factory()
