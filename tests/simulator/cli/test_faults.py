"""Each error becomes one line that says what to do, and the exit code that scripts read."""

from __future__ import annotations

import pydantic
import pytest

from offhook import AudioError, CallFailed
from offhook.rtp.aio import NoPortsLeft
from offhook.simulator.answerers import NoSuchAgent
from offhook.simulator.cli.exit_codes import ExitCode
from offhook.simulator.cli.faults import explain
from offhook.simulator.simulation_update import SimulationUpdate
from offhook.simulator.speech import SpeechFailed, SpeechUnavailable
from offhook.sipcore import Headers, ListenError, LocalError, MalformedMessage, Response, UnknownHost


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        (CallFailed(408, "Not answered in time"), "is the agent running", ExitCode.FAILED),
        (CallFailed(503, "Transport failed"), "check host and port", ExitCode.FAILED),
        (CallFailed(503, "Busy", Response(503, "Busy", Headers())), "takes no more now", ExitCode.FAILED),
        (CallFailed(488, "Not Acceptable Here"), "--codec", ExitCode.FAILED),
        (CallFailed(499, "Odd"), "499 Odd", ExitCode.FAILED),
        (AudioError("x.txt is no sound"), "x.txt", ExitCode.BAD_FILE),
        (SpeechFailed("too long"), "too long", ExitCode.BAD_FILE),
        (SpeechUnavailable("pip install"), "pip install", ExitCode.USAGE),
        (ListenError("udp:5060 is taken"), "--listen", ExitCode.USAGE),
        (MalformedMessage("no host"), "sip:agent@", ExitCode.USAGE),
        (UnknownHost("nowhere"), "nowhere", ExitCode.USAGE),
        (NoPortsLeft("10-20"), "10-20", ExitCode.USAGE),
        (LocalError("not now"), "not now", ExitCode.USAGE),
        (NoSuchAgent("bot:serve"), "bot:serve", ExitCode.USAGE),
        (FileNotFoundError(2, "No such file", "/x/y"), "/x/y: No such file", ExitCode.BAD_FILE),
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied", ExitCode.BAD_FILE),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_went_wrong_is_told_with_what_to_do(error: Exception, words: str, code: ExitCode) -> None:
    """In one line."""
    explained = explain(error)
    assert explained is not None
    assert words in explained[0]
    assert "\n" not in explained[0]
    assert code is explained[1]


def invalid() -> Exception:
    """A fault of ours that is a ValueError by birth."""
    with pytest.raises(pydantic.ValidationError) as caught:
        SimulationUpdate.model_validate({})
    return caught.value


@pytest.mark.parametrize(
    "error",
    [RuntimeError("x"), KeyError("x"), OSError("no file's"), UnicodeDecodeError("utf-8", b"", 0, 1, "x"), invalid()],
    ids=lambda e: type(e).__name__,
)
def test_our_own_faults_keep_their_traceback(error: Exception) -> None:
    """They are not about what was typed."""
    assert explain(error) is None


def test_what_a_peer_says_does_not_command_the_terminal() -> None:
    """Control characters of a stranger's reason are shown, not obeyed."""
    explained = explain(CallFailed(486, "Busy\x1b[2J\r\nHere"))
    assert explained is not None
    assert "\x1b" not in explained[0]
    assert "Busy\\x1b[2J" in explained[0]
