"""Linux timers as descriptors."""

import ctypes
import os
import select
import sys
import time

import pytest
from support.media_engine import descriptors

from offhook.rtp.aio import timerfd

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="timerfd is Linux's")
by_libc = pytest.mark.skipif(sys.version_info >= (3, 13), reason="CPython has the calls itself")


@linux
def test_a_timer_whose_first_instant_has_passed_is_readable() -> None:
    """Absolute instants: two that were missed are told as one reading of at least two."""
    descriptor = timerfd.open_timer(time.monotonic() - 1.5, 1.0)
    assert descriptor is not None
    ready, _, _ = select.select([descriptor], [], [], 2.0)
    assert [descriptor] == ready
    assert timerfd.read_timer(descriptor) >= 2
    os.close(descriptor)


@linux
def test_a_timer_that_has_not_fired_reads_as_zero() -> None:
    """Nobody is blocked by it."""
    descriptor = timerfd.open_timer(time.monotonic() + 3600, 0.005)
    assert descriptor is not None
    assert 0 == timerfd.read_timer(descriptor)
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_other_platforms_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock then takes the timers of the loop."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert timerfd.open_timer(1.0, 0.005) is None


@linux
def test_a_timer_that_the_kernel_refuses_is_none_and_leaves_no_descriptor() -> None:
    """A negative first instant is EINVAL."""
    before = descriptors()
    assert timerfd.open_timer(-5.0, 0.005) is None
    assert before == descriptors()


class NoTimers:
    """A C library in a sandbox."""

    def timerfd_create(self, _clock: int, _flags: int) -> int:
        """Refused, as by seccomp."""
        ctypes.set_errno(1)
        return -1


@linux
@by_libc
def test_a_sandbox_without_timers_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """EPERM is no reason to give up on media."""
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_more: NoTimers())
    assert timerfd.open_timer(1.0, 0.005) is None


@linux
@by_libc
def test_a_c_library_without_the_call_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old one has no such function."""
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_more: object())
    assert timerfd.open_timer(1.0, 0.005) is None
