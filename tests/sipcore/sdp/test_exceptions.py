"""What a refused description tells the server and the reader of the log."""

import pytest

from offhook.sipcore.sdp import MalformedDescription, NotAcceptable, Refusal


def test_a_malformed_description_deserves_400_and_says_why():
    """RFC 3261 21.4.1; it is a ValueError, so that careless callers catch it too."""
    error = MalformedDescription("no origin")
    assert (400, "no origin", "no origin") == (error.status, error.reason, str(error))
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_deserves_488_with_a_sentence_and_a_warn_code(refusal):
    """RFC 3261 21.4.26: 488 with a Warning header; 20.43 gives codes 300 to 399."""
    error = NotAcceptable(refusal)
    assert (488, refusal, refusal.value) == (error.status, error.refusal, error.reason)
    assert 300 <= refusal.warning <= 399
