"""The E-model: ITU-T G.107 in its short form, G.113 Appendix I for the codecs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.rtp import LocalError, Quality, assess, mos_cqe, mos_lqe, r_factor
from offhook.rtp.quality import IMPAIRMENTS, mos


@pytest.mark.parametrize(
    ("r", "score"),
    [
        (93.2, 4.409),
        (80.0, 4.024),
        (70.0, 3.597),
        (60.0, 3.1),
        (50.0, 2.575),
        (0.0, 1.0),
        (-5.0, 1.0),
        (6.0, 1.0),
        (100.0, 4.5),
        (120.0, 4.5),
    ],
)
def test_r_stands_for_a_score(r: float, score: float) -> None:
    """The table of G.107 Annex B: 90 is very satisfied, 60 is nearly all dissatisfied; clamped to 1 … 4.5."""
    assert mos(r) == pytest.approx(score, abs=0.001)


@pytest.mark.parametrize(
    ("loss", "delay", "r"),
    [
        (0.0, 0.0, 93.2),
        (0.0, 0.150, 93.2 - 3.6),
        (0.0, 0.1773, 93.2 - 4.2552),
        (0.0, 0.400, 93.2 - 9.6 - 24.497),
        (0.01, 0.0, 93.2 - 95 / 26.1),
        (0.05, 0.0, 93.2 - 95 * 5 / 30.1),
    ],
)
def test_delay_and_loss_are_taken_off(loss: float, delay: float, r: float) -> None:
    """Id = 0.024 d + 0.11 (d - 177.3) above 177.3 ms; Ie,eff = (95 - Ie) Ppl / (Ppl + Bpl)."""
    assert r_factor(loss, delay, 0.0, 25.1) == pytest.approx(r)


def test_concealment_is_worth_much() -> None:
    """G.711 at two percent of loss: 35 points of R without, 7 with."""
    concealed, bare = IMPAIRMENTS["PCMU", True], IMPAIRMENTS["PCMU", False]
    assert r_factor(0.02, 0.0, *concealed) - r_factor(0.02, 0.0, *bare) == pytest.approx(190 / 6.3 - 190 / 27.1)


def test_bursts_are_worse_than_random_loss() -> None:
    """BurstR above 1."""
    assert mos_lqe(0.05, 0.0, 4.3, burst_ratio=2.0) < mos_lqe(0.05, 0.0, 4.3)


def test_listening_quality_does_not_mind_the_delay() -> None:
    """MOS-LQE is MOS-CQE at no delay (P.800.1)."""
    assert mos_lqe(0.03, 0.0, 25.1) == mos_cqe(0.03, 0.0, 0.0, 25.1)
    assert mos_cqe(0.03, 0.3, 0.0, 25.1) < mos_lqe(0.03, 0.0, 25.1)


@given(st.floats(0.0, 1.0), st.floats(0.0, 5.0), st.sampled_from(sorted(IMPAIRMENTS)))
def test_every_score_lies_between_one_and_four_and_a_half(loss: float, delay: float, codec: tuple[str, bool]) -> None:
    """And more loss or delay never makes it better."""
    score = mos_cqe(loss, delay, *IMPAIRMENTS[codec])
    assert 1.0 <= score <= 4.5
    assert mos_cqe(min(1.0, loss + 0.01), delay + 0.01, *IMPAIRMENTS[codec]) <= score


def test_late_packets_count_as_lost() -> None:
    """The listener missed them; every input stands beside the value."""
    quality = assess("pcmu", expected=1000, lost=10, late=20, delay=0.1)
    assert isinstance(quality, Quality)
    assert (0.03, 1000, 10, 20, 0.1) == (quality.loss, quality.expected, quality.lost, quality.late, quality.delay)
    assert ("PCMU", True, 0.0, 25.1, 1.0) == (
        quality.codec,
        quality.concealed,
        quality.ie,
        quality.bpl,
        quality.burst_ratio,
    )
    assert quality.mos_cqe == mos_cqe(0.03, 0.1, 0.0, 25.1)
    assert quality.mos_lqe == mos_lqe(0.03, 0.0, 25.1)
    assert quality.r_factor == r_factor(0.03, 0.1, 0.0, 25.1)


def test_nothing_expected_is_no_loss() -> None:
    """And all lost is no more than all."""
    assert 0.0 == assess("PCMA", expected=0, lost=0, late=0, delay=0.0).loss
    assert 1.0 == assess("PCMA", expected=10, lost=10, late=3, delay=0.0, concealed=False).loss


def test_a_codec_without_figures_is_refused() -> None:
    """A guess would look like a measurement."""
    with pytest.raises(LocalError, match="no E-model figures for G722 without concealment"):
        assess("G722", expected=1, lost=0, late=0, delay=0.0, concealed=False)
    with pytest.raises(LocalError, match="no E-model figures for speex with"):
        assess("speex", expected=1, lost=0, late=0, delay=0.0)


@pytest.mark.parametrize(
    ("loss", "delay", "bpl", "burst"),
    [(-0.1, 0.0, 4.3, 1.0), (1.1, 0.0, 4.3, 1.0), (0.0, -1.0, 4.3, 1.0), (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 4.3, 0.0)],
)
def test_arguments_out_of_range_are_our_own_fault(loss: float, delay: float, bpl: float, burst: float) -> None:
    """Percent given as loss, for example."""
    with pytest.raises(LocalError):
        r_factor(loss, delay, 0.0, bpl, burst)
