"""The CSV export becomes events, covers and the truth they are compared with."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from drachm.adapters.eventjson import read_event, write_event
from drachm.adapters.synthea import PatientBundle, read_paths
from drachm.adapters.synthea.csv_truth import TruthLine, read_truth
from drachm.domain.coverage.facts import in_force
from drachm.domain.events.model import ServiceEvent

Split = tuple[int, int, int, int]
"""Copay, primary payer, secondary payer, patient; micros."""


def raw_table(folder: Path, table: str) -> list[dict[str, str]]:
    with gzip.open(folder / f"{table}.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def insurers(sample: Path) -> dict[str, dict[str, str]]:
    with (sample / "payers_with_plan_parameters_2021-06.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["name"].strip(): row for row in csv.DictReader(file)}


def payer_names(event: ServiceEvent, bundle: PatientBundle) -> list[str]:
    covers = in_force(bundle.coverages, event.started_at.date())
    return [cover.plan.removeprefix("synthea-2021-").replace("-", " ") for cover in covers if cover.plan != "none"]


def recomputed(bundle: PatientBundle, table: dict[str, dict[str, str]]) -> dict[str, Split]:
    """The split of every line, straight from the words of the rules, in decimals and without our plan documents."""
    by_name = {name.lower(): row for name, row in table.items()}
    used: Counter[str] = Counter()
    found: dict[str, Split] = {}
    for event in bundle.events:
        charge = Decimal(event.billed or 0) / 1_000_000
        kind, visit_class = event.facts["line_kind"], str(event.facts["visit_class"])
        names = payer_names(event, bundle)
        row = by_name[names[0]] if names else None
        services = row["services_covered"] if row else ""
        if row is None or not (services == "*" or (kind == "visit" and visit_class in services.split(","))):
            rest, copay, primary = charge, Decimal(0), Decimal(0)
        else:
            policy = in_force(bundle.coverages, event.started_at.date())[0].policy
            free = kind == "visit" and visit_class == "wellness" and event.started_at.year >= 2006
            copay = min(charge, Decimal(row["default_copay"])) if kind in ("visit", "drug") and not free else Decimal(0)
            deductible = min(charge - copay, Decimal(row["deductible"]) - Decimal(used[policy]) / 1_000_000)
            used[policy] += int(deductible * 1_000_000)
            base = charge - copay - deductible
            share = (base * (1 - Decimal(row["default_coinsurance"]))).quantize(Decimal("0.01"), ROUND_HALF_UP)
            rest, primary = deductible + share, base - share
        secondary = rest if len(names) > 1 else Decimal(0)
        found[event.event_id] = (
            int(copay * 1_000_000), int(primary * 1_000_000), int(secondary * 1_000_000),
            int((rest - secondary) * 1_000_000),
        )  # fmt: skip
    return found


def agrees(split: Split, truth: TruthLine) -> bool:
    if truth.copay_exceeds_charge:
        return split == (truth.charge, 0, 0, 0)
    return split == (truth.copay, truth.primary_paid, truth.secondary_paid, truth.patient_paid)


def test_sample_is_read_without_a_problem(sample: Path) -> None:
    bundles = list(read_paths([sample / "csv"]))
    assert [(len(bundle.events), bundle.problems) for bundle in bundles] == [(10, ()), (95, ()), (24, ())]
    assert {e.facts["line_kind"] for b in bundles for e in b.events} == {"visit", "drug", "procedure", "immunization"}
    for bundle in bundles:
        for event in bundle.events:
            assert read_event(write_event(event)) == event


def test_one_event_for_each_charge_with_its_amount(sample: Path) -> None:
    rows = [row for row in raw_table(sample / "csv", "claims_transactions") if row["TYPE"] == "CHARGE"]
    wanted = {f"{row['CLAIMID']}#{row['CHARGEID']}": int(Decimal(row["AMOUNT"]) * 1_000_000) for row in rows}
    found = {event.event_id: event.billed for bundle in read_paths([sample / "csv"]) for event in bundle.events}
    assert found == wanted


def test_events_stand_in_the_order_of_time_then_of_charges(sample: Path) -> None:
    for bundle in read_paths([sample / "csv"]):
        order = [(event.started_at, int(event.line)) for event in bundle.events]
        assert order == sorted(order)


def test_covers_name_plan_year_policy_and_order(sample: Path) -> None:
    bundle = list(read_paths([sample / "csv"]))[1]
    pairs = [in_force(bundle.coverages, event.started_at.date()) for event in bundle.events]
    both = next(covers for covers in pairs if len(covers) == 2)
    assert [cover.plan for cover in both] == ["synthea-2021-medicare", "synthea-2021-cigna-health"]
    assert [cover.facts["payer_order"] for cover in both] == ["primary", "secondary"]
    assert both[0].policy == both[1].policy
    assert both[0].policy.endswith(str(both[0].facts["policy_start"]))
    policies = {cover.policy for cover in bundle.coverages if cover.rank == 1 and cover.plan != "none"}
    assert len(policies) == len([c for c in bundle.coverages if c.rank == 1 and c.plan != "none"])


def test_truth_adds_up_to_the_charge(sample: Path) -> None:
    lines = list(read_truth(sample / "csv"))
    assert len(lines) == 129
    for line in lines:
        if not line.copay_exceeds_charge:
            paid = line.copay + line.primary_paid + line.secondary_paid + line.patient_paid
            assert abs(paid - line.charge) <= 10_000
    assert sum(line.copay_exceeds_charge for line in lines) == 6
    assert sum(line.secondary_paid > 0 for line in lines) == 8


def test_truth_of_the_sample_follows_from_the_insurers_table(sample: Path) -> None:
    missed = compare(sample / "csv", sample)
    # One Blue Cross line: the deductible had been used by events that its publisher thinned out.
    assert missed == {"synthea-2021-blue-cross-blue-shield": 1}


def test_truth_of_the_shared_set_follows_from_the_insurers_table(shared: Path, sample: Path) -> None:
    folder = shared / "csv-plan-aware"
    bundles = list(read_paths([folder]))
    assert [problem for bundle in bundles for problem in bundle.problems] == []
    assert sum(len(bundle.events) for bundle in bundles) == 879
    lines = list(read_truth(folder))
    assert sum(line.copay_exceeds_charge for line in lines) == 112
    missed = compare(folder, sample)
    assert set(missed) == {"synthea-2021-blue-cross-blue-shield"}
    assert 1 - missed.total() / len(lines) >= 0.967


def compare(folder: Path, sample: Path) -> Counter[str]:
    """Lines that the rules do not reproduce to the cent, by primary plan."""
    truth = {line.event_id: line for line in read_truth(folder)}
    missed: Counter[str] = Counter()
    for bundle in read_paths([folder]):
        splits = recomputed(bundle, insurers(sample))
        for event in bundle.events:
            line = truth.pop(event.event_id)
            assert line.charge == event.billed
            if not agrees(splits[event.event_id], line):
                missed[in_force(bundle.coverages, event.started_at.date())[0].plan] += 1
    assert truth == {}
    return missed


def test_the_day_of_a_change_belongs_to_the_payer_of_its_visits(tmp_path: Path) -> None:
    """Synthea changes payers at the minute of a wellness visit; covers change at midnight."""
    for hour, plan in (("09", "none"), ("15", "synthea-2021-aetna")):
        folder = tmp_path / hour
        folder.mkdir()
        write_export(folder, visit_hour=hour, payer="0" if plan == "none" else "p1")
        (bundle,) = read_paths([folder])
        assert bundle.problems == ()
        (event,) = bundle.events
        (cover,) = in_force(bundle.coverages, event.started_at.date())
        assert cover.plan == plan


def write_export(folder: Path, *, visit_hour: str = "15", payer: str = "p1") -> None:
    """A whole export of one patient with one visit on the day of a change of payer at noon."""
    tables = {
        "patients": "Id,BIRTHDATE,GENDER\nm1,1980-02-29,F\n",
        "payers": "Id,NAME\np0,NO_INSURANCE\np1,Aetna\n",
        "encounters": "Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,ENCOUNTERCLASS,CODE\n"
        f"e1,2010-03-01T{visit_hour}:00:00Z,2010-03-01T{visit_hour}:15:00Z,m1,o1,d1,ambulatory,185345009\n",
        "claims": "Id,PATIENTID,PRIMARYPATIENTINSURANCEID," + ",".join(f"DIAGNOSIS{n}" for n in range(1, 9)) + "\n"
        f"c1,m1,{payer},38341003,,,,,,,\n",
        "claims_transactions": "CLAIMID,CHARGEID,PATIENTID,TYPE,AMOUNT,PROCEDURECODE,MODIFIER1,MODIFIER2,DIAGNOSISREF1,"
        "DIAGNOSISREF2,DIAGNOSISREF3,DIAGNOSISREF4,UNITS,NOTES,APPOINTMENTID\n"
        "c1,1,m1,CHARGE,77.49,185345009,,,1,,,,1,Encounter,e1\n",
        "payer_transitions": "PATIENT,MEMBERID,START_YEAR,END_YEAR,PAYER,SECONDARY_PAYER\n"
        "m1,,2009-03-01T12:00:00Z,2010-03-01T12:00:00Z,p0,\nm1,x1,2010-03-01T12:00:00Z,2011-03-01T12:00:00Z,p1,\n",
        "medications": "ENCOUNTER,CODE\n",
        "procedures": "ENCOUNTER,CODE\n",
        "immunizations": "ENCOUNTER,CODE\n",
    }
    for table, text in tables.items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
