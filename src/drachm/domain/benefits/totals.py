"""How much is used already, and what does this line add?

One `Total` per accumulator of a document: it knows its keys, reads what is used, says what the line has contributed so
far, and is fed at the end of the document's steps (docs/reference/plan-model.md, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from drachm.domain.benefits.conditions import Conditions, Test
from drachm.domain.benefits.document import Accumulator, Plan, ReliefMonths
from drachm.domain.benefits.measures import Measure, Sums, compile_measure, lowered_by_help
from drachm.domain.benefits.model import Key
from drachm.domain.benefits.naming import days_ending, key, months_before, name_of, period_of, scope_of, visit_period
from drachm.domain.benefits.registers import Facts, Registers
from drachm.domain.benefits.rules import PeriodCap
from drachm.domain.benefits.words import WhenUsed

KeyMaker: TypeAlias = Callable[[Registers], Iterable[Key]]
UsedTest: TypeAlias = Callable[[Registers], bool]

COUNTS = frozenset({"units", "lines", "visits"})


class Total:
    """A running total of one document."""

    def __init__(self, accumulator: Accumulator, plan: Plan, index: int, conditions: Conditions) -> None:
        self.id = accumulator.id
        self._index = index
        self._slot = conditions.slot()
        self._scope = scope_of(accumulator.scope)
        stem = f"{plan.totals_of}/{accumulator.id}"
        self._stem = "" if accumulator.by else stem
        self._name = name_of(stem, accumulator.by)
        self._period = period_of(accumulator.period, plan.benefit_year)
        self._rolling_days = accumulator.rolling_days
        self._help_excluded = accumulator.help_excluded
        self._money: list[tuple[Test | None, Measure]] = []
        self._counts: list[tuple[Test | None, str]] = []
        for feed in accumulator.feeds:
            when = conditions.test(feed.when)
            if feed.of in COUNTS:
                self._counts.append((when, feed.of))
            else:
                self._money.append((when, compile_measure(feed.of, plan.payer)))
        self.measure = accumulator.feeds[0].of if accumulator.feeds else ""
        """What feeds it, where it has one feed."""
        self._counts_visits = any(of == "visits" for _, of in self._counts)
        self._key_reads_facts = bool(accumulator.by) or accumulator.period == "policy_year"
        self._of_visit = accumulator.period == "visit"
        self._frozen = accumulator.id in plan.frozen and not self._of_visit

    def key(self, registers: Registers) -> Key:
        """Where the total lives on this line."""
        found = registers.keys[self._index]
        if found is None:
            name = self._stem or self._name(registers.facts)
            found = registers.keys[self._index] = key(self._scope(registers), name, self._period(registers))
        return found

    def used(self, registers: Registers) -> int:
        """The total before the line; of a rolling total, the sum over its days."""
        totals = registers.work.totals
        mine = self.key(registers)
        if not self._rolling_days:
            return totals.get(mine, 0)
        days = days_ending(registers.work.day, self._rolling_days)
        return sum(totals.get(key(mine.scope, mine.name, day), 0) for day in days)

    def used_before_visit(self, registers: Registers) -> int:
        """The total less what earlier lines of the visit added, so that a visit never changes rule midway."""
        if self._of_visit:
            return 0
        used = self.used(registers)
        if self._frozen and registers.line.visit:
            used -= registers.work.totals.get(self._frozen_key(registers), 0)
        return max(0, used)

    def contribution(self, registers: Registers, sums: Sums) -> int:
        """What the money feeds would add if the line ended now and nothing were open."""
        total = 0
        for measure in registers.facts.memo.get(self._slot) or self._active(registers.facts):
            total += measure(registers, sums)
        return total

    def is_fed(self, facts: Facts) -> bool:
        """Whether some feed may add something on a line with these facts."""
        return bool(self._counts or self._active(facts))

    def _feed_holds(self, registers: Registers) -> bool:
        if self._active(registers.facts):
            return True
        facts = registers.facts
        return not registers.denied and any(when is None or when(facts) for when, _ in self._counts)

    def _active(self, facts: Facts) -> list[Measure]:
        """The money measures whose feed looks at this line."""
        found: list[Measure] | None = facts.memo.get(self._slot)
        if found is None:
            found = [measure for when, measure in self._money if when is None or when(facts)]
            facts.memo[self._slot] = found
        return found

    def counts_now(self, registers: Registers) -> int:
        """What the line would add to a total of units, lines or visits."""
        return sum(self._count(registers, of) for when, of in self._counts if when is None or when(registers.facts))

    def feed(self, registers: Registers) -> None:
        """Add the line's final amounts; a denied line is not counted, but its money is."""
        sums: Sums = registers.sums
        if self._help_excluded and registers.facts["third_party_help"]:
            sums = lowered_by_help(registers, registers.facts["third_party_help"])
        amount = self.contribution(registers, sums)
        if self._key_reads_facts and self._feed_holds(registers):
            # Its name is asked for although 0 may be added: a fact that is missing there pends the line.
            self.key(registers)
        if self._counts and not registers.denied:
            amount += self._feed_counts(registers)
        if amount:
            work = registers.work
            work.add(self.key(registers), amount)
            if self._frozen and registers.line.visit:
                work.add(self._frozen_key(registers), amount)

    def all_keys(self, registers: Registers) -> Iterator[Key]:
        """Every key that reading or feeding may touch."""
        mine = self.key(registers)
        yield mine
        if self._rolling_days:
            for day in days_ending(registers.work.day, self._rolling_days):
                yield key(mine.scope, mine.name, day)
        if registers.line.visit:
            if self._frozen:
                yield self._frozen_key(registers)
            if self._counts_visits:
                yield self._companion(registers, "@first:")

    def _feed_counts(self, registers: Registers) -> int:
        total = 0
        new_visit = False
        for when, of in self._counts:
            if when is None or when(registers.facts):
                count = self._count(registers, of)
                total += count
                new_visit = new_visit or (of == "visits" and count > 0)
        if new_visit and registers.line.visit:
            registers.work.add(self._companion(registers, "@first:"), 1)
        return total

    def _count(self, registers: Registers, of: str) -> int:
        if of == "units":
            return registers.line.quantity
        if of == "visits" and registers.line.visit:
            return 0 if registers.work.totals.get(self._companion(registers, "@first:"), 0) else 1
        return 1

    def _frozen_key(self, registers: Registers) -> Key:
        """What the visit added to this very total; a rolling total's days are one."""
        mine = self.key(registers)
        period = "" if self._rolling_days else f"@{mine.period}"
        name = f"{mine.name}@visit:{registers.line.member}{period}"
        return key(mine.scope, name, visit_period(registers))

    def _companion(self, registers: Registers, sign: str) -> Key:
        mine = self.key(registers)
        return key(mine.scope, f"{mine.name}{sign}{registers.line.member}", visit_period(registers))


class Relief:
    """How many of the months before this one saw relief in a monthly cap; it has no key of its own."""

    def __init__(self, accumulator: ReliefMonths, plan: Plan) -> None:
        self.id = accumulator.id
        steps = (*plan.steps, *plan.closing_steps)
        step = next(one for one in steps if isinstance(one, PeriodCap) and one.id == accumulator.of)
        self._scope = scope_of(step.pool.scope)
        self._name = pool_name(step, plan)
        self._months = accumulator.months

    def used_before_visit(self, registers: Registers) -> int:
        """The number of months with relief."""
        totals = registers.work.totals
        return sum(totals.get(one, 0) > 0 for one in self.all_keys(registers))

    def all_keys(self, registers: Registers) -> Iterator[Key]:
        """The relief register of each month looked at."""
        scope = self._scope(registers)
        name = f"{self._name(registers.facts)}#R"
        for month in months_before(registers.work.day, self._months):
            yield key(scope, name, month)


def pool_name(step: PeriodCap, plan: Plan) -> Callable[..., str]:
    """The name under which a period_cap keeps its registers, without ``#S`` and the like."""
    stem = f"{plan.totals_of}/{step.id}"
    return name_of(stem, step.pool.by) if step.pool.by else lambda facts: stem


class Terms:
    """What the compiled rules of one document share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.unit = plan.rounding.unit
        self.mode = plan.rounding.mode
        self.payer = plan.payer
        self.conditions = Conditions()
        self.totals: dict[str, Total] = {}
        self.reliefs: dict[str, Relief] = {}
        self.key_makers: list[KeyMaker] = []
        """Each names keys that the document may read or write on a line."""
        for index, accumulator in enumerate(plan.accumulators):
            if isinstance(accumulator, Accumulator):
                self.totals[accumulator.id] = total = Total(accumulator, plan, index, self.conditions)
                self.key_makers.append(total.all_keys)
            else:
                self.reliefs[accumulator.id] = relief = Relief(accumulator, plan)
                self.key_makers.append(relief.all_keys)

    def when_used(self, ranges: WhenUsed) -> UsedTest | None:
        """A test of totals as they stood before the visit; None when it always holds."""
        tests = [
            (
                (self.totals.get(one.accumulator) or self.reliefs[one.accumulator]).used_before_visit,
                one.at_least,
                one.below,
            )
            for one in ranges
        ]
        if not tests:
            return None

        def test(registers: Registers) -> bool:
            for used_before_visit, at_least, below in tests:
                used = used_before_visit(registers)
                if (at_least is not None and used < at_least) or (below is not None and used >= below):
                    return False
            return True

        return test
