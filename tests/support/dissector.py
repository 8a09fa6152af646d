"""What tshark, which is Wireshark without its windows, reads in a capture."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from support.peers import require

if TYPE_CHECKING:
    from pathlib import Path

CHECKSUMS = ["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
FAULTS = "_ws.malformed || udp.checksum.status == 0 || ip.checksum.status == 0 || _ws.expert.severity >= 6291456"
"""What deserves a complaint: malformed packets, bad checksums, and whatever else tshark's experts call a warning or worse."""


_ROW = re.compile(r" (\d+) +[0-9a-f.:]+ +(\d+) +(0x[0-9A-F]+) .* (\d+) +(-?\d+) \(")


class Stream(NamedTuple):
    """One row of tshark's table of RTP streams."""

    source_port: int
    destination_port: int
    ssrc: int
    packets: int
    lost: int


def tshark(path: Path, *arguments: str) -> list[str]:
    """The lines that tshark prints about a file; it must not complain about the file itself."""
    [program] = require("tshark")
    command = [program, "-n", "-r", str(path), *CHECKSUMS, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "cut short" not in done.stderr
    return done.stdout.splitlines()


def streams(path: Path) -> list[Stream]:
    """The RTP streams that tshark has found by itself, led by the session descriptions in SIP."""
    rows = [_ROW.search(line) for line in tshark(path, "-q", "-z", "rtp,streams")]
    return [Stream(*(int(number, 0) for number in row.groups())) for row in rows if row is not None]
