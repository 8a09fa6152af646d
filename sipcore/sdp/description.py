"""A session description as a value (RFC 8866): who, where, and which streams.

A description is a list of lines `<letter>=<text>`; the lines up to the first `m=` describe the session, each `m=` opens
the section of one stream. `parse` walks over the lines once. It is lenient where real telephones are sloppy: bare line
feeds, blanks at line ends, blank lines, no `s=`, no `t=`, any order within a section. A line that it cannot use it keeps
in `unread`, and `serialize` writes it back. It is strict where a guess would be dangerous: NUL, bare carriage returns,
ports, payload types, numbers, and every count has a limit.

Serialised lines end in CRLF. A value that would break out of its line is refused with ValueError. For every description
that came from `parse`, `parse(x.serialize()) == x`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .exceptions import MalformedDescription
from .fields import (
    MAX_PORT,
    PERMANENT,
    Attribute,
    Bandwidth,
    Connection,
    Origin,
    Timing,
    attribute_of,
    connection_at,
    number,
    timing_of,
)

MAX_DESCRIPTION_OCTETS = 65_535  # octets: one UDP datagram; a browser's offer has about 6,000
MAX_LINE = 8_192  # characters: the longest real lines are identity assertions of some 2,000
MAX_LINES = 5_000  # lines that are not blank: more than MAX_MEDIA full sections need
MAX_MEDIA = 16  # m= lines: a telephone has 1 to 3
MAX_FORMATS = 64  # formats of one m= line: browsers list some 40
MAX_ATTRIBUTES = 256  # attributes of one section: browsers' video has some 150


_BLANK = " \t\r"
_PAYLOAD_TYPES = frozenset(map(str, range(128)))
_SINGLE = frozenset(("v=", "o=", "s=", "i=", "u="))


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One stream: `m=<media> <port>[/<number of ports>] <proto> <fmt> ...` and its section (RFC 8866 section 5.14)."""

    kind: str
    """`audio`, `video`, `application`, …"""
    port: int
    """0: the stream is refused or gone (RFC 3264 section 6)."""
    protocol: str
    """`RTP/AVP`, `RTP/SAVP`, …"""
    formats: tuple[str, ...]
    """For RTP the payload types, most preferred first."""
    port_count: int = 1
    information: str | None = None
    connection: Connection | None = None
    bandwidths: tuple[Bandwidth, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    unread: tuple[str, ...] = ()
    """Lines that say nothing to us, as they came."""

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of this name; empty for one without value; None if there is none."""
        return _first(self.attributes, name)

    def lines(self) -> list[str]:
        """The lines of the section, in the order of RFC 8866 section 9."""
        port = self.port if self.port_count == 1 else f"{self.port}/{self.port_count}"
        lines = [" ".join((f"m={self.kind} {port} {self.protocol}", *self.formats))]
        if self.information is not None:
            lines.append(f"i={self.information}")
        if self.connection is not None:
            lines.append(f"c={self.connection}")
        lines += [f"b={bandwidth}" for bandwidth in self.bandwidths]
        lines += _attribute_lines(self.attributes)
        lines += self.unread
        return lines


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description; the session's own lines first, then one `MediaDescription` per `m=` line."""

    origin: Origin
    name: str = "-"
    """RFC 8866 section 5.3: "s=-" is recommended where there is no meaningful name; so an empty one is read."""
    information: str | None = None
    uri: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    connection: Connection | None = None
    bandwidths: tuple[Bandwidth, ...] = ()
    times: tuple[Timing, ...] = PERMANENT
    attributes: tuple[Attribute, ...] = ()
    media: tuple[MediaDescription, ...] = ()
    unread: tuple[str, ...] = ()
    """Lines that say nothing to us (repeat times, zones, keys, junk), as they came."""

    @staticmethod
    def parse(data: bytes | str) -> SessionDescription:
        """Read a description; `MalformedDescription` for what is none, and no other exception for any input."""
        session, *streams = _text(data).split("\nm=")
        if len(streams) > MAX_MEDIA:
            raise MalformedDescription(f"more than {MAX_MEDIA} streams")
        return _session(session.split("\n"), tuple([_media(stream.split("\n")) for stream in streams]))

    def attribute(self, name: str) -> str | None:
        """The value of the first session attribute of this name; empty without value; None if there is none."""
        return _first(self.attributes, name)

    def lines(self) -> list[str]:
        """All lines without their ends, in the order of RFC 8866 section 9."""
        lines = ["v=0", f"o={self.origin}", f"s={self.name}"]
        if self.information is not None:
            lines.append(f"i={self.information}")
        if self.uri is not None:
            lines.append(f"u={self.uri}")
        lines += [f"e={email}" for email in self.emails]
        lines += [f"p={phone}" for phone in self.phones]
        if self.connection is not None:
            lines.append(f"c={self.connection}")
        lines += [f"b={bandwidth}" for bandwidth in self.bandwidths]
        lines += [f"t={timing}" for timing in self.times]
        lines += _attribute_lines(self.attributes)
        lines += self.unread
        for media in self.media:
            lines += media.lines()
        return lines

    def serialize(self) -> bytes:
        """The octets to send; ValueError if a value holds CR, LF or NUL, which would forge lines."""
        lines = [*self.lines(), ""]
        text = "\r\n".join(lines)
        if not len(lines) - 1 == text.count("\n") == text.count("\r") or "\0" in text:
            raise ValueError("a value of the description holds CR, LF or NUL")
        return text.encode()


def _attribute_lines(attributes: tuple[Attribute, ...]) -> list[str]:
    return [
        f"a={attribute.name}" if attribute.value is None else f"a={attribute.name}:{attribute.value}"
        for attribute in attributes
    ]


def _first(attributes: tuple[Attribute, ...], name: str) -> str | None:
    for attribute in attributes:
        if attribute.name == name:
            return attribute.value or ""
    return None


def _decode(data: bytes | str) -> str:
    """The characters of a description: UTF-8 (RFC 8866 section 5), or Latin-1 where an old device wrote that."""
    try:
        octets = data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError as error:
        raise MalformedDescription("the description holds a lone surrogate") from error
    if len(octets) > MAX_DESCRIPTION_OCTETS:
        raise MalformedDescription(f"more than {MAX_DESCRIPTION_OCTETS} octets")
    if b"\0" in octets:
        raise MalformedDescription("the description holds NUL (RFC 8866 section 9: byte-string)")
    try:
        return str(octets, "utf-8")
    except UnicodeDecodeError:
        return str(octets, "latin-1")


def _text(data: bytes | str) -> str:
    """The description with bare line feeds between its lines, without blanks at line ends, without blank lines."""
    text = _decode(data).rstrip(" \t\r\n")
    # RFC 8866 5: "parsers SHOULD be tolerant and also accept records terminated with a single newline character."
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if "\n\n" in text or " \n" in text or "\r" in text or "\t\n" in text or text[:1] == "\n":
        text = "\n".join([stripped for line in text.split("\n") if (stripped := line.rstrip(_BLANK))])
    if "\r" in text:
        raise MalformedDescription("a line holds a bare carriage return")
    if text.startswith("m="):
        raise MalformedDescription("the description starts with a stream")
    if len(text) > MAX_LINES and text.count("\n") >= MAX_LINES:
        raise MalformedDescription(f"more than {MAX_LINES} lines")
    if len(text) > MAX_LINE and any(len(line) > MAX_LINE for line in text.split("\n")):
        raise MalformedDescription(f"a line has more than {MAX_LINE} characters")
    return text


def _counted(attributes: list[Attribute]) -> tuple[Attribute, ...]:
    """The attributes of one section, if they are not too many."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise MalformedDescription(f"a section has more than {MAX_ATTRIBUTES} attributes")
    return tuple(attributes)


def _session(lines: list[str], media: tuple[MediaDescription, ...]) -> SessionDescription:
    """Read the session's own lines. Of `v= o= s= i= u= c=` the first counts; a further one stays unread."""
    single: dict[str, str] = {}
    several: dict[str, list[str]] = {"e=": [], "p=": []}
    attributes: list[Attribute] = []
    connection: Connection | None = None
    bandwidths: list[Bandwidth] = []
    times: list[Timing] = []
    unread: list[str] = []
    for line in lines:
        letter, text = line[:2], line[2:]
        if letter == "a=" and text:
            attributes.append(attribute_of(text))
        elif letter in _SINGLE and letter not in single:
            single[letter] = text
        elif letter == "c=" and connection is None and (connection := connection_at(text)):
            pass
        elif letter == "t=" and (timing := timing_of(text)):
            times.append(timing)
        elif letter == "b=" and (bandwidth := Bandwidth.parse(text)):
            bandwidths.append(bandwidth)
        elif letter in several:
            several[letter].append(text)
        else:
            unread.append(line)
    if single.get("v=", "").strip() != "0":
        raise MalformedDescription("the description does not say v=0 (RFC 8866 section 5.1)")
    if "o=" not in single:
        raise MalformedDescription("the description has no origin (RFC 8866 section 5.2)")
    return SessionDescription(
        Origin.parse(single["o="]),
        single.get("s=") or "-",
        single.get("i="),
        single.get("u="),
        tuple(several["e="]),
        tuple(several["p="]),
        connection,
        tuple(bandwidths),
        tuple(times) or PERMANENT,
        _counted(attributes),
        media,
        tuple(unread),
    )


def _media(lines: list[str]) -> MediaDescription:
    """Read the section of one stream, behind its `m=`. Of `i=` and `c=` the first counts; a further one stays unread."""
    kind, port, port_count, protocol, formats = _media_line(lines[0])
    attributes: list[Attribute] = []
    information: str | None = None
    connection: Connection | None = None
    bandwidths: list[Bandwidth] = []
    unread: list[str] = []
    for line in lines[1:]:
        letter, text = line[:2], line[2:]
        if letter == "a=" and text:
            attributes.append(attribute_of(text))
        elif letter == "c=" and connection is None and (connection := connection_at(text)):
            pass
        elif letter == "b=" and (bandwidth := Bandwidth.parse(text)):
            bandwidths.append(bandwidth)
        elif letter == "i=" and information is None:
            information = text
        else:
            unread.append(line)
    return MediaDescription(
        kind,
        port,
        protocol,
        formats,
        port_count,
        information,
        connection,
        tuple(bandwidths),
        _counted(attributes),
        tuple(unread),
    )


def _media_line(text: str) -> tuple[str, int, int, str, tuple[str, ...]]:
    """Kind, port, number of ports, protocol and formats of an `m=` line (RFC 8866 section 5.14)."""
    parts = text.split()
    if len(parts) < 3 or not text.isascii():
        raise MalformedDescription("an m= line has fewer than three fields, or one that is not ASCII")
    kind, ports, protocol, *formats = parts
    port_text, slash, count_text = ports.partition("/")
    port = number(port_text, 5)
    port_count = number(count_text, 5) if slash else 1
    if port is None or port > MAX_PORT:
        raise MalformedDescription(f"a port is no number from 0 to {MAX_PORT}")
    if not port_count:
        raise MalformedDescription("the number of ports of a stream is no positive number")
    if len(formats) > MAX_FORMATS:
        raise MalformedDescription(f"a stream has more than {MAX_FORMATS} formats")
    # RFC 8866 5.14: over RTP "the <fmt> subfields contain RTP payload type numbers"; RFC 3550 5.1 gives those 7 bits.
    if "RTP/" in protocol.upper() and not _PAYLOAD_TYPES.issuperset(formats):
        raise MalformedDescription("a payload type is no number from 0 to 127")
    return kind, port, port_count, protocol, tuple(formats)
