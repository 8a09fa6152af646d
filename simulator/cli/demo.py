"""``offhook demo``: an agent, a caller, a conversation, a report. On loopback, with nothing to configure."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

import offhook
from offhook.simulator import persona
from offhook.simulator.artefacts import write_artefacts
from offhook.simulator.conversation import Order, converse
from offhook.simulator.post_update import post_update
from offhook.simulator.reference_agent import ReferenceAgent
from offhook.simulator.result import Result
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
    """Hold a conversation with the built-in agent on loopback and open its report.

    Examples:
    * `offhook demo`
    * `offhook demo --delay 1.5 --codec PCMA`
    * `offhook demo --turns 20 --delay 0.3`
    """
    script = many_turns(turns) if turns else DEMO
    run(_demo(out, delay, codecs_of(codec), script, name))


async def _demo(out: Path, delay: float, codecs: tuple[str, ...], script: Script, name: str) -> ExitCode:
    folder = out / time.strftime("demo-%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    narrator = Narrator()
    result = await hold_demo(folder, delay, codecs, script, name, narrator)
    show_result(result, folder)
    return ExitCode.OK if result.metrics is not None and result.metrics.answered_turns else ExitCode.FAILED


async def hold_demo(
    folder: Path, delay: float, codecs: tuple[str, ...], script: Script, name: str, narrator: Narrator
) -> Result:
    """One conversation between the built-in agent and the built-in caller, with real sockets on loopback."""
    inbox = ResultInbox()
    api_key = secrets.token_urlsafe(16)
    agent_persona = replace(persona.DEMO, delay=delay)
    if script is not DEMO:
        agent_persona = replace(agent_persona, replies=(persona.Reply("Here is your answer."),))
    order = Order(
        uri="", script=script, result_id=secrets.token_hex(8), headers=(("x-first_name", name),), codecs=codecs
    )
    caller_voice, agent_voice = EspeakVoice(CALLER_VOICE), EspeakVoice(AGENT_VOICE)
    async with (
        ApiServer(inbox, api_key) as api,
        offhook.Phone("udp:127.0.0.1:0") as agent_phone,
        offhook.Phone("udp:127.0.0.1:0") as caller_phone,
    ):
        posting: list[asyncio.Task[object]] = []

        @agent_phone.on_call
        async def serve(call: offhook.Call) -> None:
            call.ring()
            log = await ReferenceAgent(call, agent_persona, agent_voice).run()
            update = log.update({"call_id": call.id, "delay_s": delay})
            posting.append(asyncio.create_task(post_update(api.url, api_key, update)))

        uri = agent_phone.uri.replace("sip:", "sip:agent@")
        narrator(f"agent on {uri}, thinking for {delay:g} s; reports go to {api.url}")
        result = await converse(caller_phone, replace(order, uri=uri), caller_voice, folder, inbox, narrator)
        await asyncio.gather(*posting)
    return write_artefacts(result, folder)
