"""`offhook call`: one call from the terminal."""

from __future__ import annotations

import json
import signal
import wave
from typing import TYPE_CHECKING

import pytest
from support.offhook_command import ON_LOOPBACK, answering, offhook
from support.phones import say
from support.processes import running
from typer.testing import CliRunner

from offhook.simulator.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.real_network


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """Where somebody echoes."""
    with answering("--echo") as (_, (host, port)):
        yield f"{host}:{port}"


def typed(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr of a call."""
    result = CliRunner().invoke(app, ["call", *arguments, *ON_LOOPBACK], env={"COLUMNS": "100", "NO_COLOR": "1"})
    return result.exit_code, result.stdout, result.stderr


def test_a_call_prints_its_ladder_and_its_quality(echo: str) -> None:
    """What goes on is told on stderr meanwhile."""
    code, out, err = typed(echo, "--duration", "0.2")
    assert 0 == code
    assert all(word in out for word in ("INVITE", "200 OK", "BYE", "PCMU: loss 0.00%"))
    assert "answered, PCMU" in err
    assert "answered" not in out


def test_its_json_is_one_object_and_nothing_else(echo: str) -> None:
    """With a header sent, and the ladder's messages."""
    code, out, _ = typed(f"sip:agent@{echo}", "--duration", "0.2", "--json", "-H", "X-A: 1", "-c", "PCMA")
    report = json.loads(out)
    assert (0, 200, "PCMA") == (code, report["status"], report["codec"])
    assert report["messages"][0]["line"].startswith("INVITE")
    assert report["setup_ms"] > 0


def test_what_is_played_is_recorded_and_the_call_ends_by_itself(echo: str, tmp_path: Path) -> None:
    """When the sound is over and the keys are pressed; recording and capture are named."""
    say(seconds=0.3).save(tmp_path / "in.wav")
    code, out, _ = typed(
        echo, "--play", str(tmp_path / "in.wav"), "--dtmf", "1", "--record", str(tmp_path / "out.wav"), "--capture", str(tmp_path / "c.pcap")
    )  # fmt: skip
    assert 0 == code
    assert f"recording: {tmp_path / 'out.wav'}" in out
    assert (tmp_path / "c.pcap").stat().st_size > 1_000
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert 0.3 < file.getnframes() / 8_000 < 2.0


def test_a_call_that_nobody_answers_is_cancelled(tmp_path: Path) -> None:
    """After the time to wait, with a hint."""
    (tmp_path / "no_answer.py").write_text("async def serve(call):\n    call.ring()\n    await call.ended()\n")
    with answering("--agent", "no_answer:serve", folder=tmp_path) as (_, (host, port)):
        code, out, err = typed(f"{host}:{port}", "--timeout", "1")
    assert 1 == code
    assert "CANCEL" in out
    assert "408" in err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_sees_what_happened_until_then(echo: str, how: signal.Signals) -> None:
    """Ctrl-C, or what `timeout` and containers send: the call is hung up, the ladder printed, the code says so."""
    with running(offhook("call", echo, *ON_LOOPBACK)) as program:
        program.wait_for_line("answered, PCMU")
        assert 105 == program.stop(how)
        assert any("BYE" in line for line in program.lines)
        assert "Traceback" not in program.output


@pytest.mark.parametrize("scheme", ["sip:", "SIP:", ""])
def test_an_address_may_come_without_its_scheme(echo: str, scheme: str) -> None:
    """Or with it, in any case."""
    assert 0 == typed(f"{scheme}{echo}", "--duration", "0.05")[0]


def test_behind_a_nat_the_public_address_is_told(echo: str, tmp_path: Path) -> None:
    """In Contact, where requests come to, and in the SDP, where sound is sent; answers find back by rport."""
    capture = tmp_path / "call.pcap"
    code, _, _ = typed(echo, "--duration", "0.1", "--capture", str(capture), "--public-address", "192.0.2.7")
    sent = capture.read_bytes()
    assert 0 == code
    assert b"Contact: <sip:offhook@192.0.2.7:" in sent
    assert b"c=IN IP4 192.0.2.7" in sent
