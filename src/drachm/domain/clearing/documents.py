"""Which published documents are in force, ready to use?

Plans, price books and expense rules are immutable and known by hash; here they stand compiled, found by id and local
service date: the version that begins last of those whose days hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from drachm.domain.benefits import Plan, Stack, build_stack, load_plan
from drachm.domain.catalog import Books, price
from drachm.domain.catalog.model import PricedEvent
from drachm.domain.clearing.answer import Answer
from drachm.domain.clearing.model import Cover, Snapshot
from drachm.domain.clearing.premises import Premises
from drachm.domain.events.model import ServiceEvent
from drachm.domain.funding.expenses import ExpenseRules
from drachm.domain.local_day import local_date
from drachm.domain.succession import latest_first

EVER: Final = (date.min, date.max)
PAID: Final = "answer_paid"
"""The fact by which an outside payer's answer says what it pays; micros."""


class Version:
    """What a line needs of the version of a plan that is in force."""

    __slots__ = ("end", "hash", "payer", "start", "zone")

    def __init__(self, plan: Plan, start: date, end: date) -> None:
        self.hash = plan.hash
        self.payer = plan.payer
        self.zone = plan.zone
        self.start = start
        """From this day of the plan's calendar on no other version holds ..."""
        self.end = end
        """... up to this one."""


def around(day: date, first: date, behind: date | None, start: date, end: date) -> tuple[date, date]:
    """Of the days from `start` to before `end`, those around `day` that lie in a period (`first` to before `behind`) as
    `day` does, or outside as it does."""
    for edge in (first, behind):
        if edge is None:
            continue
        if edge <= day:
            start = max(start, edge)
        else:
            end = min(end, edge)
    return start, end


class Documents:
    """Compiled plans and price books of one tenant, each once; nothing is ever changed."""

    def __init__(
        self, plans: Iterable[Plan] = (), books: Books | None = None, expenses: Iterable[ExpenseRules] = ()
    ) -> None:
        self._plans: dict[str, tuple[Plan, ...]] = {}
        """By id, the one that begins last first."""
        self._in_force: dict[str, Version] = {}
        """By id of the plan, as it was last found."""
        self._by_hash: dict[str, Plan] = {}
        self._stacks: dict[tuple[str, ...], Stack] = {}
        self._books = books if books is not None else Books(())
        versions: dict[str, list[Plan]] = {}
        for plan in plans:
            self._by_hash[plan.hash] = plan
            versions.setdefault(plan.id, []).append(plan)
        for plan_id, known in versions.items():
            self._plans[plan_id] = latest_first(known)
        rules: dict[str, list[ExpenseRules]] = {}
        for one in expenses:
            rules.setdefault(one.id, []).append(one)
        self._expenses = {name: latest_first(known) for name, known in rules.items()}
        """By id, the one that begins last first."""

    def plan(self, plan_id: str, at: datetime) -> Plan | None:
        """The version of a plan in force on the service date, each asked in its own zone."""
        for plan in self._plans.get(plan_id, ()):
            if local_date(at, plan.zone) in plan.effective:
                return plan
        return None

    def version(self, plan_id: str, at: datetime, day: date, zone: str) -> Version | None:
        """The same for somebody who keeps it; `day` is the local service date in `zone`.

        It holds on no day where the versions count their days in several zones.
        """
        known = self._in_force.get(plan_id)
        if known is not None and known.start <= (day if zone == known.zone else local_date(at, known.zone)) < known.end:
            return known
        plan = self.plan(plan_id, at)
        if plan is None:
            return None
        versions, here = self._plans[plan_id], local_date(at, plan.zone)
        (start, end), one_calendar = EVER, all(one.zone == plan.zone for one in versions)
        for one in versions:
            start, end = around(here, one.effective.start, one.effective.end, start, end)
        found = self._in_force[plan_id] = Version(plan, start, end if one_calendar else date.min)
        return found

    def expenses(self, rules_id: str, at: datetime) -> ExpenseRules | None:
        """The version of expense rules in force on the service date, each asked in its own zone."""
        for rules in self._expenses.get(rules_id, ()):
            if local_date(at, rules.zone) in rules.effective:
                return rules
        return None

    def by_hash(self, plan_hash: str) -> Plan | None:
        """The plan with this content hash."""
        return self._by_hash.get(plan_hash)

    def stack(self, covers: Sequence[Cover], answer: Answer | None = None) -> Stack:
        """The compiled stack of the covers, an outside payer's answer standing in for its own plan."""
        hashes = tuple([cover.plan_hash for cover in covers])
        name = hashes if answer is None else (*hashes, answer.payer)
        stack = self._stacks.get(name)
        if stack is None:
            plans = [self._by_hash[one] for one in hashes]
            if answer is not None:
                plans = [_answered(plan) if plan.payer == answer.payer else plan for plan in plans]
            stack = self._stacks[name] = build_stack(plans)
        return stack

    def price(self, event: ServiceEvent, at: Snapshot, premises: Premises) -> PricedEvent:
        """The event with its price under the contract; an outside payer's answer brings its own allowed amount.

        Raises `Pended` for what the price book cannot price.
        """
        priced = price(event, self._books, premises.context(at.contract, at.day, self_pay=not at.covers))
        if at.answer is None:
            return priced
        return PricedEvent(
            billed=priced.billed,
            allowed=at.answer.allowed,
            currency=priced.currency,
            category=priced.category,
            book=priced.book,
            rule=f"answer {at.answer.id}",
            display=priced.display,
            facts=priced.facts,
        )


def _answered(plan: Plan) -> Plan:
    """What an outside payer decided, as an ordinary document: it pays what it says and leaves the rest."""
    return load_plan(
        {
            "id": plan.id,
            "version": f"{plan.version}, answered",
            "payer": plan.payer,
            "currency": plan.currency,
            "zone": plan.zone,
            "effective": {"from": "1900-01-01"},
            "rounding": {"unit": 1, "mode": "half_up"},
            "remainder": "patient",
            "facts": {PAID: "money"},
            "steps": [{"id": "answer", "kind": "pay", "amount": {"fact": PAID}, "clause": "answer"}],
        }
    )
