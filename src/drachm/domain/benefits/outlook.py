"""What does a plan say of a day, when only a part of the facts is known?

The facts of care are not there yet: a condition may hold, fail, or wait for one of them; an amount or a running total
may wait likewise. What was waited for is kept in `Outlook.missing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from drachm.domain.benefits import naming
from drachm.domain.benefits.document import Accumulator, Plan, ReliefMonths
from drachm.domain.benefits.facts import fits
from drachm.domain.benefits.model import Key
from drachm.domain.benefits.rules import PeriodCap, Scope
from drachm.domain.benefits.words import Amount, AnyOf, Cases, Condition, FromFact, Not, OneOf, Part, WhenUsed
from drachm.domain.events.model import Fact
from drachm.domain.money import portion
from drachm.domain.periods import Period, days_back, month_of, quarter_of, year_containing

TOLD_BY_CARE: Final = frozenset(
    ("category", "service", "code_system", "emergency", "authorised", "filing_days", "place_of_service", "network")
)
"""Facts that every line brings along: unless they are given, no default stands for them."""
Read = Callable[[Key], int]
Known = Fact | None
"""None: known to be absent."""


class Unknown:
    """Nobody knows yet."""


UNKNOWN: Final = Unknown()
Value = Known | Unknown


@dataclass(frozen=True, slots=True)
class Asked:
    """About whom, when, and what is known."""

    plan: Plan
    day: date
    """Local service date in the plan's zone."""
    member: str
    family: str
    policy: str
    payers: str
    """The built-in fact `payer_set`."""
    facts: Mapping[str, Fact]
    """What is known of member, cover and provider."""
    used: Read
    """A running total; 0 when there is none."""


class Outlook:
    """One look at the plan with what is known and one choice of what is not."""

    def __init__(self, asked: Asked, choice: Mapping[str, Known], hidden: frozenset[str] = frozenset()) -> None:
        self.plan = asked.plan
        self.missing: set[str] = set(hidden)
        self._asked = asked
        self._choice = choice

    def value(self, name: str) -> Value:
        """A fact; `UNKNOWN` where only care would tell."""
        asked = self._asked
        if name in self._choice:
            return self._choice[name]
        built_in = {"member": asked.member, "date": asked.day.isoformat(), "payer_set": asked.payers}
        if name in built_in:
            return built_in[name]
        if name == "third_party_help":
            return asked.facts.get(name, 0)
        for band in self.plan.bands:
            if band.fact == name:
                number = self.value(band.of)
                if number is UNKNOWN or number is None:
                    return number
                below = sum(bound <= cast(int, number) for bound in band.bounds)
                return band.words[below]
        declared = self.plan.facts.get(name)
        if name in asked.facts:
            given = asked.facts[name]
            return UNKNOWN if declared is not None and not fits(declared)(given) else given
        if declared is None or name in TOLD_BY_CARE:
            return UNKNOWN
        if declared.required:
            return False if declared.kind == "flag" else UNKNOWN
        return declared.default

    def plainly(self, name: str) -> Known:
        """A fact as it splits a total; an unknown one is missing, and absent."""
        value = self.value(name)
        if isinstance(value, Unknown):
            self.missing.add(name)
            return None
        return value

    def truth(self, condition: Condition) -> bool | None:
        """Whether a condition holds; None: a fact that nobody knows yet decides."""
        told: bool | None = True
        for part in condition.parts:
            one = self._part(part)
            if one is False:
                return False
            told = told if one else None
        return told

    def _part(self, part: Part) -> bool | None:
        if isinstance(part, Not):
            inner = self.truth(part.condition)
            return None if inner is None else not inner
        if isinstance(part, AnyOf):
            told = [self.truth(condition) for condition in part.conditions]
            return True if True in told else None if None in told else False
        value = self.value(part.fact)
        if isinstance(value, Unknown):
            self.missing.add(part.fact)
            return None
        if value is None:
            return False
        if isinstance(part, OneOf):
            return value in part.values
        number = cast(Any, value)
        return bool((part.at_least is None or number >= part.at_least) and (part.below is None or number < part.below))

    def amount(self, amount: Amount) -> int | Unknown | None:
        """An amount, None where there is no rule, `UNKNOWN` where a missing fact decides."""
        if amount is None or isinstance(amount, int):
            return amount
        if isinstance(amount, Cases):
            return self._first(amount)
        if isinstance(amount, FromFact):
            given = self._number(amount.fact)
            if given is None or isinstance(given, Unknown) or amount.ppm is None:
                return given
            return portion(given, amount.ppm, self.plan.rounding.unit, self.plan.rounding.mode)
        size = self._number("family_size")
        if size is None or isinstance(size, Unknown):
            return size
        grown = amount.base + amount.per_extra_member * max(0, size - amount.members_included)
        return grown if amount.maximum is None else min(grown, amount.maximum)

    def _number(self, fact: str) -> int | Unknown | None:
        given = self.value(fact)
        if isinstance(given, Unknown):
            self.missing.add(fact)
            return UNKNOWN
        return None if given is None else max(0, cast(int, given))

    def _first(self, cases: Cases) -> int | Unknown | None:
        for case in cases.cases:
            holds = self.truth(case.when)
            if holds is None:
                return UNKNOWN
            ranges = self.in_range(case.when_used) if holds else False
            if ranges is None:
                return UNKNOWN
            if ranges:
                return self.amount(case.value)
        return None

    def in_range(self, ranges: WhenUsed) -> bool | None:
        """Whether totals stand as a rule wants them before a new visit; None where that cannot be told."""
        told: bool | None = True
        for one in ranges:
            total = next(found for found in self.plan.accumulators if found.id == one.accumulator)
            if isinstance(total, Accumulator):
                stem = f"{self.plan.totals_of}/{total.id}"
                used = self.total(stem, total.by, total.scope, total.period, total.rolling_days)
            else:
                used = self._months_with_relief(total)
            if used is None:
                told = None
            elif (one.at_least is not None and used < one.at_least) or (one.below is not None and used >= one.below):
                return False
        return told

    def total(
        self, stem: str, by: tuple[str, ...], scope: Scope, period: str, rolling_days: int, letter: str = ""
    ) -> int | None:
        """What a total holds; None where its name needs a missing fact. A visit that has not begun holds nothing."""
        if period == "visit":
            return 0
        name, periods = self._name(stem, by), self._periods(period, rolling_days)
        if name is None or periods is None:
            return None
        return sum([self._asked.used(Key(self._whose(scope), name + letter, one)) for one in periods])

    def _months_with_relief(self, relief: ReliefMonths) -> int | None:
        """How many of the months before this one saw relief in a monthly cap."""
        steps = (*self.plan.steps, *self.plan.closing_steps)
        pool = next(one.pool for one in steps if isinstance(one, PeriodCap) and one.id == relief.of)
        name = self._name(f"{self.plan.totals_of}/{relief.of}", pool.by)
        if name is None:
            return None
        months = naming.months_before(self._asked.day, relief.months)
        return sum([self._asked.used(Key(self._whose(pool.scope), f"{name}#R", month)) > 0 for month in months])

    def _name(self, stem: str, by: tuple[str, ...]) -> str | None:
        """The name of a total with the values that split it; None where one of them is unknown."""
        values = [self.value(fact) for fact in by]
        unknown = [fact for fact, value in zip(by, values, strict=True) if isinstance(value, Unknown)]
        self.missing.update(unknown)
        if unknown:
            return None
        return stem + (f"[{'|'.join(naming.written(value) for value in values)}]" if by else "")

    def _whose(self, scope: Scope) -> str:
        asked = self._asked
        whose = {"person": asked.member, "family": asked.family, "policy": asked.policy}
        return whose[scope] or asked.member

    def _periods(self, period: str, rolling_days: int) -> tuple[str, ...] | None:
        day = self._asked.day
        if period == "admission":
            # One that nobody named may have begun already.
            admission = self._asked.facts.get("admission")
            if admission is None:
                self.missing.add("admission")
                return None
            return (f"A:{admission}",) if admission else ()
        if period == "rolling_days":
            return naming.days_ending(day, rolling_days)
        if period == "policy_year":
            start = self.value("policy_start")
            if not isinstance(start, str):
                self.missing.add("policy_start")
                return None
            return (naming.policy_year(day, start),)
        return (
            {
                "day": f"D{day.isoformat()}",
                "month": f"M{day.isoformat()[:7]}",
                "quarter": naming.quarter(day),
                "benefit_year": naming.benefit_year(day, *self.plan.benefit_year),
                "lifetime": "L",
            }[period],
        )

    def dates(self, period: str, rolling_days: int) -> Period | None:
        """The days of the period that contains the day."""
        day = self._asked.day
        if period == "rolling_days":
            return days_back(day, rolling_days)
        if period == "policy_year":
            start = self.value("policy_start")
            if not isinstance(start, str):
                return None
            first = date.fromisoformat(start)
            return year_containing(day, first.month, first.day)
        if period == "benefit_year":
            return year_containing(day, *self.plan.benefit_year)
        whole = {"day": lambda one: days_back(one, 1), "month": month_of, "quarter": quarter_of}.get(period)
        return whole(day) if whole is not None else None
