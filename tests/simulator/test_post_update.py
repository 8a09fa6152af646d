"""A report is delivered once, tried again where that may help, and never where it cannot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from support.loop import run

from offhook.simulator.post_update import ATTEMPTS, MAX_ANSWER_OCTETS, PostOutcome, post_update
from offhook.simulator.server import ApiServer, ResultInbox
from offhook.simulator.simulation_update import SimulationUpdate

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.real_network

UPDATE = SimulationUpdate.model_validate({"simulation_result_id": "42", "tags": ["é"]})


def posted(*statuses: int, answer: Callable[[int], web.Response] | None = None) -> tuple[PostOutcome, int]:
    """The outcome, and how often a server was asked that answers with these, the last one for ever."""
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request)
        status = statuses[min(len(asked), len(statuses)) - 1]
        return answer(status) if answer else web.Response(status=status, text="why")

    async def main() -> PostOutcome:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await (site := web.TCPSite(runner, "127.0.0.1", 0)).start()
            return await post_update(
                f"{site.name.removesuffix('/').replace(':0', f':{runner.addresses[0][1]}')}/x",
                "k",
                UPDATE,
                first_pause=0.001,
            )
        finally:
            await runner.cleanup()

    return run(main()), len(asked)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_what_is_delivered_is_posted_once(status: int) -> None:
    """Any 2xx is success."""
    outcome, asked = posted(status)
    assert (True, 1, status, 1) == (outcome.delivered, outcome.attempts, outcome.status, asked)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422])
def test_a_refusal_is_final(status: int) -> None:
    """The same would be refused again."""
    outcome, asked = posted(status)
    assert (PostOutcome(False, 1, status, "why"), 1) == (outcome, asked)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_cannot_now_is_asked_again(status: int) -> None:
    """Until it can."""
    outcome, asked = posted(status, status, 200)
    assert (True, 3, 3) == (outcome.delivered, outcome.attempts, asked)


def test_a_server_that_never_can_is_given_up() -> None:
    """After a number of attempts, with its last answer."""
    outcome, asked = posted(503)
    assert (PostOutcome(False, ATTEMPTS, 503, "why"), ATTEMPTS) == (outcome, asked)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_not_followed(status: int) -> None:
    """It would lead the key elsewhere."""
    outcome, asked = posted(status, answer=lambda s: web.Response(status=s, headers={"Location": "/elsewhere"}))
    assert (False, status, 1) == (outcome.delivered, outcome.status, asked)


@pytest.mark.parametrize("more", [0, 1])
def test_an_endless_answer_is_read_to_a_limit(more: int) -> None:
    """It is for people; octets that are no text are replaced."""
    outcome, _ = posted(400, answer=lambda s: web.Response(status=s, body=b"\xff" * (MAX_ANSWER_OCTETS + more)))
    assert "�" * MAX_ANSWER_OCTETS == outcome.detail


def test_a_server_that_is_not_there_is_tried_and_told() -> None:
    """As often as may be; there was no status."""

    async def main() -> PostOutcome:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        server.close()
        await server.wait_closed()
        return await post_update(f"http://{host}:{port}/", "k", UPDATE, first_pause=0.001)

    outcome = run(main())
    assert (False, ATTEMPTS, None) == (outcome.delivered, outcome.attempts, outcome.status)
    assert str(outcome).startswith(f"not delivered after {ATTEMPTS} attempts: no answer: Client")


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("no url", "k"),
        ("ftp://127.0.0.1/", "k"),
        ("http://", "k"),
        ("http://[::1", "k"),
        ("http://x:99999/", "k"),
        ("http://127.0.0.1:1/", "a\nb"),
    ],
)
def test_what_cannot_be_posted_at_all_is_not_tried(url: str, key: str) -> None:
    """An address that is none, a key that no header can hold."""
    outcome = run(post_update(url, key, UPDATE))
    assert (False, 0, None) == (outcome.delivered, outcome.attempts, outcome.status)


def test_an_attempt_whose_answer_was_lost_is_not_counted_twice() -> None:
    """Our own endpoint knows the same report again."""

    async def main() -> int:
        inbox = ResultInbox()
        inbox.expect("42")
        async with ApiServer(inbox, "k") as api:
            for _ in range(2):
                assert (await post_update(api.url, "k", UPDATE)).delivered
        return (await inbox.take("42", 1.0)).posts

    assert 1 == run(main())


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (PostOutcome(True, 2, 200, "{}"), "delivered (attempt 2)"),
        (PostOutcome(False, 1, 404, "no call"), "not delivered after 1 attempt: answered 404: no call"),
    ],
)
def test_an_outcome_is_a_line(outcome: PostOutcome, line: str) -> None:
    """For the terminal."""
    assert line == str(outcome)
