"""Posts find the call that waits for them, and no other."""

from __future__ import annotations

import asyncio

import pytest
from support.virtual_time import run_in_no_time

from offhook.simulator.server.inbox import MAX_POSTS, MAX_REPORTS, Receipt, ResultInbox
from offhook.simulator.simulation_update import SimulationUpdate


def update(result_id: str = "42", *tags: str) -> SimulationUpdate:
    """A post."""
    return SimulationUpdate.model_validate({"simulation_result_id": result_id, "tags": list(tags)})


@pytest.fixture
def inbox() -> ResultInbox:
    """One call is waited for."""
    inbox = ResultInbox()
    inbox.expect("42")
    return inbox


def test_a_post_is_joined_to_its_call(inbox: ResultInbox) -> None:
    """And taken with it; then nobody waits any more."""
    assert Receipt.JOINED is inbox.receive(update("42", "a"))
    report = run_in_no_time(inbox.take("42", 10.0))
    assert (1, ["a"]) == (report.posts, report.tags)
    assert not inbox.knows("42")


def test_an_id_that_nobody_announced_is_unknown(inbox: ResultInbox) -> None:
    """A stranger cannot fill the memory with ids of his own."""
    assert Receipt.UNKNOWN is inbox.receive(update("43"))
    assert 1 == len(inbox)


def test_several_posts_of_one_call_are_joined(inbox: ResultInbox) -> None:
    """Some agents post tools and transcript apart."""
    inbox.receive(update("42", "a"))
    inbox.receive(update("42", "b"))
    report = run_in_no_time(inbox.take("42", 10.0))
    assert (2, ["a", "b"]) == (report.posts, report.tags)


def test_the_same_post_twice_counts_once(inbox: ResultInbox) -> None:
    """Its first answer was lost, and it was tried again."""
    inbox.receive(update("42", "a"))
    assert Receipt.REPEATED is inbox.receive(update("42", "a"))
    assert 1 == run_in_no_time(inbox.take("42", 10.0)).posts


def test_a_call_has_a_limit_of_posts(inbox: ResultInbox) -> None:
    """One beyond it is refused, and changes nothing."""
    receipts = [inbox.receive(update("42", str(number))) for number in range(MAX_POSTS + 1)]
    assert [Receipt.JOINED] * MAX_POSTS + [Receipt.TOO_MANY] == receipts
    assert MAX_POSTS == run_in_no_time(inbox.take("42", 10.0)).posts


def test_a_report_is_waited_for(inbox: ResultInbox) -> None:
    """It comes three seconds after the call."""

    async def main() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        loop.call_later(3.0, inbox.receive, update())
        return (await inbox.take("42", 10.0)).posts, loop.time() - start

    assert (1, 3.0) == run_in_no_time(main())


def test_a_report_that_never_comes_is_empty(inbox: ResultInbox) -> None:
    """After the time that the caller gives it; later posts are nobody's."""
    assert 0 == run_in_no_time(inbox.take("42", 10.0)).posts
    assert Receipt.UNKNOWN is inbox.receive(update())


def test_nobody_waits_for_what_was_never_announced(inbox: ResultInbox) -> None:
    """It is empty at once."""
    assert 0 == run_in_no_time(inbox.take("43", 10.0)).posts


def test_a_call_that_came_to_nothing_is_forgotten(inbox: ResultInbox) -> None:
    """Twice is once."""
    inbox.forget("42")
    inbox.forget("42")
    assert 0 == len(inbox)


def test_ids_have_a_limit() -> None:
    """One beyond it and the oldest goes, which is counted."""
    inbox = ResultInbox()
    for number in range(MAX_REPORTS + 1):
        inbox.expect(str(number))
    assert (MAX_REPORTS, 1) == (len(inbox), inbox.forgotten)
    assert [False, True] == [inbox.knows("0"), inbox.knows("1")]


def test_announcing_a_call_twice_keeps_its_report(inbox: ResultInbox) -> None:
    """The second changes nothing."""
    inbox.receive(update())
    inbox.expect("42")
    assert 1 == run_in_no_time(inbox.take("42", 10.0)).posts
