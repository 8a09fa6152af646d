"""What is read from SIPp's statistics, and what is asked of its built-in scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import sipp
from support.peers import find
from support.sipp import Statistics

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [
    "SuccessfulCall(P)",
    "SuccessfulCall(C)",
    "FailedCall(C)",
    "Retransmissions(C)",
    "FailedUnexpectedMessage(C)",
    "OutOfCallMsgs(C)",
    "DeadCallMsgs(C)",
]


def test_the_last_line_counts_and_the_columns_are_found_by_name(tmp_path: Path) -> None:
    """Cumulative columns, not those of the period; surprises of all kinds are one number."""
    path = tmp_path / "statistics.csv"
    path.write_text("\n".join([";".join(COLUMNS) + ";", "9;10;0;0;0;0;0;", "1;17;2;3;4;5;6;", ""]))
    assert Statistics(successful=17, failed=2, retransmissions=3, unexpected=15) == Statistics.read(path)


@pytest.mark.skipif(find("sipp") is None, reason="sipp missing: apt-get install sip-tester")
def test_the_scenario_for_lossy_networks_differs_in_two_places_only(tmp_path: Path) -> None:
    """Contact, and an INVITE that may come again before the ACK; all else is as SIPp wrote it."""
    text = sipp.lossy_uas(tmp_path, ("127.0.0.2", 5062)).read_text()
    assert 0 < text.index('next="again"') < text.index('request="ACK"') < text.index('request="BYE"')
    assert 3 == text.count("Contact: <sip:127.0.0.2:5062>")
    assert "[local_port]" not in text
