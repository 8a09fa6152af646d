"""The asyncio shells of the signalling core: UDP sockets, names, and the user agent that drives the endpoint."""

from .leg import Leg
from .resolver import UnknownHost
from .user_agent import ListenError, UserAgent

__all__ = ["Leg", "ListenError", "UnknownHost", "UserAgent"]
