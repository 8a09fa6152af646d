"""The media of one call: the only place where SDP, RTP and codecs meet.

What offer and answer agreed on (:class:`~offhook.sipcore.sdp.AgreedMedia`) becomes an RTP session, one encoder, a decoder
for each payload type that may arrive, and a stream of the engine. A fault of the kind "wrong payload type" can only be here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from .codecs import codec
from .incoming import Incoming
from .outgoing import Outgoing
from .rtp import JitterBuffer, RtpSession
from .sipcore.sdp import Codec
from .sipcore.sdp.media import is_unspecified

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from .rtp import Gap, Playout, Received, StreamStats
    from .rtp.aio import MediaEngine, MediaStream, PlayerEvent, PortPair, SocketDrop
    from .sipcore.sdp import AgreedMedia

SPOKEN: Final = {"PCMU": Codec(0, "PCMU", 8_000), "PCMA": Codec(8, "PCMA", 8_000)}
"What can be offered, by name; both are static payload types of RFC 3551."
EVENT: Final = Codec(101, "telephone-event", 8_000, 1, "0-16")
MediaTap = Callable[[bytes, tuple[str, int], tuple[str, int], float, bool], None]
"Sees octets, source, destination, instant, and whether it is RTCP."
RTP_HEADER_OCTETS: Final = 12  # of the packets that we send: no CSRC, no extension


def spoken(names: tuple[str, ...]) -> tuple[Codec, ...]:
    """The codecs of these names, in this order; a name that comes twice counts once.

    Raises:
        ValueError: a name that is not spoken here, or none at all.
    """
    unknown = [name for name in names if name.upper() not in SPOKEN]
    if unknown or not names:
        raise ValueError(f"no such codec: {', '.join(unknown) or '(none)'}; there are {', '.join(SPOKEN)}")
    return tuple(SPOKEN[name] for name in dict.fromkeys(name.upper() for name in names))


class WireObserver(Protocol):
    """Somebody who wants to know what was on the wire, and when: recordings, measurements."""

    def sent(self, payload_type: int, payload: bytes, timestamp: int, instant: float) -> None:
        """A packet of ours left."""

    def arrived(self, packet: Received, instant: float) -> None:
        """A packet of the peer was accepted; ``instant`` is when the kernel saw it."""


class Media:
    """The player of one stream of the media engine; see :class:`~offhook.rtp.aio.Player`.

    Args:
        agreed: what offer and answer came to.
        dice: source of SSRC, sequence number, timestamp and CNAME.
        now: the loop's clock.
        told: hears what happens to the stream.
    """

    def __init__(
        self,
        agreed: AgreedMedia,
        dice: Random,
        now: Callable[[], float],
        told: Callable[[PlayerEvent], None],
    ) -> None:
        self.agreed = agreed
        self.ptime: Final = agreed.ptime
        """Seconds of sound in each packet of ours, for the life of the stream. What a later description asks for is a wish
        (RFC 8866 6.4: "it should not be necessary to know ptime to decode RTP"), and our clock keeps its step."""
        self._now = now
        self.told = told
        self.outgoing = Outgoing(codec(agreed.codec.name), agreed.send_payload_type, agreed.ptime)
        self.outgoing.muted = not agreed.may_send
        self.incoming = Incoming(agreed.receive_types, agreed.codec.clock_rate)
        self.observers: list[WireObserver] = []
        self.session = RtpSession(
            ssrc=dice.getrandbits(32),
            first_sequence=dice.getrandbits(15),  # RFC 3550 5.1: random; below 2**15, so that SRTP can count wraps
            first_timestamp=dice.getrandbits(32),
            clock_rate=agreed.codec.clock_rate,
            ptime=agreed.ptime,
            cname=f"{dice.getrandbits(96):024x}",  # RFC 7022 4.2: random, and never a user's name
            remote=_destination(agreed),
            accept_types=frozenset(agreed.receive_types),
            event_type=agreed.receive_event_type,
            send_event_type=_keys_type(agreed),
            rng=dice,
            now=now(),
            jitter_buffer=JitterBuffer(agreed.codec.clock_rate),
        )
        self.stream: MediaStream | None = None
        "None until it is started."
        self._keys_sent: asyncio.Future[None] | None = None

    def start(self, engine: MediaEngine, pair: PortPair, tap: MediaTap | None = None) -> None:
        """Let the engine's clock serve it from now on; ``tap`` sees every datagram.

        Raises:
            TooManyStreams: the engine serves as many as it may; the ports are still the caller's.
        """
        self.stream = engine.start(pair, self.session, self, ptime=self.ptime)
        self.stream.rtcp_destination = _rtcp_destination(self.agreed)
        self.stream.tap = tap

    async def press(self, digits: str, duration: float, gap: float) -> None:
        """Send telephone events and wait until the last one has left, or the stream has ended."""
        self.session.send_dtmf(digits, duration, gap)
        if self.session.is_sending_dtmf:
            if self._keys_sent is None:
                self._keys_sent = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._keys_sent)

    def _release_keys(self) -> None:
        if self._keys_sent is not None:
            self._keys_sent.set_result(None)
            self._keys_sent = None

    def stop(self) -> None:
        """Say RTCP BYE and free the ports; what waits to be played is stopped. Stopping twice is stopping once."""
        self.outgoing.flush()
        self._release_keys()
        if self.stream is not None:
            self.stream.stop()

    def adopt(self, agreed: AgreedMedia) -> None:
        """What a new offer and answer changed: addresses, payload types, direction, codec."""
        self.outgoing.adopt(codec(agreed.codec.name), agreed.send_payload_type)
        self.outgoing.muted = not agreed.may_send
        self.incoming.adopt(agreed.receive_types)
        self.session.update(
            remote=_destination(agreed),
            accept_types=frozenset(agreed.receive_types),
            event_type=agreed.receive_event_type,
            send_event_type=_keys_type(agreed),
            now=self._now(),
        )
        if self.stream is not None:
            self.stream.rtcp_destination = _rtcp_destination(agreed)
        if agreed.may_send and agreed.send_event_type is None:
            self._release_keys()  # what was pressed can never be sent: nobody is to wait for it
        self.agreed = agreed

    def socket_drops(self) -> Mapping[SocketDrop, int]:
        """What was lost at our own sockets, by reason."""
        return self.stream.drops() if self.stream is not None else {}

    def stats(self) -> StreamStats:
        """Counts of the stream in both directions."""
        return self.session.stats()

    @property
    def skipped(self) -> int:
        """Frames of ours that were left out, because our own process was too late for them."""
        return 0 if self.stream is None else self.stream.lateness().skipped

    @property
    def receive_types(self) -> Mapping[int, Codec]:
        """What may arrive, by payload type."""
        return self.agreed.receive_types

    # -- what the engine calls, once a tick ----------------------------------------------------------------------------

    def next_frame(self, now: float) -> tuple[int, bytes] | None:
        """The payload that is due; None while on hold."""
        del now
        if self._keys_sent is not None and self.session.is_sending_dtmf:
            # Events take the place of sound (RFC 4733 2.5.1.2): what is queued waits, so that none of it is lost under them.
            return None if self.outgoing.muted else self.outgoing.silence
        return self.outgoing.next_frame()

    def sent(self, data: bytes, instant: float) -> None:
        """A datagram of ours left."""
        self.outgoing.left(instant)
        if self._keys_sent is not None and not self.session.is_sending_dtmf:
            self._release_keys()
        if self.observers:
            timestamp = int.from_bytes(data[4:8], "big")
            for observer in tuple(self.observers):
                observer.sent(data[1] & 0x7F, data[RTP_HEADER_OCTETS:], timestamp, instant)

    def arrived(self, received: Received, instant: float) -> None:
        """A packet of the peer was accepted."""
        for observer in tuple(self.observers):
            observer.arrived(received, instant)

    def play(self, item: Playout | Gap) -> None:
        """The jitter buffer gave out what is due."""
        self.incoming.play(item, self._now())


def _destination(agreed: AgreedMedia) -> tuple[str, int] | None:
    """Where to send to; nowhere while the peer gives 0.0.0.0 (the hold of RFC 2543), which would be this very host."""
    return None if is_unspecified(agreed.remote[0]) else agreed.remote


def _rtcp_destination(agreed: AgreedMedia) -> tuple[str, int] | None:
    """Where RTCP goes if not beside the media (RFC 3605)."""
    host, port = agreed.remote
    return None if agreed.remote_rtcp == (host, port + 1) or _destination(agreed) is None else agreed.remote_rtcp


def _keys_type(agreed: AgreedMedia) -> int | None:
    """The payload type of the keys we press; none while nothing may be sent, keys included."""
    return agreed.send_event_type if agreed.may_send else None
