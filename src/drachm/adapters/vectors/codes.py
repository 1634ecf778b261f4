"""Which names and words may a published case use?

The closed vocabulary of `samples/vectors/names.md` as tables: every name with the shape of its value. A name or a word
that stands in none of them makes a case unsupported. `null` is read as "missing" everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Simple = Literal["money", "rate", "count", "flag", "text", "any"]
"""money and rate: decimal strings, read as micros and ppm. count: an integer. any: free, never computed with."""


@dataclass(frozen=True, slots=True)
class Word:
    """One of the listed words."""

    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of one shape."""

    of: Shape


@dataclass(frozen=True, slots=True)
class Record:
    """An object with known names; none of them is required."""

    fields: Mapping[str, Shape]


@dataclass(frozen=True, slots=True)
class Labelled:
    """An object whose keys are labels of persons."""

    of: Shape


Shape: TypeAlias = Simple | Word | Listing | Record | Labelled


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _words(text: str) -> Word:
    return Word(_names(text))


def _table(keys: str, of: Shape) -> Record:
    return Record(dict.fromkeys(keys.split(), of))


COMPUTED_KINDS: Final = _names(
    "deductible_then_coinsurance deductible_then_copay copay_or_deductible_then_coinsurance copay_then_coinsurance "
    "deductible_then_coinsurance_plus_copay deductible_then_coinsurance_with_coinsurance_cap "
    "deductible_then_coinsurance_by_facility_level personal_account_then_deductible_then_coinsurance "
    "percent_copay_with_bounds base_rate_reimbursement coinsurance_with_monthly_income_cap "
    "coinsurance_with_monthly_cap_and_transition_relief medicare_secondary part_d_gap part_d_2025 "
    "openimis_product"
)
PRINTED_KINDS: Final = _names("ppo sbc_sample price_roll_up reconcile_only x12_cob")
"""Kinds whose figures can only be added up."""
OTHER_KINDS: Final = _names("x12_835_balancing percent_discount_repricing gfe_dispute rpm_billing_2026")

MODULES: Final = _names("rpm good_faith_estimate remittance_balance repricing review")
CHECKS: Final = frozenset({"compute", "reconcile", *(f"other_module:{module}" for module in MODULES)})

_SETTING = _words("inpatient outpatient")
_MEMBER_CATEGORY = _words(
    "employee retiree resident employee_44_or_younger A_monthly_pay_830k_up B_530k_790k C_280k_500k D_260k_or_less "
    "E_low_income 70plus_active_3 70plus_active_2 70plus_active_1 70plus_general 70plus_low_2 70plus_low_1 "
    "75plus_general_II"
)
_FACILITY = _words("hospital community psychiatric_hospital specialist_hospital")
PROGRAMMES: Final = (
    "intractable_disease tuberculosis hepatitis designated_infection rehabilitation_services mental_outpatient "
    "public_assistance specified_disease"
)
_CLAIM_CATEGORIES = "antenatal consultation delivery"
# Lines name the first four; the rest are the categories of deductibles, coinsurance and exceptions.
_CATEGORIES = "pcp specialist er facility rx occupational_therapy other_outpatient other supplies"
LOWEST_OF: Final = (
    "billed_minus_primary_paid medicare_alone higher_allowed_minus_primary_paid medicare_allowed_minus_primary_paid "
    "billed_minus_medicare_cost_share"
)

CASE: Final[Mapping[str, Shape]] = {
    "id": "text",
    "family": "text",
    "title": "any",
    "country": "text",
    "currency": "text",
    "source": "any",
    "source_status": "any",
    "solidity": _words("A A- B C"),
    "check": Word(CHECKS),
    "plan": "any",
    "state_before": "any",
    "lines": "any",
    "expected": "any",
    "tolerance": "money",
    "verified": "any",
    "notes": "any",
}

PLAN: Final[Mapping[str, Shape]] = {
    "kind": Word(COMPUTED_KINDS | PRINTED_KINDS | OTHER_KINDS),
    "year": "count",
    "edition": "count",
    "deductible_individual": "money",
    "deductible_family": "money",
    "family_deductible": _words("embedded aggregate"),
    "deductible_by_category": _table("rx occupational_therapy", "money"),
    "oop_max_individual": "money",
    "oop_max_family": "money",
    "coinsurance_patient": "rate",
    "coinsurance_by_category": _table("facility other_outpatient other", "rate"),
    "insurer_rate": "rate",
    "insurer_rates": Listing(
        Record({"rate": "rate", "member_category": _MEMBER_CATEGORY, "facility": _FACILITY, "over": "money"})
    ),
    "coinsurance_cap_year": "money",
    "copay_by_category": _table("pcp specialist er facility all", "money"),
    "copay_bypasses_deductible": Listing(_words("pcp specialist er facility all")),
    "copay_minimum": "money",
    "copay_maximum": "money",
    "never_above_price": "flag",
    "stacking": _words("copay_on_top coinsurance_after_copay"),
    "cost_share_waiver": Record(
        {"primary_diagnosis": _words("diabetes"), "except_categories": Listing(_words("rx supplies"))}
    ),
    "sbc_rounding": "flag",
    "reimbursement_base": "money",
    "flat_deduction": "money",
    "member_category": _MEMBER_CATEGORY,
    "age_band": _words("under70 70plus"),
    "setting": _SETTING,
    "monthly_cap_base": "money",
    "cap_rate_over_threshold": "rate",
    "cap_threshold_total_cost": "money",
    "cap_from_4th_month": "money",
    "fourth_or_later_capped_month": "flag",
    "half_cap_month_turning_75": "flag",
    "monthly_cap_after_halving": "money",
    "relief_formula": Record(
        {
            "base": "money",
            "rate": "rate",
            "over": "money",
            "applies_to": _words("insurance_only_lines"),
            "not_with_specified_disease_cap": "flag",
        }
    ),
    "specified_disease_cap": "money",
    "secondary_payers": _table(PROGRAMMES, Record({"patient_share_of_total_cost": "rate", "monthly_cap": "money"})),
    "cap_on_subsidised_line": Record(
        {
            "inpatient": "money",
            "outpatient": "money",
            "assistance_inpatient": "money",
            "assistance_outpatient": "money",
            "cap_rate_over_threshold": "rate",
            "cap_threshold_total_cost": "money",
            "own_cap_for": Listing(_words(PROGRAMMES)),
            "halved_in_month_turning_75": "flag",
        }
    ),
    "aggregation": Record({"scope": _words("same_person household"), "min_line_patient_amount": "money"}),
    "rounding": Record({"unit": "money", "mode": _words("half_up")}),
    "lowest_of": Listing(_words(LOWEST_OF)),
    "initial_coinsurance": "rate",
    "gap_coinsurance": "rate",
    "catastrophic_coinsurance": "rate",
    "initial_coverage_limit": "money",
    "oop_threshold": "money",
    "max_amount_by_category": _table(_CLAIM_CATEGORIES, "money"),
    "frequency_days": "count",
    "limit_no_adult": "count",
    "waiting_period_adult_months": "count",
    "waiting_period_child_months": "count",
    "patient_category": "count",
    "service_patient_category": "count",
    "price_origin": _words("claim"),
    "package_type": _words("fixed"),
    "discount_rate": "rate",
    "group_codes": Record({"PR-1": _words("deductible")}),
    "threshold": "money",
    "comparison": Record(
        {"amount": _words("billed_minus_estimate"), "operator": _words("at_least"), "per": _words("provider")}
    ),
    "window_days": "count",
    "device_supply": Record(
        {
            "period_days": "count",
            "one_of": Listing(Record({"code": "text", "days_from": "count", "days_to": "count"})),
        }
    ),
    "management": Record(
        {
            "period": _words("calendar_month"),
            "live_interactions_min": "count",
            "first_one_of": Listing(Record({"code": "text", "minutes_from": "count", "minutes_to": "count"})),
            "additional": Record({"code": "text", "each_minutes": "count", "after_minutes": "count"}),
        }
    ),
}

STATE: Final[Mapping[str, Shape]] = {
    "deductible_used": "money",
    "deductible_met": "flag",
    "oop_used": "money",
    "personal_account_balance": "money",
}

LINE: Final[Mapping[str, Shape]] = {
    "seq": "count",
    "service": "text",
    "allowed": "money",
    "billed": "money",
    "list_price": "money",
    "line_type": _words("item service"),
    "category": _words(f"{_CATEGORIES} {_CLAIM_CATEGORIES}"),
    "facility": _FACILITY,
    "facility_level": _words("1 2 3"),
    "member": "text",
    "day": "count",
    "qty": "count",
    "unit_price": "money",
    "payer_order": Listing(_words(f"insurance {PROGRAMMES}")),
    # Said of all lines by the plan, or of one line here.
    "setting": _SETTING,
    "primary_allowed": "money",
    "primary_paid": "money",
    "medicare_allowed": "money",
    "estimate": "money",
    "days_with_data": "count",
    "management_minutes": "count",
    "live_interaction": "flag",
    "paid": "money",
    "patient_responsibility": "money",
    "adjustments": "any",
    "review_qty": "count",
    "review_decision": _words("reject"),
}
ADJUSTMENT_GROUPS: Final = _names("CO CR OA PI PR")
OTHER_LINE_NAMES: Final = _names(
    "estimate days_with_data management_minutes live_interaction paid patient_responsibility adjustments review_qty "
    "review_decision"
)
"""Names that only other modules read; a line that is computed may not carry them."""

_DECISION = Listing(_words("accept reject"))
EXPECTED: Final[Mapping[str, Shape]] = {
    **dict.fromkeys(
        _names(
            "patient_total plan_pays ceiling_exceeded plan_pays_before_review plan_pays_after_review deductible copay "
            "coinsurance limits deductible_derived coinsurance_uncapped coinsurance_exact patient_total_exact "
            "total_example_cost deductible_remaining_after family_deductible_remaining all_payers_total insurance_pays "
            "aggregated_patient aggregated_total_cost household_cap refund patient_net_total secondary_pays combined "
            "primary_paid primary_deductible patient_responsibility_to_secondary discount claim_allowed claim_discount "
            "claim_billed eligible benefit member_liability patient_pay payment_adjustment paid_to_provider "
            "payment_total"
        ),
        "money",
    ),
    **dict.fromkeys(
        _names("line_patient line_plan line_deductible line_coinsurance line_allowed limbs"), Listing("money")
    ),
    "line_decision": _DECISION,
    "reject_reason": "count",
    "claim_reject_reason": "count",
    "status": _words("valuated"),
    "after_review_quantities": Listing("count"),
    "accumulator_kept": "flag",
    "family_deductible_met": "flag",
    "member_deductible_met": Labelled("flag"),
    "secondary": _table(PROGRAMMES, Record({"covered_base": "money", "patient_after": "money"})),
    "claims": "count",
    "billable_codes": Listing("text"),
    "dispute_eligible": "flag",
}

REJECT_CODES: Final[Mapping[str, int]] = {
    "patient_category": 4,
    "frequency": 5,
    "quantity_limit": 16,
    "waiting_period": 17,
}
"""Reasons of our openIMIS documents and the openIMIS codes that a case prints for them."""
NO_LINE_LEFT: Final = 1
