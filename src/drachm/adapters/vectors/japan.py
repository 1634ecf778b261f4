"""Japan: which documents say the share, the caps of the month, the public programmes and the joined caps?

One document of the statutory insurance and one for each public programme, in that order. Rules 1 to 5 are those of
names.md: the own cap (1), lines with a programme (2), the insurance-only lines together (3), what one person's lines
are joined to (4) and the household (5). Each line is one person's month at one facility, so a line is a bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from drachm.adapters.vectors import codes
from drachm.adapters.vectors.document import (
    FAMILY,
    Document,
    Names,
    Outcome,
    Setup,
    document,
    lines_of,
    member_of,
    paid_by,
    run,
    step,
    total,
    year_of,
)
from drachm.adapters.vectors.read import Case, Unsupported
from drachm.domain.benefits import Key
from drachm.domain.events.model import Fact

INSURANCE: Final = "insurance"
NO_PROGRAMME: Final = "none"
ALONE: Final = {"programme": NO_PROGRAMME}
PERSON: Final = {"scope": "person", "period": "month"}
ONE_LINE: Final = {**PERSON, "by": ["line"]}
HALF: Final = [{"when": {"month_turning_75": True}, "ppm": 500_000}]
RELIEF_KIND: Final = "coinsurance_with_monthly_cap_and_transition_relief"


def coinsurance_with_monthly_income_cap(case: Case) -> Setup:
    return _months(case)


def coinsurance_with_monthly_cap_and_transition_relief(case: Case) -> Setup:
    return _months(case)


def _months(case: Case) -> Setup:
    scope = case.plan.get("aggregation", {}).get("scope")
    programmes = sorted({_programme(case, index) for index in range(len(case.lines))} - {NO_PROGRAMME})
    if scope == "household":
        if programmes:
            raise Unsupported("plan.aggregation.scope = household (with a public programme)")
        steps: list[Document] = []
        pool = {"scope": "family", "period": "month"}
        closing = _capped(case, "household", pool=pool, settle="refund", **_joined(case))
        if not closing:
            raise Unsupported("plan.monthly_cap_base (missing, a household has nothing to be capped by)")
    else:
        steps = [*_subsidised(case, programmes), *_relief(case), *_capped(case, "own", pool=PERSON, when=ALONE)]
        closing = _capped(case, "joined", pool=PERSON, **_joined(case)) if scope else []
    share = step("share", "coinsurance", ppm=case.plan.get("coinsurance_patient", 0))
    insurance = document(case, [share, *steps], payer=INSURANCE, closing_steps=closing, facts=_declared())
    setup = Setup(
        (insurance, *(_subsidy(case, programme) for programme in programmes)),
        lines_of(case, lambda index: _facts(case, index)),
    )
    names = _household_names(case, setup) if scope == "household" else _month_names(case)
    return replace(setup, answers=names)


def _declared() -> Document:
    return {
        "line": "text",
        "programme": [NO_PROGRAMME, *codes.PROGRAMMES.split()],
        "setting": {"type": ["inpatient", "outpatient"], "default": None},
        "fourth_or_later_capped_month": "flag",
        "month_turning_75": "flag",
    }


def _facts(case: Case, index: int) -> Mapping[str, Fact]:
    setting = case.lines[index].get("setting", case.plan.get("setting"))
    return {
        "line": str(index + 1),
        "programme": _programme(case, index),
        "fourth_or_later_capped_month": case.plan.get("fourth_or_later_capped_month", False),
        "month_turning_75": case.plan.get("half_cap_month_turning_75", False),
        **({"setting": setting} if setting else {}),
    }


def _programme(case: Case, index: int) -> str:
    payers = case.lines[index].get("payer_order", (INSURANCE,))
    if not payers or payers[0] != INSURANCE or len(payers) > 2 or INSURANCE in payers[1:]:
        raise Unsupported(f"lines[{index}].payer_order = {', '.join(payers)} (insurance, then at most one programme)")
    return payers[1] if len(payers) == 2 else NO_PROGRAMME


# Rule 1: the own cap


def _own_cap(case: Case) -> Document | None:
    plan = case.plan
    if case.kind == RELIEF_KIND:
        return _cap(plan.get("monthly_cap_after_halving"))
    ordinary = _cap(plan.get("monthly_cap_base"), plan)
    if "cap_from_4th_month" not in plan:
        return ordinary
    lowered = {"when": {"fourth_or_later_capped_month": True}, "base": plan["cap_from_4th_month"]}
    return {"cases": [lowered, *([ordinary] if ordinary else [])]}


def _cap(base: int | None, terms: Mapping[str, Any] | None = None) -> Document | None:
    """Base, and a rate of the cost above a threshold where both are stated."""
    if base is None:
        return None
    if not terms or "cap_threshold_total_cost" not in terms or not terms.get("cap_rate_over_threshold"):
        return {"base": base}
    return {"base": base, "over": terms["cap_threshold_total_cost"], "ppm": terms["cap_rate_over_threshold"]}


def _capped(case: Case, name: str, **where: Any) -> list[Document]:
    """The own cap and the specified disease's cap at one place; two caps in a row are the lower of the two."""
    # The relief kind states its cap already halved.
    own = step(name, "period_cap", cap=_own_cap(case), scale=None if case.kind == RELIEF_KIND else HALF, **where)
    return [*([own] if "cap" in own else []), *_disease(case, name, **where)]


def _disease(case: Case, name: str, **where: Any) -> list[Document]:
    cap = _cap(case.plan.get("specified_disease_cap"))
    return [step(f"{name}_disease", "period_cap", cap=cap, scale=HALF, **where)] if cap else []


# Rule 2: lines with a programme


def _subsidised(case: Case, programmes: list[str]) -> list[Document]:
    terms = case.plan.get("cap_on_subsidised_line", {})
    own = programmes if case.kind == RELIEF_KIND else sorted(set(programmes) & set(terms.get("own_cap_for", ())))
    steps = _capped(case, "own_line", pool=ONE_LINE, when={"programme": own}) if own else []
    others = sorted(set(programmes) - set(own))
    if not others:
        return steps
    cases = [*_setting_cases(case, terms, "assistance_", [p for p in others if p == "public_assistance"])]
    cases += _setting_cases(case, terms, "", [p for p in others if p != "public_assistance"])
    if cases:
        scale = HALF if terms.get("halved_in_month_turning_75") else None
        steps.append(step("subsidised_line", "period_cap", pool=ONE_LINE, cap={"cases": cases}, scale=scale))
    return [*steps, *_disease(case, "subsidised_line", pool=ONE_LINE, when={"programme": others})]


def _setting_cases(case: Case, terms: Mapping[str, Any], prefix: str, programmes: list[str]) -> list[Document]:
    cases = []
    for setting in ("inpatient", "outpatient"):
        cap = _cap(terms.get(f"{prefix}{setting}"), terms)
        if cap and programmes:
            cases.append({"when": {"programme": programmes, "setting": setting}, **cap})
    if cases:
        for index in range(len(case.lines)):
            if _programme(case, index) in programmes and "setting" not in _facts(case, index):
                raise Unsupported(f"lines[{index}].setting (missing)")
    return cases


def _subsidy(case: Case, programme: str) -> Document:
    """What the programme leaves to the patient: a part of the line's cost, and an amount of the month."""
    terms = case.plan.get("secondary_payers", {}).get(programme, {})
    part = terms.get("patient_share_of_total_cost")
    steps = [step("stays", "coinsurance", ppm=1_000_000 if part is None else part, of=None if part is None else "cost")]
    if "monthly_cap" in terms:
        steps.append(step("month", "period_cap", pool=PERSON, cap={"base": terms["monthly_cap"]}))
    return document(
        case,
        steps,
        payer=programme,
        applies={"programme": programme},
        facts={"programme": _declared()["programme"]},
        accumulators=[
            total("covered_base", "covered", period="month"),
            total("patient_after", "patient", period="month"),
        ],
    )


# Rule 3: the insurance-only lines together


def _relief(case: Case) -> list[Document]:
    formula = case.plan.get("relief_formula")
    if not formula or (formula.get("not_with_specified_disease_cap") and "specified_disease_cap" in case.plan):
        return []
    if "base" not in formula:
        raise Unsupported("plan.relief_formula.base (missing)")
    cap = {"base": formula["base"], "over": formula.get("over", 0), "ppm": formula.get("rate", 0)}
    return [step("relief", "period_cap", pool=PERSON, when=ALONE, cap=cap)]


# Rules 4 and 5: what is joined


def _joined(case: Case) -> Document:
    terms = case.plan["aggregation"]
    floor: Any = terms.get("min_line_patient_amount", 0)
    if terms.get("scope") == "household":
        return {"qualify": {"by": ["line"], "floor": floor}}
    # The insurance-only lines are always in it; lines with a programme join them, and only them.
    floor = {"cases": [{"when": ALONE, "value": 0}, {"value": floor}]}
    return {"qualify": {"by": ["line"], "floor": floor, "needs": ALONE}}


# Names


def _month_names(case: Case) -> Any:
    month = f"M{year_of(case)}-01"

    def answers(outcome: Outcome, names: Names) -> Names:
        secondary = {}
        programmes = {_programme(case, index) for index in range(len(case.lines))} - {NO_PROGRAMME}
        for programme in sorted(programmes | case.plan.get("secondary_payers", {}).keys()):
            secondary[programme] = {
                name: sum(
                    outcome.totals.get(Key(member, f"{programme}/{name}", month), 0)
                    for member in {member_of(raw) for raw in case.lines}
                )
                for name in ("covered_base", "patient_after")
            }
        return {**_common(outcome, names), "secondary": secondary}

    return answers


def _common(outcome: Outcome, names: Names) -> Names:
    everyone = names["total_example_cost"] - names["patient_total"]
    return {
        "coinsurance": names["patient_total"],
        "line_coinsurance": names["line_patient"],
        "coinsurance_uncapped": None,
        "all_payers_total": everyone,
        "insurance_pays": sum(paid_by(answer, INSURANCE) for answer in outcome.answers),
    }


def _household_names(case: Case, setup: Setup) -> Any:
    """Each line is paid in full first; the refund comes afterwards and is told apart."""
    pools = [closing["id"] for closing in setup.documents[0]["closing_steps"]]
    month = f"M{year_of(case)}-01"

    def register(totals: Mapping[Key, int], pool: str, mark: str) -> int:
        return totals.get(Key(FAMILY, f"{INSURANCE}/{pool}{mark}", month), 0)

    def cap_of(pool: str) -> int:
        """What the engine lets the household keep when it has paid far too much before: the cap on the joined cost."""
        far_too_much = {Key(FAMILY, f"{INSURANCE}/{pool}#S", month): 10**15}
        totals = run(replace(setup, totals=far_too_much)).totals
        return register(totals, pool, "#S") - register(totals, pool, "#R")

    def answers(outcome: Outcome, names: Names) -> Names:
        given = [sum(credit.amount for credit in answer.credits) for answer in outcome.answers]
        refund = sum(given)
        paid = [share + credit for share, credit in zip(names["line_patient"], given, strict=True)]
        first = {"line_patient": paid, "patient_total": sum(paid), "plan_pays": names["plan_pays"] - refund}
        first["line_plan"] = [part - credit for part, credit in zip(names["line_plan"], given, strict=True)]
        everyone = _common(outcome, {**names, **first})
        return {
            **first,
            **everyone,
            "insurance_pays": everyone["insurance_pays"] - refund,
            "aggregated_patient": register(outcome.totals, pools[0], "#S"),
            "aggregated_total_cost": register(outcome.totals, pools[0], "#C"),
            "household_cap": min(cap_of(pool) for pool in pools),
            "refund": refund,
            "patient_net_total": sum(paid) - refund,
        }

    return answers
