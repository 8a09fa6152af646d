"""An agent whose words depend on the custom headers of the call.

    python examples/agent_with_headers.py
    python examples/call_in_eight_lines.py sip:agent@127.0.0.1:5062 --header "x-first_name: Ada"

A header ``x-first_name: Ada`` is the variable ``{{ first_name }}`` of a Liquid template: the name loses its ``x-`` and its
case, a hyphen becomes an underscore. A variable that no header gives is empty, or what ``default`` says. It needs the extra
``speech`` (``pip install 'offhook[speech]'``); ``make demo`` has installed it. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib

import offhook
from offhook.simulator.persona import header_variables, render
from offhook.simulator.speech import AGENT_VOICE, EspeakVoice

GREETING = "Hello {{ first_name | default: 'there' }}. {% if order_id %}You call about order {{ order_id }}.{% endif %}"


async def serve(listen: str) -> None:
    """Greet each caller by what the call tells of them, and listen once."""
    voice = EspeakVoice(AGENT_VOICE)
    async with offhook.Phone(listen) as phone:

        @phone.on_call
        async def greet(call: offhook.Call) -> None:
            words = render(GREETING, header_variables(call.request.headers.items()))
            speech = await voice.say(words)
            await call.answer()
            print(f"{call.caller_number}: {words}", flush=True)
            await call.play(offhook.Audio(speech.pcm, speech.sample_rate))
            await call.listen(silence=0.8, timeout=10)

        print(f"listening on {phone.uri}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listen", nargs="?", default="udp:127.0.0.1:5062", help="udp:HOST:PORT; port 0 is any")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().listen))


if __name__ == "__main__":
    main()
