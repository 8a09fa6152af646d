"""Offer and answer of one call, with the ports that it needs.

One :class:`Negotiation` lives as long as its call. It opens the RTP ports when the first description of ours is written,
remembers what was offered and agreed, and starts the media when both sides have spoken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .media import EVENT, Media
from .sipcore import sdp
from .sipcore.sdp import Codec, LocalMedia, NotAcceptable

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from .media import MediaTap
    from .rtp.aio import MediaEngine, PlayerEvent, PortPair
    from .sipcore.sdp import AgreedMedia, SessionDescription


class Negotiation:
    """Our half of a call's session description.

    Args:
        engine: opens ports and serves the stream.
        codecs: what we speak, most preferred first.
        facing: our address as the peer sees it; called when the first description is written.
        bind: the address that RTP sockets are bound to.
        dice: source of SSRC, sequence number, timestamp, session id.
        now: the loop's clock.
        tap: asked when media starts: who wants to see its datagrams.
    """

    def __init__(
        self,
        engine: MediaEngine,
        codecs: tuple[Codec, ...],
        facing: Callable[[], str],
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
        self._pair: PortPair | None = None
        self._local: LocalMedia | None = None
        self._offered: SessionDescription | None = None
        self._described: SessionDescription | None = None  # what we said last, for the version of what we say next
        self._media: Media | None = None
        self.agreed: AgreedMedia | None = None
        "What both sides know; None before they have spoken."

    def offer(self) -> bytes:
        """Write an offer.

        Raises:
            NoPortsLeft: every RTP port is taken.
        """
        self._offered = self._describe(sdp.build_offer(self._ours()))
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
        self.agreed = negotiated.media
        return self._describe(negotiated.answer).serialize()

    def complete(self, body: bytes) -> None:
        """Take the peer's answer to our offer.

        Raises:
            MalformedDescription: it is no session description.
            NotAcceptable: it does not answer our offer, refuses it, or there is none.
        """
        if self._offered is None or not body:
            raise NotAcceptable(sdp.Refusal.NO_STREAM)
        self.agreed = sdp.complete(self._offered, sdp.parse(body))

    def start(self, told: Callable[[PlayerEvent], None]) -> Media:
        """Let sound flow as agreed."""
        assert self.agreed is not None
        assert self._pair is not None
        self._media = Media(self.agreed, self._dice, self._now, told)
        self._media.start(self._engine, self._pair, self._tap())
        return self._media

    def close(self) -> None:
        """Free the ports, unless the media has them and frees them itself."""
        if self._pair is not None and self._media is None:
            self._pair.close()
        self._pair = None

    def _ours(self) -> LocalMedia:
        if self._local is None:
            self._pair = self._engine.open(self._bind)
            self._local = LocalMedia(
                self._facing(),
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
