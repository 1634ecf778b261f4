"""What does a rule over a whole month say about this one event?

`period_cap` (docs/reference/plan-model.md, section 5): the pool's registers S (the patient's amounts), C (cost) and R
(relief given) are functions of sums, so however a month is cut into events, its totals come out the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from drachm.domain.benefits.amounts import compile_amount
from drachm.domain.benefits.conditions import Test
from drachm.domain.benefits.document import PeriodCap, Qualify
from drachm.domain.benefits.model import Credit, Key
from drachm.domain.benefits.naming import key, name_of, period_of, scope_of
from drachm.domain.benefits.registers import Bound, Entry, Payment, Registers
from drachm.domain.benefits.totals import Terms, UsedTest, pool_name
from drachm.domain.money import MICROS, portion


class Entering(NamedTuple):
    """What one line brings to a pool."""

    share: int
    cost: int
    meets_needs: bool


class Pooled(NamedTuple):
    """The pool's sums with the line in it."""

    share: int
    cost: int
    needs: int


def compile_period_cap(rule: PeriodCap, terms: Terms, *, closing: bool) -> Callable[[Registers], None]:
    """The callable of one cap; a `closing` one looks at every document's components instead of its own."""
    pool = _Pool(rule, terms)
    cap_of = _cap(rule, terms)
    counts, of_covered, recover, refund = rule.counts, rule.of_covered, rule.recover, rule.refund
    needs = terms.conditions.test(rule.qualify.needs) if rule.qualify and rule.qualify.needs else None
    needs_asked = rule.qualify is not None and rule.qualify.needs is not None

    def act(registers: Registers) -> None:
        cap = cap_of(registers)
        if cap is None:
            return
        if not closing and registers.own_before_caps is None:
            registers.own_before_caps = registers.shares()
        counted = _counted(registers, counts, closing)
        credited = sum(one.amount for one in registers.work.credits) if closing else registers.credited
        cost = _covered(registers) if of_covered else registers.work.cost
        entering = Entering(
            sum(entry.amount for entry in counted) - credited, cost, needs is None or needs(registers.facts)
        )
        before = pool.read(registers)
        after = pool.enter(registers, before, entering)
        limit = cap(after.cost)
        relief = 0 if needs_asked and after.needs == 0 else max(0, after.share - limit)
        given = pool.relief(registers)
        if not recover:
            relief = max(relief, given)
        pool.give(registers, relief - given)
        if relief != given:
            why: Bound = (0, rule.id, before.share, limit)
            credit = _lower(rule, terms, registers, [] if refund else counted, relief - given, why, closing)
            if credit:
                _credit(rule, terms, registers, credit, pool.period(registers), why, closing)

    terms.key_makers.append(pool.all_keys)
    return act


def _counted(registers: Registers, counts: frozenset[str] | None, closing: bool) -> list[Entry]:
    """The share components that the patient bears and that enter the pool, in the order in which they were taken."""
    entries = registers.work.entries if closing else registers.entries
    return [entry for entry in entries if not entry.excess and (counts is None or entry.component in counts)]


def _covered(registers: Registers) -> int:
    return registers.start - registers.excess


def _cap(rule: PeriodCap, terms: Terms) -> Callable[[Registers], Callable[[int], int] | None]:
    """The cap as a function of the pool's cost, by the first case that holds; None when there is no cap."""
    cases = [
        (
            terms.conditions.test(case.when),
            terms.when_used(case.when_used),
            compile_amount(case.base, terms),
            compile_amount(case.over, terms),
            compile_amount(case.ppm, terms),
        )
        for case in rule.cap
    ]
    scales = [(terms.conditions.test(one.when), one.ppm) for one in rule.scale]
    unit, mode = terms.unit, terms.mode

    def cap_of(registers: Registers) -> Callable[[int], int] | None:
        facts = registers.facts
        found = next((case for case in cases if _fits(case[0], case[1], registers)), None)
        base = found[2](registers) if found else None
        if found is None or base is None:
            return None
        _, _, _, over_of, rate_of = found
        scale = next((ppm for holds, ppm in scales if holds is None or holds(facts)), MICROS)
        # Scaled amounts are floored; the rate is never scaled.
        fixed = base * scale // MICROS
        threshold = (over_of(registers) or 0) * scale // MICROS
        rate = rate_of(registers) or 0
        return lambda cost: fixed + (portion(max(0, cost - threshold), rate, unit, mode) if rate else 0)

    return cap_of


def _fits(when: Test | None, when_used: UsedTest | None, registers: Registers) -> bool:
    return (when is None or when(registers.facts)) and (when_used is None or when_used(registers))


def _lower(
    rule: PeriodCap, terms: Terms, registers: Registers, counted: list[Entry], due: int, why: Bound, closing: bool
) -> int:
    """Lower the line's own components, last taken first, by what is due; gives what is left of it."""
    for entry in reversed(counted):
        amount = min(entry.amount, due)
        if amount <= 0:
            continue
        if closing:
            _pay_component(rule, terms, registers, entry, amount, why)
        else:
            registers.give_back(rule, entry, amount, why)
        due -= amount
    return due


def _credit(
    rule: PeriodCap, terms: Terms, registers: Registers, amount: int, period: str, why: Bound, closing: bool
) -> None:
    """A transfer for earlier events of the pool: to the patient, or back from the patient when negative."""
    registers.work.credits.append(Credit(terms.payer, amount, terms.plan.id, rule.id, period))
    if not closing:
        registers.credited += amount
    registers.note(rule, amount, f"credit:{terms.payer}", why)


def _pay_component(rule: PeriodCap, terms: Terms, registers: Registers, entry: Entry, amount: int, why: Bound) -> None:
    """After the last document, what the cap takes off a component is paid by the cap's payer."""
    entry.amount -= amount
    if entry.document:
        own = entry.document == terms.plan.id
        registers.note(rule, -amount, entry.component if own else f"{entry.document}/{entry.component}", why)
    registers.work.payments.append(Payment(terms.plan.id, terms.payer, "plan_paid", amount, rule.reason))
    registers.note(rule, amount, terms.payer, why)


class _Pool:
    """The registers of a pool, made of buckets where the rule has `qualify`."""

    def __init__(self, rule: PeriodCap, terms: Terms) -> None:
        self._scope = scope_of(rule.pool.scope)
        self._name = pool_name(rule, terms.plan)
        self.period = period_of(rule.pool.period, terms.plan.benefit_year)
        self._qualify: Qualify | None = rule.qualify
        self._bucket = name_of("", rule.qualify.by, ("{", "}")) if rule.qualify else None
        self._floor = compile_amount(rule.qualify.floor if rule.qualify else None, terms)
        self._counts_needs = rule.qualify is not None and rule.qualify.needs is not None

    def _keys(self, registers: Registers, bucket: str = "") -> Callable[[str], Key]:
        scope, period = self._scope(registers.line), self.period(registers)
        name = f"{self._name(registers.facts)}{bucket}#"
        return lambda register: key(scope, name + register, period)

    def read(self, registers: Registers) -> Pooled:
        pool, totals = self._keys(registers), registers.work.totals
        needs = totals.get(pool("N"), 0) if self._counts_needs else 0
        return Pooled(totals.get(pool("S"), 0), totals.get(pool("C"), 0), needs)

    def relief(self, registers: Registers) -> int:
        return registers.work.totals.get(self._keys(registers)("R"), 0)

    def give(self, registers: Registers, difference: int) -> None:
        registers.work.add(self._keys(registers)("R"), difference)

    def enter(self, registers: Registers, before: Pooled, line: Entering) -> Pooled:
        """Write the line into the pool and give the pool's sums with it."""
        if self._bucket is None:
            change = Pooled(line.share, line.cost, 0)
        else:
            change = self._enter_bucket(registers, line, self._bucket(registers.facts))
        pool, work = self._keys(registers), registers.work
        work.add(pool("S"), change.share)
        work.add(pool("C"), change.cost)
        if self._counts_needs:
            work.add(pool("N"), change.needs)
        return Pooled(before.share + change.share, before.cost + change.cost, before.needs + change.needs)

    def _enter_bucket(self, registers: Registers, line: Entering, name: str) -> Pooled:
        """A bucket counts, as a whole, while it holds a line and the own shares in it reach the floor."""
        bucket, work = self._keys(registers, name), registers.work
        floor = self._floor(registers) or 0
        own = registers.own_before_caps or 0
        needs = int(self._counts_needs and line.meets_needs)
        added = {"O": own, "S": line.share, "C": line.cost, "L": 1, "N": needs}
        before = {register: work.totals.get(bucket(register), 0) for register in added}
        for register, amount in added.items():
            work.add(bucket(register), amount)
        after = {register: before[register] + amount for register, amount in added.items()}
        change = dict.fromkeys(added, 0)
        for sums, sign in ((before, -1), (after, 1)):
            if sums["L"] > 0 and sums["O"] >= floor:
                change = {register: change[register] + sign * sums[register] for register in added}
        return Pooled(change["S"], change["C"], change["N"])

    def all_keys(self, registers: Registers) -> Iterator[Key]:
        pool = self._keys(registers)
        yield from (pool(register) for register in ("S", "C", "R"))
        if self._counts_needs:
            yield pool("N")
        if self._bucket is not None:
            bucket = self._keys(registers, self._bucket(registers.facts))
            yield from (bucket(register) for register in ("O", "S", "C", "L"))
            if self._counts_needs:
                yield bucket("N")
