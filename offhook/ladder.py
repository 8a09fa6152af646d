"""Draws what was said between hosts as a ladder: one column per host, one arrow per message, time downwards.

    time (s)  127.0.0.1:5060                         127.0.0.1:5080
       0.000        │───────────── INVITE (SDP) ─────────────▶│
       0.012        │◀────────── 100 Trying (INVITE) ─────────│

The input is the octets as they passed, not messages that some parser has accepted: `entry_from_message` looks at the
first line, CSeq and Content-Type by plain splitting, so a malformed message is seen as well, and it is often the one
that somebody is looking for. Everything on the wire was written by strangers: characters that could move the cursor,
change colours or reverse the reading direction are shown as escapes.

`faults` reads the ladder as an experienced eye does: a final answer that nobody acknowledged, a request that nobody
answered, credentials asked for again and again, a long silence. `mark_again` finds retransmissions.

Pure: strings and numbers in, strings out.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MIN_WIDTH = 80
"""Columns of text that a drawing takes at least: the width of a terminal that nobody has resized."""

MAX_ROWS = 2_000
"""Messages that are drawn; a call has some ten, a ladder of thousands is read by programs. The rest is counted."""

MAX_HOSTS = 8
"""Columns of a ladder; further hosts share the last one, which bounds the width of a line."""

MAX_SUMMARY_CHARACTERS = 80
"""Characters of a first line that are kept in the summary; the whole of it is in the text."""

MAX_TEXT_CHARACTERS = 70_000
"""Characters of one message that are kept: more than a datagram of octets, less than it takes to hurt."""

MAX_HEADER_LINES = 256
"""Lines that are searched for CSeq and Content-Type."""

LONG_GAP = 4.0
"""Seconds without message and media that deserve a note: T2, the longest interval between two retransmissions of a
request (RFC 3261 17.1.2.2), so even a dead peer would have been asked again."""

MAX_CHALLENGES = 2
"""401 or 407 answers to one kind of request: a first one is normal, a second may bring a fresh nonce."""

OTHER_HOSTS = "other hosts"

_MIN_GAP = 22  # columns between two lifelines, so that "──── 200 OK (BYE) ───▶" fits
_LABEL_COLUMNS = 30  # an IPv4 address with its port is 21, an IPv6 address may be cut
_TIME_COLUMNS = 10  # "12345.678" and a space


@dataclass(frozen=True, slots=True)
class LadderEntry:
    """One message between two hosts."""

    instant: float
    """Seconds, on any clock that all entries share."""
    source: str
    """Label of a host, such as "127.0.0.1:5060"."""
    destination: str
    summary: str
    """What stands on the arrow: "INVITE (SDP)", "200 OK (INVITE, SDP)"."""
    text: str
    """The whole message; octets that are no UTF-8 are written as escapes."""
    again: bool = False
    """Whether it repeats an earlier message."""


@dataclass(frozen=True, slots=True)
class MediaSpan:
    """A stream of RTP from one host to another."""

    start: float
    """Seconds, on the clock of the entries."""
    end: float
    source: str
    """Label of a host; the label that its signalling has puts the stream into the same column."""
    destination: str
    codec: str
    packets: int | None = None


class Fault(StrEnum):
    """What an experienced eye sees in a ladder."""

    NO_ACK = "final response without ACK (RFC 3261 17.1.1.3, 13.2.2.4)"
    NO_ANSWER = "request without final response (RFC 3261 17.1)"
    CHALLENGED_AGAIN = "credentials refused again and again (RFC 3261 22.2)"
    LONG_GAP = "neither message nor media"


@dataclass(frozen=True, slots=True)
class Note:
    """A fault, where it starts and what it is about."""

    instant: float
    fault: Fault
    about: str

    def __str__(self) -> str:
        """The sentence for a reader."""
        return f"{self.about}: {self.fault.value}"


def entry_from_message(
    data: bytes, instant: float, source: str, destination: str, *, again: bool = False
) -> LadderEntry:
    """An entry from the octets of a message, malformed or not; never raises.

    Args:
        data: what one datagram carried, or one message of a stream.
        instant: seconds.
        source: label of the host that sent it.
        destination: label of the host that it was sent to.
        again: whether it repeats an earlier message.
    """
    text = data.decode("utf-8", "backslashreplace")[:MAX_TEXT_CHARACTERS]
    return LadderEntry(instant, source, destination, _summary(text), text, again)


def mark_again(entries: Iterable[LadderEntry]) -> list[LadderEntry]:
    """The same entries, those marked that repeat an earlier one word for word on the same way.

    A retransmission is the same message to the octet (RFC 3261 17.1.1.2: the client transaction "passes the request to
    the transport layer for retransmission"); keep-alives say the same and are none.
    """
    seen: set[tuple[str, str, str]] = set()
    marked = []
    for entry in entries:
        key = (entry.source, entry.destination, entry.text)
        again = entry.again or (key in seen and bool(entry.text.strip()))
        seen.add(key)
        marked.append(replace(entry, again=again))
    return marked


def visible(text: str, keep: str = "") -> str:
    r"""Text by strangers, made safe to look at: what is not printable becomes an escape such as `\x1b`.

    That covers the control characters with the ANSI sequences they start, line ends, marks that turn the reading
    direction around (U+202E), lone surrogates, and combining marks, which could be piled up.

    Args:
        text: anything.
        keep: characters that stay as they are, such as line ends where several lines can be shown.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if character in keep else _visible_character(character) for character in text)


def hosts(entries: Sequence[LadderEntry], media: Sequence[MediaSpan] = ()) -> list[str]:
    """Labels of the columns, in order of first appearance; beyond MAX_HOSTS they share the last one."""
    ends = [(entry.source, entry.destination) for entry in entries]
    ends += [(span.source, span.destination) for span in media]
    labels = list(dict.fromkeys(label for pair in ends for label in pair))
    return labels if len(labels) <= MAX_HOSTS else [*labels[: MAX_HOSTS - 1], OTHER_HOSTS]


def faults(entries: Sequence[LadderEntry], media: Sequence[MediaSpan] = ()) -> list[Note]:
    """What looks wrong in a ladder, in order of time. Reads what a human would read: first line, CSeq, Call-ID."""
    facts = [_facts(entry) for entry in entries]
    notes = [*_unacknowledged(facts), *_unanswered(facts), *_challenged(facts), *_gaps(entries, media)]
    return sorted(notes, key=lambda note: note.instant)


def draw(entries: Sequence[LadderEntry], media: Sequence[MediaSpan] = (), *, width: int = MIN_WIDTH) -> str:
    """The ladder as lines of text, ending in a newline.

    Args:
        entries: messages in any order; time is shown relative to the first of all.
        media: streams, drawn where they start.
        width: columns of the terminal. Taken as MIN_WIDTH when less; many hosts make a wider drawing.
    """
    shown = sorted(entries, key=lambda entry: entry.instant)[:MAX_ROWS]
    spans = sorted(media, key=lambda span: span.start)[:MAX_ROWS]
    if not shown and not spans:
        return "no message was seen\n"
    notes = faults(shown, spans)
    start = min([entry.instant for entry in shown] + [span.start for span in spans])
    canvas = _Canvas(hosts(shown, spans), max(width, MIN_WIDTH), start)
    # At one instant: the message, the media it opened, the remark on both.
    rows = [(entry.instant, 0, canvas.message(entry)) for entry in shown]
    rows += [(span.start, 1, canvas.span(span)) for span in spans]
    rows += [(note.instant, 2, canvas.note(note)) for note in notes]
    rows.sort(key=lambda row: row[:2])
    hidden = len(entries) - len(shown)
    more = [f"messages that are not drawn: {hidden:,}"] if hidden else []
    return "\n".join([canvas.header(), *(row[2] for row in rows), *more]) + "\n"


class _Facts(NamedTuple):
    """What the faults are found by."""

    entry: LadderEntry
    method: str
    """Of the request, or of the request that a response answers (CSeq)."""
    transaction: tuple[str, str]
    """Call-ID and CSeq number: what an ACK shares with its INVITE."""
    status: int | None
    """Of a response; None for a request."""


def _facts(entry: LadderEntry) -> _Facts:
    first, headers = _head(entry.text)
    number, _, method = headers.get("cseq", "").partition(" ")
    parts = first.split(" ", 2)
    status = int(parts[1]) if parts[0] == "SIP/2.0" and _is_status(parts[1:2]) else None
    return _Facts(entry, method.strip(), (headers.get("call-id", ""), number), status)


def _unacknowledged(facts: list[_Facts]) -> Iterable[Note]:
    acknowledged = {fact.transaction for fact in facts if fact.method == "ACK"}
    finals = {
        fact.transaction: fact
        for fact in reversed(facts)
        if fact.method == "INVITE" and fact.status is not None and fact.status >= 200
    }
    for transaction, fact in finals.items():
        if transaction not in acknowledged:
            yield Note(fact.entry.instant, Fault.NO_ACK, fact.entry.summary)


def _unanswered(facts: list[_Facts]) -> Iterable[Note]:
    """RFC 3261 17: "each request has exactly one final response", but for ACK, which has none."""
    answered = {(*fact.transaction, fact.method) for fact in facts if fact.status and fact.status >= 200}
    requests = {
        (*fact.transaction, fact.method): fact
        for fact in reversed(facts)
        if fact.status is None and fact.method not in {"", "ACK"}
    }
    for transaction, fact in requests.items():
        if transaction not in answered:
            yield Note(fact.entry.instant, Fault.NO_ANSWER, fact.entry.summary)


def _challenged(facts: list[_Facts]) -> Iterable[Note]:
    challenges: dict[tuple[str, str], set[str]] = {}
    for fact in facts:
        if fact.status in {401, 407}:
            call_id, number = fact.transaction
            numbers = challenges.setdefault((call_id, fact.method), set())
            numbers.add(number)
            if len(numbers) == MAX_CHALLENGES + 1 and not fact.entry.again:
                yield Note(fact.entry.instant, Fault.CHALLENGED_AGAIN, fact.entry.summary)


def _gaps(entries: Sequence[LadderEntry], media: Sequence[MediaSpan]) -> Iterable[Note]:
    """Walks over what happened in order of time, and remembers how far the call is known to have lived."""
    happened = [(entry.instant, entry.instant) for entry in entries]
    happened += [(span.start, span.end) for span in media]
    alive = None
    for start, end in sorted(happened):
        if alive is not None and start - alive > LONG_GAP:
            yield Note(alive, Fault.LONG_GAP, f"{start - alive:.1f} s of nothing")
        alive = end if alive is None else max(alive, end)


def _head(text: str) -> tuple[str, dict[str, str]]:
    """First line, and the first value of each header by its lower-case name; a folded line is left out."""
    lines = text[:MAX_TEXT_CHARACTERS].replace("\r\n", "\n").split("\n", MAX_HEADER_LINES)
    headers: dict[str, str] = {}
    for line in lines[1:MAX_HEADER_LINES]:
        if not line:
            break
        name, _, value = line.partition(":")
        name = name.strip().lower()
        headers.setdefault({"c": "content-type", "i": "call-id"}.get(name, name), value.strip())
    return lines[0], headers


def _is_status(parts: list[str]) -> bool:
    return bool(parts) and len(parts[0]) == 3 and parts[0].isascii() and parts[0].isdigit()


def _summary(text: str) -> str:
    """What stands on the arrow; the first line itself where it is no SIP."""
    if not text.strip("\r\n\0"):
        # RFC 5626 4.4.1: a double CRLF asks whether the flow is alive, a single one says that it is.
        return {"\r\n\r\n": "keep-alive ping", "\r\n": "keep-alive pong"}.get(text, "empty datagram")
    first, headers = _head(text)
    remarks = ["SDP"] if headers.get("content-type", "").lower().startswith("application/sdp") else []
    if first.startswith("SIP/2.0 ") and _is_status(first.split(" ", 2)[1:2]):
        remarks[:0] = headers.get("cseq", "").split(" ")[1:2]
        words = first.removeprefix("SIP/2.0 ")
    elif first.endswith(" SIP/2.0"):
        words = first.partition(" ")[0]
    else:
        words, remarks = f"malformed: {first}", []
    return _cut(words.strip() + (f" ({', '.join(remarks)})" if remarks else ""), MAX_SUMMARY_CHARACTERS)


def _visible_character(character: str) -> str:
    if character.isprintable() and unicodedata.combining(character) == 0:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _columns(text: str) -> int:
    """Columns that a terminal gives to visible text; East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _cut(text: str, columns: int) -> str:
    """Text of at most so many columns, with an ellipsis where something was cut."""
    if _columns(text) <= columns:
        return text
    kept = text[: columns - 1]
    while _columns(kept) > columns - 1:
        kept = kept[:-1]
    return kept + "…"


def _centred(text: str, columns: int, fill: str) -> str:
    """Text in the middle of a line of `fill`."""
    free = columns - _columns(text)
    return fill * (free // 2) + text + fill * (free - free // 2)


class _Canvas:
    """Lays rows out between lifelines: what stands where, in columns of text."""

    def __init__(self, labels: list[str], width: int, start: float) -> None:
        self._index = {label: index for index, label in enumerate(labels)}
        self._last = len(labels) - 1
        self._start = start
        names = [_cut(visible(label), _LABEL_COLUMNS) for label in labels]
        # Labels stand centred over their lifelines: half of one sticks out on either side.
        self._margin = max(_columns(name) for name in names) // 2 + 1
        free = width - _TIME_COLUMNS - 2 * self._margin
        self._gap = max(_MIN_GAP, free // max(self._last, 1))
        self._names = [_cut(name, self._gap - 2) for name in names]

    def header(self) -> str:
        line = "time (s)".rjust(_TIME_COLUMNS - 1)
        for index, name in enumerate(self._names):
            begin = _TIME_COLUMNS + self._margin + index * self._gap - _columns(name) // 2
            line += " " * (begin - _columns(line)) + name
        return line

    def message(self, entry: LadderEntry) -> str:
        words = visible(entry.summary) + (" (again)" if entry.again else "")
        return self._row(entry.instant, entry.source, entry.destination, words, "─")

    def span(self, span: MediaSpan) -> str:
        packets = "" if span.packets is None else f"{span.packets:,} packets, "
        words = f"RTP {visible(span.codec)}, {packets}{span.end - span.start:.1f} s"
        return self._row(span.start, span.source, span.destination, words, "═")

    def note(self, note: Note) -> str:
        # It hangs below its row, clear of the time column; it is prose, so it may run over the lifelines.
        return " " * _TIME_COLUMNS + "! " + visible(str(note))

    def _row(self, instant: float, source: str, destination: str, words: str, line: str) -> str:
        ends = (self._index.get(source, self._last), self._index.get(destination, self._last))
        left, right = min(ends), max(ends)
        time = f"{instant - self._start:{_TIME_COLUMNS - 1}.3f} "
        lanes = " " * self._margin + "│" + (" " * (self._gap - 1) + "│") * self._last
        begin = self._margin + left * self._gap + 1
        if left == right:
            row = _cut(f" ↺ {words} ", MAX_SUMMARY_CHARACTERS)
            return (time + lanes[:begin] + row + lanes[begin + _columns(row) :]).rstrip()
        room = (right - left) * self._gap - 1
        middle = _centred(f" {_cut(words, room - 6)} ", room - 1, line)
        arrow = middle + "▶" if ends[0] < ends[1] else "◀" + middle
        return time + lanes[:begin] + arrow + lanes[begin + room :]
