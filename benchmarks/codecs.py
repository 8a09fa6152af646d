"""What coding 20 ms of sound costs, beside FFmpeg's own codec in the same run.

Run it as `python benchmarks/codecs.py`. Each figure is the best of several rounds, in CPU microseconds of this process
per frame of 160 samples; the ratio says how many times the peer's cost is ours. The peer is FFmpeg through PyAV, the
way a Python media stack commonly codes G.711, with its frame and packet objects made beforehand. The frames are all
different: a processor that has learnt the signs of one frame by heart flatters whoever codes it again and again.
Concealment and resampling stand below with the same unit.
"""

from __future__ import annotations

import fractions
import os
import platform
import sys
import time
from typing import TYPE_CHECKING

import av
import numpy as np

from offhook.codecs import AVAILABLE, Concealer, Resampler, codec, tone

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 7
ROUND_SECONDS = 0.1  # of CPU
FRAMES = 1_000  # that differ
BATCH = 100  # frames at once


def cost(work: Callable[[], object], frames: int = 1) -> float:
    """CPU microseconds per frame, best of the rounds."""
    calls = 1
    while (spent := _spend(work, calls)) < ROUND_SECONDS:
        calls = max(2 * calls, int(calls * ROUND_SECONDS / max(spent, 1e-6)))
    return min(_spend(work, calls) for _ in range(ROUNDS)) / calls / frames * 1e6


def _spend(work: Callable[[], object], calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        work()
    return time.process_time() - start


def peer_encoding(name: str, frames: np.ndarray) -> Callable[[], list[bytes]]:
    """FFmpeg's encoder, one frame after another."""
    encoder = av.CodecContext.create(name, "w")
    encoder.sample_rate, encoder.layout, encoder.format = 8_000, "mono", "s16"
    encoder.time_base = fractions.Fraction(1, 8_000)
    ready = [av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16", layout="mono") for pcm in frames]
    for frame in ready:
        frame.sample_rate = 8_000
    return lambda: [bytes(encoder.encode(frame)[0]) for frame in ready]


def peer_decoding(name: str, payloads: list[bytes]) -> Callable[[], list[np.ndarray]]:
    """FFmpeg's decoder, one packet after another, to numpy arrays as ours."""
    decoder = av.CodecContext.create(name, "r")
    decoder.sample_rate, decoder.layout = 8_000, "mono"
    ready = list(map(av.Packet, payloads))
    return lambda: [decoder.decode(packet)[0].to_ndarray()[0] for packet in ready]


def coding(name: str) -> list[tuple[str, float, float | None]]:
    """Rows of what, our cost, the peer's cost."""
    ours, peer = codec(name), {"PCMU": "pcm_mulaw", "PCMA": "pcm_alaw"}[name]
    frames = np.random.default_rng(7).integers(-9_000, 9_000, (FRAMES, ours.frame_samples), dtype=np.int16)
    payloads = ours.encode_batch(frames)
    batches = [slice(start, start + BATCH) for start in range(0, FRAMES, BATCH)]
    encoding, decoding = peer_encoding(peer, frames), peer_decoding(peer, payloads)
    assert payloads == encoding(), "the peer must do the same work"
    assert np.array_equal(ours.decode_batch(payloads), decoding()), "the peer must do the same work"
    encoded, decoded = cost(encoding, FRAMES), cost(decoding, FRAMES)
    rows: list[tuple[str, Callable[[], object], float]] = [
        ("encode, one frame", lambda: [ours.encode(frame) for frame in frames], encoded),
        (f"encode, {BATCH} at once", lambda: [ours.encode_batch(frames[part]) for part in batches], encoded),
        ("decode, one frame", lambda: [ours.decode(payload) for payload in payloads], decoded),
        (f"decode, {BATCH} at once", lambda: [ours.decode_batch(payloads[part]) for part in batches], decoded),
    ]
    return [(f"{name} {what}", cost(work, FRAMES), peers) for what, work, peers in rows]


def treatment() -> list[tuple[str, float, float | None]]:
    """Rows of what is done to sound beside coding it."""
    heard, concealer = tone(440, 0.02), Concealer()
    up, down = Resampler(8_000, 16_000), Resampler(16_000, 8_000)
    wide = tone(440, 0.02, 16_000)

    def gap() -> None:
        concealer.lost(len(heard))
        concealer.good(heard)

    return [
        ("concealment, frame heard", cost(lambda: concealer.good(heard)), None),
        ("concealment, frame lost and the next", cost(gap), None),
        ("resampling 8,000 to 16,000, live", cost(lambda: up.process(heard)), None),
        ("resampling 16,000 to 8,000, live", cost(lambda: down.process(wide)), None),
    ]


def main() -> None:
    """Print one table."""
    print(f"Python {platform.python_version()}, numpy {np.__version__}, PyAV {av.__version__}", end=", ")
    print(f"{platform.machine()}, {os.cpu_count()} CPUs; best of {ROUNDS} rounds of {ROUND_SECONDS} s CPU")
    print(f"{'20 ms of sound':<40}{'us CPU/frame':>14}{'PyAV':>10}{'PyAV/ours':>12}")
    for what, ours, peer in [row for name in AVAILABLE for row in coding(name)] + treatment():
        beside = f"{peer:>10.3f}{peer / ours:>11.1f}x" if peer else ""
        print(f"{what:<40}{ours:>14.3f}{beside}")


if __name__ == "__main__":
    sys.exit(main())
