"""The examples do what their first lines say: run against each other on loopback, as a newcomer would run them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.loop import run

import offhook

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[1] / "examples"
PATIENCE = 30.0  # seconds for a process that answers in two

pytestmark = pytest.mark.real_network


@contextlib.contextmanager
def agent(name: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """An example that answers, on a free port: its URI and its process, which is stopped as Ctrl-C stops it."""
    command = [sys.executable, str(EXAMPLES / name), "udp:127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            words = process.stdout.readline().split()
            yield words[-1].replace("sip:", "sip:agent@"), process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


def call(target: str, *more: str) -> subprocess.CompletedProcess[str]:
    """The calling example, run to its end."""
    command = [sys.executable, str(EXAMPLES / "call_in_eight_lines.py"), target, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_each_example_explains_itself() -> None:
    """With ``--help``, whose first line is the first line of the file."""
    for path in sorted(EXAMPLES.glob("*.py")):
        shown = subprocess.run(
            [sys.executable, str(path), "--help"], capture_output=True, text=True, timeout=PATIENCE, check=True
        )
        first = path.read_text(encoding="utf-8").splitlines()[0].strip('"')
        assert first in shown.stdout, path.name


def test_the_eight_lines_call_the_echo_agent_and_hear_themselves() -> None:
    """A tone goes there and comes back, without loss."""
    with agent("echo_agent.py") as (uri, _):
        done = call(uri)
    assert "" == done.stderr
    assert 0 == done.returncode
    assert "heard <Audio" in done.stdout
    assert "PCMU: loss 0.00%" in done.stdout


def test_the_agent_with_headers_greets_the_caller_by_name() -> None:
    """``x-first_name: Ada`` is ``{{ first_name }}``, ``X-Order-Id: 7`` is ``{{ order_id }}``."""
    pytest.importorskip("espeakng_loader", reason="needs the extra 'speech'")
    with agent("agent_with_headers.py") as (uri, process):
        done = call(uri, "--header", "x-first_name: Ada", "--header", "X-Order-Id: 7")
        told = process.stdout.readline()
    assert 0 == done.returncode, done.stderr
    assert "offhook: Hello Ada. You call about order 7.\n" == told


def test_a_call_that_nobody_takes_is_told_in_one_line() -> None:
    """On stderr, with exit code 1: a phone without a handler refuses with 480."""

    async def refuse() -> subprocess.CompletedProcess[str]:
        async with offhook.Phone("udp:127.0.0.1:0") as phone:
            return await asyncio.to_thread(call, phone.uri)

    done = run(refuse())
    assert (1, "the call failed: 480 Temporarily Unavailable\n") == (done.returncode, done.stderr)
