"""How does one document take its turn?

Writes steps 2 to 5 of docs/reference/plan-model.md, section 4: take over, walk the steps that look at lines of this
signature, settle what is left, feed the totals; and the closing steps, after the last document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from drachm.domain.benefits.amounts import expression_of
from drachm.domain.benefits.caps import period_cap
from drachm.domain.benefits.rules import BenefitLimit, Copay, Exclude, PeriodCap, Rule, WaitingPeriod
from drachm.domain.benefits.script import Owed, Paid, added
from drachm.domain.benefits.steps import STEPS, taken_key
from drachm.domain.benefits.totals import feed, used_test
from drachm.domain.benefits.turn import Turn


def run(turn: Turn) -> None:
    """The document's turn. A fact that is missing anywhere pends the line there."""
    script, plan = turn.script, turn.plan
    script.write(f"# {plan.id!r}")
    if plan.starts_from is not None:
        script.write(f"{turn.start} = {expression_of(turn, plan.starts_from)}")
    else:
        _take_over(turn)
    script.write(f"open_ = {turn.start}")
    if any(isinstance(rule, PeriodCap) and rule.qualify for rule in (*plan.steps, *plan.closing_steps)):
        turn.before_caps = script.name("before_caps")
        script.head(f"{turn.before_caps} = None")
    _walk(turn, plan.steps, _write)
    if plan.starts_from is not None:
        _pay_independently(turn)
    else:
        _settle(turn)
    turn.left = "0"
    if any(rule.of_covered for rule in plan.closing_steps):
        # Kept, for later documents may lower what the patient owes.
        turn.covered = script.let("covered", " - ".join([turn.start, *turn.excess()]))
    if turn.before_caps:
        script.write(f"if {turn.before_caps} is None: {turn.before_caps} = {added(turn.shares())}")
    feed(turn)
    _keep_taken(turn)


def close(turn: Turn) -> None:
    """The closing steps, unless the document denied the line."""
    if turn.plan.closing_steps:
        with turn.unless_denied():
            _walk(turn, turn.plan.closing_steps, lambda turn, rule: period_cap(turn, rule, closing=True))


def _walk(turn: Turn, steps: Sequence[Rule], write: Callable[[Turn, Any], None]) -> None:
    """The steps in order. One that may end the line jumps behind the last."""
    script = turn.script
    may_deny = any(isinstance(rule, Exclude | WaitingPeriod | BenefitLimit) for rule in steps)
    if not may_deny:
        for rule in steps:
            _guarded(turn, rule, write)
        return
    turn.denied = script.name("denied")
    script.head(f"{turn.denied} = ''")
    stops = script.stops
    with script.jump():
        for rule in steps:
            if not turn.ended:
                _guarded(turn, rule, write)
        if not turn.ended:
            script.write("break")
    script.stops = stops


def _guarded(turn: Turn, rule: Rule, write: Callable[[Turn, Any], None]) -> None:
    """One step, behind its conditions."""
    if turn.holds(rule.when):
        script = turn.script
        script.write(f"# {rule.kind} {rule.id!r}, {rule.clause!r}")
        test = used_test(turn, rule.when_used)
        with script.block_if(test):
            write(turn, rule)


def _write(turn: Turn, rule: Rule) -> None:
    STEPS[rule.kind](turn, rule)


def _take_over(turn: Turn) -> None:
    """The components leave the patient's hands."""
    script = turn.script
    taken = turn.takes_over()
    script.write(f"{turn.start} = {added([owed.amount for owed in taken])}")
    for owed in taken:
        if owed.document and script.explains:
            with script.block(f"if {owed.amount}:"):
                target = f"{owed.document}/{owed.component}"
                turn.explain("takes_over", "coordination", f"-{owed.amount}", target)
    script.owed = [owed for owed in script.owed if owed not in taken]


def _settle(turn: Turn) -> None:
    """What no step has moved is the payer's, or the patient's `remainder`; the components become owed."""
    script = turn.script
    if turn.plan.remainder == "patient":
        left = _remainder(turn)
        if script.explains:
            with script.block(f"if {left}:"):
                turn.explain("remainder", "remainder", left, "remainder")
    else:
        left = script.let("paid", "open_")
        turn.paid.append(Paid(left, turn.plan.id, turn.plan.payer, "plan_pays"))
        if script.explains:
            with script.block(f"if {left}:"):
                turn.explain("plan_pays", "plan_pays", left, turn.plan.payer)
    script.paid += turn.paid
    script.owed += turn.owed


def _remainder(turn: Turn) -> str:
    left = turn.script.let("remainder", "open_")
    turn.owed.append(Owed(left, turn.plan.id, "", "remainder", "remainder"))
    return left


def _pay_independently(turn: Turn) -> None:
    """Cut what the document would pay to what the patient still owes, and lower that (section 6)."""
    script, plan = turn.script, turn.plan
    would_pay = list(turn.paid)
    if plan.remainder == "patient":
        _remainder(turn)
    else:
        would_pay.append(Paid(script.let("left", "open_"), plan.id, plan.payer, "plan_pays"))
    owed = turn.takes_over()
    turn.paid = []
    with turn.unless_denied():
        for payment in would_pay:
            amount = script.zero("paid")
            script.write(f"{amount} = min({payment.amount}, {added([one.amount for one in owed])})")
            with script.block(f"if {amount} > 0:"):
                _lower(turn, owed, script.let("rest", amount))
                turn.explain("plan_pays", payment.reason, amount, payment.party)
            turn.paid.append(payment._replace(amount=amount))
    script.paid += turn.paid


def _lower(turn: Turn, owed: Sequence[Owed], rest: str) -> None:
    """Lower what the patient owes, last taken first."""
    script = turn.script
    for one in reversed(owed):
        lowered = script.let("lowered", f"{one.amount} if {one.amount} < {rest} else {rest}")
        with script.block(f"if {lowered}:"):
            script.write(f"{one.amount} -= {lowered}")
            script.write(f"{rest} -= {lowered}")
            if one.document:
                turn.explain("coordination", "coordination", f"-{lowered}", f"{one.document}/{one.component}")


def _keep_taken(turn: Turn) -> None:
    """A copay per visit or day remembers what its entry holds at the end of the steps."""
    script = turn.script
    for rule in turn.plan.steps:
        if isinstance(rule, Copay):
            held = [owed.amount for owed in turn.owed if owed.step == rule.id]
            key = taken_key(turn, rule) if held else ""
            if key:
                script.add(key, script.let("taken", held[0]))
