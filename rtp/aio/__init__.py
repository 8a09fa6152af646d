"""The asyncio side of media: sockets, ports, and the one clock that drives all streams of a process.

What is right is decided by the pure machines of `offhook.rtp`; here they meet the network. `MediaEngine` is where to begin.
"""

from .clock import MediaClock
from .drops import SocketDrop
from .engine import EngineStats, MediaEngine, TooManyStreams
from .events import EngineEvent, FramesSkipped, PlayerEvent, StreamFailed
from .player import Player
from .ports import NoPortsLeft, PortPair, PortPool
from .stream import MediaStream

__all__ = [
    "EngineEvent",
    "EngineStats",
    "FramesSkipped",
    "MediaClock",
    "MediaEngine",
    "MediaStream",
    "NoPortsLeft",
    "Player",
    "PlayerEvent",
    "PortPair",
    "PortPool",
    "SocketDrop",
    "StreamFailed",
    "TooManyStreams",
]
