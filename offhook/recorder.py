"""A call on one time line: stereo, caller left, callee right, each sample where it was on the wire.

What we send is placed at the instant its packet left, what we hear at the instant the kernel saw it arrive. The file is
valid at every moment, so that a crash leaves a recording that plays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .codecs import codec
from .incoming import Decoders
from .rtp import StereoTimeline

if TYPE_CHECKING:
    from pathlib import Path

    from .codecs import Pcm
    from .media import Media
    from .rtp import Received


class Recorder:
    """Writes one WAV file; a :class:`~.media.WireObserver`."""

    def __init__(self, path: Path, media: Media, *, incoming_is_caller: bool, start: float) -> None:
        self.path = path
        self.start = start
        "The instant of the first sample, seconds."
        self._media = media
        self._file = path.open("w+b")
        self._timeline = StereoTimeline(media.incoming.sample_rate, start, self._file)
        self._own = codec(media.agreed.codec.name)
        self._own_type = media.agreed.send_payload_type
        self._peer = Decoders(media.agreed.receive_types)
        if incoming_is_caller:
            self._place_sent, self._place_heard = self._timeline.add_right, self._timeline.add_left
        else:
            self._place_sent, self._place_heard = self._timeline.add_left, self._timeline.add_right
        media.observers.append(self)

    def sent(self, payload_type: int, payload: bytes, timestamp: int, instant: float) -> None:
        """A packet of ours left."""
        del timestamp
        if payload_type == self._own_type:
            self._place_sent(self._own.decode(payload), instant)

    def arrived(self, packet: Received, instant: float) -> None:
        """A packet of the peer was accepted."""
        pcm: Pcm | None = self._peer.decode(packet.payload_type, packet.payload)
        if pcm is not None:
            self._place_heard(pcm, instant)

    def close(self) -> None:
        """Write what is held and close the file; nothing happens the second time."""
        if self in self._media.observers:
            self._media.observers.remove(self)
        if not self._file.closed:
            self._timeline.close()
            self._file.close()
