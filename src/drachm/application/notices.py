"""Who is told that a budget is half, to four fifths or wholly used, that a payment went back, or that something was
paid by itself after the care? Each of them once.

A thread beside the workers looks at the journal through the readers' index: whom with a budget does a new row concern,
and in which months? The running totals of these months say what is used. A notice is kept together with a mark that its
budget, amount, month and step name; the mark can be made once, so whoever dies in between or works at the same time
tells nobody twice, and what was looked at twice does no harm. What `arrears` has to say waits as a record of its own,
and is told by the same thread, so that the list has one order. So is what was paid late, which the journal itself says.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from drachm.application.arrears import NOTICE as ARREARS
from drachm.application.journal_index import JournalIndex
from drachm.application.late_notices import PaidLate, body_of, paid_late
from drachm.application.money_reading import MoneyReading
from drachm.application.over_and_over import over_and_over
from drachm.application.place import Place
from drachm.application.ports import Books
from drachm.application.pot_budgets import (
    PotBudget,
    Spent,
    belongs,
    counted,
    holder_now,
    pot_budgets,
    spent_on_care,
)
from drachm.application.records import Record, Records
from drachm.application.register import Register
from drachm.domain.clearing.numbers import total_number
from drachm.domain.errors import Conflict
from drachm.domain.funding.forecast import reached
from drachm.domain.funding.mandate import Budget, budget_key
from drachm.domain.funding.model import Pot
from drachm.domain.periods import add_months, local_date

NOTICE: Final = "budget_notice"
MARK: Final = "budget_mark"
PLACE: Final = "budget_place"
BUDGET: Final = "budget_step"
TEXT_WAITS: Final = "text=waiting"
"""Term of a notice that is told by a text message too, as long as it is not made."""
TEXTED_UNTIL: Final = timedelta(days=3)
"""A payment by itself of longer ago is in the list alone, as when the journal is looked through for the first time."""
PIECE: Final = 500
"""Rows of one look."""
PAUSE_SECONDS: Final = 1.0
BROKEN_SECONDS: Final = 5.0
_DAY: Final = timedelta(days=1)

_log = logging.getLogger("drachm.notices")


class Notices:
    """Of one tenant."""

    def __init__(
        self,
        books: Books,
        index: JournalIndex,
        register: Register,
        money: MoneyReading,
        records: Records,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._books = books
        self._tenant = books.tenant
        self._index = index
        self._register = register
        self._money = money
        self._records = records
        self._now = now
        self._place = Place(PLACE, records, now)
        self._stood: dict[str, tuple[int, int, int, int]] = {}
        """What stood in each shared pot with budgets, and how these stood, when it was looked at last."""

    def tell(self) -> int:
        """Look at the next rows and tell what they lead to; how many rows there were of people with a budget."""
        self._place.find()
        self._pass_on()
        until = self._index.followed()
        if until <= self._place.position:
            return 0
        people = self._register.budgeted()
        rows = self._index.after(self._place.position, parties=[], members=people, limit=PIECE) if people else []
        rows = [row for row in rows if row.position <= until]
        if len(rows) == PIECE:
            until = rows[-1].position
        revised = self._index.revised(self._place.position, until, PIECE)
        if len(revised) == PIECE:
            until = revised[-1].position
        months: dict[str, set[str]] = {}
        for row in rows:
            if row.member in people:
                # The day is the provider's: in the calendar of a budget it may be the one before or behind.
                months.setdefault(row.member, set()).update(_months(row.day))
        for member, touched in months.items():
            self._tell(member, touched, until)
        self._tell_pots(until)
        for late in paid_late(revised, self._index, self._books):
            self._tell_late(late, until)
        self._place.go_on(until)
        return max(len(rows), len(revised))

    def _tell(self, member: str, months: Iterable[str], position: int) -> None:
        budgets = self._register.mandate(member).budgets
        wanted = {
            total_number(self._tenant, budget_key(one, member, month)): (one, month)
            for one in budgets
            for month in months
        }
        used, _ = self._money.stand(wanted, ())
        for number, (budget, month) in wanted.items():
            spent = used.get(number, 0)
            for step in reached(spent, budget.amount):
                self._keep(member, budget.name, budget, month[1:], step, spent, position)

    def _tell_pots(self, position: int) -> None:
        """Tell holders of shared pots: of those from which something moved since the last look, this month and the one
        before it, of which bills still come in."""
        budgets: dict[str, list[PotBudget]] = {}
        for one in pot_budgets(self._records):
            budgets.setdefault(one.wallet, []).append(one)
        if not budgets:
            self._stood = {}
            return
        for purse in self._money.purses(ids=budgets, limit=len(budgets)):
            mine = budgets[purse.pot.id]
            stands = (purse.pot.avail, purse.held, sum(one.version for one in mine), len(mine))
            if self._stood.get(purse.pot.id) == stands:
                continue
            self._tell_pot(purse.pot, mine, position)
            self._stood[purse.pot.id] = stands

    def _tell_pot(self, pot: Pot, budgets: Iterable[PotBudget], position: int) -> None:
        holder, now = holder_now(pot.id, self._records), self._now()
        if not holder:
            return
        spent: dict[str, Spent] = {}
        for budget in budgets:
            if budget.member and not belongs(budget.member, pot.id, self._records):
                continue
            today = local_date(now, budget.zone).replace(day=1)
            months = [add_months(today, ahead) for ahead in (-1, 0, 1)]
            if budget.zone not in spent:
                spent[budget.zone] = spent_on_care(pot, months, budget.zone, self._tenant, self._money)
            as_own = Budget(pot.id, budget.amount, pot.currency, budget.zone)
            for month, used in sorted(counted(spent[budget.zone], budget, self._tenant).items()):
                for step in reached(used, budget.amount):
                    self._keep(
                        holder, budget.name, as_own, month.isoformat()[:7], step, used, position, about=budget.member
                    )

    def _keep(
        self, member: str, name: str, budget: Budget, month: str, step: int, spent: int, position: int, about: str = ""
    ) -> None:
        mark = _mark(member, name, str(budget.amount), f"M{month}", str(step))
        if self._records.get(MARK, mark) is not None:
            return
        body = {
            "what": BUDGET,
            "budget": budget.id,
            "amount": budget.amount,
            "currency": budget.currency,
            "month": month,
            "percent": step,
            "used": spent,
            **({"member": about} if about else {}),
        }
        self._put(member, mark, body, position)

    def _tell_late(self, late: PaidLate, position: int) -> None:
        """Tell a patient what was paid by itself; by a text message too, unless that was days ago."""
        mark = late_mark(late.row.position)
        if self._records.get(MARK, mark) is not None:
            return
        texted = late.row.posted_at > self._now() - TEXTED_UNTIL
        self._put(late.row.member, mark, body_of(late), position, TEXT_WAITS if texted else "")

    def _put(self, member: str, mark: str, said: Mapping[str, Any], position: int, *terms: str) -> None:
        now, whom = self._now(), frozenset({member})
        body = {**said, "at": now.isoformat()}
        made = Record(MARK, mark, {}, members=whom, author="drachm", at=now)
        words = frozenset(terms) - {""}
        notice = Record(NOTICE, _id(position, now, mark), body, members=whom, terms=words, author="drachm", at=now)
        try:
            self._records.put([made, notice])
        except Conflict:
            return  # another process told it at this moment

    def _pass_on(self) -> None:
        """Tell what waits to be told about payments that went back."""
        for waiting in self._records.find(ARREARS, terms=["state=waiting"], limit=PIECE):
            now = self._now()
            notice = Record(
                NOTICE,
                _id(self._place.position, now, waiting.id.removeprefix("ntc_")),
                waiting.body,
                members=waiting.members,
                terms=frozenset({TEXT_WAITS} if waiting.body["text"] else ()),
                author="drachm",
                at=now,
            )
            try:
                self._records.put([replace(waiting, terms=frozenset({"state=told"})), notice])
            except Conflict:
                continue  # another process told it at this moment


def notices_of(member: str, records: Records, *, after: str = "", limit: int = 100) -> list[Record]:
    """What a member was told, oldest first."""
    return records.find(NOTICE, after=after, limit=limit, members=[member])


def keep_telling(notices: Notices, stopping: threading.Event) -> None:
    """Tell until `stopping` is set; a silent database is asked again."""

    def look() -> float:
        return 0.0 if notices.tell() >= PIECE else PAUSE_SECONDS

    over_and_over(look, stopping, _log, "nobody could be told anything", broken=BROKEN_SECONDS)


def _id(position: int, now: datetime, mark: str) -> str:
    """Notices stand in the order in which they were told."""
    return f"ntc_{position:020d}_{int(now.timestamp() * 1_000):013d}{mark[:12]}"


def _mark(*words: str) -> str:
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:32]


def late_mark(position: int) -> str:
    """The mark of a payment by itself: the journal row that it is."""
    return _mark("paid late", str(position))


def _months(day: date) -> Collection[str]:
    return {f"M{(day + shift).isoformat()[:7]}" for shift in (-_DAY, timedelta(), _DAY)}
