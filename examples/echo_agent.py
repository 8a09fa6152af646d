"""An agent that sends back what it hears, as the smallest one that is good for anything.

    python examples/echo_agent.py
    python examples/echo_agent.py udp:127.0.0.1:5062

Each call is served by a task of its own, so many may talk at once. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib

import offhook


async def serve(listen: str) -> None:
    """Answer until somebody stops us."""
    async with offhook.Phone(listen) as phone:

        @phone.on_call
        async def echo(call: offhook.Call) -> None:
            await call.answer()
            async for frame in call.audio:
                await call.send(frame)

        print(f"listening on {phone.uri}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listen", nargs="?", default="udp:127.0.0.1:5060", help="udp:HOST:PORT; port 0 is any")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().listen))


if __name__ == "__main__":
    main()
