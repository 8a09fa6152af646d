"""The application: its commands, and one place where errors become one line and an exit code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Coroutine
from importlib.metadata import version
from typing import Annotated, Any

import typer

from .exit_codes import ExitCode
from .faults import explain

app = typer.Typer(
    name="offhook",
    help="Calls voice agents and answers for them: SIP and RTP in pure Python, measured on the wire.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"offhook {version('offhook')}")
        raise typer.Exit


@app.callback()
def options(
    version_wanted: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """What stands before the command."""


async def _until_stopped(work: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    """SIGTERM, by which services, containers and `timeout` stop a program, ends it as Ctrl-C does: calls are hung up."""
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError, RuntimeError):  # not the main thread, or no such signals here
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def run(work: Coroutine[Any, Any, ExitCode]) -> None:
    """Run a command; what goes wrong is told in one line on stderr, with what to do next."""
    try:
        code = asyncio.run(_until_stopped(work))
        sys.stdout.flush()
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("offhook: stopped", file=sys.stderr)
        code = ExitCode.ABORTED
    except BrokenPipeError:  # whoever read our output has gone; nothing may be said there at the end either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.ABORTED
    except Exception as error:  # noqa: BLE001 - the last line of defence, which hides nothing
        explained = explain(error)
        if explained is None:
            traceback.print_exc()
            explained = "this is a fault of Offhook itself; please report it with the lines above", ExitCode.INTERNAL
        message, code = explained
        print(f"offhook: {message}", file=sys.stderr)
    raise typer.Exit(int(code))


def main() -> None:
    """Entry point of ``offhook`` and of ``python -m offhook``."""
    from . import answer, call, demo  # noqa: F401, PLC0415 - each registers its command; loaded late, for a quick --help

    app()
