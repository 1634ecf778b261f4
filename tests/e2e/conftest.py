"""A small town with books: one clinic, one plan, Ana with a wallet. The same stories run on every kind of storage."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from town_plan import HELP
from town_plan import PLAN as TOWN_PLAN

from drachm.application.body import TopUp
from drachm.application.desk import Desk
from drachm.application.ports import Books
from drachm.application.top_up import top_up
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.money import MICROS
from drachm.domain.periods import Period
from drachm.storage.memory import MemoryBooks
from drachm.storage.postgres import open_books

ALWAYS = Period(date(1900, 1, 1))
NOON = datetime(2025, 3, 10, 16, 0, tzinfo=UTC)

PLAN: dict[str, Any] = {**TOWN_PLAN, "version": "2025.1", "effective": {"from": "2025-01-01", "until": "2026-01-01"}}


class TestClock:
    """A clock that moves one second at each look."""

    __test__ = False

    def __init__(self) -> None:
        self._ticks = count()

    def now(self) -> datetime:
        return NOON + timedelta(seconds=next(self._ticks))


class CountingIds:
    """Bytes that never repeat and are the same in every run."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def random_bytes(self, length: int) -> bytes:
        return hashlib.shake_256(next(self._numbers).to_bytes(8, "big")).digest(length)


@pytest.fixture(params=["memory", "postgres18", "postgres16"])
def books(request: pytest.FixtureRequest) -> Iterator[Books]:
    """Empty books of tenant 1 in memory, on PostgreSQL 18 and on 16."""
    if request.param == "memory":
        yield MemoryBooks(1, ids=CountingIds())
        return
    url = request.getfixturevalue("database" if request.param == "postgres18" else "database16")
    opened = open_books(url, 1, master_key=bytes(32), ids=CountingIds())
    yield opened
    opened.close()


@pytest.fixture
def desk(books: Books) -> Desk:
    """Books with the town in them: plan, clinic, Ana (deductible 10, coinsurance 20 %, 100 dollars in two pots)."""
    desk = Desk(books, TestClock(), CountingIds())
    settle_town(desk)
    return desk


@pytest.fixture(scope="module")
def new_desk() -> Callable[[], Desk]:
    """Makes a town with fresh books in memory each time it is called."""

    def make() -> Desk:
        desk = Desk(MemoryBooks(1, ids=CountingIds()), TestClock(), CountingIds())
        settle_town(desk)
        return desk

    return make


@pytest.fixture
def town() -> Iterator[Callable[..., Desk]]:
    """Opens a desk of its own on a database; the first one settles the town."""
    opened = []

    def open_desk(url: str, *, tenant: int = 1, settle: bool = True) -> Desk:
        books = open_books(url, tenant, master_key=bytes(32), ids=CountingIds())
        opened.append(books)
        desk = Desk(books, TestClock(), CountingIds())
        if settle:
            settle_town(desk)
        return desk

    yield open_desk
    for books in opened:
        books.close()


def settle_town(desk: Desk) -> None:
    desk.books.publish("plan", PLAN)
    desk.books.publish("plan", HELP)
    desk.books.enrol(
        parties=[
            Party("clinic", ("provider",), "Town clinic", "America/New_York"),
            Party("hospital", ("provider",), "Town hospital", "America/New_York"),
            Party("town-insurance", ("payer",)),
            Party("town-hall", ("payer",)),
        ],
        members=[Member("ana", date(1990, 5, 1), "female"), Member("ben", date(1980, 1, 1), "male"), Member("cleo")],
        coverages=[
            Coverage("c-ana", "ana", "town-plan", ALWAYS),
            Coverage("c-ben-1", "ben", "town-plan", ALWAYS),
            Coverage("c-ben-2", "ben", "town-help", ALWAYS, rank=2),
        ],
        contracts=[
            Contract(provider, payer, "as-submitted", ALWAYS)
            for provider in ("clinic", "hospital")
            for payer in ("*", "")
        ],
        pots=[Pot("ana-gift", "ana", "USD", 0, priority=1), Pot("ana-cash", "ana", "USD", 0, priority=2)],
    )
    for pot, amount in (("ana-gift", 5 * MICROS), ("ana-cash", 95 * MICROS)):
        top_up(TopUp("window", f"first-{pot}", pot, "ana", amount, "USD", "cash-desk", NOON), desk)


@pytest.fixture(scope="module")
def charge() -> Callable[..., ServiceEvent]:
    """A visit of Ana's at the clinic for 40 dollars; keyword arguments change any field."""
    return make_charge


def make_charge(event_id: str = "e1", dollars: int = 40, **changes: Any) -> ServiceEvent:
    event = ServiceEvent(
        source="ehr",
        event_id=event_id,
        kind="charge",
        member="ana",
        code=Code("local", "visit"),
        currency="USD",
        started_at=NOON,
        billed=dollars * MICROS,
        billing_party="clinic",
        visit="v1",
        display="Video visit",
    )
    return replace(event, **changes)
