"""Where the bundled sample and, when it is there, the larger shared set lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def sample() -> Path:
    """The bundled sample of real input."""
    return ROOT / "samples" / "synthea"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The larger set; the test is skipped where it is not found."""
    folder = Path(os.environ.get("DRACHM_SHARED") or ROOT.parent / "shared") / "data" / "synthea"
    if not folder.is_dir():
        pytest.skip("the shared Synthea set is not here (set DRACHM_SHARED)")
    return folder
