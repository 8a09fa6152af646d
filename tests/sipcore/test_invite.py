"""The first INVITE: RFC 3261 sections 8.1.1 and 13.2.1."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sip_pair import SDP, outgoing

from offhook.sipcore.address import Address
from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.identifiers import Identifiers
from offhook.sipcore.invite import RESERVED, build_invite, check_custom
from offhook.sipcore.message import Request
from offhook.sipcore.parser import parse
from offhook.sipcore.uri import SipUri

BREAKS = ["\r\nX-B: 2", "\n", "\r", "\0"]


def built(**more: Any) -> Request:
    """Alice's INVITE; arguments as of ``outgoing``."""
    call = outgoing(**more)
    via = "SIP/2.0/UDP 127.0.0.1:5070;rport;branch=z9hG4bKa"
    return build_invite(call, Identifiers(random.Random(1)), via, "<sip:o@127.0.0.1>", "INVITE, ACK", "Offhook")


def test_the_six_fields_of_every_request_are_there() -> None:
    """8.1.1: To, From, CSeq, Call-ID, Max-Forwards, and Via."""
    message = parse(built().to_bytes())
    assert isinstance(message, Request)
    message.validate()
    assert (None, 16, 70) == (message.to.tag, len(message.from_.tag or ""), message.max_forwards)


def test_the_offer_comes_with_its_type_and_a_late_offer_with_none() -> None:
    """7.4.1: a body has a Content-Type."""
    assert ("application/sdp", SDP) == (built().content_type, built().body)
    assert "content-type" not in built(body=b"").headers


def test_custom_fields_keep_their_order_and_case() -> None:
    """They may mean something to somebody who compares them with case."""
    headers = (("X-Simulation-Result-Id", "42"), ("x-MiXed", "a"), ("X-Empty", ""))
    assert list(headers) == [item for item in built(headers=headers).headers.items() if item[0].lower()[0] == "x"]


def test_a_user_agent_of_the_users_replaces_ours() -> None:
    """There is one, and it is the user's."""
    assert ["mine"] == built(headers=(("User-Agent", "mine"),)).headers.get_all("user-agent")
    assert ["Offhook"] == built().headers.get_all("user-agent")


@pytest.mark.parametrize("name", sorted({*RESERVED, "f", "T", "i", "v", "m", "c", "l"}))
def test_what_the_stack_writes_is_not_the_users_to_write(name: str) -> None:
    """Under its long name, its short one, in any case."""
    with pytest.raises(ValueError, match="written by the stack"):
        built(headers=((name, "1"),))


@given(st.text(max_size=20), st.sampled_from(BREAKS), st.text(max_size=20))
def test_no_value_breaks_out_of_its_line(before: str, what: str, after: str) -> None:
    """CR, LF or NUL: refused, whatever stands around."""
    with pytest.raises(ValueError):
        check_custom((("X-A", f"{before.rstrip(chr(92))}{what}{after}"),))


@pytest.mark.parametrize("name", ["", "X A", "X:A", "X\r\n", "ü"])
def test_a_name_is_a_token(name: str) -> None:
    """Section 25.1."""
    with pytest.raises(ValueError, match="not a header name"):
        check_custom(((name, "1"),))


@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.parametrize("place", ["target", "caller", "content_type", "routes"])
def test_nothing_of_a_call_breaks_out_of_its_line(place: str, what: str) -> None:
    """Who hands over a URI that he made himself is checked like who hands over a text."""
    bad = SipUri(f"127.0.0.1{what}x")
    call: dict[str, Any] = {
        "target": {"target": bad},
        "caller": {"caller": Address(bad)},
        "content_type": {"content_type": f"a/b{what}"},
        "routes": {"routes": (f"<sip:p1;lr;x={what}>",)},
    }[place]
    with pytest.raises((ValueError, MalformedMessage)):
        rebuilt(**call)


def rebuilt(**changed: Any) -> Request:
    """Alice's INVITE with some fields of her call replaced."""
    call = outgoing(headers=())
    fields = {name: getattr(call, name) for name in call.__slots__} | changed
    return build_invite(type(call)(**fields), Identifiers(random.Random(1)), "v", "<sip:o@h>", "ACK", "Offhook")


def test_loose_routes_stand_above_and_the_target_stays() -> None:
    """8.1.1.1 with 12.2.1.1: an outbound proxy is a route like any other."""
    message = built(routes=("<sip:p1;lr>", "<sip:p2;lr>"))
    assert ("sip:bob@127.0.0.1:5060", ["<sip:p1;lr>", "<sip:p2;lr>"]) == (message.target, message.routes)


def test_a_strict_proxy_becomes_the_request_uri() -> None:
    """12.2.1.1; the callee waits at the end of Route, and To still names him."""
    message = built(routes=("<sip:p1>", "<sip:p2;lr>"))
    assert ("sip:p1", ["<sip:p2;lr>", "<sip:bob@127.0.0.1:5060>"]) == (message.target, message.routes)
    assert "<sip:bob@127.0.0.1:5060>" == message.headers["to"]


def test_headers_of_the_target_do_not_reach_the_request_uri() -> None:
    """Table 1 of 19.1.1."""
    assert "sip:bob@127.0.0.1" == rebuilt(target=SipUri.parse("sip:bob@127.0.0.1?Subject=x")).target
