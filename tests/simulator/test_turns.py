"""The rules of `turns`, one after the other. The call is answered at 100.0 and ends at 160.0 unless told otherwise."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.turns import (
    BargeIn,
    Conversation,
    Kind,
    NoLatency,
    NoStop,
    Segment,
    Silence,
    Turn,
    Utterance,
    Windows,
    measure,
)

ANSWER, END = 100.0, 160.0


def conversation(ours: list[tuple], agent: list[tuple[float, float]], **more) -> Conversation:
    """Ours as (start, end[, kind[, text]]) and the agent's as (start, end), in seconds from the answer."""
    sent = []
    for start, end, *rest in ours:
        kind, text = (*rest, *(Kind.SPEECH, "words")[len(rest) :])
        sent.append(Utterance(text, ANSWER + start, ANSWER + end, kind))
    received = [Segment(ANSWER + start, ANSWER + end) for start, end in agent]
    return measure(sent, received, **({"answered_instant": ANSWER, "ended_instant": END} | more))


def only_turn(ours: list[tuple], agent: list[tuple[float, float]], **more) -> Turn:
    """The one turn of a conversation that has one."""
    [turn] = conversation(ours, agent, **more).turns
    return turn


class TestClipping:
    """Rule 1: only what lies between answer and end counts."""

    def test_early_media_is_no_conversation(self) -> None:
        """An announcement before the answer that goes on after it is heard from the answer on."""
        metrics = conversation([(-5.0, -4.0)], [(-3.0, 1.0)]).metrics
        assert (0, 0.0, 1000.0) == (metrics.turns, metrics.ttfa_ms, pytest.approx(metrics.agent_talk_ms))

    def test_what_comes_after_the_end_does_not_count(self) -> None:
        """Neither ours nor the agent's."""
        metrics = conversation([(60.0, 61.0)], [(60.0, 61.0)]).metrics
        assert (0, 0.0, 60_000.0) == (metrics.turns, metrics.agent_talk_ms, metrics.silence_ms)

    def test_a_call_does_not_end_before_its_answer(self) -> None:
        """The instants were mixed up."""
        with pytest.raises(ValueError, match="segment"):
            conversation([], [], ended_instant=ANSWER - 1)

    def test_a_call_of_no_length_has_no_shares(self) -> None:
        """None, not a division by zero."""
        metrics = conversation([], [], ended_instant=ANSWER).metrics
        assert metrics.agent_talk_share is metrics.talk_ratio is metrics.ttfa_ms is None


class TestMerging:
    """Rule 2: gaps up to half a second belong to one segment."""

    @pytest.mark.parametrize(("resumes", "expected"), [(4.5, 1), (4.51, 2)])
    def test_the_agents_gaps_are_closed_up_to_half_a_second(self, resumes: float, expected: int) -> None:
        """At the bound one segment, beyond it two."""
        speech = conversation([(1.0, 2.0)], [(3.0, 4.0), (resumes, 6.0)]).agent_speech
        assert expected == len(speech)

    def test_a_quick_answer_is_not_merged_with_the_question(self) -> None:
        """We say "yes" in 0.2 s and are answered in 0.15 s: the agent's gap of 0.45 s holds our turn."""
        turn = only_turn([(3.1, 3.3)], [(1.0, 3.0), (3.45, 5.0)])
        assert 150.0 == pytest.approx(turn.latency_ms)

    def test_results_count_from_the_answer(self) -> None:
        """Instants go in, seconds since the answer come out."""
        result = conversation([(1.0, 2.0)], [(3.0, 4.0)])
        [turn], [speech] = result.turns, result.agent_speech
        assert (1.0, 2.0, 3.0, 4.0) == (turn.start_s, turn.end_s, turn.response_s, turn.response_end_s)
        assert Segment(3.0, 4.0) == speech


class TestTurns:
    """Rule 3: what is a turn of ours."""

    def test_utterances_close_together_are_one_turn(self) -> None:
        """Its latency counts from the end of the last."""
        turn = only_turn([(1.0, 2.0, Kind.SPEECH, "A table."), (2.5, 3.0, Kind.SPEECH, "For two.")], [(4.0, 5.0)])
        assert ("A table. For two.", 1.0, 3.0) == (turn.text, turn.start_s, turn.end_s)
        assert 1000.0 == pytest.approx(turn.latency_ms)

    def test_utterances_apart_are_two_turns(self) -> None:
        """The first was not answered before we spoke again."""
        first, second = conversation([(1.0, 2.0), (2.6, 3.0)], [(4.0, 5.0)]).turns
        assert NoLatency.SPOKE_AGAIN is first.no_latency
        assert 1000.0 == pytest.approx(second.latency_ms)

    def test_digits_are_a_turn(self) -> None:
        """It ends with the last digit's event."""
        turn = only_turn([(1.0, 2.0, Kind.DTMF, "1234#")], [(2.7, 4.0)])
        assert (Kind.DTMF, "1234#", pytest.approx(700.0)) == (turn.kind, turn.text, turn.latency_ms)

    @pytest.mark.parametrize("kind", [Kind.BACKCHANNEL, Kind.NOISE])
    def test_what_wants_no_answer_is_no_turn(self, kind: Kind) -> None:
        """Nobody answers "uh-huh" or a door."""
        assert () == conversation([(2.0, 2.3, kind)], [(1.0, 5.0)]).turns

    def test_an_utterance_does_not_end_before_it_starts(self) -> None:
        """The instants were mixed up."""
        with pytest.raises(ValueError, match="segment"):
            Utterance("words", 2.0, 1.0)


class TestLatency:
    """Rules 4 and 5: the first agent segment after our end, and no negative latencies."""

    def test_latency_runs_from_our_last_sample_to_the_agents_first(self) -> None:
        """Two turns, each with its own."""
        result = conversation([(1.0, 2.0), (6.0, 7.0)], [(2.8, 5.0), (8.2, 9.0)])
        assert [800.0, 1200.0] == pytest.approx([turn.latency_ms for turn in result.turns])
        latency = result.metrics.turn_latency_ms
        assert (2, 1000.0) == (latency.n, pytest.approx(latency.mean))

    def test_an_answer_at_our_end_has_latency_zero(self) -> None:
        """The first instant that is no interruption."""
        assert 0.0 == only_turn([(1.0, 2.0)], [(2.0, 3.0)]).latency_ms

    def test_an_agent_that_begins_before_our_end_has_no_latency(self) -> None:
        """It is an interruption, not a quick answer, and later sentences do not become the answer."""
        result = conversation([(1.0, 3.0)], [(2.9, 4.0), (5.0, 6.0)])
        [turn] = result.turns
        assert (None, NoLatency.SPOKE_EARLY) == (turn.latency_ms, turn.no_latency)
        assert (0, 1) == (result.metrics.turn_latency_ms.n, result.metrics.agent_interrupts_user)

    def test_an_agent_that_stops_again_before_our_end_answers_after_it(self) -> None:
        """Its "uh-huh" was an interruption, its answer has a latency."""
        result = conversation([(1.0, 4.0)], [(2.0, 2.3), (5.0, 6.0)])
        assert 1000.0 == pytest.approx(result.turns[0].latency_ms)
        assert 1 == result.metrics.agent_interrupts_user

    def test_no_answer_before_the_end_of_the_call(self) -> None:
        """The caller waited in vain."""
        turn = only_turn([(1.0, 2.0)], [])
        assert (None, None, NoLatency.CALL_ENDED) == (turn.latency_ms, turn.response_s, turn.no_latency)

    def test_no_answer_before_we_spoke_again(self) -> None:
        """Even if the agent never spoke at all."""
        first, last = conversation([(1.0, 2.0), (9.0, 10.0)], []).turns
        assert (NoLatency.SPOKE_AGAIN, NoLatency.CALL_ENDED) == (first.no_latency, last.no_latency)

    def test_the_network_is_taken_off_where_it_was_measured(self) -> None:
        """Minus one round trip."""
        metrics = conversation([(1.0, 2.0)], [(2.8, 5.0)], rtt_ms=60.0).metrics
        assert 740.0 == pytest.approx(metrics.turn_latency_network_adjusted_ms.mean)
        assert conversation([], []).metrics.turn_latency_network_adjusted_ms is None

    def test_the_response_rate_is_told_with_its_n(self) -> None:
        """Answered turns of turns."""
        metrics = conversation([(1.0, 2.0), (6.0, 7.0), (9.0, 9.5)], [(2.8, 5.0), (9.6, 11.0)]).metrics
        assert (2, 3) == (metrics.answered_turns, metrics.turns)

    def test_confidence_is_given_when_dice_are(self) -> None:
        """And left out when not."""
        talk = [(1.0, 2.0), (6.0, 7.0)], [(2.8, 5.0), (8.2, 9.0)]
        assert conversation(*talk).metrics.turn_latency_ms.confidence95 is None
        assert conversation(*talk, rng=random.Random(1)).metrics.turn_latency_ms.confidence95 is not None


class TestBargeIn:
    """Rule 6: we speak while the agent does."""

    def test_the_stop_runs_from_our_first_sample_to_the_agents_last(self) -> None:
        """The agent stops after 0.6 s, and its answer after that has a latency."""
        turn = only_turn([(4.0, 5.0)], [(1.0, 4.6), (5.7, 7.0)])
        assert BargeIn(4.0, pytest.approx(600.0)) == turn.barge_in
        assert 700.0 == pytest.approx(turn.latency_ms)

    def test_a_stop_is_found_although_the_answer_follows_soon(self) -> None:
        """0.4 s of silence prove the stop, though they would be a breath elsewhere."""
        turn = only_turn([(4.0, 4.5)], [(1.0, 4.7), (5.1, 7.0)])
        assert 700.0 == pytest.approx(turn.barge_in.stop_ms)
        assert (600.0, 7.0) == (pytest.approx(turn.latency_ms), turn.response_end_s)

    def test_a_breath_is_no_stop(self) -> None:
        """0.3 s of silence are not more than the window: the agent goes on and stops later."""
        turn = only_turn([(4.0, 4.5)], [(1.0, 4.7), (5.0, 5.6), (7.0, 8.0)])
        assert 1600.0 == pytest.approx(turn.barge_in.stop_ms)

    @pytest.mark.parametrize(("stops", "missed"), [(6.0, 0), (6.01, 1)])
    def test_an_agent_that_does_not_stop_in_time_missed_it(self, stops: float, missed: int) -> None:
        """Two seconds after our first sample is the last instant."""
        metrics = conversation([(4.0, 4.5)], [(1.0, stops)]).metrics
        assert (1, missed) == (metrics.barge_ins, metrics.missed_interruptions)
        assert 1 - missed == metrics.barge_in_stop_ms.n

    def test_what_follows_a_missed_interruption_is_no_answer(self) -> None:
        """It is the same monologue."""
        turn = only_turn([(4.0, 4.5)], [(1.0, 9.0), (10.0, 12.0)])
        assert BargeIn(4.0, None, NoStop.MISSED) == turn.barge_in
        assert (None, NoLatency.KEPT_TALKING) == (turn.latency_ms, turn.no_latency)

    def test_a_stop_needs_silence_after_it(self) -> None:
        """The call ended 0.2 s after the agent's last sample: nothing is proven."""
        turn = only_turn([(58.0, 59.0)], [(50.0, 59.8)])
        assert BargeIn(58.0, None, NoStop.CALL_ENDED) == turn.barge_in

    def test_an_agent_that_resumes_over_us_interrupts(self) -> None:
        """It stopped, and began again before we ended."""
        result = conversation([(4.0, 8.0)], [(1.0, 4.5), (6.0, 9.0)])
        assert NoLatency.SPOKE_EARLY is result.turns[0].no_latency
        assert 1 == result.metrics.agent_interrupts_user


class TestFalseInterruption:
    """Rule 7: the agent stops for what was none."""

    @pytest.mark.parametrize(("stops", "expected"), [(5.0, 1), (5.01, 0)])
    @pytest.mark.parametrize("kind", [Kind.BACKCHANNEL, Kind.NOISE])
    def test_stopping_within_a_second_is_one(self, kind: Kind, stops: float, expected: int) -> None:
        """Counted of the cues that fell into the agent's speech."""
        metrics = conversation([(4.0, 4.2, kind), (20.0, 20.2, kind)], [(1.0, stops)]).metrics
        assert (expected, 1) == (metrics.false_interruptions, metrics.false_interruption_chances)


class TestFigures:
    """Talk, silence, and who had how much of it."""

    TALK = [(10.0, 20.0)], [(2.0, 12.0), (40.0, 50.0)]

    def test_talk_overlap_and_silence_make_up_the_call(self) -> None:
        """20 s agent, 10 s we, 2 s both, 32 s nobody."""
        m = conversation(*self.TALK).metrics
        assert (20_000, 10_000, 2_000, 32_000) == (m.agent_talk_ms, m.user_talk_ms, m.overlap_ms, m.silence_ms)

    def test_share_and_ratio_are_two_things(self) -> None:
        """Of the conversation, and against the other speaker."""
        metrics = conversation(*self.TALK).metrics
        assert (pytest.approx(1 / 3), 2.0) == (metrics.agent_talk_share, metrics.talk_ratio)

    def test_dead_air_is_silence_longer_than_the_window(self) -> None:
        """The two seconds before the greeting are not longer than two."""
        metrics = conversation(*self.TALK).metrics
        assert (Silence(20.0, 20_000.0), Silence(50.0, 10_000.0)) == metrics.dead_air
        assert 30_000.0 == metrics.dead_air_ms

    def test_time_to_first_audio_has_two_names(self) -> None:
        """From the answer to the greeting."""
        metrics = conversation(*self.TALK).metrics
        assert 2000.0 == metrics.ttfa_ms == metrics.greeting_latency_ms

    def test_the_longest_monologues(self) -> None:
        """Of each side."""
        metrics = conversation(*self.TALK).metrics
        assert (10_000.0, 10_000.0) == (metrics.longest_agent_monologue_ms, metrics.longest_user_monologue_ms)

    def test_noise_is_not_talk(self) -> None:
        """A door that slams is no conversation; a backchannel is."""
        noise = conversation([(4.0, 5.0, Kind.NOISE)], []).metrics
        backchannel = conversation([(4.0, 5.0, Kind.BACKCHANNEL)], []).metrics
        assert (0.0, 1000.0) == (noise.user_talk_ms, backchannel.user_talk_ms)

    def test_the_windows_are_part_of_the_figures(self) -> None:
        """Other windows, other figures, and it shows."""
        windows = Windows(dead_air=15.0, missed_after=0.5)
        metrics = conversation(*self.TALK, windows=windows).metrics
        assert (windows, 1, 1) == (metrics.windows, len(metrics.dead_air), metrics.missed_interruptions)


SPANS = st.lists(st.tuples(st.floats(-5, 65), st.floats(0, 10)).map(lambda p: (p[0], p[0] + p[1])), max_size=12)


@given(SPANS, SPANS)
def test_no_conversation_breaks_the_rules(ours: list, agent: list) -> None:
    """Latencies are not negative, each turn has one or a reason, and times add up to the call, for any two speakers."""
    result = conversation(ours, agent)
    for turn in result.turns:
        assert (turn.latency_ms is None) == (turn.no_latency is not None)
        assert turn.latency_ms is None or turn.latency_ms >= 0
    m = result.metrics
    assert 60_000 == pytest.approx(m.agent_talk_ms + m.user_talk_ms - m.overlap_ms + m.silence_ms)
