"""``offhook answer``: answers calls until it is stopped."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

import offhook
from offhook.simulator import persona
from offhook.simulator.answerers import Answerer, echo, own_agent, player
from offhook.simulator.post_update import post_update
from offhook.simulator.reference_agent import ReferenceAgent
from offhook.simulator.speech import AGENT_VOICE, EspeakVoice

from .app import app, run
from .exit_codes import ExitCode
from .options import CodecOption, codecs_of


@dataclass(frozen=True, slots=True)
class _Post:
    url: str
    api_key: str


@app.command()
def answer(
    listen: Annotated[
        list[str] | None,
        typer.Option("--listen", "-l", help="`udp:HOST:PORT`; may be repeated. Default: udp:0.0.0.0:5060."),
    ] = None,
    echo_back: Annotated[bool, typer.Option("--echo", help="Send back what is heard (the default).")] = False,
    play: Annotated[Path | None, typer.Option(help="Play this sound file, over and over.")] = None,
    agent: Annotated[
        str | None,
        typer.Option(help="`reference`: the built-in agent. `module:function`: your own `async def function(call)`."),
    ] = None,
    delay: Annotated[float, typer.Option(min=0.25, max=60, help="Seconds that the reference agent thinks.")] = 0.8,
    codec: CodecOption = None,
    calls: Annotated[int, typer.Option(min=0, help="Stop after so many calls; 0 goes on.")] = 0,
    rtp_ports: Annotated[str | None, typer.Option(help="Range of RTP ports, `10000-20000`.")] = None,
    post: Annotated[
        str | None, typer.Option(help="Where the reference agent posts its report after each call.")
    ] = None,
    api_key: Annotated[str, typer.Option(envvar="OFFHOOK_API_KEY", help="X-API-Key of those posts.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for each call.")] = False,
) -> None:
    """Answer calls: echo them, play to them, or let an agent talk.

    Examples:
    * `offhook answer --listen udp:127.0.0.1:5060 --echo`
    * `offhook answer --play music.wav --calls 10`
    * `offhook answer --agent reference --delay 0.3`
    * `offhook answer --agent my_bot:serve`
    """
    chosen = [bool(echo_back), play is not None, agent is not None]
    if sum(chosen) > 1:
        raise typer.BadParameter("choose one of --echo, --play and --agent")
    run(
        _answer(
            listen or ["udp:0.0.0.0:5060"],
            play,
            agent,
            delay,
            codecs_of(codec),
            calls,
            rtp_ports,
            post,
            api_key,
            as_json,
        )
    )


async def _answer(
    listen: list[str], play: Path | None, agent: str | None, delay: float, codecs: tuple[str, ...], calls: int,
    rtp_ports: str | None, post: str | None, api_key: str, as_json: bool,
) -> ExitCode:  # fmt: skip
    serve = _server(play, agent, delay, _Post(post, api_key) if post else None)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    served = 0
    async with offhook.Phone(*listen, codecs=codecs, rtp_ports=_range(rtp_ports)) as phone:

        @phone.on_call
        async def take(call: offhook.Call) -> None:
            nonlocal served
            served += 1
            number = served
            try:
                await serve(call)
            finally:
                call.hang_up()
                _print_call(call, as_json)
                if calls and number >= calls:
                    stop.set()

        for host, port in phone.addresses:
            shown = f"[{host}]" if ":" in host else host
            print(f"listening on udp:{shown}:{port} - call sip:agent@{shown}:{port}", flush=True)
        await stop.wait()
        print(f"stopping: {served} calls served, {len(phone.calls)} still up", flush=True)
    return ExitCode.OK


def _server(play: Path | None, agent: str | None, delay: float, post: _Post | None) -> Answerer:
    if play is not None:
        return player(offhook.Audio.load(play))
    if agent == "reference":
        return _reference(delay, post)
    return own_agent(agent) if agent is not None else echo


def _reference(delay: float, post: _Post | None) -> Answerer:
    voice = EspeakVoice(AGENT_VOICE)
    character = replace(persona.DEMO, delay=delay)

    async def serve(call: offhook.Call) -> None:
        call.ring()
        log = await ReferenceAgent(call, character, voice).run()
        if post is not None:
            outcome = await post_update(post.url, post.api_key, log.update({"call_id": call.id, "delay_s": delay}))
            if not outcome.delivered:
                print(f"the report of {call.id} was not delivered: {outcome.status} {outcome.detail}", flush=True)

    return serve


def _range(text: str | None) -> range | None:
    if text is None:
        return None
    first, dash, last = text.partition("-")
    if not dash or not first.isdecimal() or not last.isdecimal() or not 1 <= int(first) < int(last) <= 65_535:
        raise typer.BadParameter(f"{text!r} is no range of ports; write 10000-20000", param_hint="--rtp-ports")
    return range(int(first), int(last) + 1)


def _print_call(call: offhook.Call, as_json: bool) -> None:
    quality = call.quality if call.media is not None else None
    if as_json:
        facts = {
            "call_id": call.id,
            "caller": call.caller_number,
            "callee": call.callee_number,
            "headers": {name: value for name, value in call.request.headers.items() if name.lower().startswith("x-")},
            "quality": quality.as_dict() if quality is not None else None,
        }
        print(json.dumps(facts, default=str), flush=True)
    else:
        print(f"{call.caller_number} -> {call.callee_number}: {quality or 'no media'}", flush=True)
