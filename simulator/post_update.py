"""The agent's side of ``POST /v1/update-simulation-result``: once per call, tried again while that may help.

Another attempt is worth it when the server could not be reached or said that it could not do it now (429, 5xx). A refusal (other
4xx) is final, as is a redirect: it would lead the key elsewhere, and turn the POST into a GET. The field's endpoint knows no
idempotency key; an attempt of which only the answer was lost is posted again, and our own endpoint takes the same report once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import aiohttp

if TYPE_CHECKING:
    from .simulation_update import SimulationUpdate

ATTEMPTS: Final = 4
WORTH_TRYING_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
TIMEOUT: Final = 10.0  # seconds for one attempt
MAX_ANSWER_OCTETS: Final = 2_000  # of the server's answer that are read; it is for people


@dataclass(frozen=True, slots=True)
class PostOutcome:
    """What became of a report."""

    delivered: bool
    attempts: int
    status: int | None
    "Of the last answer; None when there was none."
    detail: str
    "For people: what the server said, or why it could not be reached."

    def __str__(self) -> str:
        """One line, safe to print by :func:`~offhook.ladder.visible` only: the detail is a stranger's."""
        if self.delivered:
            return f"delivered (attempt {self.attempts})"
        answer = "no answer" if self.status is None else f"answered {self.status}"
        return f"not delivered after {self.attempts} attempt{'s' * (self.attempts != 1)}: {answer}: {self.detail}"


async def post_update(url: str, api_key: str, update: SimulationUpdate, *, first_pause: float = 1.0) -> PostOutcome:
    """Post a report; on a transport error or 429/5xx again after 1, 2 and 4 seconds.

    Args:
        url: the whole address of the endpoint.
        api_key: goes into ``X-API-Key``.
        update: the body.
        first_pause: seconds before the second attempt; each further one doubles it.
    """
    fault = _fault(url, api_key)
    outcome = PostOutcome(False, 0, None, fault or "never tried")
    if fault:
        return outcome
    body = update.model_dump_json(exclude_none=True).encode()
    headers = {"X-API-Key": api_key, "Content-Type": "application/json"}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT)) as session:
        for attempt in range(1, ATTEMPTS + 1):
            outcome = await _attempt(session, url, headers, body, attempt)
            if outcome.delivered or (outcome.status is not None and outcome.status not in WORTH_TRYING_AGAIN):
                break
            if attempt < ATTEMPTS:
                await asyncio.sleep(first_pause * 2 ** (attempt - 1))
    return outcome


def _fault(url: str, api_key: str) -> str:
    """Why no server can be asked at all; empty when one can."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web:
        return f"{url!r} is no http:// or https:// address"
    return "" if api_key.isprintable() else "the API key holds characters that no header can hold"


async def _attempt(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: bytes, attempt: int
) -> PostOutcome:
    try:
        async with session.post(url, data=BytesIO(body), headers=headers, allow_redirects=False) as response:
            said = (await response.content.read(MAX_ANSWER_OCTETS)).decode("utf-8", "replace")
            return PostOutcome(200 <= response.status < 300, attempt, response.status, said)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return PostOutcome(False, attempt, None, f"{type(error).__name__}: {error}")
