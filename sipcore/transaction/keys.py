"""By which name a message finds its transaction (RFC 3261 sections 17.1.3 and 17.2.3).

A key is a tuple, so that a lookup is one access to a dictionary however many transactions live. Requests of RFC 3261 bear
a branch that is unique; requests of RFC 2543 do not, and are recognised by six of their fields instead. A branch that is
nothing but the magic cookie is no name at all: whoever sends it is treated as of RFC 2543.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from offhook.sipcore.message import Request, Response

Key: TypeAlias = tuple[str | int | None, ...]

LEGACY: Final = "RFC 2543"
"The first word of a key by the older rules; no branch of RFC 3261 is spelt so."


def client_key(message: Request | Response) -> Key:
    """The client transaction of a request that we send, or of a response that came in (section 17.1.3).

    "If the response has the same value of the branch parameter in the top Via header field as the branch parameter in the top
    Via header field of the request that created the transaction" and "if the method parameter in the CSeq header field
    matches": a CANCEL has the branch of its INVITE.

    Raises:
        MalformedMessage: Via or CSeq is missing or cannot be read.
    """
    return message.via.branch, message.cseq.method


def server_key(request: Request) -> Key:
    """The server transaction of a request that came in (section 17.2.3); an ACK belongs to its INVITE.

    Raises:
        MalformedMessage: a field that takes part is missing or cannot be read.
    """
    method = request.method
    via = request.via
    if via.has_magic_branch:
        return via.parameters["branch"], via.sent_by, method if method != "ACK" else "INVITE"
    return _legacy_key(request, request, method)


def cancelled_key(cancel: Request) -> Key:
    """The INVITE server transaction that a CANCEL is about (section 9.2).

    "This is done by using the same matching procedure of section 17.2.3", with INVITE for the method.

    Raises:
        MalformedMessage: as :func:`server_key`.
    """
    via = cancel.via
    if via.has_magic_branch:
        return via.branch, via.sent_by, "INVITE"
    return _legacy_key(cancel, cancel, "INVITE")


def legacy_ack_key(invite: Request, response: Response) -> Key:
    """The second name of an INVITE transaction of RFC 2543: that of the ACK which is to come (section 17.2.3).

    "the To tag of the ACK" is compared with "the To tag of the response sent by the server transaction".

    Raises:
        MalformedMessage: as :func:`server_key`.
    """
    return _legacy_key(invite, response, "ACK")


def _legacy_key(request: Request, tagged: Request | Response, method: str) -> Key:
    """The fields that section 17.2.3 compares: "the Request-URI, To tag, From tag, Call-ID, CSeq, and top Via"."""
    return (
        LEGACY,
        request.target,
        tagged.to.tag,
        request.from_.tag,
        request.call_id,
        request.cseq.number,
        str(request.via),
        method,
    )
