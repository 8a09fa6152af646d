"""A simulated caller: follows a script in a call that stands, and remembers exactly when it said what.

It takes turns by ear: the agent has finished when it spoke and then was silent for ``script.quiet`` seconds. What it says
itself it does not have to detect: each utterance is known by the instants at which its packets left.

What counts as the agent's answer is what :mod:`~.turns` counts: speech that begins after our turn began and goes on beyond its
end. The rest of a sentence that we interrupted is none, nor is a word that the agent threw in while we spoke.
"""

from __future__ import annotations

import asyncio
from math import inf
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
    from collections.abc import Callable, Mapping

    import offhook
    from offhook.outgoing import Playback

    from .speech import Speech, Voice

LOOK_EVERY = 1.0  # seconds at most between two looks at whether the peer still sends anything


class _NothingHeard(Exception):
    """The agent has not said a word for too long."""


async def prepared(script: Script, voice: Voice) -> dict[str, Speech]:
    """Make the sound of all that a script says, by its text: before the call, so that nobody waits for it.

    Raises:
        SpeechFailed: the voice refused a text.
    """
    return {text: await voice.say(text) for text in dict.fromkeys(script.texts)}


class Caller:
    """One caller in one answered call.

    Args:
        call: answered.
        script: what to do.
        speeches: the sound of its texts, as :func:`prepared` makes it.
        detector: ``silero`` knows speech from noise; ``energy`` is cheap.
        tell: hears in a few words what goes on.
    """

    def __init__(
        self,
        call: offhook.Call,
        script: Script,
        speeches: Mapping[str, Speech],
        detector: Literal["silero", "energy"] = "silero",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        media = call.media
        assert media is not None, "answered calls have media"
        self._tell = tell
        self._call = call
        self._script = script
        self._speeches = speeches
        self._loop = asyncio.get_running_loop()
        self._changed: asyncio.Future[None] = self._loop.create_future()  # done when whoever waits should look again
        self._agent_speaking = False
        self._agent_turn_began = -inf  # its pauses shorter than `quiet` included
        self._agent_began = -inf
        self._agent_stopped = -inf
        self._our_start = -inf
        self._our_end = -inf
        self._waited = 0.0  # seconds in vain, since the agent's last word
        self.utterances: list[Utterance] = []
        "What was said, with its instants on the wire; as many as the script has steps."
        self.agent_speech: list[Segment] = []
        "When the agent was heard, on the wire; the script's max_duration bounds it."
        detecting = SpeechDetector(media.incoming.sample_rate, detector=detector)
        self.hearing = Hearing(lambda: media.receive_types, detecting, self._hear)
        self.keys = KeysSent(media.agreed.send_event_type, media.agreed.event_clock_rate)
        media.observers.extend((self.hearing, self.keys))

    async def run(self) -> tuple[EndReason, str]:
        """Follow the script to its end and hang up; tells why the call ended, and more about it for people."""
        watching = asyncio.create_task(self._notice_end())
        try:
            async with asyncio.timeout(self._script.max_duration):
                reason = await self._follow()
        except TimeoutError:
            reason = EndReason.MAX_DURATION, f"{self._script.max_duration:g} s"
        except _NothingHeard:
            reason = self._silence(), f"{self._waited:g} s of waiting"
        except CallOver:
            reason = await self._why_over()
        except InvalidState as fault:  # keys for a peer that takes none
            reason = await self._why_over() if self._call.is_over else (EndReason.FAILED, str(fault))
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        self._call.hang_up()
        self.hearing.finish()
        return reason

    async def _notice_end(self) -> None:
        """Whoever waits for the agent is woken when the call ends."""
        await self._call.ended()
        self._wake()

    async def _follow(self) -> tuple[EndReason, str]:
        for step in self._script.steps:
            if isinstance(step, HangUp):
                await self._agent_finished()
                break
            await self._do(step)
        else:
            await self._agent_finished()
        return (EndReason.COMPLETED if self._has_heard else self._silence()), ""

    async def _why_over(self) -> tuple[EndReason, str]:
        ended = await self._call.ended()
        by = {"remote": EndReason.AGENT_HUNG_UP, "local": EndReason.ABORTED}
        return by.get(ended.by, EndReason.FAILED), ended.reason

    def _silence(self) -> EndReason:
        """Whether the agent said nothing, or nothing of it came."""
        last = self.hearing.last_arrival
        lost = last is None or self._loop.time() - last >= self._script.patience
        return EndReason.MEDIA_LOST if lost else EndReason.SILENCE

    async def _do(self, step: Step) -> None:
        if isinstance(step, BargeIn):
            await self._agent_speaks_for(step.after)
            await self._say(self._speeches[step.text])
            return
        await self._agent_finished()
        match step:
            case Say(text):
                await self._say(self._speeches[text])
            case Press(digits):
                await self._press(digits)

    # -- our turns -----------------------------------------------------------------------------------------------------

    async def _say(self, speech: Speech) -> None:
        """Whatever ends it early, what was said of it is remembered."""
        self._tell(f"caller: {speech.text}")
        piece = self._call.start_playing(Audio(speech.pcm, speech.sample_rate))
        try:
            await piece.wait()
        finally:
            piece.stop()
            self._remember_speech(speech, piece)

    def _remember_speech(self, speech: Speech, piece: Playback) -> None:
        start = piece.instant_of(speech.onset / speech.sample_rate)
        if start is None or speech.end == speech.onset:
            return  # nothing audible left
        last = piece.instant_of((speech.end - 1) / speech.sample_rate)
        end = last + 1 / speech.sample_rate if last is not None else piece.ended
        self._remember(Utterance(speech.text, start, start if end is None else max(start, end)))

    async def _press(self, digits: str) -> None:
        self._tell(f"caller presses {digits}")
        first = len(self.keys.presses)
        try:
            await self._call.send_dtmf(digits)
        finally:
            presses = self.keys.presses[first:]
            if presses:
                pressed = "".join(press.digit for press in presses)
                self._remember(Utterance(pressed, presses[0].started, presses[-1].ended, Kind.DTMF))

    def _remember(self, utterance: Utterance) -> None:
        self.utterances.append(utterance)
        self._our_start, self._our_end = utterance.start_instant, utterance.end_instant

    # -- the agent, by ear ---------------------------------------------------------------------------------------------

    def _hear(self, event: SpeechEvent, instant: float) -> None:
        self._agent_speaking = isinstance(event, SpeechStarted)
        if self._agent_speaking:
            paused = instant - self._agent_stopped
            if paused > self._script.quiet or self._our_end > self._agent_stopped:
                self._agent_turn_began = instant
            self._agent_began = instant
            self._waited = 0.0
        else:
            self._agent_stopped = max(self._agent_began, instant)
            self.agent_speech.append(Segment(self._agent_began, self._agent_stopped))
            self._tell(f"agent spoke for {self._agent_stopped - self._agent_began:.1f} s")
        self._wake()

    @property
    def _has_heard(self) -> bool:
        return self._agent_began > -inf

    @property
    def _has_answered(self) -> bool:
        """Whether the agent said something to our last turn."""
        beyond = self._agent_speaking or self._agent_stopped > self._our_end
        return self._agent_began > self._our_start and beyond

    async def _agent_finished(self) -> None:
        """Wait until the agent has spoken and is silent; patience is limited."""
        began = self._loop.time()
        while not self._call.is_over:
            now = self._loop.time()
            give_up = max(began, self._agent_stopped) + self._script.patience
            if self._agent_speaking:
                await self._wait(LOOK_EVERY)
            elif not self._has_answered:
                if now >= give_up:
                    self._lose_patience()
                    return
                await self._wait(give_up - now)
            elif now - self._agent_stopped >= self._script.quiet:
                return
            else:
                await self._wait(self._agent_stopped + self._script.quiet - now)
        raise CallOver("the call is over")

    async def _agent_speaks_for(self, seconds: float) -> None:
        """Wait until the agent has spoken for so long, or has finished; patience is limited."""
        began = self._loop.time()
        while not self._call.is_over:
            now = self._loop.time()
            give_up = max(began, self._agent_stopped) + self._script.patience
            if self._agent_speaking:
                left = self._agent_turn_began + seconds - now
                if left <= 0.0:
                    return
                await self._wait(left)
            elif self._has_answered:
                left = self._agent_stopped + self._script.quiet - now
                if left <= 0.0:
                    self._tell("the agent had finished before it could be interrupted")
                    return
                await self._wait(left)
            elif now >= give_up:
                self._lose_patience()
                return
            else:
                await self._wait(give_up - now)
        raise CallOver("the call is over")

    def _lose_patience(self) -> None:
        self._waited += self._script.patience
        self._tell(f"the agent said nothing for {self._script.patience:g} s")
        if self._waited >= self._script.silence_timeout:
            raise _NothingHeard

    def _wake(self) -> None:
        if not self._changed.done():
            self._changed.set_result(None)

    async def _wait(self, seconds: float) -> None:
        """Until something is heard, the call ends, or so long; the peer's silence is heard each second."""
        self._changed = self._loop.create_future()
        await asyncio.wait([self._changed], timeout=max(0.001, min(seconds, LOOK_EVERY)))
        self.hearing.passed(self._loop.time())  # on hold nothing of ours leaves that would tell the time
