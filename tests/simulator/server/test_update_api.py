"""The endpoint as an agent's HTTP client sees it: every refusal has its status, and is JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from support.loop import run

from offhook.simulator.server import ApiServer, ResultInbox, build_app
from offhook.simulator.server.inbox import MAX_POSTS
from offhook.simulator.server.update_api import MAX_BODY_OCTETS, MAX_FAULTS_TOLD, PATH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.real_network

KEY = "secret-ü"
GOOD = {"simulation_result_id": 42, "tool_calls": [{"name": "t", "start_offset_ms": 5, "output": {"a": [1, None]}}]}


@contextlib.asynccontextmanager
async def served(inbox: ResultInbox) -> AsyncIterator[tuple[ApiServer, aiohttp.ClientSession]]:
    """A server on loopback and a client."""
    async with ApiServer(inbox, KEY) as api, aiohttp.ClientSession() as client:
        yield api, client


def post(body: Any, key: str | None = KEY, **headers: str) -> tuple[int, Any, ResultInbox]:
    """Status, answer, and the inbox of a call 42."""
    inbox = ResultInbox()
    inbox.expect("42")

    async def main() -> tuple[int, Any]:
        async with served(inbox) as (api, client):
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent = {"Content-Type": "application/json", **({"X-API-Key": key} if key is not None else {}), **headers}
            async with client.post(api.url, data=BytesIO(data), headers=sent) as response:
                return response.status, await response.json()

    return *run(main()), inbox


def test_a_report_is_taken() -> None:
    """200, in the field's own words; an id may be a number."""
    status, answer, inbox = post(GOOD)
    assert (200, {"status": "success", "message": None}) == (status, answer)
    assert 1 == run(inbox.take("42", 1.0)).posts


@pytest.mark.parametrize(
    "key", [None, "", "secret", KEY + "x", "\udcff\udcfe"], ids=["none", "empty", "prefix", "longer", "octets"]
)
def test_without_the_right_key_nothing_is_taken(key: str | None) -> None:
    """401, before the body is looked at."""
    status, answer, _ = post(b"{", key)
    assert (401, {"detail": "X-API-Key is missing or wrong"}) == (status, answer)


def test_a_server_without_a_key_is_refused() -> None:
    """Whoever sends none would have the right one."""
    with pytest.raises(ValueError, match="empty"):
        build_app(ResultInbox(), "")


def test_an_id_that_no_call_bears_is_not_found() -> None:
    """404."""
    status, answer, _ = post({"simulation_result_id": "43"})
    assert (404, {"detail": "no call has the simulation_result_id 43"}) == (status, answer)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, ["simulation_result_id"]),
        ({"simulation_result_id": "42", "tool_calls": [{"name": "t"}]}, ["tool_calls", 0, "start_offset_ms"]),
        (
            {"simulation_result_id": "42", "tool_calls": [{"name": "t", "start_offset_ms": -1}]},
            ["tool_calls", 0, "start_offset_ms"],
        ),
        (b"no json", []),
        (b"\xff\xfe", []),
        (b"[" * 5_000, []),
        (b'{"simulation_result_id": "\\ud800"}', []),
        (b'{"simulation_result_id": "42", "metadata": {"a": NaN}}', ["metadata", "a", "float"]),
    ],
    ids=["no id", "no offset", "negative offset", "no JSON", "no text", "too deep", "lone surrogate", "not a number"],
)
def test_a_wrong_body_is_told_where_it_is_wrong(body: Any, where: list[Any]) -> None:
    """422, with the detail that pydantic gives."""
    status, answer, _ = post(body)
    assert 422 == status
    assert where == answer["detail"][0]["loc"]
    assert {"type", "msg"} <= set(answer["detail"][0])


def test_what_is_told_of_a_wrong_body_is_bounded() -> None:
    """A list of wrong entries is one mistake."""
    status, answer, _ = post({"simulation_result_id": "42", "events": [{}] * (MAX_FAULTS_TOLD + 1)})
    assert (422, MAX_FAULTS_TOLD) == (status, len(answer["detail"]))


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_a_body_has_a_longest(more: int, status: int) -> None:
    """One octet beyond it is refused, and not read to its end."""
    body = json.dumps(GOOD).encode()
    assert status == post(body + b" " * (MAX_BODY_OCTETS - len(body) + more))[0]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 200),
        ("application/vnd.x+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_that_says_it_is_something_else_is_refused(content_type: str, status: int) -> None:
    """415; RFC 6838 4.2.8 lets a suffix say that it is JSON."""
    assert status == post(GOOD, **{"Content-Type": content_type})[0]


def test_a_call_that_is_posted_to_too_often_is_a_conflict() -> None:
    """409: trying again does not help, so it is not 429."""
    inbox = ResultInbox()
    inbox.expect("42")

    async def main() -> list[int]:
        statuses = []
        async with served(inbox) as (api, client):
            for number in range(MAX_POSTS + 1):
                body = {"simulation_result_id": "42", "tags": [str(number)]}
                async with client.post(api.url, json=body, headers={"X-API-Key": KEY}) as response:
                    statuses.append(response.status)
        return statuses

    assert [200] * MAX_POSTS + [409] == run(main())


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", PATH, 405), ("PUT", PATH, 405), ("GET", "/", 404), ("POST", "/v2", 404)]
)
def test_other_methods_and_paths_are_refused_in_json(method: str, path: str, status: int) -> None:
    """405 says what is allowed."""

    async def main() -> None:
        async with (
            served(ResultInbox()) as (api, client),
            client.request(method, api.url.removesuffix(PATH) + path) as response,
        ):
            assert status == response.status
            assert "detail" in await response.json()
            assert ("POST" if status == 405 else None) == response.headers.get("Allow")

    run(main())


def test_a_body_without_a_type_is_taken_for_json() -> None:
    """Some clients do not say."""

    async def main() -> bytes:
        inbox = ResultInbox()
        inbox.expect("42")
        async with ApiServer(inbox, "k") as api:
            host, port = api.url.removeprefix("http://").removesuffix(PATH).split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            body = json.dumps(GOOD).encode()
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return line

    assert b"HTTP/1.1 200 OK\r\n" == run(main())


def test_a_port_that_is_taken_leaves_nothing_behind() -> None:
    """The second server is refused; the first goes on."""

    async def main() -> None:
        async with ApiServer(ResultInbox(), KEY) as api:
            port = int(api.url.removesuffix(PATH).rpartition(":")[2])
            with pytest.raises(OSError, match="in use"):
                await ApiServer(ResultInbox(), KEY, port=port).__aenter__()

    run(main())


def test_an_ipv6_address_is_written_in_brackets() -> None:
    """So that the URL can be used."""

    async def main() -> str:
        async with ApiServer(ResultInbox(), KEY, host="::1") as api:
            return api.url

    assert run(main()).startswith("http://[::1]:")
