"""What went wrong, in SIP's words and in the telephone network's."""

import pytest

from offhook.errors import MAX_CAUSE, CallFailed, q850_cause
from offhook.events import Ended
from offhook.sipcore.headers import Headers
from offhook.sipcore.message import Request, Response


def refusal(*reasons: str) -> Response:
    """A response with these Reason fields."""
    return Response(486, "Busy Here", Headers([("Reason", reason) for reason in reasons]))


class TestCallFailed:
    def test_a_failure_reads_as_the_status_line_did(self) -> None:
        """Status and phrase as they came."""
        assert "486 Busy Here" == str(CallFailed(486, "Busy Here"))

    def test_a_failure_without_a_response_has_no_cause(self) -> None:
        """Nobody answered: there is nothing to read a cause from."""
        assert CallFailed(408, "Not answered in time").q850 is None

    def test_a_failure_tells_the_cause_of_its_response(self) -> None:
        """RFC 3326 section 2, the example with Q.850."""
        assert 17 == CallFailed(486, "Busy Here", refusal('Q.850 ;cause=17 ;text="User busy"')).q850


class TestReason:
    """RFC 3326 section 2: Reason is a list of protocols, each with its cause."""

    @pytest.mark.parametrize(
        ("cause", "fields"),
        [
            (16, ["Q.850;cause=16"]),
            (16, ["q.850 ; CAUSE = 16"]),
            (34, ['SIP;cause=503;text="Full", Q.850;cause=34']),
            (34, ["SIP;cause=503", "Q.850;cause=34"]),
            (21, ['Q.850;text="no";cause=21']),
            (MAX_CAUSE, [f"Q.850;cause={MAX_CAUSE}"]),
        ],
    )
    def test_a_cause_is_found_wherever_it_may_stand(self, cause: int, fields: list[str]) -> None:
        """One field or several, any case, other protocols before it."""
        assert cause == q850_cause(refusal(*fields))

    @pytest.mark.parametrize(
        "field",
        ["", "SIP;cause=200", "Q.850", "Q.850;cause=", "Q.850;cause=x", "Q.850;cause=-1", "Q.850;cause=²", "Q.850;text=16",
         f"Q.850;cause={MAX_CAUSE + 1}", "Q.850;cause=0000016", "XQ.850;cause=16"],
    )  # fmt: skip
    def test_what_is_no_cause_is_none(self, field: str) -> None:
        """Invalid twins of the above; the limit is crossed by one."""
        assert q850_cause(refusal(field)) is None

    def test_a_hostile_field_is_read_in_one_pass(self) -> None:
        """Each octet is looked at a fixed number of times, so a field of megabytes is read at once."""
        assert q850_cause(refusal("Q.850" * 400_000)) is None


class TestEnded:
    def test_the_end_tells_the_cause_in_the_bye(self) -> None:
        """A gateway says in its BYE why the telephone network hung up."""
        bye = Request("BYE", "sip:a@127.0.0.1", Headers([("Reason", "Q.850;cause=31")]))
        assert 31 == Ended("remote", "the peer hung up", 0.0, bye).q850

    def test_our_own_end_has_no_cause(self) -> None:
        """We sent the request: there is none of the peer's."""
        assert Ended("local", "we hung up", 0.0).q850 is None
