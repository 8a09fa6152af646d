"""``offhook call URI``: one call from the terminal. What goes on is told on stderr, what came of it on stdout."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

import offhook
from offhook.ladder import draw

from .app import app, run
from .exit_codes import ExitCode
from .options import CodecOption, HeaderOption, PublicAddressOption, codecs_of, headers_of, keys_of, writable
from .show import Narrator

SCHEMES: Final = ("sip:", "sips:", "tel:")
GOODBYE: Final = 2.0  # seconds that we wait for the other side to confirm the end, a CANCEL's 487 for example


@dataclass(frozen=True, slots=True)
class _Wish:
    uri: str
    headers: tuple[tuple[str, str], ...]
    codecs: tuple[str, ...]
    play: Path | None
    record: Path | None
    capture: Path | None
    dtmf: str
    duration: float | None
    timeout: float
    listen: str
    public_address: str | None
    caller: str | None
    as_json: bool


@app.command()
def call(
    uri: Annotated[str, typer.Argument(help="Whom to call: `sip:agent@127.0.0.1:5060`.")],
    header: HeaderOption = None,
    play: Annotated[Path | None, typer.Option(help="Sound file to play when the call is answered.")] = None,
    record: Annotated[Path | None, typer.Option(help="Record both sides into this WAV file, caller left.")] = None,
    capture: Annotated[Path | None, typer.Option(help="Write SIP and RTP into this pcap file.")] = None,
    dtmf: Annotated[str, typer.Option(help="Keys to press after playing: 0-9 * # A-D.")] = "",
    codec: CodecOption = None,
    duration: Annotated[
        float | None, typer.Option("--duration", "-d", min=0, help="Seconds to stay in the call, all in all.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for an answer.")] = 60.0,
    listen: Annotated[str, typer.Option(help="Our own address; port 0 is any.")] = "udp:0.0.0.0:0",
    public_address: PublicAddressOption = None,
    caller: Annotated[str | None, typer.Option("--from", help="Who we say we are: `sip:alice@example.com`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Place one call; print its ladder and its quality.

    It ends when the other side hangs up, after `--duration`, or when everything asked for has been played and pressed.

    Examples:
    * `offhook call sip:agent@127.0.0.1:5060 --play question.wav --record call.wav --duration 20`
    * `offhook call sip:agent@127.0.0.1 -H 'X-Simulation-Result-Id: 42' --dtmf 4711# --json`
    """
    wish = _Wish(
        uri if uri.lower().startswith(SCHEMES) else f"sip:{uri}",
        headers_of(header), codecs_of(codec), play, writable(record, "--record"), writable(capture, "--capture"),
        keys_of(dtmf), duration, timeout, listen, public_address, caller, as_json,
    )  # fmt: skip
    run(_call(wish))


async def _call(wish: _Wish) -> ExitCode:
    narrator = Narrator()
    sound = offhook.Audio.load(wish.play) if wish.play else None
    code, failure = ExitCode.OK, None
    async with _phone(wish) as phone:
        phone.trace.remember()
        if wish.capture:
            phone.trace.capture(wish.capture)
        placed = await phone.dial(wish.uri, headers=wish.headers)
        watching = asyncio.create_task(_narrate(placed, narrator))
        timer = asyncio.get_running_loop().call_later(wish.timeout, placed.give_up)
        try:
            await placed.answered()
            timer.cancel()
            await _talk(placed, wish, sound)
        except offhook.CallFailed as error:
            failure = error
        except offhook.CallOver:
            pass  # the other side was quicker; the narrator tells
        except asyncio.CancelledError:  # Ctrl-C: what happened until now is shown all the same
            code = ExitCode.ABORTED
        finally:
            timer.cancel()
            placed.hang_up()
            await asyncio.wait([watching], timeout=GOODBYE)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    _show(placed, phone, wish, failure)
    if failure is not None and code is ExitCode.OK:
        raise failure
    return code


def _phone(wish: _Wish) -> offhook.Phone:
    return offhook.Phone(wish.listen, codecs=wish.codecs, caller=wish.caller, public_address=wish.public_address)


async def _talk(placed: offhook.Call, wish: _Wish, sound: offhook.Audio | None) -> None:
    """Do what was asked for, and stay until the time is over or the other side hangs up."""
    if wish.record:
        placed.record(wish.record)
    doing = asyncio.create_task(_perform(placed, wish, sound))
    ended = asyncio.create_task(placed.ended())
    waiting: set[asyncio.Task[object]] = {ended}
    if wish.duration is None and (wish.play or wish.dtmf):
        waiting.add(doing)
    doing.add_done_callback(lambda task: None if task.cancelled() or task.exception() is None else ended.cancel())
    try:
        await asyncio.wait(waiting, timeout=wish.duration, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (doing, ended):
            task.cancel()
        done, _ = await asyncio.gather(doing, ended, return_exceptions=True)
    if isinstance(done, Exception):  # a key that cannot be pressed must not be swallowed
        raise done


async def _perform(placed: offhook.Call, wish: _Wish, sound: offhook.Audio | None) -> None:
    if sound is not None:
        await placed.play(sound)
    if wish.dtmf:
        await placed.send_dtmf(wish.dtmf)


async def _narrate(placed: offhook.Call, narrator: Narrator) -> None:
    async for event in placed.events():
        match event:
            case offhook.Ringing(status):
                narrator(f"{status} from {placed.request.target}")
            case offhook.Answered(_, codec):
                narrator(f"answered, {codec}")
            case offhook.DtmfReceived(digit):
                narrator(f"key {digit}")
            case offhook.MediaChanged(direction):
                narrator(f"media is now {direction}")
            case offhook.Ended(by, reason):
                narrator(f"ended ({by}): {reason}")


def _show(placed: offhook.Call, phone: offhook.Phone, wish: _Wish, failure: offhook.CallFailed | None) -> None:
    ladder = phone.trace.ladder(placed)
    quality = placed.quality if placed.media is not None else None
    if not wish.as_json:
        print(draw(ladder, phone.trace.media(placed)))
        if quality is not None:
            print(quality)
        for kind, path in (("recording", wish.record), ("capture", wish.capture)):
            if path is not None and path.exists():
                print(f"{kind}: {path}")
        return
    answered = placed.answered_at
    report = {
        "uri": wish.uri,
        "call_id": placed.id,
        "status": failure.status if failure else (placed.response.status if placed.response else None),
        "reason": failure.reason if failure else "",
        "setup_ms": round(1000 * (answered - ladder[0].instant), 3) if answered and ladder else None,
        "codec": placed.codec,
        "quality": quality.as_dict() if quality is not None else None,
        "messages": [{"at_s": e.instant - ladder[0].instant, "line": e.summary, "again": e.again} for e in ladder],
    }
    json.dump(report, sys.stdout, indent=2, default=str)
    print()
