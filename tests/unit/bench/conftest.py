"""A small measured town, and desks to settle it at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drachm.application.desk import Desk
from drachm.bench.world import World, make_world
from drachm.bootstrap import SystemClock, SystemIds
from drachm.storage.memory import MemoryBooks

SAMPLES = Path(__file__).parents[3] / "samples"


@pytest.fixture(scope="session")
def town() -> World:
    """Two hundred families under every family of plans."""
    return make_world(7, 200, samples=SAMPLES, shared=None)


@pytest.fixture
def new_desk() -> Callable[[], Desk]:
    """Empty books in memory."""
    return lambda: Desk(MemoryBooks(1, ids=SystemIds()), SystemClock(), SystemIds())
