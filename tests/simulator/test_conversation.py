"""One conversation over real sockets, looked at from all sides, and calls that come to nothing."""

from __future__ import annotations

import wave
from typing import TYPE_CHECKING

import pytest
from support.conversations import Held, hold
from support.loop import run
from support.phones import only_ring

from offhook.simulator.conversation import CAPTURE, RECORDING, Order
from offhook.simulator.result import EndReason, Result
from offhook.simulator.script import BargeIn, Press, Say, Script
from offhook.sipcore.aio.resolver import UnknownHost

if TYPE_CHECKING:
    from pathlib import Path

    from offhook import Call

pytestmark = pytest.mark.real_network

SCRIPT = Script("all kinds", (Say("x" * 30), BargeIn("x" * 30, after=0.4), Press("4#")), quiet=0.3, patience=2.0)
SHORT = Script("short", (Say("x" * 20),), quiet=0.3, patience=1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the artefacts of the conversation lie."""
    return tmp_path_factory.mktemp("call")


@pytest.fixture(scope="module")
def held(folder: Path) -> Held:
    """A question with a tool call, an interruption, keys."""
    return run(hold(SCRIPT, folder))


@pytest.fixture(scope="module")
def result(held: Held) -> Result:
    """Its result."""
    return held.result


class TestAConversation:
    """What its result says."""

    def test_it_came_to_its_end(self, result: Result) -> None:
        """And which call it was."""
        call = result.call
        assert (EndReason.COMPLETED, 200, "PCMU", "udp", 8_000) == (
            call.end_reason, call.sip_status, call.codec, call.transport, call.sample_rate,
        )  # fmt: skip
        assert {"X-Simulation-Result-Id": "42", "X-Call-Type": "SIP", "X-First_Name": "Ada"} == call.headers

    def test_every_turn_was_answered_after_the_agents_delay(self, result: Result) -> None:
        """0.4 s, within a packet and the loop's lateness."""
        latencies = [turn.latency_ms for turn in result.turns]
        assert ["speech", "speech", "dtmf"] == [turn.kind for turn in result.turns]
        assert all(latency is not None and abs(latency - 400.0) < 60.0 for latency in latencies)

    def test_what_was_measured_is_what_the_agent_logged(self, result: Result) -> None:
        """All turns were found, and none is wrong by more than a packet."""
        truth = result.truth
        assert truth is not None
        assert (3, 0, 0) == (truth.n, truth.unmatched_measured, truth.unmatched_true)
        assert truth.max_abs_error_ms is not None
        assert truth.max_abs_error_ms < 20.0

    def test_the_interruption_was_obeyed(self, result: Result) -> None:
        """Within the time that ears need."""
        (barge_in,) = result.barge_ins
        assert barge_in.stop_ms is not None
        assert 0.0 < barge_in.stop_ms < 300.0

    def test_the_agents_report_was_joined(self, result: Result, held: Held) -> None:
        """Once; with the header's value in the tool's parameters; and nobody waits any more."""
        (tool,) = result.agent.tool_calls
        assert ({"customer": "Ada"}, 1, 0) == (tool.parameters, result.agent.posts, held.waiting)

    def test_speech_of_both_sides_is_in_order(self, result: Result) -> None:
        """The agent greets first."""
        assert "AGENT" == result.speech[0].speaker
        assert sorted(span.start_s for span in result.speech) == [span.start_s for span in result.speech]

    def test_keys_are_told_as_sent(self, result: Result) -> None:
        """Each with its length on the wire."""
        assert [("4", True), ("#", True)] == [(digit.digit, digit.sent) for digit in result.dtmf]
        assert all(90.0 <= digit.duration_ms <= 120.0 for digit in result.dtmf)

    def test_the_media_was_counted(self, result: Result) -> None:
        """Nothing is lost on loopback; the jitter was read at least once."""
        received = result.quality.received
        assert received is not None
        assert (0, 0.0) == (received.lost, received.loss_pct)
        assert received.expected > 100
        assert received.jitter_ms is not None
        assert received.jitter_ms.n >= 2

    def test_the_ladder_begins_with_the_invite_and_ends_with_the_bye(self, result: Result) -> None:
        """The INVITE is before the answer, which is zero."""
        assert result.ladder[0].first_line.startswith("INVITE ")
        assert result.ladder[0].instant_s < 0.0
        assert ["sent", "received"] == [result.ladder[0].direction, result.ladder[-1].direction]
        assert "BYE" in result.ladder[-2].first_line

    def test_setup_is_told(self, result: Result) -> None:
        """One INVITE, nothing again, rung before the answer."""
        setup = result.setup
        assert (1, 0) == (setup.invites, setup.retransmissions)
        assert None not in {setup.setup_ms, setup.pdd_ms, setup.ttfa_ms}
        assert setup.pdd_ms <= setup.setup_ms

    def test_recording_and_capture_are_there(self, folder: Path, result: Result) -> None:
        """The recording is as long as the call."""
        assert (folder / CAPTURE).stat().st_size > 10_000
        with wave.open(str(folder / RECORDING)) as file:
            assert 2 == file.getnchannels()
            assert file.getnframes() / 8_000 == pytest.approx(result.call.duration_ms / 1000, abs=0.1)

    def test_somebody_is_told_what_goes_on(self, held: Held) -> None:
        """In order."""
        assert ["the agent's phone rings", "answered, PCMU"] == held.told[:2]
        assert "waiting for the agent's report" == held.told[-1]


class TestCallsThatComeToNothing:
    """A call that fails is a result too."""

    def _held(self, folder: Path, serve: object, script: Script = SHORT, **order: object) -> Held:
        return run(hold(script, folder, serve, **order))

    def test_a_refusal_is_told(self, tmp_path: Path) -> None:
        """With its status and its cause; no media, no turns, no recording."""

        async def refuse(call: Call) -> None:
            call.reject(486, headers=(("Reason", "Q.850;cause=17"),))

        result = self._held(tmp_path, refuse).result
        assert (EndReason.REJECTED, 486, 17, None) == (
            result.call.end_reason, result.call.sip_status, result.call.q850_cause, result.call.duration_ms,
        )  # fmt: skip
        assert ([], None, "") == (result.turns, result.metrics, result.call.codec)
        assert not (tmp_path / RECORDING).exists()

    @pytest.mark.parametrize(
        ("status", "reason"), [(480, EndReason.NO_ANSWER), (500, EndReason.FAILED), (603, EndReason.REJECTED)]
    )
    def test_refusals_are_told_from_failures(self, tmp_path: Path, status: int, reason: EndReason) -> None:
        """RFC 3261 21: 5xx is a server that failed, 6xx a person who does not want to."""

        async def refuse(call: Call) -> None:
            call.reject(status)

        assert reason is self._held(tmp_path, refuse).result.call.end_reason

    def test_nobody_answers(self, tmp_path: Path) -> None:
        """After the time to wait the call is cancelled; nobody waits for a report."""
        held = self._held(tmp_path, only_ring, ring_timeout=0.1)
        assert (EndReason.NO_ANSWER, 0) == (held.result.call.end_reason, held.waiting)
        assert held.result.setup.pdd_ms is not None

    def test_an_agent_that_hangs_up_at_once_leaves_a_result(self, tmp_path: Path) -> None:
        """Answered, and over before a word."""

        async def brief(call: Call) -> None:
            await call.answer()

        result = self._held(tmp_path, brief, report_timeout=0.05).result
        assert (EndReason.AGENT_HUNG_UP, 0) == (result.call.end_reason, result.agent.posts)

    def test_a_report_that_never_comes_is_waited_for_and_missing(self, tmp_path: Path) -> None:
        """Its count is zero, and nobody waits any more."""

        async def silent(call: Call) -> None:
            await call.answer()
            await call.ended()

        held = self._held(tmp_path, silent, Script("x", (), patience=0.1), report_timeout=0.05)
        assert (0, 0, EndReason.SILENCE) == (held.result.agent.posts, held.waiting, held.result.call.end_reason)

    def test_a_host_that_is_none_is_an_error(self, tmp_path: Path) -> None:
        """Nothing was called, so there is no result."""
        with pytest.raises(UnknownHost):
            self._held(tmp_path, None, uri="sip:agent@no-such-host.invalid")


def test_an_order_sends_the_id_first() -> None:
    """Then the type of the call, then what was asked for."""
    order = Order("sip:a@b", SHORT, "7", (("X-A", "1"), ("X-A", "2")))
    assert (("X-Simulation-Result-Id", "7"), ("X-Call-Type", "SIP"), ("X-A", "1"), ("X-A", "2")) == order.all_headers
