"""The numbers of an event's totals are those of their names, whatever a program remembers of its days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from drachm.application.desk import Desk
from drachm.bench.load import Load
from drachm.bench.settle import settle
from drachm.bench.world import make_world
from drachm.bootstrap import SystemClock, SystemIds
from drachm.domain.benefits import machine
from drachm.domain.clearing import numbers
from drachm.domain.clearing.numbers import numbering, total_number
from drachm.domain.clearing.world import Waiting, World
from drachm.domain.errors import Pended
from drachm.storage.memory import MemoryBooks

SAMPLES = Path(__file__).parents[3] / "samples"


def test_numbers_follow_from_the_names_of_the_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_MOST_SAID", 2)
    town, ids = make_world(3, 40, samples=SAMPLES, shared=None), SystemIds()
    desk = Desk(MemoryBooks(1, ids=ids), SystemClock(), ids)
    settle(town, desk, lambda words: None)
    events, now = Load(town).events(600), datetime.now(UTC)
    with desk.books.work() as work:
        registry = work.registry(events)
        world = World(registry, desk.books.documents(registry.version))
        found, days = 0, set[date]()
        for event in events:
            try:
                asked = world.read(Waiting(event, now, b"")).prepared
            except Pended:
                continue
            if asked is not None:
                names = asked.keys()
                assert asked.numbers == tuple([total_number(1, key) for key in names])
                found += len(asked.numbers)
                days.add(event.started_at.date())
    assert found > 1_000
    assert len(days) > 2


def test_a_number_is_the_same_when_there_was_no_room_to_remember_it(monkeypatch: pytest.MonkeyPatch) -> None:
    periods = ("Y2025-01-01", "D2025-01-02", "D2025-02-03", "Vvisit", "Aadmission")
    keys = [(f"scope{at}", f"total{at}", period) for at in range(3) for period in periods]
    told = [total_number(7_001, key) for key in keys]
    assert len(set(told)) == len(keys)
    numbering.cache_clear()
    monkeypatch.setattr(numbers, "HOMES_MAX", 2)
    held = numbering(7_001).homes("Y2025-01-01")
    for _ in range(2):
        assert [total_number(7_001, key) for key in keys] == told
        assert len(held) <= 2
    numbering.cache_clear()
