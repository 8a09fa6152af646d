"""Captures and ladders of a phone, on a user agent that only has taps and a clock."""

from pathlib import Path
from typing import Any

import pytest

from offhook import trace
from offhook.capture import Drop
from offhook.sipcore.exceptions import LocalError
from offhook.trace import PhoneTrace

US, PEER = ("127.0.0.1", 5060), ("127.0.0.2", 5070)


class Agent:
    def __init__(self) -> None:
        self.taps: list[Any] = []
        self.started = True

    def now(self) -> float:
        """Once it has started."""
        if not self.started:
            raise LocalError("not started")
        return 100.0

    def hears(self, data: bytes, instant: float = 0.0, destination: tuple[str, int] = US) -> None:
        """A message passes its taps."""
        for tap in list(self.taps):
            tap(data, PEER, destination, instant)


class Call:
    id = "abc"


def message(call_id: str = "abc", method: str = "OPTIONS", body: str = "") -> bytes:
    """A request of this call."""
    return (
        f"{method} sip:a@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2;branch=z9hG4bK1\r\nFrom: <sip:b@x>;tag=1\r\n"
        f"To: <sip:a@x>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def ladder(kept: PhoneTrace) -> list[str]:
    """What it shows of the call."""
    return [entry.summary for entry in kept.ladder(Call())]  # type: ignore[arg-type]


class TestLadder:
    def test_nothing_is_kept_unless_somebody_asks(self) -> None:
        """Thousands of calls cost nothing here."""
        agent = Agent()
        kept = PhoneTrace(agent)  # type: ignore[arg-type]
        assert ([], []) == (agent.taps, ladder(kept))

    def test_the_messages_of_a_call_are_told_from_those_of_others(self) -> None:
        """By the Call-ID field: its text elsewhere, or a longer one that contains it, is another's."""
        agent = Agent()
        kept = PhoneTrace(agent)  # type: ignore[arg-type]
        kept.remember()
        kept.remember()
        for data in (message(), message("xyz", body="abc"), message("abcd"), message()):
            agent.hears(data)
        entries = kept.ladder(Call())  # type: ignore[arg-type]
        assert [False, True] == [entry.again for entry in entries]
        assert ("127.0.0.2:5070", "127.0.0.1:5060") == (entries[0].source, entries[0].destination)

    def test_a_message_that_cannot_be_read_is_shown(self) -> None:
        """It may be the very fault that is looked for; one of another call is none of ours."""
        agent = Agent()
        kept = PhoneTrace(agent)  # type: ignore[arg-type]
        kept.remember()
        agent.hears(message().replace(b"CSeq: 1 OPTIONS", b"CSeq: x"))
        agent.hears(message("other", body="abc").replace(b"CSeq: 1 OPTIONS", b"CSeq: x"))
        agent.hears(b"abc\xff")
        assert 2 == len(ladder(kept))

    def test_an_ipv6_address_is_shown_in_brackets(self) -> None:
        """So that its port can be told."""
        agent = Agent()
        kept = PhoneTrace(agent)  # type: ignore[arg-type]
        kept.remember()
        agent.hears(message(), destination=("::1", 5060))
        assert "[::1]:5060" == kept.ladder(Call())[0].destination  # type: ignore[arg-type]

    def test_the_oldest_messages_go_and_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The limit is crossed by one."""
        monkeypatch.setattr(trace, "MAX_REMEMBERED", 2)
        agent = Agent()
        kept = PhoneTrace(agent)  # type: ignore[arg-type]
        kept.remember()
        for data in (message(method="INFO"), message(), message(method="BYE")):
            agent.hears(data)
        assert (2, 1) == (len(ladder(kept)), kept.forgotten)


class TestCapture:
    def test_a_capture_holds_signalling_and_media(self, tmp_path: Path) -> None:
        """Until it is closed; what comes later goes nowhere."""
        agent = Agent()
        kept = PhoneTrace(agent)  # type: ignore[arg-type]
        assert kept.media_tap is None
        writer = kept.capture(tmp_path / "a.pcap")
        tap = kept.media_tap
        assert tap is not None
        agent.hears(message())
        tap(b"rtp", US, PEER, 0.0, False)
        kept.close()
        kept.close()
        tap(b"rtp", US, PEER, 0.0, False)
        assert (2, []) == (writer.snapshot().records, agent.taps)

    def test_a_socket_that_is_bound_to_all_addresses_is_shown_by_the_one_that_faces_the_peer(
        self, tmp_path: Path
    ) -> None:
        """0.0.0.0 was never on the wire."""
        kept = PhoneTrace(Agent())  # type: ignore[arg-type]
        kept.capture(tmp_path / "a.pcap")
        tap = kept.media_tap
        assert tap is not None
        tap(b"rtp", ("0.0.0.0", 4000), ("127.0.0.1", 4002), 0.0, False)
        tap(b"rtp", ("127.0.0.1", 4002), ("0.0.0.0", 4000), 0.0, False)
        kept.close()
        octets = (tmp_path / "a.pcap").read_bytes()
        assert (2, False) == (octets.count(bytes([127, 0, 0, 1]) * 2), bytes([0, 0, 0, 0, 127, 0, 0, 1]) in octets)

    def test_another_capture_ends_the_first(self, tmp_path: Path) -> None:
        """One file at a time."""
        agent = Agent()
        kept = PhoneTrace(agent)  # type: ignore[arg-type]
        first = kept.capture(tmp_path / "a.pcap")
        second = kept.capture(tmp_path / "b.pcap")
        agent.hears(message())
        kept.close()
        assert (0, 1) == (first.snapshot().records, second.snapshot().records)

    def test_a_capture_wants_a_phone_that_has_started(self, tmp_path: Path) -> None:
        """The clock that its instants are told by is the loop's; no file is made."""
        agent = Agent()
        agent.started = False
        with pytest.raises(LocalError):
            PhoneTrace(agent).capture(tmp_path / "a.pcap")  # type: ignore[arg-type]
        assert [] == list(tmp_path.iterdir())

    def test_a_full_disk_is_told_at_the_start_and_counted_later(self, tmp_path: Path) -> None:
        """The call goes on: the network's octets must not be lost for a file's sake."""
        agent = Agent()
        kept = PhoneTrace(agent)  # type: ignore[arg-type]
        with pytest.raises(OSError, match="No space left"):
            kept.capture("/dev/full")
        writer = kept.capture(tmp_path / "a.pcap")
        assert kept._file is not None
        kept._file.close()
        kept._file = writer._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115 - closed by close()
        agent.hears(message())
        kept.close()
        assert 1 == writer.snapshot().drops[Drop.STORAGE]
