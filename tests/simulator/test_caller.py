"""The caller follows its script by ear, and knows to the packet when it said what; on a virtual clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from support.linked_calls import PTIME, End, ToneVoice, linked
from support.speech import beep
from support.virtual_time import run_in_no_time

from offhook.audio import Audio
from offhook.simulator.caller import Caller, prepared
from offhook.simulator.persona import Persona, Reply
from offhook.simulator.reference_agent import ReferenceAgent
from offhook.simulator.result import EndReason
from offhook.simulator.script import BargeIn, HangUp, Press, Say, Script
from offhook.simulator.turns import Conversation, Kind, NoStop, measure

if TYPE_CHECKING:
    pass

QUESTION = Say("x" * 50)  # half a second
CALM = Persona("x" * 80, (Reply("x" * 60),), Reply("x" * 40), delay=0.8)

Agent = "Callable[[End], Awaitable[None]]"


class Played:
    """A script that was followed, and what came of it."""

    def __init__(self, script: Script, agent: Any = None, **ends: bool) -> None:
        self.told: list[str] = []
        run_in_no_time(self._play(script, agent or answering, **ends))

    async def _play(self, script: Script, agent: Any, **ends: bool) -> None:
        async with linked(**ends) as (ours, theirs):
            self.answered = asyncio.get_running_loop().time()
            self.caller = Caller(ours, script, await prepared(script, ToneVoice()), "energy", self.told.append)
            serving = asyncio.create_task(agent(theirs))
            self.reason, self.detail = await self.caller.run()
            self.noticed = asyncio.get_running_loop().time()
            self.ended = (await ours.ended()).at
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    @property
    def seconds(self) -> float:
        """How long the call took."""
        return self.ended - self.answered

    def measured(self) -> Conversation:
        """Turns and figures."""
        caller = self.caller
        return measure(caller.utterances, caller.agent_speech, answered_instant=self.answered, ended_instant=self.ended)


def script(*steps: Any, **change: float) -> Script:
    """A short-tempered one."""
    return Script("test", steps, **{"patience": 4.0, **change})


async def answering(end: End) -> None:
    """The reference agent."""
    await ReferenceAgent(end, CALM, ToneVoice(), "energy").run()


async def silent(end: End) -> None:
    """Nothing is said; silence is sent."""
    await end.ended()


async def lost(end: End) -> None:
    """Not one packet arrives."""
    end.deaf = True
    await end.ended()


async def endless(end: End) -> None:
    """Music on hold."""
    end.start_playing(Audio(beep(500.0), 8_000))
    await end.ended()


def hanging_up_after(seconds: float) -> Any:
    """An agent that greets for half a second, and hangs up at an instant."""

    async def agent(end: End) -> None:
        end.start_playing(Audio(beep(0.5), 8_000))
        await asyncio.sleep(seconds)
        end.hang_up()

    return agent


class TestTurns:
    """What is said, and when."""

    def test_a_conversation_comes_to_its_end(self) -> None:
        """Greeting, question, answer; then the caller hangs up."""
        played = Played(script(QUESTION))
        assert (EndReason.COMPLETED, "") == (played.reason, played.detail)
        assert [0.8, 0.6] == [pytest.approx(segment.duration, abs=0.001) for segment in played.caller.agent_speech]

    def test_an_utterance_is_known_by_its_packets(self) -> None:
        """Its length is the tone's, without the silence of the voice around it."""
        (said,) = Played(script(QUESTION)).caller.utterances
        assert 0.5 == pytest.approx(said.end_instant - said.start_instant, abs=1e-6)

    def test_it_speaks_when_the_agent_has_been_quiet(self) -> None:
        """For the script's time, and up to two packets."""
        caller = Played(script(QUESTION, quiet=0.9)).caller
        paused = caller.utterances[0].start_instant - caller.agent_speech[0].end_instant
        assert 0.9 <= paused <= 0.9 + 0.03 + 2 * PTIME

    def test_twenty_turns_are_measured_to_the_packet(self) -> None:
        """Every latency is that of the agent, within a packet of its delay."""
        conversation = Played(script(*[QUESTION] * 20)).measured()
        assert 20 == conversation.metrics.answered_turns
        assert all(abs(turn.latency_ms - 800.0) <= 20.0 for turn in conversation.turns if turn.latency_ms is not None)

    def test_keys_are_a_turn(self) -> None:
        """From the first key's first packet to the last key's end."""
        played = Played(script(Press("47#")))
        (said,) = played.caller.utterances
        assert ("47#", Kind.DTMF) == (said.text, said.kind)
        assert 0.42 == pytest.approx(said.end_instant - said.start_instant, abs=0.001)
        assert 1 == played.measured().metrics.answered_turns

    def test_texts_that_are_said_twice_are_made_once(self) -> None:
        """And before the call."""
        voice = ToneVoice()
        run_in_no_time(prepared(script(QUESTION, QUESTION, BargeIn("stop")), voice))
        assert [QUESTION.text, "stop"] == voice.said


class TestInterruptions:
    """Barge-in."""

    def test_it_interrupts_after_the_time_that_the_script_says(self) -> None:
        """The agent yields; the rest of its sentence is no answer, what it says afterwards is."""
        long = Persona("x" * 500, (Reply("x" * 60),), Reply("k"), delay=0.8)
        played = Played(
            script(BargeIn("x" * 50, after=1.5)), lambda end: ReferenceAgent(end, long, ToneVoice(), "energy").run()
        )
        (turn,) = played.measured().turns
        assert turn.barge_in is not None
        assert 0.0 < turn.barge_in.stop_ms < 200.0
        assert abs(turn.latency_ms - 800.0) <= 20.0
        assert 1.5 <= turn.start_s <= 1.7

    def test_short_pauses_of_the_agent_do_not_start_its_turn_anew(self) -> None:
        """Three words of half a second with pauses of 0.3 s: after 1.5 s the third one is interrupted."""

        async def halting(end: End) -> None:
            for _ in range(3):
                await end.start_playing(Audio(beep(0.5), 8_000)).wait()
                await asyncio.sleep(0.3)
            await end.ended()

        played = Played(script(BargeIn("x" * 50, after=1.7)), halting)
        assert 1.7 <= played.caller.utterances[0].start_instant - played.answered <= 1.85

    def test_an_agent_that_had_finished_is_answered_at_once(self) -> None:
        """It cannot be interrupted any more; nobody waits for that."""
        played = Played(script(BargeIn("x" * 50, after=5.0)))
        assert "the agent had finished before it could be interrupted" in played.told
        assert played.caller.utterances[0].start_instant - played.answered < 2.0

    def test_an_agent_that_does_not_stop_has_not_answered(self) -> None:
        """The rest of its monologue is no answer; patience runs from its end."""

        async def deaf(end: End) -> None:
            end.start_playing(Audio(beep(6.0), 8_000))
            await end.ended()

        played = Played(script(BargeIn("x" * 50)), deaf)
        (turn,) = played.measured().turns
        assert turn.barge_in is not None
        assert NoStop.MISSED is turn.barge_in.no_stop
        assert played.seconds > 6.0 + 4.0

    def test_a_word_thrown_in_while_we_speak_is_no_answer(self) -> None:
        """The caller waits for what comes after its own end."""

        async def hasty(end: End) -> None:
            await end.start_playing(Audio(beep(0.5), 8_000)).wait()
            await asyncio.sleep(1.2)  # the caller speaks now, for two seconds
            await end.start_playing(Audio(beep(0.4), 8_000)).wait()
            await asyncio.sleep(2.0)
            end.start_playing(Audio(beep(0.5), 8_000))
            await end.ended()

        played = Played(script(Say("x" * 200), Say("x" * 50)), hasty)
        first, second = played.caller.utterances
        assert second.start_instant - first.end_instant > 1.0
        assert 3 == len(played.caller.agent_speech)


class TestPatience:
    """Agents that say nothing, or never stop."""

    def test_an_agent_that_says_nothing_is_spoken_to(self) -> None:
        """When patience is over, step by step; a conversation it is not."""
        played = Played(script(QUESTION), silent)
        assert EndReason.SILENCE is played.reason
        assert 4.0 <= played.caller.utterances[0].start_instant - played.answered <= 4.1
        assert "the agent said nothing for 4 s" in played.told

    def test_an_agent_that_says_nothing_cannot_be_interrupted(self) -> None:
        """Patience ends the wait for it too."""
        played = Played(script(BargeIn("x" * 50)), silent)
        assert 4.0 <= played.caller.utterances[0].start_instant - played.answered <= 4.1

    def test_an_utterance_without_sound_is_no_utterance(self) -> None:
        """Nothing audible left."""
        played = Played(script(Say("")))
        assert (EndReason.COMPLETED, []) == (played.reason, played.caller.utterances)

    def test_silence_has_an_end(self) -> None:
        """Ten seconds of waiting in vain, in three waits, though the script is longer."""
        played = Played(script(*[QUESTION] * 10, silence_timeout=10.0), silent)
        assert (EndReason.SILENCE, "12 s of waiting") == (played.reason, played.detail)
        assert 2 == len(played.caller.utterances)

    def test_an_agent_of_which_nothing_arrives_is_lost(self) -> None:
        """Not silent: not one packet came."""
        assert EndReason.MEDIA_LOST is Played(script(QUESTION), lost).reason

    def test_an_agent_that_never_stops_is_left_at_the_longest_duration(self) -> None:
        """It was not answered, because it did not end."""
        played = Played(script(QUESTION, max_duration=30.0), endless)
        assert (EndReason.MAX_DURATION, "30 s") == (played.reason, played.detail)
        assert 30.0 == pytest.approx(played.seconds, abs=PTIME)
        assert 30.0 == pytest.approx(played.caller.agent_speech[0].duration, abs=2 * PTIME)

    def test_what_the_longest_duration_cuts_off_was_said_until_then(self) -> None:
        """The utterance ends with the call."""
        (said,) = Played(script(Say("x" * 5_000), max_duration=10.0)).caller.utterances
        assert 5.0 < said.end_instant - said.start_instant < 9.0

    def test_an_agent_that_falls_silent_in_the_middle_of_a_packet_flow_is_waited_for(self) -> None:
        """It stops sending altogether, and comes back: discontinuous transmission is no end of the call."""

        async def pausing(end: End) -> None:
            await end.start_playing(Audio(beep(0.5), 8_000)).wait()
            end.deaf = True
            await asyncio.sleep(3.0)
            end.deaf = False
            end.start_playing(Audio(beep(0.5), 8_000))
            await end.ended()

        played = Played(script(QUESTION), pausing)
        assert EndReason.COMPLETED is played.reason
        assert [0.5, 0.5] == [pytest.approx(segment.duration, abs=0.001) for segment in played.caller.agent_speech]


class TestTheEnd:
    """Whoever ends the call, the reason is true."""

    @pytest.mark.parametrize(
        ("steps", "seconds"),
        [
            ((QUESTION,), 0.2),
            ((QUESTION,), 1.6),
            ((BargeIn("stop", after=3.0),), 0.3),
            ((Press("1234567890"),), 2.0),
            ((HangUp(),), 0.6),
        ],
        ids=[
            "while it greets",
            "while we speak",
            "while we wait to interrupt",
            "while we press keys",
            "before we hang up",
        ],
    )
    def test_an_agent_that_hangs_up_ends_any_step(self, steps: tuple[Any, ...], seconds: float) -> None:
        """At once, and it is told who did."""
        played = Played(script(*steps), hanging_up_after(seconds))
        assert (EndReason.AGENT_HUNG_UP, "the other side hung up") == (played.reason, played.detail)
        assert seconds == pytest.approx(played.seconds, abs=2 * PTIME)
        assert played.ended == played.noticed

    def test_what_was_said_until_the_agent_hung_up_is_remembered(self) -> None:
        """A sentence and keys as far as they came."""
        (said,) = Played(script(Say("x" * 300)), hanging_up_after(2.3)).caller.utterances
        assert 0.5 < said.end_instant - said.start_instant < 1.5
        (pressed,) = Played(script(Press("1234567890")), hanging_up_after(2.0)).caller.utterances
        assert 1 < len(pressed.text) < 10

    def test_a_script_may_hang_up_before_its_end(self) -> None:
        """What stands behind it is not said; the conversation is complete."""
        played = Played(script(QUESTION, HangUp(), QUESTION))
        assert (EndReason.COMPLETED, 1) == (played.reason, len(played.caller.utterances))

    def test_a_peer_that_takes_no_keys_fails_the_call(self) -> None:
        """It is not the agent who hung up."""
        played = Played(script(Press("1")), takes_keys=False)
        assert (EndReason.FAILED, "the peer takes no telephone events") == (played.reason, played.detail)

    @pytest.mark.parametrize(("by", "reason"), [("local", EndReason.ABORTED), ("failure", EndReason.FAILED)])
    def test_a_call_that_we_or_the_network_end_was_not_ended_by_the_agent(self, by: str, reason: EndReason) -> None:
        """Closing the phone aborts; a failure is one."""

        async def main() -> None:
            async with linked() as (ours, _):
                caller = Caller(ours, script(QUESTION), await prepared(script(QUESTION), ToneVoice()), "energy")
                asyncio.get_running_loop().call_later(1.0, ours.end, by, "why")
                assert (reason, "why") == await caller.run()

        run_in_no_time(main())

    def test_a_caller_that_is_cancelled_leaves_nothing(self) -> None:
        """Its sentence stops at once."""

        async def main() -> None:
            async with linked() as (ours, theirs):
                theirs.start_playing(Audio(beep(0.5), 8_000))
                one = script(Say("x" * 500))
                task = asyncio.create_task(Caller(ours, one, await prepared(one, ToneVoice()), "energy").run())
                await asyncio.sleep(3.0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert 0 == ours.media.outgoing.backlog

        run_in_no_time(main())
