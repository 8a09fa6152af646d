"""Messages to hosts that are named and not numbered: they wait for the address, in order.

A dialog may point to a name (Contact, Record-Route). While the name is looked up, what follows to it waits behind: a BYE
never overtakes its ACK. One task looks up one destination; the address is kept for a while, so that the next message
leaves at once and by the same way.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from .resolver import UnknownHost, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from offhook.sipcore.flow import Flow, HostPort

MAX_WAITING: Final = 256  # messages for one destination; a name is looked up in milliseconds, or fails
MAX_DESTINATIONS: Final = 1_024  # looked up at a time, and remembered; the oldest known one goes first
KNOWN_FOR: Final = 30.0  # seconds that an address is used without asking again


class NamedDestinations:
    """Sends to flows whose remote host is a name.

    Args:
        send: puts octets on the wire: ``send(data, flow, remote)``, the flow as the core knows it, the address as found.
        failed: the name has no address: ``failed(flow, error)``.
    """

    def __init__(
        self, send: Callable[[bytes, Flow, HostPort], None], failed: Callable[[Flow, Exception], None]
    ) -> None:
        self._send_now = send
        self._failed = failed
        self._known: OrderedDict[Flow, tuple[HostPort, float]] = OrderedDict()
        self._waiting: dict[Flow, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, data: bytes, flow: Flow) -> bool:
        """Send now or when the address is known; False when too many wait already."""
        waiting = self._waiting.get(flow)
        if waiting is not None:
            if len(waiting) >= MAX_WAITING:
                return False
            waiting.append(data)
            return True
        loop = asyncio.get_running_loop()
        remote, until = self._known.get(flow, (None, 0.0))
        if remote is not None and loop.time() < until:
            self._send_now(data, flow, remote)
            return True
        if len(self._waiting) >= MAX_DESTINATIONS:
            return False
        self._waiting[flow] = [data]
        task = loop.create_task(self._look_up(flow))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _look_up(self, flow: Flow) -> None:
        family = socket.AF_INET6 if ":" in flow.local[0] else socket.AF_INET
        try:
            remote = await resolve(*flow.remote, family)
        except UnknownHost as error:
            del self._waiting[flow]
            self._failed(flow, error)
            return
        self._remember(flow, remote)
        for data in self._waiting.pop(flow):
            self._send_now(data, flow, remote)

    def _remember(self, flow: Flow, remote: HostPort) -> None:
        self._known.pop(flow, None)
        while len(self._known) >= MAX_DESTINATIONS:
            self._known.popitem(last=False)
        self._known[flow] = (remote, asyncio.get_running_loop().time() + KNOWN_FOR)

    async def close(self) -> None:
        """Give up what is being looked up."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._waiting.clear()
