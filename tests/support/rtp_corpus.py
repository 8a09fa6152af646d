"""RTP data that nobody on the project wrote, when it lies beside the project; and our own vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RTP_CORPUS = ROOT.parent / "shared" / "corpora" / "rtp"
VECTORS = ROOT / "tests" / "vectors"

needs_corpus = pytest.mark.skipif(not RTP_CORPUS.is_dir(), reason="the RTP corpora do not lie beside the project")


def corpus(pattern: str) -> list[Path]:
    """Files of the corpora, sorted; none if they are not there."""
    return sorted(RTP_CORPUS.glob(pattern))


def vectors(folder: str) -> list[object]:
    """Our own vectors of a folder as parameters: the octets, with the file's name as id."""
    files = sorted((VECTORS / folder).glob("*.hex"))
    assert files, f"no vectors in {folder}"
    return [pytest.param(bytes.fromhex(file.read_text()), id=file.stem) for file in files]
