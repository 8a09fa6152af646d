"""What answers calls besides the reference agent."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.loop import run
from support.phones import OURS, phones, say, until

from offhook import Audio, AudioError
from offhook.codecs import tone_present
from offhook.simulator.answerers import MAX_ECHO_BACKLOG, NoSuchAgent, echo, own_agent, player

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from offhook import Call


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of somebody's own, which is the current one; modules of it are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("my_bot_")]:
        del sys.modules[name]


class TestOwnAgent:
    """``module:function`` of the current folder."""

    def test_a_function_of_a_module_is_found(self, module: Path) -> None:
        """A coroutine function that takes the call."""
        (module / "my_bot_a.py").write_text("async def serve(call): pass\n")
        assert "serve" == own_agent("my_bot_a:serve").__name__

    def test_an_object_that_is_callable_will_do(self, module: Path) -> None:
        """An instance with state of its own."""
        (module / "my_bot_b.py").write_text("class Bot:\n    async def __call__(self, call): pass\nbot = Bot()\n")
        assert callable(own_agent("my_bot_b:bot"))

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("my_bot_c", "module:function"),
            ("no_such_module_anywhere:serve", "No module named"),
            ("my_bot_c:nobody", "no attribute"),
            ("my_bot_c:number", "async def number"),
            ("my_bot_c:plain", "async def plain"),
            ("my_bot_wrong:serve", "SyntaxError"),
            ("my_bot_raises:serve", "RuntimeError: no key"),
            (":serve", "ValueError"),
            (".:serve", "TypeError"),
        ],
    )
    def test_what_cannot_serve_is_refused_with_the_reason(self, module: Path, name: str, message: str) -> None:
        """Before the first call; what is wrong is somebody's own module, and it is said so."""
        (module / "my_bot_c.py").write_text("number = 1\ndef plain(call): pass\n")
        (module / "my_bot_wrong.py").write_text("def (\n")
        (module / "my_bot_raises.py").write_text("raise RuntimeError('no key')\n")
        with pytest.raises(NoSuchAgent, match=message):
            own_agent(name)


@pytest.mark.real_network
class TestOnTheWire:
    """Two phones on loopback."""

    def test_an_echo_sends_back_what_it_hears(self) -> None:
        """Our tone comes back; piece by piece, because a clock that was late once leaves a step in it."""

        async def main() -> Audio:
            async with phones(echo) as (caller, called), caller.call(called.uri) as call:
                call.start_playing(say(OURS, 0.6))
                return await call.listen(silence=0.3, timeout=3.0)

        heard = run(main()).pcm[400:4_400].reshape(-1, 400)
        assert sum(tone_present(piece, OURS, 8_000) for piece in heard) >= 6

    def test_an_echo_that_lags_starts_anew(self) -> None:
        """What waits is dropped when it is more than the limit; so the lag is bounded."""

        async def main() -> tuple[int, int]:
            served: list[Call] = []

            async def serve(call: Call) -> None:
                served.append(call)
                await echo(call)

            async with phones(serve) as (caller, called), caller.call(called.uri):
                await until(lambda: served and served[0].media and served[0].media.incoming.sinks)
                media = served[0].media
                sink = media.incoming.sinks[-1]
                for _ in range(MAX_ECHO_BACKLOG):
                    sink(np.zeros(160, np.int16), 0.0)
                full = media.outgoing.backlog
                sink(np.zeros(160, np.int16), 0.0)
                return full, media.outgoing.backlog

        assert (MAX_ECHO_BACKLOG, 1) == run(main())

    def test_a_player_plays_over_and_over(self) -> None:
        """Three times its length is heard of it."""

        async def main() -> float:
            async with phones(player(say(OURS, 0.2))) as (caller, called), caller.call(called.uri) as call:
                return (await call.listen(silence=0.3, timeout=0.7)).duration

        assert run(main()) > 0.5

    def test_a_player_that_plays_once_hangs_up(self) -> None:
        """When it has said what it had to say."""

        async def main() -> str:
            async with phones(player(say(OURS, 0.1), again=False)) as (caller, called), caller.call(called.uri) as call:
                return (await call.ended()).by

        assert "remote" == run(main())


def test_a_player_without_sound_is_refused() -> None:
    """It would play nothing, for ever, as fast as it can."""
    with pytest.raises(AudioError, match="no sound"):
        player(Audio(np.zeros(0, np.int16), 8_000))
