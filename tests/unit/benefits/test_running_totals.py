"""Section 3 of docs/reference/plan-model.md: accumulators, their keys, measures and companions."""

from __future__ import annotations

import pytest

from drachm.domain.benefits import Key
from drachm.domain.errors import Pended

U = 1_000_000
HALF = {"kind": "coinsurance", "ppm": 500_000}


def total(of="lines", scope="person", period="lifetime", name="n", **more):
    return {"id": name, "scope": scope, "period": period, "feeds": [{"of": of}], **more}


def only_key(at) -> Key:
    (key,) = at.totals
    return key


@pytest.mark.parametrize(
    ("period", "line", "expected"),
    [
        ("visit", {"visit": "v7"}, "V:v7"),
        ("visit", {}, "V:e1"),
        ("admission", {"admission": "a1", "visit": "v7"}, "A:a1"),
        ("admission", {"visit": "v7"}, "V:v7"),
        ("admission", {}, "V:e1"),
        ("day", {}, "D2025-03-10"),
        ("month", {}, "M2025-03"),
        ("quarter", {}, "Q2025-1"),
        ("quarter", {"on": "2025-12-31"}, "Q2025-4"),
        ("quarter", {"on": "2025-04-01"}, "Q2025-2"),
        ("benefit_year", {}, "Y2024-07-01"),
        ("benefit_year", {"on": "2025-07-01"}, "Y2025-07-01"),
        ("policy_year", {"policy_start": "2020-03-15"}, "P2024-03-15"),
        ("policy_year", {"policy_start": "2020-03-10"}, "P2025-03-10"),
        ("policy_year", {"policy_start": "2020-02-29"}, "P2025-02-28"),
        ("lifetime", {}, "L"),
        ({"rolling_days": 30}, {}, "D2025-03-10"),
    ],
)
def test_the_period_of_a_key(desk, period, line, expected):
    facts = {"policy_start": {"type": "date", "default": "2000-01-01"}}
    at = desk(accumulators=[total(period=period)], facts=facts, benefit_year="07-01")
    at.line(10, **line)
    assert only_key(at).period == expected


def test_the_local_day_counts(document):
    from datetime import UTC, datetime

    from drachm.domain.benefits import Line, adjudicate, build_stack, load_plan

    plan = load_plan(document(accumulators=[total(period="day")], zone="Asia/Tokyo"))
    line = Line("e", U, U, datetime(2025, 3, 10, 16, tzinfo=UTC), "ana")
    ((key, _),) = adjudicate(line, build_stack([plan]), {}).deltas
    assert key.period == "D2025-03-11"


def test_a_policy_year_needs_its_start(desk):
    at = desk(accumulators=[total(period="policy_year")], facts={"policy_start": {"type": "date", "default": None}})
    with pytest.raises(Pended) as caught:
        at.line(10)
    assert caught.value.reason == "fact_missing"


@pytest.mark.parametrize(
    ("scope", "line", "expected"),
    [
        ("person", {"family": "f", "policy": "p"}, "ana"),
        ("family", {"family": "f"}, "f"),
        ("family", {}, "ana"),
        ("policy", {"policy": "p"}, "p"),
        ("policy", {"family": "f"}, "ana"),
    ],
)
def test_the_scope_of_a_key(desk, scope, line, expected):
    at = desk(accumulators=[total(scope=scope)])
    at.line(10, **line)
    assert only_key(at).scope == expected


def test_the_name_of_a_key_holds_the_splitting_facts(desk):
    facts = {
        "place": "text",
        "urgent": "flag",
        "count": "number",
        "absent": {"type": "text", "default": None},
        "age": "number",
    }
    bands = [{"fact": "band", "of": "age", "to": [{"below": 9, "is": "young"}, {"is": "old"}]}]
    by = ["place", "urgent", "count", "absent", "band", "member"]
    at = desk(accumulators=[total(by=by)], facts=facts, bands=bands)
    at.line(10, place="a|b[c]%#@d", urgent=True, count=3, age=9)
    assert only_key(at).name == "plan/n[a%7Cb%5Bc%5D%25%23%40d|true|3||old|ana]"


def test_the_name_is_the_predecessors_with_continues(desk):
    at = desk(accumulators=[total()], id="new", continues="old")
    at.line(10)
    assert only_key(at) == Key("ana", "old/n", "L")


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("deductible", 10),
        ("coinsurance", 30),
        ("own", 4),
        ("over_limit", 20),
        ("cost_share", 40),
        ("patient", 64),
        ("covered", 80),
        ("coinsured", 70 + 40),
        ("paid", 29),
        ("paid:fund", 29),
        ("paid:account", 7),
        ("paid:nobody", 0),
        ("units", 2.5),
        ("lines", 0.000001),
        ("visits", 0.000001),
    ],
)
def test_a_measure(desk, measure, expected):
    steps = (
        {"kind": "benefit_limit", "amount": 80 * U},
        {"kind": "deductible", "limits": [{"accumulator": "limit", "limit": 10 * U}]},
        {"kind": "coinsurance", "ppm": 428_571},
        {"kind": "copay", "amount": 4 * U, "component": "own"},
        {"kind": "pay", "party": "account", "amount": 7 * U},
        {"kind": "coinsurance", "ppm": 0, "of": "open", "when": {"more": True}},
        {"kind": "coinsurance", "ppm": None},
        {"kind": "coinsurance", "ppm": 0, "limits": []},
    )
    # 100 = 20 over the limit, 10 deductible, 30 of 70 coinsurance, 4 own, 7 account, 29 fund; the last base is 29.
    at = desk(*steps, facts={"more": "flag"}, accumulators=[total("deductible", name="limit"), total(measure)])
    at.line(100, quantity=2.5)
    assert at.used("plan/n") == (expected if measure != "coinsured" else 70 + 29)


def test_feeds_add_up_and_look_at_their_condition(desk):
    feeds = [{"of": "copay"}, {"of": "lines"}, {"of": "copay", "when": {"twice": True}}]
    accumulator = {"id": "n", "scope": "person", "period": "lifetime", "feeds": feeds}
    at = desk({"kind": "copay", "amount": 5 * U}, facts={"twice": "flag"}, accumulators=[accumulator])
    at.line(10)
    assert at.used("plan/n") == 5.000001
    at.line(10, twice=True)
    assert at.used("plan/n") == 15.000002


def test_a_denied_line_is_not_counted_but_its_money_is(desk):
    totals = [total(of, name=of) for of in ("units", "lines", "visits", "patient", "not_covered", "covered", "copay")]
    at = desk({"kind": "copay", "amount": 3 * U}, {"kind": "exclude"}, accumulators=totals)
    at.line(10, visit="v")
    assert {key.name: amount // U for key, amount in at.totals.items()} == {
        "plan/patient": 10,
        "plan/not_covered": 7,
        "plan/covered": 3,
        "plan/copay": 3,
    }


def test_a_document_that_does_not_apply_feeds_nothing(desk):
    at = desk(applies={"in": True}, facts={"in": "flag"}, accumulators=[total()])
    assert at.line(10).decision == "self_pay"
    assert at.totals == {}


def test_what_the_provider_bears_is_not_the_patients(desk):
    totals = [total(of, name=of) for of in ("patient", "over_limit", "covered")]
    at = desk({"kind": "benefit_limit", "amount": 4 * U, "bearer": "provider"}, HALF, accumulators=totals)
    at.line(10)
    assert (at.used("plan/patient"), at.used("plan/over_limit"), at.used("plan/covered")) == (2, 0, 4)


def test_visits_count_once_for_each_total_and_member(desk):
    at = desk(accumulators=[total("visits", by=["kind"], scope="family")], facts={"kind": "text"})
    for visit, kind, member in (("v", "a", "x"), ("v", "a", "x"), ("v", "b", "x"), ("v", "a", "y"), ("w", "a", "x")):
        at.line(10, visit=visit, kind=kind, member=member, family="f")
    counts = {key.name: amount for key, amount in at.totals.items() if "@" not in key.name}
    assert counts == {"plan/n[a]": 3, "plan/n[b]": 1}
    assert at.totals[Key("f", "plan/n[a]@first:x", "V:v")] == 1


def test_a_visit_counts_when_its_first_line_was_not_fed(desk):
    accumulator = {
        "id": "n",
        "scope": "person",
        "period": "day",
        "feeds": [{"of": "visits", "when": {"therapy": True}}],
    }
    at = desk(accumulators=[accumulator], facts={"therapy": "flag"})
    at.line(10, visit="v")
    assert at.totals == {}
    at.line(10, visit="v", therapy=True)
    at.line(10, visit="v", therapy=True)
    assert at.used("plan/n") * U == 1


def test_a_line_without_visit_counts_by_itself_and_keeps_no_companion(desk):
    at = desk(accumulators=[total("visits")])
    at.line(10)
    at.line(10)
    assert at.totals == {Key("ana", "plan/n", "L"): 2}


def test_a_frozen_total_keeps_what_the_visit_added(desk):
    at = desk({**HALF, "when_used": {"n": {"at_least": 0}}}, accumulators=[total("patient", scope="family")])
    at.line(10, visit="v", family="f")
    assert at.totals == {
        Key("f", "plan/n", "L"): 5 * U,
        Key("f", "plan/n@visit:ana@L", "V:v"): 5 * U,
    }


def test_a_frozen_rolling_total_has_one_companion_for_all_its_days(desk, amounts):
    rolling = total("lines", period={"rolling_days": 5})
    at = desk({"kind": "copay", "amount": U, "when_used": {"n": {"at_least": 1}}}, accumulators=[rolling])
    days = ("2025-03-10", "2025-03-11")
    assert [amounts(at.line(10, visit="v", on=day)).get("copay", 0) for day in days] == [0, 0]
    assert at.totals[Key("ana", "plan/n@visit:ana", "V:v")] == 2


def test_another_members_line_of_the_same_visit_is_not_frozen(desk, amounts):
    lines = total("lines", scope="family")
    at = desk({"kind": "copay", "amount": U, "when_used": {"n": {"at_least": 1}}}, accumulators=[lines])
    assert "copay" not in amounts(at.line(10, visit="v", member="a", family="f"))
    assert "copay" not in amounts(at.line(10, visit="v", member="a", family="f"))
    assert amounts(at.line(10, visit="v", member="b", family="f"))["copay"] == 1


def test_rolling_days_end_with_the_day_itself(desk, amounts):
    rolling = total("lines", period={"rolling_days": 3})
    once = {"kind": "benefit_limit", "unit_limits": [{"accumulator": "n", "limit": 1}], "reason": "frequency"}
    at = desk(once, accumulators=[rolling])
    assert at.line(10, on="2025-02-27").decision == "covered"
    assert at.line(10, on="2025-03-01").reason == "frequency"
    assert at.line(10, on="2025-03-02").decision == "covered"


def test_third_party_help_lowers_the_feed_but_not_the_room(desk, amounts):
    steps = (
        {"kind": "deductible", "limits": [{"accumulator": "ded", "limit": 50 * U}]},
        {"kind": "coinsurance", "ppm": 500_000},
    )
    totals = [
        total("deductible", name="ded", third_party_help="excluded"),
        total("coinsurance", name="co", third_party_help="excluded"),
        total("cost_share", name="share", third_party_help="excluded"),
        total("patient", name="all", third_party_help="excluded"),
        total("covered", name="covered", third_party_help="excluded"),
        total("cost_share", name="counted"),
    ]
    at = desk(*steps, accumulators=totals)
    first = at.line(110, third_party_help=60 * U)
    assert amounts(first) == {"deductible": 50, "coinsurance": 30, "fund": 30}
    # 60 of 80: the whole deductible first, then 10 of the coinsurance.
    used = {name: at.used(f"plan/{name}") for name in ("ded", "co", "share", "all", "covered", "counted")}
    assert used == {"ded": 0, "co": 20, "share": 20, "all": 20, "covered": 110, "counted": 80}
    assert amounts(at.line(60, third_party_help=1000 * U))["deductible"] == 50
    assert at.used("plan/share") == 20


def test_help_leaves_excess_alone(desk):
    at = desk(
        {"kind": "benefit_limit", "amount": 4 * U},
        HALF,
        accumulators=[total("patient", third_party_help="excluded")],
    )
    at.line(10, third_party_help=100 * U)
    assert at.used("plan/n") == 6


def test_months_with_relief_do_not_count_the_current_month_nor_the_twelfth(desk, amounts):
    relief = {"id": "capped", "kind": "periods_with_relief", "of": "cap", "window_months": 12}
    steps = (
        {"kind": "coinsurance", "ppm": 1_000_000},
        {
            "id": "cap",
            "kind": "period_cap",
            "pool": {"scope": "person", "period": "month"},
            "cap": {"cases": [{"when_used": {"capped": {"at_least": 2}}, "base": 40 * U}, {"base": 80 * U}]},
        },
    )
    at = desk(*steps, accumulators=[relief])
    paid = [
        amounts(at.line(100, on=on))["coinsurance"]
        for on in ("2024-04-05", "2025-01-05", "2025-02-05", "2025-03-05", "2025-04-05", "2026-01-05")
    ]
    # April 2024 is eleven months before March 2025, and twelve before April 2025.
    assert paid == [80, 80, 40, 40, 40, 40]
    assert amounts(at.line(100, on="2026-03-05"))["coinsurance"] == 40
    assert amounts(at.line(100, on="2027-03-05"))["coinsurance"] == 80
