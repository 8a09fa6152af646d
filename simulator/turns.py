"""What happened between two speakers: turns, latencies, interruptions, silences.

In: what we said (exactly known, `Utterance`) and when the other side was heard (`Segment`), both as instants on the
wire (see `wire_track` for what that means). Out: `Turn` per turn of ours, and `Metrics` of the conversation. All
results count seconds from the answer of the call, or milliseconds where the name says so.

The rules, in the order in which they are applied:

1.  *Clip.* Only what lies between answer and end counts. Early media is not conversation.
2.  *Merge.* Gaps up to `merge_gap` belong to one segment, on both sides (Full-Duplex-Bench merges so too), unless
    a whole turn of ours lies in the agent's gap: then the agent did not breathe, it answered. Talk, silence and
    turns are computed on merged segments; whether a barge-in was obeyed on segments merged only by
    `barge_in_silence`, because half a second of silence between "stop" and the next answer is obedience.
3.  *Our turn* is a merged run of utterances. DTMF is a turn: it ends with the last digit's event. Backchannels
    ("uh-huh") and noise want no answer and are none.
4.  *The response* to a turn is the first agent segment that starts at or after the turn's end and before our next
    turn starts. `turn_latency_ms` is the time between.
5.  *No latency is negative.* An agent that starts before we ended did not answer quickly, it interrupted. When it
    still speaks as we end, the turn has no latency (`NoLatency.SPOKE_EARLY`); when it has stopped by then, that was
    an interruption, and the response is what comes after our end.
6.  *Barge-in:* a turn of ours that starts while the agent speaks. `stop_ms` runs from our first sample to the
    agent's last one, where `barge_in_silence` follows. No stop within `missed_after`: a missed interruption; what
    the agent says after it is then no response but the same monologue (`NoLatency.KEPT_TALKING`).
7.  *False interruption:* the agent stops within `false_interruption` of the start of a backchannel or noise.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from .distribution import Distribution
from .segments import END, START, Segment, clipped, gaps, merged, overlaps, speaking_at, total

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

__all__ = [
    "BargeIn",
    "Conversation",
    "Kind",
    "Metrics",
    "NoLatency",
    "NoStop",
    "Segment",
    "Silence",
    "Turn",
    "Utterance",
    "Windows",
    "measure",
]


class Kind(StrEnum):
    """What we sent."""

    SPEECH = "speech"
    DTMF = "dtmf"
    BACKCHANNEL = "backchannel"
    NOISE = "noise"


class NoLatency(StrEnum):
    """Why a turn has no latency."""

    SPOKE_EARLY = "the agent began before our turn ended and went on: an interruption, not an answer"
    KEPT_TALKING = "the agent did not stop for our interruption"
    SPOKE_AGAIN = "we spoke again before the agent answered"
    CALL_ENDED = "the call ended before the agent answered"


class NoStop(StrEnum):
    """Why an interruption has no stop time."""

    MISSED = "missed_interruption: the agent did not stop in time"
    CALL_ENDED = "the call ended before silence could prove a stop"


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that we sent.

    Raises:
        ValueError: it ends before it starts.
    """

    text: str
    """The words, or the digits."""
    start_instant: float
    """Monotonic seconds: the first audible sample left."""
    end_instant: float
    """Monotonic seconds: the last audible sample was over, or the last digit's event."""
    kind: Kind = Kind.SPEECH
    """Speech, digits, or what wants no answer."""

    def __post_init__(self) -> None:
        """Refuse what is no stretch of time."""
        Segment(self.start_instant, self.end_instant)


@dataclass(frozen=True, slots=True)
class Windows:
    """The durations the metrics depend on, in seconds; part of every result."""

    merge_gap: float = 0.5
    """Gaps up to this belong to one segment of speech (Full-Duplex-Bench: 0.5 s for models)."""
    barge_in_silence: float = 0.3
    """This much silence proves that the agent stopped."""
    missed_after: float = 2.0
    """An agent that has not stopped by then missed the interruption (tau-voice: yield within 2.0 s)."""
    false_interruption: float = 1.0
    """An agent that stops this soon after a backchannel or noise took it for an interruption."""
    dead_air: float = 2.0
    """Silence longer than this is dead air."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """We began to speak while the agent spoke."""

    at_s: float
    """Seconds from the answer: our first audible sample."""
    stop_ms: float | None
    """Milliseconds from there to the agent's last audible sample; None when it did not stop."""
    no_stop: NoStop | None = None
    """Why there is no stop time."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of ours and what came of it."""

    text: str
    """What we said; several utterances of one turn are joined by a space."""
    kind: Kind
    """Speech or digits; of a turn with both, what came last."""
    start_s: float
    """Seconds from the answer: our first audible sample sent."""
    end_s: float
    """Seconds from the answer: our last audible sample sent was over."""
    response_s: float | None
    """Seconds from the answer: the agent's first audible sample received in response."""
    response_end_s: float | None
    """Seconds from the answer: the end of that segment of the agent's speech."""
    latency_ms: float | None
    """Milliseconds from end_s to response_s: turn_latency_ms."""
    no_latency: NoLatency | None
    """Why there is none."""
    barge_in: BargeIn | None
    """Set when the turn began while the agent spoke."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody spoke."""

    at_s: float
    """Seconds from the answer."""
    duration_ms: float
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Figures of one conversation. Each Distribution holds its own n."""

    conversation_ms: float
    """Milliseconds from answer to end."""
    ttfa_ms: float | None
    """Time to first audio: milliseconds from the answer to the agent's first audible sample; None: never heard."""
    turn_latency_ms: Distribution
    """Milliseconds from the end of our turn to the onset of the response, of the turns that have one."""
    turn_latency_network_adjusted_ms: Distribution | None
    """The same without the network: minus the round-trip time that RTCP measured; None where it did not."""
    barge_in_stop_ms: Distribution
    """Milliseconds from our interruption to the agent's last audible sample, of those that were obeyed."""
    turns: int
    """Turns of ours."""
    answered_turns: int
    """Those that have a latency; answered_turns / turns is the response rate."""
    barge_ins: int
    """Interruptions of the agent by us."""
    missed_interruptions: int
    """Those at which the agent did not stop in time."""
    false_interruptions: int
    """Backchannels and noises at which the agent stopped."""
    false_interruption_chances: int
    """Backchannels and noises that fell into the agent's speech."""
    agent_interrupts_user: int
    """Segments of the agent that started inside a turn of ours."""
    overlap_ms: float
    """Milliseconds during which both spoke."""
    silence_ms: float
    """Milliseconds during which neither spoke."""
    dead_air_ms: float
    """Milliseconds of silences longer than the window."""
    dead_air: tuple[Silence, ...]
    """Those silences."""
    agent_talk_ms: float
    """Milliseconds of the agent's speech."""
    user_talk_ms: float
    """Milliseconds of ours, digits and backchannels included, noise not."""
    agent_talk_share: float | None
    """Agent's speech / conversation, 0 to 1; None for a conversation of no length."""
    talk_ratio: float | None
    """Agent's speech / our speech; None when we said nothing."""
    longest_agent_monologue_ms: float
    """Milliseconds of the agent's longest segment."""
    longest_user_monologue_ms: float
    """Milliseconds of our longest turn."""
    windows: Windows
    """The durations used above, in seconds."""

    @property
    def greeting_latency_ms(self) -> float | None:
        """Another name for ttfa_ms."""
        return self.ttfa_ms


@dataclass(frozen=True, slots=True)
class Conversation:
    """All that was measured."""

    turns: tuple[Turn, ...]
    """In order."""
    agent_speech: tuple[Segment, ...]
    """When the agent spoke, merged by `merge_gap`; these instants are seconds from the answer."""
    metrics: Metrics
    """The figures."""


def measure(
    sent: Sequence[Utterance],
    received: Sequence[Segment],
    *,
    answered_instant: float,
    ended_instant: float,
    windows: Windows | None = None,
    rtt_ms: float | None = None,
    rng: random.Random | None = None,
) -> Conversation:
    """Turns and figures of one conversation; the rules stand in the module's text.

    Args:
        sent: what we sent, any order.
        received: when the agent was heard, as fine as known (gaps below `barge_in_silence` may be closed), any order.
        answered_instant: the call was answered, on the clock of all other instants.
        ended_instant: the call was over.
        windows: the durations to use.
        rtt_ms: round-trip time by RTCP, milliseconds, where known.
        rng: dice for confidence intervals; None leaves them out.

    Raises:
        ValueError: the call ended before it was answered.
    """
    ears = _Ears(sent, received, Segment(answered_instant, ended_instant), windows or Windows())
    turns = tuple(_turn(ears, index) for index in range(len(ears.turns)))
    return Conversation(turns, tuple(ears.agent), _metrics(ears, turns, rtt_ms, rng))


class _Ears:
    """Both sides, clipped, merged, and on one clock that starts at the answer."""

    def __init__(self, sent: Sequence[Utterance], received: Sequence[Segment], call: Segment, windows: Windows) -> None:
        origin = call.start_instant
        self.windows = windows
        self.end = call.duration
        inside = sorted(
            (u for u in sent if call.start_instant <= u.start_instant < call.end_instant),
            key=lambda u: u.start_instant,
        )
        spans = [(u, clipped([_since(origin, u)], 0.0, self.end)) for u in inside]
        self.turns = _joined([(u, s[0]) for u, s in spans if s and u.kind in _TURNS], windows.merge_gap)
        self.cues = [s[0] for u, s in spans if s and u.kind in _CUES]
        talk = [s[0] for u, s in spans if s and u.kind is not Kind.NOISE]
        self.user = merged(talk, windows.merge_gap)
        heard = clipped((_since(origin, s) for s in received), 0.0, self.end)
        turns = [turn.span for turn in self.turns]
        self.agent = merged(heard, windows.merge_gap, apart=turns)
        self.agent_finely = merged(heard, windows.barge_in_silence, apart=turns)


_TURNS = frozenset({Kind.SPEECH, Kind.DTMF})
_CUES = frozenset({Kind.BACKCHANNEL, Kind.NOISE})


@dataclass(frozen=True, slots=True)
class _OurTurn:
    text: str
    kind: Kind
    span: Segment


def _since(origin: float, stretch: Segment | Utterance) -> Segment:
    return Segment(stretch.start_instant - origin, stretch.end_instant - origin)


def _joined(utterances: Sequence[tuple[Utterance, Segment]], gap: float) -> list[_OurTurn]:
    """Rule 3: utterances at most `gap` apart are one turn."""
    turns: list[_OurTurn] = []
    for utterance, span in utterances:
        if turns and span.start_instant - turns[-1].span.end_instant <= gap:
            last = turns.pop()
            whole = Segment(last.span.start_instant, max(last.span.end_instant, span.end_instant))
            turns.append(_OurTurn(f"{last.text} {utterance.text}", utterance.kind, whole))
        else:
            turns.append(_OurTurn(utterance.text, utterance.kind, span))
    return turns


def _turn(ears: _Ears, index: int) -> Turn:
    ours = ears.turns[index]
    until = ears.turns[index + 1].span.start_instant if index + 1 < len(ears.turns) else None
    barge_in = _barge_in(ears, ours.span.start_instant)
    found = _response(ears, ours.span, until, barge_in)
    response = found if isinstance(found, Segment) else None
    whole = speaking_at(ears.agent, response.start_instant) if response else None
    return Turn(
        text=ours.text,
        kind=ours.kind,
        start_s=ours.span.start_instant,
        end_s=ours.span.end_instant,
        response_s=response.start_instant if response else None,
        response_end_s=whole.end_instant if whole else None,
        latency_ms=1000.0 * (response.start_instant - ours.span.end_instant) if response else None,
        no_latency=found if isinstance(found, NoLatency) else None,
        barge_in=barge_in,
    )


def _response(ears: _Ears, ours: Segment, until: float | None, barge_in: BargeIn | None) -> Segment | NoLatency:
    """Rules 4, 5 and 6. After a barge-in the finer segments count: the old speech must not swallow the answer."""
    if barge_in and barge_in.no_stop is NoStop.MISSED:
        return NoLatency.KEPT_TALKING
    agent = ears.agent_finely if barge_in else ears.agent
    for segment in agent[bisect_right(agent, ours.start_instant, key=END) :]:
        if until is not None and segment.start_instant >= until:
            return NoLatency.SPOKE_AGAIN
        if segment.start_instant >= ours.end_instant:
            return segment
        if segment.start_instant > ours.start_instant and segment.end_instant > ours.end_instant:
            return NoLatency.SPOKE_EARLY
    return NoLatency.CALL_ENDED if until is None else NoLatency.SPOKE_AGAIN


def _barge_in(ears: _Ears, start: float) -> BargeIn | None:
    """Rule 6."""
    spoken = speaking_at(ears.agent_finely, start)
    if spoken is None:
        return None
    stop = spoken.end_instant - start
    if stop > ears.windows.missed_after:
        return BargeIn(start, None, NoStop.MISSED)
    if ears.end - spoken.end_instant < ears.windows.barge_in_silence:
        return BargeIn(start, None, NoStop.CALL_ENDED)
    return BargeIn(start, 1000.0 * stop)


def _false_interruptions(ears: _Ears) -> tuple[int, int]:
    """Rule 7: how many, of how many chances."""
    spoken = [(cue, speaking_at(ears.agent_finely, cue.start_instant)) for cue in ears.cues]
    stops = [s.end_instant - cue.start_instant for cue, s in spoken if s]
    return sum(stop <= ears.windows.false_interruption for stop in stops), len(stops)


def _metrics(ears: _Ears, turns: Sequence[Turn], rtt_ms: float | None, rng: random.Random | None) -> Metrics:
    latencies = [turn.latency_ms for turn in turns if turn.latency_ms is not None]
    barge_ins = [turn.barge_in for turn in turns if turn.barge_in]
    silences = gaps(merged([*ears.agent, *ears.user], 0.0), 0.0, ears.end)
    dead_air = [silence for silence in silences if silence.duration > ears.windows.dead_air]
    agent_talk, user_talk = total(ears.agent), total(ears.user)
    false_interruptions, chances = _false_interruptions(ears)
    return Metrics(
        conversation_ms=1000.0 * ears.end,
        ttfa_ms=1000.0 * ears.agent[0].start_instant if ears.agent else None,
        turn_latency_ms=Distribution.of(latencies, rng),
        turn_latency_network_adjusted_ms=None
        if rtt_ms is None
        else Distribution.of([latency - rtt_ms for latency in latencies], rng),
        barge_in_stop_ms=Distribution.of([b.stop_ms for b in barge_ins if b.stop_ms is not None], rng),
        turns=len(turns),
        answered_turns=len(latencies),
        barge_ins=len(barge_ins),
        missed_interruptions=sum(b.no_stop is NoStop.MISSED for b in barge_ins),
        false_interruptions=false_interruptions,
        false_interruption_chances=chances,
        agent_interrupts_user=_interruptions_by_agent(ears),
        overlap_ms=1000.0 * total(overlaps(ears.agent, ears.user)),
        silence_ms=1000.0 * total(silences),
        dead_air_ms=1000.0 * total(dead_air),
        dead_air=tuple(Silence(s.start_instant, 1000.0 * s.duration) for s in dead_air),
        agent_talk_ms=1000.0 * agent_talk,
        user_talk_ms=1000.0 * user_talk,
        agent_talk_share=agent_talk / ears.end if ears.end else None,
        talk_ratio=agent_talk / user_talk if user_talk else None,
        longest_agent_monologue_ms=1000.0 * max((s.duration for s in ears.agent), default=0.0),
        longest_user_monologue_ms=1000.0 * max((t.span.duration for t in ears.turns), default=0.0),
        windows=ears.windows,
    )


def _interruptions_by_agent(ears: _Ears) -> int:
    """Agent segments that start after our turn started and before it ended."""
    return sum(
        bisect_left(ears.agent, turn.span.end_instant, key=START)
        - bisect_right(ears.agent, turn.span.start_instant, key=START)
        for turn in ears.turns
    )
