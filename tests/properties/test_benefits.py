"""Promises of the adjudication engine on random documents and random events (docs/reference/plan-model.md)."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))

from watched_totals import Watched

from drachm.domain.benefits import (
    Adjudication,
    Key,
    Line,
    Stack,
    adjudicate,
    apply,
    build_stack,
    keys,
    load_plan,
    prepare,
    reverse_deltas,
)

U = 1_000_000
FACTS = {
    "category": ["visit", "drug", "lab"],
    "network": ["in", "out"],
    "urgent": "flag",
    "help": {"type": "money", "default": None},
}
LIMITED = ("deductible", "cost_share", "covered", "paid", "coinsurance", "patient")

conditions = st.recursive(
    st.one_of(
        st.just({}),
        st.sampled_from(["visit", "drug", "lab"]).map(lambda word: {"category": word}),
        st.sampled_from(["in", "out"]).map(lambda word: {"network": word}),
        st.booleans().map(lambda flag: {"urgent": flag}),
        st.just({"payer_set": "fund"}),
    ),
    lambda inner: st.one_of(
        inner.map(lambda one: {"not": one}), st.lists(inner, min_size=1, max_size=2).map(lambda many: {"any": many})
    ),
    max_leaves=3,
)
money = st.integers(0, 60).map(lambda units: units * U)
ppm = st.sampled_from([0, 100_000, 200_000, 333_333, 500_000, 1_000_000])


def amount_of(values: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    case = st.fixed_dictionaries({"value": values | st.none()}, optional={"when": conditions, "when_used": when_used})
    return values | values | st.none() | st.lists(case, min_size=1, max_size=2).map(lambda cases: {"cases": cases})


when_used = st.sampled_from(
    [{"visits": {"below": 2}}, {"person_cost_share": {"at_least": 20 * U}}, {"relief": {"at_least": 1}}]
)
limit_entries = st.lists(
    st.fixed_dictionaries(
        {
            "accumulator": st.sampled_from([f"{scope}_{of}" for scope in ("person", "family") for of in LIMITED]),
            "limit": amount_of(money),
        }
    ),
    max_size=2,
)
unit_limits = st.lists(
    st.fixed_dictionaries(
        {"accumulator": st.just("visits"), "limit": st.integers(0, 3), "partial": st.sampled_from(["none", "by_unit"])}
    )
    | st.fixed_dictionaries(
        {"accumulator": st.just("units"), "limit": st.integers(0, 4 * U), "partial": st.just("by_unit")}
    ),
    max_size=1,
)
pools = st.fixed_dictionaries(
    {"scope": st.sampled_from(["person", "family"]), "period": st.sampled_from(["month", "day", "benefit_year"])},
    optional={"by": st.just(["network"])},
)
caps = st.fixed_dictionaries({"base": amount_of(money)}, optional={"over": amount_of(money), "ppm": ppm})


def step(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    needed = {name: value for name, value in fields.items() if not name.startswith("maybe_")}
    optional = {name.removeprefix("maybe_"): value for name, value in fields.items() if name.startswith("maybe_")}
    return st.fixed_dictionaries(
        {"kind": st.just(kind), **needed}, optional={"when": conditions, "when_used": when_used, **optional}
    )


period_caps = step(
    "period_cap",
    pool=pools,
    cap=caps,
    maybe_settle=st.sampled_from(["line", "refund"]),
    maybe_recover=st.booleans(),
    maybe_basis=st.sampled_from(["cost", "covered"]),
    maybe_qualify=st.fixed_dictionaries(
        {"by": st.sampled_from([[], ["member"], ["category", "payer_set"]])},
        optional={"floor": amount_of(money), "needs": conditions},
    ),
)
shares = [
    step(
        "copay",
        amount=amount_of(money),
        maybe_per=st.sampled_from(["line", "unit", "visit", "day"]),
        maybe_limits=limit_entries,
    ),
    step(
        "copay",
        ppm=amount_of(ppm),
        maybe_min=amount_of(money),
        maybe_max=amount_of(money),
        maybe_of=st.sampled_from(["open", "cost"]),
    ),
    step("deductible", limits=limit_entries),
    step("coinsurance", ppm=amount_of(ppm), maybe_limits=limit_entries, maybe_of=st.sampled_from(["open", "cost"])),
    step(
        "coinsurance",
        measure=st.sampled_from([f"person_{of}" for of in ("covered", "paid", "coinsurance", "patient")]),
        bands=st.tuples(ppm, money, ppm, ppm).map(
            lambda some: [
                {"below": 5 * U, "ppm": some[0]},
                {"below": 6 * U + some[1], "ppm": some[2]},
                {"ppm": some[3]},
            ]
        ),
    ),
    step(
        "benefit_limit",
        maybe_amount=amount_of(money),
        maybe_each=amount_of(money),
        maybe_per=st.sampled_from(["line", "unit"]),
        maybe_limits=limit_entries,
        maybe_unit_limits=unit_limits,
        maybe_denies=st.booleans(),
        maybe_bearer=st.sampled_from(["patient", "provider"]),
    ),
    step(
        "pay",
        maybe_amount=amount_of(money),
        maybe_party=st.sampled_from(["fund", "account"]),
        maybe_limits=limit_entries,
    ),
    step("out_of_pocket_max", limits=limit_entries, maybe_counts=st.just(["coinsurance", "copay"])),
    step("exclude", maybe_bearer=st.sampled_from(["patient", "provider"])),
]


@st.composite
def documents(draw: st.DrawFn, name: str, payer: str, *, independent: bool = False) -> dict[str, Any]:
    kinds = shares if independent else [*shares, period_caps, period_caps]
    steps = draw(st.lists(st.one_of(kinds), min_size=1, max_size=5))
    closing = [] if independent else draw(st.lists(period_caps, max_size=1))
    # A monthly cap that is always there, so that months with relief can be counted.
    monthly = {"kind": "period_cap", "pool": {"scope": "family", "period": "month"}, "cap": {"base": draw(money)}}
    if not independent:
        steps.append(monthly)
    feeds = {of: [{"of": of}] for of in LIMITED} | {"visits": [{"of": "visits"}], "units": [{"of": "units"}]}
    accumulators: list[dict[str, Any]] = [
        {"id": f"{scope}_{of}", "scope": scope, "period": period, "feeds": feeds[of]}
        for scope, period in (
            ("person", "benefit_year"),
            ("family", draw(st.sampled_from(["month", "visit", "lifetime"]))),
        )
        for of in LIMITED
    ]
    accumulators += [
        {"id": "visits", "scope": "person", "period": {"rolling_days": 3}, "by": ["network"], "feeds": feeds["visits"]},
        {"id": "units", "scope": "person", "period": "day", "feeds": feeds["units"]},
    ]
    relief = {"id": "relief", "kind": "periods_with_relief", "of": f"s{len(steps) - 1}", "window_months": 12}
    if independent:
        relief = {"id": "relief", "scope": "person", "period": "month", "feeds": [{"of": "lines"}]}
    document = {
        "id": name,
        "version": "1",
        "payer": payer,
        "currency": "USD",
        "zone": "UTC",
        "effective": {"from": "1900-01-01"},
        "facts": FACTS,
        "residue": draw(st.sampled_from(["provider", "patient", "payer"])),
        "remainder": draw(st.sampled_from(["payer", "payer", "patient"])),
        "accumulators": [*accumulators, relief],
        "steps": [{"id": f"s{index}", "clause": "c", **one} for index, one in enumerate(steps)],
        "closing_steps": [{"id": f"c{index}", "clause": "c", **one} for index, one in enumerate(closing)],
    }
    if independent:
        document["starts_from"] = {"greatest": ["cost"]}
    return document


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    parts = [draw(documents("first", "fund"))]
    if draw(st.booleans()):
        parts.append(draw(documents("second", "other", independent=draw(st.booleans()))))
    return build_stack([load_plan(part) for part in parts])


@st.composite
def lines(draw: st.DrawFn, members: tuple[str, ...] = ("ana", "ben"), number: int = 0) -> Line:
    day = datetime(2025, 1, 30, 12, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 4)))
    cost = draw(st.integers(0, 9000)) * 10_000 + draw(st.sampled_from([0, 0, 0, 5_000, 1]))
    return Line(
        id=f"e{draw(st.integers(0, 10**9))}",
        billed=cost + draw(st.sampled_from([0, 0, 5 * U, -U])),
        cost=cost,
        at=day,
        member=draw(st.sampled_from(members)),
        family=f"family of {members[0]}",
        visit=draw(st.sampled_from(["", "v", "w"])),
        quantity=draw(st.sampled_from([U, 2 * U, 500_000, 1_333_333])),
        facts={
            "category": draw(st.sampled_from(["visit", "drug", "lab"])),
            "network": draw(st.sampled_from(["in", "out"])),
            "urgent": draw(st.booleans()),
        },
    )


def from_trace(answer: Adjudication) -> dict[tuple[str, str], int]:
    """Amounts by document and component or party, worked out from the trace alone."""
    sums: dict[tuple[str, str], int] = {}
    for step in answer.trace:
        if step.kind != "rounding" and not step.target.startswith(("own:", "credit:")):
            document, _, target = step.target.rpartition("/")
            place = (document or step.document, target)
            sums[place] = sums.get(place, 0) + step.amount
    return {place: amount for place, amount in sums.items() if amount}


def walk(stack: Stack, events: list[Line]) -> tuple[dict[Key, int], list[Adjudication]]:
    totals: dict[Key, int] = {}
    answers = []
    for event in events:
        answers.append(adjudicate(event, stack, totals))
        totals = apply(totals, answers[-1].deltas)
    return totals, answers


def by_bearer(answers: list[Adjudication]) -> dict[str, int]:
    """What each party and the patient bear in the end, credits included."""
    sums: dict[str, int] = {}
    for answer in answers:
        for share in answer.shares:
            if share.component != "contractual_adjustment":
                sums[share.party or share.bearer] = sums.get(share.party or share.bearer, 0) + share.amount
        for credit in answer.credits:
            sums[credit.party] = sums.get(credit.party, 0) + credit.amount
            sums["patient"] = sums.get("patient", 0) - credit.amount
    return {party: amount for party, amount in sums.items() if amount}


@settings(max_examples=80, deadline=None)
@given(stacks(), st.lists(lines(), min_size=1, max_size=6))
def test_every_unit_has_a_bearer_and_nobody_owes_less_than_nothing(stack, events):
    _, answers = walk(stack, events)
    for event, answer in zip(events, answers, strict=True):
        assert sum(share.amount for share in answer.shares) == event.billed
        signed = {"contractual_adjustment", "rounding"}
        assert all(share.amount > 0 for share in answer.shares if share.component not in signed)
        assert all(credit.amount for credit in answer.credits)
        assert answer.allowed == event.cost
        shares = [share for share in answer.shares if share.document and share.component != "rounding"]
        sums: dict[tuple[str, str], int] = {}
        for share in shares:
            place = (share.document, share.party or share.component)
            sums[place] = sums.get(place, 0) + share.amount
        assert sums == from_trace(answer)


@settings(max_examples=80, deadline=None)
@given(stacks(), st.lists(lines(), min_size=1, max_size=6))
def test_keys_are_known_before_totals_are_read(stack, events):
    totals: dict[Key, int] = {}
    for event in events:
        watched = Watched(totals)
        prepared = prepare(event, stack)
        answer = prepared.decide(watched)
        assert watched.asked | {key for key, _ in answer.deltas} <= set(prepared.keys)
        assert len(prepared.keys) == len(set(prepared.keys))
        assert answer.deltas == tuple(sorted(answer.deltas))
        assert all(amount for _, amount in answer.deltas)
        totals = apply(totals, answer.deltas)


@settings(max_examples=60, deadline=None)
@given(stacks(), st.lists(lines(), min_size=1, max_size=6))
def test_explaining_changes_nothing_but_the_trace(stack, events):
    totals: dict[Key, int] = {}
    for event in events:
        prepared = prepare(event, stack)
        plain, explained = prepared.decide(totals), prepared.decide(totals, explain=True)
        assert plain.trace == ()
        assert plain == replace(explained, trace=())
        assert explained == adjudicate(event, stack, totals)
        totals = apply(totals, plain.deltas)


@settings(max_examples=60, deadline=None)
@given(stacks(), st.lists(lines(), min_size=1, max_size=6))
def test_reversing_in_reverse_order_leaves_nothing(stack, events):
    totals, answers = walk(stack, events)
    for answer in reversed(answers):
        totals = apply(totals, reverse_deltas(answer))
    assert totals == {}


@settings(max_examples=60, deadline=None)
@given(stacks(), st.lists(lines(), min_size=1, max_size=4), lines(), lines(("zoe", "yan")))
def test_events_that_share_no_key_commute(stack, before, one, other):
    assert not keys(one, stack) & keys(other, stack)
    totals, _ = walk(stack, before)
    first = adjudicate(one, stack, totals)
    second = adjudicate(other, stack, totals)
    assert adjudicate(other, stack, apply(totals, first.deltas)) == second
    assert adjudicate(one, stack, apply(totals, second.deltas)) == first


@settings(max_examples=60, deadline=None)
@given(stacks(), st.lists(lines(), min_size=1, max_size=4))
def test_the_same_question_has_the_same_answer(stack, events):
    again = build_stack(stack.plans)
    assert walk(stack, events) == walk(again, events)
    assert walk(stack, events) == walk(stack, events)


@settings(max_examples=80, deadline=None)
@given(
    st.tuples(money, money, money),
    st.lists(ppm, min_size=1, max_size=2),
    st.lists(lines(("ana", "ben", "cleo")), min_size=1, max_size=8),
)
def test_no_total_passes_the_constant_limit_that_bounds_it(limits, rates, events):
    deductible, person, family = limits
    scopes = (
        ("person_deductible", "person", "deductible"),
        ("person", "person", "cost_share"),
        ("family", "family", "cost_share"),
    )
    accumulators = [
        {"id": name, "scope": scope, "period": "benefit_year", "feeds": [{"of": of}]} for name, scope, of in scopes
    ]
    steps = [
        {"kind": "deductible", "limits": [{"accumulator": "person_deductible", "limit": deductible}]},
        *({"kind": "coinsurance", "ppm": rate} for rate in rates),
        {
            "kind": "out_of_pocket_max",
            "limits": [{"accumulator": "person", "limit": person}, {"accumulator": "family", "limit": family}],
        },
    ]
    head = {"id": "plan", "version": "1", "payer": "fund", "currency": "USD", "zone": "UTC"}
    numbered = [{"id": f"s{index}", "clause": "c", **one} for index, one in enumerate(steps)]
    plan = {**head, "effective": {"from": "1900-01-01"}, "accumulators": accumulators, "steps": numbered}
    stack = build_stack([load_plan(plan)])
    most = {"plan/person_deductible": deductible, "plan/person": person, "plan/family": family}
    totals: dict[Key, int] = {}
    for event in events:
        totals = apply(totals, adjudicate(event, stack, totals).deltas)
        assert all(0 < amount <= most[key.name] for key, amount in totals.items())


@settings(max_examples=80, deadline=None)
@given(
    st.tuples(money, money, ppm),
    st.sampled_from([None, {"by": ["member"]}, {"by": ["category"], "floor": 20 * U}]),
    st.booleans(),
    st.lists(
        st.tuples(st.integers(1, 60), st.sampled_from(["ana", "ben"]), st.lists(st.integers(1, 59), max_size=3)),
        min_size=1,
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_a_month_does_not_depend_on_how_its_lines_are_cut(cap, qualify, closing, bills, rng):
    base, over, rate = cap
    rule: dict[str, Any] = {
        "id": "cap",
        "clause": "c",
        "kind": "period_cap",
        "pool": {"scope": "family", "period": "month"},
        "cap": {"base": base, "over": over, "ppm": rate},
    }
    if qualify:
        rule["qualify"] = qualify
    share = {"id": "share", "clause": "c", "kind": "coinsurance", "ppm": 500_000}
    head = {"id": "plan", "version": "1", "payer": "fund", "currency": "USD", "zone": "UTC", "facts": FACTS}
    steps = {"steps": [share], "closing_steps": [rule]} if closing else {"steps": [share, rule]}
    stack = build_stack([load_plan({**head, "effective": {"from": "1900-01-01"}, **steps})])

    def events(cut: bool) -> list[Line]:
        found = []
        for number, (cost, member, cuts) in enumerate(bills):
            marks = sorted({mark for mark in cuts if mark < cost}) if cut else []
            for start, end in zip([0, *marks], [*marks, cost], strict=True):
                amount = (end - start) * U
                at = datetime(2025, 1, 1 + rng.randrange(31), 12, tzinfo=UTC)
                facts = {"category": "visit", "network": "in"}
                found.append(Line(f"{number}-{start}", amount, amount, at, member, "f", facts=facts))
        rng.shuffle(found)
        return found

    whole_totals, whole = walk(stack, events(cut=False))
    cut_totals, pieces = walk(stack, events(cut=True))
    assert by_bearer(pieces) == by_bearer(whole)
    counts = {key for key in {*whole_totals, *cut_totals} if key.name.endswith("#L")}
    for key in {*whole_totals, *cut_totals} - counts:
        assert whole_totals.get(key) == cut_totals.get(key)
    pool = {key.name: amount for key, amount in whole_totals.items()}
    limit = base + (max(0, pool.get("plan/cap#C", 0) - over) * rate + U * 5_000) // U // 10_000 * 10_000
    assert pool.get("plan/cap#R", 0) >= 0
    assert pool.get("plan/cap#S", 0) - pool.get("plan/cap#R", 0) <= limit
