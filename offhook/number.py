"""Whom an address names: a telephone number where it is one, else the user's name.

Numbers come in two dresses: ``tel:+1-201-555-0123`` (RFC 3966) and ``sip:+12015550123;phone-context=x@host;user=phone`` (RFC
3261 section 19.1.6). Both give ``+12015550123``: the plus is part of the number, the *visual separators* are not, nor are the
parameters behind the number. A user part that is not said to be a number is given as it is, with its escapes resolved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from .sipcore.uri import SipUri

if TYPE_CHECKING:
    from .sipcore.address import Address

# RFC 3966 section 3: visual-separator = "-" / "." / "(" / ")"
_WITHOUT_SEPARATORS: Final = str.maketrans("", "", "-.()")
_DIALLED: Final = frozenset("0123456789+*#-.()")


def number_of(address: Address) -> str | None:
    """The number or the user's name in an address; None where it has neither (``sip:example.com``, ``urn:...``)."""
    uri = address.uri
    if isinstance(uri, SipUri):
        return None if uri.user is None else _of_user(uri.user, is_phone=uri.parameters.get("user") == "phone")
    return _bare(_plain(uri.rest)) if uri.scheme == "tel" else None


def _of_user(user: str, *, is_phone: bool) -> str:
    name, semicolon, _ = user.partition(";")
    # 19.1.6: the parameters of a telephone-subscriber stand in the user part; a name may hold a semicolon of its own.
    if is_phone or (semicolon and _DIALLED.issuperset(_plain(name))):
        return _bare(_plain(name))
    return _plain(user)


def _bare(number: str) -> str:
    return number.partition(";")[0].translate(_WITHOUT_SEPARATORS)


def _plain(text: str) -> str:
    """The text without its escapes; one that hides a control character or no character at all stays as it was.

    A decoded CR or LF would break out of the line of whoever writes the number into a log or a header.
    """
    if "%" not in text:
        return text
    try:
        plain = unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text
    return plain if plain.isprintable() else text
