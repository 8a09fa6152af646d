"""SIPp calls us and is called by us: by the hundred, and over a network that loses one datagram in ten each way.

In the lossy tests all of SIP is lossy, in both directions: INVITE, ACK, BYE and every response to them (the theory is in
`support.relay`). SIPp's built-in UAC sends all requests of a call to its first target, which is the relay; its built-in
UAS is given the relay as its Contact and the patience to bear a repeated INVITE (see `support.sipp`). RTP is not lossy: it goes by the session descriptions, beside the relay.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import sipp
from support.loopback import HOST
from support.offhook_command import ON_LOOPBACK, answering, offhook
from support.processes import Program, running, wait_until
from support.relay import LossyRelay
from support.sipp import Statistics

import offhook as front_door

if TYPE_CHECKING:
    from support.relay import Address, Tally

CALLS, RATE = 1_000, 100
LOSSY_CALLS, LOSSY_RATE = 200, 50
LOSSY_CALLS_OF_OURS = 30
LOSS, SEED = 0.1, 20
TALK_SECONDS = 2.0
"""Longer than the first two repetitions of a 200 (0.5 and 1.5 s): SIPp takes one that comes after its BYE for the answer to
its BYE, and asks no more."""
ALL_DIES_WITHIN = 45.0
"""Seconds: the 32 of a call whose ACK and BYE were lost (64*T1, RFC 3261 13.3.1.4), and some more."""
OCTETS_PER_RECENT_CALL = 100_000
"""What a call may cost us until its transactions have died, 32 s after its end (RFC 3261 17.2.1, Timer H)."""
BASIC_CALL = ["INVITE", "180 Ringing", "200 OK", "ACK", "BYE", "200 OK"]


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process holds."""

    descriptors: int
    resident_octets: int

    @classmethod
    def of(cls, pid: int) -> Footprint:
        """From /proc."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return cls(len(list(Path(f"/proc/{pid}/fd").iterdir())), 1_024 * int(status["VmRSS"].split()[0]))


@dataclass(frozen=True, slots=True)
class Answered:
    """Calls of SIPp that `offhook answer` has taken, as both of them saw it."""

    exit_code: int
    sipp: Statistics
    before: Footprint
    after: Footprint
    served: int
    still_up: int


def served(program: Program, before: Footprint, run: sipp.Sipp) -> Answered:
    """Wait for SIPp, see what is left of the calls, and stop."""
    code, statistics = run.wait()
    wait_until(
        "the descriptors are given back",
        lambda: Footprint.of(program.pid).descriptors <= before.descriptors,
        ALL_DIES_WITHIN,
    )
    after = Footprint.of(program.pid)
    program.stop()
    said = re.search(r"(\d+) calls served, (\d+) ", program.lines[-1])
    assert said is not None, program.output
    return Answered(code, statistics, before, after, int(said[1]), int(said[2]))


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Answered:
    """SIPp's built-in UAC: 1,000 calls, 100 a second."""
    with answering() as (program, address):
        before = Footprint.of(program.pid)
        with sipp.caller(tmp_path_factory.mktemp("uac"), address, calls=CALLS, rate=RATE) as run:
            return served(program, before, run)


def test_of_a_thousand_calls_by_sipp_none_fails_and_none_is_retransmitted(thousand: Answered) -> None:
    """At 100 calls a second every request has its answer within T1, and no message surprises SIPp."""
    assert Statistics(successful=CALLS, failed=0, retransmissions=0, unexpected=0) == thousand.sipp
    assert 0 == thousand.exit_code


def test_a_thousand_calls_leave_neither_sockets_nor_calls_behind(thousand: Answered) -> None:
    """As many descriptors as before, and each call was served and is over."""
    assert thousand.before.descriptors == thousand.after.descriptors
    assert (CALLS, 0) == (thousand.served, thousand.still_up)


def test_calls_that_are_over_cost_little_memory(thousand: Answered) -> None:
    """Bounded per call, though the transactions of each are kept for 32 s."""
    assert thousand.after.resident_octets - thousand.before.resident_octets < CALLS * OCTETS_PER_RECENT_CALL


@dataclass(frozen=True, slots=True)
class Lossy:
    """What the relay did to both directions."""

    towards_callee: Tally
    towards_caller: Tally

    def took_its_share(self, messages: int) -> bool:
        """At least so many messages a direction were seen, and about a tenth of them lost."""
        return all(
            each.seen >= messages and 0.03 < each.lost / each.seen < 0.2
            for each in (self.towards_callee, self.towards_caller)
        )


def test_calls_by_sipp_complete_though_a_tenth_of_all_datagrams_is_lost(tmp_path: Path) -> None:
    """Both sides say each message until it is heard (RFC 3261 17, 13.3.1.4); no call fails, none is served twice."""
    port = sipp.sip_port()
    with (
        answering() as (program, address),
        LossyRelay(address, share=LOSS, seed=SEED, back_port=port) as relay,
        sipp.caller(
            tmp_path, relay.front, calls=LOSSY_CALLS, rate=LOSSY_RATE, talk_seconds=TALK_SECONDS, port=port
        ) as run,
    ):
        answered = served(program, Footprint.of(program.pid), run)
        lossy = Lossy(relay.towards_callee, relay.towards_caller)
    assert (0, LOSSY_CALLS, 0) == (answered.exit_code, answered.sipp.successful, answered.sipp.failed)
    assert (LOSSY_CALLS, 0) == (answered.served, answered.still_up)
    assert lossy.took_its_share(3 * LOSSY_CALLS), lossy


def call_from_the_terminal(target: Address) -> tuple[int, list[str]]:
    """A call of half a second by `offhook call`: its exit code, and the first words of its messages."""
    arguments = [f"sip:{target[0]}:{target[1]}", *ON_LOOPBACK, "--duration", "0.5", "--json"]
    with running(offhook("call", *arguments)) as program:
        code = program.wait()
        text = "\n".join(program.lines)
    report = json.loads(text[text.index("{") : text.rindex("}") + 1])
    return code, [message["line"].split(" (")[0] for message in report["messages"]]


def test_a_call_to_sipp_from_the_terminal_has_the_ladder_of_a_basic_call(tmp_path: Path) -> None:
    """RFC 3665 3.1: six messages, each of them once."""
    with sipp.callee(tmp_path, calls=1) as run:
        assert (0, BASIC_CALL) == call_from_the_terminal(run.address)
        assert (0, Statistics(1, 0, 0, 0)) == run.wait()


async def one_after_the_other(target: Address, calls: int) -> list[str]:
    """Calls from one phone, each begun when the one before is hung up; gives who ended them."""
    ended = []
    async with front_door.Phone(f"udp:{HOST}:0") as phone:
        for _ in range(calls):
            async with phone.call(f"sip:sipp@{target[0]}:{target[1]}") as call:
                await call.play(front_door.Audio.silence(0.1))
            ended.append((await call.ended()).by)
    return ended


def test_one_phone_calls_sipp_again_and_again(tmp_path: Path) -> None:
    """Five calls of one phone, of which SIPp sees every message once."""
    with sipp.callee(tmp_path, calls=5) as run:
        assert ["local"] * 5 == asyncio.run(one_after_the_other(run.address, 5))
        assert (0, Statistics(5, 0, 0, 0)) == run.wait()


async def all_at_once(target: Address, calls: int, run: sipp.Sipp) -> tuple[int, Statistics]:
    """Calls from one phone at the same time; the phone stays until SIPp has seen the end of all of them."""

    async def talk() -> None:
        async with phone.call(f"sip:sipp@{target[0]}:{target[1]}") as call:
            await call.play(front_door.Audio.silence(0.2))

    async with front_door.Phone(f"udp:{HOST}:0") as phone:
        async with asyncio.TaskGroup() as group:
            for _ in range(calls):
                group.create_task(talk())
        return await asyncio.to_thread(run.wait)


def test_our_calls_complete_though_a_tenth_of_all_datagrams_is_lost(tmp_path: Path) -> None:
    """Thirty calls are answered, acknowledged and ended: SIPp has seen the BYE of each of them."""
    port = sipp.sip_port()
    with (
        LossyRelay((HOST, port), share=LOSS, seed=SEED) as relay,
        sipp.callee(tmp_path, calls=LOSSY_CALLS_OF_OURS, through=relay.front, port=port) as run,
    ):
        code, statistics = asyncio.run(all_at_once(relay.front, LOSSY_CALLS_OF_OURS, run))
        lossy = Lossy(relay.towards_callee, relay.towards_caller)
    assert (0, LOSSY_CALLS_OF_OURS, 0) == (code, statistics.successful, statistics.failed)
    assert lossy.took_its_share(2 * LOSSY_CALLS_OF_OURS), lossy


def test_a_call_from_the_terminal_succeeds_over_the_same_loss(tmp_path: Path) -> None:
    """What is lost is said again, and the ladder shows no other messages than those of a basic call."""
    port = sipp.sip_port()
    with (
        LossyRelay((HOST, port), share=LOSS, seed=SEED) as relay,
        sipp.callee(tmp_path, calls=1, through=relay.front, port=port),
    ):
        code, messages = call_from_the_terminal(relay.front)
    assert 0 == code
    assert set(BASIC_CALL) >= set(messages) > {"INVITE", "200 OK", "ACK"}
