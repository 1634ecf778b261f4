"""Bad exports of Synthea: each a clear refusal that names the place; the rest of the file goes on.

One table a door. Every case puts one fault beside good neighbours and says which code the refusal has, what its place
must contain, and (checked for all) that the neighbours are read as if the fault were not there.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.synthea import PatientBundle, read_paths
from drachm.domain.errors import DrachmError, InvalidMessage

# --- One FHIR bundle: faults of one entry -----------------------------------------------------------------------------


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"http://{system}", "code": code}]}


def usd(value: float) -> dict[str, Any]:
    return {"value": value, "currency": "USD"}


def ref(name: str) -> dict[str, Any]:
    return {"reference": f"urn:uuid:{name}"}


def visit(number: int) -> list[dict[str, Any]]:
    """An encounter, its claim of 125.00 + 30.50, and its explanation."""
    fee = {"sequence": 1, "productOrService": coded("snomed.info/sct", "185345009"), "encounter": [ref(f"enc{number}")]}
    item = {
        "sequence": 2,
        "procedureSequence": [1],
        "productOrService": coded("snomed.info/sct", "1"),
        "net": usd(30.5),
    }
    period = {"start": f"2019-0{number}-01T10:00:00-04:00", "end": f"2019-0{number}-01T10:30:00-04:00"}
    return [
        {
            "resourceType": "Encounter", "id": f"enc{number}", "status": "finished", "class": {"code": "AMB"},
            "type": [coded("snomed.info/sct", "185345009")], "subject": ref("pat"), "period": period,
            "serviceProvider": ref("org"),
        },
        {
            "resourceType": "Claim", "id": f"claim{number}", "status": "active", "use": "claim", "patient": ref("pat"),
            "provider": ref("org"), "item": [fee, item], "total": usd(155.5),
            "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "private"}}],
        },
        {
            "resourceType": "ExplanationOfBenefit", "id": f"eob{number}", "claim": ref(f"claim{number}"),
            "insurance": [{"focal": True, "coverage": {"display": "private"}}],
        },
    ]  # fmt: skip


def bundle() -> list[dict[str, Any]]:
    """Patient, organization, then a good, a to-be-faulty (2) and a good visit."""
    patient = {"resourceType": "Patient", "id": "pat", "gender": "female", "birthDate": "1991-07-08"}
    return [patient, {"resourceType": "Organization", "id": "org", "name": "Clinic"}, *visit(1), *visit(2), *visit(3)]


Change = Callable[[dict[str, dict[str, Any]]], Any]


def put(name: str, *path: str | int, value: Any) -> Change:
    """A change of one element; `None` takes it away."""

    def change(resources: dict[str, dict[str, Any]]) -> None:
        here: Any = resources[name]
        for step in path[:-1]:
            here = here[step]
        if value is None:
            del here[path[-1]]
        else:
            here[path[-1]] = value

    return change


CLAIM = "Claim/claim2"
ENCOUNTERS: list[tuple[str, Change, str, str]] = [
    ("unknown-resource", put("claim2", "resourceType", value="Clam"), "unknown_resource_type", "$.entry[6].resource"),
    ("resource-type-missing", put("claim2", "resourceType", value=None), "missing_field", "$.entry[6].resource"),
    ("resource-type-number", put("claim2", "resourceType", value=5), "wrong_type", "$.entry[6].resource.resourceType"),
    ("bundle-in-bundle", put("claim2", "resourceType", value="Bundle"), "wrong_resource_type", "$.entry[6].resource"),
    ("id-missing", put("claim2", "id", value=None), "missing_field", "$.entry[6].resource.id"),
    ("id-with-spaces", put("claim2", "id", value="a b"), "invalid_id", "$.entry[6].resource.id"),
    ("id-twice", put("claim2", "id", value="claim1"), "duplicate_id", "$.entry[6].resource"),
    ("patient-missing", put("claim2", "patient", value=None), "missing_field", f"{CLAIM}.patient"),
    ("patient-elsewhere", put("claim2", "patient", value=ref("nobody")), "unknown_member", f"{CLAIM}.patient"),
    ("patient-is-a-claim", put("claim2", "patient", value=ref("claim1")), "wrong_resource_type", f"{CLAIM}.patient"),
    (
        "encounter-elsewhere",
        put("claim2", "item", 0, "encounter", value=[ref("no")]),
        "unknown_visit",
        "item[0].encounter",
    ),
    (
        "encounter-is-patient",
        put("claim2", "item", 0, "encounter", value=[ref("pat")]),
        "wrong_resource_type",
        "encounter",
    ),
    ("draft", put("claim2", "status", value="draft"), "not_active", f"{CLAIM}.status"),
    ("status-missing", put("claim2", "status", value=None), "missing_field", f"{CLAIM}.status"),
    ("predetermination", put("claim2", "use", value="predetermination"), "not_a_charge", f"{CLAIM}.use"),
    ("total-missing", put("claim2", "total", value=None), "missing_field", f"{CLAIM}.total"),
    ("total-below-items", put("claim2", "total", value=usd(5)), "invalid_amount", f"{CLAIM}.total"),
    ("total-negative", put("claim2", "total", "value", value=-155.5), "invalid_amount", f"{CLAIM}.total.value"),
    ("total-text", put("claim2", "total", "value", value="many"), "invalid_amount", f"{CLAIM}.total.value"),
    ("total-huge", put("claim2", "total", "value", value=10**11), "invalid_amount", f"{CLAIM}.total.value"),
    ("total-currency", put("claim2", "total", "currency", value="USX"), "unknown_currency", f"{CLAIM}.total.currency"),
    ("currency-missing", put("claim2", "total", "currency", value=None), "missing_field", f"{CLAIM}.total.currency"),
    ("net-negative", put("claim2", "item", 1, "net", "value", value=-30.5), "invalid_amount", "item[1].net.value"),
    ("net-flag", put("claim2", "item", 1, "net", "value", value=True), "invalid_amount", "item[1].net.value"),
    ("net-missing-value", put("claim2", "item", 1, "net", "value", value=None), "missing_field", "item[1].net.value"),
    (
        "net-currency",
        put("claim2", "item", 1, "net", "currency", value="EUR"),
        "currency_mismatch",
        "item[1].net.currency",
    ),
    (
        "quantity-negative",
        put("claim2", "item", 1, "quantity", value={"value": -1}),
        "invalid_quantity",
        "quantity.value",
    ),
    (
        "quantity-absurd",
        put("claim2", "item", 1, "quantity", value={"value": 10**7}),
        "invalid_quantity",
        "quantity.value",
    ),
    ("quantity-word", put("claim2", "item", 1, "quantity", value={"value": "x"}), "invalid_quantity", "quantity.value"),
    (
        "sequence-twice",
        put("claim2", "item", value=[*visit(2)[1]["item"], visit(2)[1]["item"][1]]),
        "duplicate_id",
        CLAIM,
    ),
    ("sequence-text", put("claim2", "item", 1, "sequence", value="2"), "invalid_id", "item[1].sequence"),
    ("items-object", put("claim2", "item", value={}), "wrong_type", f"{CLAIM}.item"),
    (
        "code-missing",
        put("claim2", "item", 1, "productOrService", value=None),
        "missing_field",
        "item[1].productOrService",
    ),
    ("code-empty", put("claim2", "item", 1, "productOrService", value=coded("s", " ")), "invalid_id", "coding"),
    ("period-missing", put("enc2", "period", value=None), "missing_field", "Encounter/enc2.period"),
    ("year-10000", put("enc2", "period", "start", value="10000-01-01T00:00:00Z"), "invalid_time", "enc2.period.start"),
    ("year-1066", put("enc2", "period", "start", value="1066-01-01T00:00:00Z"), "invalid_time", "enc2.period.start"),
    ("day-only", put("enc2", "period", "start", value="2019-02-01"), "invalid_time", "Encounter/enc2.period.start"),
    ("end-before-start", put("enc2", "period", "end", value="2019-01-31T00:00:00Z"), "invalid_time", "enc2.period.end"),
    ("prescription-elsewhere", put("claim2", "prescription", value=ref("rx")), "unknown_medication", "prescription"),
]


def write_bundle(
    folder: Path, resources: list[dict[str, Any]], edit: Callable[[bytes], bytes] = lambda data: data
) -> Path:
    names = [resource["id"] for resource in bundle()]
    entries = [
        {"fullUrl": f"urn:uuid:{name}", "resource": resource} for name, resource in zip(names, resources, strict=True)
    ]
    path = folder / "b.json"
    path.write_bytes(edit(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()))
    return path


def good_events(path: Path) -> list[str]:
    return [event.event_id for found in read_paths([path]) for event in found.events]


EXPECTED = ["claim1#base", "claim1#2", "claim3#base", "claim3#2"]


@pytest.mark.parametrize(("change", "code", "place"), [pytest.param(*case[1:], id=case[0]) for case in ENCOUNTERS])
def test_a_faulty_resource(tmp_path: Path, change: Change, code: str, place: str) -> None:
    resources = copy.deepcopy(bundle())
    change({resource["id"]: resource for resource in resources})
    path = write_bundle(tmp_path, resources)
    problems = [problem for found in read_paths([path]) for problem in found.problems]
    assert_refusal(problems[0], code, place)
    # A claim that was not kept leaves its explanation alone, which is then named too.
    assert {problem.code for problem in problems[1:]} <= {"unknown_claim"}
    assert good_events(path) == EXPECTED


def in_claim2(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def edit(data: bytes) -> bytes:
        head, found, tail = data.partition(b'"id": "claim2"')
        assert found
        assert old in tail
        return head + found + tail.replace(old, new, 1)

    return edit


BYTES: list[tuple[str, Callable[[bytes], bytes], str, str]] = [
    ("nan", in_claim2(b"30.5", b"NaN"), "not_a_number", "$.entry[6].resource.item[1].net.value"),
    ("5000-digits", in_claim2(b"30.5", b"7" * 5_000), "number_too_long", "$.entry[6].resource.item[1].net.value"),
    ("duplicate-key", in_claim2(b'"use"', b'"status": "draft", "use"'), "duplicate_key", "$.entry[6].resource"),
    ("nul", in_claim2(b'"active"', b'"act\x00ive"'), "nul_character", "$.entry[6].resource.status"),
    ("escaped-nul", in_claim2(b'"active"', b'"act\\u0000ive"'), "nul_character", "$.entry[6].resource.status"),
    ("not-utf8", in_claim2(b'"active"', b'"act\xffive"'), "lone_surrogate", "$.entry[6].resource.status"),
    ("two-points", in_claim2(b"30.5", b"30.5.5"), "malformed_json", "$.entry[6].resource.item[1].net"),
    ("no-value", in_claim2(b'"active"', b""), "malformed_json", "$.entry[6].resource.status"),
    ("deep", in_claim2(b'"active"', b"[" * 99 + b"]" * 99), "too_deep", "$.entry[6].resource.status"),
]


@pytest.mark.parametrize(("edit", "code", "place"), [pytest.param(*case[1:], id=case[0]) for case in BYTES])
def test_a_faulty_entry_text(tmp_path: Path, edit: Callable[[bytes], bytes], code: str, place: str) -> None:
    path = write_bundle(tmp_path, bundle(), edit)
    problems = [problem for found in read_paths([path]) for problem in found.problems]
    assert_refusal(problems[0], code, place)
    assert [problem.code for problem in problems[1:]] == ["unknown_claim"]
    assert good_events(path) == EXPECTED


def test_a_claim_that_is_explained_twice_keeps_its_first_explanation(tmp_path: Path) -> None:
    path = write_bundle(tmp_path, bundle())
    document = json.loads(path.read_text())
    first = next(e["resource"] for e in document["entry"] if e["resource"]["resourceType"] == "ExplanationOfBenefit")
    document["entry"].append({"resource": {**copy.deepcopy(first), "id": "again", "contained": []}})
    wanted = [one.events for one in read_paths([path])]
    path.write_text(json.dumps(document))
    found = list(read_paths([path]))
    (problem,) = [problem for one in found for problem in one.problems]
    assert_refusal(problem, "duplicate_id", "ExplanationOfBenefit/again.claim")
    assert [one.events for one in found] == wanted


def packed(name: str) -> bytes:
    """A tar archive with one file."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return data.getvalue()


FILES: list[tuple[str, str, bytes, str, str]] = [
    (
        "unclosed-bundle",
        "x.json",
        b'{"resourceType": "Bundle", "entry": [{"resource": {',
        "malformed_json",
        "x.json column 52",
    ),
    ("empty-file", "x.json", b"", "malformed_json", "x.json column 1"),
    ("array", "x.json", b"[]", "wrong_type", "x.json $"),
    ("not-fhir", "x.json", b'{"hello": 1}', "missing_field", "x.json $.resourceType"),
    ("entry-object", "x.json", b'{"resourceType": "Bundle", "entry": {}}', "wrong_type", "x.json $.entry"),
    ("entry-text", "x.json", b'{"resourceType": "Bundle", "entry": ["a"]}', "wrong_type", "x.json $.entry[0]"),
    (
        "entry-empty",
        "x.json",
        b'{"resourceType": "Bundle", "entry": [{}]}',
        "missing_field",
        "x.json $.entry[0].resource",
    ),
    ("cut-gzip", "x.json.gz", gzip.compress(b"{}" * 99, mtime=0)[:-9], "unreadable_file", "x.json.gz"),
    ("not-zstd", "x.tar.zst", b"\x28\xb5\x2f\xfd" + b"zzzz" * 9, "unreadable_file", "x.tar.zst"),
    ("no-line", "x.ndjson", b"\n \n", "wrong_file", "x.ndjson"),
    ("tar-of-tables", "x.tar", packed("csv/patients.csv"), "wrong_file", "x.tar"),
    ("price-alone", "x.json", b'{"resourceType": "Invoice", "id": "i"}', "not_a_charge", ""),
    ("cover-alone", "x.ndjson", b'{"resourceType": "Coverage", "id": "c"}\n' * 2, "not_a_charge", ""),
    ("not-tar", "x.tar", b"hello" * 200, "unreadable_file", "x.tar"),
    (
        "bad-line",
        "x.ndjson",
        b'{"resourceType": "Observation"}\n{"resourceType": \n',
        "malformed_json",
        "x.ndjson line 2",
    ),
]


@pytest.mark.parametrize(("name", "data", "code", "place"), [pytest.param(*case[1:], id=case[0]) for case in FILES])
def test_a_faulty_file_beside_a_good_one(tmp_path: Path, name: str, data: bytes, code: str, place: str) -> None:
    write_bundle(tmp_path, bundle())
    (tmp_path / name).write_bytes(data)
    found = list(read_paths([tmp_path]))
    (problem,) = [problem for one in found for problem in one.problems]
    assert_refusal(problem, code, place)
    assert len(good_events(tmp_path)) == 6


def test_a_bad_birth_date_is_a_problem_of_the_patient_alone(tmp_path: Path) -> None:
    resources = bundle()
    resources[0]["birthDate"] = "10000-07-08"
    (found,) = read_paths([write_bundle(tmp_path, resources)])
    assert found.member is not None
    assert found.member.birth_date is None
    assert_refusal(found.problems[0], "invalid_time", "Patient/pat.birthDate")
    assert len(found.events) == 6


# --- One row of CSV ---------------------------------------------------------------------------------------------------

DIAGNOSES = ",".join(f"DIAGNOSIS{number}" for number in range(1, 9))
TABLES: dict[str, list[str]] = {
    "patients": ["Id,BIRTHDATE,GENDER", "m1,1980-02-29,F", "m2,1990-01-01,M"],
    "payers": ["Id,NAME", "p0,NO_INSURANCE", "p1,Aetna"],
    "encounters": [
        "Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,ENCOUNTERCLASS,CODE",
        *(f"e{n},2010-0{n}-01T15:00:00Z,2010-0{n}-01T15:15:00Z,m1,o1,d1,ambulatory,185345009" for n in (1, 2, 3)),
    ],
    "claims": [f"Id,PATIENTID,PRIMARYPATIENTINSURANCEID,{DIAGNOSES}", *(f"c{n},m1,p1,I10,,,,,,," for n in (1, 2, 3))],
    "claims_transactions": [
        "CLAIMID,CHARGEID,PATIENTID,TYPE,AMOUNT,PROCEDURECODE,MODIFIER1,MODIFIER2,DIAGNOSISREF1,DIAGNOSISREF2,"
        "DIAGNOSISREF3,DIAGNOSISREF4,UNITS,NOTES,APPOINTMENTID",
        *(f"c{n},{n},m1,CHARGE,77.49,185345009,,,1,,,,1,Encounter,e{n}" for n in (1, 2, 3)),
    ],
    "payer_transitions": [
        "PATIENT,MEMBERID,START_YEAR,END_YEAR,PAYER,SECONDARY_PAYER",
        "m1,x1,2009-06-01T12:00:00Z,2010-06-01T12:00:00Z,p1,",
        "m2,x2,2009-06-01T12:00:00Z,2010-06-01T12:00:00Z,p1,",
    ],
    "medications": ["ENCOUNTER,CODE"],
    "procedures": ["ENCOUNTER,CODE"],
    "immunizations": ["ENCOUNTER,CODE"],
}  # fmt: skip
CHARGE = TABLES["claims_transactions"][2]
VISIT = TABLES["encounters"][2]
CLAIM = TABLES["claims"][2]
CHARGES, MOVES = "claims_transactions", "payer_transitions"
ROWS: list[tuple[str, str, int, str, str, str]] = [
    ("amount-word", CHARGES, 2, CHARGE.replace("77.49", "many"), "invalid_amount", "line 3 AMOUNT"),
    ("amount-nan", CHARGES, 2, CHARGE.replace("77.49", "NaN"), "invalid_amount", "line 3 AMOUNT"),
    ("amount-empty", CHARGES, 2, CHARGE.replace("77.49", ""), "invalid_amount", "line 3 AMOUNT"),
    ("amount-negative", CHARGES, 2, CHARGE.replace("77.49", "-77.49"), "invalid_amount", "line 3 AMOUNT"),
    ("amount-underscore", CHARGES, 2, CHARGE.replace("77.49", "7_7"), "invalid_amount", "line 3 AMOUNT"),
    ("amount-5000", CHARGES, 2, CHARGE.replace("77.49", "9" * 5_000), "invalid_amount", "line 3 AMOUNT"),
    ("amount-huge", CHARGES, 2, CHARGE.replace("77.49", "9" * 15), "invalid_amount", "line 3 AMOUNT"),
    ("units-negative", CHARGES, 2, CHARGE.replace(",1,Enc", ",-1,Enc"), "invalid_quantity", "line 3 UNITS"),
    ("units-zero", CHARGES, 2, CHARGE.replace(",1,Enc", ",0,Enc"), "invalid_quantity", "line 3 UNITS"),
    ("units-absurd", CHARGES, 2, CHARGE.replace(",1,Enc", ",1000001,Enc"), "invalid_quantity", "UNITS"),
    ("charge-unnumbered", CHARGES, 2, CHARGE.replace("c2,2,", "c2,x,"), "invalid_id", "line 3 CHARGEID"),
    ("charge-twice", CHARGES, 2, CHARGE.replace("c2,2,", "c1,1,"), "duplicate_id", "line 3 CHARGEID"),
    ("row-of-unknown-type", CHARGES, 2, CHARGE.replace("CHARGE", "REFUND"), "not_a_charge", "line 3 TYPE"),
    ("row-without-type", CHARGES, 2, CHARGE.replace("CHARGE", ""), "not_a_charge", "line 3 TYPE"),
    ("claim-elsewhere", CHARGES, 2, CHARGE.replace("c2,2", "c9,2"), "unknown_claim", "line 3 CLAIMID"),
    ("visit-elsewhere", CHARGES, 2, CHARGE[:-2] + "e9", "unknown_visit", "line 3 APPOINTMENTID"),
    ("patient-elsewhere", CHARGES, 2, CHARGE.replace("m1", "m9"), "unknown_member", "line 3 PATIENTID"),
    ("patient-missing", CHARGES, 2, CHARGE.replace("m1", ""), "unknown_member", "line 3 PATIENTID"),
    ("patient-of-another", CHARGES, 2, CHARGE.replace("m1", "m2"), "unknown_member", "line 3 PATIENTID"),
    ("pointer-beyond", CHARGES, 2, CHARGE.replace(",1,,,,1", ",2,,,,1"), "out_of_range", "line 3 DIAGNOSISREF1"),
    ("pointer-word", CHARGES, 2, CHARGE.replace(",1,,,,1", ",1,x,,,1"), "out_of_range", "line 3 DIAGNOSISREF2"),
    ("payer-of-claim", "claims", 2, CLAIM.replace("p1", "p7"), "unknown_payer", "line 3 PRIMARYPATIENTINSURANCEID"),
    ("code-spaces", CHARGES, 2, CHARGE.replace("185345009", "18 5"), "invalid_id", "line 3 PROCEDURECODE"),
    ("row-short", CHARGES, 2, "c2,2,m1", "ragged_row", "claims_transactions.csv line 3"),
    ("row-long", CHARGES, 2, CHARGE + ",extra", "ragged_row", "claims_transactions.csv line 3"),
    ("row-nul", CHARGES, 2, CHARGE.replace("Enc", "E\0nc"), "nul_character", "claims_transactions.csv line 3"),
    ("row-quote", CHARGES, 2, CHARGE.replace("Enc", '"Enc'), "malformed_csv", "claims_transactions.csv line 3"),
    ("row-too-large", CHARGES, 2, CHARGE + "x" * 70_000, "too_large", "claims_transactions.csv line 3"),
    ("row-latin-1", CHARGES, 2, CHARGE.replace("Enc", "\udcffnc"), "not_utf8", "claims_transactions.csv line 3"),
    ("visit-year-10000", "encounters", 2, VISIT.replace("2010", "10000", 1), "invalid_time", "line 3 START"),
    ("visit-year-1066", "encounters", 2, VISIT.replace("2010", "1066", 1), "invalid_time", "line 3 START"),
    ("visit-no-offset", "encounters", 2, VISIT.replace("Z", "", 1), "invalid_time", "line 3 START"),
    ("visit-backwards", "encounters", 2, VISIT.replace("T15:15", "T14:15"), "invalid_time", "line 3 STOP"),
    ("transition-year", MOVES, 2, "m2,x,2009-06-01T12:00:00Z,20100-06-01T12:00:00Z,p1,", "invalid_time", "END_YEAR"),
    ("transition-back", MOVES, 2, "m2,x,2009-06-01T12:00:00Z,2008-06-01T12:00:00Z,p1,", "invalid_time", "END_YEAR"),
    ("transition-payer", MOVES, 2, "m2,x,2009-06-01T12:00:00Z,2010-06-01T12:00:00Z,p7,", "unknown_payer", "PAYER"),
    ("birth-date", "patients", 2, "m2,10000-01-01,M", "invalid_time", "patients.csv line 3 BIRTHDATE"),
    ("patient-twice", "patients", 2, "m1,1990-01-01,M", "duplicate_id", "patients.csv line 3 ID"),
    ("patient-id", "patients", 2, "m 2,1990-01-01,M", "invalid_id", "patients.csv line 3 ID"),
]  # fmt: skip


def write_tables(folder: Path, tables: dict[str, list[str]]) -> None:
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("table", "number", "line", "code", "place"), [pytest.param(*case[1:], id=case[0]) for case in ROWS]
)
def test_a_faulty_row(tmp_path: Path, table: str, number: int, line: str, code: str, place: str) -> None:
    tables = copy.deepcopy(TABLES)
    tables[table][number] = line
    write_tables(tmp_path, tables)
    found: list[PatientBundle] = list(read_paths([tmp_path]))
    (problem,) = [problem for one in found for problem in one.problems]
    assert_refusal(problem, code, place)
    whole = table in ("patients", "payer_transitions", "claims") or "DIAGNOSISREF" in place
    assert good_events(tmp_path) == (["c1#1", "c2#2", "c3#3"] if whole else ["c1#1", "c3#3"])


@pytest.mark.parametrize("missing", ["patients", "claims_transactions"])
def test_half_an_export_beside_good_records_is_named(tmp_path: Path, missing: str) -> None:
    write_bundle(tmp_path, bundle())
    (tmp_path / "tables").mkdir()
    write_tables(tmp_path / "tables", {name: lines for name, lines in TABLES.items() if name != missing})
    (problem,) = [problem for one in read_paths([tmp_path]) for problem in one.problems]
    assert_refusal(problem, "missing_table", "tables")
    assert len(good_events(tmp_path)) == 6


@pytest.mark.parametrize("table", ["claims", "encounters", "payers", "payer_transitions", "medications"])
def test_a_missing_table_is_named(tmp_path: Path, table: str) -> None:
    write_tables(tmp_path, {name: lines for name, lines in TABLES.items() if name != table})
    problems = [problem for one in read_paths([tmp_path]) for problem in one.problems]
    assert any(problem.code == "missing_table" and f"{table}.csv" in problem.message for problem in problems)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    write_tables(tmp_path, {**TABLES, "claims": ["Id,PATIENTID", "c1,m1"]})
    problems = [problem for one in read_paths([tmp_path]) for problem in one.problems]
    assert (problems[0].code, problems[0].where) == ("unknown_claim", "claims_transactions.csv line 2 CLAIMID")
    assert any(problem.code == "missing_column" and problem.where == "claims.csv line 1" for problem in problems)


def test_every_case_has_a_name_of_its_own() -> None:
    for table in (ENCOUNTERS, BYTES, FILES, ROWS):
        assert len({case[0] for case in table}) == len(table)


def assert_refusal(problem: Any, code: str, place: str) -> None:
    assert isinstance(problem, DrachmError), problem
    assert isinstance(problem, InvalidMessage)
    assert (problem.code, place in problem.where) == (code, True), (problem.code, problem.where, problem.message)
    assert problem.message
    assert problem.next_step
