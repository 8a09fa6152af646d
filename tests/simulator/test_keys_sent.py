"""When our keys were on the wire."""

from __future__ import annotations

import pytest

from offhook.rtp import Received, TelephoneEvent
from offhook.simulator.keys_sent import MAX_PRESSES, KeyPress, KeysSent

TYPE = 101


def send(keys: KeysSent, event: int, timestamp: int, at: float, packets: int = 5) -> None:
    """A key as it is sent: one packet each 20 ms, the last one three times."""
    for number in range(1, packets + 1):
        payload = TelephoneEvent(event, number == packets, 10, 160 * number).serialize()
        keys.sent(TYPE, payload, timestamp, at + 0.02 * (number - 1))
    for again in range(2):
        keys.sent(
            TYPE, TelephoneEvent(event, True, 10, 160 * packets).serialize(), timestamp, at + 0.02 * (packets + again)
        )


def test_a_press_lasts_from_its_first_packet_as_long_as_its_packets_say() -> None:
    """RFC 4733 2.5.1.2: all packets of an event bear its beginning as timestamp; repeated ends add nothing."""
    keys = KeysSent(TYPE)
    send(keys, 4, 1_000, at=10.0)
    send(keys, 11, 3_000, at=10.3)
    assert [KeyPress("4", 10.0, 10.1, 1_000), KeyPress("#", 10.3, 10.4, 3_000)] == keys.presses


def test_the_same_key_twice_is_two_presses() -> None:
    """They differ by their timestamps."""
    keys = KeysSent(TYPE)
    send(keys, 7, 1_000, at=10.0)
    send(keys, 7, 3_000, at=10.3)
    assert "77" == "".join(press.digit for press in keys.presses)


@pytest.mark.parametrize(
    ("payload_type", "payload"),
    [(0, b"\xff" * 160), (TYPE, b"\x01"), (TYPE, TelephoneEvent(16, True, 10, 160).serialize())],
    ids=["sound", "too short", "a hook flash"],
)
def test_what_is_no_key_is_no_press(payload_type: int, payload: bytes) -> None:
    """Sound, rubbish, and events that are no keys."""
    keys = KeysSent(TYPE)
    keys.sent(payload_type, payload, 1_000, 10.0)
    assert [] == keys.presses


def test_a_call_without_telephone_events_has_no_presses() -> None:
    """No payload type is ours."""
    keys = KeysSent(None)
    send(keys, 1, 1_000, at=10.0)
    assert [] == keys.presses


def test_what_the_peer_sends_is_none_of_ours() -> None:
    """Its keys are told elsewhere."""
    keys = KeysSent(TYPE)
    keys.arrived(Received(TelephoneEvent(1, True, 10, 160).serialize(), TYPE, 0, 0.0), 10.0)
    assert [] == keys.presses


def test_presses_have_a_limit() -> None:
    """One beyond it is counted, not kept."""
    keys = KeysSent(TYPE)
    for number in range(MAX_PRESSES + 1):
        send(keys, 1, 1_000 * number, at=0.1 * number, packets=1)
    assert MAX_PRESSES == len(keys.presses)
    assert 3 == keys.left_out
