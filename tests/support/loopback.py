"""Free ports on loopback, for programs that must be told their port.

Whoever can takes port 0 and tells which one it got. Foreign programs cannot: SIPp and baresip write their port into
messages and open others beside it. Their ports are looked for below the range that the system gives out by itself, so
that in the moment between looking and using nobody is given one of them by chance.
"""

from __future__ import annotations

import contextlib
import random
import socket

HOST = "127.0.0.1"
CANDIDATES = range(10_000, 32_000)
"""Ports that are ours to choose: registered services are mostly below, what the system chooses itself is above."""
MAX_TRIES = 100
"""Places that are looked at: where so many are taken in a row, something is wrong with the machine."""

_dice = random.Random()  # two runs on one machine must not look at the same place


def free_ports(count: int) -> int:
    """The first of ``count`` consecutive ports that are free for UDP and TCP on 127.0.0.1.

    Raises:
        OSError: none were found.
    """
    for _ in range(MAX_TRIES):
        first = _dice.randrange(CANDIDATES.start, CANDIDATES.stop - count)
        if all(is_free(port) for port in range(first, first + count)):
            return first
    raise OSError(f"no {count} consecutive free ports in {MAX_TRIES} tries")


def is_free(port: int) -> bool:
    """Whether nobody holds a port, neither for UDP nor for TCP."""
    with contextlib.ExitStack() as closing:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            tried = closing.enter_context(socket.socket(socket.AF_INET, kind))
            try:
                tried.bind((HOST, port))
            except OSError:
                return False
    return True
