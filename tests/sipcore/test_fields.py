"""Via and CSeq (RFC 3261 sections 20.42 and 20.16, RFC 3581)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.sipcore.exceptions import MalformedMessage
from offhook.sipcore.fields import (
    MAX_CSEQ,
    MAX_KEPT_CHARACTERS,
    MAX_KEPT_FIELDS,
    CSeq,
    Via,
    _kept_cseq,
    _kept_sent,
    default_port,
)


class TestReadingVia:
    """via-parm = sent-protocol LWS sent-by *( SEMI via-params )"""

    @pytest.mark.parametrize(
        ("value", "via"),
        [
            ("SIP/2.0/UDP 192.0.2.1", Via("UDP", "192.0.2.1", None)),
            ("SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bK1", Via("UDP", "192.0.2.1", 5062, {"rport": None, "branch": "z9hG4bK1"})),
            ("SIP / 2.0 / UDP first.example.com: 4000;ttl=16", Via("UDP", "first.example.com", 4000, {"ttl": "16"})),
            ("SIP  /   2.0  /\tTCP\t h : 5060 ; a=b ", Via("TCP", "h", 5060, {"a": "b"})),
            ("sip/2.0/tls h", Via("TLS", "h", None)),
            ("SIP/2.0/UNKNOWN t5.example.com;branch=z9hG4bK1", Via("UNKNOWN", "t5.example.com", None, {"branch": "z9hG4bK1"})),
            ("SIP/2.0/UDP [2001:db8::9:1]:6050", Via("UDP", "2001:db8::9:1", 6050)),
            ("SIP/2.0/UDP [2001:db8::9:1] ;received=::1", Via("UDP", "2001:db8::9:1", None, {"received": "::1"})),
            ('SIP/2.0/UDP h;x="a;b,c";branch=z9hG4bK1', Via("UDP", "h", None, {"x": '"a;b,c"', "branch": "z9hG4bK1"})),
        ],
    )  # fmt: skip
    def test_white_space_may_stand_around_slashes_and_colon(self, value: str, via: Via) -> None:
        """Section 20.42's own examples, RFC 4475 3.1.1.1 and 3.1.1.10, RFC 5118 section 4.5."""
        assert via == Via.parse(value)
        assert via == Via.parse(str(via))

    @pytest.mark.parametrize(
        "value",
        [
            "", ";", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 h", "SIP/3.0/UDP h", "HTTP/2.0/UDP h", "SIP/2.0/U@P h", "\u017fip/2.0/UDP h",
            "SIP/2.0/UDP a b", "SIP/2.0/UDP h:", "SIP/2.0/UDP h : ", "SIP/2.0/UDP h:65536", "SIP/2.0/UDP ::1", "SIP/2.0/UDP h;a b",
            "SIP/2.0/UDP h;rport=x", "SIP/2.0/UDP h;rport=65536", 'SIP/2.0/UDP h;x="', "SIP/2.0/UDP\xa0h", "SIP/2.0/UDP [::1] x",
        ],
    )  # fmt: skip
    def test_what_is_no_via_is_refused(self, value: str) -> None:
        """Nothing can be answered to such a place (RFC 4475 3.1.2.1)."""
        with pytest.raises(MalformedMessage):
            Via.parse(value)

    @pytest.mark.parametrize(
        ("branch", "magic"), [("z9hG4bK1", True), ("z9hG4bK", False), ("1", False), (None, False), ("Z9HG4BK1", False)]
    )
    def test_the_cookie_alone_names_no_transaction(self, branch: str | None, magic: bool) -> None:
        """RFC 4475 3.2.1: badbranch."""
        via = Via("UDP", "h", None, {} if branch is None else {"branch": branch})
        assert (branch, magic) == (via.branch, via.has_magic_branch)

    @pytest.mark.parametrize(
        ("transport", "port"), [("UDP", 5060), ("TCP", 5060), ("TLS", 5061), ("WS", 80), ("WSS", 443)]
    )
    def test_sent_by_has_the_default_port_of_its_transport(self, transport: str, port: int) -> None:
        """Section 18.1.1 and RFC 7118: with and without a port it is one sender."""
        assert f"h:{port}" == Via(transport, "H", None).sent_by == Via(transport, "h", port).sent_by
        assert port == default_port(transport)


class TestWhereResponsesGo:
    """RFC 3261 18.2.1 and 18.2.2, RFC 3581 section 4."""

    @pytest.mark.parametrize(
        ("value", "source", "address"),
        [
            ("SIP/2.0/UDP 192.0.2.1", ("192.0.2.1", 7777), ("192.0.2.1", 5060)),
            ("SIP/2.0/UDP 192.0.2.1:5070", ("192.0.2.9", 7777), ("192.0.2.9", 5070)),
            ("SIP/2.0/UDP 192.0.2.1;rport", ("192.0.2.9", 7777), ("192.0.2.9", 7777)),
            ("SIP/2.0/UDP 192.0.2.9;rport", ("192.0.2.9", 7777), ("192.0.2.9", 7777)),
            ("SIP/2.0/UDP host.example", ("192.0.2.9", 7777), ("192.0.2.9", 5060)),
            ("SIP/2.0/UDP 192.0.2.9;received=198.51.100.1", ("192.0.2.9", 7777), ("192.0.2.9", 5060)),
            ("SIP/2.0/UDP 192.0.2.9;rport=9;received=198.51.100.1", ("192.0.2.9", 7777), ("192.0.2.9", 7777)),
            ("SIP/2.0/UDP 192.0.2.9;maddr=198.51.100.1", ("192.0.2.9", 7777), ("192.0.2.9", 5060)),
            ("SIP/2.0/TLS [2001:db8::1]", ("2001:db8::2", 7777), ("2001:db8::2", 5061)),
        ],
    )
    def test_a_response_goes_where_the_request_came_from(
        self, value: str, source: tuple[str, int], address: tuple[str, int]
    ) -> None:
        """No parameter that the sender wrote can aim it at a third party."""
        seen = Via.parse(value).observed_from(source)
        assert address == seen.response_address()
        assert seen == Via.parse(str(seen))

    def test_a_sender_who_told_the_truth_gets_his_via_back(self) -> None:
        """Nothing is written where nothing differs."""
        via = Via.parse("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1")
        assert via is via.observed_from(("192.0.2.1", 7777))

    @pytest.mark.parametrize("received", ["2001:db8::9:255", "[2001:db8::9:255]"])
    def test_received_is_read_with_and_without_brackets(self, received: str) -> None:
        """RFC 5118 section 4.5."""
        via = Via.parse(f"SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bK1")
        assert ("2001:db8::9:255", 5060) == via.response_address()


class TestCSeq:
    """CSeq = 1*DIGIT LWS Method"""

    @pytest.mark.parametrize(
        ("value", "cseq"),
        [
            ("1 INVITE", CSeq(1, "INVITE")),
            (" 0009\t INVITE ", CSeq(9, "INVITE")),
            (f"{MAX_CSEQ} x", CSeq(MAX_CSEQ, "x")),
            (f"{'0' * 5_000}1 ACK", CSeq(1, "ACK")),
        ],
    )
    def test_a_number_and_a_method(self, value: str, cseq: CSeq) -> None:
        """Leading zeros mean nothing (RFC 4475 3.1.1.1)."""
        assert cseq == CSeq.parse(value)
        assert cseq == CSeq.parse(str(cseq))

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "1",
            "INVITE",
            "INVITE 1",
            "1INVITE",
            "1 A B",
            "1 A/B",
            "-1 ACK",
            f"{MAX_CSEQ + 1} ACK",
            "1\xa0ACK",
            "٣ ACK",
        ],
    )
    def test_what_is_no_cseq_is_refused(self, value: str) -> None:
        """8.1.1.5: "MUST be less than 2**31", here crossed by one."""
        with pytest.raises(MalformedMessage, match="Invalid CSeq"):
            CSeq.parse(value)


class TestTables:
    """Texts that recur are read once, within bounds."""

    def test_the_tables_are_bounded(self) -> None:
        """A peer that sends strangers fills them once and no further."""
        for number in range(MAX_KEPT_FIELDS + 1):
            CSeq.parse(f"{number} INVITE")
            Via.parse(f"SIP/2.0/UDP h{number}")
        assert [MAX_KEPT_FIELDS] * 2 == [_kept_cseq.cache_info().currsize, _kept_sent.cache_info().currsize]

    def test_long_texts_are_not_kept(self) -> None:
        """Otherwise the tables' size in octets would be the peer's to choose."""
        shorter = f"1 {'a' * (MAX_KEPT_CHARACTERS - 2)}"
        assert CSeq.parse(shorter) is CSeq.parse(shorter)
        assert CSeq.parse(shorter + "a") is not CSeq.parse(shorter + "a")
        host = "h" * MAX_KEPT_CHARACTERS
        before = _kept_sent.cache_info()
        assert host == Via.parse(f"SIP/2.0/UDP {host}").host
        assert before == _kept_sent.cache_info()


@given(st.text(max_size=40) | st.text('SIP/2.0UDP h:;=",[]\t', max_size=30).map("SIP/2.0/UDP ".__add__))
def test_any_text_is_a_via_or_refused(value: str) -> None:
    """What is read means the same when it is written, and says where a response goes."""
    try:
        via = Via.parse(value)
    except MalformedMessage:
        return
    assert via == Via.parse(str(via))
    assert 0 <= via.response_address()[1] <= 65_535


@given(st.text(max_size=20) | st.from_regex(r"[0-9]{1,12}[ \t][A-Z]{1,4}", fullmatch=True))
def test_any_text_is_a_cseq_or_refused(value: str) -> None:
    """What is read means the same when it is written."""
    try:
        cseq = CSeq.parse(value)
    except MalformedMessage:
        return
    assert cseq == CSeq.parse(str(cseq))
