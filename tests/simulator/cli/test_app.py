"""One place where errors become exit codes."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
import typer
from support.loopback import HOST
from typer.testing import CliRunner

from offhook import CallFailed
from offhook.simulator.cli import answer, call, demo
from offhook.simulator.cli.app import app, run
from offhook.simulator.cli.exit_codes import ExitCode
from offhook.simulator.speech import _espeak_library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = {"answer": answer, "call": call, "demo": demo}


def typed(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    return result.exit_code, result.stdout, result.stderr


def code_of(work: object) -> int:
    """The exit code of a command's work."""
    with pytest.raises(typer.Exit) as ended:
        run(work)  # type: ignore[arg-type]
    return ended.value.exit_code


async def ending(how: object) -> ExitCode:
    """Raise it, or give it."""
    if isinstance(how, BaseException):
        raise how
    assert isinstance(how, ExitCode)
    return how


class TestExitCodes:
    """As k6's users know them."""

    @pytest.mark.parametrize(
        ("how", "code"),
        [
            (ExitCode.OK, 0),
            (ExitCode.FAILED, 1),
            (CallFailed(486, "Busy"), 1),
            (ValueError("what was typed"), 2),
            (FileNotFoundError(2, "no", "x"), 104),
            (KeyboardInterrupt(), 105),
        ],
        ids=repr,
    )
    def test_each_end_has_its_code(self, how: object, code: int) -> None:
        """The command's own, or that of what went wrong."""
        assert code == code_of(ending(how))

    def test_our_own_fault_shows_where_it_happened(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With its traceback; the last line asks for a report."""
        assert ExitCode.INTERNAL == code_of(ending(RuntimeError("unforeseen")))
        said = capsys.readouterr().err
        assert "RuntimeError: unforeseen" in said
        assert "please report it" in said.splitlines()[-1]

    def test_what_goes_wrong_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        """On stderr."""
        code_of(ending(CallFailed(486, "Busy Here")))
        said = capsys.readouterr()
        assert ("", "offhook: the call failed: 486 Busy Here - the other side is busy\n") == (said.out, said.err)


class TestHelp:
    """What people read first."""

    def test_the_version_is_told(self) -> None:
        """For bug reports."""
        result = CliRunner().invoke(app, ["--version"])
        assert (0, f"offhook {version('offhook')}\n") == (result.exit_code, result.stdout)

    def test_without_a_command_the_commands_are_told(self) -> None:
        """All of them."""
        _, out, err = typed()
        assert all(name in out + err for name in COMMANDS)

    @pytest.mark.parametrize("command", sorted(COMMANDS))
    @pytest.mark.parametrize("option", ["--help", "-h"])
    def test_each_command_has_examples(self, command: str, option: str) -> None:
        """That can be copied."""
        code, out, _ = typed(command, option)
        assert 0 == code
        assert f"offhook {command}" in out.partition("Examples")[2]


class TestUsage:
    """Refused before anything begins: exit code 2 or 104, and a message with the next step."""

    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["call"], 2, "Missing argument"),
            (["call", "sip:a@b", "-H", "no header"], 2, "X-Name: value"),
            (["call", "sip:a@127.0.0.1:9", "-H", "Via: x"], 2, "Via"),
            (["call", "sip:a@127.0.0.1:9", "-H", "X-A: b\r\nX-Evil: c"], 2, "X-A"),
            (["call", "sip:a@b", "--dtmf", "x"], 2, "keys of"),
            (["call", "sip:a@b", "-c", "speex"], 2, "PCMU, PCMA"),
            (["call", "sip:a@b", "--record", "/no/such/x.wav"], 2, "there is no folder"),
            (["call", "sip:a@b", "--play", "/no/such.wav"], 104, "/no/such.wav"),
            (["call", "sip:a@b", "--play", __file__], 104, "is not a sound file"),
            (["call", "sip:a@["], 2, "sip:agent@127.0.0.1:5060"),
            (["answer", "--rtp-ports", "9-1"], 2, "10000-20000"),
            (["answer", "--echo", "--agent", "reference"], 2, "choose one"),
            (["answer", "--post", "http://x"], 2, "--agent reference"),
            (["answer", "--post", "http://x", "--agent", "reference"], 2, "OFFHOOK_API_KEY"),
            (["answer", "--agent", "nobody"], 2, "module:function"),
            (["answer", "--agent", "no_such_module:serve"], 2, "No module named"),
            (["answer", "--play", "/no/such.wav"], 104, "/no/such.wav"),
            (["answer", "--delay", "0.1"], 2, "0.25"),
            (["answer", "--listen", "udp:127.0.0.1:99999"], 2, "udp:HOST:PORT"),
            (["demo", "--turns", "201"], 2, "200"),
            (["demo", "--out", "/proc/no"], 104, "/proc/no"),
        ],
        ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
    )
    def test_what_is_wrong_is_told(self, arguments: list[str], code: int, words: str) -> None:
        """On stderr; nothing on stdout."""
        found, out, err = typed(*arguments)
        assert (code, "") == (found, out)
        assert words in err
        assert "Traceback" not in err


@pytest.mark.real_network
class TestNobodyThere:
    """A call to a port at which nobody listens."""

    def test_it_fails_in_a_moment_with_a_hint(self) -> None:
        """The system tells that the port is closed."""
        code, out, err = typed("call", f"sip:agent@{HOST}:9", "--listen", f"udp:{HOST}:0")
        assert 1 == code
        assert "INVITE" in out
        assert "503" in err
        assert "check host and port" in err

    def test_its_json_is_json_and_nothing_else(self) -> None:
        """Failure or not."""
        code, out, _ = typed("call", f"{HOST}:9", "--json", "--listen", f"udp:{HOST}:0")
        report = json.loads(out)
        assert (1, 503, None) == (code, report["status"], report["quality"])

    def test_a_name_without_an_address_is_told(self) -> None:
        """It was not called."""
        code, _, err = typed("call", "sip:a@no-such-host.invalid")
        assert (2, True) == (code, "no-such-host.invalid" in err)


@pytest.fixture
def without_synthesiser(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the extra was not installed."""
    _espeak_library.paths.cache_clear()
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    yield
    _espeak_library.paths.cache_clear()


@pytest.mark.usefixtures("without_synthesiser")
@pytest.mark.parametrize("arguments", [["answer", "--agent", "reference", "--listen", "udp:127.0.0.1:0"], ["demo"]])
def test_without_the_synthesiser_it_is_told_what_to_install(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is left of a demo that could not begin."""
    monkeypatch.chdir(tmp_path)
    code, _, err = typed(*arguments)
    assert 2 == code
    assert "offhook[speech]" in err
    assert [] == [path for path in tmp_path.rglob("*") if path.name != "results"]
