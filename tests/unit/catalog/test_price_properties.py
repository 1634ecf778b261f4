"""The compiled book against a naive reading of the same rules in fractions, and against mutilated documents."""

from __future__ import annotations

import json
from copy import deepcopy
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.catalog import load_price_book
from drachm.domain.errors import InvalidMessage

SAMPLES = Path(__file__).parents[3] / "samples" / "prices"

amounts = st.integers(0, 500_000_000)
quantities = st.integers(0, 400_000_000)
fixed = st.builds(lambda amount: {"kind": "fixed", "amount": amount}, amounts)
per_unit = st.builds(lambda each: {"kind": "per_unit", "each": each}, amounts)
as_submitted = st.just({"kind": "as_submitted"})


@st.composite
def tiers(draw: st.DrawFn) -> dict[str, Any]:
    bounds = sorted(draw(st.sets(st.integers(1, 300_000_000), max_size=4)))
    rows = [{"up_to": bound, "each": draw(amounts)} for bound in bounds] + [{"each": draw(amounts)}]
    return {"kind": "tiers", "mode": draw(st.sampled_from(["graduated", "volume"])), "tiers": rows}


@st.composite
def percentages(draw: st.DrawFn) -> dict[str, Any]:
    of = draw(st.sampled_from(["billed", {"schedule": "list"}]))
    return {"kind": "percent_of", "ppm": draw(st.integers(0, 3_000_000)), "of": of}


simple = st.one_of(fixed, per_unit, tiers(), percentages(), as_submitted)
rules = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(
            lambda kind, of: {"kind": kind, "of": of},
            st.sampled_from(["lesser_of", "total_of"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        st.builds(
            lambda low, high: {"kind": "lookup", "by": "facility_level", "rows": {"1": low, "2": high}}, inner, amounts
        ),
    ),
    max_leaves=6,
)


def naive(rule: Any, quantity: Fraction, billed: int, level: str, list_price: Any) -> Fraction:
    """What the manual says, read as slowly as possible."""
    if isinstance(rule, int):
        return rule * quantity
    again = [quantity, billed, level, list_price]
    match rule["kind"]:
        case "fixed":
            return rule["amount"] * quantity
        case "per_unit":
            return rule["each"] * quantity
        case "as_submitted":
            return Fraction(billed)
        case "percent_of":
            base = Fraction(billed) if rule["of"] == "billed" else naive(list_price, *again)
            return base * Fraction(rule["ppm"], 1_000_000)
        case "lesser_of":
            return min(naive(part, *again) for part in rule["of"])
        case "total_of":
            return sum((naive(part, *again) for part in rule["of"]), Fraction(0))
        case "lookup":
            return naive(rule["rows"][level], *again)
        case "tiers":
            return by_tiers(rule, quantity)
    raise AssertionError(rule)


def by_tiers(rule: Any, quantity: Fraction) -> Fraction:
    total, floor_of_tier = Fraction(0), Fraction(0)
    for tier in rule["tiers"]:
        bound = Fraction(tier["up_to"], 1_000_000) if "up_to" in tier else None
        if rule["mode"] == "volume" and (bound is None or quantity <= bound):
            return tier["each"] * quantity
        inside = max(Fraction(0), (quantity if bound is None else min(quantity, bound)) - floor_of_tier)
        total += tier["each"] * inside
        floor_of_tier = bound or floor_of_tier
    return total


def rounded(amount: Fraction, unit: int, mode: str) -> int:
    steps = amount / unit
    match mode:
        case "up":
            return ceil(steps) * unit
        case "down":
            return floor(steps) * unit
        case "half_up":
            return floor(steps + Fraction(1, 2)) * unit
        case "half_down":
            return ceil(steps - Fraction(1, 2)) * unit
    return round(steps) * unit


@given(
    rule=rules,
    list_price=st.one_of(fixed, per_unit, tiers()),
    quantity=quantities,
    billed=amounts,
    level=st.sampled_from(["1", "2"]),
    unit=st.sampled_from([1, 10_000, 50_000, 1_000_000]),
    mode=st.sampled_from(["half_up", "half_down", "half_even", "up", "down"]),
    lesser=st.booleans(),
)
def test_the_compiled_book_agrees_with_the_naive_reading(
    document: Any, event: Any, priced: Any, rule: Any, list_price: Any, quantity: int, billed: int, level: str,
    unit: int, mode: str, lesser: bool,
) -> None:  # fmt: skip
    schedules = {"list": [{"system": "local", "code": "X", "rule": list_price}]}
    book = document({"rule": rule}, rounding={"unit": unit, "mode": mode}, lesser_of_billed=lesser, schedules=schedules)
    line = event(quantity=Fraction(quantity, 1_000_000), billed=billed)
    exact = naive(rule, Fraction(quantity, 1_000_000), billed, level, list_price)
    expected = rounded(exact, 1 if rule["kind"] == "as_submitted" else unit, mode)
    if expected > 2**53 - 1:
        return
    result = priced(book, event=line, facility_level=level)
    assert result.allowed == (min(expected, billed) if lesser else expected)
    assert result.billed == billed


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inside for place in places(child, (*path, key)))]


rubbish = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2**60), st.floats(allow_nan=False), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=3,
)


@pytest.mark.parametrize("name", ["demo-us.json", "demo-cn.json", "demo-us-self-pay.json"])
@given(data=st.data(), value=rubbish)
def test_a_mutilated_document_is_refused_by_name_or_still_a_book(name: str, data: st.DataObject, value: Any) -> None:
    whole = deepcopy(json.loads((SAMPLES / name).read_text(encoding="utf-8")))
    path = data.draw(st.sampled_from(places(whole)))
    if not path:
        whole = value
    else:
        parent = whole
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = value
    refusal = None
    try:
        load_price_book(whole)
    except InvalidMessage as error:
        refusal = error
    assert refusal is None or (refusal.message and refusal.where)
