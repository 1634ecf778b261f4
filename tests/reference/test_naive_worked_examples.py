"""Does the oracle itself give the figures that worked examples state?

Both adjudicators could share a misreading of the page; these figures come from outside it.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from case_catalogue import DOCUMENTS, MILLION
from naive_adjudicator import add, adjudicate


def run(documents, lines):
    """Who paid how much over all lines, credits included, in currency units; and what the patient owed line by line."""
    totals, paid, owed = {}, Counter(), []
    for number, (cost, day, words) in enumerate(lines):
        line = {
            "id": f"line-{number}",
            "cost": cost * MILLION,
            "billed": cost * MILLION,
            "member": "m1",
            "family": "f1",
        }
        line |= {"policy": "", "visit": "", "admission": "", "quantity": MILLION, "document_facts": {}, "policies": {}}
        line |= {"at": datetime.fromisoformat(day).replace(hour=3, tzinfo=UTC), "facts": words}
        answer = adjudicate(line, documents, totals)
        for (bearer, party, _), amount in answer["shares"].items():
            paid[party or bearer] += amount
        for (party, _, _), amount in answer["credits"].items():
            paid[party] += amount
            paid["patient"] -= amount
        for key, amount in answer["deltas"].items():
            add(totals, key, amount)
        owed.append(sum(amount for key, amount in answer["shares"].items() if key[0] == "patient") / MILLION)
    return {name: amount / MILLION for name, amount in paid.items()}, owed


def test_swiss_franchise_and_retention():
    facts = {"age": 40, "franchise": 1_000 * MILLION}
    _, owed = run([DOCUMENTS["basic-cover"]], [(5_000, "2025-02-01", facts), (4_000, "2025-03-01", facts)])
    assert owed == [1_400, 300]


def test_village_product_deductible_once_then_a_fifth():
    facts = {"service": "visit", "service_category": "general", "event_class": "other", "setting": "outpatient"}
    facts |= {"age_class": "adult", "sex": "female", "policy_start": "2025-01-01", "family_size": 4}
    _, owed = run([DOCUMENTS["village-product"]], [(100, "2025-02-01", facts), (100, "2025-02-02", facts)])
    assert owed == [44, 20]


@pytest.mark.parametrize("pieces", [1, 2, 3, 10])
@pytest.mark.parametrize("subsidised_first", [True, False])
def test_monthly_cap_with_household_and_subsidy_however_cut(pieces, subsidised_first):
    documents = [DOCUMENTS["employee-insurance"], DOCUMENTS["rehabilitation-subsidy"]]
    facts = {"age": 40, "income_band": "C", "setting": "outpatient", "facility": "h1"}
    with_subsidy = facts | {"subsidy": "rehabilitation", "subsidy_cap": 30_000 * MILLION}
    both = [with_subsidy, facts] if subsidised_first else [facts, with_subsidy]
    lines = [(300_000 // pieces, "2025-05-10", words) for words in both for _ in range(pieces)]
    paid, _ = run(documents, lines)
    assert paid == {"patient": 83_430, "insurance": 466_140, "rehabilitation": 50_430}
