"""How much does whoever holds a shared pot mean it to spend in a month, and what did it spend?

A measure for its holder: it counts and tells, and withholds nothing; what each member may take is a limit of the pot
(`Terms`). It sees amounts and days alone. What was paid and taken back counts as nothing, on the day of the care, so
care that is made private leaves nothing behind here either.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from drachm.application.households import WALLET, memberships
from drachm.application.money_reading import MoneyReading
from drachm.application.records import Record, Records
from drachm.domain.funding.allotment import fund_of
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, EntryKind, account_id
from drachm.domain.periods import local_date

KIND: Final = "pot_budget"
MOST: Final = 5_000
"""Entries of a pot that are looked at."""
_PAGE: Final = 500
_CARE: Final = frozenset(
    {
        EntryKind.CHARGE,
        EntryKind.REVERSAL,
        EntryKind.REPLACEMENT,
        EntryKind.HOLD,
        EntryKind.CAPTURE,
        EntryKind.RELEASE,
        EntryKind.REVISION,
    }
)


class PotBudget(NamedTuple):
    """How much a shared pot is meant to spend in each month of a calendar."""

    wallet: str
    amount: int
    """Micros."""
    zone: str
    version: int

    @property
    def name(self) -> str:
        """What it counts, in words."""
        return f"pot/{self.wallet}/{self.zone}"


def pot_budget(wallet: str, records: Records) -> tuple[PotBudget | None, int]:
    """(the budget of a pot, the version of what is kept of it); the version also where it was taken away."""
    record = records.get(KIND, wallet)
    return (_read(record), record.version) if record is not None else (None, 0)


def set_pot_budget(
    wallet: str, amount: int | None, zone: str, version: int, by: str, at: datetime, records: Records
) -> int:
    """Write it in this version, or take it away (`amount` None); its next version. Raises Conflict for a stale one."""
    body = {"amount": amount, "zone": zone}
    record = records.get(KIND, wallet) or Record(KIND, wallet, body)
    return records.put([replace(record, body=body, version=version, author=by, at=at)])[0].version


def pot_budgets(records: Records) -> list[PotBudget]:
    """All there are."""
    found: list[PotBudget] = []
    after = ""
    while page := records.find(KIND, after=after):
        found += [one for record in page if (one := _read(record)) is not None]
        after = page[-1].id
    return found


def holder_now(wallet: str, records: Records) -> str:
    """Who holds a shared pot and still belongs to it; empty: nobody."""
    record = records.get(WALLET, wallet)
    holder = str(record.body.get("holder") or "") if record is not None else ""
    one = memberships(records, wallet).get(holder) if holder else None
    return holder if one is not None and one.inside else ""


def spent_by_day(pot: Pot, tenant: int, zone: str, since: date, money: MoneyReading) -> dict[date, int]:
    """What a pot paid for care on each day of a calendar, of what was posted since a day (UTC); micros."""
    slices = fund_of(pot).pots if pot.slices else (pot.id,)
    numbers = [account_id(tenant, Account("wallet", one, pot.currency)) for one in slices]
    sums: dict[date, int] = {}
    before: tuple[date, int, int] | None = None
    for _ in range(MOST // _PAGE):
        found = money.movements(numbers, before=before, limit=_PAGE, since=since - timedelta(days=1))
        for one in found:
            if one.kind in _CARE:
                day = local_date(one.occurred_at, zone)
                sums[day] = sums.get(day, 0) + one.amount
        if len(found) < _PAGE:
            break
        before = found[-1].day, found[-1].position, found[-1].leg
    return sums


def spent_in(month: str, by_day: dict[date, int]) -> int:
    """What of it lies in a month (YYYY-MM)."""
    return sum(amount for day, amount in by_day.items() if day.isoformat()[:7] == month)


def _read(record: Record) -> PotBudget | None:
    amount = record.body.get("amount")
    return PotBudget(record.id, int(amount), record.body["zone"], record.version) if amount is not None else None
