"""The insurers' table becomes plan documents that our own loader takes, and that say what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest

from drachm.adapters.synthea import PayorPlans
from drachm.adapters.synthea.plans import plan_documents
from drachm.domain.benefits.load import load_plan
from drachm.domain.coverage.model import NO_PLAN
from drachm.domain.errors import InvalidMessage

TABLE = "payers_with_plan_parameters_2021-06.csv"


def test_every_document_loads_and_versions_do_not_overlap(sample: Path) -> None:
    documents = plan_documents(sample / TABLE)
    assert len(documents) == 18
    for before, after in zip(documents[::2], documents[1::2], strict=True):
        assert before["id"] == after["id"]
        assert before["effective"]["until"] == after["effective"]["from"] == "2006-01-01"
        assert load_plan(before).id == load_plan(after).id
    assert len({(document["id"], document["version"]) for document in documents}) == 18


def test_every_csv_payor_is_mapped_to_one_of_the_documents(sample: Path) -> None:
    ids = {document["id"] for document in plan_documents(sample / TABLE)}
    plans = PayorPlans.default()
    assert {plan for found in plans.csv.values() for plan in found} == ids | {NO_PLAN}
    named = {plan for found in plans.fhir.values() for plan in found if plan.startswith("synthea-")}
    assert named < ids


def test_numbers_are_those_of_the_table(sample: Path) -> None:
    documents = {document["id"]: document for document in plan_documents(sample / TABLE)}
    steps = {step["id"]: step for step in documents["synthea-2021-humana"]["steps"]}
    assert steps["copay"]["amount"] == 80_000_000
    assert steps["coinsurance"]["ppm"] == 250_000
    assert [limit["limit"]["cases"][0]["value"] for limit in steps["deductible"]["limits"]] == [1_000_000_000] * 2
    assert "medications" in steps["not_listed"]["when"]["not"]["encounter_class"]
    assert "not_listed" not in {step["id"] for step in documents["synthea-2021-medicare"]["steps"]}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("A,*,abc,0.75,10", "invalid_amount"),
        ("A,*,-5,0.75,10", "invalid_amount"),
        ("A,*,5,1.75,10", "invalid_amount"),
        ("A,*,5,0.7500001,10", "invalid_amount"),
        ("A,,5,0.75,10", "missing_field"),
        ("A,*,5,0.75", "ragged_row"),
    ],
)
def test_a_faulty_row_is_refused_with_its_line(tmp_path: Path, row: str, code: str) -> None:
    table = tmp_path / "insurers.csv"
    table.write_text(f"name,services_covered,deductible,default_coinsurance,default_copay\n{row}\n")
    with pytest.raises(InvalidMessage) as refused:
        plan_documents(table)
    assert refused.value.code == code
    assert refused.value.where.startswith("insurers.csv line 2")
