"""How each figure is defined, in the words that stand at the foot of every report.

A number without its definition cannot be compared. The names are those of the result file; the clocks are the instants
at our own socket, stamped by the kernel where it does so.
"""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """A figure and its definition."""

    name: str
    definition: str


GLOSSARY = (
    Term(
        "turn_latency",
        "From the instant we sent the last sample of speech of our utterance (silence behind it not counted) to the "
        "agent's speech onset: arrival of the first RTP packet whose payload holds speech, plus the onset's place in it.",
    ),
    Term("turn_latency_network_adjusted", "turn_latency minus the round trip that RTCP reports."),
    Term("ttfa", "Time to first audio: from the 200 OK (or the open WebSocket) to the agent's first speech onset."),
    Term(
        "barge_in_stop",
        "From our first sample of speech sent while the agent speaks to the agent's last sample of speech received, "
        "which at least 300 ms of silence must follow.",
    ),
    Term("false_interruption", "The agent falls silent within 1.0 s of a backchannel or a noise."),
    Term("missed_interruption", "The agent does not fall silent within 2.0 s of an interruption."),
    Term("agent_interrupts_user", "The agent starts to speak while the caller speaks."),
    Term("overlap", "Time during which both speak."),
    Term("dead_air", "Time during which neither speaks, in gaps longer than the limit the scenario names."),
    Term("agent_talk_share", "The agent's speaking time divided by the time of the conversation, from 0 to 1."),
    Term("talk_ratio", "The agent's speaking time divided by the caller's."),
    Term("wer", "Word error rate: substitutions, deletions and insertions per word said; it may exceed 1."),
    Term("pdd", "Post-dial delay: from INVITE to the first 18x response."),
    Term("setup", "From INVITE to the 200 OK."),
    Term("jitter", "Interarrival jitter of RFC 3550 6.4.1: a running mean of how unevenly packets come."),
    Term("loss", "Packets that never came, of those the sequence numbers say were sent."),
    Term("late", "Packets that came after the instant at which they should have been played."),
    Term(
        "mos_cqe",
        "Mean opinion score of the E-model (ITU-T G.107) with delay: from loss, jitter-buffer discards, delay and "
        "codec. An estimate from the network, not a judgement of the voice. mos_lqe is the same without delay.",
    ),
)
