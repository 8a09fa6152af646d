"""The figures of a call's media, and the sentence they make."""

from dataclasses import dataclass
from typing import Any

import pytest
from support.agreements import PEER, media

from offhook.codecs import codec
from offhook.media import Media
from offhook.quality import measure
from offhook.rtp.lateness import LatenessHistogram


def hear(player: Media, *sequences: int) -> None:
    """Packets with these numbers come, each at its time."""
    for sequence in sequences:
        head = bytes([0x80, 0]) + sequence.to_bytes(2, "big") + (160 * sequence).to_bytes(4, "big") + b"peer"
        player.session.receive_rtp(head + codec("PCMU").silence, PEER, 0.02 * sequence, 0.02 * sequence)


@dataclass
class Late:
    """A stream of the engine that left frames out."""

    skipped: int

    def lateness(self) -> Any:
        """How late it was."""
        histogram = LatenessHistogram()
        histogram.skipped = self.skipped
        return histogram.snapshot()

    def drops(self) -> dict[str, int]:
        """What was lost at its socket."""
        return {"the receive queue was full": 2}


def test_nothing_heard_has_no_score() -> None:
    """No number is made up where there is nothing to reckon it from."""
    quality = measure(media())
    assert (None, None, 0, None, None) == (
        quality.score, quality.mos_cqe, quality.expected, quality.loss, quality.jitter
    )  # fmt: skip
    assert "no sound was received; 0 packets sent" == str(quality)


def test_loss_is_told_with_the_number_it_is_a_share_of() -> None:
    """One of ten packets is missing."""
    player = media()
    hear(player, 1, 2, 3, 4, 6, 7, 8, 9, 10)
    quality = measure(player)
    assert (10, 9, 1, pytest.approx(0.1)) == (quality.expected, quality.received, quality.lost, quality.loss)
    assert str(quality).startswith("PCMU: loss 10.00% (n=10), late 0, jitter 0.0 ms")


def test_the_score_falls_with_loss() -> None:
    """MOS of a clean call is 4.3 to 4.5; a tenth lost is heard."""
    clean, lossy = media(), media()
    hear(clean, *range(1, 11))
    hear(lossy, 1, 2, 3, 4, 6, 7, 8, 9, 10)
    scores = [measure(player).mos_cqe or 0.0 for player in (clean, lossy)]
    assert 4.3 < scores[0] < 4.5
    assert scores[1] < scores[0] - 0.5


def test_the_delay_of_the_score_holds_buffer_and_packet() -> None:
    """And half the round trip, of which RTCP has told nothing here."""
    player = media()
    hear(player, 1, 2, 3)
    quality = measure(player)
    assert quality.score is not None
    assert quality.buffer_delay + 0.020 == pytest.approx(quality.score.delay)


def test_what_was_put_aside_is_told_by_reason() -> None:
    """Each reason is a sentence."""
    player = media()
    hear(player, 1, 2, 2)
    assert {"1"} == {str(count) for count in measure(player).drops.values()}


def test_frames_that_we_left_out_ourselves_are_told() -> None:
    """A generator that is too slow must not blame the network."""
    player = media()
    hear(player, 1, 2, 3)
    player.stream = Late(3)  # type: ignore[assignment]
    assert 3 == measure(player).skipped
    assert {"the receive queue was full": 2} == measure(player).drops
    assert str(measure(player)).endswith("0 packets sent, 3 skipped")


def test_the_figures_go_into_json() -> None:
    """Plain values under the names of the fields."""
    figures = measure(media()).as_dict()
    assert ("PCMU", 0, None) == (figures["codec"], figures["sent"], figures["score"])
