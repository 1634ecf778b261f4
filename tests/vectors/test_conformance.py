"""Published adjudication results: which of them does the product reproduce, and is everything else named?"""

from __future__ import annotations

import copy
import importlib
import json
import os
import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.vectors import as_json, codes, render, run
from drachm.adapters.vectors.compute import KINDS
from drachm.adapters.vectors.run import run_cases

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "samples" / "vectors"
SHARED = Path(os.environ.get("DRACHM_SHARED", ROOT.parent / "shared")) / "vectors"
FOLDERS = [folder for folder in (BUNDLED, SHARED) if folder.is_dir()]

REFERENCE = ROOT / "tests" / "reference"
if str(REFERENCE) not in sys.path:
    sys.path.insert(0, str(REFERENCE))
names_rules = importlib.import_module("names_rules")

Case = dict[str, Any]


def published() -> list[Case]:
    document = json.loads((BUNDLED / "adjudication.json").read_text("utf-8"))
    return list(document["cases"])


def case(identifier: str) -> Case:
    return copy.deepcopy(next(item for item in published() if item["id"] == identifier))


# The published files


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_published_case_that_can_be_computed_passes(folder: Path) -> None:
    report = run(folder / "adjudication.json")
    told = as_json(report)
    assert report.ok
    assert told["failures"] == told["unsupported_cases"] == told["reconcile_failures"] == []
    counts = [told[name] for name in ("passed", "failed", "unsupported", "reconcile", "reconcile_failed")]
    assert counts == [104, 0, 0, 10, 0]
    assert told["other_module"] == 12
    by_country = {country: row["passed"] for country, row in told["by_country"].items()}
    assert by_country == {"CH": 1, "CN": 4, "DE": 3, "FR": 2, "JP": 68, "US": 19, "XX": 7}
    assert told["by_family"]["jp_high_cost_70plus"]["passed"] == 34


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_reported_example_costs_are_reproduced(folder: Path) -> None:
    report = run(folder / "sbc-marketplace-2021.csv")
    reproduced = {example.name: (example.reproduced, example.plans) for example in report.examples}
    assert reproduced == {"baby": (6106, 6683), "fracture": (4883, 5687), "diabetes": (2808, 4795)}
    told = as_json(report)
    assert told["passed"] == 6106 + 4883 + 2808
    assert told["counted_in"] == "plans"
    for example in told["by_example"].values():
        assert sum(example["misses"].values()) == example["plans"] - example["reproduced"]


def test_the_naive_rules_agree_with_every_printed_result() -> None:
    checked = 0
    for item in published():
        if item["check"] == "compute":
            values = names_rules.work_out(item)
            for name, printed in item["expected"].items():
                assert agrees(printed, values[name]), (item["id"], name, printed, values[name])
                checked += 1
    assert checked > 300


def agrees(printed: Any, value: Any) -> bool:
    if isinstance(printed, dict):
        return all(agrees(item, value[name]) for name, item in printed.items())
    if isinstance(printed, list):
        return len(printed) == len(value) and all(map(agrees, printed, value))
    if isinstance(value, set):
        return bool(value == {printed})
    return bool(printed == value or (isinstance(printed, str) and Fraction(printed) == value))


# Computing does not look at the answer


def test_a_wrong_printed_amount_fails_and_is_told_with_both_values() -> None:
    item = case("jp_high_cost_u70_14")
    item["expected"]["patient_total"] = "57501"
    item["expected"]["secondary"]["tuberculosis"]["patient_after"] = "1"
    [verdict] = run_cases([item])
    assert verdict.result == "failed"
    told = [(found.name, found.expected, found.computed) for found in verdict.differences]
    assert told == [("patient_total", "57501", "57500"), ("secondary.tuberculosis.patient_after", "1", "42500")]


def test_an_amount_may_differ_by_the_tolerance_of_the_case() -> None:
    item = case("us_jane_2") | {"tolerance": "0.50"}
    item["expected"] = {"patient_total": "15.50"}
    assert run_cases([item])[0].result == "passed"
    item["expected"] = {"patient_total": "15.51"}
    assert run_cases([item])[0].result == "failed"


def test_null_is_the_same_as_a_rule_that_is_not_there() -> None:
    item = case("us_jane_2")
    item["plan"] |= {"oop_max_family": None, "copay_by_category": None}
    item["lines"][0]["category"] = None
    assert run_cases([item])[0].result == "passed"


# What is outside the vocabulary is named


def edited(identifier: str, path: str, value: Any) -> Case:
    item = case(identifier)
    *way, last = path.split("/")
    place: Any = item
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    return item


@pytest.mark.parametrize(
    ("identifier", "path", "value", "name"),
    [
        ("us_jane_2", "surprise", 1, "surprise"),
        ("us_jane_2", "check", "guess", "check = guess"),
        ("us_jane_2", "currency", "QQQ", "currency = QQQ"),
        ("us_jane_2", "plan/kind", "free_care", "plan.kind = free_care"),
        ("us_jane_2", "plan/deductible_weekly", "10", "plan.deductible_weekly"),
        ("us_jane_2", "plan/family_deductible", "shared", "plan.family_deductible = shared"),
        ("us_jane_2", "plan/copay_by_category", {"dental": "5"}, "plan.copay_by_category.dental"),
        ("us_jane_2", "plan/coinsurance_patient", "1.5", "plan.coinsurance_patient = 1.5 (not between 0 and 1)"),
        ("us_jane_2", "plan/deductible_individual", 1500, "plan.deductible_individual (not a decimal string)"),
        ("us_jane_2", "state_before/visits_used", 3, "state_before.visits_used"),
        ("us_jane_2", "lines/0/colour", "red", "lines[0].colour"),
        ("us_jane_2", "lines/0/category", "dental", "lines[0].category = dental"),
        ("us_jane_2", "expected/happiness", "1", "expected.happiness"),
        ("jp_high_cost_u70_14", "plan/cap_on_subsidised_line/day_care", "1", "plan.cap_on_subsidised_line.day_care"),
        ("jp_high_cost_u70_14", "plan/secondary_payers/rabies", {}, "plan.secondary_payers.rabies"),
        ("jp_high_cost_u70_14", "lines/0/payer_order", ["insurance", "rabies"], "lines[0].payer_order[1] = rabies"),
        ("oi_oops", "plan/frequency_weeks", 3, "plan.frequency_weeks"),
        ("us_rpm_2026_02", "plan/device_supply/colour", "red", "plan.device_supply.colour"),
        ("x12_835_balance", "lines/0/adjustments", [["ZZ", "1", "2"]], "lines[0].adjustments[0] = ZZ"),
        ("sbc_ppo750_joe", "expected/surprise", "1", "expected.surprise"),
    ],
)
def test_a_name_outside_the_vocabulary_is_unsupported_and_named(
    identifier: str, path: str, value: Any, name: str
) -> None:
    item = edited("oi_dedrem" if identifier == "oi_oops" else identifier, path, value)
    [verdict] = run_cases([item])
    assert verdict.result == "unsupported"
    assert name in verdict.names


def test_a_parameter_without_a_meaning_in_the_kind_is_named_too() -> None:
    [verdict] = run_cases([edited("us_jane_2", "plan/frequency_days", 30)])
    assert verdict.names == ("plan.frequency_days (has no meaning in kind deductible_then_coinsurance)",)
    [verdict] = run_cases([edited("us_jane_2", "expected/limbs", ["1"])])
    assert verdict.names == ("expected.limbs (does not follow from kind deductible_then_coinsurance)",)


@pytest.mark.parametrize(
    ("identifier", "path", "value", "name"),
    [
        ("de_rx_4_75", "plan/never_above_price", False, "plan.never_above_price = false"),
        ("us_jane_2", "plan/kind", "ppo", "plan.kind = ppo"),
        ("us_jane_2", "lines/0/allowed", None, "lines[0].allowed (missing)"),
        ("us_jane_2", "lines/0/allowed", "-1", "lines[0].allowed (negative)"),
        ("us_jane_2", "lines/0/review_qty", 1, "lines[0].review_qty (belongs to another rule module)"),
        (
            "jp_yamato_household",
            "lines/0/payer_order",
            ["insurance", "hepatitis"],
            "plan.aggregation.scope = household",
        ),
        ("jp_high_cost_u70_14", "lines/0/payer_order", ["tuberculosis"], "lines[0].payer_order = tuberculosis"),
        ("jp_high_cost_u70_14", "plan/setting", None, "lines[0].setting (missing)"),
        ("oi_waiting", "lines/0/day", None, "lines[0].day (missing)"),
        (
            "cn_dalian_1",
            "plan",
            {
                "kind": "deductible_then_coinsurance_by_facility_level",
                "insurer_rates": [{"rate": "0.9", "facility": "community"}],
            },
            "plan.insurer_rates (no row fits lines[0])",
        ),
    ],
)
def test_what_cannot_be_computed_from_known_names_is_named(identifier: str, path: str, value: Any, name: str) -> None:
    [verdict] = run_cases([edited(identifier, path, value)])
    assert verdict.result == "unsupported"
    assert verdict.names[0].startswith(name)


def test_printed_amounts_of_the_form_are_rounded_part_by_part() -> None:
    item = case("sbc_peg_hdhp2900")
    item["plan"]["deductible_individual"] = "2840"
    item["lines"][0]["allowed"] = "12700"
    item["expected"] = {
        "deductible": "2800",
        "coinsurance": "2000",
        "coinsurance_exact": "1972",
        "patient_total": "4800",
    }
    item["expected"] |= {"patient_total_exact": "4812", "plan_pays": "7900"}
    assert run_cases([item])[0].differences == ()


def test_the_page_documents_every_key_of_the_report() -> None:
    page = (ROOT / "docs" / "reference" / "conformance.md").read_text("utf-8")
    told = as_json(run(BUNDLED / "adjudication.json"))
    assert [key for key in told if f"`{key}`" not in page] == []


def test_unsupported_cases_stand_in_the_report_by_name(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    cases = [edited("us_jane_2", "plan/deductible_weekly", "10"), case("us_jane_1"), "not a case"]
    file.write_text(json.dumps({"cases": cases}), "utf-8")
    report = run(file)
    told = as_json(report)
    assert (told["passed"], told["unsupported"], told["failed"], told["ok"]) == (1, 2, 0, True)
    assert told["unsupported_cases"][0]["names"] == ["plan.deductible_weekly"]
    assert told["unsupported_cases"][1]["id"] == "cases[2]"
    assert "plan.deductible_weekly" in render(report)


def test_the_tables_of_codes_hold_exactly_the_names_of_the_page() -> None:
    page = (BUNDLED / "names.md").read_text("utf-8")
    tables: dict[str, set[str]] = {"Case fields": set(codes.CASE), "`kind` of plan": set(KINDS)}
    tables["`kind` of plan"] |= codes.PRINTED_KINDS | codes.OTHER_KINDS
    tables |= {"State before the first line": set(codes.STATE), "Expected": set(codes.EXPECTED)}
    for title, names in tables.items():
        listed = first_column(page, title) - codes.CHECKS
        # Printed by dental claims, and listed among the lines.
        listed |= {"primary_paid"} & names
        assert listed == names, (title, listed ^ names)
    assert first_column(page, "Case fields") >= codes.CHECKS
    assert first_column(page, "Lines") == set(codes.LINE) - {"setting"}
    parameters = first_column(page, "Plan parameters")
    assert set(codes.PLAN) <= parameters | {"kind"}
    everything = set(names_in(codes.Record(codes.PLAN))) | set(names_in(codes.Record(codes.LINE)))
    assert parameters <= everything
    words = set(re.findall(r"`([^`\s]+)`", page)) | set(re.findall(r'"(\d)"', page))
    assert everything <= words, everything - words


def first_column(page: str, title: str) -> set[str]:
    section = page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def names_in(shape: codes.Shape) -> Iterator[str]:
    match shape:
        case codes.Record(fields):
            for name, of in fields.items():
                yield name
                yield from names_in(of)
        case codes.Listing(of) | codes.Labelled(of):
            yield from names_in(of)
        case codes.Word(words):
            yield from words


# Cases that cannot be derived


def test_printed_parts_that_do_not_add_up_are_told_apart_from_failures() -> None:
    item = case("sbc_ppo750_peg")
    item["expected"]["copay"] = "40"
    [verdict] = run_cases([item])
    assert verdict.result == "reconcile_failed"
    assert [(found.expected, found.computed) for found in verdict.differences] == [("2000.00", "2010.00")]


def test_a_case_with_nothing_to_add_up_does_not_count_as_reconciled() -> None:
    item = case("sbc_ppo750_peg") | {"expected": {"copay": "40"}}
    assert run_cases([item])[0].result == "reconcile_failed"
