"""A year of generated use against a calculator that knows nothing of the books: statements, budgets, client money.

The year holds 29 February, every month's end in three calendars, and both clock changes of New York and Berlin. The
calculator keeps lists and adds them up anew each time; it is told what was asked for, never what the books answered.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drachm.adapters.rest.service import statements
from drachm.application.body import TopUp
from drachm.application.clear_events import clear_events
from drachm.application.late_dues import pay_by_itself
from drachm.application.pay_due import Yes, pay_due
from drachm.application.top_up import top_up
from drachm.application.transfers import take_back
from drachm.domain.clearing.numbers import total_number
from drachm.domain.coverage.model import Member
from drachm.domain.errors import Conflict, Refused
from drachm.domain.funding.mandate import Budget, Mandate, budget_key
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.client_money import client_money
from drachm.domain.ledger.model import Account, account_id
from drachm.domain.money import MICROS
from drachm.domain.transparency.leaf import event_key

START, END = datetime(2027, 4, 1, tzinfo=UTC), datetime(2028, 4, 1, tzinfo=UTC)
NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
PEOPLE = {"cleo": NEW_YORK, "eva": BERLIN}
"""Without cover, so that a price is a share; each with a budget of her own calendar."""
POTS = {person: (f"{person}-gift", f"{person}-cash") for person in PEOPLE}
"""In drawing order."""
OWN = frozenset(pot for pots in POTS.values() for pot in pots)
RAILS = ("bank", "stripe", "window-1")
CAP = 300
ACTIONS = 420


def turning_points() -> list[datetime]:
    """Instants around which a careless calendar goes wrong."""
    found = []
    for zone in ("UTC", NEW_YORK, BERLIN):
        for month in range(12):
            year, number = divmod(START.month - 1 + month, 12)
            found.append(datetime(START.year + year, number + 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC))
        found.append(datetime(2028, 2, 29, tzinfo=ZoneInfo(zone)).astimezone(UTC))
        found.append(datetime(2028, 3, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC))
    found += [datetime(2027, 10, 31, 1, tzinfo=UTC), datetime(2028, 3, 26, 1, tzinfo=UTC)]  # Berlin
    found += [datetime(2027, 11, 7, 6, tzinfo=UTC), datetime(2028, 3, 12, 7, tzinfo=UTC)]  # New York
    return found


def moments(dice: random.Random) -> list[datetime]:
    """When something happens, in order: around the turning points, and at any time."""
    near = [
        point + timedelta(seconds=shift)
        for point in turning_points()
        for shift in (-7200, -1, 0, 1, 3600)
        if dice.random() < 0.6
    ]
    seconds = int((END - START).total_seconds())
    anywhere = [START + timedelta(seconds=dice.randrange(seconds)) for _ in range(ACTIONS - len(near))]
    return sorted(moment for moment in near + anywhere if START <= moment < END)


@dataclass
class Calculator:
    """What one would do with a pencil; dollars."""

    moves: list[tuple[datetime, str, int]] = field(default_factory=list)
    """When it was posted, which pot, how much it gained (negative: lost)."""
    cash: list[tuple[datetime, str, int]] = field(default_factory=list)
    """When, over which rail, how much came in."""
    owed: list[tuple[datetime, int]] = field(default_factory=list)
    """What holders owe for money that went back."""
    charges: dict[str, tuple[str, datetime, int, dict[str, int]]] = field(default_factory=dict)
    """Name -> whose, when it was given, asked, what each pot paid."""
    withheld: dict[str, int] = field(default_factory=dict)
    """Name -> what the budget withheld of it when it was cleared."""

    def holds(self, pot: str) -> int:
        return sum(amount for _, one, amount in self.moves if one == pot)

    def spent(self, person: str, year: int, month: int) -> int:
        zone = ZoneInfo(PEOPLE[person])
        mine = [one for one in self.charges.values() if one[0] == person]
        local = [(when.astimezone(zone), sum(paid.values())) for _, when, _, paid in mine]
        return sum(amount for when, amount in local if (when.year, when.month) == (year, month))

    def charge(self, name: str, person: str, given: datetime, asked: int) -> dict[str, int]:
        local = given.astimezone(ZoneInfo(PEOPLE[person]))
        rest = min(asked, max(0, CAP - self.spent(person, local.year, local.month)))
        self.withheld[name] = asked - rest
        paid: dict[str, int] = {}
        for pot in POTS[person]:
            paid[pot] = min(rest, self.holds(pot))
            rest -= paid[pot]
        self.charges[name] = person, given, asked, paid
        return paid

    def due(self, name: str) -> int:
        _, _, asked, paid = self.charges[name]
        return asked - sum(paid.values())

    def later(self, name: str) -> dict[str, int]:
        """Pay of a charge what was not withheld then and the budget lets be paid now; what each pot has paid since."""
        person, given, asked, before = self.charges[name]
        local, due = given.astimezone(ZoneInfo(PEOPLE[person])), self.due(name)
        rest = min(due - min(due, self.withheld[name]), max(0, CAP - self.spent(person, local.year, local.month)))
        paid = dict(before)
        for pot in POTS[person]:
            more = min(rest, self.holds(pot))
            paid[pot] = paid.get(pot, 0) + more
            rest -= more
        self.charges[name] = person, given, asked, paid
        return paid

    def post(self, at: datetime, before: dict[str, int], after: dict[str, int]) -> None:
        """The net of what stood and what stands: what a journal row says."""
        for pot in before.keys() | after.keys():
            net = before.get(pot, 0) - after.get(pot, 0)
            if net:
                self.moves.append((at, pot, net))


class Year:
    """The books and the calculator live through the same year."""

    def __init__(self, town: Any, seed: int) -> None:
        self.town, self.desk = town, town.desk
        self.dice = random.Random(seed)
        self.sums = Calculator()
        self.top_ups: list[TopUp] = []
        self.agreed: dict[str, list[tuple[str, int]]] = {}
        self.count = 0
        self.paid_late = 0

    def settle(self) -> None:
        books = self.desk.books
        books.enrol(members=[Member("eva")])
        books.enrol(pots=[Pot(pot, who, "USD", priority=n) for who, pots in POTS.items() for n, pot in enumerate(pots)])
        for person, zone in PEOPLE.items():
            books.enrol(mandates={person: Mandate(1, (Budget("all", CAP * MICROS, "USD", zone),))})

    def live(self) -> None:
        kinds = {
            "charge": 40,
            "top_up": 18,
            "reversal": 9,
            "replacement": 12,
            "pay": 10,
            "later": 12,
            "late": 6,
            "back": 2,
        }
        for moment in moments(self.dice):
            self.town.clock.move(seconds=(moment - self.town.clock._now).total_seconds())
            [kind] = self.dice.choices(list(kinds), list(kinds.values()))
            self.count += 1
            getattr(self, kind)(f"n{self.count}", self.dice.choice(list(PEOPLE)), moment)

    def charge(self, name: str, person: str, moment: datetime) -> None:
        asked = self.dice.randint(1, 90)
        event = self.town.event(name, asked, member=person, visit=name, started_at=moment)
        [outcome] = clear_events([event], self.desk)
        self.sums.post(outcome.posted_at, {}, self.sums.charge(name, person, moment, asked))

    def late(self, name: str, person: str, moment: datetime) -> None:
        """Care of up to two months ago, sent only now."""
        self.charge(name, person, moment - timedelta(seconds=self.dice.randrange(60 * 86_400)))

    def top_up(self, name: str, person: str, moment: datetime) -> None:
        pot, rail = self.dice.choice(POTS[person]), self.dice.choice(["bank", "stripe", "window-1"])
        amount = self.dice.randint(1, 120)
        order = TopUp("rails", name, pot, person, amount * MICROS, "USD", rail, moment)
        at = self.desk.books.row(top_up(order, self.desk)).posted_at
        self.top_ups.append(order)
        self.sums.moves.append((at, pot, amount))
        self.sums.cash.append((at, rail, amount))

    def back(self, name: str, person: str, moment: datetime) -> None:
        """A payment went back: the pot keeps what it has, and its holder owes it."""
        if not self.top_ups:
            return
        order = self.top_ups.pop(self.dice.randrange(len(self.top_ups)))
        at = self.desk.books.row(take_back(order, self.desk)).posted_at
        self.sums.cash.append((at, order.rail, -order.amount // MICROS))
        self.sums.owed.append((at, order.amount // MICROS))

    def reversal(self, name: str, person: str, moment: datetime) -> None:
        if not (old := self._some(person)):
            return
        event = self.town.event(name, 0, kind="reversal", member=person, visit=old, replaces=old, started_at=moment)
        [outcome] = clear_events([event], self.desk)
        _, _, _, paid = self.sums.charges.pop(old)
        self.sums.post(outcome.posted_at, paid, {})

    def replacement(self, name: str, person: str, moment: datetime) -> None:
        old = self._some(person, agreed=False)
        if not old:
            return
        asked = self.dice.randint(1, 90)
        _, given, _, before = self.sums.charges.pop(old)
        event = self.town.event(
            name, asked, kind="replacement", member=person, visit=old, replaces=old, started_at=given
        )
        [outcome] = clear_events([event], self.desk)
        # As if the first had never been.
        undone = [(outcome.posted_at, pot, amount) for pot, amount in before.items()]
        self.sums.moves += undone
        after = self.sums.charge(name, person, given, asked)
        del self.sums.moves[-len(undone) :]
        self.sums.post(outcome.posted_at, before, after)

    def pay(self, name: str, person: str, moment: datetime) -> None:
        owing = [one for one, (who, *_) in self.sums.charges.items() if who == person and self.sums.due(one)]
        if not owing:
            return
        charge, pot = self.dice.choice(owing), self.dice.choice(POTS[person])
        amount = self.dice.randint(1, self.sums.due(charge))
        key = event_key(self.town.tenant, "ehr", charge)
        try:
            paid = pay_due(Yes(name, key, amount * MICROS, (pot,)), self.desk)
        except (Conflict, Refused):
            assert self.sums.holds(pot) < amount
            return
        parts = self.sums.charges[charge][3]
        before = dict(parts)
        parts[pot] = parts.get(pot, 0) + amount
        self.agreed.setdefault(charge, []).append((pot, amount))
        self.sums.post(self.desk.books.row(paid.position).posted_at, before, parts)

    def later(self, name: str, person: str, moment: datetime) -> None:
        """What is due of something is paid by itself, if there is money by now."""
        owing = [one for one, (who, *_) in self.sums.charges.items() if who == person and self.sums.due(one)]
        if not owing:
            return
        charge = self.dice.choice(owing)
        before = dict(self.sums.charges[charge][3])
        done = pay_by_itself(name, event_key(self.town.tenant, "ehr", charge), self.desk)
        after = self.sums.later(charge)
        assert (done.amount // MICROS if done is not None else 0) == sum(after.values()) - sum(before.values())
        if done is not None:
            self.paid_late += 1
            self.sums.post(self.desk.books.row(done.position).posted_at, before, after)

    def _some(self, person: str, *, agreed: bool = True) -> str:
        mine = [one for one, (who, *_) in self.sums.charges.items() if who == person]
        # What was agreed to is kept by a correction; that is another test's story.
        mine = [one for one in mine if agreed or one not in self.agreed]
        return self.dice.choice(mine) if mine else ""


@pytest.fixture
def year(town: Any) -> Year:
    lived = Year(town, seed=20280229)
    lived.settle()
    lived.live()
    return lived


def months() -> Iterator[date]:
    for number in range(12):
        year, month = divmod(START.month - 1 + number, 12)
        yield date(START.year + year, month + 1, 1)


def after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def statement(ask: Any, auditor: Any, tenant: int, pot: str, month: date) -> tuple[int, int, list[int], int]:
    """Opening, closing, entries newest first, and how many the statement says there are; micros."""
    number = account_id(tenant, Account("wallet", pot, "USD"))
    path = {"statement_id": statements._name(number, month)}
    entries: list[int] = []
    query: dict[str, str] = {"limit": "17"}
    while True:
        said = ask("get_statement", auditor, path=path, query=query).body
        entries += [int(one["amount"]["micros"]) for one in said["entries"]["data"]]
        if not said["entries"]["next"]:
            return int(said["opening"]["micros"]), int(said["closing"]["micros"]), entries, said["count"]
        query["cursor"] = said["entries"]["next"]


def test_the_year_is_the_calculators(year: Year, town: Any, ask: Any) -> None:
    sums, auditor, tenant = year.sums, town.auditor(), town.tenant
    assert len(sums.moves) > 250, "the year is not worth calculating"
    assert year.paid_late > 5, "nothing was paid late"
    seen = 0
    for pot in (pot for pots in POTS.values() for pot in pots):
        for month in months():
            since, until = month, after(month)
            mine = [(at, amount) for at, one, amount in sums.moves if one == pot]
            opening = sum(amount for at, amount in mine if at.date() < since)
            inside = [amount for at, amount in mine if since <= at.date() < until]
            # Wallets are what is owed to their holders: below 0 in the books.
            wanted = (-opening, -opening - sum(inside), [-amount for amount in reversed(inside)], len(inside))
            told = statement(ask, auditor, tenant, pot, month)
            assert (told[0] // MICROS, told[1] // MICROS, [one // MICROS for one in told[2]], told[3]) == wanted
            assert told[0] + sum(told[2]) == told[1]
            seen += len(inside)
    assert seen == len(sums.moves)
    # What is used of a budget, month by month of its own calendar.
    for person, zone in PEOPLE.items():
        budget = Budget("all", CAP * MICROS, "USD", zone)
        for month in (*months(), date(2028, 4, 1), date(2027, 3, 1), date(2027, 2, 1)):
            key = total_number(tenant, budget_key(budget, person, f"M{month.isoformat()[:7]}"))
            used, _ = town.market.money.stand([key], ())
            assert used.get(key, 0) == sums.spent(person, month.year, month.month) * MICROS


def test_the_money_of_clients_is_there_every_day(year: Year, town: Any, ask: Any) -> None:
    """What pots hold, and what care drew from them, is what came in and has not gone back: at every midnight."""
    sums = year.sums
    rows = [(row.posted_at.date(), written.entries) for row, written in town.desk.books.rows()]
    found: dict[Any, int] = defaultdict(int)
    place = 0
    day = date(2027, 3, 31)
    while day < date(2028, 4, 1):
        while place < len(rows) and rows[place][0] <= day:
            for account, amount, source in rows[place][1]:
                found[account, source] += amount
            place += 1
        [money] = client_money(found)
        assert money.difference == 0
        mine = sum(
            -amount for (account, _), amount in found.items() if account.kind == "wallet" and account.owner in OWN
        )
        assert mine == MICROS * sum(amount for at, _, amount in sums.moves if at.date() <= day)
        came = {rail: sum(a for at, one, a in sums.cash if one == rail and at.date() <= day) for rail in RAILS}
        # 150 dollars of the town's other people lie with the cash desk.
        assert money.bank == came["bank"] * MICROS
        assert money.in_transit == (came["stripe"] + came["window-1"] + 150) * MICROS
        assert money.to_be_made_good == MICROS * sum(amount for at, amount in sums.owed if at.date() <= day)
        day += timedelta(days=1)
    assert place == len(rows)
    [told] = ask("get_trial_balance", town.auditor()).body["client_money"]
    assert told["difference"]["micros"] == "0"
    assert int(told["bank"]["micros"]) == money.bank
