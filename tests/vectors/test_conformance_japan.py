"""The Japanese rules on random cases over the whole vocabulary: adapter and engine against the naive rules."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path
from typing import Any

import pytest

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
if str(REFERENCE) not in sys.path:
    sys.path.insert(0, str(REFERENCE))
names_check = importlib.import_module("names_check")

Case = dict[str, Any]

PROGRAMMES = [
    "intractable_disease",
    "tuberculosis",
    "hepatitis",
    "designated_infection",
    "rehabilitation_services",
    "mental_outpatient",
    "public_assistance",
    "specified_disease",
]
SETTINGS = ["inpatient", "outpatient"]


@pytest.mark.parametrize("seed", range(6))
def test_random_months_under_an_income_cap(seed: int) -> None:
    check(random.Random(f"income-{seed}"), income_case, 150)


@pytest.mark.parametrize("seed", range(4))
def test_random_months_with_transition_relief(seed: int) -> None:
    check(random.Random(f"relief-{seed}"), relief_case, 150)


@pytest.mark.parametrize("seed", range(4))
def test_random_households(seed: int) -> None:
    check(random.Random(f"household-{seed}"), household_case, 100)


def check(chance: random.Random, make: Any, count: int) -> None:
    for _ in range(count):
        case = make(chance)
        found = names_check.disagreements(case)
        assert not found, (case, found)


def income_case(chance: random.Random) -> Case:
    base = chance.choice([8000, 15000, 18000, 24600, 35400, 57600, 80100, 167400, 252600])
    plan: Case = {
        "kind": "coinsurance_with_monthly_income_cap",
        "coinsurance_patient": chance.choice(["0.1", "0.2", "0.3"]),
        "monthly_cap_base": str(base),
        "age_band": chance.choice(["under70", "70plus"]),
        "fourth_or_later_capped_month": chance.random() < 0.3,
        "half_cap_month_turning_75": chance.random() < 0.3,
    }
    if chance.random() < 0.7:
        plan["cap_rate_over_threshold"] = chance.choice(["0", "0.01", "0.02"])
        plan["cap_threshold_total_cost"] = chance.choice([None, "267000", "558000", "842000"])
    if chance.random() < 0.7:
        plan["cap_from_4th_month"] = chance.choice([None, "24600", "44400", "93000", "140100"])
    if chance.random() < 0.15:
        plan["specified_disease_cap"] = chance.choice([None, "10000", "20000"])
    if chance.random() < 0.1:
        plan["relief_formula"] = relief(chance)
    if chance.random() < 0.1:
        del plan["monthly_cap_base"]
    if chance.random() < 0.8:
        plan["cap_on_subsidised_line"] = subsidised(chance)
    return finished(chance, plan)


def relief_case(chance: random.Random) -> Case:
    plan: Case = {
        "kind": "coinsurance_with_monthly_cap_and_transition_relief",
        "coinsurance_patient": chance.choice(["0.2", "0.1", "0.3"]),
        "monthly_cap_after_halving": chance.choice(["18000", "9000", "12000"]),
        "half_cap_month_turning_75": chance.random() < 0.4,
        "specified_disease_cap": chance.choice([None, None, "10000", "20000"]),
    }
    if chance.random() < 0.9:
        plan["relief_formula"] = relief(chance)
    return finished(chance, plan)


def household_case(chance: random.Random) -> Case:
    case = income_case(chance)
    plan = case["plan"]
    plan.setdefault("monthly_cap_base", "80100")
    plan["aggregation"] = {"scope": "household", "min_line_patient_amount": chance.choice(["0", "21000", "60000"])}
    for line in case["lines"]:
        line.pop("payer_order", None)
        line["member"] = chance.choice(["husband", "wife", "others"])
    return case


def relief(chance: random.Random) -> Case:
    return {
        "base": chance.choice(["6000", "3000", "7010"]),
        "rate": chance.choice(["0.10", "0.05"]),
        "over": chance.choice(["30000", "15000"]),
        "applies_to": "insurance_only_lines",
        "not_with_specified_disease_cap": chance.random() < 0.7,
    }


def subsidised(chance: random.Random) -> Case:
    terms: Case = {
        "inpatient": chance.choice(["57600", "80100"]),
        "outpatient": chance.choice(["18000", "80100"]),
        "own_cap_for": chance.sample(PROGRAMMES, chance.randint(0, 3)),
        "halved_in_month_turning_75": chance.random() < 0.5,
    }
    if chance.random() < 0.7:
        terms |= {"assistance_inpatient": "15000", "assistance_outpatient": "8000"}
    if chance.random() < 0.6:
        terms["cap_rate_over_threshold"] = chance.choice(["0", "0.01"])
        terms["cap_threshold_total_cost"] = chance.choice([None, "267000"])
    return {name: value for name, value in terms.items() if chance.random() < 0.95}


def finished(chance: random.Random, plan: Case) -> Case:
    programmes = chance.sample(PROGRAMMES, chance.randint(0, 3))
    plan["secondary_payers"] = {
        name: {
            "patient_share_of_total_cost": chance.choice([None, "0", "0.05", "0.10", "0.20"]),
            "monthly_cap": chance.choice([None, "0", "1000", "5000", "10000", "30000"]),
        }
        for name in programmes
    }
    if not programmes and chance.random() < 0.5:
        del plan["secondary_payers"]
    if chance.random() < 0.7:
        floor = chance.choice(["0", "21000"])
        plan["aggregation"] = {"scope": "same_person", "min_line_patient_amount": floor}
    if chance.random() < 0.5:
        plan["rounding"] = {"unit": "1", "mode": "half_up"}
    by_line = chance.random() < 0.3
    if not by_line:
        plan["setting"] = chance.choice(SETTINGS)
    people = chance.choice([[None], [None], ["a", "b"]])
    lines = [line(chance, number, programmes, by_line, people) for number in range(1, chance.randint(1, 5) + 1)]
    return {
        "id": "random",
        "family": "random",
        "country": "JP",
        "currency": "JPY",
        "check": "compute",
        "plan": plan,
        "lines": lines,
        "expected": {},
        "tolerance": "0",
    }


def line(chance: random.Random, number: int, programmes: list[str], by_line: bool, people: list[Any]) -> Case:
    size = chance.choice([10_000, 60_000, 150_000, 400_000, 1_200_000])
    # Medical points are ten yen each; a cost in odd yen tries the rounding.
    step = chance.choice([10, 10, 1])
    made: Case = {"seq": number, "service": "monthly medical cost"}
    made["allowed"] = str(chance.randrange(0, size, step))
    member = chance.choice(people)
    if member:
        made["member"] = member
    if by_line:
        made["setting"] = chance.choice(SETTINGS)
    if chance.random() < 0.9:
        others = [*programmes, chance.choice(PROGRAMMES)] if chance.random() < 0.1 else programmes
        made["payer_order"] = ["insurance", *chance.sample(others, 1 if others and chance.random() < 0.6 else 0)]
    return made
