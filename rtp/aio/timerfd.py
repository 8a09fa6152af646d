"""A Linux timer that is a file descriptor: it becomes readable at absolute instants.

Theory of operation. An event loop that waits by `epoll` for a time wakes up on whole milliseconds; a descriptor wakes it
when the kernel's own timer fires. CPython has the calls from 3.13 on (`os.timerfd_create`); before that they are two
functions of the C library, reached through ctypes. Where neither is there, `open_timer` gives None and the caller takes the
loop's timers. See timerfd_create(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import time

_TFD_TIMER_ABSTIME = 1
_NANOSECONDS = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


def open_timer(first: float, interval: float) -> int | None:
    """Makes a timer on the monotonic clock.

    Args:
        first: when it fires first, monotonic seconds.
        interval: seconds from each instant to the next.

    Returns:
        A non-blocking descriptor, readable from each instant on until `read_timer`; close it with `os.close`. None where
        the platform has no such timer.
    """
    if not sys.platform.startswith("linux"):
        return None
    first_ns, interval_ns = round(first * _NANOSECONDS), round(interval * _NANOSECONDS)
    try:
        if sys.version_info >= (3, 13):
            return _open_by_os(first_ns, interval_ns)
        return _open_by_libc(first_ns, interval_ns)
    except (
        OSError,
        ValueError,
        AttributeError,
    ):  # no descriptor left, forbidden by a sandbox, no such call, no such time
        return None


def read_timer(descriptor: int) -> int:
    """How often the timer has fired since the last call; 0 if it has not."""
    try:
        return int.from_bytes(os.read(descriptor, 8), sys.byteorder)
    except BlockingIOError:
        return 0


if sys.version_info >= (3, 13):

    def _open_by_os(first_ns: int, interval_ns: int) -> int:
        descriptor = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
        try:
            os.timerfd_settime_ns(descriptor, flags=os.TFD_TIMER_ABSTIME, initial=first_ns, interval=interval_ns)
        except (OSError, ValueError):
            os.close(descriptor)
            raise
        return descriptor


def _open_by_libc(first_ns: int, interval_ns: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "timerfd_create")
    setting = _Itimerspec(_timespec(interval_ns), _timespec(first_ns))
    if libc.timerfd_settime(descriptor, _TFD_TIMER_ABSTIME, ctypes.byref(setting), None) != 0:
        os.close(descriptor)
        raise OSError(ctypes.get_errno() or errno.EINVAL, "timerfd_settime")
    return descriptor


def _timespec(nanoseconds: int) -> _Timespec:
    return _Timespec(*divmod(nanoseconds, _NANOSECONDS))
