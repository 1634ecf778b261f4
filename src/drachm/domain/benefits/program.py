"""How does one document take its turn?

A document is compiled once into small callables; a line then walks the list of its steps over one set of registers
(docs/reference/plan-model.md, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from drachm.domain.benefits.amounts import compile_expression
from drachm.domain.benefits.caps import compile_period_cap
from drachm.domain.benefits.conditions import Test, compile_band
from drachm.domain.benefits.document import FactType, Plan
from drachm.domain.benefits.facts import fits, fits_integer
from drachm.domain.benefits.model import Key
from drachm.domain.benefits.registers import SELF_PAY, Entry, Facts, Payment, Registers, Work
from drachm.domain.benefits.rules import Copay
from drachm.domain.benefits.steps import STEPS, Act, taken_key
from drachm.domain.benefits.totals import KeyMaker, Terms, Total, UsedTest
from drachm.domain.errors import Pended
from drachm.domain.events.model import Fact

Guarded: TypeAlias = tuple[Test | None, UsedTest | None, Act]
"""A step behind its conditions."""

MISSING: Final = object()
"""Neither given nor defaulted."""


class Program:
    """One compiled document."""

    def __init__(self, plan: Plan) -> None:
        terms = Terms(plan)
        self.plan = plan
        self.id, self.version, self.payer = plan.id, plan.version, plan.payer
        self.independent = plan.starts_from is not None
        self.total_count = len(plan.accumulators)
        self.applies = terms.conditions.test(plan.applies)
        self.key_makers = terms.key_makers
        self._facts = [(name, fits(fact), _default(fact)) for name, fact in plan.facts.items()]
        self._origins = {band.fact: band.of for band in plan.bands}
        self._bands = [compile_band(band) for band in plan.bands]
        self._totals = list(terms.totals.values())
        self._starts_from = compile_expression(plan.starts_from) if plan.starts_from else None
        self._takes_over = plan.takes_over
        self._keeps = plan.remainder == "patient"
        self._steps = [
            (terms.conditions.test(rule.when), terms.when_used(rule.when_used), STEPS[rule.kind](rule, terms))
            for rule in plan.steps
        ]
        self._closing = [
            (
                terms.conditions.test(rule.when),
                terms.when_used(rule.when_used),
                compile_period_cap(rule, terms, closing=True),
            )
            for rule in plan.closing_steps
        ]
        self._steps_slot, self._closing_slot, self._fed_slot = (terms.conditions.slot() for _ in range(3))
        self.recall = terms.conditions.recall
        copays = [rule for rule in plan.steps if isinstance(rule, Copay) and rule.per in ("visit", "day")]
        self._taken = [(rule.id, taken_key(rule, terms)) for rule in copays if rule.amount is not None]
        self.key_makers.extend(_one_key(taken) for _, taken in self._taken)
        self._buckets = any(rule.kind == "period_cap" for rule in plan.closing_steps)

    def facts(self, work: Work) -> Facts:
        """What the document may look at: defaults, then what is given, then the built-in facts and the bands."""
        line = work.line
        given = line.facts
        if self.id in line.document_facts:
            given = {**given, **line.document_facts[self.id]}
        facts = Facts()
        facts.memo = {}
        facts.origins = self._origins
        for name, fitting, default in self._facts:
            value = given.get(name, MISSING)
            if value is not MISSING:
                if not fitting(value):
                    raise self._invalid(name)
                facts[name] = value
            elif default is not MISSING:
                facts[name] = default
        facts["member"] = line.member
        facts["date"] = work.day_text
        facts["visit"] = line.visit
        facts["quantity"] = line.quantity
        facts["third_party_help"] = self._help(given) if "third_party_help" in given else 0
        for add_band in self._bands:
            add_band(facts)
        return facts

    def _help(self, given: Mapping[str, Fact]) -> int:
        value = given["third_party_help"]
        if not fits_integer(value):
            raise self._invalid("third_party_help")
        return max(0, value)

    def _invalid(self, name: str) -> Pended:
        return Pended(
            "fact_invalid",
            f"the fact {name!r} does not fit what plan {self.id} declares",
            where=name,
            next_step="Correct the fact at its source; the event then clears as a new revision.",
        )

    def taken(self, registers: Registers) -> list[Entry]:
        """The patient's components of earlier documents that this one takes over."""
        names = self._takes_over
        return [
            entry
            for entry in registers.work.entries
            if entry.amount
            and not entry.provider
            and (
                (not entry.excess if names is None else entry.component in names)
                or (entry.component == SELF_PAY and not entry.document)
            )
        ]

    def run(self, registers: Registers) -> None:
        """Steps 2 to 5 of the machine: take over, walk the steps, settle what is left, feed the totals."""
        if self._starts_from is not None:
            registers.start = registers.open = self._starts_from(registers)
        else:
            self._take_over(registers)
        self._walk(self._steps, self._steps_slot, registers)
        if self._starts_from is not None:
            self._pay_independently(registers)
        else:
            self._settle(registers)
        if self._buckets and registers.own_before_caps is None:
            registers.own_before_caps = registers.shares()
        for total in self._fed(registers.facts):
            total.feed(registers)
        if self._taken:
            self._keep_taken(registers)

    def close(self, registers: Registers) -> None:
        """Step 6: the closing steps, after the last document."""
        if self._closing:
            self._walk(self._closing, self._closing_slot, registers)

    def names(self, registers: Registers) -> set[Key]:
        """Every key that the document may read or write on the line; one whose fact is missing cannot be touched."""
        found: set[Key] = set()
        for maker in self.key_makers:
            try:
                found.update(maker(registers))
            except Pended:
                continue
        return found

    def _take_over(self, registers: Registers) -> None:
        for entry in self.taken(registers):
            registers.start += entry.amount
            if entry.document:
                registers.explain("takes_over", "coordination", -entry.amount, f"{entry.document}/{entry.component}")
            entry.amount = 0
        registers.open = registers.start

    def _walk(self, steps: list[Guarded], slot: int, registers: Registers) -> None:
        for when_used, act in registers.facts.memo.get(slot) or _active(steps, slot, registers.facts):
            if when_used is None or when_used(registers):
                act(registers)
                if registers.denied:
                    return

    def _settle(self, registers: Registers) -> None:
        """What no step has moved is the payer's, or the patient's `remainder`; the components become owed."""
        left = registers.open
        if left:
            registers.open = 0
            if self._keeps:
                registers.enter(Entry(self.id, "", "remainder", left, "remainder", False, False))
                registers.explain("remainder", "remainder", left, "remainder")
            else:
                self._pays(registers, self.payer, left, "plan_pays")
        registers.work.payments.extend(registers.payments)
        registers.work.entries.extend(registers.entries)

    def _pays(self, registers: Registers, party: str, amount: int, reason: str) -> None:
        registers.paid[party] = registers.paid.get(party, 0) + amount
        registers.payments.append(Payment(self.id, party, "plan_paid", amount, reason))
        registers.explain("plan_pays", reason, amount, party)

    def _pay_independently(self, registers: Registers) -> None:
        """Cut what the document would pay to what the patient still owes, and lower that (section 6)."""
        would_pay = [] if registers.denied else list(registers.payments)
        left, registers.open = registers.open, 0
        if left and self._keeps:
            registers.enter(Entry(self.id, "", "remainder", left, "remainder", False, False))
        elif left and not registers.denied:
            would_pay.append(Payment(self.id, self.payer, "plan_paid", left, "plan_pays"))
        registers.paid.clear()
        registers.payments.clear()
        owed = self.taken(registers)
        for payment in would_pay:
            amount = min(payment.amount, sum(entry.amount for entry in owed))
            if amount > 0:
                self._lower(registers, owed, amount)
                self._pays(registers, payment.party, amount, payment.reason)
        registers.work.payments.extend(registers.payments)

    def _lower(self, registers: Registers, owed: list[Entry], amount: int) -> None:
        for entry in reversed(owed):
            lowered = min(entry.amount, amount)
            if lowered:
                entry.amount -= lowered
                amount -= lowered
                if entry.document:
                    target = f"{entry.document}/{entry.component}"
                    registers.explain("coordination", "coordination", -lowered, target)

    def _fed(self, facts: Facts) -> list[Total]:
        """The totals that a line with these facts may feed."""
        found: list[Total] | None = facts.memo.get(self._fed_slot)
        if found is None:
            found = facts.memo[self._fed_slot] = [total for total in self._totals if total.is_fed(facts)]
        return found

    def _keep_taken(self, registers: Registers) -> None:
        """A copay per visit or day remembers what its entry holds at the end of the steps."""
        for step, taken_of in self._taken:
            amount = sum(entry.amount for entry in registers.entries if entry.step == step)
            taken = taken_of(registers) if amount else None
            if taken is not None:
                registers.work.add(taken, amount)


def _active(steps: list[Guarded], slot: int, facts: Facts) -> Iterator[tuple[UsedTest | None, Act]]:
    """The steps that look at this line, found one by one: a step behind the one that ends the line is not asked."""
    found = []
    for when, when_used, act in steps:
        if when is None or when(facts):
            found.append((when_used, act))
            yield when_used, act
    facts.memo[slot] = found


def _default(fact: FactType) -> Any:
    """The value of a fact that is not given; a flag is then false."""
    if not fact.required:
        return fact.default
    return False if fact.kind == "flag" else MISSING


def _one_key(taken_of: Callable[[Registers], Key | None]) -> KeyMaker:
    def maker(registers: Registers) -> tuple[Key, ...]:
        taken = taken_of(registers)
        return () if taken is None else (taken,)

    return maker
