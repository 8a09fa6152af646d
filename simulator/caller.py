"""A simulated caller: follows a script in a call that stands, and remembers exactly when it said what.

It takes turns by ear: the agent has finished when it spoke and then was silent for ``script.quiet`` seconds. What it says
itself it does not have to detect: each utterance is known by the instants at which its packets left.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from offhook.audio import Audio
from offhook.errors import CallOver
from offhook.sipcore.exceptions import InvalidState

from .hearing import Hearing
from .keys_sent import KeysSent
from .result import EndReason
from .script import BargeIn, HangUp, Press, Say, Script, Step
from .segments import Segment
from .turns import Kind, Utterance
from .voice_activity import SpeechDetector, SpeechEvent, SpeechStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    import offhook

    from .speech import Speech, Voice


class Caller:
    """One caller in one answered call.

    Args:
        call: answered.
        script: what to do.
        voice: says it.
        detector: ``silero`` knows speech from noise; ``energy`` is cheap.
        tell: hears in a few words what goes on.
    """

    def __init__(
        self,
        call: offhook.Call,
        script: Script,
        voice: Voice,
        detector: Literal["silero", "energy"] = "silero",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        media = call.media
        assert media is not None, "answered calls have media"
        self._tell = tell
        self._call = call
        self._script = script
        self._voice = voice
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._agent_speaking = False
        self._agent_has_spoken = False  # since our last turn
        self._agent_began = 0.0
        self._agent_stopped = 0.0
        self.utterances: list[Utterance] = []
        "What was said, with its instants on the wire."
        self.agent_speech: list[Segment] = []
        "When the agent was heard, on the wire."
        self.hearing = Hearing(
            media.receive_types, SpeechDetector(media.incoming.sample_rate, detector=detector), self._hear
        )
        self.keys = KeysSent(media.agreed.send_event_type, media.agreed.event_clock_rate)
        media.observers.extend((self.hearing, self.keys))

    async def run(self) -> EndReason:
        """Follow the script to its end and hang up; tells why the call ended."""
        texts = [step.text for step in self._script.steps if isinstance(step, Say | BargeIn)]
        speeches = {text: await self._voice.say(text) for text in texts}
        try:
            async with asyncio.timeout(self._script.max_duration):
                for step in self._script.steps:
                    await self._do(step, speeches)
                await self._agent_finished()
        except TimeoutError:
            self._call.hang_up()
            return EndReason.MAX_DURATION
        except (CallOver, InvalidState):
            return EndReason.AGENT_HUNG_UP
        self._call.hang_up()
        return EndReason.COMPLETED

    async def _do(self, step: Step, speeches: dict[str, Speech]) -> None:
        if isinstance(step, BargeIn):
            await self._agent_speaks_for(step.after)
            await self._say(speeches[step.text])
        else:
            await self._agent_finished()
            match step:
                case Say(text):
                    await self._say(speeches[text])
                case Press(digits):
                    await self._press(digits)
                case HangUp():
                    self._call.hang_up()

    async def _say(self, speech: Speech) -> None:
        self._tell(f"caller: {speech.text}")
        self._agent_has_spoken = False
        piece = await self._call.play(Audio(speech.pcm, speech.sample_rate))
        start = piece.instant_of(speech.onset / speech.sample_rate)
        if start is None:
            return
        last = piece.instant_of((speech.end - 1) / speech.sample_rate)
        end = last + 1 / speech.sample_rate if last is not None else piece.ended or start
        self.utterances.append(Utterance(speech.text, start, end))

    async def _press(self, digits: str) -> None:
        self._tell(f"caller presses {digits}")
        self._agent_has_spoken = False
        first = len(self.keys.presses)
        await self._call.send_dtmf(digits)
        presses = self.keys.presses[first:]
        if presses:
            self.utterances.append(Utterance(digits, presses[0].started, presses[-1].ended, Kind.DTMF))

    # -- the agent, by ear ---------------------------------------------------------------------------------------------

    def _hear(self, event: SpeechEvent, instant: float) -> None:
        self._agent_speaking = isinstance(event, SpeechStarted)
        if self._agent_speaking:
            self._agent_has_spoken = True
            self._agent_began = instant
        else:
            self._agent_stopped = instant
            self.agent_speech.append(Segment(self._agent_began, max(self._agent_began, instant)))
            self._tell(f"agent spoke for {instant - self._agent_began:.1f} s")
        self._changed.set()

    def finish(self, instant: float) -> None:
        """The call ended: speech that went on ends here."""
        if self._agent_speaking:
            self._agent_speaking = False
            self.agent_speech.append(Segment(self._agent_began, max(self._agent_began, instant)))

    async def _agent_finished(self) -> None:
        """Wait until the agent has spoken and is silent; patience is limited."""
        give_up = self._loop.time() + self._script.patience
        while not self._call.is_over:
            now = self._loop.time()
            if self._agent_speaking:
                give_up = now + self._script.patience
                await self._wait(1.0)
            elif not self._agent_has_spoken:
                if now >= give_up:
                    return
                await self._wait(give_up - now)
            elif now - self._agent_stopped >= self._script.quiet:
                return
            else:
                await self._wait(self._agent_stopped + self._script.quiet - now)
        raise CallOver("the call is over")

    async def _agent_speaks_for(self, seconds: float) -> None:
        """Wait until the agent has spoken for so long without a pause; patience is limited."""
        give_up = self._loop.time() + self._script.patience
        while self._loop.time() < give_up and not self._call.is_over:
            spoken = self._loop.time() - self._agent_began
            if self._agent_speaking and spoken >= seconds:
                return
            await self._wait(seconds - spoken if self._agent_speaking else give_up - self._loop.time())

    async def _wait(self, seconds: float) -> None:
        """Until something is heard, or so long; never longer than a second, so that the end of the call is noticed."""
        self._changed.clear()
        try:
            async with asyncio.timeout(max(0.001, min(seconds, 1.0))):
                await self._changed.wait()
        except TimeoutError:
            return
