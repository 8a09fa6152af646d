"""The reference agent against a caller whose every sample is known, on a virtual clock: its truth is checked to the packet."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.linked_calls import End, ToneVoice, linked
from support.speech import beep, silence
from support.virtual_time import run_in_no_time

from offhook.audio import Audio
from offhook.errors import CallFailed
from offhook.simulator.agent_log import TRUTH, AgentLog
from offhook.simulator.persona import Persona, Reply
from offhook.simulator.reference_agent import ReferenceAgent
from offhook.simulator.speech import SpeechFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

FRAME_MS = 20.0
CALM = Persona("Hello", (Reply("First answer"), Reply("Second")), Reply("Keys {{ digits }}"), delay=0.8)


async def tool(parameters: Mapping[str, Any]) -> Any:
    """What the caller is called."""
    return {"name": parameters["name"]}


@contextlib.asynccontextmanager
async def served(
    persona: Persona = CALM, headers: tuple[tuple[str, str], ...] = ()
) -> AsyncIterator[tuple[End, End, asyncio.Task[AgentLog]]]:
    """The caller's end and the agent's, with the agent at work and its greeting over."""
    async with linked(headers) as (caller, called):
        task = asyncio.create_task(ReferenceAgent(called, persona, ToneVoice(), "energy").run())
        try:
            await asyncio.sleep(1.0)
            yield caller, called, task
        finally:
            caller.hang_up()
            await asyncio.gather(task, return_exceptions=True)


async def say(caller: End, seconds: float = 0.5) -> float:
    """Speak without silence around it; gives the instant at which the last sample was on the wire."""
    piece = await caller.start_playing(Audio(beep(seconds), 8_000)).wait()
    assert piece.ended is not None
    return piece.ended


async def log_of(caller: End, task: asyncio.Task[AgentLog], wait: float = 2.0) -> AgentLog:
    """Wait a while, hang up, and read the log."""
    await asyncio.sleep(wait)
    caller.hang_up()
    return await task


def truth(log: AgentLog) -> list[dict[str, float]]:
    """Its answered turns."""
    return log.update({}).metadata[TRUTH]


def spoken(log: AgentLog, speaker: str = "AGENT") -> list[str]:
    """What somebody said."""
    return [entry.utterance for entry in log.update({}).recorded_transcript if entry.speaker == speaker]


class TestTruth:
    """When it heard what, and when it answered."""

    def test_it_answers_after_its_delay_and_says_exactly_when(self) -> None:
        """Within a packet of the delay; the truth is the packet's own instant."""

        async def main() -> None:
            async with served() as (caller, called, task):
                end = await say(caller)
                (turn,) = truth(log := await log_of(caller, task))
                assert turn["heard_end_s"] == pytest.approx(end - called.answered_at, abs=1e-5)
                assert abs(turn["latency_ms"] - 800.0) <= FRAME_MS
                assert ["Hello", "First answer"] == spoken(log)

        run_in_no_time(main())

    def test_a_delay_that_its_ears_cannot_keep_is_told_as_it_was(self) -> None:
        """Endpointing takes 0.5 s, the delay is 0.1 s: the truth says half a second and more, not 100 ms."""

        async def main() -> None:
            async with served(replace(CALM, delay=0.1, endpointing=0.5)) as (caller, _, task):
                await say(caller)
                (turn,) = truth(await log_of(caller, task))
                assert 500.0 <= turn["latency_ms"] <= 500.0 + 2 * FRAME_MS

        run_in_no_time(main())

    def test_a_greeting_answers_nobody(self) -> None:
        """It is said, and no turn."""

        async def main() -> None:
            async with served() as (caller, _, task):
                log = await log_of(caller, task)
                assert (["Hello"], []) == (spoken(log), truth(log))

        run_in_no_time(main())

    def test_the_last_reply_serves_for_all_turns_that_follow(self) -> None:
        """Three turns, two replies."""

        async def main() -> None:
            async with served() as (caller, _, task):
                for _ in range(3):
                    await say(caller)
                    await asyncio.sleep(2.0)
                log = await log_of(caller, task)
                assert ["Hello", "First answer", "Second", "Second"] == spoken(log)
                assert 3 == len(truth(log))

        run_in_no_time(main())

    def test_headers_fill_what_it_says(self) -> None:
        """And name its report."""

        async def main() -> None:
            headers = (("X-Simulation-Result-Id", "42"), ("X-First_Name", "Ada"))
            async with served(replace(CALM, greeting="Hi {{ first_name }} {{ caller_number }}"), headers) as (
                caller,
                _,
                task,
            ):
                log = await log_of(caller, task)
                assert ("42", ["Hi Ada alice"]) == (log.result_id, spoken(log))

        run_in_no_time(main())


class TestWhoeverGoesOnWasNotDone:
    """Interruptions, and pauses that were none."""

    def test_it_yields_to_an_interruption(self) -> None:
        """What it says is cut off, which its transcript and its events tell."""

        async def main() -> None:
            async with served(replace(CALM, greeting="x" * 500)) as (caller, called, task):
                await say(caller)
                assert 0 == called.media.outgoing.backlog
                log = await log_of(caller, task)
                assert ["x" * 500 + " [interrupted]", "First answer"] == spoken(log)
                assert "barge_in" in [event.title for event in log.update({}).events]

        run_in_no_time(main())

    def test_a_caller_who_goes_on_while_it_waits_gets_one_answer(self) -> None:
        """The delay runs from the last end, and no reply is skipped."""

        async def main() -> None:
            async with served() as (caller, called, task):
                await say(caller)
                await asyncio.sleep(0.5)
                end = await say(caller)
                log = await log_of(caller, task)
                (turn,) = truth(log)
                assert turn["heard_end_s"] == pytest.approx(end - called.answered_at, abs=1e-5)
                assert ["Hello", "First answer"] == spoken(log)

        run_in_no_time(main())

    def test_an_answer_in_preparation_is_taken_back(self) -> None:
        """Its tool was called, which is told; it is called again for the answer that is given."""

        async def slowly(parameters: Mapping[str, Any]) -> Any:
            await asyncio.sleep(1.0)
            return "done"

        async def main() -> None:
            persona = replace(CALM, replies=(Reply("{{ result }}", "slow"),), tools={"slow": slowly})
            async with served(persona) as (caller, _, task):
                await say(caller)
                await asyncio.sleep(1.2)  # the tool is at work
                await say(caller)
                log = await log_of(caller, task, 4.0)
                outputs = [call.output for call in log.update({}).tool_calls]
                assert [{"error": "taken back: the caller was not done"}, "done"] == outputs
                assert (1, ["Hello", "done"]) == (len(truth(log)), spoken(log))

        run_in_no_time(main())


class TestKeys:
    """Telephone events are turns."""

    def test_keys_with_a_hash_are_read_back_after_the_delay(self) -> None:
        """The turn ends with the last key's event."""

        async def main() -> None:
            async with served() as (caller, _, task):
                await caller.send_dtmf("47#")
                log = await log_of(caller, task)
                assert abs(truth(log)[0]["latency_ms"] - 800.0) <= FRAME_MS
                assert (["Hello", "Keys 4 7"], ["[keys 47]"]) == (spoken(log), spoken(log, "USER"))

        run_in_no_time(main())

    def test_keys_without_a_hash_are_complete_after_the_pause(self) -> None:
        """Which is longer than the delay, and so the latency is the pause."""

        async def main() -> None:
            async with served(replace(CALM, digit_pause=1.5)) as (caller, _, task):
                await caller.send_dtmf("47")
                log = await log_of(caller, task, 3.0)
                assert abs(truth(log)[0]["latency_ms"] - 1_500.0) <= FRAME_MS

        run_in_no_time(main())

    def test_a_key_interrupts(self) -> None:
        """Somebody who presses does not want to hear the rest."""

        async def main() -> None:
            async with served(replace(CALM, greeting="x" * 500)) as (caller, called, task):
                await caller.send_dtmf("4")
                assert 0 == called.media.outgoing.backlog
                log = await log_of(caller, task, 3.0)
                assert ["x" * 500 + " [interrupted]", "Keys 4"] == spoken(log)

        run_in_no_time(main())

    def test_keys_after_speech_get_one_answer(self) -> None:
        """That for the keys; the reply to speech is kept for speech."""

        async def main() -> None:
            async with served() as (caller, _, task):
                await say(caller)
                await caller.send_dtmf("4#")
                await asyncio.sleep(2.0)
                await say(caller)
                assert ["Hello", "Keys 4", "First answer"] == spoken(await log_of(caller, task))

        run_in_no_time(main())


class TestTools:
    """What a tool does wrong is its output."""

    async def _log(self, work: Any, **change: Any) -> AgentLog:
        persona = replace(
            CALM, replies=(Reply("{{ result.name }}.", "t", {"name": "{{ who }}"}),), tools={"t": work}, **change
        )
        async with served(persona, (("X-Who", "Ada"),)) as (caller, _, task):
            await say(caller)
            return await log_of(caller, task, 4.0)

    def test_a_tool_is_called_with_what_the_templates_make(self) -> None:
        """And its result is said."""
        log = run_in_no_time(self._log(tool))
        (call,) = log.update({}).tool_calls
        assert ({"name": "Ada"}, {"name": "Ada"}, ["Hello", "Ada."]) == (call.parameters, call.output, spoken(log))

    def test_a_tool_that_raises_is_told_and_answered_without(self) -> None:
        """Its error is its output."""

        async def broken(parameters: Mapping[str, Any]) -> Any:
            raise KeyError("no such order")

        log = run_in_no_time(self._log(broken))
        assert {"error": "KeyError: 'no such order'"} == log.update({}).tool_calls[0].output
        assert ["Hello", "."] == spoken(log)

    def test_a_tool_that_never_returns_is_given_up(self) -> None:
        """The answer comes late, and the truth says how late: the tool's time and the preparation before it."""

        async def stuck(parameters: Mapping[str, Any]) -> Any:
            await asyncio.Event().wait()

        log = run_in_no_time(self._log(stuck, tool_timeout=2.0))
        assert {"error": "no result within 2 s"} == log.update({}).tool_calls[0].output
        assert abs(truth(log)[0]["latency_ms"] - 2_680.0) <= FRAME_MS

    def test_a_tool_may_time_out_by_itself(self) -> None:
        """That is its own error, not ours."""

        async def late(parameters: Mapping[str, Any]) -> Any:
            raise TimeoutError("the shop")

        assert {"error": "TimeoutError: the shop"} == run_in_no_time(self._log(late)).update({}).tool_calls[0].output


class TestTheEnd:
    """Calls end, in whatever way."""

    def test_a_silent_caller_is_left(self) -> None:
        """After the silence timeout since the greeting, which the log tells."""

        async def main() -> None:
            async with served(replace(CALM, silence_timeout=10.0)) as (_, called, task):
                log = await task
                events = {event.title: event.start_offset_ms for event in log.update({}).events}
                assert 10_000 <= events["silence_timeout"] <= 12_000
                assert called.is_over

        run_in_no_time(main())

    def test_a_caller_who_never_hangs_up_is_left(self) -> None:
        """At the longest duration, though it speaks all the time."""

        async def main() -> None:
            async with served(replace(CALM, max_duration=60.0)) as (caller, _, task):
                caller.start_playing(Audio(beep(100.0), 8_000))
                events = [event.title for event in (await task).update({}).events]
                assert "max_duration" in events
                assert "silence_timeout" not in events

        run_in_no_time(main())

    def test_who_hung_up_is_told(self) -> None:
        """In the last event."""

        async def main() -> None:
            async with served() as (caller, _, task):
                last = (await log_of(caller, task)).update({}).events[-1]
                assert ("call_ended", "remote: the other side hung up") == (last.title, last.description)

        run_in_no_time(main())

    def test_what_it_was_saying_at_the_end_is_told_as_far_as_it_came(self) -> None:
        """The transcript ends with the call."""

        async def main() -> None:
            async with served(replace(CALM, greeting="x" * 500)) as (caller, _, task):
                log = await log_of(caller, task, 1.0)
                (entry,) = log.update({}).recorded_transcript
                assert entry.utterance.endswith("[interrupted]")
                assert abs(entry.end_offset_ms - 2_000) <= 2 * FRAME_MS

        run_in_no_time(main())

    def test_a_caller_who_gives_up_before_the_answer_is_not_served(self) -> None:
        """The failure is told to whoever serves."""

        async def main() -> None:
            async with linked() as (_, called):
                called.fails = CallFailed(487, "the caller gave up")
                with pytest.raises(CallFailed):
                    await ReferenceAgent(called, CALM, ToneVoice(), "energy").run()

        run_in_no_time(main())

    def test_a_voice_that_refuses_a_text_ends_the_call_and_is_told(self) -> None:
        """Nothing fails in silence."""

        async def refuse(text: str) -> Any:
            raise SpeechFailed(text)

        async def main() -> None:
            async with linked() as (caller, called):
                agent = ReferenceAgent(called, CALM, voice := ToneVoice(), "energy")
                task = asyncio.create_task(agent.run())
                await asyncio.sleep(1.0)
                voice.say = refuse
                await say(caller)
                with pytest.raises(SpeechFailed, match="First answer"):
                    await task
                assert caller.is_over

        run_in_no_time(main())

    def test_it_leaves_nothing_when_it_is_cancelled(self) -> None:
        """Not a task, not a timer; the call is over."""

        async def main() -> None:
            async with served() as (caller, called, task):
                await say(caller)
                await asyncio.sleep(0.3)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert called.is_over

        run_in_no_time(main())

    def test_an_audible_answer_is_needed_for_a_truth(self) -> None:
        """A voice that says nothing answers nobody."""

        async def main() -> None:
            async with served(replace(CALM, replies=(Reply(""),))) as (caller, _, task):
                await say(caller)
                assert [] == truth(await log_of(caller, task))

        run_in_no_time(main())


def test_speech_and_silence_of_the_tests_are_what_they_say() -> None:
    """The tone voice's edges are where its tone is."""
    speech = run_in_no_time(ToneVoice().say("x" * 100))
    assert (240, 8_240) == (speech.onset, speech.end)
    assert speech.pcm.size == np.concatenate((silence(0.03), beep(1.0), silence(0.05))).size
