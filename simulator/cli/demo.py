"""``offhook demo``: an agent, a caller, a conversation, a report. On loopback, with nothing to configure."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

import offhook
from offhook.simulator import persona
from offhook.simulator.artefacts import write_artefacts
from offhook.simulator.conversation import Order, converse
from offhook.simulator.post_update import PostOutcome, post_update
from offhook.simulator.reference_agent import ReferenceAgent
from offhook.simulator.result import EndReason, Result
from offhook.simulator.script import DEMO, Script, many_turns
from offhook.simulator.server import ApiServer, ResultInbox
from offhook.simulator.speech import AGENT_VOICE, CALLER_VOICE, EspeakVoice

from .app import app, run
from .exit_codes import ExitCode
from .options import CodecOption, codecs_of
from .show import Narrator, show_result


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the results; one folder a call is made in it.")
    ] = Path("results"),
    delay: Annotated[
        float, typer.Option(min=0.25, max=10.0, help="Seconds that the agent thinks before it answers.")
    ] = 0.8,
    codec: CodecOption = None,
    turns: Annotated[
        int,
        typer.Option(min=0, max=200, help="Instead of the demo's script, so many short turns: to measure latencies."),
    ] = 0,
    name: Annotated[str, typer.Option(help="The caller's first name, which the agent greets.")] = "Ada",
) -> None:
    """Hold a conversation with the built-in agent on loopback, measure it, and write a report.

    Examples:
    * `offhook demo`
    * `offhook demo --delay 1.5 --codec PCMA`
    * `offhook demo --turns 20 --delay 0.3`
    """
    script = many_turns(turns) if turns else DEMO
    run(_demo(out, delay, codecs_of(codec), script, name))


async def _demo(out: Path, delay: float, codecs: tuple[str, ...], script: Script, name: str) -> ExitCode:
    folder = _new_folder(out)
    try:
        result = await hold_demo(folder, delay, codecs, script, name, Narrator())
    except BaseException:  # Ctrl-C, or a fault: half a demo is of no use to anybody
        shutil.rmtree(folder, ignore_errors=True)
        raise
    show_result(result, folder)
    well = result.call.end_reason is EndReason.COMPLETED and result.metrics is not None
    return ExitCode.OK if well and result.metrics and result.metrics.answered_turns else ExitCode.FAILED


def _new_folder(out: Path) -> Path:
    """One that was not there before."""
    name = time.strftime("demo-%Y%m%d-%H%M%S")
    for number in count(1):
        folder = out / (name if number == 1 else f"{name}-{number}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError("count() does not end")


async def hold_demo(
    folder: Path, delay: float, codecs: tuple[str, ...], script: Script, name: str, tell: Callable[[str], None]
) -> Result:
    """One conversation between the built-in agent and the built-in caller, with real sockets on loopback.

    Args:
        folder: for the artefacts; it exists.
        delay: seconds that the agent thinks.
        codecs: names to offer.
        script: of the caller.
        name: the caller's first name.
        tell: hears in a few words what goes on.
    """
    inbox = ResultInbox()
    api_key = secrets.token_urlsafe(16)
    agent_persona = persona.DEMO.thinking(delay)
    if script is not DEMO:
        agent_persona = replace(
            agent_persona, replies=(persona.Reply("Here is your answer."),), max_duration=script.max_duration
        )
    patient = replace(script, patience=max(script.patience, delay + 4.0))
    order = Order(
        uri="",
        script=patient,
        result_id=secrets.token_hex(8),
        headers=(("x-first_name", name),),
        codecs=codecs,
    )
    caller_voice, agent_voice = EspeakVoice(CALLER_VOICE), EspeakVoice(AGENT_VOICE)
    async with (
        ApiServer(inbox, api_key) as api,
        offhook.Phone("udp:127.0.0.1:0") as agent_phone,
        offhook.Phone("udp:127.0.0.1:0") as caller_phone,
    ):
        posting: list[asyncio.Task[PostOutcome]] = []

        @agent_phone.on_call
        async def serve(call: offhook.Call) -> None:
            call.ring()
            log = await ReferenceAgent(call, agent_persona, agent_voice).run()
            update = log.update({"call_id": call.id, "delay_s": delay})
            posting.append(asyncio.create_task(post_update(api.url, api_key, update)))

        uri = agent_phone.uri.replace("sip:", "sip:agent@")
        tell(f"agent on {uri}, thinking for {delay:g} s")
        tell(f"reports go to {api.url}")
        try:
            result = await converse(caller_phone, replace(order, uri=uri), caller_voice, folder, inbox, tell)
            for outcome in await asyncio.gather(*posting):
                tell(f"the agent's report: {outcome}")
        finally:
            for task in posting:
                task.cancel()
            await asyncio.gather(*posting, return_exceptions=True)
    return write_artefacts(result, folder)
