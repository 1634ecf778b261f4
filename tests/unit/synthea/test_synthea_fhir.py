"""FHIR bundles become events whose amounts, covers and times are those of the source."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import zstandard

from drachm.adapters.eventjson import read_event, write_event
from drachm.adapters.synthea import PatientBundle, PayorPlans, read_paths
from drachm.adapters.synthea.files import documents
from drachm.domain.coverage.facts import in_force

CENT = Decimal("0.01")
ZONES = (UTC, ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland"), ZoneInfo("Pacific/Honolulu"))


def raw_bundles(*paths: Path) -> Iterator[list[dict[str, Any]]]:
    """The resources of each bundle, read without any of our code but the file opener."""
    for path in paths:
        for _, data in documents(path):
            assert isinstance(data, bytes)
            yield [entry["resource"] for entry in json.loads(data, parse_float=Decimal)["entry"]]


def fhir_files(*folders: Path) -> list[Path]:
    return [
        path for folder in folders for path in sorted(folder.iterdir()) if ".json" in path.name or ".tar" in path.name
    ]


def half_up_cents(value: Any) -> int:
    return int((Decimal(value) / CENT).quantize(Decimal(1), rounding="ROUND_HALF_UP")) * 10_000


def check_amounts(bundles: list[PatientBundle], paths: list[Path]) -> int:
    """Every claim of the raw files is there to the cent: in its sum, and item by item. Returns the number of claims."""
    events: dict[str, dict[str, int]] = {}
    for bundle in bundles:
        for event in bundle.events:
            assert event.billed is not None
            events.setdefault(event.claim, {})[event.event_id] = event.billed
    claims = 0
    for resources in raw_bundles(*paths):
        for claim in (r for r in resources if r["resourceType"] == "Claim"):
            claims += 1
            found = events.pop(claim["id"])
            assert sum(found.values()) == half_up_cents(claim["total"]["value"])
            priced = {
                f"{claim['id']}#{i['sequence']}": half_up_cents(i["net"]["value"]) for i in claim["item"] if "net" in i
            }
            if "prescription" in claim:
                assert list(found) == [claim["id"]]
            else:
                assert {name: amount for name, amount in found.items() if not name.endswith("#base")} == priced
                assert f"{claim['id']}#base" in found
    assert events == {}
    return claims


def check_fixed_split(paths: list[Path]) -> int:
    """The source's own arithmetic: coinsurance 0.20 and provider payment 0.80 of each net, whoever pays."""
    items = 0
    micro = Decimal("0.000001")
    for resources in raw_bundles(*paths):
        for explanation in (r for r in resources if r["resourceType"] == "ExplanationOfBenefit"):
            paid = Decimal(0)
            for item in explanation["item"]:
                if "net" not in item:
                    continue
                items += 1
                net = Decimal(item["net"]["value"])
                said = {
                    a["category"]["coding"][0]["code"].rsplit("/", 1)[-1]: a.get("amount") for a in item["adjudication"]
                }
                for code, rate in (("line_coinsrnc_amt", "0.20"), ("line_prvdr_pmt_amt", "0.80")):
                    assert abs(Decimal(said[code]["value"]) - net * Decimal(rate)) < micro
                paid += net * Decimal("0.80")
            assert abs(Decimal(explanation["payment"]["amount"]["value"]) - paid) < micro
    return items


def check_coverage(bundle: PatientBundle, plans: PayorPlans) -> None:
    """On the day of every event, in any zone, the cover in force is the one of the payor that the source names."""
    for event in bundle.events:
        wanted = plans.fhir[str(event.facts["payor"])]
        for zone in ZONES:
            day = event.started_at.astimezone(zone).date()
            assert tuple(cover.plan for cover in in_force(bundle.coverages, day)) == wanted


def test_sample_has_every_kind_of_payor_and_care(sample: Path) -> None:
    bundles = list(read_paths([sample / "fhir-2019", sample / "fhir-2021"]))
    assert [bundle.problems for bundle in bundles] == [()] * 8
    assert all(bundle.member is not None and bundle.member.birth_date for bundle in bundles)
    events = [event for bundle in bundles for event in bundle.events]
    assert len(events) == 339
    assert {"private", "medicare", "medicaid", "dual_eligible", "no_insurance", "NO_INSURANCE", "Aetna"} <= {
        event.facts["payor"] for event in events
    }
    assert {event.facts["category"] for event in events} == {
        "preventive", "primary_care", "outpatient", "telehealth", "emergency", "inpatient", "procedure",
        "immunization", "drug",
    }  # fmt: skip
    assert {event.facts["visit_class"] for event in events} == {"AMB", "EMER", "IMP"}
    assert all(event.emergency == (event.facts["visit_class"] == "EMER") for event in events)


def test_sample_amounts_are_those_of_the_source(sample: Path) -> None:
    paths = fhir_files(sample / "fhir-2019", sample / "fhir-2021")
    bundles = list(read_paths(paths))
    assert check_amounts(bundles, paths) == 181
    assert check_fixed_split(paths) == 158


def test_sample_covers_are_those_of_the_explanations(sample: Path) -> None:
    for bundle in read_paths([sample / "fhir-2019", sample / "fhir-2021"]):
        check_coverage(bundle, PayorPlans.default())


def test_events_are_in_order_and_keyed_once(sample: Path) -> None:
    events = []
    for bundle in read_paths([sample / "fhir-2019"]):
        times = [event.started_at for event in bundle.events]
        assert times == sorted(times)
        for before, after in zip(bundle.events, bundle.events[1:], strict=False):
            if before.visit == after.visit:
                assert before.facts["line_kind"] != "drug" or after.facts["line_kind"] == "drug"
        events += bundle.events
    assert len({event.event_id for event in events}) == len(events)


def test_dual_eligible_is_two_covers_in_order(sample: Path) -> None:
    bundle = next(
        b for b in read_paths([sample / "fhir-2019"]) if any(e.facts["payor"] == "dual_eligible" for e in b.events)
    )
    event = next(event for event in bundle.events if event.facts["payor"] == "dual_eligible")
    covers = in_force(bundle.coverages, event.started_at.date())
    assert [(cover.rank, cover.plan, cover.facts["payer_order"]) for cover in covers] == [
        (1, "us-medicare-part-b", "primary"),
        (2, "us-medicaid", "secondary"),
    ]


def test_events_survive_our_own_json(sample: Path) -> None:
    for bundle in read_paths([sample / "fhir-2021"]):
        for event in bundle.events:
            assert read_event(write_event(event)) == event


def test_providers_are_those_the_events_name(sample: Path) -> None:
    for bundle in read_paths([sample / "fhir-2019"]):
        known = {party.id: party for party in bundle.providers}
        for event in bundle.events:
            assert "provider" in known[event.billing_party].roles
            assert "site" in known[event.site].roles
            assert not event.rendering_party or "practitioner" in known[event.rendering_party].roles


def test_every_packing_gives_the_same_events(sample: Path, tmp_path: Path) -> None:
    source = next((sample / "fhir-2019").glob("Denny*"))
    plain = gzip.decompress(source.read_bytes())
    line = json.dumps(json.loads(plain)).encode()
    name = source.name.removesuffix(".gz")
    made = {
        "bundle.json": plain,
        "bundle.json.gz": gzip.compress(plain),
        "bundle.json.zst": zstandard.compress(plain),
        "lines.ndjson": b"\n" + line + b"\n\n",
        "lines.ndjson.gz": gzip.compress(line),
    }
    for file, data in made.items():
        (tmp_path / file).write_bytes(data)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / name).write_bytes(plain)
    for file, mode in (("set.tar", "w"), ("set.tar.gz", "w:gz")):
        with tarfile.open(tmp_path / file, mode) as archive:
            archive.add(tmp_path / "plain" / name, arcname=f"deep/{name}")
    (tmp_path / "set.tar.zst").write_bytes(zstandard.compress((tmp_path / "set.tar").read_bytes()))
    wanted = list(next(iter(read_paths([source]))).events)
    assert len(wanted) == 21
    for path in sorted(tmp_path.iterdir()):
        (bundle,) = read_paths([path])
        assert bundle.problems == ()
        assert list(bundle.events) == wanted, path.name


def test_a_bulk_export_of_loose_resources_gives_the_same_events(sample: Path, tmp_path: Path) -> None:
    """One file a type, references of the form Type/id: the form of FHIR Bulk Data."""
    source = next((sample / "fhir-2019").glob("Denny*"))
    (resources,) = raw_bundles(source)
    types = {f"urn:uuid:{r['id']}": f"{r['resourceType']}/{r['id']}" for r in resources}
    files: dict[str, list[str]] = {}
    for resource in resources:
        text = json.dumps(resource, default=float)
        for url, reference in types.items():
            text = text.replace(f'"{url}"', f'"{reference}"')
        files.setdefault(resource["resourceType"], []).append(text)
    for kind, texts in files.items():
        (tmp_path / f"{kind}.ndjson").write_text("\n".join(texts))
    (bundle,) = read_paths([tmp_path])
    (wanted,) = read_paths([source])
    assert bundle.problems == ()
    assert bundle.events == wanted.events
    assert bundle.coverages == wanted.coverages


def test_provider_directories_give_nothing(tmp_path: Path) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": {"resourceType": "Organization", "id": "o1"}}],
    }
    (tmp_path / "hospitalInformation.json").write_text(json.dumps(bundle))
    assert list(read_paths([tmp_path])) == []


def test_messages_do_not_carry_the_name_in_the_file_name(sample: Path) -> None:
    for bundle in read_paths([sample / "fhir-2021"]):
        assert bundle.source_file == "62dfa845-24df-047b-92bb-915c3e1bcfb0.json.gz"


@pytest.mark.parametrize("part", ["smoke", "fhir-r4-2019-categories/bundles-01.tar.zst"])
def test_a_part_of_the_shared_set(shared: Path, part: str) -> None:
    check_whole_part(shared / part)


@pytest.mark.long
def test_all_450_shared_patients(shared: Path) -> None:
    patients: Counter[str] = Counter()
    for folder in ("fhir-r4-2019-categories", "fhir-r4-2021-named-payers"):
        for path in sorted((shared / folder).glob("*.tar.zst")):
            patients[folder] += check_whole_part(path)
    assert patients == {"fhir-r4-2019-categories": 400, "fhir-r4-2021-named-payers": 50}


def check_whole_part(path: Path) -> int:
    bundles = list(read_paths([path]))
    paths = [path] if path.is_file() else fhir_files(path)
    assert [problem for bundle in bundles for problem in bundle.problems] == []
    assert check_amounts(bundles, paths) > 0
    assert check_fixed_split(paths) > 0
    for bundle in bundles:
        check_coverage(bundle, PayorPlans.default())
    return len(bundles)


def test_a_payor_can_be_mapped_by_the_user(sample: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mine.json"
    mapping.write_text('{"fhir": {"medicaid": ["my-plan", "my-supplement"]}, "csv": {}}')
    (bundle,) = read_paths([next((sample / "fhir-2019").glob("Denny*"))], PayorPlans.read(mapping))
    assert [cover.plan for cover in bundle.coverages] == ["my-plan", "my-supplement"]
    assert replace(bundle, problems=()) == bundle


def test_an_unknown_payor_is_a_problem_and_a_plan_that_nobody_has(sample: Path) -> None:
    (bundle,) = read_paths([next((sample / "fhir-2019").glob("Denny*"))], PayorPlans({}, {}))
    assert [problem.code for problem in bundle.problems] == ["unknown_plan"]
    assert [cover.plan for cover in bundle.coverages] == ["unknown:medicaid"]
    assert len(bundle.events) == 21


def test_the_mapping_in_the_sample_is_the_one_in_the_package(sample: Path) -> None:
    assert PayorPlans.read(sample / "payor-plans.json") == PayorPlans.default()
