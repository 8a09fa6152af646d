"""The SIP ladder as rows of the page: what stands where, which colour, which words.

The drawing is a grid: one column per host, a lifeline in the middle of each. An arrow spans the columns from one host
to another and leaves out half a column on either side. A style sheet cannot compute with numbers of ours (the page's
policy forbids style attributes), so columns are given as the names of classes: `from-1 to-3 span-2`.
"""

from __future__ import annotations

from typing import NamedTuple

from offhook.ladder import LadderEntry, MediaSpan, Note, faults, hosts

from .units import number, quantity

MAX_MESSAGES = 500
"""Messages of one page; a call has some ten. The pcap file has the rest."""

MAX_SPANS = 64
"""Streams of one page; a call has two, and two more for each time it was held."""


class Row(NamedTuple):
    """One line of the ladder."""

    kind: str
    """message, media or note."""
    instant: float
    """Seconds of the call."""
    words: str
    text: str = ""
    """The whole message."""
    classes: str = ""
    again: bool = False


class Sequence(NamedTuple):
    """The ladder of one call."""

    hosts: list[str]
    rows: list[Row]
    hidden: int
    """Messages that are not shown."""


def sequence(messages: tuple[LadderEntry, ...], media: tuple[MediaSpan, ...]) -> Sequence:
    """Rows in order of time: messages, the streams they opened, and what is wrong with them."""
    entries = sorted(messages, key=lambda entry: entry.instant)[:MAX_MESSAGES]
    spans = sorted(media, key=lambda span: span.start)[:MAX_SPANS]
    labels = hosts(entries, spans)
    ranked = [(entry.instant, 0, _message(entry, labels)) for entry in entries]
    ranked += [(span.start, 1, _stream(span, labels)) for span in spans]
    ranked += [(note.instant, 2, _note(note)) for note in faults(entries, spans)]
    rows = [row for _, _, row in sorted(ranked, key=lambda item: item[:2])]
    return Sequence(labels, rows, len(messages) - len(entries))


def status_class(entry: LadderEntry) -> str:
    """The class that colours a message: request, s1xx to s6xx, or malformed."""
    first = entry.text.partition("\n")[0].rstrip()
    status = first.removeprefix("SIP/2.0 ")
    if status != first and status[:1] in {"1", "2", "3", "4", "5", "6"}:
        return f"s{status[0]}xx"
    return "request" if first.endswith(" SIP/2.0") or not first else "malformed"


def _message(entry: LadderEntry, labels: list[str]) -> Row:
    classes = f"{status_class(entry)} {_place(entry.source, entry.destination, labels)}"
    return Row("message", entry.instant, entry.summary, entry.text, classes, entry.again)


def _stream(span: MediaSpan, labels: list[str]) -> Row:
    packets = "" if span.packets is None else f" · {number(span.packets)} packets"
    words = f"RTP {span.codec}{packets} · {quantity(span.end - span.start, 's', 1)}"
    return Row("media", span.start, words, classes=_place(span.source, span.destination, labels))


def _note(note: Note) -> Row:
    return Row("note", note.instant, str(note))


def _place(source: str, destination: str, labels: list[str]) -> str:
    """Classes for the columns of an arrow; grid lines count from one."""
    last = len(labels) - 1
    begin, end = (labels.index(label) if label in labels else last for label in (source, destination))
    direction = "self" if begin == end else "right" if begin < end else "left"
    left, right = min(begin, end), max(begin, end)
    return f"{direction} from-{left + 1} to-{right + 2} span-{right - left + 1}"
