"""The tree of errors."""

import pytest

from offhook.rtp import LocalError, MalformedPacket, RemoteError, RtpError


@pytest.mark.parametrize(
    ("error", "parent"),
    [(LocalError, RtpError), (LocalError, ValueError), (RemoteError, RtpError), (MalformedPacket, RemoteError)],
)
def test_errors_say_whose_fault_it_is(error: type, parent: type) -> None:
    """Local: our caller's; remote: the peer's."""
    assert issubclass(error, parent)


def test_no_error_is_both_ours_and_theirs() -> None:
    """There is no third kind."""
    assert not issubclass(LocalError, RemoteError)
    assert not issubclass(RemoteError, LocalError)
