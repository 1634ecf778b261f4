"""What does the engine say about this case, in the names of the format?

Each kind of plan has one small function that states the case as plan documents (`KINDS`). `compute` sees the plan, the
state and the lines; what the case expects is not handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from drachm.adapters.vectors import codes, japan, medicare, openimis, others, united_states
from drachm.adapters.vectors.document import Names, Outcome, Setup, allowed, run
from drachm.adapters.vectors.read import Case, Unsupported
from drachm.domain.benefits import Adjudication

Build = Callable[[Case], Setup]

_DEDUCTIBLE: Final = "deductible_individual"
_US: Final = (
    _DEDUCTIBLE,
    "deductible_family",
    "family_deductible",
    "deductible_by_category",
    "oop_max_individual",
    "oop_max_family",
    "cost_share_waiver",
)
_COINSURANCE: Final = ("coinsurance_patient", "coinsurance_by_category")
_COPAY: Final = ("copay_by_category", "copay_bypasses_deductible")
_CHINA: Final = (_DEDUCTIBLE, "insurer_rate", "insurer_rates", "coinsurance_patient")
_DRUGS: Final = (_DEDUCTIBLE, "initial_coinsurance", "catastrophic_coinsurance", "oop_threshold")
_JAPAN: Final = (
    "coinsurance_patient",
    "setting",
    "half_cap_month_turning_75",
    "fourth_or_later_capped_month",
    "specified_disease_cap",
    "relief_formula",
    "secondary_payers",
    "cap_on_subsidised_line",
    "aggregation",
)

KINDS: Final[Mapping[str, tuple[Build, tuple[str, ...]]]] = {
    "deductible_then_coinsurance": (united_states.deductible_then_coinsurance, (*_US, *_COINSURANCE)),
    "deductible_then_copay": (united_states.deductible_then_copay, (*_US, *_COPAY)),
    "copay_or_deductible_then_coinsurance": (
        united_states.copay_or_deductible_then_coinsurance,
        (*_US, *_COINSURANCE, *_COPAY),
    ),
    "copay_then_coinsurance": (united_states.copay_then_coinsurance, (*_US, *_COINSURANCE, *_COPAY, "stacking")),
    "deductible_then_coinsurance_plus_copay": (
        united_states.deductible_then_coinsurance_plus_copay,
        (*_US, *_COINSURANCE, *_COPAY, "stacking"),
    ),
    "deductible_then_coinsurance_with_coinsurance_cap": (
        others.deductible_then_coinsurance_with_coinsurance_cap,
        (_DEDUCTIBLE, "coinsurance_patient", "coinsurance_cap_year"),
    ),
    "deductible_then_coinsurance_by_facility_level": (others.deductible_then_coinsurance_by_facility_level, _CHINA),
    "personal_account_then_deductible_then_coinsurance": (
        others.personal_account_then_deductible_then_coinsurance,
        _CHINA,
    ),
    "percent_copay_with_bounds": (
        others.percent_copay_with_bounds,
        ("coinsurance_patient", "copay_minimum", "copay_maximum", "never_above_price"),
    ),
    "base_rate_reimbursement": (
        others.base_rate_reimbursement,
        ("insurer_rate", "coinsurance_patient", "reimbursement_base", "flat_deduction"),
    ),
    "coinsurance_with_monthly_income_cap": (
        japan.coinsurance_with_monthly_income_cap,
        (*_JAPAN, "monthly_cap_base", "cap_rate_over_threshold", "cap_threshold_total_cost", "cap_from_4th_month"),
    ),
    "coinsurance_with_monthly_cap_and_transition_relief": (
        japan.coinsurance_with_monthly_cap_and_transition_relief,
        (*_JAPAN, "monthly_cap_after_halving"),
    ),
    "medicare_secondary": (medicare.medicare_secondary, (_DEDUCTIBLE, "coinsurance_patient", "lowest_of")),
    "part_d_gap": (medicare.part_d_gap, (*_DRUGS, "initial_coverage_limit", "gap_coinsurance")),
    "part_d_2025": (medicare.part_d_2025, _DRUGS),
    "openimis_product": (
        openimis.openimis_product,
        (
            _DEDUCTIBLE,
            "insurer_rate",
            "coinsurance_patient",
            "max_amount_by_category",
            "frequency_days",
            "limit_no_adult",
            "waiting_period_adult_months",
            "waiting_period_child_months",
            "patient_category",
            "service_patient_category",
            "price_origin",
            "package_type",
        ),
    ),
}
"""Kind -> the function that states it as documents, and the parameters it reads."""

ANY_KIND: Final = ("kind", "year", "edition", "member_category", "age_band", "rounding", "sbc_rounding")
"""Who is covered, when, and how amounts are printed: no rule of their own."""


def compute(case: Case) -> Names:
    """Every name of `expected` that follows from the case, in micros, words and flags.

    Raises `Unsupported` for a kind that cannot be computed and for a parameter that the kind gives no meaning to.
    """
    if case.kind not in KINDS:
        raise Unsupported(f"plan.kind = {case.kind} (cannot be computed)")
    build, parameters = KINDS[case.kind]
    _refuse_strangers(case, parameters)
    setup = build(case)
    outcome = run(setup)
    names = _from_shares(case, outcome)
    names |= setup.answers(outcome, names)
    return {name: value for name, value in names.items() if value is not None}


def _refuse_strangers(case: Case, parameters: tuple[str, ...]) -> None:
    """A rule that the kind does not know is named; one that is stated as nothing (0, false, empty) changes nothing."""
    strangers = [
        f"plan.{name} (has no meaning in kind {case.kind})"
        for name, value in case.plan.items()
        if name not in parameters and name not in ANY_KIND and value
    ]
    strangers += [
        f"lines[{index}].{name} (belongs to another rule module)"
        for index, line in enumerate(case.lines)
        for name in line
        if name in codes.OTHER_LINE_NAMES
    ]
    strangers += [
        f"lines[{index}].{name} (negative)"
        for index, line in enumerate(case.lines)
        for name, value in line.items()
        if isinstance(value, int) and value < 0
    ]
    if strangers:
        raise Unsupported(*strangers)


def _from_shares(case: Case, outcome: Outcome) -> Names:
    """The names that mean the same in every kind."""
    answers = outcome.answers
    given = [sum(credit.amount for credit in answer.credits) for answer in answers]
    patient = [answer.patient_responsibility - credit for answer, credit in zip(answers, given, strict=True)]
    plan = [answer.plan_paid + credit for answer, credit in zip(answers, given, strict=True)]
    deductible = [_component(answer, "deductible") for answer in answers]
    coinsurance = [_component(answer, "coinsurance") for answer in answers]
    eligible = [allowed(case, index) for index in range(len(case.lines))]
    names: Names = {
        "patient_total": sum(patient),
        "plan_pays": sum(plan),
        "line_patient": patient,
        "line_plan": plan,
        "line_deductible": deductible,
        "line_coinsurance": coinsurance,
        "line_allowed": eligible,
        "deductible": sum(deductible),
        "deductible_derived": sum(deductible),
        "copay": sum(_component(answer, "copay") for answer in answers),
        "coinsurance": sum(coinsurance),
        "coinsurance_uncapped": sum(_moved_by_coinsurance(answer) for answer in answers),
        "limits": sum(_component(answer, "not_covered") + _component(answer, "over_limit") for answer in answers),
        "total_example_cost": sum(eligible),
    }
    if all("billed" in line for line in case.lines):
        names["discount"] = sum(line["billed"] for line in case.lines) - sum(eligible)
    return names


def _component(answer: Adjudication, name: str) -> int:
    """The patient's amount under a name; the deductible of one category is a deductible too."""
    return sum(
        share.amount
        for share in answer.shares
        if share.bearer == "patient" and (share.component == name or share.component.startswith(f"{name}_"))
    )


def _moved_by_coinsurance(answer: Adjudication) -> int:
    """What coinsurance steps took, before a maximum gave any of it back."""
    return sum(moved.amount for moved in answer.trace if moved.kind == "coinsurance")
