"""One stream as the engine serves it: its sockets, its session and its player, brought together when it is due.

Theory of operation. The engine calls `send_due` at the ticks of the stream's own slot and `listen` one tick before, so that
what has arrived can be answered by the very next frame. Neither waits, and neither allocates more than the packets:

* `send_due` takes the frames whose instants have come from the player through the session to the wire. After a late
  wake-up it sends two at most; older ones are skipped: the RTP timestamp advances over them, the player is not asked, the
  skip is counted and told.
* `listen` reads the RTP socket until it is empty, gives each datagram to the session, then plays what is due.
* the chores (RTCP in and out, key presses that never ended) are done ten times a second, in `listen`.

Media goes where the session says. Only numeric addresses are sent to: a name would stop the loop for a DNS query.
"""

from __future__ import annotations

import contextlib
import socket
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

from offhook.rtp.cadence import Cadence, catch_up
from offhook.rtp.lateness import Lateness, LatenessHistogram

from .arrival import ANCILLARY_OCTETS, ArrivalClock, queue_drops
from .drops import SocketDrop
from .events import FramesSkipped, StreamFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from offhook.rtp.events import Address
    from offhook.rtp.session import RtpSession

    from .player import Player
    from .ports import PortPair

    Tap = Callable[[bytes, Address, Address, float, bool], None]

MAX_DATAGRAM_OCTETS = 2_048
"""Octets of one datagram of media: more than an Ethernet frame holds; what is longer is cut by the kernel and dropped."""

MAX_DATAGRAMS_PER_VISIT = 64
"""Datagrams read of one socket in one go: a second of audio after a stall, and no more of one stream at the cost of others."""

MAX_BACKLOG_DATAGRAMS = 4_096
"""Datagrams thrown away at the start: more than a receive buffer holds, so that only a flood reaches it."""

MAX_SKIPPED_FRAMES = 3_000
"""Frames that the timestamp advances over at once: a minute; after a longer stop the call is over anyway."""

CHORES_INTERVAL = 0.1
"""Seconds between looks at RTCP, which comes and goes every few seconds; its arrivals are stamped by the kernel."""

# RFC 5761 4: on one port, these values of the second octet are RTCP packet types, and RTP has payload types beside them.
_FIRST_RTCP, _LAST_RTCP = 192, 223
_LAST_PORT = 65_535
_TRUNCATED = int(socket.MSG_TRUNC)  # the flag itself is an IntFlag, whose `&` takes a microsecond
_SILENCE: tuple[int, bytes | None] = (0, None)


class MediaStream:
    """A running stream; made by `MediaEngine.start`."""

    __slots__ = (
        "_arrivals",
        "_cadence",
        "_chores_at",
        "_destination",
        "_drained_at",
        "_drops",
        "_frame",
        "_histogram",
        "_is_destination_usable",
        "_monotonic",
        "_pair",
        "_player",
        "_queue_drops",
        "_retire",
        "octets_in",
        "octets_out",
        "packets_in",
        "packets_out",
        "pause_sending",
        "rtcp_destination",
        "rtcp_mux",
        "session",
        "stopped",
        "tap",
    )

    def __init__(
        self,
        pair: PortPair,
        session: RtpSession,
        player: Player,
        *,
        cadence: Cadence,
        arrivals: ArrivalClock,
        monotonic: Callable[[], float],
        retire: Callable[[MediaStream], None],
        rtcp_mux: bool = False,
    ) -> None:
        self.session = session
        self.pause_sending = False
        """True = the player is not asked and nothing is sent but RTCP; the RTP timestamp goes on."""
        self.tap: Tap | None = None
        """Is handed each datagram for a capture: data, source, destination, monotonic instant, whether it is RTCP."""
        self.rtcp_mux = rtcp_mux
        """Whether RTCP is sent from and to the RTP port (RFC 5761); it is understood there in any case."""
        self.rtcp_destination: Address | None = None
        """Where RTCP goes, if signalling gave an address of its own (a=rtcp, RFC 3605); None = beside the media."""
        self.packets_in = self.octets_in = self.packets_out = self.octets_out = 0
        """RTP and RTCP datagrams that passed the sockets, and the octets in them."""
        self.stopped = False
        self._pair = pair
        self._player = player
        self._cadence = cadence
        self._arrivals = arrivals
        self._monotonic = monotonic
        self._retire = retire
        self._frame = -1  # index of the last frame that was sent or skipped
        self._histogram = LatenessHistogram()
        self._drops: dict[SocketDrop, int] = {}
        self._queue_drops = [0, 0]  # the kernel's own counts: of the RTP socket, of the RTCP socket
        self._destination: Address | None = None
        self._is_destination_usable = False
        self._drained_at = [0.0, 0.0]  # when the sockets were last found empty
        self._discard_backlog()
        self._chores_at = monotonic() + CHORES_INTERVAL

    def __repr__(self) -> str:
        state = "stopped" if self.stopped else f"to {self.session.destination}"
        return f"<MediaStream {self._pair!r} {state}: {self.packets_out} out, {self.packets_in} in>"

    @property
    def address(self) -> Address:
        """Host and port where the stream receives."""
        return self._pair.address

    def lateness(self) -> Lateness:
        """How late the RTP packets left against their instants; `skipped` = frames that were left out."""
        return self._histogram.snapshot()

    def drops(self) -> dict[SocketDrop, int]:
        """What was lost at the sockets, by reason; the session counts the rest."""
        queue_full = sum(self._queue_drops)
        return {**self._drops, SocketDrop.QUEUE_FULL: queue_full} if queue_full else dict(self._drops)

    def stop(self) -> None:
        """Says goodbye by RTCP, closes the sockets and lets the ports rest; stopping twice is stopping once."""
        if self.stopped:
            return
        self.stopped = True
        try:
            self.session.close(self._monotonic(), time.time())
            self._send_rtcp()
        finally:
            self._pair.close()
            self._retire(self)

    def fail(self, error: Exception) -> None:
        """Ends the stream because of its player, and tells the player so; nothing is raised."""
        with contextlib.suppress(Exception):  # it has failed already, and the first error is the one to tell
            self.stop()
        with contextlib.suppress(Exception):
            self._player.told(StreamFailed(error))

    def add_lateness_to(self, total: LatenessHistogram) -> None:
        """Adds what `lateness` shows to a sum over streams."""
        total.add(self._histogram)

    # Sending.

    def send_due(self, now: float) -> None:
        """Sends the frames whose instants have come."""
        due = self._cadence.index(now) - self._frame
        if due <= 0:
            return
        if due > 1:
            skipped, due = catch_up(due)
            if skipped:
                self._skip(skipped, now)
        for _ in range(due):
            self._frame += 1
            self._send_frame(now)

    def _send_frame(self, now: float) -> None:
        """Asks the player, and sends what comes of it; a stream that was stopped meanwhile has a session that is closed."""
        session, frame = self.session, None
        destination = session.destination
        if destination != self._destination:
            self._destination, self._is_destination_usable = destination, self._can_reach(destination)
        if self._is_destination_usable:
            if not self.pause_sending and not self.stopped:
                frame = self._player.next_frame(now)
        elif destination is not None:
            self._count(SocketDrop.NOWHERE)
        payload_type, payload = frame or _SILENCE
        data = session.send_frame(payload, payload_type, now)
        if data is not None:
            self._send_rtp(data)

    def _send_rtp(self, data: bytes) -> None:
        destination = self._destination
        if destination is None or not self._is_destination_usable:
            return
        instant = self._monotonic()
        try:
            self._pair.rtp.sendto(data, destination)
        except OSError as error:
            self._count(_send_drop(error))
            return
        self.packets_out += 1
        self.octets_out += len(data)
        self._histogram.record(instant - self._cadence.instant(self._frame))
        if self.tap is not None:
            self.tap(data, self._pair.address, destination, instant, False)
        self._player.sent(data, instant)

    def _skip(self, frames: int, now: float) -> None:
        """Lets the RTP timestamp pass over frames for which it is too late."""
        self._frame += frames
        self._histogram.skipped += frames
        for _ in range(min(frames, MAX_SKIPPED_FRAMES)):
            data = self.session.send_frame(None, 0, now)
            # A key press goes on: its packets say how long it lasts already, and the last three that it has ended.
            if data is not None:
                self._send_rtp(data)
        self._player.told(FramesSkipped(frames, now))

    def _can_reach(self, destination: Address | None) -> bool:
        if destination is None or not 0 < destination[1] <= _LAST_PORT:
            return False
        try:
            return (ip_address(destination[0]).version == 6) == self._pair.is_ipv6
        except ValueError:
            return False

    # Receiving.

    def listen(self) -> None:
        """Takes what has come, plays what is due, and does the chores when it is time for them."""
        now = self._monotonic()
        before = self.packets_in
        self._drain(self._pair.rtp, 0, now)
        take, play = self.session.take, self._player.play
        while not self.stopped and (item := take(now)) is not None:
            play(item)
        if now >= self._chores_at and not self.stopped:
            self._do_chores(now)
        elif self.packets_in != before and not self.stopped:
            self._tell_events()

    def _drain(self, receiver: socket.socket, which: int, now: float) -> None:
        """Reads a socket until it is empty; `which` is 0 for RTP and 1 for RTCP."""
        recvmsg, earliest = receiver.recvmsg, self._drained_at[which]
        for _ in range(MAX_DATAGRAMS_PER_VISIT):
            try:
                data, ancillary, flags, source = recvmsg(MAX_DATAGRAM_OCTETS, ANCILLARY_OCTETS)
            except BlockingIOError:
                self._drained_at[which] = now
                return
            except OSError:
                if self.stopped:  # by a callback for the datagram before
                    return
                self._count(SocketDrop.ICMP)
                continue
            if len(ancillary) > 1:
                self._queue_drops[which] = queue_drops(ancillary) or self._queue_drops[which]
            if flags & _TRUNCATED:
                self._count(SocketDrop.TOO_LONG)
                continue
            self.packets_in += 1
            self.octets_in += len(data)
            source = source[:2]  # of an IPv6 address the flow and the scope are left out
            arrival = self._arrivals.instant(ancillary, earliest, now)
            is_rtcp = which == 1 or (len(data) > 1 and _FIRST_RTCP <= data[1] <= _LAST_RTCP)
            if self.tap is not None:
                address = self._pair.rtcp_address if which else self._pair.address
                self.tap(data, source, address, arrival, is_rtcp)
            if is_rtcp:
                self.session.receive_rtcp(data, source, arrival)
                continue
            received = self.session.receive_rtp(data, source, arrival, now)
            if received is not None:
                self._player.arrived(received, arrival)

    def _discard_backlog(self) -> None:
        """What came before anybody listened would only be played late, and hold up all that follows."""
        now = self._monotonic()
        for receiver in (self._pair.rtp, self._pair.rtcp):
            for _ in range(MAX_BACKLOG_DATAGRAMS):
                try:
                    receiver.recv(1)
                except BlockingIOError:
                    break
                except OSError:
                    self._count(SocketDrop.ICMP)
                else:
                    self._count(SocketDrop.BACKLOG)
        self._drained_at = [now, now]

    # Chores.

    def _do_chores(self, now: float) -> None:
        self._chores_at = now + CHORES_INTERVAL
        self._drain(self._pair.rtcp, 1, now)
        deadline = None if self.stopped else self.session.next_deadline()
        if deadline is not None and deadline <= now:
            self.session.handle_timeout(now, time.time())
            self._send_rtcp()
        self._tell_events()

    def _send_rtcp(self) -> None:
        destination = self._rtcp_destination()
        for data in self.session.rtcp_to_send():
            if destination is None or not self._can_reach(destination):
                self._count(SocketDrop.NOWHERE)
            else:
                self._send_report(data, destination)

    def _send_report(self, data: bytes, destination: Address) -> None:
        sender, address = self._pair.rtcp, self._pair.rtcp_address
        if self.rtcp_mux:
            sender, address = self._pair.rtp, self._pair.address
        try:
            sender.sendto(data, destination)
        except OSError as error:
            self._count(_send_drop(error))
            return
        self.packets_out += 1
        self.octets_out += len(data)
        if self.tap is not None:
            self.tap(data, address, destination, self._monotonic(), True)

    def _rtcp_destination(self) -> Address | None:
        media = self.session.destination
        if self.rtcp_mux or media is None:
            return media
        return self.rtcp_destination or (media[0], media[1] + 1)

    def _tell_events(self) -> None:
        for event in self.session.events():
            if self.stopped:
                return
            self._player.told(event)

    def _count(self, reason: SocketDrop) -> None:
        self._drops[reason] = self._drops.get(reason, 0) + 1


def _send_drop(error: OSError) -> SocketDrop:
    if isinstance(error, BlockingIOError):
        return SocketDrop.SEND_QUEUE_FULL
    return SocketDrop.ICMP if isinstance(error, ConnectionRefusedError) else SocketDrop.UNSENDABLE
