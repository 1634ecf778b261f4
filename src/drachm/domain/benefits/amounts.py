"""How much does the rule say?

Amounts, expressions and limits become callables over the registers of one document. None is "no rule".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from drachm.domain.benefits.conditions import Test
from drachm.domain.benefits.measures import Sums
from drachm.domain.benefits.registers import Bound, Registers
from drachm.domain.benefits.rules import Limit
from drachm.domain.benefits.totals import Terms
from drachm.domain.benefits.words import Amount, Cases, Expression, FromFact, Growing
from drachm.domain.money import MICROS, portion

AmountOf: TypeAlias = Callable[[Registers], int | None]
Room: TypeAlias = Callable[[Registers, Sums], Bound | None]


def compile_amount(amount: Amount, terms: Terms) -> AmountOf:
    """An amount as a callable over the registers; None where there is no rule."""
    if isinstance(amount, Cases):
        return _cases(amount, terms)
    if isinstance(amount, FromFact):
        return _from_fact(amount, terms)
    if isinstance(amount, Growing):
        return _growing(amount)
    return lambda registers: amount


def compile_rate(amount: Amount, terms: Terms) -> AmountOf:
    """An amount of parts per million: a fact beyond the whole counts as the whole."""
    rate_of = compile_amount(amount, terms)
    if amount is None or isinstance(amount, int):
        return rate_of

    def rate(registers: Registers) -> int | None:
        given = rate_of(registers)
        return None if given is None else min(given, MICROS)

    return rate


def _cases(amount: Cases, terms: Terms) -> AmountOf:
    cases = [
        (terms.conditions.test(case.when), terms.when_used(case.when_used), compile_amount(case.value, terms))
        for case in amount.cases
    ]

    def value(registers: Registers) -> int | None:
        facts = registers.facts
        for when, when_used, then in cases:
            if (when is None or when(facts)) and (when_used is None or when_used(registers)):
                return then(registers)
        return None

    return value if any(when_used for _, when_used, _ in cases) else _by_facts(cases, terms)


def _by_facts(cases: Sequence[tuple[Test | None, object, AmountOf]], terms: Terms) -> AmountOf:
    """Cases that look at facts alone: which one holds is remembered with the facts."""
    slot = terms.conditions.slot()

    def value(registers: Registers) -> int | None:
        facts = registers.facts
        then: AmountOf | None = facts.memo.get(slot)
        if then is None:
            holding = (then for when, _, then in cases if when is None or when(facts))
            then = facts.memo[slot] = next(holding, _no_rule)
        return then(registers)

    return value


def _no_rule(registers: Registers) -> None:
    return None


def _from_fact(amount: FromFact, terms: Terms) -> AmountOf:
    name, ppm, unit, mode = amount.fact, amount.ppm, terms.unit, terms.mode

    def value(registers: Registers) -> int | None:
        given = registers.facts[name]
        if given is None:
            return None
        # Amounts are not negative, whatever the fact says.
        whole = max(0, int(given))
        return whole if ppm is None else portion(whole, ppm, unit, mode)

    return value


def _growing(amount: Growing) -> AmountOf:
    base, each, included, maximum = amount.base, amount.per_extra_member, amount.members_included, amount.maximum

    def value(registers: Registers) -> int | None:
        size = registers.facts["family_size"]
        if size is None:
            return None
        grown = base + each * max(0, int(size) - included)
        return grown if maximum is None else min(grown, maximum)

    return value


def compile_room(limits: tuple[Limit, ...], terms: Terms) -> Room | None:
    """The least room of a step's limits, given the components that count as contributed; None without limits."""
    entries = [(compile_amount(one.limit, terms), terms.totals[one.accumulator]) for one in limits]
    if not entries:
        return None

    def room(registers: Registers, sums: Sums) -> Bound | None:
        least: Bound | None = None
        for amount, total in entries:
            limit = amount(registers)
            if limit is None:
                continue
            used = total.used(registers)
            left = limit - used - total.contribution(registers, sums)
            if left < 0:
                left = 0
            if least is None or left < least[0]:
                least = (left, total.id, used, limit)
        return least

    return room


def compile_expression(expression: Expression) -> Callable[[Registers], int]:
    """max(0, greatest - less) of section 6."""
    greatest = [_named(name) for name in expression.greatest]
    less = [_named(name) for name in expression.less]

    def value(registers: Registers) -> int:
        most = [given for one in greatest if (given := one(registers)) is not None]
        least = [given for one in less if (given := one(registers)) is not None]
        return max(0, max(most, default=0) - sum(least))

    return value


def _named(name: str) -> AmountOf:
    return _NAMES.get(name) or (lambda registers: registers.facts[name])


def _own_allowed(registers: Registers) -> int:
    """The money fact of that name where it is declared and there, else the cost."""
    fact = registers.program.plan.facts.get("own_allowed")
    given = registers.facts.get("own_allowed")
    return registers.work.cost if fact is None or fact.kind != "money" or given is None else int(given)


def _earlier_paid(registers: Registers) -> int:
    """Paid on the line by earlier documents, credits not counted."""
    return sum(payment.amount for payment in registers.work.payments if payment.component == "plan_paid")


_NAMES: Final[dict[str, AmountOf]] = {
    "billed": lambda registers: registers.line.billed,
    "cost": lambda registers: registers.work.cost,
    "earlier_paid": _earlier_paid,
    "remaining": lambda registers: sum(entry.amount for entry in registers.program.taken(registers)),
    "own_allowed": _own_allowed,
    "own_benefit": lambda registers: registers.open + sum(registers.paid.values()),
    "own_cost_share": lambda registers: registers.shares(),
}
