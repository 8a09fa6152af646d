"""The timers of RFC 3261 section 17 by their letters."""

from __future__ import annotations

from offhook.sipcore.timers import Timer, Timers


def test_each_timer_is_one_of_its_own() -> None:
    """Table 4 and RFC 6026: a letter that shared its sentence with another would be that other in every dictionary."""
    assert [*"ABDEFGHIJKLM", "TRYING"] == [timer.name for timer in Timer]


def test_transactions_end_after_64_t1() -> None:
    """17.1.1.1: T1 is 500 ms, so B, F, H, J, L and M are 32 s."""
    assert (32.0, 6.4) == (Timers().timeout, Timers(t1=0.1).timeout)
