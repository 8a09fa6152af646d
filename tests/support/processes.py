"""Programs that tests start: their lines as they come, an exit code within bounded time, and an end in any case.

A reader thread collects what a program says on stdout and stderr, so that a talkative program never blocks and a test can
wait for a line instead of guessing how long something takes. `running` ends its program on the way out, whatever the
test has met: first by SIGTERM, then, when that does not help, by SIGKILL; always by the id of the one process it started.

Foreign programs cannot be driven by a virtual clock. Where one gives no line to wait for, `wait_until` looks again and
again at what can be seen from outside, for a bounded time.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PATIENCE = 30.0
"""Seconds that a test waits for something that takes one, before it calls it broken."""

LAST_WORDS = 40
"""Lines of a program's output that an error shows."""

_GLANCE = 0.02  # seconds between two looks at what nobody tells us about
_MERCY = 5.0  # seconds from SIGTERM to SIGKILL


class Program:
    """A program that runs, or has run.

    Args:
        command: program and arguments.
        folder: where it runs; the test's own folder by default.
    """

    def __init__(self, command: Sequence[str], folder: Path | None = None) -> None:
        self.lines: list[str] = []
        """What it has said so far, on stdout and stderr."""
        self._said = threading.Condition()
        self._closed = False
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, name=f"reads {command[0]}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    @property
    def output(self) -> str:
        """The last lines that it has said."""
        return "\n".join(self.lines[-LAST_WORDS:])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._said:
                self.lines.append(line.rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._closed = True
            self._said.notify_all()

    def wait_for_line(self, text: str, seconds: float = PATIENCE) -> str:
        """The first line that contains ``text``.

        Raises:
            AssertionError: it ended, or the time was over, without such a line.
        """

        def found() -> str | None:
            return next((line for line in self.lines if text in line), None)

        with self._said:
            self._said.wait_for(lambda: found() is not None or self._closed, seconds)
            line = found()
        assert line is not None, f"no line with {text!r} within {seconds} s:\n{self.output}"
        return line

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code; its output is complete then.

        Raises:
            AssertionError: it still runs.
        """
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s:\n{self.output}") from None
        self._reader.join(_MERCY)
        return code

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and give its exit code."""
        self._process.send_signal(by)
        return self.wait()

    def end(self) -> None:
        """End it if it still runs, and free what it held."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_MERCY)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(_MERCY)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path | None = None) -> Iterator[Program]:
    """A program for as long as the block lasts."""
    program = Program(command, folder)
    try:
        yield program
    finally:
        program.end()


def wait_until(what: str, is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Look until something is so.

    Raises:
        AssertionError: it has not become so in time; the message says what.
    """
    last = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < last, f"not within {seconds} s: {what}"
        time.sleep(_GLANCE)
