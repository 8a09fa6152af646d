"""What offer and answer came to, made for tests of the media: two descriptions of ours, negotiated."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from offhook.media import EVENT, SPOKEN, Media
from offhook.sipcore import sdp

if TYPE_CHECKING:
    from collections.abc import Callable

    from offhook.sipcore.sdp import AgreedMedia

PEER = ("127.0.0.1", 4_000)


def agreed(*codecs: str, direction: str = "sendrecv", address: str = PEER[0], **offer: Any) -> AgreedMedia:
    """The peer, at 127.0.0.1:4000, offers these codecs in this direction; further arguments as of `LocalMedia`."""
    spoken = tuple(SPOKEN[name] for name in codecs or ("PCMU", "PCMA"))
    offer = {"event": EVENT, "rtcp_mux": False, "session_id": 1, "direction": sdp.Direction(direction), **offer}
    theirs = sdp.build_offer(sdp.LocalMedia("127.0.0.1", PEER[1], spoken, **offer)).serialize()
    theirs = theirs.replace(b"c=IN IP4 127.0.0.1", f"c=IN IP4 {address}".encode())
    ours = sdp.LocalMedia("127.0.0.1", 4_002, tuple(SPOKEN.values()), EVENT, rtcp_mux=False, session_id=2)
    return sdp.negotiate(sdp.parse(theirs), ours).media


def media(agreement: AgreedMedia | None = None, told: Callable[[Any], None] = lambda _: None) -> Media:
    """Media that nobody has started, on a clock that stands still, with seeded dice."""
    return Media(agreement or agreed(), random.Random(7), lambda: 0.0, told)
