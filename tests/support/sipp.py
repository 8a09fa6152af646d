"""SIPp's command lines, and the statistics that it leaves behind.

SIPp opens five ports: SIP, remote control, and two for media and the one between. They are looked for first, so that no two
runs meet; ``-bind_local`` keeps it off the other loopback addresses, where a relay may stand.
"""

from __future__ import annotations

import csv
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from support.loopback import HOST, free_ports, is_free
from support.peers import require
from support.processes import Program, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from support.relay import Address

GIVES_UP_AFTER: Final = 90
"""Seconds after which SIPp ends with an error, whatever goes on."""

_PORTS = 5
_OWN_CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>"
_WAITS_FOR_ACK = '  <recv request="ACK"'
_INVITE_AGAIN = '  <label id="again"/>\n  <recv request="INVITE" optional="true" next="again"/>\n'


@dataclass(frozen=True, slots=True)
class Statistics:
    """What SIPp counted, of the last line of its statistics."""

    successful: int
    failed: int
    retransmissions: int
    """Sent by SIPp: requests and responses for which it saw no answer in time."""
    unexpected: int
    """Messages that its scenario has no place for, and messages of calls that are over or unknown."""

    @classmethod
    def read(cls, path: Path) -> Statistics:
        """From the file that ``-trace_stat`` has written."""
        with path.open(newline="") as file:
            *_, last = csv.DictReader(file, delimiter=";")
        unexpected = ("FailedUnexpectedMessage(C)", "OutOfCallMsgs(C)", "DeadCallMsgs(C)")
        return cls(
            int(last["SuccessfulCall(C)"]),
            int(last["FailedCall(C)"]),
            int(last["Retransmissions(C)"]),
            sum(int(last[name]) for name in unexpected),
        )


class Sipp:
    """One run of SIPp.

    Args:
        folder: where its files go.
        port: its SIP port, of `sip_port`.
        arguments: scenario, rate, number of calls.
    """

    def __init__(self, folder: Path, port: int, *arguments: str) -> None:
        [program] = require("sipp")
        folder.mkdir(parents=True, exist_ok=True)
        self.address: Address = (HOST, port)
        self._statistics = folder / "statistics.csv"
        ports = ["-i", HOST, "-bind_local", "-p", str(port), "-cp", str(port + 1), "-mi", HOST, "-mp", str(port + 2)]
        told = ["-nostdin", "-trace_stat", "-stf", self._statistics.name, "-fd", "1"]
        ends = ["-timeout", str(GIVES_UP_AFTER), "-timeout_error"]
        self.program = Program([program, *arguments, *ports, *told, *ends], folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.program.end()

    def wait(self) -> tuple[int, Statistics]:
        """Its exit code, 0 when all calls went well, and what it counted."""
        code = self.program.wait(GIVES_UP_AFTER + 10)
        return code, Statistics.read(self._statistics)


def sip_port() -> int:
    """A SIP port for SIPp, with the ports that it opens above."""
    return free_ports(_PORTS)


def caller(
    folder: Path, target: Address, *, calls: int, rate: int, talk_seconds: float = 0, port: int | None = None
) -> Sipp:
    """SIPp's built-in UAC: INVITE, ACK, after ``talk_seconds`` BYE; so many a second, all requests to ``target``."""
    many = ["-m", str(calls), "-r", str(rate), "-l", str(calls), "-d", str(round(1000 * talk_seconds))]
    return Sipp(folder, port or sip_port(), f"{target[0]}:{target[1]}", "-sn", "uac", *many)


def callee(folder: Path, *, calls: int, through: Address | None = None, port: int | None = None) -> Sipp:
    """SIPp's built-in UAS, ready to be called; it ends four seconds after the BYE of the last call.

    Args:
        folder: where its files go.
        calls: after how many it ends.
        through: a lossy relay that leads to it, which gets the built-in scenario changed in two places; see `lossy_uas`.
        port: of `sip_port`.
    """
    scenario = ["-sn", "uas"] if through is None else ["-sf", str(lossy_uas(folder, through))]
    port = port or sip_port()
    sipp = Sipp(folder, port, *scenario, "-m", str(calls))
    try:
        wait_until("SIPp listens", lambda: sipp.program.has_ended or not is_free(port))
        assert not sipp.program.has_ended, sipp.program.output
    except BaseException:
        sipp.program.end()
        raise
    return sipp


def lossy_uas(folder: Path, relay: Address) -> Path:
    """SIPp's built-in UAS as it writes it out itself, but for two things that a lossy network needs.

    Its Contact leads to the relay, so that ACK and BYE take that way too. And it bears an INVITE that comes again while it
    says 200 until it hears an ACK (RFC 3261 13.3.1.4), where the built-in one aborts the call.
    """
    [program] = require("sipp")
    built_in = subprocess.run([program, "-sd", "uas"], capture_output=True, text=True, timeout=10, check=False).stdout
    changed = built_in
    for part, instead in (
        (_OWN_CONTACT, f"Contact: <sip:{relay[0]}:{relay[1]}>"),
        (_WAITS_FOR_ACK, _INVITE_AGAIN + _WAITS_FOR_ACK),
    ):
        assert part in changed, f"this SIPp has another UAS scenario, without {part!r}"
        changed = changed.replace(part, instead)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "uas.xml"
    path.write_text(changed)
    return path
