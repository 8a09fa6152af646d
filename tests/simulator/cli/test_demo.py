"""`offhook demo`: everything at once, with nothing to configure. `tests/interop/test_demo.py` holds a whole one."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from support.offhook_command import offhook
from support.processes import running

from offhook.simulator.cli.demo import _new_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_each_demo_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Three in one second too."""
    folders = {_new_folder(tmp_path / "results") for _ in range(3)}
    assert 3 == len(folders)
    assert all(folder.is_dir() for folder in folders)


@pytest.mark.real_network
class TestDemo:
    """As a process."""

    def test_ctrl_c_ends_it_and_leaves_nothing(self, tmp_path: Path) -> None:
        """No folder, no traceback, and the code of whoever was stopped."""
        pytest.importorskip("espeakng_loader")
        with running(offhook("demo", "--out", str(tmp_path))) as program:
            program.wait_for_line("answered, PCMU")
            assert 105 == program.stop(signal.SIGINT)
            assert "Traceback" not in program.output
        assert [] == list(tmp_path.iterdir())
