"""What signalling of one call costs: INVITE, 180, 200, ACK, BYE, 200 through two endpoints, without sockets.

Run it as `python benchmarks/endpoint.py`; `--profile` adds where the time goes. Each figure is CPU microseconds of this
process for one whole call and one side, best of several rounds, with the transactions and calls of the last 32 s alive as
they are under load: virtual time passes at 50 calls per second. The datagrams are real octets: each side parses what the
other one has written. There is no peer in this table; what sockets and the event loop add is measured elsewhere.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import os
import platform
import pstats
import random
import time
from typing import TYPE_CHECKING, Any

from offhook.sipcore.address import Address
from offhook.sipcore.endpoint import CallReceived, Endpoint, Settings
from offhook.sipcore.flow import Flow
from offhook.sipcore.invite import OutgoingCall
from offhook.sipcore.uri import SipUri

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5
CALLS = 2_000  # of one round
PACE = 0.02  # virtual seconds between calls

ALICE, BOB = ("127.0.0.1", 5070), ("127.0.0.1", 5060)
SDP = (
    b"v=0\r\no=- 4711 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
)
CALL = OutgoingCall(
    SipUri.parse("sip:bob@127.0.0.1:5060"),
    Address(SipUri("127.0.0.1", "alice", 5070)),
    SDP,
    headers=(("X-Simulation-Result-Id", "0c7c1cf2-4f7a-4f3e-9c5d-0d0f6e0f8a11"),),
)


class Side:
    """An endpoint whose every step is timed."""

    def __init__(self, seed: int, local: tuple[str, int], remote: tuple[str, int]) -> None:
        self.core = Endpoint(Settings(max_transactions=100_000), random.Random(seed), lambda flow: flow.local)
        self.flow = Flow("UDP", local, remote)
        self.spent = 0

    def do(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Call it on this side's account."""
        start = time.perf_counter_ns()
        result = work(*arguments)
        self.spent += time.perf_counter_ns() - start
        return result

    def send_to(self, other: Side, now: float) -> None:
        """Carry what lies in the outbox over."""
        for data, _ in self.do(self.core.datagrams_to_send):
            other.do(other.core.receive_datagram, data, other.flow, now)


def one_call(alice: Side, bob: Side, now: float) -> None:
    """From INVITE to the answer of BYE."""
    caller = alice.do(alice.core.invite, CALL, alice.flow, now)
    alice.send_to(bob, now)
    (callee,) = [news.session for news in bob.do(bob.core.events) if isinstance(news, CallReceived)]
    bob.do(callee.ring, now)
    bob.do(bob.core.settle, now)
    bob.send_to(alice, now)
    bob.do(callee.accept, SDP, "application/sdp", now)
    bob.do(bob.core.settle, now)
    bob.send_to(alice, now)
    alice.do(alice.core.events)
    alice.send_to(bob, now)
    bob.do(bob.core.events)
    alice.do(caller.bye, now)
    alice.do(alice.core.settle, now)
    alice.send_to(bob, now)
    bob.send_to(alice, now)
    for side in (alice, bob):
        side.do(side.core.events)
        side.do(side.core.handle_timeout, now)


def play(alice: Side, bob: Side, calls: int, start: float) -> float:
    """So many calls from ``start`` on; the virtual instant after them."""
    for number in range(calls):
        one_call(alice, bob, start + number * PACE)
    return start + calls * PACE


def measure() -> tuple[float, float]:
    """Microseconds per call of caller and callee: the best round of each."""
    alice, bob = Side(1, ALICE, BOB), Side(2, BOB, ALICE)
    now = play(alice, bob, CALLS, 0.0)  # until as many calls leave as come
    gc.freeze()
    best = [float("inf")] * 2
    for _ in range(ROUNDS):
        alice.spent = bob.spent = 0
        now = play(alice, bob, CALLS, now)
        best = [min(old, side.spent / CALLS / 1e3) for old, side in zip(best, (alice, bob), strict=True)]
    return best[0], best[1]


def profile() -> None:
    """Where the time goes, both sides together."""
    alice, bob = Side(1, ALICE, BOB), Side(2, BOB, ALICE)
    now = play(alice, bob, CALLS, 0.0)
    profiler = cProfile.Profile()
    profiler.runcall(play, alice, bob, CALLS, now)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    arguments = parser.parse_args()
    caller, callee = measure()
    print(
        f"# {platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} CPUs, {platform.machine()}"
    )
    print(f"# best of {ROUNDS} rounds of {CALLS} calls; microseconds of CPU per call and side")
    print(f"caller  {caller:7.1f} us   {1e6 / caller:7.0f} calls/s of one core, signalling only, no sockets")
    print(f"callee  {callee:7.1f} us   {1e6 / callee:7.0f} calls/s of one core, signalling only, no sockets")
    if arguments.profile:
        profile()


if __name__ == "__main__":
    main()
