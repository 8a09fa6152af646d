"""What agents have posted, by simulation result id, until the call's own result takes it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from offhook.simulator.result import AgentReport

if TYPE_CHECKING:
    from offhook.simulator.simulation_update import SimulationUpdate

MAX_REPORTS: Final = 10_000  # ids that were posted to and not yet taken; then the oldest go
MAX_POSTS: Final = 100  # to one id; a call posts once


class ResultInbox:
    """Joins posts by id and wakes who waits for them.

    Only ids that were announced by :meth:`expect` are taken in, so that a stranger cannot fill the memory with ids of his
    own making.
    """

    def __init__(self) -> None:
        self._reports: OrderedDict[str, AgentReport] = OrderedDict()
        self._arrived: dict[str, asyncio.Event] = {}

    def expect(self, result_id: str) -> None:
        """A call with this id is about to begin."""
        self._reports.setdefault(result_id, AgentReport())
        self._arrived.setdefault(result_id, asyncio.Event())
        while len(self._reports) > MAX_REPORTS:
            forgotten, _ = self._reports.popitem(last=False)
            self._arrived.pop(forgotten, None)

    def knows(self, result_id: str) -> bool:
        """Whether posts for this id are taken."""
        return result_id in self._reports

    def receive(self, update: SimulationUpdate) -> bool:
        """Join a post; False when its id is unknown, or was posted to too often."""
        report = self._reports.get(update.simulation_result_id)
        if report is None or report.posts >= MAX_POSTS:
            return False
        self._reports[update.simulation_result_id] = report.joined_with(update)
        self._arrived[update.simulation_result_id].set()
        return True

    async def take(self, result_id: str, timeout: float) -> AgentReport:
        """Wait for the first post of an id and take what is there; an empty report when none came in time."""
        arrived = self._arrived.get(result_id)
        if arrived is not None:
            try:
                async with asyncio.timeout(timeout):
                    await arrived.wait()
            except TimeoutError:
                return self._forget(result_id)
        return self._forget(result_id)

    def _forget(self, result_id: str) -> AgentReport:
        self._arrived.pop(result_id, None)
        return self._reports.pop(result_id, AgentReport())
