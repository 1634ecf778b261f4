"""United States: which document says deductible, copay, coinsurance and maximum in the order of each kind?

One small function per kind; all of them share the family's deductible, the extra deductibles of a category, the copays
that stand in the place of everything else, and the out-of-pocket maximum at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drachm.adapters.vectors.document import (
    CATEGORY,
    FAMILY,
    Document,
    Names,
    Outcome,
    Setup,
    category_facts,
    document,
    limit,
    limited,
    lines_of,
    member_of,
    printed,
    step,
    total,
    year_key,
)
from drachm.adapters.vectors.read import Case, Unsupported
from drachm.domain.benefits.model import Key

PARTS = ("deductible", "copay", "coinsurance", "limits")


def deductible_then_coinsurance(case: Case) -> Setup:
    return _plan(case, [_coinsurance(case)])


def deductible_then_copay(case: Case) -> Setup:
    return _plan(case, [_copay(case)])


def copay_or_deductible_then_coinsurance(case: Case) -> Setup:
    return _plan(case, [_coinsurance(case)])


def copay_then_coinsurance(case: Case) -> Setup:
    return _plan(case, _stacked(case, "coinsurance_after_copay"))


def deductible_then_coinsurance_plus_copay(case: Case) -> Setup:
    return _plan(case, _stacked(case, "copay_on_top"))


def _stacked(case: Case, usual: str) -> list[Document]:
    """On top: the copay comes out of what the coinsurance on the whole rest has left to the plan."""
    if case.plan.get("stacking", usual) == "copay_on_top":
        return [_coinsurance(case), _copay(case)]
    return [_copay(case), _coinsurance(case)]


def _coinsurance(case: Case) -> Document:
    by_category = case.plan.get("coinsurance_by_category", {})
    cases: list[Document] = [
        {"when": {"category": category}, "value": rate}
        for category, rate in sorted(by_category.items())
        if category != "other"
    ]
    # `other` is every service that the table does not name.
    rest = by_category.get("other", case.plan.get("coinsurance_patient", 0))
    return step("coinsurance", "coinsurance", ppm={"cases": [*cases, {"value": rest}]} if cases else rest)


def _copay(case: Case) -> Document:
    return step("copay", "copay", amount=_copay_amount(case))


def _copay_amount(case: Case) -> Any:
    table = case.plan.get("copay_by_category", {})
    cases: list[Document] = [
        {"when": {"category": category}, "value": amount}
        for category, amount in sorted(table.items())
        if category != "all"
    ]
    return {"cases": [*cases, {"value": table.get("all", 0)}]}


def _plan(case: Case, after_deductible: Sequence[Document]) -> Setup:
    plan = case.plan
    extra = sorted(plan.get("deductible_by_category", {}))
    own, family = _deductibles(case)
    own_max, family_max = _maxima(case)
    steps = [
        *_waiver(case),
        *_bypass(case),
        *(
            step(
                f"deductible_{category}",
                "deductible",
                component=f"deductible_{category}",
                when={"category": category},
                limits=limit(f"deductible_{category}", plan["deductible_by_category"][category]),
            )
            for category in extra
        ),
        *limited("deductible", "deductible", [*limit("deductible", own), *limit("deductible_family", family)]),
        *after_deductible,
        *limited(
            "maximum",
            "out_of_pocket_max",
            [*limit("maximum", own_max), *limit("maximum_family", family_max)],
            counts=["deductible", "copay", "coinsurance", *(f"deductible_{category}" for category in extra)],
        ),
    ]
    totals = [
        total("deductible", "deductible"),
        total("deductible_family", "deductible", scope="family"),
        *(total(f"deductible_{category}", f"deductible_{category}") for category in extra),
        total("maximum", "patient"),
        total("maximum_family", "patient", scope="family"),
    ]
    facts = {**CATEGORY, "primary_diagnosis": {"type": "text", "default": None}}
    made = document(case, steps, accumulators=totals, facts=facts)
    return Setup((made,), lines_of(case, category_facts(case)), _before(case), answers=_answers(case))


def _deductibles(case: Case) -> tuple[int | None, int | None]:
    """The person's and the family's limit. Aggregate: only the family's counts."""
    aggregate = case.plan.get("family_deductible") == "aggregate"
    own = None if aggregate else case.plan.get("deductible_individual")
    return own, case.plan.get("deductible_family")


def _maxima(case: Case) -> tuple[int | None, int | None]:
    own, family = case.plan.get("oop_max_individual"), case.plan.get("oop_max_family")
    aggregate = case.plan.get("family_deductible") == "aggregate"
    return (None if aggregate and family is not None else own), family


def _waiver(case: Case) -> list[Document]:
    waiver = case.plan.get("cost_share_waiver")
    if not waiver:
        return []
    if "primary_diagnosis" not in waiver:
        raise Unsupported("plan.cost_share_waiver.primary_diagnosis (missing)")
    when: Document = {"primary_diagnosis": waiver["primary_diagnosis"]}
    if waiver.get("except_categories"):
        when["not"] = {"category": list(waiver["except_categories"])}
    return [step("waiver", "pay", when=when)]


def _bypass(case: Case) -> list[Document]:
    """The copay alone is due; the plan pays the rest before any other rule sees the line."""
    categories = case.plan.get("copay_bypasses_deductible", ())
    if not categories:
        return []
    when: Document = {} if "all" in categories else {"category": list(categories)}
    return [
        step("copay_instead", "copay", when=when, amount=_copay_amount(case)),
        step("copay_instead_rest", "pay", when=when),
    ]


def _before(case: Case) -> dict[Key, int]:
    """State as totals. What one person has used, the family has used; a person is that of the first line."""
    own, family = _deductibles(case)
    state, first = case.state, member_of(case.lines[0])
    totals = {
        year_key(case, "deductible", scope=first): state.get("deductible_used", 0),
        year_key(case, "deductible_family", scope=FAMILY): state.get("deductible_used", 0),
        year_key(case, "maximum", scope=first): state.get("oop_used", 0),
        year_key(case, "maximum_family", scope=FAMILY): state.get("oop_used", 0),
    }
    if state.get("deductible_met"):
        for member in {member_of(raw) for raw in case.lines}:
            totals[year_key(case, "deductible", scope=member)] = own or 0
        totals[year_key(case, "deductible_family", scope=FAMILY)] = family or 0
    return totals


def _answers(case: Case) -> Any:
    own, family = _deductibles(case)

    def left(outcome: Outcome, amount: int | None, name: str, scope: str) -> int | None:
        used = outcome.totals.get(year_key(case, name, scope=scope), 0)
        return None if amount is None else max(0, amount - used)

    def answers(outcome: Outcome, names: Names) -> Names:
        rest = left(outcome, family, "deductible_family", FAMILY)
        members = {}
        for raw in case.lines:
            rooms = [left(outcome, own, "deductible", member_of(raw)), rest]
            members[member_of(raw)] = min((room for room in rooms if room is not None), default=0) == 0
        last = member_of(case.lines[-1])
        aggregate = case.plan.get("family_deductible") == "aggregate"
        remaining = rest if aggregate else left(outcome, own, "deductible", last)
        found: Names = {
            "deductible_remaining_after": remaining or 0,
            "family_deductible_remaining": rest or 0,
            "family_deductible_met": not rest,
            "member_deductible_met": members,
            "coinsurance_exact": names["coinsurance"],
            "patient_total_exact": names["patient_total"],
        }
        return found | (_form({**names, **found}) if case.plan.get("sbc_rounding") else {})

    return answers


def _form(names: Names) -> Names:
    """Each part is printed rounded; the printed total is the sum of the printed parts."""
    parts = {part: printed(names[part]) for part in PARTS}
    patient = sum(parts.values())
    return {
        **parts,
        "deductible_derived": parts["deductible"],
        "coinsurance_uncapped": printed(names["coinsurance_uncapped"]),
        "patient_total": patient,
        "plan_pays": names["total_example_cost"] - patient,
    }
