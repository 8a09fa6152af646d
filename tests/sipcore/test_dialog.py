"""Dialogs: RFC 3261 section 12, seen from both sides."""

from __future__ import annotations

import pytest
from support.messages import invite, request

from offhook.sipcore.dialog import Dialog
from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.headers import Headers
from offhook.sipcore.message import Request, Response, response_to

SEEN = ("192.0.2.7", 40_000)
CONTACT = ("Contact", "<sip:alice@192.0.2.8:5070>")
P1, P2 = "<sip:p1.example.com;lr>", "<sip:p2.example.com:5080;lr>"
VIA = "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKnew"


def callee(*headers: tuple[str, str], sent_by: str = "127.0.0.1:5070;rport", contact: str = CONTACT[1]) -> Dialog:
    """Bob's dialog by Alice's INVITE, which was seen to come from ``SEEN``."""
    return Dialog.from_request(stamped(*headers, sent_by=sent_by, contact=contact), "bob", SEEN)


def stamped(*headers: tuple[str, str], sent_by: str, contact: str, cseq: int = 1) -> Request:
    """Alice's INVITE as it looks when it was seen to come from ``SEEN``."""
    call = invite(sent_by=sent_by, cseq=cseq, headers=[("Contact", contact), *headers])
    call.stamp(SEEN)
    return call


def answer(*headers: tuple[str, str], to_tag: str = "bob") -> Response:
    """Bob's 200."""
    return response_to(invite(), 200, to_tag=to_tag, headers=headers)


def caller(*headers: tuple[str, str], contact: str = "<sip:bob@127.0.0.2:5062>") -> Dialog:
    """Alice's dialog by Bob's 200."""
    return Dialog.from_response(invite(), answer(("Contact", contact), *headers), SEEN)


def routes(message: Request) -> list[str]:
    """The Route fields."""
    return message.headers.get_all("route")


class TestEstablishment:
    """12.1: what is remembered."""

    def test_the_callee_knows_the_caller_as_the_invite_named_him(self) -> None:
        """From becomes the remote address, To with our tag the local one (12.1.1)."""
        dialog = callee()
        assert ("call-1", "bob", "alice") == dialog.id
        assert "<sip:alice@127.0.0.1>;tag=alice" == dialog.remote
        assert "<sip:bob@127.0.0.1:5060>;tag=bob" == dialog.local
        assert (0, 1) == (dialog.local_sequence, dialog.remote_sequence)

    def test_the_caller_knows_the_callee_by_the_answer(self) -> None:
        """The tags change places (12.1.2)."""
        dialog = caller()
        assert ("call-1", "alice", "bob") == dialog.id
        assert (1, None) == (dialog.local_sequence, dialog.remote_sequence)
        assert "<Dialog call-1 local=alice remote=bob target=sip:bob@127.0.0.2:5062>" == repr(dialog)

    def test_a_peer_of_rfc_2543_has_no_tag(self) -> None:
        """A missing tag is an empty one (12.1.2)."""
        assert ("call-1", "alice", "") == Dialog.from_response(invite(), answer(CONTACT, to_tag=""), SEEN).id

    def test_the_callee_takes_the_routes_in_order_and_the_caller_reversed(self) -> None:
        """Both then begin with the proxy that is next to them (12.1.1, 12.1.2)."""
        recorded = [("Record-Route", P1), ("Record-Route", P2)]
        assert [P1, P2] == callee(*recorded).route_set
        assert [P2, P1] == caller(*recorded).route_set

    def test_routes_on_one_line_are_as_many_as_on_two(self) -> None:
        """Section 7.3.1."""
        assert [P2, P1] == caller(("Record-Route", f"{P1}, {P2}")).route_set

    @pytest.mark.parametrize(("contact", "status"), [("", 400), ("<tel:+4930>", 416)])
    def test_without_a_contact_of_ours_there_is_no_dialog(self, contact: str, status: int) -> None:
        """There would be nothing to send requests to."""
        headers = [("Contact", contact)] if contact else []
        with pytest.raises(MalformedMessage) as caught:
            Dialog.from_request(invite(headers=headers), "bob", SEEN)
        assert status == caught.value.status

    def test_what_may_not_stand_in_a_request_uri_is_taken_from_the_contact(self) -> None:
        """Headers and ``method`` are for other places (table 1 of 19.1.1)."""
        dialog = callee(contact="<sip:alice@127.0.0.1;method=INVITE;ob?Subject=x>")
        assert "sip:alice@127.0.0.1;ob" == str(dialog.remote_target)


class TestRequests:
    """12.2.1.1: how a request inside the dialog is made."""

    def test_a_request_bears_the_dialog_and_the_next_number(self) -> None:
        """The field-failure classic: From and To keep their tags, the target is the Contact."""
        bye = caller().request("BYE", VIA, [("Reason", "Q.850;cause=16")], b"")
        assert ("BYE", "sip:bob@127.0.0.2:5062") == (bye.method, bye.target)
        assert ("alice", "bob", "2 BYE") == (bye.from_.tag, bye.to.tag, bye.headers["cseq"])
        assert ["z9hG4bKnew", "Q.850;cause=16"] == [bye.via.branch, bye.headers["reason"]]

    def test_numbers_grow_by_one(self) -> None:
        """12.2.1.1: "the value of the local sequence number MUST be incremented by one"."""
        dialog = caller()
        assert [2, 3] == [dialog.request("BYE", VIA).cseq.number for _ in range(2)]

    def test_a_refused_header_costs_no_number(self) -> None:
        """Nothing is sent, so nothing is counted."""
        dialog = caller()
        with pytest.raises(ValueError, match="CR, LF"):
            dialog.request("BYE", VIA, [("X-A", "1\r\nX-B: 2")])
        assert 2 == dialog.request("BYE", VIA).cseq.number

    def test_the_ack_has_the_number_of_its_invite(self) -> None:
        """13.2.2.4; and it takes none for itself."""
        dialog = caller()
        ack = dialog.ack(1, VIA)
        assert ("ACK", "1 ACK", 2) == (ack.method, ack.headers["cseq"], dialog.request("BYE", VIA).cseq.number)

    def test_loose_routes_leave_the_target_alone(self) -> None:
        """The ACK's Request-URI is the Contact, whatever the route set (16.12.1.1)."""
        ack = caller(("Record-Route", P1), ("Record-Route", P2)).ack(1, VIA)
        assert ("sip:bob@127.0.0.2:5062", [P2, P1]) == (ack.target, routes(ack))

    def test_a_strict_router_takes_the_place_of_the_target(self) -> None:
        """12.2.1.1: its URI goes into the Request-URI, the target to the end of Route."""
        strict = "<sip:p2.example.com:5080>"
        ack = caller(("Record-Route", P1), ("Record-Route", strict)).ack(1, VIA)
        assert ("sip:p2.example.com:5080", [P1, "<sip:bob@127.0.0.2:5062>"]) == (ack.target, routes(ack))


class TestNextHop:
    """Where requests go first: 12.2.1.1, and what the field taught."""

    def test_without_routes_it_is_the_contact(self) -> None:
        """And not where the INVITE came from."""
        assert ("192.0.2.8", 5070) == callee().next_hop()

    def test_with_routes_it_is_the_first_of_them(self) -> None:
        """Loose or strict; the default port where none is named."""
        assert ("p1.example.com", 5060) == callee(("Record-Route", P1)).next_hop()

    @pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "k7.invalid", "anonymous.INVALID"])
    def test_a_contact_that_is_no_place_is_answered_where_it_was_seen(self, host: str) -> None:
        """A BYE to 0.0.0.0 reaches nobody, and browsers send .invalid."""
        assert SEEN == callee(contact=f"<sip:alice@{host}:5070>").next_hop()

    def test_a_peer_behind_a_nat_is_answered_where_it_was_seen(self) -> None:
        """Its Via and its Contact name an address that its request did not come from."""
        assert SEEN == callee(sent_by="10.0.0.5:5060;rport", contact="<sip:alice@10.0.0.5:5060>").next_hop()

    @pytest.mark.parametrize(
        ("sent_by", "contact"),
        [
            ("10.0.0.5:5060;rport", "<sip:alice@192.0.2.9>"),  # a Contact that it knows to be reachable
            ("192.0.2.7:5060;rport", "<sip:alice@192.0.2.7>"),  # no NAT: only the port differs
            ("pc33.example.com;rport", "<sip:alice@pc33.example.com>"),  # a name is looked up
        ],
    )
    def test_who_is_not_behind_a_nat_is_taken_at_his_word(self, sent_by: str, contact: str) -> None:
        """The Contact decides, as the RFC has it."""
        dialog = callee(sent_by=sent_by, contact=contact)
        assert (dialog.remote_target.host, 5060) == dialog.next_hop()

    def test_a_route_set_knows_better_than_what_was_seen(self) -> None:
        """The proxy recorded itself to be asked; the NAT behind it is its business."""
        hidden = callee(("Record-Route", P1), sent_by="10.0.0.5;rport", contact="<sip:alice@10.0.0.5>")
        assert ("p1.example.com", 5060) == hidden.next_hop()


class TestReceiving:
    """12.2.2: what a request inside the dialog changes."""

    @pytest.mark.parametrize(("number", "expected"), [(4, False), (5, True), (6, True), (900, True)])
    def test_numbers_may_grow_by_any_step_and_never_shrink(self, number: int, expected: bool) -> None:
        """A lower one is out of order."""
        dialog = callee()
        dialog.remote_sequence = 5
        assert expected == dialog.accepts(request("BYE", cseq=number))
        assert max(5, number) == dialog.remote_sequence

    def test_the_first_number_may_be_any(self) -> None:
        """12.2.2: "If the remote sequence number is empty, it MUST be set to the value ... in the request"."""
        dialog = caller()
        assert dialog.accepts(request("BYE", cseq=77))
        assert 77 == dialog.remote_sequence

    def test_a_new_contact_is_the_new_target(self) -> None:
        """The peer moved, and so do our requests."""
        dialog = callee()
        dialog.refresh_target(answer(("Contact", "<sip:alice@127.0.0.9:5099>")))
        assert ("127.0.0.9", 5099) == dialog.next_hop()

    def test_without_a_contact_the_target_stays(self) -> None:
        """Nothing was said about it."""
        dialog = callee()
        dialog.refresh_target(answer())
        assert ("192.0.2.8", 5070) == dialog.next_hop()

    def test_who_moves_behind_a_nat_is_seen_anew(self) -> None:
        """A re-INVITE tells where its sender is now, as the first one did."""
        dialog = caller()
        dialog.refresh_target(stamped(sent_by="10.0.0.5;rport", contact="<sip:bob@10.0.0.5>"))
        dialog.peer = ("192.0.2.1", 1)
        dialog.refresh_target(stamped(sent_by="10.0.0.5;rport", contact="<sip:bob@10.0.0.5>"))
        assert SEEN == dialog.next_hop()

    def test_without_rport_the_port_that_was_seen_stays(self) -> None:
        """Via then says where responses go, not where the request came from."""
        dialog = caller()
        dialog.refresh_target(stamped(sent_by="10.0.0.5", contact="<sip:bob@10.0.0.5>"))
        assert SEEN == dialog.next_hop()

    def test_a_bad_contact_changes_nothing(self) -> None:
        """It is refused before anything is written down."""
        dialog = callee()
        with pytest.raises(MalformedMessage):
            dialog.refresh_target(Response(200, "OK", Headers([("Contact", "<tel:+4930>")])))
        assert ("192.0.2.8", 5070) == dialog.next_hop()
