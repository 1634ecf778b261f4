"""How much does whoever holds a shared pot mean it to spend in a month, on all or on one member; and what did it spend?

A measure for its holder: it counts and tells, and withholds nothing; what each member may take is a limit of the pot
(`Terms`). It sees amounts, days and whose care it was, as the pot's list does. What was paid and taken back counts as
nothing, on the day of the care, so care that is made private leaves nothing behind here either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from drachm.application.households import WALLET, memberships, wallet_term
from drachm.application.money_reading import MoneyReading
from drachm.application.records import Record, Records
from drachm.domain.clearing.numbers import patient_number
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


class Spent(NamedTuple):
    """What a pot paid for care at one time, or got back."""

    at: datetime
    """When the care began."""
    patient: int
    """Number of the member whose care it was."""
    amount: int
    """Micros."""


class PotBudget(NamedTuple):
    """How much a shared pot is meant to spend in each month of a calendar."""

    wallet: str
    amount: int
    """Micros."""
    zone: str
    version: int
    member: str = ""
    """On whose care; empty: everybody's."""

    @property
    def name(self) -> str:
        """What it counts, in words."""
        return f"pot/{_id(self.wallet, self.member)}/{self.zone}"


def pot_budget(wallet: str, records: Records, member: str = "") -> tuple[PotBudget | None, int]:
    """(the budget of a pot, or of one member there, the version of what is kept of it); the version also where it was
    taken away."""
    record = records.get(KIND, _id(wallet, member))
    return (_read(record), record.version) if record is not None else (None, 0)


def set_pot_budget(new: PotBudget, *, away: bool, by: str, at: datetime, records: Records) -> int:
    """Write it in the place of its version, or take it away; its next version. Raises Conflict for a stale one.

    What names a member is sealed under that member's key: erasing the member ends it.
    """
    body = {"amount": None if away else new.amount, "zone": new.zone}
    whose, terms = frozenset({new.member} - {""}), frozenset({wallet_term(new.wallet)})
    name = _id(new.wallet, new.member)
    return records.put([Record(KIND, name, body, new.version, members=whose, terms=terms, author=by, at=at)])[0].version


def budgets_of(wallet: str, records: Records) -> list[PotBudget]:
    """Those of one pot: its own first, then its members'."""
    return sorted(_all(records, [wallet_term(wallet)]), key=lambda one: one.member)


def pot_budgets(records: Records) -> list[PotBudget]:
    """All there are."""
    return list(_all(records))


def holder_now(wallet: str, records: Records) -> str:
    """Who holds a shared pot and still belongs to it; empty: nobody."""
    record = records.get(WALLET, wallet)
    holder = str(record.body.get("holder") or "") if record is not None else ""
    return holder if holder and belongs(holder, wallet, records) else ""


def belongs(member: str, wallet: str, records: Records) -> bool:
    """Whether a shared pot pays for a member now."""
    one = memberships(records, wallet).get(member)
    return one is not None and one.inside


def spent_on_care(pot: Pot, tenant: int, since: date, money: MoneyReading) -> list[Spent]:
    """What a pot paid for care, of what was posted since a day (UTC), newest first."""
    slices = fund_of(pot).pots if pot.slices else (pot.id,)
    numbers = [account_id(tenant, Account("wallet", one, pot.currency)) for one in slices]
    spent: list[Spent] = []
    before: tuple[date, int, int] | None = None
    for _ in range(MOST // _PAGE):
        found = money.movements(numbers, before=before, limit=_PAGE, since=since - timedelta(days=1))
        spent += [Spent(one.occurred_at, one.patient, one.amount) for one in found if one.kind in _CARE]
        if len(found) < _PAGE:
            break
        before = found[-1].day, found[-1].position, found[-1].leg
    return spent


def by_day(spent: Iterable[Spent], budget: PotBudget, tenant: int) -> dict[date, int]:
    """What of it a budget counts, on each day of its calendar; micros."""
    only = patient_number(tenant, budget.member) if budget.member else None
    sums: dict[date, int] = {}
    for one in spent:
        if only in (None, one.patient):
            day = local_date(one.at, budget.zone)
            sums[day] = sums.get(day, 0) + one.amount
    return sums


def spent_in(month: str, by_day: dict[date, int]) -> int:
    """What of it lies in a month (YYYY-MM)."""
    return sum(amount for day, amount in by_day.items() if day.isoformat()[:7] == month)


def _all(records: Records, terms: Collection[str] = ()) -> Iterator[PotBudget]:
    after = ""
    while page := records.find(KIND, after=after, terms=terms):
        yield from [one for record in page if (one := _read(record)) is not None]
        after = page[-1].id


def _id(wallet: str, member: str) -> str:
    return f"{wallet}@{member}" if member else wallet


def _read(record: Record) -> PotBudget | None:
    """None where it was taken away, or its member erased."""
    body = record.body
    amount = body.get("amount")
    if amount is None:
        return None
    wallet, _, member = record.id.partition("@")
    return PotBudget(wallet, int(amount), body["zone"], record.version, member)
