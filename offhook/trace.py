"""What a phone's calls looked like on the wire: pcap files and ladders.

Nothing is kept unless somebody asks: :meth:`PhoneTrace.capture` writes every SIP message and every RTP packet of the phone's
calls to one pcap file; :meth:`PhoneTrace.remember` keeps the SIP messages, of which :meth:`PhoneTrace.ladder` picks those of
one call.
"""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from .capture import PcapWriter
from .ladder import LadderEntry, MediaSpan, entry_from_message, mark_again
from .sipcore import MalformedMessage, parse
from .sipcore.aio.resolver import LocalAddress

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from .call import Call
    from .sipcore.aio import UserAgent
    from .sipcore.flow import HostPort

MAX_REMEMBERED: Final = 10_000  # messages, about 10 MB; then the oldest go

MediaTap = "Callable[[bytes, HostPort, HostPort, float, bool], None]"


class _Seen(NamedTuple):
    data: bytes
    source: HostPort
    destination: HostPort
    instant: float


class PhoneTrace:
    """Where a phone's captures and ladders are asked for."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent
        self._file: BinaryIO | None = None
        self._writer: PcapWriter | None = None
        self._wall_offset = 0.0
        self._routes = LocalAddress()
        self._seen: deque[_Seen] = deque(maxlen=MAX_REMEMBERED)
        self.forgotten = 0
        "Messages that went because more than :data:`MAX_REMEMBERED` came after them."

    def capture(self, path: str | Path) -> PcapWriter:
        """Write all SIP from now on, and all RTP of calls whose media starts from now on, to a pcap file.

        The file is closed with the phone. To be called when the phone has started. An earlier capture ends.

        Raises:
            LocalError: the phone has not started.
            OSError: the file cannot be written; later failures are counted by the writer.
        """
        wall_offset = time.time() - self._agent.now()
        self.close()
        file = Path(path).open("wb", buffering=0)  # noqa: SIM115 - closed by close()
        try:
            self._writer = PcapWriter(file)
        except OSError:
            file.close()
            raise
        self._file = file
        self._wall_offset = wall_offset
        self._agent.taps.append(self._see)
        return self._writer

    def remember(self) -> None:
        """Keep the SIP messages from now on, for ladders."""
        if self._remember not in self._agent.taps:
            self._agent.taps.append(self._remember)

    def ladder(self, call: Call) -> list[LadderEntry]:
        """The messages of a call that are remembered, retransmissions marked."""
        call_id = call.id.encode("utf-8", "surrogateescape")
        return mark_again(
            [
                entry_from_message(seen.data, seen.instant, _label(seen.source), _label(seen.destination))
                for seen in self._seen
                if call_id in seen.data and _belongs(seen.data, call.id)
            ]
        )

    def media(self, call: Call) -> tuple[MediaSpan, ...]:
        """Both streams of a call that is over, to be drawn into its ladder; empty without media."""
        if call.media is None or call.answered_at is None or call.ended_at is None:
            return ()
        ladder = self.ladder(call)
        if not ladder:
            return ()
        first, quality = ladder[0], call.quality
        ours, theirs = first.source, first.destination
        if call.is_incoming:
            ours, theirs = theirs, ours
        start, end = call.answered_at, call.ended_at
        return (
            MediaSpan(start, end, ours, theirs, quality.codec, quality.sent),
            MediaSpan(start, end, theirs, ours, quality.codec, quality.received),
        )

    @property
    def media_tap(self) -> Callable[[bytes, HostPort, HostPort, float, bool], None] | None:
        """What the media streams have to tell their packets to; None while nothing is captured."""
        return None if self._writer is None else self._see_media

    def close(self) -> None:
        """Close the capture; what is remembered stays."""
        if self._see in self._agent.taps:
            self._agent.taps.remove(self._see)
        if self._file is not None:
            self._file.close()
            self._file = self._writer = None

    def _remember(self, data: bytes, source: HostPort, destination: HostPort, instant: float) -> None:
        self.forgotten += len(self._seen) == MAX_REMEMBERED
        self._seen.append(_Seen(data, source, destination, instant))

    def _see(self, data: bytes, source: HostPort, destination: HostPort, instant: float) -> None:
        if self._writer is not None:
            self._writer.write(data, source, destination, instant + self._wall_offset)

    def _see_media(self, data: bytes, source: HostPort, destination: HostPort, instant: float, is_rtcp: bool) -> None:
        del is_rtcp
        # A socket that is bound to all of our addresses does not say which one its packets leave from; the routes do.
        seen_from = (self._routes.facing(destination[0], source[0]), source[1])
        seen_at = (self._routes.facing(source[0], destination[0]), destination[1])
        self._see(data, seen_from, seen_at, instant)


def _belongs(data: bytes, call_id: str) -> bool:
    """Whether the message, which holds the Call-ID somewhere, is one of this call; what cannot be read is shown."""
    try:
        return parse(data).call_id == call_id
    except MalformedMessage as fault:
        return fault.partial is None or fault.partial.headers.get("Call-ID") in {None, call_id}


def _label(address: HostPort) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
