"""What do Synthea's insurers promise, as plan documents?

Turns the table of insurers (deductible, coinsurance, copay, services covered) into documents of the benefit-plan model
(docs/reference/plan-model.md). The rules that the table leaves to Synthea's code are said here once, as steps:

1. A secondary payer pays all that the primary one left, except copays.
2. ``services_covered`` of ``*`` covers every line; a list of encounter classes covers the visit itself when its class
   is listed, and no procedure, vaccine or drug.
3. The copay is due on visits and drugs, at most the charge; from 2006-01-01 not on wellness visits.
4. The deductible of the plan year, then the payer's rate ("coinsurance" in the table is the payer's part).
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from drachm.adapters.synthea.amounts import csv_number, submitted
from drachm.adapters.synthea.csv_tables import Row, rows
from drachm.domain import money
from drachm.domain.errors import DrachmError, InvalidMessage

VERSION: Final = "2021-06"
CURRENCY: Final = "USD"
PREFIX: Final = "synthea-2021-"
FREE_WELLNESS_FROM: Final = "2006-01-01"
"""Synthea's code takes no copay on wellness visits from this day on."""
_COLUMNS: Final = ("NAME", "SERVICES_COVERED", "DEDUCTIBLE", "DEFAULT_COINSURANCE", "DEFAULT_COPAY")
_ZONE: Final = "UTC"  # The export writes its times in UTC and decides by them.


def plan_documents(csv_path: Path) -> list[dict[str, Any]]:
    """Two versions for each insurer of the table: before and from 2006-01-01. `InvalidMessage` for a faulty table."""
    problems: list[DrachmError] = []
    table = csv_path.name.removesuffix(".gz").removesuffix(".csv")
    documents: list[dict[str, Any]] = []
    for row in rows(csv_path.parent, table, _COLUMNS, problems):
        empty = next((column for column in _COLUMNS if not row[column].strip()), "")
        if empty:
            raise row.refusal(empty, "missing_field", "the cell is empty", "Use Synthea's insurer table.")
        documents += _documents({column: row[column].strip() for column in _COLUMNS}, row)
    if problems:
        raise problems[0]
    return documents


def plan_id(insurer: str) -> str:
    """The document id of an insurer: ``Blue Cross Blue Shield`` is ``synthea-2021-blue-cross-blue-shield``."""
    return PREFIX + slug(insurer)


def slug(insurer: str) -> str:
    return "-".join(insurer.lower().split())


def _documents(cells: dict[str, str], row: Row) -> list[dict[str, Any]]:
    before = {"from": "1900-01-01", "until": FREE_WELLNESS_FROM}
    after = {"from": FREE_WELLNESS_FROM}
    return [
        _document(cells, row, f"{VERSION}.1", before, {"line_kind": ["visit", "drug"]}),
        _document(cells, row, f"{VERSION}.2", after, _NOT_WELLNESS),
    ]


_NOT_WELLNESS: Final = {
    "any": [{"line_kind": "drug"}, {"line_kind": "visit", "not": {"encounter_class": "wellness"}}],
}


def _document(
    cells: dict[str, str], row: Row, version: str, effective: dict[str, str], copay_when: dict[str, Any]
) -> dict[str, Any]:
    deductible = _money(cells["DEDUCTIBLE"], row.where("DEDUCTIBLE"))
    copay = _money(cells["DEFAULT_COPAY"], row.where("DEFAULT_COPAY"))
    payers_part = _ppm(cells["DEFAULT_COINSURANCE"], row.where("DEFAULT_COINSURANCE"))
    return {
        "id": plan_id(cells["NAME"]),
        "version": version,
        "title": f"{cells['NAME']} (Synthea insurer table of June 2021)",
        "payer": slug(cells["NAME"]),
        "currency": CURRENCY,
        "zone": _ZONE,
        "effective": effective,
        "takes_over": ["deductible", "coinsurance", "not_covered"],
        "facts": {
            "line_kind": "text",
            "encounter_class": "text",
            "payer_order": {"type": ["primary", "secondary"], "default": "primary"},
            "policy_is_plan_year": "flag",
        },
        # Where the source says its plan years, a policy is one plan year; elsewhere the calendar year stands in.
        "accumulators": [
            {"id": "deductible_policy", "scope": "policy", "period": "lifetime", "feeds": [{"of": "deductible"}]},
            {"id": "deductible_year", "scope": "person", "period": "benefit_year", "feeds": [{"of": "deductible"}]},
        ],
        "steps": [
            {"id": "secondary", "kind": "pay", "when": {"payer_order": "secondary"}, "clause": "order"},
            *_not_listed(cells["SERVICES_COVERED"]),
            {"id": "copay", "kind": "copay", "when": copay_when, "amount": copay, "clause": "default_copay"},
            {
                "id": "deductible",
                "kind": "deductible",
                "limits": [
                    {"accumulator": "deductible_policy", "limit": _only_if(True, deductible)},
                    {"accumulator": "deductible_year", "limit": _only_if(False, deductible)},
                ],
                "clause": "deductible",
            },
            {
                "id": "coinsurance",
                "kind": "coinsurance",
                "ppm": money.MICROS - payers_part,
                "clause": "default_coinsurance",
            },
        ],
        "text": _TEXT,
    }


_TEXT: Final = {
    "order": "A second insurer pays what the first one left, except copays.",
    "services_covered": "Only the listed kinds of visit are covered.",
    "default_copay": "A fixed amount for each visit and each drug; none for wellness visits from 2006 on.",
    "deductible": "You pay this much in each plan year before your cover pays.",
    "default_coinsurance": "Your share of the rest.",
}


def _not_listed(services: str) -> list[dict[str, Any]]:
    if services == "*":
        return []
    listed = {"line_kind": "visit", "encounter_class": [word.strip() for word in services.split(",") if word.strip()]}
    when = {"payer_order": "primary", "not": listed}
    return [{"id": "not_listed", "kind": "exclude", "when": when, "clause": "services_covered"}]


def _only_if(plan_year: bool, limit: int) -> dict[str, Any]:
    return {"cases": [{"when": {"policy_is_plan_year": plan_year}, "value": limit}]}


def _money(amount: str, place: str) -> int:
    return submitted(csv_number(amount, place), CURRENCY, place)


def _ppm(rate: str, place: str) -> int:
    ppm = csv_number(rate, place) * money.MICROS
    if ppm != int(ppm) or not Decimal(0) <= ppm <= money.MICROS:
        raise InvalidMessage(
            "the coinsurance is not a part between 0 and 1",
            where=place,
            next_step="Write it as a decimal such as 0.75.",
            code="invalid_amount",
        )
    return int(ppm)
