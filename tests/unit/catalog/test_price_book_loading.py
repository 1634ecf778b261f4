"""A document that cannot mean what it says is refused with the JSON path of the place."""

from __future__ import annotations

from typing import Any

import pytest

from drachm.domain.catalog import load_price_book
from drachm.domain.errors import InvalidMessage

FIXED = {"kind": "fixed", "amount": 1}


def rule(**keys: Any) -> dict[str, Any]:
    return {"rule": keys}


def deep(levels: int) -> dict[str, Any]:
    inner: dict[str, Any] = FIXED
    for _ in range(levels):
        inner = {"kind": "lookup", "by": "state", "rows": {"CA": inner}}
    return inner


RELATIVE = {"kind": "relative_value", "work": 1, "facility_pe": 1, "non_facility_pe": 1, "malpractice": 1}
INDICES = {"work": 1, "practice_expense": 1, "malpractice": 1}

BAD_ITEMS: list[tuple[dict[str, Any], str, str]] = [
    ({"rule": FIXED, "prize": 1}, "$.items[0]", "unknown key 'prize'"),
    ({}, "$.items[0]", "'rule' is missing"),
    ({"rule": FIXED, "code": ""}, "$.items[0].code", "empty"),
    ({"rule": FIXED, "code": 99213}, "$.items[0].code", "text"),
    ({"rule": FIXED, "modifiers": "26"}, "$.items[0].modifiers", "array"),
    ({"rule": FIXED, "lesser_of_billed": 1}, "$.items[0].lesser_of_billed", "true or false"),
    ({"rule": FIXED, "when": {"weather": "x"}}, "$.items[0].when.weather", "unknown fact"),
    ({"rule": FIXED, "when": {"fact.": "x"}}, "$.items[0].when.fact.", "unknown fact"),
    ({"rule": FIXED, "when": {"state": []}}, "$.items[0].when.state", "expected"),
    ({"rule": FIXED, "when": {"state": None}}, "$.items[0].when.state", "expected"),
    ({"rule": FIXED, "facts": {"a": None}}, "$.items[0].facts.a", "expected"),
    ({"rule": []}, "$.items[0].rule", "object"),
    (rule(amount=1), "$.items[0].rule", "'kind' is missing"),
    (rule(kind="flat"), "$.items[0].rule.kind", "one of fixed"),
    (rule(kind=["fixed"]), "$.items[0].rule.kind", "one of fixed"),
    (rule(kind="fixed"), "$.items[0].rule", "'amount' is missing"),
    (rule(kind="fixed", amount=1.5), "$.items[0].rule.amount", "whole number"),
    (rule(kind="fixed", amount="1"), "$.items[0].rule.amount", "whole number"),
    (rule(kind="fixed", amount=True), "$.items[0].rule.amount", "whole number"),
    (rule(kind="fixed", amount=-1), "$.items[0].rule.amount", "from 0"),
    (rule(kind="fixed", amount=2**53), "$.items[0].rule.amount", "from 0"),
    (rule(kind="per_minute", rate=1, increment=0), "$.items[0].rule.increment", "from 1"),
    (rule(kind="tiers", mode="stairs", tiers=[{"each": 1}]), "$.items[0].rule.mode", "graduated"),
    (rule(kind="tiers", mode="volume", tiers=[]), "$.items[0].rule.tiers", "at least one"),
    (rule(kind="tiers", mode="volume", tiers=[{"each": 1, "up_to": 1}]), "$.items[0].rule.tiers[0]", "unknown key"),
    (
        rule(kind="tiers", mode="volume", tiers=[{"each": 1, "up_to": 2}, {"each": 1, "up_to": 2}, {"each": 1}]),
        "$.items[0].rule.tiers[1]",
        "must rise",
    ),
    (rule(kind="percent_of", ppm=1, of="list"), "$.items[0].rule.of", "billed"),
    (rule(kind="percent_of", ppm=1, of={}), "$.items[0].rule.of", "expected"),
    (rule(kind="percent_of", ppm=1, of={"book": "a", "schedule": "b"}), "$.items[0].rule.of", "expected"),
    (rule(kind="percent_of", ppm=1, of={"schedule": "b"}), "$.schedules", "'b', which the book does not hold"),
    (rule(kind="lookup", by="moon", rows={"a": 1}), "$.items[0].rule.by", "unknown fact"),
    (rule(kind="lookup", by="state", rows={}), "$.items[0].rule.rows", "at least one"),
    (rule(kind="lookup", by="state", rows={"a": "1"}), "$.items[0].rule.rows.a", "object"),
    (rule(kind="lookup", by="state", rows={"a": -1}), "$.items[0].rule.rows.a", "from 0"),
    (rule(kind="lesser_of", of=[FIXED]), "$.items[0].rule.of", "at least two"),
    (rule(kind="not_supported", why=""), "$.items[0].rule.why", "empty"),
    ({"rule": RELATIVE}, "$.items[0].rule", "conversion_factor"),
    ({"rule": deep(40)}, "$.items[0].rule.rows.CA", "nests deeper"),
]

BAD_HEADS: list[tuple[dict[str, Any], str, str]] = [
    ({"colour": "blue"}, "$", "unknown key 'colour'"),
    ({"id": "as-submitted"}, "$.id", "built in"),
    ({"version": 0}, "$.version", "from 1"),
    ({"currency": "ABC"}, "currency", "unknown currency"),
    ({"zone": "Mars/Olympus"}, "zone", "unknown time zone"),
    ({"effective": {"from": "2025-02-30"}}, "$.effective.from", "date"),
    ({"effective": {"from": 2025}}, "$.effective.from", "date"),
    ({"effective": {"from": "2025-01-01", "until": "2025-01-01"}}, "$.effective", "after"),
    ({"rounding": {"unit": 0}}, "$.rounding.unit", "from 1"),
    ({"rounding": {"unit": 1, "mode": "nearest"}}, "$.rounding.mode", "half_up"),
    ({"modifiers": {"significant": ["51"], "not_supported": {"51": "no"}}}, "$.modifiers", "at once"),
    ({"code_systems": {"a": ["x"], "b": ["x"]}}, "$.code_systems.b[0]", "two code systems"),
    ({"localities": {"a": {"also": ["x"]}, "b": {"also": ["x"]}}}, "$.localities.b", "two localities"),
    ({"localities": {"a": {"work": 1}}}, "$.localities.a", "'practice_expense' is missing"),
    ({"place_of_service": {"facility": ["11"], "non_facility": ["11"]}}, "$.place_of_service", "'11'"),
    ({"not_priced": {"C": {"system": "local", "codes": []}}}, "$.not_priced.C", "'why' is missing"),
    ({"schedules": {"a": [{"system": "s", "code": "c"}]}}, "$.schedules.a[0]", "'rule' is missing"),
    ({"defaults": {"any": {"rule": FIXED, "code": "c"}}}, "$.defaults.any", "unknown key 'code'"),
    ({"includes": "base"}, "$.includes", "array"),
    ({"items": {}}, "$.items", "array"),
    ({"items": [1]}, "$.items[0]", "object"),
    ({"title": 5}, "$.title", "text"),
    ({"conversion_factor": 0}, "$.conversion_factor", "from 1"),
    (
        {"localities": {"a": INDICES}, "items": [{"system": "s", "code": "c", "rule": RELATIVE}]},
        "$.items[0].rule",
        "factor",
    ),
]


@pytest.mark.parametrize(("item", "where", "problem"), BAD_ITEMS)
def test_a_bad_item_is_refused_at_its_place(document: Any, item: dict[str, Any], where: str, problem: str) -> None:
    assert_refused(document(item), where, problem)


@pytest.mark.parametrize(("head", "where", "problem"), BAD_HEADS)
def test_a_bad_head_is_refused_at_its_place(document: Any, head: dict[str, Any], where: str, problem: str) -> None:
    assert_refused(document(**head), where, problem)


@pytest.mark.parametrize("key", ["id", "version", "currency", "zone", "effective"])
def test_every_book_says_who_when_and_in_which_money(document: Any, key: str) -> None:
    whole = document({"rule": FIXED})
    del whole[key]
    assert_refused(whole, "$", f"the key {key!r} is missing")


@pytest.mark.parametrize("whole", [None, [], "book", 1])
def test_a_book_is_an_object(whole: Any) -> None:
    assert_refused(whole, "$", "object")


def test_schedules_may_lean_on_each_other_but_not_in_a_circle(document: Any) -> None:
    def on(name: str) -> list[dict[str, Any]]:
        return [{"system": "s", "code": "c", "rule": {"kind": "percent_of", "ppm": 1, "of": {"schedule": name}}}]

    plain = [{"system": "s", "code": "c", "rule": FIXED}]
    load_price_book(document(schedules={"a": on("b"), "b": on("c"), "c": plain}))
    assert_refused(document(schedules={"a": on("b"), "b": on("a")}), "$.schedules", "a -> b -> a")
    assert_refused(document(schedules={"a": on("a")}), "$.schedules", "a -> a")


def assert_refused(whole: Any, where: str, problem: str) -> None:
    with pytest.raises(InvalidMessage) as error:
        load_price_book(whole)
    assert error.value.where.startswith(where)
    assert problem in error.value.message
    assert error.value.next_step
