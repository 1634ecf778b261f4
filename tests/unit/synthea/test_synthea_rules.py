"""The small rules behind the readers: rounding, residue, periods of cover, categories, references."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.synthea import PatientBundle, PayorPlans, codes, read_paths
from drachm.adapters.synthea.amounts import quantity, submitted
from drachm.adapters.synthea.coverage import coverages_of, runs_of
from drachm.adapters.synthea.files import short_name
from drachm.adapters.synthea.people import reference_id
from drachm.domain.errors import InvalidMessage

PLANS = {"A": ("plan-a",), "B": ("plan-b",)}


@pytest.mark.parametrize(
    ("text", "currency", "micros"),
    [
        ("28.104000000000003", "USD", 28_100_000),
        ("28.105", "USD", 28_110_000),
        ("28.104999999999997", "USD", 28_110_000),  # the float nearest to 28.105
        ("28.1049", "USD", 28_100_000),
        ("0", "USD", 0),
        ("1234.5", "JPY", 1_235_000_000),
        ("1.2345", "KWD", 1_235_000),
    ],
)
def test_amounts_lose_the_noise_of_floats_and_round_to_the_payable_unit(text: str, currency: str, micros: int) -> None:
    assert submitted(Decimal(text), currency, "net") == micros


@pytest.mark.parametrize("value", [28.1, True, None, "many", Decimal("-0.01"), Decimal("NaN"), 10**10])
def test_amounts_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(InvalidMessage) as refused:
        submitted(value, "USD", "net")
    assert (refused.value.code, refused.value.where) == ("invalid_amount", "net")


@pytest.mark.parametrize(("value", "millionths"), [(1, 10**6), (Decimal("0.5"), 500_000), (10**6, 10**12)])
def test_quantities_are_millionths(value: Any, millionths: int) -> None:
    assert quantity(value, "q") == millionths


def read_claim(folder: Path, items: list[dict[str, Any]], total: str, **claim: Any) -> PatientBundle:
    """The bundle of one claim whose numbers are written as they stand in `total` and the nets of `items`."""
    resources = [
        {"resourceType": "Patient", "id": "p", "birthDate": "1980"},
        {
            "resourceType": "Claim", "id": "c", "status": "active", "patient": {"reference": "Patient/p"},
            "billablePeriod": {"start": "2020-01-01T10:00:00Z"}, "item": items,
            "total": {"value": total, "currency": "USD"}, "insurance": [{"coverage": {"display": "private"}}], **claim,
        },
    ]  # fmt: skip
    entries = [{"resource": resource} for resource in resources]
    text = json.dumps({"resourceType": "Bundle", "entry": entries})
    for number in {total, *(item["net"]["value"] for item in items if "net" in item)}:
        text = text.replace(f'"{number}"', number)
    (folder / "c.json").write_text(text)
    (bundle,) = read_paths([folder / "c.json"])
    return bundle


def item(sequence: int, net: str = "") -> dict[str, Any]:
    said: dict[str, Any] = {"sequence": sequence, "productOrService": {"coding": [{"system": "s", "code": "x"}]}}
    return {**said, "net": {"value": net, "currency": "USD"}} if net else said


def test_lines_without_a_visit_fee_still_sum_to_the_rounded_total(tmp_path: Path) -> None:
    bundle = read_claim(tmp_path, [item(1, "0.335"), item(2, "0.335"), item(3, "0.335")], "1.005")
    assert [event.billed for event in bundle.events] == [340_000, 340_000, 330_000]
    assert bundle.problems == ()


def test_a_total_that_the_lines_do_not_explain_is_refused(tmp_path: Path) -> None:
    bundle = read_claim(tmp_path, [item(1, "0.335"), item(2, "0.335")], "5.00")
    assert bundle.events == ()
    assert [problem.code for problem in bundle.problems] == ["invalid_amount"]


def test_a_claim_without_encounter_takes_its_own_period(tmp_path: Path) -> None:
    (event,) = read_claim(tmp_path, [item(1, "7.00")], "7.00").events
    assert (event.visit, event.started_at) == ("", datetime(2020, 1, 1, 10, tzinfo=UTC))
    assert event.facts["category"] == "other"


def test_diagnoses_may_stand_in_the_claim_itself(tmp_path: Path) -> None:
    concept = {"coding": [{"system": "icd", "code": "I10"}]}
    diagnosis = [
        {"sequence": 1, "diagnosisCodeableConcept": concept},
        {"sequence": 2, "diagnosisReference": {"reference": "#x"}},
    ]
    (event,) = read_claim(tmp_path, [item(1, "7.00")], "7.00", diagnosis=diagnosis).events
    assert event.diagnoses == ("I10",)


def test_a_birth_date_may_stop_at_the_year(tmp_path: Path) -> None:
    bundle = read_claim(tmp_path, [item(1, "7.00")], "7.00")
    assert bundle.member is not None
    assert bundle.member.birth_date is None
    assert bundle.problems == ()


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2020, 1, day, hour, tzinfo=UTC)


def test_a_cover_ends_where_the_next_begins_and_the_last_is_open() -> None:
    runs = runs_of([(at(9), "A"), (at(1), "A"), (at(20), "B"), (at(15), ""), (at(25), "A")])
    assert [(run.payor, run.first, run.last) for run in runs] == [
        ("A", at(1), at(9)),
        ("B", at(20), at(20)),
        ("A", at(25), at(25)),
    ]
    covers, problems = coverages_of("m", runs, PLANS, "m")
    assert problems == []
    assert [(cover.plan, cover.period.start, cover.period.end) for cover in covers] == [
        ("plan-a", date(2020, 1, 1), date(2020, 1, 20)),
        ("plan-b", date(2020, 1, 20), date(2020, 1, 25)),
        ("plan-a", date(2020, 1, 25), None),
    ]
    assert len({cover.id for cover in covers}) == 3


def test_neighbouring_days_are_kept_apart_in_utc() -> None:
    covers, problems = coverages_of("m", runs_of([(at(1, 20), "A"), (at(2, 4), "B")]), PLANS, "m")
    assert problems == []
    assert covers[1].period.start == date(2020, 1, 2)


def test_two_payors_on_one_day_are_reported() -> None:
    covers, problems = coverages_of("m", runs_of([(at(1, 8), "A"), (at(1, 9), "B")]), PLANS, "m")
    assert [problem.code for problem in problems] == ["two_payors"]
    assert "2020-01-01" in problems[0].message
    assert [cover.plan for cover in covers if date(2020, 1, 1) in cover.period] == ["plan-b"]


@pytest.mark.parametrize(
    ("visit_class", "type_code", "encounter_class", "category"),
    [
        ("AMB", "185349003", "wellness", "preventive"),
        ("AMB", "185345009", "ambulatory", "primary_care"),
        ("AMB", "448337001", "ambulatory", "telehealth"),
        ("AMB", "371883000", "ambulatory", "outpatient"),
        ("EMER", "50849002", "emergency", "emergency"),
        ("EMER", "185349003", "emergency", "emergency"),
        ("IMP", "185349003", "inpatient", "inpatient"),
        ("VR", "1", "virtual", "telehealth"),
        ("wellness", "410620009", "wellness", "preventive"),
        ("urgentcare", "702927004", "urgentcare", "urgent_care"),
        ("ambulatory", "185349003", "ambulatory", "primary_care"),
        ("", "", "other", "other"),
        ("XYZ", "99", "other", "other"),
    ],
)
def test_categories(visit_class: str, type_code: str, encounter_class: str, category: str) -> None:
    word = codes.encounter_class(visit_class, type_code)
    assert (word, codes.visit_category(word, type_code)) == (encounter_class, category)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("urn:uuid:3f6fd0bb-6cd3", "3f6fd0bb-6cd3"),
        ("Patient/7", "7"),
        ("https://example.org/fhir/Patient/7", "7"),
        ("https://example.org/fhir/Patient/7/_history/2", "7"),
        ("Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999955949", "9999955949"),
        ("", ""),
        ("a b", ""),
    ],
)
def test_the_id_in_a_reference(reference: str, name: str) -> None:
    assert reference_id(reference) == name


def test_short_names_hold_no_patient_name() -> None:
    assert (
        short_name("Bob_Keeling_3f6fd0bb-6cd3-eb3f-4401-cd38ace25f2b.json")
        == "3f6fd0bb-6cd3-eb3f-4401-cd38ace25f2b.json"
    )
    assert short_name("folder/bundles-01.tar.zst") == "bundles-01.tar.zst"


@pytest.mark.parametrize(
    "text", ["[]", '{"fhir": {}}', '{"fhir": {"a": []}, "csv": {}}', '{"fhir": {"a": "b"}, "csv": {}}',
             '{"fhir": {"a": ["none", "b"]}, "csv": {}}', '{"fhir": [], "csv": {}}',
             '{"fhir": {}, "csv": {}, "csv": {}}'],
)  # fmt: skip
def test_a_bad_mapping_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(InvalidMessage) as refused:
        PayorPlans.read(tmp_path / "m.json")
    assert refused.value.where.startswith("m.json")
