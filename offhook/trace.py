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
from .ladder import LadderEntry, entry_from_message, mark_again

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
        self._seen: deque[_Seen] = deque(maxlen=MAX_REMEMBERED)

    def capture(self, path: str | Path) -> PcapWriter:
        """Write all SIP from now on, and all RTP of calls whose media starts from now on, to a pcap file.

        The file is closed with the phone. To be called when the phone has started.
        """
        self.close()
        self._file = Path(path).open("wb")  # noqa: SIM115 - closed by close()
        self._writer = PcapWriter(self._file)
        self._wall_offset = time.time() - self._agent.now()
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
                if call_id in seen.data
            ]
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
        self._seen.append(_Seen(data, source, destination, instant))

    def _see(self, data: bytes, source: HostPort, destination: HostPort, instant: float) -> None:
        if self._writer is not None:
            self._writer.write(data, source, destination, instant + self._wall_offset)

    def _see_media(self, data: bytes, source: HostPort, destination: HostPort, instant: float, is_rtcp: bool) -> None:
        del is_rtcp
        self._see(data, source, destination, instant)


def _label(address: HostPort) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
