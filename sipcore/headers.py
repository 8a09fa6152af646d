"""Header fields in the order and case of the wire, looked up without regard to case.

RFC 3261 section 7.3.1: names are case-insensitive, several fields of one name keep their order, compact forms (7.3.3) and
long names are one. What a peer sent is kept to the letter, so that a custom header can be passed on unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .grammar import LWS, is_token, refuse_line_breaks, split_unquoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# RFC 3261 table of section 20, and the IANA registry's later one-letter names.
COMPACT: Final = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "n": "identity-info", "o": "event", "r": "refer-to",
    "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires", "y": "identity",
}  # fmt: skip

# The spellings of the field, so that a lookup costs one dictionary access and no new string.
_FREQUENT: Final = (
    "Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Content-Type", "Content-Length", "Route",
    "Record-Route", "Allow", "Supported", "Require", "Proxy-Require", "Unsupported", "User-Agent", "Server", "Expires",
    "Event", "Reason", "Accept", "Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Proxy-Authorization",
    "Retry-After", "Subject", "P-Asserted-Identity", "Privacy", "Date", "Session-Expires", "Min-SE", "RSeq", "RAck",
    "Refer-To", "Referred-By", "Replaces", "Allow-Events", "Content-Disposition", "X-Simulation-Result-Id", "X-Call-Type",
)  # fmt: skip
KNOWN: Final = {
    **{name: name.lower() for name in _FREQUENT},
    **{name.lower(): name.lower() for name in _FREQUENT},
    **COMPACT,
    **{short.upper(): long for short, long in COMPACT.items()},
}  # fmt: skip


def canonical(name: str) -> str:
    """The one name by which a field is looked up: long form, lower case."""
    found = KNOWN.get(name)
    if found is None:
        lowered = name.lower() if name.isascii() else name  # a token is ASCII; other alphabets have a "K" too
        found = KNOWN.get(lowered, lowered)
    return found


class Headers:
    """An ordered multi-map of header fields.

    ``headers["from"]`` gives the first field of the name (KeyError without one), ``get_all`` every one, ``items`` all of
    them as they stand on the wire. Values that we add are checked: what would begin a line of its own raises ValueError.
    """

    __slots__ = ("_index", "_items")

    def __init__(self, items: Iterable[tuple[str, str]] | Mapping[str, str] = ()) -> None:
        self._items: list[tuple[str, str]] = []
        self._index: dict[str, list[str]] = {}
        for name, value in items.items() if hasattr(items, "items") else items:
            self.add(name, value)

    @classmethod
    def trusted(cls, items: list[tuple[str, str]]) -> Headers:
        """Take over a list whose names and values were checked already; the list is not copied."""
        index: dict[str, list[str]] = {}
        for name, value in items:
            key = KNOWN.get(name) or canonical(name)
            if key in index:
                index[key].append(value)
            else:
                index[key] = [value]
        return cls.adopt(items, index)

    @classmethod
    def adopt(cls, items: list[tuple[str, str]], index: dict[str, list[str]]) -> Headers:
        """Take over a list as :meth:`trusted` does, with the index (canonical name to values in order) that belongs to it."""
        headers = cls.__new__(cls)
        headers._items = items  # noqa: SLF001 - an alternative constructor
        headers._index = index  # noqa: SLF001 - an alternative constructor
        return headers

    def add(self, name: str, value: str) -> None:
        """Append a field.

        Raises:
            ValueError: the name is no token, or the value holds CR, LF or a NUL without a backslash.
        """
        key = KNOWN.get(name)
        if key is None:
            if not is_token(name):
                raise ValueError(f"not a header name: {name[:60]!r}")
            key = canonical(name)
        value = refuse_line_breaks(str(value), name).strip(LWS)
        self._items.append((name, value))
        if key in self._index:
            self._index[key].append(value)
        else:
            self._index[key] = [value]

    def set(self, name: str, value: str) -> None:
        """Replace all fields of this name by one, at the place of the first; append where there was none.

        Raises:
            ValueError: as :meth:`add`.
        """
        key = canonical(name)
        if key not in self._index:
            self.add(name, value)
            return
        one = Headers([(name, value)])
        at = self._place(key)
        self._items = [item for i, item in enumerate(self._items) if i <= at or canonical(item[0]) != key]
        self._items[at] = one._items[0]
        self._index[key] = one._index[key]

    def replace_first(self, name: str, value: str) -> None:
        """Replace the topmost field of this name by an already checked value, keeping those below it.

        The whole field is replaced, with every value that its line holds.

        Raises:
            KeyError: there is none.
        """
        key = canonical(name)
        self._index[key][0] = value
        at = self._place(key)
        self._items[at] = (self._items[at][0], value)

    def _place(self, key: str) -> int:
        return next(i for i, (name, _) in enumerate(self._items) if canonical(name) == key)

    def remove(self, name: str) -> None:
        """Remove all fields of this name; nothing happens where there is none."""
        key = canonical(name)
        if self._index.pop(key, None) is not None:
            self._items = [item for item in self._items if canonical(item[0]) != key]

    def __getitem__(self, name: str) -> str:
        return self._index[KNOWN.get(name) or canonical(name)][0]

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first field of this name, or ``default``."""
        values = self._index.get(KNOWN.get(name) or canonical(name))
        return values[0] if values else default

    def get_all(self, name: str) -> list[str]:
        """Every field of this name, in order, as they stand on the wire."""
        return list(self._index.get(canonical(name), ()))

    def get_list(self, name: str) -> list[str]:
        """Every value of this name: fields in order, each taken apart at its commas (section 7.3.1).

        Raises:
            MalformedMessage: quotes or brackets are not balanced.
        """
        values: list[str] = []
        for field in self._index.get(canonical(name), ()):
            values.extend([field] if "," not in field else split_unquoted(field, ","))
        return [value for value in values if value]

    def first(self, name: str) -> str | None:
        """The topmost value of this name, or None: what :meth:`get_list` begins with.

        Raises:
            MalformedMessage: quotes or brackets are not balanced.
        """
        values = self._index.get(KNOWN.get(name) or canonical(name))
        if values and values[0] and "," not in values[0]:
            return values[0]
        return next(iter(self.get_list(name)), None)

    def tokens(self, name: str) -> frozenset[str]:
        """The values of a list of tokens such as Supported or Allow, in lower case; tokens have no quotes to respect."""
        values = ",".join(self._index.get(canonical(name), ())).lower().split(",")
        return frozenset(value for item in values if (value := item.strip(LWS)))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and canonical(name) in self._index

    def lacking(self, names: Iterable[str]) -> str | None:
        """The first of these canonical names that no field bears."""
        index = self._index
        for name in names:
            if name not in index:
                return name
        return None

    def count(self, name: str) -> int:
        """How many fields bear this name."""
        return len(self._index.get(canonical(name), ()))

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._items))

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> list[tuple[str, str]]:
        """All fields in wire order, names in wire case."""
        return list(self._items)

    def copy(self) -> Headers:
        """An independent copy."""
        return Headers.trusted(list(self._items))

    def __eq__(self, other: object) -> bool:
        return self._items == other._items if isinstance(other, Headers) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"

    def to_text(self) -> str:
        """The fields as on the wire, each with its CRLF."""
        return "".join([f"{name}: {value}\r\n" for name, value in self._items])
