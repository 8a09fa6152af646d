"""Why a message, a deadline or a wish was ignored: nothing disappears silently.

The protocol core does not log. What it ignores it names by a member of :class:`Drop`, whose value is the sentence that the
user reads, and counts under that name. A drop is never an error: each is something that a correct peer, a lossy network or
a race between two users can bring about.
"""

from __future__ import annotations

from enum import StrEnum


class Drop(StrEnum):
    """Each value is the sentence shown to the user, with the section (of RFC 3261 unless named) that decides it."""

    MALFORMED = "message cannot be read far enough to be matched (17.1.3, 17.2.3)"
    NO_TRANSACTION = "response matches no transaction (17.1.3)"
    TABLE_FULL = "no room for another transaction: to be answered 503 without state (8.2.7, 21.5.4)"
    ANSWERED_STATELESSLY = "answered without a transaction (8.2.7)"

    RETRANSMISSION_ABSORBED = "received before, nothing is to be done again (17.1.2.2, 17.2, RFC 6026 7.1)"
    LATE_PROVISIONAL = "provisional response after a final one (17.1.1.2, 17.1.2.2)"
    LATE_FINAL = "another final response after the first (17.1.1.2, RFC 6026 7.2)"
    EARLY_ACK = "ACK before any final response was sent (17.2.1)"
    ALREADY_ANSWERED = "a final response was sent already (17.2.1, 17.2.2)"

    NOTHING_SENT = "transport failed, but the transaction has nothing under way (17.1.4, 17.2.4)"
    TIMER_STOPPED = "the timer does not run in this state (17.1, 17.2)"
    TRANSACTION_ENDED = "the transaction has ended (17.1.1.2, 17.1.2.2, 17.2.1, 17.2.2)"

    KEEP_ALIVE = "nothing but line ends: a keep-alive (RFC 5626 3.5.1)"
    STRAY_ACK = "ACK for no call of ours (13.3.1.4)"
    UNANSWERABLE = "no address to send an answer to can be read from it (18.2.2)"
    TOO_MANY_SESSIONS = "as many calls stand as may: answered 503 (21.5.4)"
    NO_SOCKET = "the socket that it should leave by is closed"
    MISROUTED = "response with more than one Via: meant for somebody else (8.1.3.3)"
    TOO_MANY_FORKS = "as many callees answered one INVITE as may: not acknowledged (13.2.2.4)"
    SENT_ONCE = "no room for a transaction: the request is sent once and not again (17.1)"
    TOO_LARGE = "longer than a datagram can be: not sent (18.1.1)"
    NAME_QUEUE_FULL = "too many messages wait for the address of a host name"
    NOBODY_LISTENS = "an event of a call that nobody listens to, pushed out by later ones"
