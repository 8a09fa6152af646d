"""What agents have posted, by simulation result id, until the call's own result takes it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from offhook.simulator.result import AgentReport

if TYPE_CHECKING:
    from offhook.simulator.simulation_update import SimulationUpdate

MAX_REPORTS: Final = 10_000  # ids that were announced and not yet taken; then the oldest go
MAX_POSTS: Final = 16  # to one id; a call posts once, and each post may be a megabyte


class Receipt(StrEnum):
    """What became of a post."""

    JOINED = "it was joined to the report of its call"
    REPEATED = "it is the same as the one before: an attempt whose answer was lost"
    UNKNOWN = "no call that is waited for bears its id"
    TOO_MANY = "its call was posted to too often"


@dataclass(slots=True)
class _Waiting:
    report: AgentReport = field(default_factory=AgentReport)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    last: SimulationUpdate | None = None


class ResultInbox:
    """Joins posts by id and wakes who waits for them.

    Only ids that were announced by :meth:`expect` are taken in, so that a stranger cannot fill the memory with ids of his
    own making.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self.forgotten = 0
        "Ids that went because more than :data:`MAX_REPORTS` came after them."

    def __len__(self) -> int:
        """Ids that are waited for."""
        return len(self._waiting)

    def expect(self, result_id: str) -> None:
        """A call with this id is about to begin."""
        self._waiting.setdefault(result_id, _Waiting())
        while len(self._waiting) > MAX_REPORTS:
            self._waiting.popitem(last=False)
            self.forgotten += 1

    def knows(self, result_id: str) -> bool:
        """Whether posts for this id are taken."""
        return result_id in self._waiting

    def receive(self, update: SimulationUpdate) -> Receipt:
        """Take a post; the same one twice in a row counts once."""
        waiting = self._waiting.get(update.simulation_result_id)
        if waiting is None:
            return Receipt.UNKNOWN
        if waiting.last == update:
            return Receipt.REPEATED
        if waiting.report.posts >= MAX_POSTS:
            return Receipt.TOO_MANY
        waiting.report = waiting.report.joined_with(update)
        waiting.last = update
        waiting.arrived.set()
        return Receipt.JOINED

    async def take(self, result_id: str, timeout: float) -> AgentReport:
        """Wait for the first post of an id and take what is there; an empty report when none came in ``timeout`` seconds."""
        waiting = self._waiting.get(result_id)
        if waiting is None:
            return AgentReport()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await waiting.arrived.wait()
        self.forget(result_id)
        return waiting.report

    def forget(self, result_id: str) -> None:
        """Nobody waits for this id any more; nothing when nobody did."""
        self._waiting.pop(result_id, None)
