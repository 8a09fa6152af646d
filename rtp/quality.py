"""Estimated listening and conversational quality: the E-model (ITU-T G.107), reduced to what a call on IP can tell.

Theory of operation. The E-model adds impairments on a psychological scale: R = 93.2 is a clean call with all other
parameters at their defaults; delay takes Id away, codec and packet loss together take Ie,eff away. R maps to a mean opinion
score between 1 and 4.5. With the delay counted the score is conversational (MOS-CQE), without it it is for listening
(MOS-LQE; ITU-T P.800.1). Both are estimates from network figures; no sound was listened to. Hence a `Quality` carries every
input beside its value.

The loss that counts is what the listener missed: packets that the network lost, and those that came too late to be played.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from .exceptions import LocalError

DEFAULT_R = 93.2
"""R of a call without delay and loss, all other parameters at the defaults of G.107 table 3."""
MAX_MOS = 4.5  # what the E-model gives at best: the opinion of R = 100 (G.107 Annex B)
MIN_MOS = 1.0  # the scale of P.800 begins at 1


class CodecImpairment(NamedTuple):
    """How a codec sounds, and how it bears loss."""

    ie: float
    """Equipment impairment factor: what the codec costs without loss."""
    bpl: float
    """Packet-loss robustness factor: the higher, the better it hides loss."""


IMPAIRMENTS = MappingProxyType(
    {
        # ITU-T G.113 Appendix I, table I.4 (G.711 without and with packet-loss concealment).
        ("PCMU", False): CodecImpairment(0.0, 4.3),
        ("PCMU", True): CodecImpairment(0.0, 25.1),
        ("PCMA", False): CodecImpairment(0.0, 4.3),
        ("PCMA", True): CodecImpairment(0.0, 25.1),
        # No figure of G.113 on this scale: what other tools of the field use for these codecs with concealment.
        ("G722", True): CodecImpairment(4.0, 15.7),
        ("OPUS", True): CodecImpairment(0.0, 25.0),
    }
)
"""(encoding name in capitals, whether loss is concealed) → impairment."""


@dataclass(frozen=True, slots=True)
class Quality:
    """A score with all that it was reckoned from."""

    mos_cqe: float
    """Conversational quality, 1 … 4.5: delay counts."""
    mos_lqe: float
    """Listening quality, 1 … 4.5: delay does not count."""
    r_factor: float
    """R with the delay counted."""
    loss: float
    """Effective loss, 0 … 1: lost and late of expected."""
    expected: int
    """Packets that the sender sent (n of the loss)."""
    lost: int
    """Packets that the network lost."""
    late: int
    """Packets that came too late to be played."""
    delay: float
    """One way, from mouth to ear, seconds."""
    codec: str
    concealed: bool
    ie: float
    bpl: float
    burst_ratio: float
    """Mean length of a loss burst, against that of random loss of the same amount; 1 = random."""


def r_factor(loss: float, delay: float, ie: float, bpl: float, burst_ratio: float = 1.0) -> float:
    """R = 93.2 - Id - Ie,eff.

    Args:
        loss: effective loss, 0 … 1.
        delay: one way, seconds.
        ie: equipment impairment factor of the codec.
        bpl: packet-loss robustness factor of the codec.
        burst_ratio: 1 = losses are independent.

    Raises:
        LocalError: an argument is out of its range.
    """
    if not 0.0 <= loss <= 1.0 or delay < 0.0 or bpl <= 0.0 or burst_ratio <= 0.0:
        raise LocalError("the E-model needs a loss of 0 … 1, a delay from 0 on, and a positive Bpl and burst ratio")
    milliseconds = delay * 1000.0
    # The usual short form of G.107's Idd: 0.024 a millisecond, and 0.11 more above 177.3 ms.
    delay_impairment = 0.024 * milliseconds + 0.11 * max(0.0, milliseconds - 177.3)
    percent = loss * 100.0
    # G.107 7.5: Ie,eff = Ie + (95 - Ie) · Ppl / (Ppl / BurstR + Bpl).
    loss_impairment = ie + (95.0 - ie) * percent / (percent / burst_ratio + bpl)
    return DEFAULT_R - delay_impairment - loss_impairment


def mos(r: float) -> float:
    """The mean opinion score that R stands for, 1 … 4.5 (G.107 Annex B)."""
    if r >= 100.0:
        return MAX_MOS
    if r <= 0.0:
        return MIN_MOS
    return max(MIN_MOS, 1.0 + 0.035 * r + 7e-6 * r * (r - 60.0) * (100.0 - r))


def mos_cqe(loss: float, delay: float, ie: float, bpl: float, burst_ratio: float = 1.0) -> float:
    """Conversational quality, 1 … 4.5; arguments as of `r_factor`."""
    return mos(r_factor(loss, delay, ie, bpl, burst_ratio))


def mos_lqe(loss: float, ie: float, bpl: float, burst_ratio: float = 1.0) -> float:
    """Listening quality, 1 … 4.5: as `mos_cqe` without delay."""
    return mos(r_factor(loss, 0.0, ie, bpl, burst_ratio))


def assess(
    codec: str,
    *,
    expected: int,
    lost: int,
    late: int,
    delay: float,
    concealed: bool = True,
    burst_ratio: float = 1.0,
) -> Quality:
    """The quality of a stream, or of an interval of one, from its counts.

    Args:
        codec: encoding name, as in `IMPAIRMENTS`, in any case.
        expected: packets that were sent.
        lost: of these, lost by the network.
        late: of these, dropped because they came too late.
        delay: one way, from mouth to ear, seconds; network, jitter buffer and packet together.
        concealed: whether the listener conceals losses.
        burst_ratio: 1 = losses are independent.

    Raises:
        LocalError: no figures are known for this codec, or an argument is out of its range.
    """
    impairment = IMPAIRMENTS.get((codec.upper(), concealed))
    if impairment is None:
        raise LocalError(f"no E-model figures for {codec} {'with' if concealed else 'without'} concealment")
    ie, bpl = impairment
    loss = min(1.0, (lost + late) / expected) if expected else 0.0
    r = r_factor(loss, delay, ie, bpl, burst_ratio)
    return Quality(
        mos_cqe=mos(r),
        mos_lqe=mos_lqe(loss, ie, bpl, burst_ratio),
        r_factor=r,
        loss=loss,
        expected=expected,
        lost=lost,
        late=late,
        delay=delay,
        codec=codec.upper(),
        concealed=concealed,
        ie=ie,
        bpl=bpl,
        burst_ratio=burst_ratio,
    )
