"""Switzerland, China, Germany, France: which document says the rule?

One small function per kind. Where a plan states the insurer's rate, the documents round the patient's part half down.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

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
    insurer_rounding,
    limit,
    limited,
    lines_of,
    member_of,
    patient_rate,
    step,
    total,
)
from drachm.adapters.vectors.read import Case, Unsupported
from drachm.domain.events.model import Fact

ACCOUNT = "personal_account"


def deductible_then_coinsurance_with_coinsurance_cap(case: Case) -> Setup:
    """CH: franchise, then a retention whose own yearly sum is capped."""
    steps = [
        *limited("deductible", "deductible", limit("deductible", case.plan.get("deductible_individual"))),
        step(
            "retention",
            "coinsurance",
            ppm=case.plan.get("coinsurance_patient", 0),
            limits=limit("retention", case.plan.get("coinsurance_cap_year")) or None,
        ),
    ]
    totals = [total("deductible", "deductible"), total("retention", "coinsurance")]
    return _one_person(case, document(case, steps, accumulators=totals))


def deductible_then_coinsurance_by_facility_level(case: Case) -> Setup:
    """CN: deductible, then the rate of facility, member category and the year's amount."""
    return _china(case, [])


def personal_account_then_deductible_then_coinsurance(case: Case) -> Setup:
    """CN: the personal account pays first, up to its balance."""
    balance = case.state.get("personal_account_balance", 0)
    account = [step("account", "pay", party=ACCOUNT, limits=limit("account_paid", {"fact": "balance"}))]
    return _china(case, account, {"balance": balance})


def _china(case: Case, first: list[Document], facts: Mapping[str, Fact] | None = None) -> Setup:
    steps = [
        *first,
        *limited("deductible", "deductible", limit("deductible", case.plan.get("deductible_individual"))),
        step("share", "coinsurance", **_rates(case)),
    ]
    made = document(
        case,
        steps,
        payer="plan",
        accumulators=[
            total("deductible", "deductible"),
            total("account_paid", f"paid:{ACCOUNT}"),
            # The year's amount is what was eligible, the deductible and the account's part included.
            total("spend", "covered"),
        ],
        facts={
            "member_category": {"type": "text", "default": None},
            "facility": {"type": "text", "default": None},
            "balance": {"type": "money", "default": 0},
        },
    ) | {"rounding": insurer_rounding(case)}

    def line_facts(index: int) -> Mapping[str, Fact]:
        named = {"member_category": case.plan.get("member_category"), "facility": case.lines[index].get("facility")}
        return {**(facts or {}), **{name: word for name, word in named.items() if word is not None}}

    return _one_person(case, made, lines_of(case, line_facts))


def _rates(case: Case) -> dict[str, Any]:
    """The patient's rates: one, or bands of the year's amount with a case for each row that fits."""
    rows = case.plan.get("insurer_rates", ())
    if not rows:
        return {"ppm": patient_rate(case)}
    for index, row in enumerate(rows):
        if "rate" not in row:
            raise Unsupported(f"plan.insurer_rates[{index}].rate (missing)")
    _check_every_line_has_a_rate(case)
    starts = [0, *sorted({row["over"] for row in rows if row.get("over", 0) > 0})]
    if len(starts) == 1:
        return {"ppm": _cases(case, rows, 0)}
    bands: list[Document] = [{"below": end, "ppm": _cases(case, rows, start)} for start, end in pairwise(starts)]
    return {"measure": "spend", "bands": [*bands, {"ppm": _cases(case, rows, starts[-1])}]}


def _cases(case: Case, rows: tuple[Mapping[str, Any], ...], start: int) -> Document:
    """Rows that count from `start` of the year's amount on: highest `over` first, then the one with most conditions."""
    fitting = [row for row in rows if row.get("over", 0) <= start]
    fitting.sort(key=lambda row: (row.get("over", -1), len(row)), reverse=True)
    cases = [
        {
            "when": {name: row[name] for name in ("member_category", "facility") if name in row},
            "value": 1_000_000 - row["rate"],
        }
        for row in fitting
    ]
    return {"cases": [*cases, {"value": patient_rate(case)}]}


def _check_every_line_has_a_rate(case: Case) -> None:
    """Without a row that fits and without a rate of the plan nobody has said what the insurer pays."""
    if {"insurer_rate", "coinsurance_patient"} & case.plan.keys():
        return
    for index, raw in enumerate(case.lines):
        known = {"member_category": case.plan.get("member_category"), "facility": raw.get("facility")}
        if not any(
            all(row.get(name, word) == word for name, word in known.items())
            for row in case.plan["insurer_rates"]
            if row.get("over", 0) == 0
        ):
            raise Unsupported(f"plan.insurer_rates (no row fits lines[{index}])")


def percent_copay_with_bounds(case: Case) -> Setup:
    """DE: a percentage of the price, not below the minimum, not above the maximum, never above the price."""
    plan = case.plan
    lowest = plan.get("copay_minimum", 0)
    if plan.get("never_above_price") is False and any(
        allowed(case, index) < min(lowest, plan.get("copay_maximum", lowest)) for index in range(len(case.lines))
    ):
        # The kind's own rule ends "never more than the price", and no document makes a patient owe more than that.
        raise Unsupported("plan.never_above_price = false (with a price below copay_minimum)")
    copay = step(
        "copay",
        "copay",
        ppm=plan.get("coinsurance_patient", 0),
        min=plan.get("copay_minimum"),
        max=plan.get("copay_maximum"),
    )
    return Setup((document(case, [copay]),), lines_of(case, lambda index: {}))


def base_rate_reimbursement(case: Case) -> Setup:
    """FR: the charge is what is owed, the tariff bounds what counts, a fixed amount is taken from the refund."""
    plan = case.plan
    steps = [
        step("eligible", "benefit_limit", amount={"fact": "eligible"}, denies=False),
        *(
            [step("tariff", "benefit_limit", amount=plan["reimbursement_base"], denies=False)]
            if "reimbursement_base" in plan
            else []
        ),
        step("patient_share", "coinsurance", ppm=patient_rate(case)),
        step("flat", "copay", amount=plan.get("flat_deduction", 0)),
    ]
    made = document(case, steps, facts={"eligible": "money"}) | {"rounding": insurer_rounding(case)}
    lines = lines_of(case, lambda index: {"eligible": allowed(case, index)}, cost=_charge)
    return Setup((made,), lines)


def _charge(case: Case, index: int) -> int:
    return int(case.lines[index].get("billed", allowed(case, index)))


def _one_person(case: Case, made: Document, lines: Any = None) -> Setup:
    """A plan with one deductible per person; the state is that of the first line's person."""
    first = member_of(case.lines[0]) if case.lines else MEMBER
    before = deductible_before(case, first)
    if case.state.get("deductible_met"):
        for raw in case.lines:
            before |= deductible_before(case, member_of(raw))

    def answers(outcome: Outcome, names: Names) -> Names:
        remaining = deductible_after(case, outcome, member_of(case.lines[-1]))
        met = {member_of(raw): deductible_after(case, outcome, member_of(raw)) == 0 for raw in case.lines}
        return {"deductible_remaining_after": remaining, "member_deductible_met": met}

    return Setup((made,), lines or lines_of(case, lambda index: {}), before, answers=answers)
