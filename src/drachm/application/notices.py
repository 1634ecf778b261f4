"""Who is told that a budget is half, to four fifths or wholly used, or that a payment went back? Each of them once.

A thread beside the workers looks at the journal through the readers' index: whom with a budget does a new row concern,
and in which months? The running totals of these months say what is used. A notice is kept together with a mark that its
budget, amount, month and step name; the mark can be made once, so whoever dies in between or works at the same time
tells nobody twice, and what was looked at twice does no harm. What `arrears` has to say waits as a record of its own,
and is told by the same thread, so that the list has one order.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from drachm.application.arrears import NOTICE as ARREARS
from drachm.application.journal_index import JournalIndex
from drachm.application.money_reading import MoneyReading
from drachm.application.over_and_over import over_and_over
from drachm.application.pot_budgets import (
    PotBudget,
    belongs,
    by_day,
    holder_now,
    pot_budgets,
    spent_in,
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
PIECE: Final = 500
"""Rows of one look."""
PAUSE_SECONDS: Final = 1.0
BROKEN_SECONDS: Final = 5.0
REMEMBER_SECONDS: Final = 60.0
"""How much is looked at once more after a process died, at most."""
_DAY: Final = timedelta(days=1)

_log = logging.getLogger("drachm.notices")


class Notices:
    """Of one tenant."""

    def __init__(
        self,
        tenant: int,
        index: JournalIndex,
        register: Register,
        money: MoneyReading,
        records: Records,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tenant = tenant
        self._index = index
        self._register = register
        self._money = money
        self._records = records
        self._now = now
        self._place: Record | None = None
        self._position = -1
        """Up to where everything is told; -1: not looked up yet."""
        self._kept_at = datetime.min.replace(tzinfo=UTC)
        self._stood: dict[str, tuple[int, int, int, int]] = {}
        """What stood in each shared pot with budgets, and how these stood, when it was looked at last."""

    def tell(self) -> int:
        """Look at the next rows and tell what they lead to; how many rows there were of people with a budget."""
        if self._position < 0:
            self._place = self._records.get(PLACE, "all")
            self._position = int(self._place.body["position"]) if self._place is not None else 0
        self._pass_on()
        until = self._index.followed()
        if until <= self._position:
            return 0
        people = self._register.budgeted()
        rows = self._index.after(self._position, parties=[], members=people, limit=PIECE) if people else []
        rows = [row for row in rows if row.position <= until]
        if len(rows) == PIECE:
            until = rows[-1].position
        months: dict[str, set[str]] = {}
        for row in rows:
            if row.member in people:
                # The day is the provider's: in the calendar of a budget it may be the one before or behind.
                months.setdefault(row.member, set()).update(_months(row.day))
        for member, touched in months.items():
            self._tell(member, touched, until)
        self._tell_pots(until)
        self._position = until
        self._remember()
        return len(rows)

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
        # A day earlier than any calendar's month before this one.
        since = add_months((now.date() - _DAY).replace(day=1), -1)
        spent = spent_on_care(pot, self._tenant, since, self._money)
        for budget in budgets:
            if budget.member and not belongs(budget.member, pot.id, self._records):
                continue
            today = local_date(now, budget.zone).replace(day=1)
            days = by_day(spent, budget, self._tenant)
            as_own = Budget(pot.id, budget.amount, pot.currency, budget.zone)
            for month in [one.isoformat()[:7] for one in (add_months(today, -1), today)]:
                used = spent_in(month, days)
                for step in reached(used, budget.amount):
                    self._keep(holder, budget.name, as_own, month, step, used, position, about=budget.member)

    def _keep(
        self, member: str, name: str, budget: Budget, month: str, step: int, spent: int, position: int, about: str = ""
    ) -> None:
        words = (member, name, str(budget.amount), f"M{month}", str(step))
        mark = hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:32]
        if self._records.get(MARK, mark) is not None:
            return
        now = self._now()
        body = {
            "what": BUDGET,
            "budget": budget.id,
            "amount": budget.amount,
            "currency": budget.currency,
            "month": month,
            "percent": step,
            "used": spent,
            "at": now.isoformat(),
            **({"member": about} if about else {}),
        }
        whom = frozenset({member})
        notice = Record(NOTICE, _id(position, now, mark), body, members=whom, author="drachm", at=now)
        try:
            self._records.put([Record(MARK, mark, {}, members=whom, author="drachm", at=now), notice])
        except Conflict:
            return  # another process told it at this moment

    def _pass_on(self) -> None:
        """Tell what waits to be told about payments that went back."""
        for waiting in self._records.find(ARREARS, terms=["state=waiting"], limit=PIECE):
            now = self._now()
            notice = Record(
                NOTICE,
                _id(self._position, now, waiting.id.removeprefix("ntc_")),
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

    def _remember(self) -> None:
        """Keep the place once in a while: a version for each look would be a record of its own length."""
        now = self._now()
        if (now - self._kept_at).total_seconds() < REMEMBER_SECONDS:
            return
        self._kept_at = now
        version = self._place.version if self._place is not None else 0
        place = Record(PLACE, "all", {"position": self._position}, version, author="drachm", at=now)
        try:
            [self._place] = self._records.put([place])
        except Conflict:
            self._place = self._records.get(PLACE, "all")


def notices_of(member: str, records: Records, *, after: str = "", limit: int = 100) -> list[Record]:
    """What a member was told, oldest first."""
    return records.find(NOTICE, after=after, limit=limit, members=[member])


def keep_telling(notices: Notices, stopping: threading.Event) -> None:
    """Tell until `stopping` is set; a silent database is asked again."""

    def look() -> float:
        return 0.0 if notices.tell() >= PIECE else PAUSE_SECONDS

    over_and_over(look, stopping, _log, "nobody could be told about budgets", broken=BROKEN_SECONDS)


def _id(position: int, now: datetime, mark: str) -> str:
    """Notices stand in the order in which they were told."""
    return f"ntc_{position:020d}_{int(now.timestamp() * 1_000):013d}{mark[:12]}"


def _months(day: date) -> Collection[str]:
    return {f"M{(day + shift).isoformat()[:7]}" for shift in (-_DAY, timedelta(), _DAY)}
