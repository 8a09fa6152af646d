"""Which messages belong together (RFC 3261 sections 17.1.3, 17.2.3 and 9.2)."""

from __future__ import annotations

import pytest
from support.messages import ack, invite, request, response

from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.headers import Headers
from offhook.sipcore.message import Request, cancel_of
from offhook.sipcore.transaction import cancelled_key, client_key, server_key
from offhook.sipcore.transaction.keys import legacy_ack_key


class TestClientKey:
    """Section 17.1.3."""

    def test_a_response_has_the_key_of_its_request(self) -> None:
        """Branch and method decide."""
        assert client_key(invite()) == client_key(response(200, invite()))

    def test_the_response_to_a_cancel_is_not_one_to_its_invite(self) -> None:
        """The rule: "The method is needed since a CANCEL request constitutes a different transaction, but shares the same ... branch"."""
        cancel = cancel_of(invite())
        assert client_key(invite()) != client_key(response(200, cancel))

    def test_a_forged_branch_finds_nothing(self) -> None:
        """Who does not know the branch does not reach the transaction."""
        assert client_key(invite()) != client_key(response(200, invite("z9hG4bKforged")))


class TestServerKey:
    """Section 17.2.3, for requests of RFC 3261."""

    def test_a_request_that_comes_again_has_the_key_of_the_first(self) -> None:
        """Whatever else may have changed on its way."""
        assert server_key(invite()) == server_key(invite(headers=[("X-Hop", "2")]))

    def test_the_ack_to_a_refusal_has_the_key_of_its_invite(self) -> None:
        """The rule: "The method of the request matches the one that created the transaction, except for ACK"."""
        assert server_key(invite()) == server_key(ack())

    def test_a_cancel_is_a_transaction_of_its_own(self) -> None:
        """It shares the branch."""
        assert server_key(invite()) != server_key(cancel_of(invite()))

    def test_the_same_branch_of_another_sender_is_another_transaction(self) -> None:
        """The rule: "The sent-by value is used as part of the matching process because there could be ... duplication of branch"."""
        assert server_key(invite("z9hG4bK1")) != server_key(invite("z9hG4bK1", sent_by="127.0.0.2:5070"))

    def test_a_sender_without_a_port_means_the_default_one(self) -> None:
        """Section 18.2.2: 5060."""
        assert server_key(invite(sent_by="example.com")) == server_key(invite(sent_by="EXAMPLE.com:5060"))


@pytest.mark.parametrize("branch", [None, "1", "z9hG4bK", "Z9HG4BKabc"])
class TestLegacyServerKey:
    """Section 17.2.3, for requests of RFC 2543, and for a branch that is the cookie and nothing else."""

    def test_a_request_that_comes_again_has_the_key_of_the_first(self, branch: str | None) -> None:
        """The six fields are the same."""
        assert server_key(invite(branch)) == server_key(invite(branch, headers=[("X-Hop", "2")]))

    @pytest.mark.parametrize(
        "other",
        [
            {"to_tag": "bob"},
            {"call_id": "call-2"},
            {"cseq": 2},
            {"target": "sip:carol@127.0.0.1"},
            {"sent_by": "127.0.0.2:5070"},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_a_request_that_differs_in_one_field_is_another(self, branch: str | None, other: dict[str, object]) -> None:
        """Each of them takes part."""
        assert server_key(invite(branch)) != server_key(invite(branch, **other))

    def test_the_method_takes_part(self, branch: str | None) -> None:
        """The rule: "the CSeq header field" is compared "including the method"."""
        assert server_key(request("BYE", branch)) != server_key(request("OPTIONS", branch))

    def test_the_ack_bears_the_tag_of_the_response(self, branch: str | None) -> None:
        """And finds the INVITE by its second name, while an ACK with another tag does not."""
        first, busy = invite(branch), response(486, invite(branch))
        expected = legacy_ack_key(first, busy)
        assert expected == server_key(ack(first, busy))
        assert expected != server_key(ack(first, response(486, first, to_tag="mallory")))

    def test_the_invite_itself_has_not_the_key_of_its_ack(self, branch: str | None) -> None:
        """One who repeats the INVITE inside the dialog does not acknowledge it."""
        first = invite(branch)
        assert server_key(invite(branch, to_tag="bob")) != legacy_ack_key(first, response(486, first))

    def test_a_cancel_finds_its_invite(self, branch: str | None) -> None:
        """Section 9.2."""
        assert server_key(invite(branch)) == cancelled_key(cancel_of(invite(branch)))


def test_a_cancel_finds_its_invite() -> None:
    """Section 9.2: the matching of 17.2.3, as if its method were INVITE."""
    assert server_key(invite()) == cancelled_key(cancel_of(invite()))


@pytest.mark.parametrize("key", [client_key, server_key, cancelled_key])
def test_what_cannot_be_read_is_refused(key: object) -> None:
    """With the one error that a parser may raise."""
    with pytest.raises(MalformedMessage):
        key(Request("BYE", "sip:bob@127.0.0.1", Headers([("Via", "nonsense"), ("CSeq", "1 BYE")])))
