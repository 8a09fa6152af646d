"""What tests rely on when they start programs."""

from __future__ import annotations

import signal
import sys

import pytest
from support.processes import Program, running, wait_until

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def python(code: str) -> list[str]:
    """A program of ours."""
    return [sys.executable, "-c", code]


def test_a_line_is_found_whenever_it_was_said() -> None:
    """Waiting for a line that is there already takes no time; the whole line comes back."""
    with running(python("print('one'); print('two ready'); print('three')")) as program:
        assert 0 == program.wait()
        assert "two ready" == program.wait_for_line("ready")
        assert ["one", "two ready", "three"] == program.lines


def test_a_program_that_ends_without_the_line_is_reported_with_its_last_words() -> None:
    """Nobody waits for the dead."""
    with (
        running(python("print('goodbye')")) as program,
        pytest.raises(AssertionError, match=r"(?s)no line with 'ready'.*goodbye"),
    ):
        program.wait_for_line("ready")


def test_stderr_and_exit_code_are_told_too() -> None:
    """What a program says about its failure is not lost."""
    with running(python("import sys; print('sorry', file=sys.stderr); sys.exit(3)")) as program:
        assert 3 == program.wait()
        assert "sorry" == program.output


def test_a_program_is_stopped_by_the_signal_asked_for() -> None:
    """Python ends by KeyboardInterrupt, which is minus SIGINT to its parent."""
    with running(python("import time; print('up', flush=True); time.sleep(60)")) as program:
        program.wait_for_line("up")
        assert not program.has_ended
        assert -signal.SIGINT == program.stop(signal.SIGINT)
        assert program.has_ended


def test_waiting_for_the_end_is_bounded() -> None:
    """A program that goes on fails the test instead of hanging it."""
    with (
        running(python("import time; time.sleep(60)")) as program,
        pytest.raises(AssertionError, match="still running after 0 s"),
    ):
        program.wait(0)


def test_a_program_that_ignores_us_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outlives its block."""
    monkeypatch.setattr("support.processes._MERCY", 0.1)
    with running(python(DEAF)) as program:
        program.wait_for_line("deaf")
    assert -signal.SIGKILL == Program.wait(program, 0)


def test_looking_again_and_again_ends_with_success_or_in_time() -> None:
    """And the failure says what was looked for."""
    looks = iter([False, False, True])
    wait_until("three looks", lambda: next(looks))
    assert [] == list(looks)
    with pytest.raises(AssertionError, match="not within 0 s: pigs fly"):
        wait_until("pigs fly", lambda: False, 0)
