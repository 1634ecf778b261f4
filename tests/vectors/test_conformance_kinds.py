"""Every kind outside Japan on random cases over the whole vocabulary: adapter and engine against the naive rules."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
if str(REFERENCE) not in sys.path:
    sys.path.insert(0, str(REFERENCE))
names_check = importlib.import_module("names_check")

Case = dict[str, Any]
Chance = random.Random

US_KINDS = [
    "deductible_then_coinsurance",
    "deductible_then_copay",
    "copay_or_deductible_then_coinsurance",
    "copay_then_coinsurance",
    "deductible_then_coinsurance_plus_copay",
]
US_CATEGORIES = ["pcp", "specialist", "er", "facility"]
OTHER_CATEGORIES = ["rx", "occupational_therapy", "other_outpatient", "supplies"]
MEMBERS = ["Anna", "Jaime", "others"]
FACILITIES = ["hospital", "community", "psychiatric_hospital", "specialist_hospital"]
CN_MEMBERS = ["employee", "retiree", "resident", "employee_44_or_younger"]
LIMBS = [
    "billed_minus_primary_paid",
    "medicare_alone",
    "higher_allowed_minus_primary_paid",
    "medicare_allowed_minus_primary_paid",
    "billed_minus_medicare_cost_share",
]


def often(chance: Chance, share: float) -> bool:
    return chance.random() < share


def money(chance: Chance, most: int, *, cents: bool = True) -> str:
    amount = chance.randrange(0, most * 100 + 1)
    return f"{amount / 100:.2f}" if cents and often(chance, 0.5) else str(amount // 100)


def rate(chance: Chance) -> str:
    return chance.choice(["0", "0.10", "0.15", "0.20", "0.25", "0.30", "0.333", "0.50", "1", "1.00"])


def case_of(plan: Case, lines: list[Case], state: Case | None = None, **more: str) -> Case:
    numbered = [{"seq": number, "service": "care", **line} for number, line in enumerate(lines, 1)]
    case = {
        "id": "random",
        "family": "random",
        "country": "US",
        "currency": "USD",
        "check": "compute",
        "plan": plan,
        "lines": numbered,
        "expected": {},
        **more,
    }
    return case | ({"state_before": state} if state else {})


def some(chance: Chance, share: float, **parameters: Any) -> Case:
    """Each parameter is there with this chance; sometimes it is `null`, no such limit."""
    return {name: None if often(chance, 0.05) else value for name, value in parameters.items() if often(chance, share)}


def united_states(chance: Chance) -> Case:
    kind = chance.choice(US_KINDS)
    plan: Case = {
        "kind": kind,
        **some(
            chance,
            0.7,
            deductible_individual=money(chance, 2000),
            oop_max_individual=money(chance, 5000),
            coinsurance_patient=rate(chance),
        ),
        **some(
            chance,
            0.35,
            deductible_family=money(chance, 4000),
            oop_max_family=money(chance, 8000),
            family_deductible=chance.choice(["embedded", "aggregate"]),
            sbc_rounding=often(chance, 0.5),
            year=2026,
        ),
        **some(
            chance,
            0.15,
            deductible_by_category={name: money(chance, 500) for name in ["rx", "occupational_therapy"]},
            coinsurance_by_category={
                name: rate(chance) for name in chance.sample(["facility", "other_outpatient", "other"], 2)
            },
            cost_share_waiver={"primary_diagnosis": "diabetes", "except_categories": ["rx", "supplies"]},
        ),
    }
    if kind != "deductible_then_coinsurance":
        plan |= some(
            chance,
            0.8,
            copay_by_category={
                name: money(chance, 300) for name in chance.sample([*US_CATEGORIES, "all"], chance.randint(1, 4))
            },
        )
        share = 0.9 if kind.startswith("copay_or") else 0.2
        bypassing = chance.sample([*US_CATEGORIES, "all"], chance.randint(1, 2))
        plan |= some(chance, share, copay_bypasses_deductible=bypassing)
    if kind == "deductible_then_copay":
        plan.pop("coinsurance_patient", None)
        plan.pop("coinsurance_by_category", None)
    if kind in ("copay_then_coinsurance", "deductible_then_coinsurance_plus_copay"):
        plan |= some(chance, 0.8, stacking=chance.choice(["copay_on_top", "coinsurance_after_copay"]))
    people = chance.choice([[None], MEMBERS[:2], MEMBERS])
    lines = []
    for _ in range(chance.randint(1, 6)):
        line: Case = {"allowed": money(chance, 3000)}
        if often(chance, 0.2):
            line = {"qty": chance.randint(1, 4), "unit_price": money(chance, 500)}
        if often(chance, 0.7):
            line["category"] = chance.choice(US_CATEGORIES + OTHER_CATEGORIES)
        member = chance.choice(people)
        lines.append(line | ({"member": member} if member else {}))
    return case_of(plan, lines, us_state(chance))


def us_state(chance: Chance) -> Case:
    return {
        **some(chance, 0.3, deductible_used=money(chance, 2500), oop_used=money(chance, 5000)),
        **some(chance, 0.1, deductible_met=often(chance, 0.8)),
    }


def part_d(chance: Chance) -> Case:
    kind = chance.choice(["part_d_gap", "part_d_2025"])
    plan: Case = {
        "kind": kind,
        **some(
            chance,
            0.85,
            deductible_individual=money(chance, 600),
            initial_coinsurance=chance.choice(["0.25", "0.20", "0.5"]),
            oop_threshold=money(chance, 7000),
        ),
    }
    if kind == "part_d_gap":
        plan |= some(chance, 0.85, initial_coverage_limit=money(chance, 4500), gap_coinsurance=rate(chance))
    else:
        plan |= some(chance, 0.5, catastrophic_coinsurance=chance.choice(["0", "0.05", "0.10"]))
    lines = [{"allowed": money(chance, 6000)} for _ in range(chance.randint(1, 5))]
    if kind == "part_d_gap" and plan.get("initial_coinsurance") and often(chance, 0.3):
        # Cents that are rounded line by line would move the place where a phase begins.
        plan["catastrophic_coinsurance"] = "0.05"
        lines = [{"allowed": money(chance, 20000)}]
    return case_of(plan, lines, us_state(chance))


def medicare(chance: Chance) -> Case:
    plan: Case = {
        "kind": "medicare_secondary",
        # Medicare never pays more than the first payer has left of the bill.
        "lowest_of": chance.sample(["billed_minus_primary_paid", *chance.sample(LIMBS[1:], chance.randint(0, 4))], 1)
        if often(chance, 0.1)
        else chance.sample(LIMBS, 5)[: chance.randint(1, 5)],
        **some(chance, 0.7, deductible_individual=money(chance, 600), coinsurance_patient=rate(chance)),
    }
    if "billed_minus_primary_paid" not in plan["lowest_of"]:
        plan["lowest_of"].append("billed_minus_primary_paid")
    lines = []
    for _ in range(chance.randint(1, 3)):
        billed = chance.randrange(1, 300000)
        paid = chance.randrange(0, billed)
        amounts = {
            "billed": billed,
            "primary_paid": paid,
            "primary_allowed": chance.randrange(paid, billed + 1),
            "medicare_allowed": chance.randrange(0, billed + 20_000),
            "allowed": chance.randrange(0, billed + 1),
        }
        lines.append({name: f"{amount / 100:.2f}" for name, amount in amounts.items()})
    return case_of(plan, lines, us_state(chance))


def switzerland(chance: Chance) -> Case:
    plan = {
        "kind": "deductible_then_coinsurance_with_coinsurance_cap",
        **some(
            chance,
            0.85,
            deductible_individual=money(chance, 2500),
            coinsurance_patient=rate(chance),
            coinsurance_cap_year=money(chance, 700),
        ),
    }
    people = chance.choice([{}, {"member": "a"}])
    lines = [{"allowed": money(chance, 6000), **people} for _ in range(chance.randint(1, 5))]
    lines[-1]["member"] = chance.choice(["a", "b"])
    return case_of(plan, lines, us_state(chance), country="CH", currency="CHF")


def china(chance: Chance) -> Case:
    personal = "personal_account_then_deductible_then_coinsurance"
    plan: Case = {
        "kind": chance.choice([personal, "deductible_then_coinsurance_by_facility_level"]),
        "member_category": chance.choice(CN_MEMBERS),
        **some(chance, 0.8, deductible_individual=money(chance, 1800)),
    }
    plan |= {"insurer_rate": rate(chance)} if often(chance, 0.8) else {"coinsurance_patient": rate(chance)}
    if often(chance, 0.6):
        plan["insurer_rates"] = [
            {
                "rate": rate(chance),
                **({"member_category": chance.choice(CN_MEMBERS)} if often(chance, 0.5) else {}),
                **({"facility": chance.choice(FACILITIES)} if often(chance, 0.4) else {}),
                **({"over": chance.choice(["1500", "4000.50", "20000"])} if often(chance, 0.4) else {}),
            }
            for _ in range(chance.randint(1, 5))
        ]
        # Where only the patient's rate is left to parts without a row, two roundings would meet.
        plan.setdefault("insurer_rate", "0.5")
        plan.pop("coinsurance_patient", None)
    lines = [
        {
            "allowed": money(chance, 5000),
            **({"facility": chance.choice(FACILITIES)} if often(chance, 0.8) else {}),
            **({"facility_level": chance.choice("123")} if often(chance, 0.3) else {}),
            **({"member": chance.choice("ab")} if often(chance, 0.2) else {}),
        }
        for _ in range(chance.randint(1, 6))
    ]
    state = us_state(chance)
    state |= some(chance, 0.7, personal_account_balance=money(chance, 3000))
    return case_of(plan, lines, state, country="CN", currency="CNY")


def germany(chance: Chance) -> Case:
    plan = {
        "kind": "percent_copay_with_bounds",
        **some(
            chance,
            0.8,
            coinsurance_patient=rate(chance),
            copay_minimum=money(chance, 8),
            copay_maximum=money(chance, 20),
            never_above_price=True,
        ),
    }
    lines = [{"allowed": money(chance, 150)} for _ in range(chance.randint(1, 4))]
    return case_of(plan, lines, country="DE", currency="EUR")


def france(chance: Chance) -> Case:
    plan = {
        "kind": "base_rate_reimbursement",
        **some(chance, 0.9, reimbursement_base=money(chance, 50), flat_deduction=money(chance, 3)),
    }
    plan |= (
        {"insurer_rate": rate(chance)} if often(chance, 0.85) else some(chance, 0.7, coinsurance_patient=rate(chance))
    )
    lines = []
    for _ in range(chance.randint(1, 4)):
        allowed = chance.randrange(0, 6000)
        line: Case = {"allowed": f"{allowed / 100:.2f}"}
        if often(chance, 0.8):
            line["billed"] = f"{(allowed + chance.randrange(0, 3000)) / 100:.2f}"
        lines.append(line)
    return case_of(plan, lines, country="FR", currency="EUR")


def openimis(chance: Chance) -> Case:
    categories = ["antenatal", "consultation", "delivery"]
    plan: Case = {
        "kind": "openimis_product",
        **some(chance, 0.6, deductible_individual=money(chance, 300)),
        **(
            some(chance, 0.8, insurer_rate=rate(chance))
            if often(chance, 0.8)
            else {"coinsurance_patient": rate(chance)}
        ),
        **some(
            chance,
            0.4,
            max_amount_by_category={name: money(chance, 900) for name in chance.sample(categories, 2)},
            frequency_days=chance.choice([0, 1, 30, 180]),
            limit_no_adult=chance.randint(0, 8),
            waiting_period_adult_months=chance.randint(0, 14),
            waiting_period_child_months=chance.randint(0, 3),
            patient_category=chance.choice([5, 6, 9, 10, 4, 0]),
            service_patient_category=chance.randint(0, 15),
            price_origin="claim",
            package_type="fixed",
        ),
    }
    lines = []
    category = chance.choice([None, *categories])
    for _ in range(chance.randint(1, 7)):
        line: Case = {
            "allowed": money(chance, 700),
            "service": chance.choice(["G34B", "X1"]),
            "day": chance.choice([0, 0, 1, 29, 30, 31, 59, 89, 90, 180, 181, 182, 209, 400, 430]),
        }
        line |= some(
            chance,
            0.6,
            line_type=chance.choice(["item", "service"]),
            qty=chance.randint(1, 4),
            member=chance.choice(["adult", "child"]),
        )
        if category and often(chance, 0.8):
            line["category"] = category if often(chance, 0.9) else chance.choice(categories)
        lines.append({name: value for name, value in line.items() if value is not None})
    state = some(chance, 0.2, deductible_used=money(chance, 300))
    return case_of(plan, lines, state, country="XX", currency="XXX")


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (united_states, 800),
        (part_d, 400),
        (medicare, 400),
        (switzerland, 200),
        (china, 500),
        (germany, 150),
        (france, 300),
        (openimis, 500),
    ],
)
def test_random_cases_come_out_as_the_rules_say(make: Callable[[Chance], Case], count: int) -> None:
    chance = random.Random(f"{make.__name__}-1")
    for _ in range(count):
        case = make(chance)
        found = names_check.disagreements(case)
        assert not found, (case, found)
