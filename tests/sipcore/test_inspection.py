"""What is looked at before a request is: RFC 3261 section 8.2.1 to 8.2.3."""

from __future__ import annotations

import pytest
from support.messages import invite, request

from offhook.sipcore.inspection import CAPABILITIES, METHODS, inspect_method, inspect_request
from offhook.sipcore.message import Request

SDP_TYPE = ("Content-Type", "application/sdp")


@pytest.mark.parametrize("method", METHODS)
def test_the_methods_that_are_served_pass(method: str) -> None:
    """And no other: Allow names these and nothing more."""
    assert inspect_method(request(method)) is None
    assert method in dict(CAPABILITIES)["Allow"].split(", ")


@pytest.mark.parametrize(("method", "status"), [("REGISTER", 405), ("REFER", 405), ("invite", 501), ("NEWMETHOD", 501)])
def test_another_method_is_refused_with_those_that_are_served(method: str, status: int) -> None:
    """8.2.1: 405 where the method is known, 501 (21.5.2) where not; methods are compared with case (7.1)."""
    assert (status, (("Allow", ", ".join(METHODS)),)) == inspect_method(request(method))


def test_a_target_of_another_scheme_is_416() -> None:
    """8.2.2.1: "a scheme not supported by the UAS"."""
    assert (416, ()) == inspect_request(invite(target="tel:+4930"))


def test_required_extensions_are_unsupported_by_name() -> None:
    """8.2.2.3: while 100rel is not spoken here, who requires it hears 420."""
    required = [("Require", "100rel, foo"), ("Require", "bar")]
    assert (420, (("Unsupported", "100rel, foo, bar"),)) == inspect_request(invite(headers=required))


@pytest.mark.parametrize(
    ("headers", "body", "refused"),
    [
        ([SDP_TYPE], b"v=0", False),
        ([("c", "Application/SDP; charset=utf-8")], b"v=0", False),
        ([("Content-Encoding", "identity"), SDP_TYPE], b"v=0", False),
        ([], b"", False),
        ([("Content-Type", "text/plain")], b"v=0", True),
        ([], b"v=0", True),
        ([("Content-Encoding", "gzip"), SDP_TYPE], b"v=0", True),
    ],
)
def test_a_body_that_cannot_be_read_is_415_with_what_can(
    headers: list[tuple[str, str]], body: bytes, refused: bool
) -> None:
    """8.2.3: "listing the types of all bodies that it understands"."""
    refusal = inspect_request(invite(headers=headers, body=body))
    expected = (415, (("Accept", "application/sdp"), ("Accept-Encoding", "identity")))
    assert (expected if refused else None) == refusal


def test_the_body_of_another_request_is_not_read() -> None:
    """A BYE may bear whatever its sender likes."""
    bye: Request = request("BYE", headers=[("Content-Type", "text/plain")], body=b"bye")
    assert inspect_request(bye) is None
