"""What a shared pot paid for whose care in which span of time: exact however many entries, in any calendar."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fund_helpers import admit

from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.pot_budgets import PotBudget, counted, spent_on_care
from drachm.domain.events.model import ServiceEvent
from drachm.domain.money import MICROS
from drachm.domain.periods import local_date
from drachm.storage.memory import MemoryBooks
from drachm.storage.memory_dues import MemoryDues
from drachm.storage.money_reading import PostgresMoney

Charge = Callable[..., ServiceEvent]
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati")
MONTHS = [date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1), date(2025, 4, 1)]


def reading_of(desk: Desk) -> Any:
    return MemoryDues(desk.books) if isinstance(desk.books, MemoryBooks) else PostgresMoney.of(desk.books)  # type: ignore[arg-type]


def test_every_entry_counts_once_by_member_and_local_month(desk: Desk, charge: Charge) -> None:
    """More entries than any page, around the ends of months, some of them taken back."""
    pot, dice = admit(desk, 1_000_000, members=4, slices=3), random.Random(7)
    care: dict[str, tuple[str, datetime, int]] = {}
    for number in range(700):
        end = dice.choice([datetime(2025, month, 1, tzinfo=UTC) for month in (1, 2, 3)])
        at = end + timedelta(minutes=dice.randrange(-60 * 30, 60 * 30))
        care[f"e{number}"] = (f"m{dice.randrange(4)}", at, dice.randrange(1, 50))
    for batch in range(0, 700, 100):
        names = list(care)[batch : batch + 100]
        clear_events([given(charge, name, *care[name]) for name in names], desk)
    for name in dice.sample(sorted(care), 40):
        who, at, _ = care.pop(name)
        clear_events([given(charge, f"r{name}", who, at, 0, kind="reversal", replaces=name)], desk)
    reading = reading_of(desk)
    for zone in ZONES:
        spent = spent_on_care(pot, MONTHS, zone, desk.books.tenant, reading)
        for member in ("", "m0", "m1", "m2", "m3"):
            expected = dict.fromkeys(MONTHS[:-1], 0)
            for who, at, dollars in care.values():
                month = local_date(at, zone).replace(day=1)
                if month in expected and member in ("", who):
                    expected[month] += dollars * MICROS
            budget = PotBudget(pot.id, 1, zone, 0, member)
            assert counted(spent, budget, desk.books.tenant) == {day: sum_ for day, sum_ in expected.items() if sum_}


def given(charge: Charge, name: str, who: str, at: datetime, dollars: int, **changes: Any) -> ServiceEvent:
    return charge(name, dollars, member=who, visit=name, started_at=at, **changes)


def test_what_was_promised_ahead_counts_in_its_month(desk: Desk, charge: Charge) -> None:
    """Money was set aside long before the care; what was set aside and not used is not spent."""
    pot = admit(desk, 500, members=1, slices=1)
    at = datetime(2025, 3, 20, 12, tzinfo=UTC)
    hold = charge("h", 40, member="m0", kind="hold", started_at=at)
    clear_events([hold], desk)
    reading, tenant = reading_of(desk), desk.books.tenant
    budget, months = PotBudget(pot.id, 1, "UTC", 0), [date(2025, 3, 1), date(2025, 4, 1)]
    assert counted(spent_on_care(pot, months, "UTC", tenant, reading), budget, tenant) == {months[0]: 40 * MICROS}
    clear_events([charge("c", 25, kind="replacement", member="m0", started_at=at, replaces="h")], desk)
    assert counted(spent_on_care(pot, months, "UTC", tenant, reading), budget, tenant) == {months[0]: 25 * MICROS}


@pytest.mark.parametrize("index", [True, False])
def test_what_the_index_of_entries_has_not_met_counts_too(desk: Desk, charge: Charge, index: bool) -> None:
    pot = admit(desk, 500, members=1, slices=1)
    clear_events([charge("a", 10, member="m0")], desk)
    reading = reading_of(desk)
    if index and isinstance(reading, PostgresMoney):
        while reading.catch_up():
            pass
    clear_events([charge("b", 15, member="m0", visit="v2")], desk)
    spent = spent_on_care(pot, MONTHS, "UTC", desk.books.tenant, reading)
    assert counted(spent, PotBudget(pot.id, 1, "UTC", 0), desk.books.tenant) == {date(2025, 3, 1): 25 * MICROS}
