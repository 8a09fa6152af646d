"""Offer and answer of one call, with the ports that it needs.

One :class:`Negotiation` lives as long as its call. It opens the RTP ports when the first description of ours is written,
remembers what was offered and agreed, and starts the media when both sides have spoken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .media import EVENT, Media
from .sipcore import sdp
from .sipcore.flow import is_numeric
from .sipcore.sdp import Codec, LocalMedia, NotAcceptable

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from .media import MediaTap
    from .rtp.aio import MediaEngine, PlayerEvent, PortPair
    from .sipcore.message import Message
    from .sipcore.sdp import AgreedMedia, SessionDescription


class Negotiation:
    """Our half of a call's session description.

    Args:
        engine: opens ports and serves the stream.
        codecs: what we speak, most preferred first.
        facing: our address as the peer sees it, for the description.
        bind: the address that RTP sockets are bound to.
        dice: source of SSRC, sequence number, timestamp, session id.
        now: the loop's clock.
        tap: asked when media starts: who wants to see its datagrams.
    """

    def __init__(
        self,
        engine: MediaEngine,
        codecs: tuple[Codec, ...],
        facing: str,
        bind: str,
        dice: Random,
        now: Callable[[], float],
        tap: Callable[[], MediaTap | None],
    ) -> None:
        self._engine = engine
        self._codecs = codecs
        self._facing = facing
        self._bind = bind
        self._dice = dice
        self._now = now
        self._tap = tap
        self._pair: PortPair | None = None  # ours until the media takes it over
        self._local: LocalMedia | None = None
        self._offered: SessionDescription | None = None
        self._described: SessionDescription | None = None  # what we said last, for the version of what we say next
        self.agreed: AgreedMedia | None = None
        "What both sides know; None before they have spoken."
        self.is_offering = False
        "Whether the last word was an offer of ours, so that the peer's next description is its answer."

    def offer(self) -> bytes:
        """Write an offer.

        Raises:
            NoPortsLeft: every RTP port is taken.
        """
        self._offered = self._describe(sdp.build_offer(self._ours()))
        self.is_offering = True
        return self._offered.serialize()

    def answer(self, body: bytes) -> bytes:
        """Answer the peer's offer; to an empty one (a late offer) the answer is an offer of ours.

        Raises:
            MalformedDescription: it is no session description.
            NotAcceptable: nothing in it fits.
            NoPortsLeft: every RTP port is taken.
        """
        if not body:
            return self.offer()
        negotiated = sdp.negotiate(sdp.parse(body), self._ours())
        self.agreed = self._reachable(negotiated.media)
        self.is_offering = False
        return self._describe(negotiated.answer).serialize()

    def complete(self, body: bytes) -> None:
        """Take the peer's answer to our offer; a later one of the same offer (a 200 after a 183) takes its place.

        Raises:
            MalformedDescription: it is no session description.
            NotAcceptable: it does not answer our offer, refuses it, or there is none.
        """
        if self._offered is None or not body:
            raise NotAcceptable(sdp.Refusal.NO_STREAM)
        self.agreed = self._reachable(sdp.complete(self._offered, sdp.parse(body)))
        self.is_offering = False

    def _reachable(self, agreed: AgreedMedia) -> AgreedMedia:
        """Refuse media that would have to go to a host name or to another version of IP: the call would be mute."""
        host = agreed.remote[0]
        if not is_numeric(host) or (":" in host) != (":" in self._bind):
            raise NotAcceptable(sdp.Refusal.NO_ADDRESS)
        return agreed

    def start(self, told: Callable[[PlayerEvent], None]) -> Media:
        """Let sound flow as agreed.

        Raises:
            TooManyStreams: the engine serves as many as it may.
        """
        assert self.agreed is not None
        assert self._pair is not None
        media = Media(self.agreed, self._dice, self._now, told)
        media.start(self._engine, self._pair, self._tap())
        self._pair = None
        return media

    def close(self) -> None:
        """Free the ports, unless the media has taken them over and frees them itself."""
        if self._pair is not None:
            self._pair.close()
            self._pair = None

    def _ours(self) -> LocalMedia:
        if self._local is None:
            self._pair = self._engine.open(self._bind)
            self._local = LocalMedia(
                self._facing,
                self._pair.address[1],
                self._codecs,
                EVENT,
                rtcp_mux=False,
                session_id=self._dice.getrandbits(62),
            )
        return self._local

    def _describe(self, description: SessionDescription) -> SessionDescription:
        """RFC 3264 8: the version grows by one when, and only when, the description changes."""
        if self._described is not None:
            description = sdp.revise(self._described, description)
        self._described = description
        return description


def description_in(message: Message) -> bytes:
    """The session description that a message bears; nothing where its body is something else (ISUP, a picture).

    A body without a type is taken for one: RFC 3261 20.15 wants the type to be named, and some do not.
    """
    return message.body if message.content_type in {"application/sdp", ""} else b""


def warning_of(fault: sdp.NotAcceptable | sdp.MalformedDescription) -> tuple[tuple[str, str], ...]:
    """The Warning of a refusal for the session's sake (RFC 3261 20.43); 399 is a text for people."""
    code = fault.refusal.warning if isinstance(fault, NotAcceptable) else 399
    text = "".join(c if c.isprintable() and c not in '"\\' else "'" for c in str(fault))
    return (("Warning", f'{code} offhook "{text}"'),)
