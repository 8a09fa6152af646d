"""When reports are due: RFC 3550 6.2, 6.3, A.7."""

import pytest

from offhook.rtp import ReportSchedule
from offhook.rtp.report_schedule import COMPENSATION, MIN_INTERVAL


class Dice:
    """Always the same throw."""

    def __init__(self, throw: float) -> None:
        self.throw = throw

    def random(self) -> float:
        """As `random.Random.random`."""
        return self.throw


def schedule(throw: float = 0.5, bandwidth: float = 10_000) -> ReportSchedule:
    """A schedule that began at second 100."""
    return ReportSchedule(Dice(throw), now=100.0, bandwidth=bandwidth)  # type: ignore[arg-type]


@pytest.mark.parametrize(("throw", "factor"), [(0.0, 0.5), (0.5, 1.0), (1.0, 1.5)])
def test_the_first_report_comes_after_half_the_least_interval(throw: float, factor: float) -> None:
    """A.7: half of 5 s "to allow more rapid notification", times 0.5 to 1.5, by the compensation e - 3/2."""
    assert 100.0 + 2.5 * factor / COMPENSATION == schedule(throw).next_deadline()


def test_later_reports_come_after_the_whole_least_interval() -> None:
    """5 s for two parties on a line of 80 kbit/s."""
    reports = schedule()
    reports.sent(100, 102.0)
    assert 102.0 + MIN_INTERVAL / COMPENSATION == reports.next_deadline()


def test_nothing_is_due_before_the_deadline() -> None:
    """And asking early moves nothing."""
    reports = schedule()
    deadline = reports.next_deadline()
    assert not reports.handle_timeout(deadline - 0.001)
    assert deadline == reports.next_deadline()


def test_a_report_is_due_at_the_deadline() -> None:
    """With the same dice the interval drawn again has passed too."""
    reports = schedule()
    assert reports.handle_timeout(reports.next_deadline())


def test_the_interval_is_drawn_again_when_it_has_passed() -> None:
    """6.3.6: timer reconsideration; a longer draw moves the deadline, measured from the last report."""
    dice = Dice(0.0)
    reports = ReportSchedule(dice, now=100.0)  # type: ignore[arg-type]
    due = reports.next_deadline()
    dice.throw = 1.0
    assert not reports.handle_timeout(due)
    assert 100.0 + 2.5 * 1.5 / COMPENSATION == reports.next_deadline()
    assert reports.handle_timeout(reports.next_deadline())


def test_senders_share_a_quarter_while_they_are_few() -> None:
    """6.2: of 500 octets per second for RTCP, a sole sender among eight has 125."""
    reports = schedule(bandwidth=1000)
    reports.members, reports.senders, reports.we_sent = 8, 1, True
    assert 128 * 1 / (50 * 0.25) / COMPENSATION == reports.draw()


def test_receivers_share_three_quarters_while_senders_are_few() -> None:
    """Seven of eight share 37.5 octets per second."""
    reports = schedule(bandwidth=1000)
    reports.members, reports.senders = 8, 1
    assert 128 * 7 / (50 * 0.75) / COMPENSATION == reports.draw()


def test_all_share_all_when_both_parties_send() -> None:
    """The usual call: two members, two senders."""
    reports = schedule(bandwidth=100)
    reports.members, reports.senders, reports.we_sent = 2, 2, True
    assert 128 * 2 / 5 / COMPENSATION == reports.draw()


def test_the_average_size_follows_what_is_sent_and_received() -> None:
    """6.3.3: a sixteenth of the way each time, with 28 octets of lower layers."""
    reports = schedule(bandwidth=100)
    reports.members, reports.senders = 2, 2
    reports.received(100 + 160)
    assert (128 + 10) * 2 / 5 / COMPENSATION == reports.draw()
    reports.sent(138 - 28 + 160, 101.0)
    assert (138 + 10) * 2 / 5 / COMPENSATION == reports.draw()
