"""How much does whoever holds a shared pot mean it to spend in a month, on all or on one member; and what did it spend?

A measure for its holder: it counts and tells, and withholds nothing; what each member may take is a limit of the pot
(`Terms`). It sees amounts, days and whose care it was, as the pot's list does. What was paid and taken back counts as
nothing, on the day of the care, so care that is made private leaves nothing behind here either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from drachm.application.households import WALLET, memberships, wallet_term
from drachm.application.money_reading import MoneyReading
from drachm.application.records import Record, Records
from drachm.domain.clearing.numbers import patient_number
from drachm.domain.funding.allotment import fund_of
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, account_id
from drachm.domain.periods import day_starts

KIND: Final = "pot_budget"
Spent = Mapping[int, Mapping[date, int]]
"""Micros that a pot paid for care, by the number of the member whose it was and the day on which a span begins."""


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


def spent_on_care(pot: Pot, days: Sequence[date], zone: str, tenant: int, money: MoneyReading) -> Spent:
    """What a pot paid for care that began from each of these days, in order, to before the next, of a calendar."""
    slices = fund_of(pot).pots if pot.slices else (pot.id,)
    numbers = [account_id(tenant, Account("wallet", one, pot.currency)) for one in slices]
    spent: dict[int, dict[date, int]] = {}
    for one in money.care_sums(numbers, day_starts(days, zone)):
        spent.setdefault(one.patient, {})[days[one.span]] = one.amount
    return spent


def counted(spent: Spent, budget: PotBudget, tenant: int) -> dict[date, int]:
    """What of it a budget counts, from each of the days on; micros, and none that come to nothing."""
    members = [patient_number(tenant, budget.member)] if budget.member else spent
    sums: dict[date, int] = {}
    for member in members:
        for day, amount in spent.get(member, {}).items():
            sums[day] = sums.get(day, 0) + amount
    return {day: amount for day, amount in sums.items() if amount}


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
