"""Who lives in the town of the money flows? One clinic, three people, three plans, a clock that cannot surprise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from drachm.application.body import TopUp
from drachm.application.desk import Desk
from drachm.application.top_up import top_up
from drachm.domain.coverage.model import Contract, Coverage, Member, Party
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.model import Pot
from drachm.domain.money import MICROS
from drachm.domain.periods import Period
from drachm.storage.memory import MemoryBooks

ALWAYS = Period(date(1900, 1, 1))
NOON = datetime(2025, 3, 10, 16, 0, tzinfo=UTC)

_COMMON = {"currency": "USD", "zone": "America/New_York", "effective": {"from": "2025-01-01"}}
TOWN_PLAN: dict[str, Any] = {
    **_COMMON,
    "id": "town-plan",
    "version": "2025.1",
    "payer": "town-insurance",
    "facts": {"authorised": "flag", "service": "text"},
    "accumulators": [
        {"id": "deductible", "scope": "person", "period": "benefit_year", "feeds": [{"of": "deductible"}]}
    ],
    "steps": [
        {
            "id": "asked-first",
            "kind": "exclude",
            "when": {"service": "scan", "authorised": False},
            "bearer": "provider",
            "reason": "no_authorisation",
            "clause": "1",
        },
        {
            "id": "first-ten",
            "kind": "deductible",
            "limits": [{"accumulator": "deductible", "limit": 10 * MICROS}],
            "clause": "2",
        },
        {"id": "fifth", "kind": "coinsurance", "ppm": 200_000, "clause": "3"},
    ],
}
TOWN_HELP: dict[str, Any] = {
    **_COMMON,
    "id": "town-help",
    "version": "1",
    "payer": "town-hall",
    "remainder": "patient",
    "steps": [{"id": "half", "kind": "pay", "ppm": 500_000, "clause": "1"}],
}
MONTH_PLAN: dict[str, Any] = {
    **_COMMON,
    "id": "month-plan",
    "version": "1",
    "payer": "month-fund",
    "facts": {"facility_id": "text"},
    "steps": [
        {"id": "share", "kind": "coinsurance", "ppm": 300_000, "clause": "1"},
        {
            "id": "month",
            "kind": "period_cap",
            "pool": {"scope": "person", "period": "month", "by": []},
            "cap": {"base": 10 * MICROS},
            "qualify": {"by": ["facility_id"], "floor": 15 * MICROS},
            "clause": "2",
        },
    ],
}


class TickingClock:
    """Noon, and a second later at each look."""

    def __init__(self) -> None:
        self._ticks = count()

    def now(self) -> datetime:
        return NOON + timedelta(seconds=next(self._ticks))


class StoppedClock:
    """One instant for ever."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        return self._instant


class CountingIds:
    """Bytes that never repeat and are the same in every run. For demonstration only: they are not random."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def random_bytes(self, count: int) -> bytes:
        return next(self._numbers).to_bytes(count, "big")


def new_town(wallets: Mapping[str, int]) -> Desk:
    """Fresh books in memory with everybody enrolled; `wallets` says what each pot holds, in whole dollars."""
    desk = Desk(MemoryBooks(1, ids=CountingIds()), TickingClock(), CountingIds())
    for plan in (TOWN_PLAN, TOWN_HELP, MONTH_PLAN):
        desk.books.publish("plan", plan)
    desk.books.enrol(
        parties=[
            Party("clinic", ("provider",), "Town clinic", "America/New_York", {"facility_id": "clinic"}),
            *(Party(payer, ("payer",)) for payer in ("town-insurance", "town-hall", "month-fund")),
        ],
        members=[Member("ana"), Member("ben"), Member("mei")],
        coverages=[
            Coverage("c-ana", "ana", "town-plan", ALWAYS),
            Coverage("c-ben-1", "ben", "town-plan", ALWAYS),
            Coverage("c-ben-2", "ben", "town-help", ALWAYS, rank=2),
            Coverage("c-mei", "mei", "month-plan", ALWAYS),
        ],
        contracts=[Contract("clinic", payer, "as-submitted", ALWAYS) for payer in ("*", "")],
        pots=[
            Pot("ana-gift", "ana", "USD", 0, priority=1),
            Pot("ana-cash", "ana", "USD", 0, priority=2),
            Pot("ben-cash", "ben", "USD", 0),
            Pot("mei-cash", "mei", "USD", 0),
        ],
    )
    for pot, dollars in wallets.items():
        pay_in(desk, pot, dollars)
    return desk


def pay_in(desk: Desk, pot: str, dollars: int) -> int:
    """Put outside money into a pot; its journal position."""
    member = pot.partition("-")[0]
    return top_up(TopUp("window", f"in-{pot}", pot, member, dollars * MICROS, "USD", "cash-desk", NOON), desk)


def charge(event_id: str, dollars: int, **changes: Any) -> ServiceEvent:
    """A visit of Ana's at the clinic; keyword arguments change any field."""
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
        display="Visit",
    )
    return replace(event, **changes)
