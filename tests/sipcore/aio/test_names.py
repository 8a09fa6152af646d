"""Messages to named hosts wait for the address, in order, and not without bound."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from support.loop import run

from offhook.sipcore.aio import names
from offhook.sipcore.aio.names import KNOWN_FOR, MAX_DESTINATIONS, MAX_WAITING, NamedDestinations
from offhook.sipcore.aio.resolver import UnknownHost
from offhook.sipcore.flow import Flow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LOCAL = ("127.0.0.1", 5060)
FOUND = ("127.0.0.9", 5062)


def to(host: str) -> Flow:
    """The flow to a host of that name."""
    return Flow("UDP", LOCAL, (host, 5062))


class Book:
    """A resolver whose answers wait until they are let go, and what was sent and failed meanwhile."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.sent: list[bytes] = []
        self.failed: list[Flow] = []
        self.go = asyncio.Event()
        monkeypatch.setattr(names, "resolve", self._resolve)
        self.named = NamedDestinations(
            lambda data, *_: self.sent.append(data), lambda flow, _: self.failed.append(flow)
        )

    async def _resolve(self, host: str, port: int, family: int) -> tuple[str, int]:
        self.asked.append(host)
        await self.go.wait()
        if host.endswith("invalid"):
            raise UnknownHost(host)
        return FOUND

    async def answer(self) -> None:
        """Let the answers go."""
        self.go.set()
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
def with_book(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Book], Awaitable[None]]], None]:
    """Run a coroutine with a fresh book."""

    def play(scene: Callable[[Book], Awaitable[None]]) -> None:
        async def go() -> None:
            book = Book(monkeypatch)
            await scene(book)
            await book.named.close()

        run(go())

    return play


def test_what_follows_waits_behind_what_waits(with_book) -> None:
    """ACK, BYE: one question, one order."""

    async def scene(book: Book) -> None:
        assert book.named.send(b"ACK", to("bob"))
        assert book.named.send(b"BYE", to("bob"))
        await asyncio.sleep(0)
        assert ([], ["bob"]) == (book.sent, book.asked)
        await book.answer()
        assert [b"ACK", b"BYE"] == book.sent

    with_book(scene)


def test_an_address_is_used_again_for_a_while(with_book, monkeypatch: pytest.MonkeyPatch) -> None:
    """And asked for anew afterwards."""

    async def scene(book: Book) -> None:
        book.named.send(b"1", to("bob"))
        await book.answer()
        book.named.send(b"2", to("bob"))
        assert ([b"1", b"2"], ["bob"]) == (book.sent, book.asked)
        clock = asyncio.get_running_loop().time() + KNOWN_FOR
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock)
        book.named.send(b"3", to("bob"))
        await book.answer()
        assert ["bob", "bob"] == book.asked

    with_book(scene)


def test_a_name_without_address_fails_its_flow(with_book) -> None:
    """Once, whatever waited for it; and it may be tried again."""

    async def scene(book: Book) -> None:
        for data in (b"ACK", b"BYE"):
            book.named.send(data, to("bob.invalid"))
        await book.answer()
        assert ([], [to("bob.invalid")]) == (book.sent, book.failed)
        assert book.named.send(b"BYE", to("bob.invalid"))

    with_book(scene)


def test_one_message_too_many_is_refused(with_book) -> None:
    """Those that wait are not disturbed."""

    async def scene(book: Book) -> None:
        assert all(book.named.send(b"x", to("bob")) for _ in range(MAX_WAITING))
        assert not book.named.send(b"x", to("bob"))
        await book.answer()
        assert MAX_WAITING == len(book.sent)

    with_book(scene)


def test_one_name_too_many_is_refused_and_the_oldest_address_is_forgotten(with_book) -> None:
    """Contacts may name a new host each time."""

    async def scene(book: Book) -> None:
        assert all(book.named.send(b"x", to(f"h{number}")) for number in range(MAX_DESTINATIONS))
        assert not book.named.send(b"x", to("one-too-many"))
        await book.answer()
        assert book.named.send(b"x", to("one-too-many"))
        await book.answer()
        assert (MAX_DESTINATIONS, False) == (len(book.named._known), to("h0") in book.named._known)

    with_book(scene)


def test_closing_gives_up_what_is_being_looked_up(with_book) -> None:
    """No task is left, and nothing is sent."""

    async def scene(book: Book) -> None:
        book.named.send(b"x", to("bob"))
        await book.named.close()
        assert [] == book.sent

    with_book(scene)
