"""Numbers that wrap around: 16-bit sequence numbers and 32-bit timestamps.

Theory of operation: two serial numbers are compared by their difference modulo 2^bits, read as a signed number (the
arithmetic of RFC 1982). What is less than half a turn ahead is newer; everything else is older. RFC 1982 3.2 leaves the
difference of exactly half a turn undefined; here it counts as *older*, so that each pair has an answer.

An `Unwrapper` turns the wrapping numbers of one stream into plain integers that never wrap, so that the rest of the code
can use `<`, `-` and `min`.
"""

SEQUENCE_BITS = 16
TIMESTAMP_BITS = 32

_SEQUENCE_HALF = 1 << 15
_SEQUENCE_MASK = 0xFFFF
_TIMESTAMP_HALF = 1 << 31
_TIMESTAMP_MASK = 0xFFFF_FFFF


def sequence_delta(newer: int, older: int) -> int:
    """The way from one sequence number to another, -32,768 … 32,767 (RFC 1982 3.2 with SERIAL_BITS = 16)."""
    return ((newer - older + _SEQUENCE_HALF) & _SEQUENCE_MASK) - _SEQUENCE_HALF


def timestamp_delta(newer: int, older: int) -> int:
    """The way from one RTP timestamp to another in ticks, -2^31 … 2^31 - 1 (RFC 1982 3.2 with SERIAL_BITS = 32)."""
    return ((newer - older + _TIMESTAMP_HALF) & _TIMESTAMP_MASK) - _TIMESTAMP_HALF


class Unwrapper:
    """Gives each wrapping number of a stream the plain integer that lies nearest to the one before.

    Args:
        bits: width of the wrapping number, 16 for sequence numbers, 32 for timestamps.
    """

    __slots__ = ("_half", "_last", "_mask")

    def __init__(self, bits: int) -> None:
        self._mask = (1 << bits) - 1
        self._half = 1 << (bits - 1)
        self._last: int | None = None

    def unwrap(self, value: int) -> int:
        """The plain integer of `value`; the first one stands for itself, and one from before it may be negative."""
        last = self._last
        if last is None:
            self._last = value
            return value
        self._last = last + ((value - last + self._half) & self._mask) - self._half
        return self._last
