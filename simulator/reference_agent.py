"""The reference agent: answers, greets, takes turns, yields to interruptions, reads back keys, calls tools, tells the truth.

It understands no words and needs no model: it hears when the caller speaks and falls silent, and answers by its
:class:`~.persona.Persona` after a known delay. That makes it the ruler that measurements are held against.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import offhook
from offhook.audio import Audio

from .agent_log import AgentLog
from .hearing import Hearing
from .persona import Persona, Reply, header_variables, render
from .voice_activity import Sensitivity, SpeechDetector, SpeechEnded, SpeechEvent

if TYPE_CHECKING:
    from typing import Literal

    from offhook.outgoing import Playback

    from .speech import Speech, Voice

RESULT_ID_HEADER: Final = "X-Simulation-Result-Id"
HALF_TICK: Final = 0.01  # seconds; what is queued leaves within 20 ms, on average this much later
PREPARATION: Final = 0.12  # seconds before the answer is due in which its words are made and its tool is called


@dataclass(frozen=True, slots=True)
class _Heard:
    """An edge of the caller's speech."""

    event: SpeechEvent
    instant: float


@dataclass(frozen=True, slots=True)
class _Due:
    """The time to answer has come."""


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
        self._detector = detector
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[_Heard | _Due | offhook.CallEvent] = asyncio.Queue()
        self._variables: dict[str, Any] = dict(header_variables(call.request.headers.items()))
        self._variables["caller_number"] = call.caller_number
        self._turn = 0
        self._playing: tuple[Playback, Speech] | None = None
        self._heard_end: float | None = None  # end of the turn that waits for its answer
        self._speech_began: float | None = None
        self._digits = ""
        self._timer: asyncio.TimerHandle | None = None
        self._speaking: set[asyncio.Task[None]] = set()
        self.log = AgentLog(call.request.headers.get(RESULT_ID_HEADER) or f"call_{call.id}")

    async def run(self) -> AgentLog:
        """Answer, talk until the call is over, and give the log."""
        greeting = await self._voice.say(render(self._persona.greeting, self._variables))
        await self._call.answer()
        self.log.begin(self._call.answered_at or self._loop.time())
        self._listen()
        listening = asyncio.create_task(self._forward_events())
        try:
            self._say(greeting, None)
            await self._serve()
        finally:
            self._cancel_timer()
            for task in (listening, *self._speaking):
                task.cancel()
            await asyncio.gather(listening, *self._speaking, return_exceptions=True)
        return self.log

    def _listen(self) -> None:
        media = self._call.media
        assert media is not None, "answered calls have media"
        sensitivity = Sensitivity(hangover=self._persona.endpointing)
        detector = SpeechDetector(media.incoming.sample_rate, detector=self._detector, sensitivity=sensitivity)
        media.observers.append(Hearing(media.receive_types, detector, self._hear))

    def _hear(self, event: SpeechEvent, instant: float) -> None:
        self._inbox.put_nowait(_Heard(event, instant))

    async def _forward_events(self) -> None:
        async for event in self._call.events():
            self._inbox.put_nowait(event)

    async def _serve(self) -> None:
        while True:
            match await self._inbox.get():
                case _Heard(SpeechEnded(), instant):
                    self._caller_stopped(instant)
                case _Heard(_, instant):
                    self._caller_began(instant)
                case offhook.DtmfReceived(digit, duration, at):
                    self._key_pressed(digit, at + duration)
                case _Due():
                    await self._answer()
                case offhook.Ended(by, reason, at):
                    self.log.happened("call_ended", at, f"{by}: {reason}")
                    return

    # -- turns ---------------------------------------------------------------------------------------------------------

    def _caller_began(self, instant: float) -> None:
        self._speech_began = instant
        self._cancel_timer()
        if self._playing is not None and not self._playing[0].is_over:
            self._call.stop_playing()
            self.log.happened("barge_in", instant, "the caller interrupted; the agent stopped")

    def _caller_stopped(self, instant: float) -> None:
        began = self._speech_began if self._speech_began is not None else instant
        self.log.spoke("USER", f"[{instant - began:.1f} s of speech, not transcribed]", began, instant)
        self._answer_after(instant)

    def _key_pressed(self, digit: str, instant: float) -> None:
        self._cancel_timer()
        if self._playing is not None and not self._playing[0].is_over:
            self._call.stop_playing()
        if digit != "#":
            self._digits += digit
            self._heard_end = instant
            self._timer = self._loop.call_at(instant + self._persona.digit_pause, self._due)
        else:
            self._answer_after(instant)

    def _answer_after(self, heard_end: float) -> None:
        """Wake up early enough to say the first word ``delay`` after the caller's last."""
        self._cancel_timer()
        self._heard_end = heard_end
        at = heard_end + self._persona.delay - PREPARATION
        self._timer = self._loop.call_at(max(at, self._loop.time()), self._due)

    def _due(self) -> None:
        self._inbox.put_nowait(_Due())

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _answer(self) -> None:
        heard_end = self._heard_end
        if heard_end is None or self._call.is_over:
            return
        self._heard_end = None
        if self._digits:
            reply = self._persona.digits
            self._variables["digits"] = " ".join(self._digits)
            self.log.spoke("USER", f"[keys {self._digits}]", heard_end, heard_end)
            self._digits = ""
        else:
            reply = self._persona.replies[min(self._turn, len(self._persona.replies) - 1)]
            self._turn += 1
        speech = await self._prepare(reply)
        due = heard_end + self._persona.delay - HALF_TICK
        self._timer = self._loop.call_at(max(due, self._loop.time()), self._say, speech, heard_end)

    async def _prepare(self, reply: Reply) -> Speech:
        if reply.tool is not None:
            self._variables["result"] = await self._use_tool(reply)
        return await self._voice.say(render(reply.text, self._variables))

    async def _use_tool(self, reply: Reply) -> Any:
        assert reply.tool is not None
        parameters = {name: render(text, self._variables) for name, text in reply.parameters.items()}
        at = self._loop.time()
        try:
            output: Any = await self._persona.tools[reply.tool](parameters)
        except Exception as error:  # noqa: BLE001 - whatever a tool raises is its output: failures are told, not hidden
            output = {"error": f"{type(error).__name__}: {error}"}
        self.log.tool_called(reply.tool, parameters, output, at)
        return output

    # -- speaking ------------------------------------------------------------------------------------------------------

    def _say(self, speech: Speech, heard_end: float | None) -> None:
        """Begin with the first audible sample, exactly ``delay`` after the caller's last as far as the clock allows."""
        if self._call.is_over:
            return
        audible = speech.pcm[speech.onset :]
        piece = self._call.start_playing(Audio(audible, speech.sample_rate))
        self._playing = (piece, speech)
        task = asyncio.create_task(self._note(piece, speech, heard_end))
        self._speaking.add(task)
        task.add_done_callback(self._speaking.discard)

    async def _note(self, piece: Playback, speech: Speech, heard_end: float | None) -> None:
        """Log what was said and when it was really said."""
        await piece.wait()
        if piece.started is None:
            return
        self.log.spoke("AGENT", speech.text, piece.started, piece.ended or piece.started)
        if heard_end is not None:
            self.log.answered_turn(heard_end, piece.started)
