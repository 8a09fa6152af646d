"""A call on one time line: stereo, caller left, callee right, each sample where it was on the wire.

What we send is placed at the instant its packet left, what we hear at the instant the kernel saw it arrive. The file is
valid at every moment, so that a crash leaves a recording that plays: without the last two to three seconds, which are held
until nothing that was overtaken can belong to them any more.

A disk that is full ends the recording and not the call: the error is logged once and kept.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from .codecs import codec, resample
from .incoming import Decoders
from .rtp import StereoTimeline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .codecs import Pcm
    from .media import Media
    from .rtp import Received

_log = logging.getLogger("offhook")


class Recorder:
    """Writes one WAV file; a :class:`~.media.WireObserver`.

    Args:
        path: of the file; one that exists is written over.
        media: what is recorded.
        incoming_is_caller: whether what we hear is the caller's voice, which lies on the left.
        start: the instant of the first sample, seconds.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path, media: Media, *, incoming_is_caller: bool, start: float) -> None:
        self.path = path
        self.start = start
        "The instant of the first sample, seconds."
        self.error: OSError | None = None
        "Why the recording ended before its time."
        self._media = media
        self._file = path.open("w+b")
        try:
            self._timeline = StereoTimeline(media.incoming.sample_rate, start, self._file)
        except OSError:
            with contextlib.suppress(OSError):  # closing writes what is buffered, and is closed even when it cannot
                self._file.close()
            raise
        self._peer = Decoders(media.agreed.receive_types)
        self._adopt()
        if incoming_is_caller:
            self._place_sent, self._place_heard = self._timeline.add_right, self._timeline.add_left
        else:
            self._place_sent, self._place_heard = self._timeline.add_left, self._timeline.add_right
        media.observers.append(self)

    def _adopt(self) -> None:
        """Read what is on the wire by what is agreed on now."""
        self._agreed = self._media.agreed
        self._own = codec(self._agreed.codec.name)
        self._own_type = self._agreed.send_payload_type
        self._peer.adopt(self._agreed.receive_types)

    @property
    def duration(self) -> float:
        """Seconds from the start to the last sample."""
        return self._timeline.duration

    def sent(self, payload_type: int, payload: bytes, timestamp: int, instant: float) -> None:
        """A packet of ours left."""
        del timestamp
        if self._media.agreed is not self._agreed:
            self._adopt()
        if payload_type == self._own_type:
            self._place(self._place_sent, self._own.decode(payload), self._own.sample_rate, instant)

    def arrived(self, packet: Received, instant: float) -> None:
        """A packet of the peer was accepted."""
        if self._media.agreed is not self._agreed:
            self._adopt()
        pcm = self._peer.decode(packet.payload_type, packet.payload)
        if pcm is not None:
            self._place(self._place_heard, pcm, self._peer.sample_rate, instant)

    def _place(self, place: Callable[[Pcm, float], None], pcm: Pcm, rate: int, instant: float) -> None:
        if rate != self._timeline.sample_rate:  # another codec since the recording began
            pcm = resample(pcm, rate, self._timeline.sample_rate)
        try:
            place(pcm, instant)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.error = error
        _log.error("the recording %s ends: %s", self.path, error)
        self.close()

    def close(self) -> None:
        """Write what is held and close the file; nothing happens the second time, and nothing is raised."""
        if self in self._media.observers:
            self._media.observers.remove(self)
        if self._file.closed:
            return
        try:
            if self.error is None:
                self._timeline.close()
        except OSError as error:
            self.error = error
            _log.error("the recording %s lacks its end: %s", self.path, error)
        finally:
            with contextlib.suppress(OSError):  # as above
                self._file.close()

    def __repr__(self) -> str:
        return f"<Recorder {self.path} {self.duration:.2f} s>"
