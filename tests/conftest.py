"""What every test proves besides its own point: that it leaves no file, no socket and no thread behind."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Threads that live as long as the process, by the beginning of their names: the pools of asyncio.to_thread and of libraries.
POOLS = ("asyncio_", "ThreadPoolExecutor", "espeak-ng")
# What a descriptor may stand for that nobody has to close: what the interpreter and the libraries keep open for good.
KEPT = ("/dev/", "pipe:", "/proc/", "anon_inode:[eventfd]")


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Compare open files, sockets and threads before and after the test."""
    descriptors, threads = _descriptors(), set(threading.enumerate())
    yield
    left = {link for number, link in _descriptors().items() if descriptors.get(number) != link}
    left -= {link for link in left if link.startswith(KEPT)}
    started = [thread for thread in threading.enumerate() if thread not in threads and not _is_pooled(thread)]
    assert not left, f"left open: {sorted(left)}"
    assert not started, f"left running: {started}"


def _is_pooled(thread: threading.Thread) -> bool:
    return thread.name.startswith(POOLS)


def _descriptors() -> dict[str, str]:
    """Number to target of each open descriptor; the one that lists them is not among them."""
    found = {}
    for number in Path("/proc/self/fd").iterdir():
        try:
            found[number.name] = str(number.readlink())
        except FileNotFoundError:
            continue
    return found
