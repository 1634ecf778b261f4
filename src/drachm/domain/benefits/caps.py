"""What does a rule over a whole month say about this one event?

`period_cap` (docs/reference/plan-model.md, section 5): the pool's registers S (the patient's amounts), C (cost) and R
(relief given) are functions of sums, so however a month is cut into events, its totals come out the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from drachm.domain.benefits.amounts import amount_of, portion_of, rate_of
from drachm.domain.benefits.pools import Line, Pool, enter
from drachm.domain.benefits.rules import CapCase, PeriodCap
from drachm.domain.benefits.script import Owed, Paid, added
from drachm.domain.benefits.totals import used_test
from drachm.domain.benefits.turn import Turn
from drachm.domain.money import MICROS


class _Cap(NamedTuple):
    """The locals of the cap of the cases that may hold; where `optional`, `fixed` is None on lines without a cap."""

    fixed: str
    threshold: str
    rate: str
    optional: bool


def period_cap(turn: Turn, rule: PeriodCap, *, closing: bool = False) -> None:
    """One cap; a `closing` one looks at every document's components instead of its own."""
    cap = _cap_of(turn, rule, rule.cap)
    if cap is None:
        return
    with turn.script.block_if(f"{cap.fixed} is not None" if cap.optional else ""):
        _capped(turn, rule, cap, closing)


def _capped(turn: Turn, rule: PeriodCap, cap: _Cap, closing: bool) -> None:
    script = turn.script
    if not closing and turn.before_caps:
        script.write(f"if {turn.before_caps} is None: {turn.before_caps} = {added(turn.shares())}")
    counted = [
        owed
        for owed in (script.owed if closing else turn.owed)
        if not owed.excess and (rule.counts is None or owed.component in rule.counts)
    ]
    credited = "".join(f" - {one}" for one in (script.credits if closing else turn.credits))
    covered = turn.covered if closing else " - ".join([turn.start, *turn.excess()])
    needs = rule.qualify is not None and rule.qualify.needs is not None
    line = Line(
        script.let("share", added([owed.amount for owed in counted]) + credited),
        script.let("cost", covered) if rule.of_covered else "cost",
        rule.qualify is not None and rule.qualify.needs is not None and turn.holds(rule.qualify.needs),
    )
    pool = Pool(turn, rule)
    before, after = enter(turn, rule, pool, line)
    limit = _limit(turn, cap, after.cost)
    relief = f"{after.share} - {limit} if {after.share} > {limit}{f' and {after.needs}' if needs else ''} else 0"
    relief = script.let("relief", relief)
    given = script.used(pool.key("R"))
    if not rule.recover:
        script.write(f"if {relief} < {given}: {relief} = {given}")
    due = script.zero("due")
    script.write(f"{due} = {relief} - {given}")
    change = script.zero("change")
    script.write(f"{change} = {due}")
    script.add(pool.key("R"), change)
    why = f"({rule.id!r}, {before}, {limit})"
    with script.block(f"if {due}:"):
        for owed in [] if rule.refund else reversed(counted):
            if closing:
                _pay_component(turn, rule, owed, due, why)
            else:
                turn.give_back(rule, owed, due, why)
        _credit(turn, rule, due, pool.period, why, closing)


def _cap_of(turn: Turn, rule: PeriodCap, cases: Sequence[CapCase]) -> _Cap | None:
    """The cap of the first case that holds; None when there is no cap on any line."""
    script = turn.script
    for position, case in enumerate(cases):
        if not turn.holds(case.when):
            continue
        test = used_test(turn, case.when_used)
        if not test:
            return _case(turn, rule, case)
        fixed, threshold, rate = (script.name(word) for word in ("fixed", "threshold", "rate"))
        optional = False
        with script.block(f"if {test}:"):
            optional = _assign(turn, _case(turn, rule, case), (fixed, threshold, rate))
        with script.block("else:"):
            optional |= _assign(turn, _cap_of(turn, rule, cases[position + 1 :]), (fixed, threshold, rate))
        return _Cap(fixed, threshold, rate, optional)
    return None


def _assign(turn: Turn, cap: _Cap | None, names: tuple[str, str, str]) -> bool:
    """Let the names be what a case says; gives whether there may be no cap."""
    said = ("None", "0", "0") if cap is None else cap[:3]
    turn.script.write(f"{', '.join(names)} = {', '.join(said)}")
    return cap is None or cap.optional


def _case(turn: Turn, rule: PeriodCap, case: CapCase) -> _Cap | None:
    """Scaled amounts are floored; the rate is never scaled."""
    script = turn.script
    base = amount_of(turn, case.base)
    if base is None:
        return None
    if base.optional:
        names = (script.name("fixed"), script.name("threshold"), script.name("rate"))
        with script.block(f"if {base.text} is None:"):
            _assign(turn, None, names)
        with script.block("else:"):
            _assign(turn, _scaled(turn, rule, case, base.text), names)
        return _Cap(*names, True)
    return _scaled(turn, rule, case, base.text)


def _scaled(turn: Turn, rule: PeriodCap, case: CapCase, base: str) -> _Cap:
    script = turn.script
    scale = next((one.ppm for one in rule.scale if turn.holds(one.when)), MICROS)
    over, rate = amount_of(turn, case.over), rate_of(turn, case.ppm)

    def scaled(word: str, amount: str) -> str:
        if amount.isdecimal():
            return repr(int(amount) * scale // MICROS)
        return script.let(word, amount if scale == MICROS else f"{amount} * {scale} // {MICROS}")

    return _Cap(
        scaled("fixed", base),
        "0" if over is None else scaled("threshold", f"({over.text} or 0)" if over.optional else over.text),
        "0" if rate is None else script.let("rate", f"{rate.text} or 0") if rate.optional else rate.text,
        False,
    )


def _limit(turn: Turn, cap: _Cap, cost: str) -> str:
    """The cap at the pool's cost."""
    if cap.rate == "0":
        return cap.fixed
    script = turn.script
    above = script.let("above", f"max(0, {cost} - {cap.threshold})")
    return script.let("limit", f"{cap.fixed} + {portion_of(turn, above, cap.rate)}")


def _credit(turn: Turn, rule: PeriodCap, due: str, period: str, why: str, closing: bool) -> None:
    """A transfer for earlier events of the pool: to the patient, or back from the patient when negative."""
    script, plan = turn.script, turn.plan
    credit = script.zero("credit")
    with script.block(f"if {due}:"):
        script.write(f"{credit} = {due}")
        said = f"{plan.payer!r}, {credit}, {plan.id!r}, {rule.id!r}, {script.said(period)}"
        script.write(f"credits += (new(Credit, ({said})),)")
        turn.note(rule, credit, f"credit:{plan.payer}", why)
    script.credits.append(credit)
    if not closing:
        turn.credits.append(credit)


def _pay_component(turn: Turn, rule: PeriodCap, owed: Owed, due: str, why: str) -> None:
    """After the last document, what the cap takes off a component is paid by the cap's payer."""
    script, plan = turn.script, turn.plan
    amount = script.zero("paid")
    with script.block(f"if {owed.amount} > 0 < {due}:"):
        script.write(f"{amount} = {owed.amount} if {owed.amount} < {due} else {due}")
        script.write(f"{owed.amount} -= {amount}")
        script.write(f"{due} -= {amount}")
        own = owed.document == plan.id
        turn.note(rule, f"-{amount}", owed.component if own else f"{owed.document}/{owed.component}", why)
        turn.note(rule, amount, plan.payer, why)
    script.paid.append(Paid(amount, plan.id, plan.payer, rule.reason))
