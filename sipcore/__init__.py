"""Signalling: SIP messages, transactions, dialogs, sessions, SDP.

:class:`UserAgent` is signalling alone, media plugged in by the caller. Below it everything is pure: :func:`parse` makes a
message of a datagram, :class:`Endpoint` is the whole core as one machine without sockets and clocks.
"""

from . import sdp
from .address import Address
from .aio import Leg, ListenError, UnknownHost, UserAgent
from .endpoint import Endpoint, EndpointCounts, Settings
from .exceptions import InvalidState, LocalError, MalformedMessage, RemoteError, SipError
from .headers import Headers
from .message import Request, Response
from .parser import parse
from .timers import Timer, Timers
from .uri import OtherUri, SipUri

__all__ = [
    "Address",
    "Endpoint",
    "EndpointCounts",
    "Headers",
    "InvalidState",
    "Leg",
    "ListenError",
    "LocalError",
    "MalformedMessage",
    "OtherUri",
    "RemoteError",
    "Request",
    "Response",
    "Settings",
    "SipError",
    "SipUri",
    "Timer",
    "Timers",
    "UnknownHost",
    "UserAgent",
    "parse",
    "sdp",
]
