"""What does a rule over a whole month say about this one event?

`period_cap` (docs/reference/plan-model.md, section 5): the pool's registers S (the patient's amounts), C (cost) and R
(relief given) are functions of sums, so however a month is cut into events, its totals come out the same.
"""

from __future__ import annotations

from collections.abc import Callable

from drachm.domain.benefits.amounts import compile_amount, compile_rate
from drachm.domain.benefits.conditions import Test
from drachm.domain.benefits.model import Credit
from drachm.domain.benefits.pools import Pool, Sums, register
from drachm.domain.benefits.registers import Bound, Entry, Payment, Registers
from drachm.domain.benefits.rules import PeriodCap
from drachm.domain.benefits.totals import Terms, UsedTest
from drachm.domain.money import MICROS, portion


def compile_period_cap(rule: PeriodCap, terms: Terms, *, closing: bool) -> Callable[[Registers], None]:
    """The callable of one cap; a `closing` one looks at every document's components instead of its own."""
    pool = Pool(rule, terms)
    cap_of = _cap(rule, terms)
    counts, of_covered, recover, refund = rule.counts, rule.of_covered, rule.recover, rule.refund
    needs = terms.conditions.test(rule.qualify.needs) if rule.qualify and rule.qualify.needs else None
    needs_asked = rule.qualify is not None and rule.qualify.needs is not None

    def act(registers: Registers) -> None:
        cap = cap_of(registers)
        if cap is None:
            return
        work = registers.work
        if not closing and registers.own_before_caps is None:
            registers.own_before_caps = registers.shares()
        counted = _counted(registers, counts, closing)
        credited = sum([one.amount for one in work.credits]) if closing else registers.credited
        share = sum([entry.amount for entry in counted]) - credited
        cost = registers.start - registers.excess if of_covered else work.cost
        meets_needs = needs_asked and (needs is None or needs(registers.facts))
        place = pool.place(registers)
        before, after = pool.enter(registers, place, Sums(share, cost, int(meets_needs)))
        limit = cap(after.cost)
        relief = 0 if needs_asked and after.needs == 0 else max(0, after.share - limit)
        given = work.totals.get(register(place, "R"), 0)
        if not recover:
            relief = max(relief, given)
        if relief != given:
            work.add(register(place, "R"), relief - given)
            why: Bound = (0, rule.id, before, limit)
            credit = _lower(rule, terms, registers, [] if refund else counted, relief - given, why, closing)
            if credit:
                _credit(rule, terms, registers, credit, place[2], why, closing)

    terms.key_makers.append(pool.all_keys)
    return act


def _counted(registers: Registers, counts: frozenset[str] | None, closing: bool) -> list[Entry]:
    """The share components that the patient bears and that enter the pool, in the order in which they were taken."""
    entries = registers.work.entries if closing else registers.entries
    return [entry for entry in entries if not entry.excess and (counts is None or entry.component in counts)]


def _cap(rule: PeriodCap, terms: Terms) -> Callable[[Registers], Callable[[int], int] | None]:
    """The cap as a function of the pool's cost, by the first case that holds; None when there is no cap."""
    cases = [
        (
            terms.conditions.test(case.when),
            terms.when_used(case.when_used),
            compile_amount(case.base, terms),
            compile_amount(case.over, terms),
            compile_rate(case.ppm, terms),
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
    own = entry.document == terms.plan.id
    registers.note(rule, -amount, entry.component if own else f"{entry.document}/{entry.component}", why)
    registers.work.payments.append(Payment(terms.plan.id, terms.payer, "plan_paid", amount, rule.reason))
    registers.note(rule, amount, terms.payer, why)
