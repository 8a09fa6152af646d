"""What a payload type means: codec name, clock rate, channels, parameters (RFC 8866 section 6.6, RFC 3551 section 6).

A payload type below 96 may have its meaning by the table of RFC 3551; `a=rtpmap` overrules the table; a dynamic one
without `a=rtpmap` means nothing and is passed over. Two descriptions speak of the same codec when name (in any case),
clock rate and channels are equal; the number is only a label, and each side has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from .fields import Attribute, number

if TYPE_CHECKING:
    from .description import MediaDescription

MAX_CLOCK_RATE_DIGITS = 7  # digits: 9,999,999 ticks per second; video has 90,000
MAX_CHANNELS_DIGITS = 3  # digits: nobody sends 1,000 channels
MAX_RTPMAP = 128  # characters of one a=rtpmap value: registered names have up to 30
MAX_CODECS_REMEMBERED = 1_024  # codecs: a peer has some 10, and thousands of calls have the same ones
DYNAMIC_PAYLOAD_TYPES = range(96, 128)  # RFC 3551 section 6
TELEPHONE_EVENT = "TELEPHONE-EVENT"
COMFORT_NOISE = "CN"

_COMPANIONS = frozenset((TELEPHONE_EVENT, COMFORT_NOISE, "RED"))


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of one description.

    `clock_rate` is in RTP ticks per second, which for G.722 is 8,000 although it codes 16,000 samples (RFC 3551 section
    4.5.2). `parameters` is the text of `a=fmtp`, unread. `key` is what is equal for the same codec in two descriptions:
    name in capitals, clock rate, channels. `is_companion`: it only goes along with speech, as telephone events, comfort
    noise and redundancy do.
    """

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: str | None = None
    key: tuple[str, int, int] = field(init=False, repr=False, compare=False)
    is_companion: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        name = self.name.upper()
        object.__setattr__(self, "key", (name, self.clock_rate, self.channels))
        object.__setattr__(self, "is_companion", name in _COMPANIONS)

    def attributes(self) -> tuple[Attribute, ...]:
        """`a=rtpmap` and, with parameters, `a=fmtp`."""
        return _attributes(self.payload_type, self.name, self.clock_rate, self.channels, self.parameters)


@lru_cache(MAX_CODECS_REMEMBERED)
def _attributes(
    payload_type: int, name: str, clock_rate: int, channels: int, parameters: str | None
) -> tuple[Attribute, ...]:
    suffix = f"/{channels}" if channels != 1 else ""
    rtpmap = Attribute("rtpmap", f"{payload_type} {name}/{clock_rate}{suffix}")
    if parameters is None:
        return (rtpmap,)
    return rtpmap, Attribute("fmtp", f"{payload_type} {parameters}")


STATIC_CODECS = {
    codec.payload_type: codec
    for codec in (
        # RFC 3551 section 6, table 4: payload type, encoding name, clock rate, channels
        Codec(0, "PCMU", 8_000),
        Codec(3, "GSM", 8_000),
        Codec(4, "G723", 8_000),
        Codec(5, "DVI4", 8_000),
        Codec(6, "DVI4", 16_000),
        Codec(7, "LPC", 8_000),
        Codec(8, "PCMA", 8_000),
        Codec(9, "G722", 8_000),
        Codec(10, "L16", 44_100, 2),
        Codec(11, "L16", 44_100, 1),
        Codec(12, "QCELP", 8_000),
        Codec(13, "CN", 8_000),
        Codec(14, "MPA", 90_000),
        Codec(15, "G728", 8_000),
        Codec(16, "DVI4", 11_025),
        Codec(17, "DVI4", 22_050),
        Codec(18, "G729", 8_000),
    )
}
"""The audio payload types whose meaning is fixed, by number."""


def codecs_of(media: MediaDescription) -> tuple[Codec, ...]:
    """The codecs of an audio stream in its own order, each payload type once; those without meaning are left out."""
    names: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for attribute in media.attributes:
        if attribute.name == "rtpmap" or attribute.name == "fmtp":  # noqa: PLR1714 - twice as fast as a look-up
            payload_type, _, rest = (attribute.value or "").strip().partition(" ")
            (names if attribute.name == "rtpmap" else parameters).setdefault(payload_type, rest)
    found = [_codec(text, names.get(text, ""), parameters.get(text)) for text in dict.fromkeys(media.formats)]
    return tuple([codec for codec in found if codec is not None])


def _codec(payload_type: str, rtpmap: str, parameters: str | None) -> Codec | None:
    """The meaning of one payload type; a broken `a=rtpmap` counts as none."""
    value = number(payload_type, 3)
    if value is None:
        return None
    if len(rtpmap) > MAX_RTPMAP:
        rtpmap = ""
    if parameters is not None and len(parameters) > MAX_RTPMAP:
        return _read_codec(value, rtpmap, parameters)
    return _known_codec(value, rtpmap, parameters)


def _read_codec(payload_type: int, rtpmap: str, parameters: str | None) -> Codec | None:
    name, _, rest = rtpmap.strip().partition("/")
    clock, slash, channel_text = rest.partition("/")
    clock_rate = number(clock, MAX_CLOCK_RATE_DIGITS)
    channels = number(channel_text, MAX_CHANNELS_DIGITS) if slash else 1
    parameters = None if parameters is None else parameters.strip()
    if name and name.isascii() and clock_rate and channels:
        return Codec(payload_type, name, clock_rate, channels, parameters)
    static = STATIC_CODECS.get(payload_type)
    if static is None or parameters is None:
        return static
    return Codec(payload_type, static.name, static.clock_rate, static.channels, parameters)


# Calls by the thousand describe the same few codecs; what is short enough to come again is read once.
_known_codec = lru_cache(MAX_CODECS_REMEMBERED)(_read_codec)
