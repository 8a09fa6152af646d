"""The reference agent: answers, greets, takes turns, yields to interruptions, reads back keys, calls tools, tells the truth.

It understands no words and needs no model: it hears when the caller speaks and falls silent, and answers by its
:class:`~.persona.Persona` after a known delay. That makes it the ruler that measurements are held against.

Its turns are told by the pure machine :class:`~.turn_taking.TurnTaking`; this file plays and waits. One task at a time prepares
an answer and says it when it is due. When the caller goes on meanwhile, the task is cancelled and nothing of it was said: the
same reply serves for the longer turn. A tool that was called for it is told as taken back, and is called again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import offhook
from offhook.audio import Audio

from .agent_log import AgentLog
from .hearing import Hearing
from .persona import Persona, Reply, header_variables, render
from .turn_taking import TurnTaking
from .voice_activity import Sensitivity, SpeechDetector, SpeechEvent, SpeechStarted
from .voice_probability import load_model

if TYPE_CHECKING:
    from typing import Literal

    from offhook.outgoing import Playback

    from .speech import Speech, Voice
    from .turn_taking import CallersTurn

RESULT_ID_HEADER: Final = "X-Simulation-Result-Id"
HALF_TICK: Final = 0.01  # seconds; what is queued leaves within 20 ms, on average this much later
PREPARATION: Final = 0.12  # seconds before the answer is due in which its words are made and its tool is called
LOOK_EVERY: Final = 1.0  # seconds between two looks at the limits of a call


class ReferenceAgent:
    """Serves one call.

    Args:
        call: incoming, not yet answered.
        persona: what to say and do.
        voice: says it.
        detector: ``silero`` knows speech from noise; ``energy`` is cheap.
    """

    def __init__(
        self, call: offhook.Call, persona: Persona, voice: Voice, detector: Literal["silero", "energy"] = "silero"
    ) -> None:
        self._call = call
        self._persona = persona
        self._voice = voice
        self._detector: Literal["silero", "energy"] = detector
        self._loop = asyncio.get_running_loop()
        self._variables: dict[str, Any] = dict(header_variables(call.request.headers.items()))
        self._variables["caller_number"] = call.caller_number
        self._turns = TurnTaking(persona.digit_pause)
        self._replies_given = 0
        self._began_at = 0.0
        self._active_at = 0.0  # when either side was last heard
        self._speech_began = 0.0
        self._hearing: Hearing | None = None
        self._playing: Playback | None = None
        self._answering: asyncio.Task[None] | None = None
        self._noting: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self.log = AgentLog(call.request.headers.get(RESULT_ID_HEADER) or f"call_{call.id}")

    async def run(self) -> AgentLog:
        """Answer, talk until the call is over, and give the log.

        Raises:
            CallFailed: the caller gave up before the answer.
            BadTemplate: a text of the persona could not be filled in; the call is hung up.
            SpeechFailed: the voice refused a text; the call is hung up.
        """
        if self._detector == "silero":
            load_model()
        greeting = await self._voice.say(render(self._persona.greeting, self._variables))
        self._began_at = self._active_at = self._loop.time()  # the 200 leaves now
        await self._call.answer()
        self.log.begin(self._began_at)
        self._listen()
        watching = asyncio.create_task(self._keep_limits())
        try:
            self._say(greeting, None)
            await self._follow()
        finally:
            self._take_back_answer()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            self._call.hang_up()  # ends what is playing, so that the notes end too
            await asyncio.gather(*self._noting, return_exceptions=True)
        if self._fault is not None:
            raise self._fault
        return self.log

    def _listen(self) -> None:
        media = self._call.media
        assert media is not None, "answered calls have media"
        sensitivity = Sensitivity(hangover=self._persona.endpointing)
        detector = SpeechDetector(media.incoming.sample_rate, detector=self._detector, sensitivity=sensitivity)
        self._hearing = Hearing(lambda: media.receive_types, detector, self._hear)
        media.observers.append(self._hearing)

    async def _follow(self) -> None:
        """Until the end of the call, which is its last event."""
        async for event in self._call.events():
            match event:
                case offhook.DtmfReceived(digit, duration, at):
                    self._key_pressed(digit, at, at + duration)
                case offhook.Ended(by, reason, at):
                    self.log.happened("call_ended", at, f"{by}: {reason}")

    async def _keep_limits(self) -> None:
        """Hang up on a caller who is silent for too long, or never hangs up."""
        while not self._call.is_over:
            await asyncio.sleep(LOOK_EVERY)
            now = self._loop.time()
            if self._hearing is not None:
                self._hearing.passed(now)  # on hold nothing of ours leaves that would tell the time
            if self._is_playing or self._turns.caller_is_speaking:
                self._active_at = now
            if now - self._began_at >= self._persona.max_duration:
                self._leave("max_duration", now)
            elif now - self._active_at >= self._persona.silence_timeout:
                self._leave("silence_timeout", now)

    def _leave(self, why: str, now: float) -> None:
        self.log.happened(why, now, "the agent hung up")
        self._call.hang_up()

    # -- turns ---------------------------------------------------------------------------------------------------------

    def _hear(self, event: SpeechEvent, instant: float) -> None:
        self._active_at = self._loop.time()
        if isinstance(event, SpeechStarted):
            self._speech_began = instant
            self._turns.receive_speech_start(instant)
            self._yield(instant, "the caller interrupted; the agent stopped")
        else:
            length = instant - self._speech_began
            self.log.spoke("USER", f"[{length:.1f} s of speech, not transcribed]", self._speech_began, instant)
            self._turns.receive_speech_end(instant)
        self._plan_answer()

    def _key_pressed(self, digit: str, began: float, ended: float) -> None:
        self._active_at = self._loop.time()
        self._yield(began, f"the caller pressed {digit}; the agent stopped")
        self._turns.receive_key(digit, ended)
        self._plan_answer()

    @property
    def _is_playing(self) -> bool:
        return self._playing is not None and not self._playing.is_over

    def _yield(self, instant: float, description: str) -> None:
        if self._is_playing:
            self._call.stop_playing()
            self.log.happened("barge_in", instant, description)

    def _take_back_answer(self) -> None:
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None

    def _plan_answer(self) -> None:
        """Something was heard: what was about to be said is taken back, and said when the caller is done."""
        self._take_back_answer()
        complete_at, turn = self._turns.next_deadline(), self._turns.turn()
        if complete_at is not None and turn is not None and not self._call.is_over:
            self._answering = asyncio.create_task(
                self._answer(turn, max(turn.ended + self._persona.delay, complete_at))
            )
            self._answering.add_done_callback(self._answer_done)

    def _answer_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._fault = fault
            self._call.hang_up()

    async def _answer(self, turn: CallersTurn, due: float) -> None:
        """Say the first word when it is due: ``delay`` after the caller's last, or when the keys are complete."""
        await self._until(due - PREPARATION)
        if turn.digits:
            reply = self._persona.digits
        else:
            reply = self._persona.replies[min(self._replies_given, len(self._persona.replies) - 1)]
        speech = await self._prepare(reply, turn)
        await self._until(due - HALF_TICK)
        if self._call.is_over:
            return
        if turn.digits:
            self.log.spoke("USER", f"[keys {turn.digits}]", turn.ended, turn.ended)
        else:
            self._replies_given += 1
        self._turns.answered()
        self._say(speech, turn.ended)

    async def _until(self, instant: float) -> None:
        await asyncio.sleep(max(0.0, instant - self._loop.time()))

    async def _prepare(self, reply: Reply, turn: CallersTurn) -> Speech:
        variables = {**self._variables, "digits": " ".join(turn.digits)} if turn.digits else self._variables
        if reply.tool is not None:
            self._variables["result"] = variables["result"] = await self._use_tool(reply.tool, reply, variables)
        return await self._voice.say(render(reply.text, variables))

    async def _use_tool(self, name: str, reply: Reply, variables: dict[str, Any]) -> Any:
        parameters = {key: render(text, variables) for key, text in reply.parameters.items()}
        at = self._loop.time()
        output: Any = {"error": "taken back: the caller was not done"}
        try:
            async with asyncio.timeout(self._persona.tool_timeout) as limit:
                output = await self._persona.tools[name](parameters)
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is its output: failures are told, not hidden
            late = f"no result within {self._persona.tool_timeout:g} s"
            output = {"error": late if limit.expired() else f"{type(error).__name__}: {error}"}
        finally:
            self.log.tool_called(name, parameters, output, at)
        return output

    # -- speaking ------------------------------------------------------------------------------------------------------

    def _say(self, speech: Speech, heard_end: float | None) -> None:
        """Begin with the first audible sample, exactly ``delay`` after the caller's last as far as the clock allows."""
        if self._call.is_over:
            return
        self._playing = self._call.start_playing(Audio(speech.pcm[speech.onset :], speech.sample_rate))
        task = asyncio.create_task(self._note(self._playing, speech, heard_end))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _note(self, piece: Playback, speech: Speech, heard_end: float | None) -> None:
        """Log what was said and when it was really said."""
        await piece.wait()
        if piece.started is None or piece.ended is None:
            return  # not one sample left
        text = f"{speech.text} [interrupted]" if piece.interrupted else speech.text
        self.log.spoke("AGENT", text, piece.started, piece.ended)
        if heard_end is not None and speech.end > speech.onset:
            self.log.answered_turn(heard_end, piece.started)
