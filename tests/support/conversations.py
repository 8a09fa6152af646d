"""Whole conversations on loopback, with tones for voices, so that they take seconds and need no synthesiser."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from support.linked_calls import ToneVoice

from offhook import Phone
from offhook.simulator.conversation import Order, converse
from offhook.simulator.persona import Persona, Reply
from offhook.simulator.post_update import post_update
from offhook.simulator.reference_agent import ReferenceAgent
from offhook.simulator.script import Script
from offhook.simulator.server import ApiServer, ResultInbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from offhook import Call
    from offhook.simulator.result import Result


async def look_up(parameters: Any) -> Any:
    """The agent's tool."""
    return {"customer": parameters["customer"], "status": "shipped"}


AGENT = Persona(
    "x" * 30,
    (Reply("x" * 90, "look_up", {"customer": "{{ first_name }}"}), Reply("x" * 30)),
    Reply("x" * 30),
    delay=0.4,
    tools={"look_up": look_up},
)


@dataclass
class Held:
    """What is known after a conversation."""

    result: Result
    told: list[str] = field(default_factory=list)
    waiting: int = 0
    "Reports that are still waited for."


async def hold(
    script: Script, folder: Path, serve: Callable[[Call], Awaitable[None]] | None = None, **order: Any
) -> Held:
    """Call an agent (the reference agent unless another is given) and hold a conversation with it."""
    inbox = ResultInbox()
    told: list[str] = []
    async with ApiServer(inbox, "k") as api, Phone("udp:127.0.0.1:0") as called, Phone("udp:127.0.0.1:0") as caller:

        async def answer(call: Call) -> None:
            call.ring()
            log = await ReferenceAgent(call, AGENT, ToneVoice(), "energy").run()
            await post_update(api.url, "k", log.update({"call_id": call.id}))

        called.on_call(serve or answer)
        to = Order(
            called.uri.replace("sip:", "sip:agent@"), script, "42", (("X-First_Name", "Ada"),), detector="energy"
        )
        result = await converse(caller, replace(to, **order), ToneVoice(), folder, inbox, told.append)
        await asyncio.sleep(0)
    return Held(result, told, len(inbox))


__all__ = ["AGENT", "Held", "hold"]
