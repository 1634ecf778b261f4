"""The sample plans load, explain every clause, never pend a real event, and say what their sentences say."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from drachm.domain.benefits import build_stack, load_plan

U = 1_000_000
FOLDER = Path(__file__).parents[3] / "samples" / "plans"
OURS = (
    *("drachm-us-ppo", "drachm-us-hdhp", "us-medicare-part-b", "us-medicaid"),
    *("drachm-beijing-employee", "drachm-public"),
)
CATEGORIES = (
    *("preventive", "immunization", "primary_care", "specialist", "telehealth", "emergency", "inpatient"),
    *("procedure", "lab", "drug", "other", "something new"),
)
PIPELINE: dict[str, Any] = {
    "line_kind": "service",
    "visit_class": "ambulatory",
    "service": "99213",
    "code_system": "CPT",
    "emergency": False,
    "network": "in",
    "facility_level": "3",
    "place_of_service": "11",
    "age": 44,
    "sex": "female",
    "member_category": "employee",
    "tier": "family",
    "policy_start": "2020-01-01",
    "authorised": True,
    "filing_days": 3,
    "category": "other",
}


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


@pytest.fixture
def at(desk):
    return lambda name: desk(read(name))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_loads_and_fits_the_schema(path):
    document = json.loads(path.read_text())
    schema = json.loads(resources.files("drachm.domain.benefits").joinpath("plan.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    plan = load_plan(document)
    build_stack([plan])
    assert plan.id == path.stem


@pytest.mark.parametrize("name", OURS)
def test_every_clause_has_a_sentence_and_every_sentence_a_clause(name):
    plan = load_plan(read(name))
    clauses = {step.clause for step in (*plan.steps, *plan.closing_steps)}
    assert clauses == set(plan.text or {})
    assert plan.title
    assert all(sentence.endswith(".") and len(sentence) > 20 for sentence in (plan.text or {}).values())
    assert str(plan.effective.start) == "1900-01-01"
    assert plan.effective.end is None
    assert "1900" in plan.title


@pytest.mark.parametrize("name", OURS)
def test_no_real_event_pends(at, name):
    here = at(name)
    assert here.line(50, billed=80, on="1911-03-10").decision == "covered"
    for category in CATEGORIES:
        for network in ("in", "out", "elsewhere"):
            facts = {**PIPELINE, "category": category, "network": network}
            assert here.line(123.45, family="f", visit=f"{category}-{network}", **facts).decision == "covered"


class TestPpo:
    @pytest.mark.parametrize(
        ("facts", "cost", "owed"),
        [
            ({"category": "preventive"}, 300, {}),
            ({"category": "immunization"}, 40, {}),
            ({"category": "primary_care"}, 120, {"copay": 25}),
            ({"category": "specialist"}, 220, {"copay": 50}),
            ({"category": "telehealth"}, 12, {"copay": 12}),
            ({"category": "emergency"}, 2000, {"copay": 250}),
            ({"category": "emergency", "network": "out"}, 2000, {"copay": 250}),
            ({"category": "emergency", "admitted": True}, 2000, {"coinsurance": 400}),
            ({"category": "drug"}, 12, {"copay": 5}),
            ({"category": "drug"}, 100, {"copay": 20}),
            ({"category": "drug"}, 1000, {"copay": 75}),
            ({"category": "procedure"}, 1000, {"deductible": 750, "coinsurance": 50}),
            ({"category": "procedure", "network": "out"}, 2000, {"deductible": 1500, "coinsurance": 200}),
            (
                {"category": "procedure", "network": "out", "emergency": True},
                1000,
                {"deductible": 750, "coinsurance": 50},
            ),
            ({"category": "preventive", "network": "out"}, 100, {"deductible": 100}),
            ({"category": "inpatient"}, 60_000, {"deductible": 750, "coinsurance": 3750}),
        ],
    )
    def test_one_line(self, at, amounts, facts, cost, owed):
        split = amounts(at("drachm-us-ppo").line(cost, **facts))
        assert {name: amount for name, amount in split.items() if name != "drachm-us"} == owed

    def test_one_copay_a_visit(self, at):
        here = at("drachm-us-ppo")
        owed = [here.line(20, visit="v", category="primary_care").patient_responsibility // U for _ in range(3)]
        assert owed == [20, 5, 0]

    def test_the_family_is_through_when_two_members_are(self, at, amounts):
        here = at("drachm-us-ppo")
        for member in ("a", "b"):
            assert amounts(here.line(750, member=member, family="f"))["deductible"] == 750
        assert amounts(here.line(100, member="c", family="f")) == {"coinsurance": 20, "drachm-us": 80}

    def test_an_emergency_out_of_the_network_counts_in_the_network(self, at):
        here = at("drachm-us-ppo")
        here.line(5000, category="emergency", network="out", family="f")
        assert here.used("drachm-us-ppo/out_of_pocket") == 250
        assert here.used("drachm-us-ppo/out_of_pocket_out") == 0


class TestHdhp:
    def test_self_only(self, at, amounts):
        here = at("drachm-us-hdhp")
        assert amounts(here.line(100, category="preventive")) == {"drachm-us": 100}
        assert amounts(here.line(2000)) == {"deductible": 1700, "coinsurance": 60, "drachm-us": 240}
        assert here.line(100_000).patient_responsibility == (8500 - 1760) * U

    def test_a_family_shares_one_deductible_and_no_person_passes_the_embedded_limit(self, at, amounts):
        here = at("drachm-us-hdhp")
        family = {"family": "f", "tier": "family"}
        assert amounts(here.line(3000, member="a", **family)) == {"deductible": 3000}
        assert amounts(here.line(1000, member="b", **family))["deductible"] == 400
        assert here.line(100_000, member="a", **family).patient_responsibility == (10_600 - 3000) * U
        # The family has paid 3,000 + 520 + 7,600 of its 17,000.
        assert here.line(100_000, member="b", **family).patient_responsibility == (17_000 - 11_120) * U


def test_medicare_part_b(at, amounts):
    here = at("us-medicare-part-b")
    assert amounts(here.line(100, category="lab")) == {"us-medicare": 100}
    assert amounts(here.line(357)) == {"deductible": 257, "coinsurance": 20, "us-medicare": 80}
    assert amounts(here.line(100, category="preventive")) == {"us-medicare": 100}


def test_medicaid(at, amounts):
    here = at("us-medicaid")
    assert amounts(here.line(3, category="drug")) == {"copay": 3}
    assert amounts(here.line(30, category="drug", age=12)) == {"us-medicaid": 30}
    assert amounts(here.line(30, emergency=True)) == {"us-medicaid": 30}
    assert amounts(here.line(9000, category="inpatient", visit="v"))["copay"] == 75
    # 5 percent of a quarter of 480 a year are 6.
    poor = {"family": "poor", "household_income": 480 * U, "member": "p"}
    assert [here.line(30, category="drug", **poor).patient_responsibility / U for _ in range(3)] == [4, 2, 0]


def test_medicaid_behind_medicare(desk, amounts):
    here = desk(read("us-medicare-part-b"), read("us-medicaid"))
    assert amounts(here.line(357, visit="v")) == {"us-medicare": 80, "copay": 4, "us-medicaid": 273}


class TestBeijing:
    @pytest.mark.parametrize(
        ("facts", "cost", "owed"),
        [
            ({}, 2800, {"deductible": 1800, "coinsurance": 300}),
            ({"facility_level": "1"}, 2800, {"deductible": 1800, "coinsurance": 100}),
            ({"member_category": "retiree", "age": 65}, 2300, {"deductible": 1300, "coinsurance": 150}),
            ({"member_category": "retiree", "age": 70}, 2300, {"deductible": 1300, "coinsurance": 100}),
            ({"member_category": "retiree"}, 2300, {"deductible": 1300, "coinsurance": 150}),
            ({"drug_class": "B"}, 1000, {"self_pay_first": 100, "deductible": 900}),
            ({"drug_class": "C"}, 100, {"not_covered": 100}),
        ],
    )
    def test_one_line(self, at, amounts, facts, cost, owed):
        split = amounts(at("drachm-beijing-employee").line(cost, **facts))
        assert {name: amount for name, amount in split.items() if name != "beijing-pooled-fund"} == owed

    def test_the_rate_changes_once_the_fund_has_paid_20000(self, at, amounts):
        here = at("drachm-beijing-employee")
        # 1,800 deductible; 20,000 / 0.7 = 28,571.43 at 30 percent; the rest at 40 percent.
        assert amounts(here.line(40_000))["coinsurance"] == pytest.approx(8571.43 + 9628.57 * 0.4, abs=0.01)
        assert amounts(here.line(100))["coinsurance"] == 40


def test_public_plan(at, amounts):
    here = at("drachm-public")
    assert amounts(here.line(900, category="inpatient")) == {"drachm-public": 900}
    owed = [here.line(20, category="drug").patient_responsibility // U for _ in range(7)]
    assert owed == [3, 3, 3, 3, 3, 0, 0]
    assert here.line(20, category="drug", on="2025-04-01").patient_responsibility == 3 * U
