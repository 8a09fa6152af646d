"""A call that never took place, as rich as a real one: a table is booked, a caller interrupts, strangers are hostile.

The voices are synthetic (a buzzing source under syllables), but shaped like speech in what a report draws of it: level,
pauses, onsets. Everything is seeded, so that two renderings are the same to the octet.
"""

from __future__ import annotations

import json

import numpy as np

from offhook.ladder import LadderEntry, MediaSpan, entry_from_message, mark_again
from offhook.simulator.report.data import (
    BargeIn,
    Check,
    Digit,
    Figure,
    Party,
    ReportData,
    StreamQuality,
    ToolCall,
    Turn,
    Verdict,
)

RATE = 8_000
SECONDS = 25
IMAGE = "<img src=x onerror=\"window.hacked=1;document.title='hacked'\">"
SCRIPT = "</script><script>window.hacked=1;document.title='hacked'</script>"
CALLER_HOST, AGENT_HOST = "127.0.0.1:5060", "127.0.0.1:5080"

TURNS = (
    Turn(Party.AGENT, 0.62, 3.10, "Good evening, Trattoria Bella Vista, how can I help you?", 0.62, 0.60),
    Turn(Party.CALLER, 3.90, 6.72, "Hi, I would like a table for two tonight, around eight."),
    Turn(Party.AGENT, 7.523, 11.62, "Let me look. At eight we are full, but I can offer you half past six, or", 0.803, 0.8, interrupted=True),
    Turn(Party.CALLER, 11.20, 13.05, "Half past six is fine."),
    Turn(Party.AGENT, 14.212, 17.40, f"Wonderful. Please type your customer number. {IMAGE}", 1.162, 1.150),
    Turn(Party.AGENT, 20.431, 22.90, f"Thank you, you are booked for two at half past six. {SCRIPT}", 1.231, 1.25),
    Turn(Party.CALLER, 23.30, 24.35, "Great, goodbye! 👋 नमस्ते"),
)  # fmt: skip


def voice(seconds: float, pitch: float, random: np.random.Generator) -> np.ndarray:
    """Something with the shape of speech: harmonics under four syllables a second, with a breath here and there."""
    time = np.arange(int(seconds * RATE)) / RATE
    drift = pitch * (1 + 0.06 * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(drift) / RATE
    tone = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 9))
    valleys = np.abs(np.sin(np.pi * 4.3 * time + np.sin(3 * time))) ** 0.7
    stress = np.interp(time * 4.3, np.arange(200), random.uniform(0.25, 1.0, 200))
    breath = 1 - np.exp(-(((time % 1.9) - 1.6) ** 2) / 0.006)
    syllables = valleys * stress * breath
    fade = np.minimum(1, np.minimum(time, time[::-1]) / 0.03)
    return (tone * syllables * fade + 0.02 * random.standard_normal(len(time))) * 4_200


def audio() -> np.ndarray:
    """The recording: caller left, agent right, on a floor of faint noise."""
    random = np.random.default_rng(7)
    stereo = random.standard_normal((SECONDS * RATE, 2)) * 12
    for turn in TURNS:
        channel, pitch = (0, 190.0) if turn.party is Party.CALLER else (1, 120.0)
        sound = voice(turn.end - turn.start, pitch, random)
        begin = round(turn.start * RATE)
        stereo[begin : begin + len(sound), channel] += sound
    return np.clip(stereo, -32_768, 32_767).astype(np.int16)


def message(instant: float, ours: bool, first: str, cseq: str, *headers: str, body: str = "") -> LadderEntry:
    """One SIP message, ours or the agent's."""
    common = [
        "Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bK4f1d9a",
        f'From: "{IMAGE}" <sip:caller@127.0.0.1>;tag=9f3c',
        "To: <sip:agent@127.0.0.1>;tag=77ab",
        "Call-ID: 4b1e7a@127.0.0.1",
        f"CSeq: {cseq}",
    ]
    if body:
        headers = (*headers, "Content-Type: application/sdp")
    text = "\r\n".join([first, *common, *headers, f"Content-Length: {len(body)}", "", body])
    ends = (CALLER_HOST, AGENT_HOST) if ours else (AGENT_HOST, CALLER_HOST)
    return entry_from_message(text.encode(), instant, *ends)


def messages() -> tuple[LadderEntry, ...]:
    """Ten messages: one sent twice, one that is no SIP, a BYE that nobody answers, and strings that want to break out."""
    offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 101\r\n"
    invite = ("INVITE sip:agent@127.0.0.1:5080 SIP/2.0", "1 INVITE", "X-Simulation-Result-Id: 42f7c1")
    return tuple(
        mark_again([
            message(-1.212, True, *invite, body=offer),
            message(-0.712, True, *invite, body=offer),
            message(-0.702, False, "SIP/2.0 100 Trying", "1 INVITE"),
            message(-0.560, False, "SIP/2.0 180 Ringing", "1 INVITE", f"User-Agent: {SCRIPT}"),
            message(0.000, False, "SIP/2.0 200 OK", "1 INVITE", body=offer.replace("40000", "50000")),
            message(0.003, True, "ACK sip:agent@127.0.0.1:5080 SIP/2.0", "1 ACK"),
            message(19.104, True, "INFO sip:agent@127.0.0.1:5080 SIP/2.0", "2 INFO"),
            message(19.131, False, f"SIP/2.0 415 {IMAGE}", "2 INFO", "Reason: \x1b[31m\u202eevil"),
            entry_from_message(f"{SCRIPT}\x00\xff".encode(), 21.5, AGENT_HOST, CALLER_HOST),
            message(24.710, True, "BYE sip:agent@127.0.0.1:5080 SIP/2.0", "3 BYE"),
        ])
    )  # fmt: skip


def figures() -> tuple[Figure, ...]:
    """A row as a scenario of this kind gives it: some with a bound, one of them missed."""
    return (
        Figure("turn_latency p50", 983, "ms", 4, bound="med<1000", met=True),
        Figure("turn_latency p95", 1221, "ms", 4, bound="p(95)<1200", met=False),
        Figure("barge_in_stop", 420, "ms", 1, bound="max<600", met=True),
        Figure("overlap", 420, "ms", 1),
        Figure("agent_talk_share", 0.49, "", 7, 2),
        Figure("wer", 3.8, "%", 26, 1, bound="<10", met=True),
        Figure("dead_air", None, "ms", 0),
    )


def quality() -> tuple[StreamQuality, ...]:
    """Both directions, as both receivers saw them."""
    return (
        StreamQuality(
            Party.CALLER, "RTCP reports of the agent", "PCMU/8000", 1_236, 0, jitter_mean=0.0009, jitter_max=0.0021,
            round_trip=0.0004, mos=4.41, r_factor=93.2, mos_inputs=(("delay", "20 ms"), ("loss", "0 %"), ("Ie", "0"), ("Bpl", "25.1")),
        ),
        StreamQuality(
            Party.AGENT, "our receiver", "PCMU/8000", 1_238, 2, 3, 1, 0, 0.0011, 0.0032, 0.0187, 0.0004, 4.36, "mos_cqe", 91.4,
            (("delay", "60 ms"), ("loss", "0.40 %"), ("BurstR", "1.0"), ("Ie", "0"), ("Bpl", "25.1")),
        ),
    )  # fmt: skip


def sample_report() -> ReportData:
    """The whole call."""
    return ReportData(
        title="Book a table, with second thoughts",
        verdict=Verdict.FAILED,
        reason=f"turn_latency p95 was 1 221 ms, the scenario allows 1 200 ms. {IMAGE}",
        uri="sip:agent@127.0.0.1:5080;transport=udp",
        result_id="42f7c1d0-8a5e-4c1b-9d57-0e6f3a2b1c90",
        codec="PCMU/8000",
        started="2026-05-04T18:02:11.482Z",
        duration=24.71,
        setup=1.212,
        time_to_first_audio=0.62,
        mos=4.36,
        figures=figures(),
        checks=(
            Check("booked", True, "The agent confirmed a table for two at 18:30."),
            Check("polite", True, "5 of 5"),
            Check("turn_latency p(95)<1200", False, "1 221 ms, n = 4"),
            Check(f"survey {SCRIPT}", None, "not reached"),
        ),
        audio=audio(),
        sample_rate=RATE,
        turns=TURNS,
        barge_ins=(BargeIn(Party.CALLER, 11.20, 0.420, 0.410),),
        tool_calls=(
            ToolCall("find_table", 7.0, 0.412, json.dumps({"guests": 2, "time": "20:00"}), '{"free": ["18:30"]}', True),
            ToolCall("book_table", 19.3, 0.655, json.dumps({"guests": 2, "name": IMAGE}), f'{{"ok": true, "note": "{SCRIPT}"}}', True),
        ),
        digits=tuple(Digit(key, 17.9 + 0.32 * place, 0.16) for place, key in enumerate("42#")),
        messages=messages(),
        media=(
            MediaSpan(0.004, 24.71, CALLER_HOST, AGENT_HOST, "PCMU/8000", 1_236),
            MediaSpan(0.021, 24.70, AGENT_HOST, CALLER_HOST, "PCMU/8000", 1_238),
        ),
        quality=quality(),
        versions=(("offhook", "0.1.0"), ("Python", "3.11.7"), ("numpy", "2.4.6"), ("agent", SCRIPT)),
        result_json=json.dumps({"id": "42f7c1", "note": SCRIPT + IMAGE + "\u2028"}, indent=2),
    )  # fmt: skip
