"""The builders build what the parser reads."""

from __future__ import annotations

import pytest
from support.messages import ack, invite, request, response

from offhook.sipcore.message import Request
from offhook.sipcore.parser import parse


@pytest.mark.parametrize("message", [invite(), response(180), ack(), request("BYE", cseq=2, to_tag="bob", body=b"x")])
def test_a_built_message_is_read_back_as_it_was_written(message: Request) -> None:
    """A builder that writes nonsense would make every test above it worthless."""
    again = parse(message.to_bytes())
    again.validate()
    assert message.to_bytes().split(b"\r\n")[0] == again.to_bytes().split(b"\r\n")[0]
    assert message.via == again.via


def test_two_requests_of_one_call_have_two_branches() -> None:
    """Nobody has to think of branches to keep transactions apart."""
    assert invite().via.branch != request("BYE", cseq=2).via.branch


def test_a_request_of_rfc_2543_has_no_branch() -> None:
    """``None`` leaves it out."""
    assert invite(None).via.branch is None


def test_the_ack_of_a_refusal_has_the_branch_of_its_invite_and_the_tag_of_the_response() -> None:
    """RFC 3261 section 17.1.1.3."""
    assert (invite().via, "bob") == (ack().via, ack().to.tag)
