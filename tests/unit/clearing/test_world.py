"""What a batch may not bring about, whatever was decided in it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.model import EMPTY, Clearing, Decision
from drachm.domain.clearing.world import Waiting, World
from drachm.domain.errors import IntegrityError
from drachm.domain.ledger.model import EntryKind, JournalEntry

AT = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_pot_is_never_moved_below_its_floor() -> None:
    world = World(cast(Any, SimpleNamespace(tenant=1, people={})), Documents([]))
    world.load({}, {"ana-cash": 5})
    event = cast(Any, SimpleNamespace(kind="charge"))
    decided = Decision("posted", "", EMPTY)

    def draw(amount: int) -> tuple[tuple[str, int], ...]:
        clearing = Clearing(decided, JournalEntry(EntryKind.CHARGE), (), (("ana-cash", -amount),))
        return world.advance(Waiting(event, AT, b"key"), clearing, position=1)

    assert draw(3) == (("ana-cash", 2),)
    with pytest.raises(IntegrityError, match="below its floor"):
        draw(3)
