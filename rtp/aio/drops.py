"""Why a datagram never came as far as the session, or never left: each reason is a sentence."""

from enum import StrEnum


class SocketDrop(StrEnum):
    """What was lost at the socket; `offhook.rtp.Drop` has the reasons of the layer above."""

    BACKLOG = "lay in the socket before the stream was started"
    TOO_LONG = "is longer than a datagram of media may be"
    QUEUE_FULL = "found the receive queue of the kernel full"
    ICMP = "was refused on its way, as an ICMP message told"
    SEND_QUEUE_FULL = "found the send queue of the kernel full"
    UNSENDABLE = "could not be sent: the system refused the address or had no route"
    NOWHERE = "had nowhere to go: no numeric address of our IP version was known"
