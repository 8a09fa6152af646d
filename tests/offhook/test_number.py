"""Telephone numbers and names out of the addresses of SIP."""

import pytest

from offhook.number import number_of
from offhook.sipcore import Address


@pytest.mark.parametrize(
    ("number", "address"),
    [
        ("alice", "<sip:alice@example.com>"),
        ("alice.smith", '"Alice" <sip:alice.smith@example.com;user=ip>;tag=1'),
        ("+12015550123", "<sip:+12015550123@example.com>"),
        ("+12015550123", "<sip:%2B12015550123@example.com>"),
        ("+12015550123", "<sip:+1-201-555-0123@example.com;user=phone>"),
        ("+12015550123", "<sip:+1-(201).555-0123;phone-context=x@example.com;user=phone>"),
        ("7042", "<sip:7042;phone-context=example.com@example.com>"),
        ("+12015550123", "<tel:+1-201-555-0123>"),
        ("7042", "<tel:7042;phone-context=example.com>"),
        ("*21#", "<sip:*21%23@example.com>"),
        ("jürgen", "<sip:j%C3%BCrgen@example.com>"),
        ("a;b", "<sip:a;b@example.com>"),
    ],
)
def test_an_address_gives_its_number_or_name(number: str, address: str) -> None:
    """RFC 3261 19.1.6 and RFC 3966: plus kept, escapes resolved, separators and parameters of numbers left out."""
    assert number == number_of(Address.parse(address))


@pytest.mark.parametrize("address", ["<sip:example.com>", "<http://example.com/>", "<urn:service:sos>"])
def test_an_address_without_a_user_has_no_number(address: str) -> None:
    """There is nobody in it to name."""
    assert number_of(Address.parse(address)) is None


@pytest.mark.parametrize("user", ["a%0D%0AVia=x", "a%00", "a%1B[2J", "a%FF", "a%E2%80%AE"])
def test_an_escape_that_would_break_out_of_its_line_stays_an_escape(user: str) -> None:
    """Numbers are written into logs and headers: what decodes to a control, or to no character, is not decoded."""
    assert user == number_of(Address.parse(f"<sip:{user}@example.com>"))
