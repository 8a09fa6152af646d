"""`result.json`: written whole, read strictly, described field by field."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from offhook.simulator import result as result_module
from offhook.simulator.accuracy import TimedLatency, compare
from offhook.simulator.result import (
    AgentReport,
    CallFacts,
    Digit,
    EndReason,
    LadderEntry,
    MosInputs,
    QualityBothWays,
    Result,
    ResultTooLarge,
    Setup,
    SimulationUpdate,
    SpeechSpan,
    StreamQuality,
    schema,
)
from offhook.simulator.turns import Segment, Utterance, measure


def call_facts() -> CallFacts:
    """The least that is known of a call."""
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return CallFacts(uri="sip:agent@127.0.0.1", result_id=7, started_at=started, end_reason=EndReason.COMPLETED)


def full_result() -> Result:
    """A result with something in every part."""
    talk = measure(
        [Utterance("Hello.", 11.0, 12.0), Utterance("Stop.", 14.0, 14.5)],
        [Segment(12.8, 14.6)],
        answered_instant=10.0,
        ended_instant=20.0,
    )
    inputs = MosInputs(codec="PCMU", ie=0, bpl=25.1, concealed=True, burst_ratio=1, delay_ms=40, loss_pct=0.5)
    return Result(
        call=call_facts(),
        setup=Setup(setup_ms=120.0, pdd_ms=20.0, ttfa_ms=2800.0),
        turns=list(talk.turns),
        metrics=talk.metrics,
        speech=[SpeechSpan(speaker="USER", start_s=1.0, end_s=2.0, text="Hello.")],
        barge_ins=[turn.barge_in for turn in talk.turns if turn.barge_in],
        dtmf=[Digit(digit="#", at_s=3.0, duration_ms=160, sent=True)],
        quality=QualityBothWays(received=StreamQuality(expected=500, received=499, lost=1, mos_inputs=inputs)),
        agent=AgentReport().joined_with(SimulationUpdate(simulation_result_id="7", tags=["smoke"])),
        truth=compare([TimedLatency(2.8, 803)], [TimedLatency(2.8, 800)]),
        ladder=[LadderEntry(instant_s=-0.12, direction="sent", first_line="INVITE", text="INVITE\r\n")],
        artefacts={"recording": "call.wav"},
        versions={"offhook": "0.1"},
    )


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    """Every part survives the round trip."""
    full_result().save(tmp_path / "result.json")
    assert full_result() == Result.load(tmp_path / "result.json")


def test_the_least_result_needs_only_the_call(tmp_path: Path) -> None:
    """A call that failed has nothing else."""
    Result(call=call_facts()).save(tmp_path / "result.json")
    loaded = Result.load(tmp_path / "result.json")
    assert ("7", None, []) == (loaded.call.result_id, loaded.metrics, loaded.turns)


def test_saving_leaves_nothing_else_behind(tmp_path: Path) -> None:
    """The draft becomes the file, readable for others."""
    full_result().save(tmp_path / "result.json")
    assert [tmp_path / "result.json"] == list(tmp_path.iterdir())
    assert 0o644 == (tmp_path / "result.json").stat().st_mode & 0o777


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all."""
    full_result().save(tmp_path / "result.json")
    before = (tmp_path / "result.json").read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        Result(call=call_facts()).save(tmp_path / "result.json")
    assert [before] == [path.read_bytes() for path in tmp_path.iterdir()]


@pytest.mark.parametrize("octets", [b"", b"{}", b"\xff\xfe", b"[[[[", b"null"])
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, octets: bytes) -> None:
    """With pydantic's list of what is wrong."""
    (tmp_path / "result.json").write_bytes(octets)
    with pytest.raises(ValidationError):
        Result.load(tmp_path / "result.json")


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    """Fields may have changed their meaning."""
    newer = full_result().model_dump_json().replace('"schema_version":1', '"schema_version":2')
    (tmp_path / "result.json").write_text(newer)
    with pytest.raises(ValidationError, match="schema_version"):
        Result.load(tmp_path / "result.json")


def test_fields_of_the_future_are_ignored() -> None:
    """They may be added without a new version."""
    grown = full_result().model_dump_json().replace('"schema_version":1', '"schema_version":1,"mood":"good"')
    assert full_result() == Result.model_validate_json(grown)


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit it is, an octet beyond it is not."""
    full_result().save(tmp_path / "result.json")
    size = (tmp_path / "result.json").stat().st_size
    monkeypatch.setattr(result_module, "MAX_RESULT_OCTETS", size)
    assert full_result() == Result.load(tmp_path / "result.json")
    monkeypatch.setattr(result_module, "MAX_RESULT_OCTETS", size - 1)
    with pytest.raises(ResultTooLarge, match="larger than"):
        Result.load(tmp_path / "result.json")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    """Nothing of ours to add."""
    with pytest.raises(FileNotFoundError):
        Result.load(tmp_path / "result.json")


def test_the_start_carries_its_zone() -> None:
    """A wall-clock time without one means something else elsewhere."""
    with pytest.raises(ValidationError, match="timezone"):
        CallFacts.model_validate(call_facts().model_dump() | {"started_at": "2026-01-02T03:04:05"})


@pytest.mark.parametrize("digit", ["", "12", "E", "a", "#\n"])
def test_a_digit_is_one_of_sixteen(digit: str) -> None:
    """RFC 4733 section 3.2."""
    with pytest.raises(ValidationError, match="digit"):
        Digit(digit=digit, at_s=0, duration_ms=100, sent=True)


def test_numbers_that_are_none_are_refused() -> None:
    """NaN would become null in the file, and another result when it is read."""
    with pytest.raises(ValidationError, match="finite"):
        Setup(setup_ms=float("nan"))


class TestJoining:
    """The agent posts, once or more often."""

    def test_a_post_is_taken_in(self) -> None:
        """All of it, and it is counted."""
        update = SimulationUpdate(simulation_result_id="7", tool_calls=[{"name": "book", "start_offset_ms": 5}])
        report = AgentReport().joined_with(update)
        assert (["book"], 1) == ([call.name for call in report.tool_calls], report.posts)

    def test_a_second_post_adds_to_the_first(self) -> None:
        """Lists grow, labels do not repeat, metadata is overwritten key by key."""
        first = SimulationUpdate(simulation_result_id="7", tags=["a"], metadata={"x": 1, "y": 1})
        second = SimulationUpdate(simulation_result_id="7", tags=["a", "b"], metadata={"y": 2})
        report = AgentReport().joined_with(first).joined_with(second)
        assert (["a", "b"], {"x": 1, "y": 2}, 2) == (report.tags, report.metadata, report.posts)


class TestSchema:
    """JSON Schema for editors and other readers."""

    def test_every_field_is_described(self) -> None:
        """With its unit, where it has one: that is what the descriptions are for."""
        parts = {"Result": schema(), **schema()["$defs"]}
        bare = [
            f"{name}.{field}"
            for name, part in parts.items()
            for field, value in part.get("properties", {}).items()
            if not value.get("description")
        ]
        assert [] == bare

    def test_the_schema_says_which_it_is(self) -> None:
        """For the validators of others."""
        assert "https://json-schema.org/draft/2020-12/schema" == schema()["$schema"]
        assert 1 == schema()["properties"]["schema_version"]["const"]
