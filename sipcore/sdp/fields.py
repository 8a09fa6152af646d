"""The lines of a session description that have parts: origin, connection, bandwidth, time, attribute (RFC 8866 section 5).

Each value reads the text behind its `x=` and writes it back. Reading has three outcomes: the value; `None` for a line
that says nothing we could use, which the description then keeps unread; `MalformedDescription` where guessing would
send media to the wrong place.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from .exceptions import MalformedDescription

MAX_SESSION_ID_DIGITS = 39  # digits: 128 bits; RFC 8866 5.2 thinks of 64, some session controllers do not
MAX_TIME_DIGITS = 20  # digits: 64 bits of NTP seconds
MAX_BANDWIDTH_DIGITS = 12  # digits: a terabit a second, in bits (b=TIAS)
MAX_PORT = 65_535  # of UDP: 16 bits
MAX_REMEMBERED = 64  # characters: longer attributes are keys and candidates, which never come again
MAX_LINES_REMEMBERED = 1_024  # lines of one kind: thousands of calls have the same few dozen


def number(text: str, digits: int) -> int | None:
    """The value of 1 to `digits` ASCII digits; None for anything else, decided before `int` has any work."""
    return int(text) if len(text) <= digits and text.isdecimal() and text.isascii() else None


@dataclass(frozen=True, slots=True)
class Attribute:
    """`a=<name>` or `a=<name>:<value>` (RFC 8866 section 5.13)."""

    name: str
    value: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text behind `a=`, whatever it is."""
        name, colon, value = text.partition(":")
        return cls(name, value if colon else None)

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}:{self.value}"


@dataclass(frozen=True, slots=True)
class Origin:
    """`o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>` (RFC 8866 section 5.2).

    Cameras leave the address out; then `address`, or `addrtype` too, is empty.
    """

    username: str
    session_id: int
    session_version: int
    nettype: str = "IN"
    addrtype: str = "IP4"
    address: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text behind `o=`; `MalformedDescription` where a field is missing or no number."""
        parts = text.split()
        if len(parts) > 6:  # some devices put their display name there, blanks and all
            parts[:-5] = [" ".join(parts[:-5])]
        elif len(parts) < 4:
            raise MalformedDescription("the origin has fewer fields than RFC 8866 section 5.2 asks for")
        session_id = number(parts[1], MAX_SESSION_ID_DIGITS)
        session_version = number(parts[2], MAX_SESSION_ID_DIGITS)
        if session_id is None or session_version is None:
            raise MalformedDescription("the origin's session id or version is no number")
        addrtype = parts[4] if len(parts) > 4 else ""
        address = parts[5] if len(parts) > 5 else ""
        return cls(parts[0], session_id, session_version, parts[3], addrtype, address)

    def __str__(self) -> str:
        head = f"{self.username} {self.session_id} {self.session_version} {self.nettype}"
        return f"{head} {self.addrtype} {self.address}".rstrip(" ")


@dataclass(frozen=True, slots=True)
class Connection:
    """`c=<nettype> <addrtype> <connection-address>` (RFC 8866 section 5.7).

    `ttl` (hops) and `count` (addresses) are the multicast suffixes of the address.
    """

    addrtype: str
    address: str
    ttl: int | None = None
    count: int = 1
    nettype: str = "IN"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read the text behind `c=`; None without an address; `MalformedDescription` with a broken one."""
        parts = text.split()
        if len(parts) < 3:
            return None
        nettype, addrtype, address = parts[:3]
        if len(parts) > 3:
            raise MalformedDescription("the connection line goes on behind its address")
        if "/" not in address:
            return cls(addrtype, address, None, 1, nettype)
        address, _, suffix = address.partition("/")
        numbers = [number(part, 3) for part in suffix.split("/")]
        if not address or len(numbers) > 2 or None in numbers:
            raise MalformedDescription("the connection address has a suffix that is neither a TTL nor a count")
        # RFC 8866 5.7: "IPv6 multicast does not use TTL scoping": a single suffix is the count there.
        ttl, count = numbers if len(numbers) == 2 else (None, *numbers) if addrtype == "IP6" else (*numbers, 1)
        return cls(addrtype, address, ttl, count or 1, nettype)

    def __str__(self) -> str:
        suffix = ""
        if self.ttl is not None:
            suffix = f"/{self.ttl}/{self.count}"
        elif self.count != 1:
            if self.addrtype != "IP6":
                raise ValueError("an IPv4 connection with several addresses needs a TTL (RFC 8866 section 5.7)")
            suffix = f"/{self.count}"
        return f"{self.nettype} {self.addrtype} {self.address}{suffix}"


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """`b=<bwtype>:<bandwidth>` (RFC 8866 section 5.8): kilobits per second, in `TIAS` bits per second."""

    kind: str
    value: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read the text behind `b=`; None if it is no name with a number."""
        kind, _, digits = text.partition(":")
        value = number(digits.strip(), MAX_BANDWIDTH_DIGITS)
        return None if value is None or not kind else cls(kind, value)

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True, slots=True)
class Timing:
    """`t=<start-time> <stop-time>` (RFC 8866 section 5.9), seconds of NTP time; 0 and 0: a permanent session."""

    start: int = 0
    stop: int = 0

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read the text behind `t=`; None if it is not two numbers."""
        numbers = [number(part, MAX_TIME_DIGITS) for part in text.split()]
        if len(numbers) != 2:
            return None
        start, stop = numbers
        return None if start is None or stop is None else cls(start, stop)

    def __str__(self) -> str:
        return f"{self.start} {self.stop}"


PERMANENT = (Timing(),)
"""The only time line that telephony knows: `t=0 0` (RFC 3264 section 5)."""


_known_attribute = lru_cache(MAX_LINES_REMEMBERED)(Attribute.parse)
_known_connection = lru_cache(MAX_LINES_REMEMBERED)(Connection.parse)
_known_timing = lru_cache(MAX_LINES_REMEMBERED)(Timing.parse)


def attribute_of(text: str) -> Attribute:
    """`Attribute.parse`, remembered where the text is short enough to come again with the next call."""
    return _known_attribute(text) if len(text) <= MAX_REMEMBERED else Attribute.parse(text)


def connection_at(text: str) -> Connection | None:
    """`Connection.parse`, remembered likewise: trunks have few addresses."""
    return _known_connection(text) if len(text) <= MAX_REMEMBERED else Connection.parse(text)


def timing_of(text: str) -> Timing | None:
    """`Timing.parse`, which is `t=0 0` in every call; remembered likewise."""
    return _known_timing(text) if len(text) <= MAX_REMEMBERED else Timing.parse(text)
