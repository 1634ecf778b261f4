"""Is every limit that the machine measures told beforehand, as it was? On the generated documents and lives.

`remaining.limits_of` reads a plan without a line; the machine is compiled for lines. What the trace says of a limit
that bound a line (its amount, what was used of it) must be what `limits_of` said of it: exactly where the facts are
known, and as one of its answers, or with the missing facts named, where they are not.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from case_generator import case

from drachm.domain.benefits import apply, build_stack, load_plan, prepare
from drachm.domain.benefits.model import Line
from drachm.domain.benefits.outlook import Asked
from drachm.domain.benefits.remaining import limits_of, takes_part, waiting_of
from drachm.domain.errors import Pended
from drachm.domain.periods import local_date

SEEDS = 260
MEASURED = ("deductible", "out_of_pocket_max", "benefit_limit", "copay", "coinsurance", "pay")


def lives(seeds):
    """Every line that is decided, with the totals before it: (line, plans, totals, answer)."""
    for seed in seeds:
        made = case(seed)
        totals, visits = {}, set()
        stacks = [(first, build_stack([load_plan(one) for one in documents])) for first, documents in made["stacks"]]
        for number, said in enumerate(made["lines"]):
            stack = [stack for first, stack in stacks if first <= number][-1]
            line = Line(**said)
            try:
                answer = prepare(line, stack).decide(totals, explain=True)
            except Pended:
                continue
            if (line.member, line.visit) not in visits or not line.visit:
                # In the middle of a visit rules go by how totals stood before it; who asks has not begun one.
                yield line, stack, totals, answer
            visits.add((line.member, line.visit))
            totals = apply(totals, answer.deltas)


def asked_of(line, plan, payers, totals, *, without=frozenset()):
    own = {"quantity": line.quantity, "visit": line.visit, "admission": line.admission}
    facts = {**line.facts, **line.document_facts.get(plan.id, {}), **own}
    facts = {name: value for name, value in facts.items() if name not in without}
    policy = line.policies.get(plan.id) or line.policy
    return Asked(plan, local_date(line.at, plan.zone), line.member, line.family, policy, payers, facts,
                 lambda key: totals.get(key, 0))  # fmt: skip


def payers_of(line, stack):
    """The payers of the documents that take part."""
    taking = [plan for plan in stack.plans if takes_part(asked_of(line, plan, "", {})) is not False]
    return "+".join(plan.payer for plan in taking)


def measured(answer, plan):
    """Limits that bound the line, where what was used is not of the visit itself."""
    by_visit = {one.id for one in plan.accumulators if getattr(one, "period", "") in ("visit", "admission")}
    banded = {step.id for step in plan.steps if getattr(step, "bands", ())}
    for step in answer.trace:
        there = step.document == plan.id and step.kind in MEASURED and step.accumulator
        if there and step.accumulator not in by_visit and step.step not in banded:
            yield step


def test_limits_and_waiting_periods_are_told_as_they_were_measured() -> None:
    compared: Counter[str] = Counter()
    for line, stack, totals, answer in lives(range(SEEDS)):
        payers = payers_of(line, stack)
        for plan in stack.plans:
            asked = asked_of(line, plan, payers, totals)
            waits = {one.step: one for one in waiting_of(asked)}
            for step in answer.trace:
                if step.document == plan.id and step.kind == "waiting_period":
                    assert waits[step.step].over is False
                    compared["waiting"] += 1
            compared["waited"] += sum(one.over is True for one in waits.values())
            steps = list(measured(answer, plan))
            if not steps:
                continue
            # With every fact of the line: exactly.
            told = limits_of(asked)
            for step in steps:
                mine = [one for one in told if (one.step, one.accumulator) == (step.step, step.accumulator)]
                exact = [one for one in mine if (one.limit, one.used) == (step.limit, step.used)]
                assert exact, (line, plan.id, step, mine)
                compared[step.kind] += 1
            # Without what a line has to bring along: among the answers, or with the missing facts named.
            hidden = {name for name, fact in plan.facts.items() if fact.required and fact.kind != "flag"}
            told = limits_of(asked_of(line, plan, payers, totals, without=hidden))
            for step in steps:
                mine = [one for one in told if (one.step, one.accumulator) == (step.step, step.accumulator)]
                assert any(one.needs or (one.limit, one.used) == (step.limit, step.used) for one in mine), (
                    line, plan.id, step, mine)  # fmt: skip
                compared["partly known"] += 1
    for kind in (*MEASURED, "partly known", "waiting", "waited"):
        assert compared[kind] > 5, compared
