"""openIMIS products: which document says the checks, the deductible, the insurer's part and the ceilings?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from drachm.adapters.vectors import codes
from drachm.adapters.vectors.document import (
    POLICY,
    Document,
    Names,
    Outcome,
    Setup,
    deductible_after,
    deductible_before,
    document,
    insurer_rounding,
    limit,
    limited,
    lines_of,
    patient_rate,
    step,
    total,
    year_of,
)
from drachm.adapters.vectors.read import Case, Unsupported
from drachm.domain.events.model import UNIT, Fact

BITS: Final = {1: "man", 2: "woman", 4: "adult", 8: "child"}
"""What a patient is, in the bits of openIMIS masks."""
LONGEST_WINDOW: Final = 1830
"""Days that a rolling total of a plan document may look back."""
LONGEST_WAIT: Final = 1200
"""Months."""


def openimis_product(case: Case) -> Setup:
    plan = case.plan
    steps = [
        *_category(case),
        *_waiting(case),
        *_frequency(case),
        *_quantity(case),
        *limited("deductible", "deductible", limit("deductible", plan.get("deductible_individual"))),
        step("share", "coinsurance", ppm=patient_rate(case)),
        *(
            step(
                f"ceiling_{category}",
                "benefit_limit",
                when={"claim_category": category},
                limits=limit("category_paid", amount),
                denies=False,
            )
            for category, amount in sorted(plan.get("max_amount_by_category", {}).items())
        ),
    ]
    made = document(
        case,
        steps,
        accumulators=[
            *([_window(case)] if plan.get("frequency_days") else []),
            total("quantity", "units", period="lifetime"),
            total("deductible", "deductible", scope=POLICY),
            total("category_paid", "paid", scope=POLICY, by=["claim_category"]),
        ],
        facts={
            **dict.fromkeys((*BITS.values(), "grown_up"), "flag"),
            "service": {"type": "text", "default": None},
            "claim_category": {"type": "text", "default": None},
            "cover_begins": "date",
        },
    ) | {"rounding": insurer_rounding(case)}
    items_first = sorted(range(len(case.lines)), key=lambda index: case.lines[index].get("line_type") != "item")
    return Setup(
        (made,),
        lines_of(case, lambda index: _facts(case, index)),
        deductible_before(case, POLICY),
        order=tuple(items_first),
        answers=lambda outcome, names: _answers(case, outcome),
    )


def _category(case: Case) -> list[Document]:
    """Rejected unless every bit of the patient is in the service's mask."""
    mask = case.plan.get("service_patient_category")
    outside = [{word: True} for bit, word in BITS.items() if mask is not None and not mask & bit]
    return [step("category", "exclude", when={"any": outside}, reason="patient_category")] if outside else []


def _waiting(case: Case) -> list[Document]:
    adult = case.plan.get("waiting_period_adult_months", 0)
    child = case.plan.get("waiting_period_child_months", 0)
    if max(adult, child) > LONGEST_WAIT or min(adult, child) < 0:
        raise Unsupported(f"plan.waiting_period_adult_months, plan.waiting_period_child_months = {adult}, {child}")
    months = {"cases": [{"when": {"grown_up": True}, "value": adult}, {"value": child}]}
    return [step("waiting", "waiting_period", since="cover_begins", months=months)] if adult or child else []


def _frequency(case: Case) -> list[Document]:
    if not case.plan.get("frequency_days"):
        return []
    once = [{"accumulator": "same_service", "limit": 1}]
    return [step("frequency", "benefit_limit", unit_limits=once, reason="frequency")]


def _window(case: Case) -> Document:
    days = case.plan["frequency_days"]
    if not 0 < days <= LONGEST_WINDOW:
        raise Unsupported(f"plan.frequency_days = {days}")
    return total("same_service", "lines", by=["service"], period={"rolling_days": days})


def _quantity(case: Case) -> list[Document]:
    most = case.plan.get("limit_no_adult")
    if most is None:
        return []
    if most < 0:
        raise Unsupported(f"plan.limit_no_adult = {most}")
    limits = [{"accumulator": "quantity", "limit": most * UNIT}]
    return [step("quantity", "benefit_limit", when={"grown_up": True}, unit_limits=limits, reason="quantity_limit")]


def _facts(case: Case, index: int) -> Mapping[str, Fact]:
    raw = case.lines[index]
    bits = case.plan.get("patient_category", 0)
    # The label of the line says who is meant; without one the patient's own bits do, and then an adult.
    child = raw["member"] == "child" if "member" in raw else bool(bits & 8 and not bits & 4)
    if "day" not in raw and case.plan.get(f"waiting_period_{'child' if child else 'adult'}_months", 0):
        raise Unsupported(f"lines[{index}].day (missing)")
    # The category is that of the whole claim; lines that name none share it.
    claim = next((line["category"] for line in case.lines if "category" in line), None)
    words = {"service": raw.get("service"), "claim_category": raw.get("category", claim)}
    return {
        **{word: bool(bits & bit) for bit, word in BITS.items()},
        **{name: word for name, word in words.items() if word is not None},
        "grown_up": not child,
        "cover_begins": date(year_of(case), 1, 1).isoformat(),
    }


def _answers(case: Case, outcome: Outcome) -> Names:
    denied = [answer.decision == "denied" for answer in outcome.answers]
    reasons = [codes.REJECT_CODES[a.reason] for a, no in zip(outcome.answers, denied, strict=True) if no]
    cut = sum(
        share.amount
        for answer, no in zip(outcome.answers, denied, strict=True)
        if not no
        for share in answer.shares
        if share.component == "over_limit"
    )
    none_left = all(denied)
    return {
        "line_decision": ["reject" if no else "accept" for no in denied],
        "reject_reason": _one_or_list(reasons),
        "claim_reject_reason": codes.NO_LINE_LEFT if none_left else None,
        "status": None if none_left else "valuated",
        "ceiling_exceeded": cut,
        "deductible_remaining_after": deductible_after(case, outcome, POLICY),
        "coinsurance_uncapped": None,
    }


def _one_or_list(reasons: list[int]) -> int | list[int] | None:
    """The code of the rejected lines; where they were rejected for different reasons, each one's in order."""
    if not reasons:
        return None
    return reasons[0] if len(set(reasons)) == 1 else reasons
