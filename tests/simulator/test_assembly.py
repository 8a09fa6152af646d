"""From what was observed to the result: what agents and peers tell cannot break it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.ladder import LadderEntry
from offhook.simulator.agent_log import MAX_LOGGED, TRUTH
from offhook.simulator.assembly import MOST, _is_first_invite, _joined, _sent, _transport, _truth, versions
from offhook.simulator.result import AgentReport
from offhook.simulator.segments import Segment
from offhook.simulator.turns import Utterance, measure
from offhook.sipcore.headers import Headers

SPOKEN = measure([Utterance("x", 1.0, 2.0)], [Segment(2.8, 3.0)], answered_instant=0.0, ended_instant=9.0)


def truth_of(*entries: Any) -> int | None:
    """How many turns could be compared with what an agent logged; None when there is no truth."""
    accuracy = _truth(SPOKEN, AgentReport.model_construct(metadata={TRUTH: list(entries)}))
    return None if accuracy is None else accuracy.n


class TestTruth:
    """The agent's log comes from outside."""

    def test_a_logged_turn_is_compared(self) -> None:
        """With the measured one: 800 ms here, 790 ms there."""
        accuracy = _truth(SPOKEN, AgentReport(metadata={TRUTH: [{"response_s": 2.79, "latency_ms": 790}]}))
        assert accuracy is not None
        assert 10.0 == pytest.approx(accuracy.mean_error_ms)

    @pytest.mark.parametrize(
        "entry",
        [
            "text",
            None,
            [],
            {},
            {"response_s": 2.8},
            {"response_s": "2.8", "latency_ms": 1},
            {"response_s": True, "latency_ms": 1},
            {"response_s": float("nan"), "latency_ms": 1},
            {"response_s": 2.8, "latency_ms": float("inf")},
            {"response_s": 2.8, "latency_ms": 10**400},
            {"response_s": 2.8, "latency_ms": MOST},
        ],
        ids=str,
    )
    def test_what_is_no_turn_is_passed_over(self, entry: Any) -> None:
        """Neither compared nor an error."""
        assert 0 == truth_of(entry)

    @pytest.mark.parametrize("value", [None, "text", {"a": 1}, 5])
    def test_an_agent_that_tells_no_truth_has_none(self, value: Any) -> None:
        """Its metadata is its own."""
        assert _truth(SPOKEN, AgentReport(metadata={TRUTH: value})) is None

    def test_a_call_that_was_not_held_has_none(self) -> None:
        """There is nothing to compare."""
        assert _truth(None, AgentReport(metadata={TRUTH: []})) is None

    def test_what_is_read_of_it_is_bounded(self) -> None:
        """The entry behind the last that may be is not looked at."""
        good = {"response_s": 2.8, "latency_ms": 800.0}
        assert 1 == truth_of(*[None] * (MAX_LOGGED - 1), good)
        assert 0 == truth_of(*[None] * MAX_LOGGED, good)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda c: st.lists(c) | st.dictionaries(st.sampled_from(["response_s", "latency_ms"]), c),
        )
    )
    def test_no_truth_raises(self, value: Any) -> None:
        """Any JSON."""
        _truth(SPOKEN, AgentReport.model_construct(metadata={TRUTH: value}))


class TestFacts:
    """Small readings."""

    @pytest.mark.parametrize(
        ("via", "transport"),
        [
            ("SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1", "udp"),
            ("SIP / 2.0 / TLS host", "sip"),
            ("SIP/2.0/TLS host", "tls"),
            (None, ""),
        ],
    )
    def test_the_transport_is_that_of_our_via(self, via: str | None, transport: str) -> None:
        """Ours is written without blanks."""
        headers = Headers([("Via", via)] if via else [])
        assert transport == _transport(SimpleNamespace(request=SimpleNamespace(headers=headers)))

    def test_headers_of_one_name_are_one_list(self) -> None:
        """RFC 3261 7.3.1."""
        assert {"X-A": "1, 2", "X-B": "3"} == _joined((("X-A", "1"), ("X-B", "3"), ("X-A", "2")))

    @pytest.mark.parametrize(
        ("answered", "text", "again", "counts"),
        [
            (None, "INVITE sip:a", False, True),
            (6.0, "INVITE sip:a", False, True),
            (6.0, "INVITE sip:a", True, False),
            (4.0, "INVITE sip:a", False, False),
            (6.0, "ACK sip:a", False, False),
        ],
        ids=["unanswered", "before the answer", "retransmitted", "a re-INVITE", "an ACK"],
    )
    def test_invites_before_the_answer_are_counted(
        self, answered: float | None, text: str, again: bool, counts: bool
    ) -> None:
        """One, or one more for each challenge."""
        entry = LadderEntry(5.0, "a", "b", "INVITE", text, again)
        assert counts is _is_first_invite(entry, SimpleNamespace(answered_at=answered))

    def test_versions_name_what_the_figures_rest_on(self) -> None:
        """Offhook, Python, numpy, the platform."""
        assert {"offhook", "python", "numpy", "platform"} <= set(versions())


class TestSent:
    """What the peer's RTCP says of our stream."""

    @staticmethod
    def sent(packets: int, lost: int | None) -> Any:
        """As of so many packets."""
        remote = None if lost is None else SimpleNamespace(lost=lost, jitter=0.002)
        return _sent(SimpleNamespace(sent_packets=packets, remote=remote))

    def test_without_a_report_nothing_is_said(self) -> None:
        """Not zero loss: nothing."""
        assert self.sent(100, None) is None

    @pytest.mark.parametrize(
        ("packets", "lost", "expected"),
        [(200, 3, (197, 3, 1.5)), (200, -2, (200, 0, 0.0)), (200, 900, (0, 200, 100.0)), (0, 5, (0, 0, 0.0))],
        ids=["some lost", "duplicates outweigh", "more than were sent", "nothing was sent"],
    )
    def test_loss_is_that_of_the_whole_stream(self, packets: int, lost: int, expected: tuple[int, int, float]) -> None:
        """RFC 3550 6.4.1: cumulative number of packets lost, which a peer may tell wrong."""
        stream = self.sent(packets, lost)
        assert expected == (stream.received, stream.lost, stream.loss_pct)
        assert ("peer", 2.0) == (stream.measured_by, stream.jitter_ms.max)
