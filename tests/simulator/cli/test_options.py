"""What is typed is read, or refused before anything begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer

from offhook.simulator.cli.options import codecs_of, headers_of, keys_of, ports_of, writable
from offhook.simulator.script import MAX_KEYS

if TYPE_CHECKING:
    from pathlib import Path


def test_headers_are_name_and_value() -> None:
    """Blanks around them do not count; a value may hold colons; one name may come twice."""
    assert (("X-A", "1:2"), ("X-A", "")) == headers_of([" X-A : 1:2 ", "X-A:"])
    assert () == headers_of(None)


@pytest.mark.parametrize("text", ["X-A", ": 1", "  : 1", ""])
def test_what_is_no_header_is_refused(text: str) -> None:
    """The message shows what a header looks like."""
    with pytest.raises(typer.BadParameter, match="X-Name: value"):
        headers_of([text])


def test_codecs_are_named_in_any_case() -> None:
    """In the order of preference; all of them where none is named."""
    assert ("PCMA", "PCMU") == codecs_of(["pcma", "PCMU"])
    assert {"PCMU", "PCMA"} <= set(codecs_of(None))


def test_a_codec_that_is_not_spoken_is_refused() -> None:
    """The message names those that are."""
    with pytest.raises(typer.BadParameter, match="PCMU, PCMA"):
        codecs_of(["speex"])


@pytest.mark.parametrize(
    ("text", "keys"), [("", ""), ("4711#", "4711#"), ("abcd*", "ABCD*"), ("1" * MAX_KEYS, "1" * MAX_KEYS)]
)
def test_keys_are_those_of_a_telephone(text: str, keys: str) -> None:
    """Letters in any case, as many as may be pressed at once."""
    assert keys == keys_of(text)


@pytest.mark.parametrize("text", ["e", "1 2", "1" * (MAX_KEYS + 1)])
def test_other_keys_are_refused(text: str) -> None:
    """Or too many."""
    with pytest.raises(typer.BadParameter, match="keys of"):
        keys_of(text)


def test_ports_are_a_range_with_its_last() -> None:
    """None is the system's choice."""
    assert range(10_000, 20_001) == ports_of("10000-20000")
    assert range(1, 65_536) == ports_of("1-65535")
    assert ports_of(None) is None


@pytest.mark.parametrize(
    "text", ["", "10000", "a-b", "0-5", "5-5", "6-5", "1-65536", "-5", "5-", "1-2-3", "1-٣", "1-" + "9" * 5_000]
)
def test_what_is_no_range_of_ports_is_refused(text: str) -> None:
    """Backwards, empty, beyond the last port, in other digits."""
    with pytest.raises(typer.BadParameter, match="10000-20000"):
        ports_of(text)


def test_a_file_that_can_be_made_is_taken(tmp_path: Path) -> None:
    """None is no file."""
    assert tmp_path / "x.wav" == writable(tmp_path / "x.wav", "--record")
    assert writable(None, "--record") is None


def test_a_file_that_cannot_be_made_is_refused_before_the_call(tmp_path: Path) -> None:
    """A folder, and a file in no folder."""
    with pytest.raises(typer.BadParameter, match="is a folder"):
        writable(tmp_path, "--record")
    with pytest.raises(typer.BadParameter, match="there is no folder"):
        writable(tmp_path / "no" / "x.wav", "--record")
