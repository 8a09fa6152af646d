"""``POST /v1/update-simulation-result``: the agent's report, joined to the call that its id names.

Answers as the field's own endpoint does: 200 ``{"status": "success"}``, 422 with pydantic's ``detail`` for a wrong body. Beyond
it: 401 without the right ``X-API-Key``, 404 for an id that no call of ours bears, 409 for a call that was posted to too often,
413 for a body that is too large, 415 for one that is said to be no JSON. Every answer is JSON, those to wrong paths and methods
too.

The key is asked for before the body is read, and compared in a time that tells nothing about it.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Final

from aiohttp import web
from pydantic import ValidationError

from offhook.simulator.simulation_update import SimulationUpdate

from .inbox import Receipt, ResultInbox

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from aiohttp.typedefs import Handler

MAX_BODY_OCTETS: Final = 1_048_576  # of one post; more is answered 413
MAX_FAULTS_TOLD: Final = 100  # of one body; a list of 10,000 wrong entries is one mistake
SHUTDOWN: Final = 1.0  # seconds that open requests may take when the server stops
PATH: Final = "/v1/update-simulation-result"

_INBOX: Final = web.AppKey("inbox", ResultInbox)
_KEY: Final = web.AppKey("key", bytes)


def build_app(inbox: ResultInbox, api_key: str) -> web.Application:
    """The application: one route, one key.

    Raises:
        ValueError: the key is empty: whoever sends none would have the right one.
    """
    if not api_key:
        raise ValueError("the API key is empty")
    app = web.Application(client_max_size=MAX_BODY_OCTETS, middlewares=[_in_json])
    app[_INBOX] = inbox
    app[_KEY] = api_key.encode()
    app.router.add_post(PATH, _update)
    return app


@web.middleware
async def _in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What aiohttp refuses by itself (404, 405, 413) is told in JSON too, and keeps its headers (Allow)."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        kept = {name: value for name, value in refusal.headers.items() if name.lower() == "allow"}
        return web.json_response({"detail": refusal.reason}, status=refusal.status, headers=kept)


async def _update(request: web.Request) -> web.Response:
    offered = request.headers.get("X-API-Key", "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(offered, request.app[_KEY]):
        return _refused("X-API-Key is missing or wrong", 401)
    if "Content-Type" in request.headers and not _is_json(request.content_type):
        return _refused(f"the body is {request.content_type}; send application/json", 415)
    try:
        update = SimulationUpdate.model_validate_json(await request.read())
        receipt = request.app[_INBOX].receive(update)  # a result refuses NaN, which a body may hold
    except ValidationError as error:
        faults = json.loads(error.json(include_url=False, include_input=False))
        return _refused(faults[:MAX_FAULTS_TOLD], 422)
    match receipt:
        case Receipt.UNKNOWN:
            return _refused(f"no call has the simulation_result_id {update.simulation_result_id}", 404)
        case Receipt.TOO_MANY:
            return _refused(f"{update.simulation_result_id}: {Receipt.TOO_MANY.value}", 409)
        case _:
            return web.json_response({"status": "success", "message": None})


def _is_json(content_type: str) -> bool:
    """RFC 6838 section 4.2.8: a subtype with the suffix ``+json`` is JSON as well."""
    return content_type == "application/json" or content_type.endswith("+json")


def _refused(detail: object, status: int) -> web.Response:
    return web.json_response({"detail": detail}, status=status)


class ApiServer:
    """Serves the application on a local address; use as ``async with``.

    Args:
        inbox: where posts go.
        api_key: what posts must bear.
        host: to listen on.
        port: to listen on; 0 lets the system choose.

    Raises:
        ValueError: the key is empty.
    """

    def __init__(self, inbox: ResultInbox, api_key: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self._runner = web.AppRunner(
            build_app(inbox, api_key), access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN
        )
        self._host = host
        self._port = port
        self.url = ""
        "Where to post to, once it has started."

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            OSError: the address is taken, or not ours.
        """
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except BaseException:
            await self._runner.cleanup()
            raise
        host, port = self._runner.addresses[0][:2]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port}{PATH}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
