"""Section 2 of docs/reference/plan-model.md: facts, conditions, amounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from drachm.domain.benefits import Key, Line, adjudicate, build_stack, keys, load_plan
from drachm.domain.errors import Pended

U = 1_000_000
FREE = {"kind": "pay"}


@pytest.mark.parametrize(
    ("when", "given", "holds"),
    [
        ({}, {}, True),
        ({"word": "a"}, {"word": "a"}, True),
        ({"word": "a"}, {"word": "b"}, False),
        ({"word": ["a", "b"]}, {"word": "b"}, True),
        ({"word": {"in_group": "g"}}, {"word": "b"}, True),
        ({"word": {"in_group": "g"}}, {"word": "a"}, False),
        ({"text": {"in_group": "g"}}, {"text": "elsewhere"}, False),
        ({"flag": True}, {}, False),
        ({"flag": False}, {}, True),
        ({"flag": [True, False]}, {"flag": True}, True),
        ({"number": 3}, {"number": 3}, True),
        ({"number": [1, 2]}, {"number": 3}, False),
        ({"number": {"at_least": 3}}, {"number": 3}, True),
        ({"number": {"below": 3}}, {"number": 3}, False),
        ({"money": {"at_least": 1, "below": 3}}, {"money": 2}, True),
        ({"day": {"at_least": "2025-01-01", "below": "2025-02-01"}}, {"day": "2025-01-31"}, True),
        ({"day": {"at_least": "2025-01-01", "below": "2025-02-01"}}, {"day": "2025-02-01"}, False),
        ({"day": "2025-01-01"}, {"day": "2025-01-01"}, True),
        ({"not": {"word": "a"}}, {"word": "b"}, True),
        ({"not": {}}, {}, False),
        ({"any": [{"word": "a"}, {"flag": True}]}, {"word": "b", "flag": True}, True),
        ({"any": [{"word": "a"}, {"flag": True}]}, {"word": "b"}, False),
        ({"any": [{}]}, {}, True),
        ({"word": "a", "flag": True}, {"word": "a"}, False),
        ({"word": "a", "flag": True, "number": 2}, {"word": "a", "flag": True, "number": 2}, True),
        ({"age_band": "child"}, {"age": 18}, True),
        ({"age_band": "adult"}, {"age": 19}, True),
        ({"age_band": ["child", "adult"]}, {"age": -1}, True),
        ({"absent": "x"}, {}, False),
        ({"not": {"absent": "x"}}, {}, True),
        ({"absent_number": {"below": 5}}, {}, False),
        ({"absent_band": "low"}, {}, False),
        ({"absent_flag": False}, {}, False),
        ({"default_true": True}, {}, True),
        ({"member": "ana"}, {}, True),
        ({"date": {"at_least": "2025-03-10", "below": "2025-03-11"}}, {}, True),
        ({"visit": ""}, {}, True),
        ({"payer_set": "fund"}, {}, True),
        ({"quantity": {"at_least": U}}, {}, True),
        ({"third_party_help": 0}, {}, True),
        ({"third_party_help": {"at_least": 5}}, {"third_party_help": 5}, True),
    ],
)
def test_a_condition_holds(desk, amounts, when, given, holds):
    facts = {
        "word": ["a", "b"],
        "text": "text",
        "flag": "flag",
        "number": "number",
        "money": "money",
        "day": "date",
        "age": "number",
        "absent": {"type": "text", "default": None},
        "absent_number": {"type": "number", "default": None},
        "absent_flag": {"type": "flag", "default": None},
        "default_true": {"type": "flag", "default": True},
    }
    bands = [
        {"fact": "age_band", "of": "age", "to": [{"below": 19, "is": "child"}, {"is": "adult"}]},
        {"fact": "absent_band", "of": "absent_number", "to": [{"below": 1, "is": "low"}, {"is": "high"}]},
    ]
    steps = ({"kind": "copay", "amount": U, "when": when},)
    at = desk(*steps, facts=facts, bands=bands, groups={"g": ["b", "c"]})
    assert ("copay" in amounts(at.line(10, **given))) is holds


def test_a_missing_fact_pends_only_when_it_is_read(desk):
    at = desk({"kind": "copay", "amount": U, "when": {"a": 1, "b": 1}}, facts={"a": "number", "b": "number"})
    assert at.line(10, a=2).plan_paid == 10 * U
    with pytest.raises(Pended, match="'b'") as caught:
        at.line(10, a=1)
    assert caught.value.reason == "fact_missing"
    assert caught.value.where == "b"


def test_keys_of_a_condition_are_looked_at_in_code_point_order(desk):
    # Written b before a; looked at a before b, "any" and "not" by their own letters.
    facts = {"a": "number", "b": "number", "z": "number"}
    at = desk({"kind": "copay", "amount": U, "when": {"z": 1, "not": {"b": 1}, "any": [{"a": 1}]}}, facts=facts)
    for given, missing in (({}, "a"), ({"a": 1}, "b"), ({"a": 1, "b": 2}, "z")):
        with pytest.raises(Pended) as caught:
            at.line(10, **given)
        assert caught.value.where == missing
    assert at.line(10, a=2).plan_paid == 10 * U


def test_any_stops_at_the_first_that_holds(desk):
    at = desk({"kind": "pay", "when": {"any": [{"a": 1}, {"b": 1}]}}, facts={"a": "number", "b": "number"})
    assert at.line(10, a=1).plan_paid == 10 * U
    with pytest.raises(Pended):
        at.line(10, a=2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "1"),
        ("number", True),
        ("number", 1.5),
        ("money", "1"),
        ("flag", 1),
        ("flag", "true"),
        ("text", 1),
        ("word", "c"),
        ("word", 1),
        ("day", "2025-02-30"),
        ("day", "20250201"),
        ("day", "2025-W01-1"),
        ("day", 20250201),
        ("third_party_help", "5"),
        ("number", None),
    ],
)
def test_a_fact_of_a_wrong_type_pends_even_if_no_rule_reads_it(desk, name, value):
    facts = {"number": "number", "money": "money", "flag": "flag", "text": "text", "word": ["a", "b"], "day": "date"}
    at = desk(FREE, facts=facts)
    with pytest.raises(Pended) as caught:
        at.line(10, **{name: value})
    assert caught.value.reason == "fact_invalid"
    assert caught.value.where == name


def test_undeclared_facts_are_ignored(desk):
    assert desk(FREE).line(10, anything=1.5, other=None).plan_paid == 10 * U


@pytest.mark.parametrize(
    ("amount", "given", "taken"),
    [
        (3 * U, {}, 3),
        (None, {}, 0),
        ({"cases": [{"when": {"word": "a"}, "value": U}, {"value": 2 * U}]}, {"word": "a"}, 1),
        ({"cases": [{"when": {"word": "a"}, "value": U}, {"value": 2 * U}]}, {"word": "b"}, 2),
        ({"cases": [{"when": {"word": "a"}, "value": U}]}, {"word": "b"}, 0),
        ({"cases": [{"when": {"word": "b"}, "value": None}, {"value": 2 * U}]}, {"word": "b"}, 0),
        ({"cases": [{"value": {"cases": [{"value": 4 * U}]}}]}, {}, 4),
        ({"fact": "income"}, {"income": 5 * U}, 5),
        ({"fact": "income"}, {"income": -5 * U}, 0),
        ({"fact": "income"}, {}, 0),
        ({"fact": "income", "ppm": 20_000}, {"income": 123_456_789}, 2.47),
        ({"fact": "income", "ppm": 20_000}, {}, 0),
        ({"base": U, "per_extra_member": 2 * U, "members_included": 4}, {"family_size": 6}, 5),
        ({"base": U, "per_extra_member": 2 * U, "members_included": 4}, {"family_size": 3}, 1),
        ({"base": U, "per_extra_member": 2 * U, "members_included": 4, "max": 4 * U}, {"family_size": 6}, 4),
        ({"base": U, "per_extra_member": 2 * U, "members_included": 4}, {}, 0),
    ],
)
def test_an_amount(desk, amounts, amount, given, taken):
    facts = {
        "word": ["a", "b"],
        "income": {"type": "money", "default": None},
        "family_size": {"type": "number", "default": None},
    }
    at = desk({"kind": "copay", "amount": amount}, facts=facts)
    assert amounts(at.line(100, **given)).get("copay", 0) == taken


def test_payer_set_names_the_payers_of_the_documents_that_apply(document, desk, amounts):
    from_first = document(
        {"kind": "coinsurance", "ppm": 500_000, "when": {"payer_set": "one+three"}},
        {"kind": "coinsurance", "ppm": 1_000_000, "when": {"not": {"payer_set": "one+three"}}},
        id="a",
        payer="one",
    )
    never = document(FREE, id="b", payer="two", applies={"not": {}})
    sometimes = document(FREE, id="c", payer="three", facts={"more": "flag"}, applies={"more": True})
    at = desk(from_first, never, sometimes)
    assert amounts(at.line(10)) == {"coinsurance": 10}
    assert amounts(at.line(10, more=True)) == {"one": 5, "three": 5}


def test_when_used_is_frozen_within_a_visit(desk, amounts):
    steps = [
        {"kind": "pay", "when_used": {"visits": {"below": 1}}},
        {"kind": "coinsurance", "ppm": 1_000_000},
    ]
    visits = {"id": "visits", "scope": "person", "period": "benefit_year", "feeds": [{"of": "visits"}]}
    at = desk(*steps, accumulators=[visits])
    assert amounts(at.line(10, visit="v1")) == {"fund": 10}
    assert amounts(at.line(10, visit="v1")) == {"fund": 10}
    assert amounts(at.line(10, visit="v2")) == {"coinsurance": 10}
    assert amounts(at.line(10)) == {"coinsurance": 10}


def test_when_used_without_visit_counts_every_line(desk, amounts):
    lines = {"id": "lines", "scope": "person", "period": "benefit_year", "feeds": [{"of": "lines"}]}
    at = desk({"kind": "copay", "amount": U, "when_used": {"lines": {"at_least": 1, "below": 2}}}, accumulators=[lines])
    assert [amounts(at.line(10)).get("copay", 0) for _ in range(3)] == [0, 1, 0]


def test_when_used_of_a_visit_total_is_nothing_before_the_visit(desk, amounts):
    lines = {"id": "lines", "scope": "person", "period": "visit", "feeds": [{"of": "lines"}]}
    at = desk({"kind": "copay", "amount": U, "when_used": {"lines": {"at_least": 1}}}, accumulators=[lines])
    assert [amounts(at.line(10, visit="v")).get("copay", 0) for _ in range(3)] == [0, 0, 0]
    assert not [key for key in at.totals if "@" in key.name]


def test_when_used_looks_only_when_when_holds(desk):
    split = {"id": "n", "scope": "person", "period": "day", "by": ["b"], "feeds": []}
    at = desk(
        {"kind": "copay", "amount": U, "when": {"a": True}, "when_used": {"n": {"at_least": 0}}},
        facts={"a": "flag", "b": "text"},
        accumulators=[split],
    )
    assert at.line(10).plan_paid == 10 * U
    with pytest.raises(Pended):
        at.line(10, a=True)


def test_when_used_never_reads_less_than_nothing(desk, amounts):
    """A visit over midnight: the companion of a daily total belongs to its day."""
    lines = {"id": "lines", "scope": "person", "period": "day", "feeds": [{"of": "lines"}]}
    at = desk({"kind": "copay", "amount": U, "when_used": {"lines": {"at_least": 1}}}, accumulators=[lines])
    days = ("2025-03-10", "2025-03-10", "2025-03-11", "2025-03-11")
    assert [amounts(at.line(10, visit="v", on=day)).get("copay", 0) for day in days] == [0, 0, 0, 0]
    assert amounts(at.line(10, on="2025-03-11"))["copay"] == 1


def test_facts_and_policy_of_one_coverage_override_the_lines(document):
    tiered = {"facts": {"tier": "text"}, "accumulators": [
        {"id": "n", "scope": "policy", "period": "lifetime", "by": ["tier"], "feeds": [{"of": "lines"}]}]}  # fmt: skip
    stack = build_stack([load_plan(document(id=name, **tiered)) for name in ("a", "b")])
    line = Line(
        "e", U, U, datetime(2025, 3, 10, tzinfo=UTC), "ana", policy="p", facts={"tier": "gold"},
        document_facts={"b": {"tier": "silver"}}, policies={"b": "q"},
    )  # fmt: skip
    assert adjudicate(line, stack, {}).deltas == ((Key("p", "a/n[gold]", "L"), 1), (Key("q", "b/n[silver]", "L"), 1))


def test_an_invalid_fact_of_a_later_document_is_seen_before_a_missing_one(document, desk):
    first = document({"kind": "pay", "when": {"gone": 1}}, id="a", facts={"gone": "number"})
    second = document(id="b", facts={"size": "number"})
    with pytest.raises(Pended) as caught:
        desk(first, second).line(10, size="large")
    assert caught.value.reason == "fact_invalid"


def test_a_line_that_pends_has_no_keys(document):
    total = {"id": "n", "scope": "person", "period": "lifetime", "feeds": [{"of": "lines"}]}
    split = {**total, "id": "m", "by": ["place"]}
    stack = build_stack([load_plan(document(facts={"place": "text", "age": "number"}, accumulators=[total, split]))])
    line = Line("e", U, U, datetime(2025, 3, 10, tzinfo=UTC), "ana")
    assert keys(line, stack) == frozenset()
    assert keys(replace(line, facts={"age": "old"}), stack) == frozenset()
    assert keys(replace(line, facts={"place": "x"}), stack) == {Key("ana", "plan/n", "L"), Key("ana", "plan/m[x]", "L")}


def test_a_split_is_read_only_when_a_feed_holds(desk):
    feeds = [{"of": "lines", "when": {"therapy": True}}]
    total = {"id": "n", "scope": "person", "period": "lifetime", "by": ["place"], "feeds": feeds}
    at = desk(facts={"place": "text", "therapy": "flag"}, accumulators=[total])
    assert at.line(10).plan_paid == 10 * U
    with pytest.raises(Pended):
        at.line(10, therapy=True)


def test_a_rate_from_a_fact_is_at_most_the_whole(desk, amounts):
    at = desk({"kind": "copay", "ppm": {"fact": "rate"}, "of": "cost"}, facts={"rate": "number"})
    assert amounts(at.line(10, rate=3_000_000)) == {"copay": 10}
    measured = {"id": "n", "scope": "person", "period": "lifetime", "feeds": [{"of": "paid"}]}
    bands = [{"below": 5 * U, "ppm": {"fact": "rate"}}, {"ppm": 0}]
    at = desk(
        {"kind": "coinsurance", "measure": "n", "bands": bands}, facts={"rate": "number"}, accumulators=[measured]
    )
    assert amounts(at.line(10, rate=3_000_000)) == {"coinsurance": 10}


def test_a_step_reads_its_facts_also_when_nothing_is_open(desk):
    at = desk({"kind": "pay"}, {"kind": "copay", "amount": {"fact": "fee"}}, facts={"fee": "money"})
    with pytest.raises(Pended):
        at.line(10)


def test_what_conditions_said_is_kept_for_equal_facts_only(desk, amounts):
    """More different facts than the engine remembers, asked twice in two orders."""
    at = desk({"kind": "copay", "amount": U, "when": {"any": [{"age": {"below": 600}}]}}, facts={"age": "number"})
    for ages in (range(1200), range(1199, -1, -1)):
        assert all(("copay" in amounts(at.line(10, age=age))) is (age < 600) for age in ages)


def test_a_condition_that_pends_is_asked_again(desk, amounts):
    at = desk({"kind": "copay", "amount": U, "when": {"not": {"a": 1}}}, facts={"a": "number"})
    for _ in range(2):
        with pytest.raises(Pended):
            at.line(10)
    assert amounts(at.line(10, a=2)) == {"copay": 1, "fund": 9}


@pytest.mark.parametrize("key_reads", [{"by": ["place"], "period": "lifetime"}, {"period": "policy_year"}])
def test_a_key_is_asked_for_even_when_nothing_is_added(desk, key_reads):
    total = {"id": "n", "scope": "person", "feeds": [{"of": "copay", "when": {"counts": True}}], **key_reads}
    at = desk(facts={"place": "text", "policy_start": "date", "counts": "flag"}, accumulators=[total])
    assert at.line(10).plan_paid == 10 * U
    with pytest.raises(Pended) as caught:
        at.line(10, counts=True)
    assert caught.value.reason == "fact_missing"
