"""Messages that nobody on the project wrote: RFC 4475, the call flows of three RFCs, captures, seeds of fuzzers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from offhook.sipcore.address import Address
from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.fields import Via
from offhook.sipcore.message import Request, Response, response_to
from offhook.sipcore.parser import parse
from offhook.sipcore.uri import SipUri, parse_uri

ROOT = Path(__file__).parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
TORTURE = CORPORA / "sip" / "rfc4475"

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not here")


def expectations(*verdicts: str) -> list[dict[str, object]]:
    """The rows of the table of verdicts."""
    path = TORTURE / "expectations.json"
    # `sample` is shipped in the archive of RFC 4475 and none of its 49 messages: it has no Via, no CSeq and no version.
    rows = json.loads(path.read_text())["messages"] if path.is_file() else []
    return [row for row in rows if row["parse"] in verdicts and row["cls"] != "sample"]


def name_of(row: object) -> str:
    """The name of a test."""
    return str(row["file"]) if isinstance(row, dict) else Path(str(row)).name


def torture(name: str) -> Request | Response:
    """One of the 49, read with all its fields."""
    message = parse((TORTURE / name).read_bytes())
    message.validate()
    return message


class TestTorture:
    """RFC 4475."""

    @pytest.mark.parametrize("row", expectations("accept"), ids=name_of)
    def test_what_is_valid_is_read(self, row: dict[str, object]) -> None:
        """Sections 3.1.1, 3.2, 3.3 and 3.4; and written again it is read as the same."""
        message = torture(str(row["file"]))
        again = parse(message.to_bytes())
        assert [message.body, *(message.headers.get_all(name) for name in ("via", "from", "to", "contact"))] == [
            again.body, *(again.headers.get_all(name) for name in ("via", "from", "to", "contact")),
        ]  # fmt: skip

    @pytest.mark.parametrize("row", expectations("reject"), ids=name_of)
    def test_what_is_invalid_is_refused_with_its_status(self, row: dict[str, object]) -> None:
        """Section 3.1.2; what is refused and can be answered is answered."""
        with pytest.raises(MalformedMessage) as refusal:
            torture(str(row["file"]))
        if row["kind"] == "request":
            assert refusal.value.status in {row["uas_response"], *row["uas_acceptable"]}  # type: ignore[misc]
            assert isinstance(refusal.value.partial, Request)
            assert response_to(refusal.value.partial, refusal.value.status).to_bytes().startswith(b"SIP/2.0 ")

    @pytest.mark.parametrize("row", expectations("may-accept"), ids=name_of)
    def test_what_may_be_refused_is_read_or_deserves_400(self, row: dict[str, object]) -> None:
        """The RFC leaves the choice to the element."""
        assert status_of(READERS[0], (TORTURE / str(row["file"])).read_bytes()) in {None, row["uas_response"]}

    def test_a_short_tortuous_invite_is_understood(self) -> None:
        """3.1.1.1: white space, folding, compact forms, leading zeros, a Via that shares its line."""
        message = torture("wsinv.dat")
        assert isinstance(message, Request)
        assert (9, 68, 150, "INVITE") == (message.cseq.number, message.max_forwards, len(message.body), message.method)
        vias = [Via.parse(value) for value in message.headers.get_list("via")]
        assert [("UDP", "192.0.2.2"), ("TCP", "spindle.example.com"), ("UDP", "192.168.255.111")] == [
            (via.transport, via.host) for via in vias
        ]
        assert "" == message.headers["Subject"]
        assert "newfangled value continued newfangled value" == message.headers["NewFangledHeader"]

    def test_escapes_are_resolved_once(self) -> None:
        """3.1.1.3: %25%34%31 is %41 and not A."""
        message = torture("esc01.dat")
        assert isinstance(message, Request)
        assert "sips%3Auser%40example.com" == SipUri.parse(message.target).user
        assert message.to.sip_uri.equivalent(SipUri.parse("sip:user@example.com"))
        values = [Address.parse(value) for value in message.headers.get_list("contact")]
        assert any(value.sip_uri.is_loose_router or "lr" in value.parameters for value in values)

    def test_a_percent_sign_that_escapes_nothing_stays(self) -> None:
        """3.1.1.5: neither in a method, nor in a display name, nor in a header name."""
        message = torture("esc02.dat")
        assert isinstance(message, Request)
        assert "RE%47IST%45R" == message.method
        assert 2 == message.headers.count("Contact")

    def test_an_escaped_nul_is_two_different_users(self) -> None:
        """3.1.1.4: no URI ends at its NUL."""
        contacts = [Address.parse(value).sip_uri for value in torture("escnull.dat").headers.get_list("contact")]
        assert ["%00", "%00%00"] == [uri.user for uri in contacts]
        assert not contacts[0].equivalent(contacts[1])

    def test_octets_behind_the_body_are_nobodys(self) -> None:
        """3.1.1.8: the second request in the datagram is never seen."""
        assert ("REGISTER", b"") == ((message := torture("dblreq.dat")).cseq.method, message.body)

    def test_a_semicolon_in_the_user_part_begins_no_parameter(self) -> None:
        """3.1.1.9."""
        message = torture("semiuri.dat")
        assert isinstance(message, Request)
        assert {} == SipUri.parse(message.target).parameters

    def test_binary_bodies_are_octets(self) -> None:
        """3.1.1.11: NUL and bare LF in a multipart body."""
        assert 553 == len(torture("mpart01.dat").body)

    def test_parameters_of_a_contact_have_one_owner(self) -> None:
        """3.3.12 and 3.3.13: outside of the brackets the field's, inside the URI's."""
        outside, inside = torture("cparam01.dat").contact, torture("cparam02.dat").contact
        assert outside is not None
        assert inside is not None
        assert (True, False) == ("unknownparam" in outside.parameters, "unknownparam" in outside.sip_uri.parameters)
        assert (False, True) == ("unknownparam" in inside.parameters, "unknownparam" in inside.sip_uri.parameters)


def flows() -> list[bytes]:
    """The messages of RFC 3665, 3666 and 5359 whose length is right; where it reads "...", as in RFC 5359, it is filled in."""
    messages = []
    for index in sorted((CORPORA / "sip" / "callflows").glob("*/index.json")):
        for row in json.loads(index.read_text()):
            if row["cl_ok"]:
                data = (index.parent / row["file"]).read_bytes()
                messages.append(data.replace(b"Content-Length: ...", b"Content-Length: %d" % row["actual"]))
    return messages


# Slips of the RFCs' authors that leave no message: a Request-URI or a Route without its scheme, responses without Via.
SLIPS = {"Invalid URI": 10, "Missing Via": 6, "Missing From": 1}


def test_the_call_flows_of_three_rfcs_are_read() -> None:
    """617 of 634; the others are refused for exactly what their authors got wrong."""
    reasons: Counter[str] = Counter()
    for data in flows():
        try:
            parse(data).validate()
        except MalformedMessage as refusal:
            reasons[refusal.reason] += 1
    assert reasons == SLIPS
    assert 634 == len(flows())


REFUSED_CAPTURES = {
    "suricata-sip-header-multi-value--sip_header_multi_val--0001.sip": "Conflicting To",
    "zeek-invalid-content-length--0001.sip": "Invalid Content-Length",
    "zeek-invalid-content-length--0002.sip": "Invalid Content-Length",
    "zeek-sip-junk-before-request--0002.sip": "Missing Via",
}


@pytest.mark.parametrize("path", sorted((CORPORA / "sip" / "from-pcap").glob("*.sip")), ids=name_of)
def test_what_devices_send_is_read(path: Path) -> None:
    """Captures of phones, gateways and servers; those that a scanner made are refused for what the scanner did."""
    if path.name not in REFUSED_CAPTURES:
        parse(path.read_bytes()).validate()
        return
    with pytest.raises(MalformedMessage, match=REFUSED_CAPTURES[path.name]):
        parse(path.read_bytes()).validate()


SEEDS = [path for folder in ("sip", "fuzz/pjsip") for path in sorted((CORPORA / folder).rglob("*")) if path.is_file()]


def test_no_seed_of_any_fuzzer_does_more_than_be_refused() -> None:
    """Whole, cut in half, with its line ends spoilt, and as a URI, an address or a Via; no other exception comes out."""
    statuses = set()
    for path in SEEDS:
        data = path.read_bytes()
        for octets in (data, data[: len(data) // 2], data.replace(b"\r\n", b"\n"), data.replace(b"\r", b""), data[1:]):
            statuses |= {status_of(reader, octets) for reader in READERS}
    assert statuses <= {None, 400, 414, 416, 505, 513}


READERS: tuple[Callable[[bytes], object], ...] = (
    lambda data: parse(data).validate(),
    lambda data: parse_uri(data.decode("utf-8", "surrogateescape")),
    lambda data: Address.parse(data.decode("utf-8", "surrogateescape")),
    lambda data: Via.parse(data.decode("utf-8", "surrogateescape")),
)


def status_of(reader: Callable[[bytes], object], data: bytes) -> int | None:
    """The status that octets deserve, None where they are read."""
    try:
        reader(data)
    except MalformedMessage as refusal:
        return refusal.status
    return None
