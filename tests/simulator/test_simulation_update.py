"""The body of POST /v1/update-simulation-result: strict about what is required, tolerant about the rest."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from offhook.simulator.simulation_update import (
    MAX_ENTRIES,
    MAX_ID_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    MAX_TRACE_IDS,
    SimulationUpdate,
)

TOOL_CALL = {"name": "book", "start_offset_ms": 0}
EVENT = {"title": "transfer", "start_offset_ms": 10}
ENTRY = {"start_offset_ms": 0, "end_offset_ms": 900, "speaker": "AGENT", "utterance": "Hello."}


def posted(**fields) -> SimulationUpdate:
    """What an agent posted, as octets."""
    return SimulationUpdate.model_validate_json(json.dumps({"simulation_result_id": "42"} | fields))


def test_the_id_alone_is_a_body() -> None:
    """All else is optional."""
    assert ("42", [], {}) == (posted().simulation_result_id, posted().tool_calls, posted().metadata)


@pytest.mark.parametrize("value", [1234, "1234"])
def test_an_id_may_be_a_number(value: int | str) -> None:
    """The field's senders differ; here it is text."""
    assert "1234" == posted(simulation_result_id=value).simulation_result_id


@pytest.mark.parametrize("value", [None, True, 1.5, "", [], "x" * (MAX_ID_CHARACTERS + 1)], ids=repr)
def test_an_id_that_is_none_is_refused(value: object) -> None:
    """Never empty, never a guess, and short enough for a header."""
    with pytest.raises(ValidationError, match="simulation_result_id"):
        posted(simulation_result_id=value)


def test_a_full_body_is_read() -> None:
    """Every field that the interface has."""
    call = TOOL_CALL | {"description": "d", "parameters": {"guests": 2}, "output": ["any", {"json": None}]}
    event = EVENT | {"description": "d", "end_offset_ms": 20, "tags": ["t"], "metadata": {"a": 1}}
    body = {"tool_calls": [call], "events": [event], "recorded_transcript": [ENTRY | {"filler_utterance": True}]}
    more = {"tags": ["t"], "metadata": {"model": "m"}, "trace_ids": ["abc"]}
    assert {"simulation_result_id": "42"} | body | more == posted(**body, **more).model_dump(mode="json")


def test_unknown_fields_are_ignored() -> None:
    """Senders grow new ones."""
    assert not hasattr(posted(tool_calls=[TOOL_CALL | {"duration_ms": 3}]).tool_calls[0], "duration_ms")


@pytest.mark.parametrize(
    ("field", "entry", "missing"),
    [
        *(("tool_calls", TOOL_CALL, name) for name in TOOL_CALL),
        *(("events", EVENT, name) for name in EVENT),
        *(("recorded_transcript", ENTRY, name) for name in ENTRY),
    ],
)
def test_each_required_field_is_required(field: str, entry: dict, missing: str) -> None:
    """The refusal names the place, as a 422 answer has to."""
    with pytest.raises(ValidationError) as refused:
        posted(**{field: [{key: value for key, value in entry.items() if key != missing}]})
    assert (field, 0, missing) == refused.value.errors()[0]["loc"]


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        ("tool_calls", TOOL_CALL | {"start_offset_ms": -1}),
        ("tool_calls", TOOL_CALL | {"parameters": "no object"}),
        ("tool_calls", TOOL_CALL | {"name": "x" * (MAX_TEXT_CHARACTERS + 1)}),
        ("recorded_transcript", ENTRY | {"speaker": "HUMAN"}),
        ("events", EVENT | {"start_offset_ms": 1.5}),
    ],
    ids=repr,
)
def test_wrong_values_are_refused(field: str, entry: dict) -> None:
    """Rather than bent into shape."""
    with pytest.raises(ValidationError, match=field):
        posted(**{field: [entry]})


@pytest.mark.parametrize(
    ("field", "entry", "limit"),
    [
        ("tool_calls", TOOL_CALL, MAX_ENTRIES),
        ("events", EVENT, MAX_ENTRIES),
        ("recorded_transcript", ENTRY, MAX_ENTRIES),
        ("tags", "t", MAX_ENTRIES),
        ("trace_ids", "t", MAX_TRACE_IDS),
    ],
)
def test_lists_are_bounded(field: str, entry: object, limit: int) -> None:
    """The bound is taken, one beyond it is refused."""
    assert limit == len(getattr(posted(**{field: [entry] * limit}), field))
    with pytest.raises(ValidationError, match=field):
        posted(**{field: [entry] * (limit + 1)})


@pytest.mark.parametrize("octets", [b"", b"\xff", b"[" * 100_000, b"[]", b'{"simulation_result_id":"\\ud800"}'])
def test_octets_that_are_no_body_are_refused(octets: bytes) -> None:
    """By name, however deep or broken."""
    with pytest.raises(ValidationError):
        SimulationUpdate.model_validate_json(octets)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    """Nothing else escapes."""
    with suppress(ValidationError):
        assert SimulationUpdate.model_validate_json(octets).simulation_result_id
