"""What the reference agent remembers of a call, and posts when it is over.

All offsets are milliseconds from the answer. Beside what the field asks for (tool calls, events, transcript, metadata) stands
the *truth*: when the agent heard the end of each turn and when the first audible sample of its answer left, both on its own
wire. A tester compares it with what was measured at the other end.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationError

from .simulation_update import MAX_ID_CHARACTERS, Event, SimulationUpdate, ToolCall, TranscriptEntry

TRUTH: Final = "offhook_truth"  # the key in `metadata`
MAX_LOGGED: Final = 5_000  # entries of each kind; a call of hours has fewer
MAX_SHOWN: Final = 500  # characters of an output that is no JSON


class AgentLog:
    """Grows while the call lasts.

    Args:
        result_id: as the caller sent it; longer than any id may be, it is cut, because a stranger's header stops no report.
    """

    def __init__(self, result_id: str) -> None:
        self.result_id = result_id[:MAX_ID_CHARACTERS].encode("utf-8", "replace").decode()
        self._origin = 0.0
        self._tool_calls: list[ToolCall] = []
        self._events: list[Event] = []
        self._transcript: list[TranscriptEntry] = []
        self._truth: list[dict[str, float]] = []
        self.left_out = 0
        "Entries beyond the limit."

    def begin(self, answered: float) -> None:
        """The call was answered at this instant."""
        self._origin = answered

    def _offset(self, instant: float) -> int:
        return max(0, round((instant - self._origin) * 1000))

    def _may(self, entries: list[Any]) -> bool:
        if len(entries) < MAX_LOGGED:
            return True
        self.left_out += 1
        return False

    def tool_called(self, name: str, parameters: dict[str, Any], output: Any, at: float) -> None:
        """A tool was called, and this came of it: a failure is told in ``output``, as is what cannot be written as JSON."""
        if not self._may(self._tool_calls):
            return
        call = ToolCall(name=name, start_offset_ms=self._offset(at), parameters=parameters)
        try:
            call = ToolCall.model_validate({**call.model_dump(), "output": output})
        except (ValidationError, RecursionError):
            call = call.model_copy(update={"output": {"error": f"no JSON: {repr(output)[:MAX_SHOWN]}"}})
        self._tool_calls.append(call)

    def happened(self, title: str, at: float, description: str | None = None) -> None:
        """Something worth telling."""
        if self._may(self._events):
            self._events.append(Event(title=title, start_offset_ms=self._offset(at), description=description))

    def spoke(self, speaker: str, utterance: str, start: float, end: float) -> None:
        """Somebody said something: ``AGENT`` or ``USER``."""
        if self._may(self._transcript):
            entry = {
                "start_offset_ms": self._offset(start),
                "end_offset_ms": self._offset(end),
                "speaker": speaker,
                "utterance": utterance,
            }
            self._transcript.append(TranscriptEntry.model_validate(entry))

    def answered_turn(self, heard_end: float, first_sample: float) -> None:
        """The truth about one turn: instants of the caller's last and of our first audible sample."""
        if self._may(self._truth):
            entry = {
                "heard_end_s": round(heard_end - self._origin, 6),
                "response_s": round(first_sample - self._origin, 6),
                "latency_ms": round((first_sample - heard_end) * 1000, 3),
            }
            self._truth.append(entry)

    def update(self, metadata: dict[str, Any]) -> SimulationUpdate:
        """The body to post."""
        return SimulationUpdate.model_validate(
            {
                "simulation_result_id": self.result_id,
                "events": self._events,
                "tool_calls": self._tool_calls,
                "recorded_transcript": self._transcript,
                "tags": ["offhook-reference-agent"],
                "metadata": {**metadata, TRUTH: self._truth, "left_out": self.left_out},
            }
        )
