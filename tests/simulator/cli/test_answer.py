"""`offhook answer` as a process: it serves, tells, and stops in good order."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.loop import run
from support.offhook_command import answering, offhook
from support.phones import failure_of
from support.processes import running

from offhook import Phone
from offhook.simulator.server import ApiServer, ResultInbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from support.relay import Address

    from offhook import Call

pytestmark = pytest.mark.real_network

BOT = """
async def serve(call):
    await call.answer()
    print("served by my bot", flush=True)

async def broken(call):
    await call.answer()
    raise RuntimeError("my bot is broken")
"""


def call(address: Address, talk: Callable[[Call], Awaitable[Any]] | None = None, **headers: str) -> Any:
    """Call it, talk, and hang up."""

    async def main() -> Any:
        async with (
            Phone("udp:127.0.0.1:0") as phone,
            phone.call(f"sip:agent@{address[0]}:{address[1]}", headers=headers) as call,
        ):
            return await talk(call) if talk else None

    return run(main())


async def until_the_end(call: Call) -> str:
    """Who ended it."""
    async with asyncio.timeout(5.0):
        return (await call.ended()).by


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 105), (signal.SIGTERM, 0)])
def test_it_stops_in_good_order(by: signal.Signals, code: int) -> None:
    """Ctrl-C aborts; SIGTERM is how services are stopped. Neither leaves a traceback."""
    with answering("--echo") as (program, address):
        call(address)
        assert code == program.stop(by)
        assert program.lines[-1].startswith("stopping: 1 calls served, 0 still up")
        assert "Traceback" not in program.output


def test_it_stops_after_the_calls_that_it_was_asked_for() -> None:
    """And prints a JSON object for each: its custom headers, its quality."""
    command = offhook("answer", "--listen", "udp:127.0.0.1:0", "--calls", "1", "--json")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        host, port = process.stderr.readline().split()[2].removeprefix("udp:").split(":")
        call((host, int(port)), **{"X-Test": "a"})
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    (line,) = out.splitlines()
    told = json.loads(line)
    assert (0, {"X-Test": "a"}, "PCMU") == (process.returncode, told["headers"], told["quality"]["codec"])
    assert "Traceback" not in err


def test_an_agent_of_ones_own_serves(tmp_path: Path) -> None:
    """A module of the current folder; when it returns, the call is over."""
    (tmp_path / "bot_one.py").write_text(BOT)
    with answering("--agent", "bot_one:serve", "--calls", "1", folder=tmp_path) as (program, address):
        assert "remote" == call(address, until_the_end)
        assert 0 == program.wait()
        assert "served by my bot" in program.output


def test_an_agent_that_breaks_shows_where_and_ends_its_own_call_only(tmp_path: Path) -> None:
    """The next call is served all the same."""
    (tmp_path / "bot_two.py").write_text(BOT)
    with answering("--agent", "bot_two:broken", folder=tmp_path) as (program, address):
        assert ["remote", "remote"] == [call(address, until_the_end) for _ in range(2)]
        assert 0 == program.stop()
        assert 2 == sum("RuntimeError: my bot is broken" in line for line in program.lines)


def test_a_call_that_is_up_when_it_stops_is_hung_up_and_its_report_posted() -> None:
    """Stopping is the end of a call like any other: the agent posts once after it."""
    inbox = ResultInbox()
    inbox.expect("42")

    async def main() -> tuple[int, str, int]:
        async with ApiServer(inbox, "k") as api, Phone("udp:127.0.0.1:0") as phone:
            arguments = ["--listen", "udp:127.0.0.1:0", "--agent", "reference", "--post", api.url, "--api-key", "k"]
            with running(offhook("answer", *arguments)) as program:
                line = await asyncio.to_thread(program.wait_for_line, "listening on")
                async with phone.call(line.split()[-1], headers={"X-Simulation-Result-Id": "42"}) as call:
                    code = await asyncio.to_thread(program.stop)
                    return code, await until_the_end(call), (await inbox.take("42", 5.0)).posts

    pytest.importorskip("espeakng_loader")
    assert (0, "remote", 1) == run(main())


def test_a_report_that_is_not_delivered_is_told() -> None:
    """With the server's status; the next call is served all the same."""
    pytest.importorskip("espeakng_loader")

    async def main() -> str:
        async with ApiServer(ResultInbox(), "k") as api, Phone("udp:127.0.0.1:0") as phone:
            arguments = ["--listen", "udp:127.0.0.1:0", "--agent", "reference", "--post", api.url, "--api-key", "wrong"]
            with running(offhook("answer", *arguments)) as program:
                line = await asyncio.to_thread(program.wait_for_line, "listening on")
                async with phone.call(line.split()[-1], headers={"X-Simulation-Result-Id": "42"}):
                    pass
                return await asyncio.to_thread(program.wait_for_line, "report 42")

    assert run(main()).startswith("report 42: not delivered after 1 attempt: answered 401")


def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    """With what to do."""
    with answering("--echo") as (_, (host, port)):
        done = subprocess.run(
            offhook("answer", "--listen", f"udp:{host}:{port}"), capture_output=True, text=True, timeout=20, check=False
        )
    assert (2, "") == (done.returncode, done.stdout)
    (line,) = done.stderr.splitlines()
    assert "choose another port with --listen" in line


def test_more_calls_than_it_was_asked_for_are_refused() -> None:
    """While the last one is still up: busy."""

    async def main(address: Address) -> int:
        uri = f"sip:agent@{address[0]}:{address[1]}"
        async with Phone("udp:127.0.0.1:0") as phone, phone.call(uri):
            return (await failure_of(phone, uri)).status

    with answering("--calls", "1") as (program, address):
        assert 486 == run(main(address))
        assert 0 == program.wait()


def test_the_command_runs_without_the_synthesiser() -> None:
    """Echoing needs no voice."""
    code = "import sys; sys.modules['espeakng_loader'] = None; from offhook.simulator.cli import main; main()"
    with running([sys.executable, "-c", code, "answer", "--echo", "--listen", "udp:127.0.0.1:0"]) as program:
        program.wait_for_line("listening on")
        assert 0 == program.stop()
