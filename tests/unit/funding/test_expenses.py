"""Expense rules: the first rule that fits decides, and nothing ever waits for them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drachm.domain.benefits import Line
from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.expenses import Verdict, load_expense_rules

ROOT = Path(__file__).parents[3]
RULES: dict[str, Any] = {
    "id": "care-fund",
    "version": "1",
    "zone": "Asia/Tokyo",
    "effective": {"from": "2025-01-01", "until": "2026-01-01"},
    "facts": {
        "category": {"type": "text", "default": None},
        "age": {"type": "number", "default": None},
        "network": ["in", "out"],
        "cosmetic": "flag",
        "counted": {"type": "flag", "default": True},
    },
    "groups": {"teeth": ["dental", "orthodontics"]},
    "rules": [
        {"when": {"cosmetic": True}, "eligible": False, "clause": "1"},
        {"when": {"category": {"in_group": "teeth"}, "age": {"below": 18}}, "eligible": True, "clause": "2"},
        {"when": {"not": {"network": "in"}}, "eligible": False, "clause": "3"},
        {"when": {"date": {"at_least": "2025-07-01"}, "counted": False}, "eligible": True, "clause": "4"},
        {"when": {"third_party_help": {"at_least": 1}}, "eligible": True, "clause": "5"},
    ],
    "otherwise": False,
}
JUNE_LATE = datetime(2025, 6, 30, 16, tzinfo=UTC)
"""July in Tokyo."""


def line(at: datetime = JUNE_LATE, **facts: Any) -> Line:
    return Line("e1", 1, 1, at, "ana", facts=facts)


def test_the_first_rule_that_fits_decides() -> None:
    rules = load_expense_rules(RULES)
    assert rules.verdict(line(category="dental", age=9, network="in")) == Verdict(True, "2")
    assert rules.verdict(line(category="dental", age=9, cosmetic=True)) == Verdict(False, "1")
    assert rules.verdict(line(category="dental", age=18, network="out")) == Verdict(False, "3")
    assert rules.verdict(line(category="dental", age=18, network="in")) == Verdict(False, "")


def test_days_are_those_of_the_rules_own_zone() -> None:
    rules = load_expense_rules(RULES)
    assert rules.verdict(line(network="in", counted=False)) == Verdict(True, "4")
    assert rules.verdict(line(datetime(2025, 6, 30, 14, tzinfo=UTC), network="in", counted=False)) == Verdict(False, "")


def test_a_fact_that_is_missing_or_of_a_wrong_kind_is_absent() -> None:
    rules = load_expense_rules(RULES)
    assert rules.verdict(line(category="dental", age="nine", network="in")) == Verdict(False, "")
    assert rules.verdict(line(category=7, network="elsewhere")) == Verdict(False, "3"), "no word: not in the network"
    assert rules.verdict(line(cosmetic="yes", network="in")) == Verdict(False, "")
    assert rules.verdict(line(network="in", third_party_help="some")) == Verdict(False, "")
    assert rules.verdict(line(network="in", third_party_help=1)) == Verdict(True, "5")


def test_rules_may_look_at_what_every_line_says_of_itself() -> None:
    when = {"any": [{"member": "ana", "quantity": {"at_least": 1}}, {"visit": "v1"}]}
    rules = load_expense_rules({**RULES, "rules": [{"when": when, "eligible": True, "clause": "6"}]})
    assert rules.verdict(line()) == Verdict(True, "6")
    assert rules.verdict(Line("e1", 1, 1, JUNE_LATE, "ben", visit="v1")) == Verdict(True, "6")
    assert rules.verdict(Line("e1", 1, 1, JUNE_LATE, "ben")) == Verdict(False, "")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"otherwise": "no"}, "$.otherwise"),
        ({"rules": [{"when": {}, "eligible": True}]}, "$.rules[0]"),
        ({"rules": [{"when": {"colour": "red"}, "eligible": True, "clause": "1"}]}, "$.rules[0].when.colour"),
        ({"rules": [{"when": {"payer_set": "a"}, "eligible": True, "clause": "1"}]}, "$.rules[0].when.payer_set"),
        ({"zone": "Mars"}, "$.zone"),
        ({"price": 1}, "$.price"),
    ],
)
def test_a_document_that_says_nonsense_is_refused_with_its_place(change: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        load_expense_rules({**RULES, **change})
    assert (caught.value.where, caught.value.code) == (where, "invalid_document")


def test_rules_without_facts_and_groups_hold_for_everything() -> None:
    bare = {name: RULES[name] for name in ("id", "version", "zone", "effective")}
    assert load_expense_rules({**bare, "rules": [], "otherwise": True}).verdict(line()).eligible


def test_the_sample_of_a_health_savings_account_reads_the_statute() -> None:
    hsa = load_expense_rules(json.loads((ROOT / "samples/expenses/us-hsa.json").read_text()))
    assert hsa.verdict(line(category="primary_care")) == Verdict(True, "")
    assert hsa.verdict(line(category="cosmetic")) == Verdict(False, "213(d)(9)")
    assert hsa.verdict(line(category="fitness")).clause in hsa.text
    assert not hsa.verdict(line(category="primary_care", health_insurance_premium=True)).eligible
