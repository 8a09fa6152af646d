"""``offhook answer``: answers calls until it is stopped.

What goes on is told on stderr; stdout has one line for each call that ended, so that it can be piped.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

import offhook
from offhook.ladder import visible
from offhook.simulator import persona
from offhook.simulator.answerers import Answerer, echo, own_agent, player
from offhook.simulator.post_update import post_update
from offhook.simulator.reference_agent import ReferenceAgent
from offhook.simulator.speech import AGENT_VOICE, EspeakVoice

from .app import app, run
from .exit_codes import ExitCode
from .options import CodecOption, PublicAddressOption, codecs_of, ports_of

GRACE: Final = 5.0  # seconds that calls may take to finish their work (post their report) when we are stopped


@dataclass(frozen=True, slots=True)
class _Post:
    url: str
    api_key: str


@dataclass(frozen=True, slots=True)
class _Wish:
    listen: tuple[str, ...]
    play: Path | None
    agent: str | None
    delay: float
    codecs: tuple[str, ...]
    calls: int
    rtp_ports: range | None
    public_address: str | None
    post: _Post | None
    as_json: bool


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
    public_address: PublicAddressOption = None,
    post: Annotated[
        str | None, typer.Option(help="Where the reference agent posts its report after each call.")
    ] = None,
    api_key: Annotated[str, typer.Option(envvar="OFFHOOK_API_KEY", help="X-API-Key of those posts.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for each call.")] = False,
) -> None:
    """Answer calls: echo them, play to them, or let an agent talk. Ctrl-C stops it.

    Examples:
    * `offhook answer --listen udp:127.0.0.1:5060 --echo`
    * `offhook answer --play music.wav --calls 10`
    * `offhook answer --agent reference --delay 0.3`
    * `offhook answer --agent my_bot:serve`
    """
    chosen = [bool(echo_back), play is not None, agent is not None]
    if sum(chosen) > 1:
        raise typer.BadParameter("choose one of --echo, --play and --agent")
    if post is not None and agent != "reference":
        raise typer.BadParameter("only --agent reference has a report to post", param_hint="--post")
    if post is not None and not api_key:
        raise typer.BadParameter("needs --api-key, or OFFHOOK_API_KEY in the environment", param_hint="--post")
    run(
        _answer(
            _Wish(
                tuple(listen or ["udp:0.0.0.0:5060"]),
                play,
                agent,
                delay,
                codecs_of(codec),
                calls,
                ports_of(rtp_ports),
                public_address,
                _Post(post, api_key) if post is not None else None,
                as_json,
            )
        )
    )


async def _answer(wish: _Wish) -> ExitCode:
    desk = _Desk(_server(wish), wish)
    signals: list[int] = []

    def stop(number: int) -> None:
        signals.append(number)
        desk.full.set()

    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop, name)
    async with _phone(wish) as phone:
        phone.on_call(desk.take)
        for host, port in phone.addresses:
            shown = f"[{host}]" if ":" in host else host
            _tell(f"listening on udp:{shown}:{port} - call sip:agent@{shown}:{port}")
        await desk.full.wait()
        up = phone.calls
        _tell(f"stopping: {desk.served} calls served, {len(up)} still up")
        for call in up:
            call.hang_up()
        await desk.finish()
    # SIGTERM is how a service is stopped in good order.
    return ExitCode.ABORTED if signal.SIGINT in signals else ExitCode.OK


def _phone(wish: _Wish) -> offhook.Phone:
    return offhook.Phone(*wish.listen, codecs=wish.codecs, rtp_ports=wish.rtp_ports, public_address=wish.public_address)


class _Desk:
    """Takes calls, counts them, and tells when it has had enough."""

    def __init__(self, serve: Answerer, wish: _Wish) -> None:
        self._serve = serve
        self._wish = wish
        self._taken = 0
        self._serving: set[asyncio.Task[object]] = set()
        self.served = 0
        self.full = asyncio.Event()

    async def take(self, call: offhook.Call) -> None:
        """Serve one call; what an agent raises ends its call, and is shown."""
        if self._wish.calls and self._taken >= self._wish.calls:
            call.reject(486)
            return
        self._taken += 1
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        self._serving.add(task)
        try:
            await self._serve(call)
        except (offhook.CallFailed, offhook.CallOver) as over:
            _tell(f"{call.caller_number}: {over}")
        except Exception:  # noqa: BLE001 - somebody's own agent; the next call is served all the same
            traceback.print_exc()
            call.fail()
        finally:
            call.hang_up()
            self._serving.discard(task)
            self.served += 1
            _print_call(call, self._wish.as_json)
            if self.served == self._wish.calls:
                self.full.set()

    async def finish(self) -> None:
        """Wait until the calls that are over have done what they do afterwards, but not for ever."""
        if self._serving:
            await asyncio.wait(self._serving, timeout=GRACE)


def _server(wish: _Wish) -> Answerer:
    if wish.play is not None:
        return player(offhook.Audio.load(wish.play))
    if wish.agent == "reference":
        return _reference(wish.delay, wish.post)
    return own_agent(wish.agent) if wish.agent is not None else echo


def _reference(delay: float, post: _Post | None) -> Answerer:
    voice = EspeakVoice(AGENT_VOICE)
    character = persona.DEMO.thinking(delay)

    async def serve(call: offhook.Call) -> None:
        call.ring()
        log = await ReferenceAgent(call, character, voice).run()
        if post is not None:
            outcome = await post_update(post.url, post.api_key, log.update({"call_id": call.id, "delay_s": delay}))
            _tell(f"report {log.result_id}: {outcome}")

    return serve


def _tell(text: str) -> None:
    """What goes on; people's names and servers' words are strangers'."""
    print(visible(text), file=sys.stderr, flush=True)


def _print_call(call: offhook.Call, as_json: bool) -> None:
    quality = call.quality if call.media is not None else None
    if not as_json:
        print(visible(f"{call.caller_number} -> {call.callee_number}: {quality or 'no media'}"), flush=True)
        return
    facts = {
        "call_id": call.id,
        "caller": call.caller_number,
        "callee": call.callee_number,
        "headers": _custom_headers(call),
        "quality": quality.as_dict() if quality is not None else None,
    }
    print(json.dumps(facts, default=str), flush=True)


def _custom_headers(call: offhook.Call) -> dict[str, str]:
    """RFC 3261 section 7.3.1: rows of one name are one list, separated by commas."""
    headers: dict[str, str] = {}
    for name, value in call.request.headers.items():
        if name.lower().startswith("x-"):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
