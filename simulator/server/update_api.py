"""``POST /v1/update-simulation-result``: the agent's report, joined to the call that its id names.

Answers as the field's own endpoint does: 200 ``{"status": "success"}``, 422 with pydantic's ``detail`` for a wrong body, 401
without the right ``X-API-Key``, 404 for an id that no call of ours bears.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from pydantic import ValidationError

from offhook.simulator.simulation_update import SimulationUpdate

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .inbox import ResultInbox

MAX_BODY_OCTETS: Final = 1_048_576  # of one post; more is answered 413
PATH: Final = "/v1/update-simulation-result"

_INBOX: Final = web.AppKey("inbox", object)
_KEY: Final = web.AppKey("key", str)


def build_app(inbox: ResultInbox, api_key: str) -> web.Application:
    """The application: one route, one key."""
    app = web.Application(client_max_size=MAX_BODY_OCTETS)
    app[_INBOX] = inbox
    app[_KEY] = api_key
    app.router.add_post(PATH, _update)
    return app


async def _update(request: web.Request) -> web.Response:
    offered = request.headers.get("X-API-Key", "")
    if not hmac.compare_digest(offered.encode(), request.app[_KEY].encode()):
        return _json({"detail": "X-API-Key is missing or wrong"}, 401)
    try:
        update = SimulationUpdate.model_validate_json(await request.read())
    except ValidationError as error:
        return _json({"detail": json.loads(error.json(include_url=False, include_input=False))}, 422)
    inbox: Any = request.app[_INBOX]
    if not inbox.receive(update):
        return _json({"detail": f"no call has the simulation_result_id {update.simulation_result_id}"}, 404)
    return _json({"status": "success", "message": None}, 200)


def _json(body: object, status: int) -> web.Response:
    return web.json_response(body, status=status)


class ApiServer:
    """Serves the application on a local address; use as ``async with``."""

    def __init__(self, inbox: ResultInbox, api_key: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self._runner = web.AppRunner(build_app(inbox, api_key), access_log=None, handle_signals=False)
        self._host = host
        self._port = port
        self.url = ""
        "Where to post to, once it has started."

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, shutdown_timeout=1.0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}{PATH}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
