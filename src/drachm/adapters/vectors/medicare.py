"""Medicare: which documents say the secondary payment and the phases of the drug benefit?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from drachm.adapters.vectors.document import (
    MEMBER,
    Document,
    Names,
    Outcome,
    Setup,
    allowed,
    deductible_after,
    deductible_before,
    document,
    limit,
    limited,
    lines_of,
    paid_by,
    step,
    total,
    year_key,
)
from drachm.adapters.vectors.read import Case, Unsupported
from drachm.domain.benefits import Key, Stack, adjudicate, apply, build_stack, load_plan
from drachm.domain.events.model import Fact
from drachm.domain.money import portion

MEDICARE: Final = "medicare"

_ALONE, _ON_BILLED = "medicare_alone", "billed_minus_medicare_cost_share"
_PLAIN: Final[Mapping[str, Document]] = {
    "billed_minus_primary_paid": {"greatest": ["billed"], "less": ["primary_paid"]},
    "higher_allowed_minus_primary_paid": {"greatest": ["primary_allowed", "own_allowed"], "less": ["primary_paid"]},
    "medicare_allowed_minus_primary_paid": {"greatest": ["own_allowed"], "less": ["primary_paid"]},
}
"""Limbs that are a difference of amounts on the line (42 CFR 411.33)."""
_MONEY: Final = ("primary_paid", "primary_allowed", "own_allowed")


def medicare_secondary(case: Case) -> Setup:
    """The first payer's answer, then Medicare: the least of the listed amounts."""
    wanted = case.plan.get("lowest_of", ())
    if not wanted:
        raise Unsupported("plan.lowest_of (missing)")
    first = document(
        case,
        [step("answer", "pay", amount={"fact": "primary_paid"})],
        payer="primary",
        remainder="patient",
        facts={"primary_paid": "money"},
    )
    second = document(
        case,
        [*_own_benefit(case, wanted), step("lowest", "coordinate", lowest_of=[_expression(limb) for limb in wanted])],
        payer=MEDICARE,
        starts_from=_start(wanted),
        facts=dict.fromkeys((*_MONEY, "charge"), "money"),
        accumulators=[total("deductible", "deductible")],
    )
    lines = lines_of(case, lambda index: _amounts(case, index), cost=_billed)
    before = deductible_before(case, payer=MEDICARE)
    lines = tuple(replace(line, member=MEMBER) for line in lines)
    setup = Setup((first, second), lines, before)
    return replace(setup, answers=lambda outcome, names: _answers(case, setup, outcome))


def _start(wanted: tuple[str, ...]) -> Document:
    """Medicare's own benefit grows with the amount it is worked out on, so the lower of both benefits (on its own fee,
    on the charge) is the benefit on the lower amount: the document starts from the fee and is bounded by the charge."""
    if _ALONE in wanted:
        return {"greatest": ["own_allowed"]}
    return {"greatest": ["billed"] if _ON_BILLED in wanted else ["billed", "own_allowed", "primary_allowed"]}


def _own_benefit(case: Case, wanted: tuple[str, ...]) -> list[Document]:
    if not {_ALONE, _ON_BILLED} & set(wanted):
        return []
    bound = [step("charge", "benefit_limit", amount={"fact": "charge"}, denies=False)]
    return [
        *(bound if {_ALONE, _ON_BILLED} <= set(wanted) else []),
        *limited("deductible", "deductible", limit("deductible", case.plan.get("deductible_individual"))),
        step("coinsurance", "coinsurance", ppm=case.plan.get("coinsurance_patient", 0)),
    ]


def _expression(limb: str) -> Document:
    return _PLAIN.get(limb, {"greatest": ["own_benefit"]})


def _billed(case: Case, index: int) -> int:
    return int(case.lines[index].get("billed", allowed(case, index)))


def _amounts(case: Case, index: int) -> dict[str, Fact]:
    raw = case.lines[index]
    fee = raw.get("medicare_allowed", raw.get("allowed"))
    if fee is None:
        raise Unsupported(f"lines[{index}].medicare_allowed (missing)")
    return {
        "primary_paid": raw.get("primary_paid", 0),
        "primary_allowed": raw.get("primary_allowed", 0),
        "own_allowed": fee,
        "charge": _billed(case, index),
    }


def _answers(case: Case, setup: Setup, outcome: Outcome) -> Names:
    medicare = sum(paid_by(answer, MEDICARE) for answer in outcome.answers)
    primary = sum(paid_by(answer, "primary") for answer in outcome.answers)
    not_split = ("deductible", "copay", "coinsurance", "limits", "deductible_derived", "coinsurance_uncapped")
    return {
        **dict.fromkeys((*not_split, "line_deductible", "line_coinsurance")),
        "plan_pays": medicare,
        "line_plan": [paid_by(answer, MEDICARE) for answer in outcome.answers],
        "secondary_pays": medicare,
        "combined": primary + medicare,
        "limbs": _limbs(case, setup, outcome),
    }


def _limbs(case: Case, setup: Setup, outcome: Outcome) -> list[int]:
    """Each listed amount by itself, summed over the lines: differences of what the line states, or what Medicare would
    pay if it were the only payer, asked of the engine with the totals of that moment."""
    wanted = case.plan["lowest_of"]
    alone = {limb: _only_payer(case, limb) for limb in {_ALONE, _ON_BILLED} & set(wanted)}
    sums = dict.fromkeys(wanted, 0)
    totals: Mapping[Key, int] = setup.totals
    for line, answer in zip(outcome.lines, outcome.answers, strict=True):
        amounts = {"billed": line.billed, **line.facts}
        for limb in wanted:
            if limb in alone:
                whole = max(int(amounts["billed"]), int(amounts["own_allowed"]))
                sums[limb] += adjudicate(replace(line, cost=whole), alone[limb], totals).plan_paid
            else:
                sums[limb] += _difference(_PLAIN[limb], amounts)
        totals = apply(totals, answer.deltas)
    return [sums[limb] for limb in wanted]


def _only_payer(case: Case, limb: str) -> Stack:
    made = document(
        case,
        _own_benefit(case, (limb,)),
        payer=MEDICARE,
        starts_from=_start((limb,)),
        facts=dict.fromkeys((*_MONEY, "charge"), "money"),
        accumulators=[total("deductible", "deductible")],
    )
    return build_stack([load_plan(made)])


def _difference(limb: Document, amounts: Mapping[str, Fact]) -> int:
    return max(int(amounts[name]) for name in limb["greatest"]) - sum(int(amounts[name]) for name in limb["less"])


# The drug benefit of one year


def part_d_2025(case: Case) -> Setup:
    """Deductible, initial rate until the patient has paid the threshold, catastrophic rate after it."""
    plan = case.plan
    initial, last = plan.get("initial_coinsurance", 0), plan.get("catastrophic_coinsurance", 0)
    if "oop_threshold" not in plan:
        return _drugs(case, [step("share", "coinsurance", ppm=initial)])
    bands = [{"below": plan["oop_threshold"], "ppm": initial}, {"ppm": last}]
    return _drugs(case, [step("share", "coinsurance", measure="patient_paid", bands=bands)])


def part_d_gap(case: Case) -> Setup:
    """Deductible, initial rate up to a total cost, gap rate until the patient has paid the threshold, then nothing."""
    plan = case.plan
    initial, gap = plan.get("initial_coinsurance", 0), plan.get("gap_coinsurance", 0)
    if plan.get("catastrophic_coinsurance", 0) and "oop_threshold" in plan:
        return _drugs(case, [_phases_by_payment(case)])
    share = step("share", "coinsurance", ppm=initial)
    if "initial_coverage_limit" in plan:
        bands = [{"below": plan["initial_coverage_limit"], "ppm": initial}, {"ppm": gap}]
        share = step("share", "coinsurance", measure="spend", bands=bands)
    most = limit("patient_paid", plan.get("oop_threshold"))
    return _drugs(case, [share, *limited("threshold", "out_of_pocket_max", most)])


def _phases_by_payment(case: Case) -> Document:
    """Three phases need one measure: the end of the initial phase is said as what the patient has paid by then."""
    plan = case.plan
    threshold, initial = int(plan["oop_threshold"]), int(plan.get("initial_coinsurance", 0))
    by_then = threshold
    if "initial_coverage_limit" in plan:
        if initial == 0:
            raise Unsupported("plan.initial_coinsurance = 0 (with a gap and a catastrophic rate)")
        used = deductible_before(case)[year_key(case, "deductible")]
        first = max(0, int(plan.get("deductible_individual", 0)) - used)
        after = portion(max(0, int(plan["initial_coverage_limit"]) - first), initial, 1)
        by_then = int(case.state.get("oop_used", 0)) + first + after
    bands: list[Document] = [{"below": min(by_then, threshold), "ppm": initial}]
    if by_then < threshold:
        bands.append({"below": threshold, "ppm": plan.get("gap_coinsurance", 0)})
    bands.append({"ppm": plan["catastrophic_coinsurance"]})
    return step("share", "coinsurance", measure="patient_paid", bands=bands)


def _drugs(case: Case, after_deductible: list[Document]) -> Setup:
    own = [*limit("deductible", case.plan.get("deductible_individual"))]
    # A deductible above the threshold would end with it.
    bounded = [*own, *limit("patient_paid", case.plan.get("oop_threshold"))] if own else []
    made = document(
        case,
        [*limited("deductible", "deductible", bounded), *after_deductible],
        accumulators=[
            total("deductible", "deductible"),
            total("spend", "covered"),
            total("patient_paid", "cost_share"),
        ],
    )
    lines = tuple(replace(line, member=MEMBER) for line in lines_of(case, lambda index: {}))
    before = deductible_before(case) | {year_key(case, "patient_paid"): int(case.state.get("oop_used", 0))}

    def answers(outcome: Outcome, names: Names) -> Names:
        return {"deductible_remaining_after": deductible_after(case, outcome), "coinsurance_uncapped": None}

    return Setup((made,), lines, before, answers=answers)
