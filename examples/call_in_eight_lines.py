"""Call an agent, say something, hear its answer, see how good the call was.

    python examples/call_in_eight_lines.py sip:agent@127.0.0.1:5060
    python examples/call_in_eight_lines.py sip:agent@127.0.0.1:5060 --say question.wav --header "x-first_name: Ada"

Whoever answers will do: `python examples/echo_agent.py` in another terminal, or `offhook answer`. Without ``--say`` a tone of
half a second is played. The call itself is the eight lines of `converse`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import offhook
from offhook.codecs import tone


async def converse(target: str, sound: offhook.Audio, headers: dict[str, str]) -> None:
    """The call."""
    async with offhook.Phone("udp:0.0.0.0:0") as phone:  # noqa: SIM117 - two steps, shown as two
        async with phone.call(target, headers=headers) as call:
            await call.play(sound)
            answer = await call.listen(silence=0.8, timeout=10)
            print(f"heard {answer}")
            print(call.quality)


def main() -> int:
    """Read the command line; 0 when the call was answered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="?", default="sip:agent@127.0.0.1:5060", help="whom to call")
    parser.add_argument("--say", metavar="FILE", help="a sound file")
    parser.add_argument("--header", metavar="'NAME: VALUE'", action="append", default=[], help="may be repeated")
    wish = parser.parse_args()
    sound = offhook.Audio.load(wish.say) if wish.say else offhook.Audio(tone(440.0, 0.5, 8_000), 8_000)
    headers = {name.strip(): value.strip() for name, _, value in (text.partition(":") for text in wish.header)}
    try:
        asyncio.run(converse(wish.target, sound, headers))
    except offhook.CallFailed as failure:
        print(f"the call failed: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
