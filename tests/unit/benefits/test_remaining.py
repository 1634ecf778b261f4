"""What is told of a plan's limits when only a part of the facts is known."""

from __future__ import annotations

from datetime import date
from typing import Any

from drachm.domain.benefits import Key, load_plan
from drachm.domain.benefits.outlook import Asked
from drachm.domain.benefits.remaining import MOST_CHOICES, limits_of, takes_part, waiting_of
from drachm.domain.money import MICROS

YEAR = "Y2026-01-01"


def asked(
    steps: list[Any],
    accumulators: list[Any],
    *,
    facts: dict[str, Any] | None = None,
    known: dict[str, Any] | None = None,
    totals: dict[Key, int] | None = None,
    **more: Any,
) -> Asked:
    plan = load_plan(
        {
            "id": "plan",
            "version": "1",
            "payer": "payer",
            "currency": "USD",
            "zone": "UTC",
            "effective": {"from": "2020-01-01"},
            "facts": facts or {},
            "accumulators": accumulators,
            "steps": steps,
            **more,
        }
    )
    held = totals or {}
    return Asked(plan, date(2026, 3, 10), "ana", "", "p1", "payer", known or {}, lambda key: held.get(key, 0))


def total(name: str = "d", **more: Any) -> dict[str, Any]:
    return {"id": name, "scope": "person", "period": "benefit_year", "feeds": [{"of": "deductible"}], **more}


def deductible(limit: Any, **more: Any) -> dict[str, Any]:
    return {"id": "s", "kind": "deductible", "clause": "1", "limits": [{"accumulator": "d", "limit": limit}], **more}


def test_a_plain_limit_with_what_is_used_of_it() -> None:
    [one] = limits_of(asked([deductible(100)], [total()], totals={Key("ana", "plan/d", YEAR): 30}))
    assert (one.limit, one.used, one.left, one.when, one.needs) == (100, 30, 70, (), ())
    assert one.dates is not None
    assert (one.dates.start, one.dates.end) == (date(2026, 1, 1), date(2027, 1, 1))


def test_used_beyond_the_limit_leaves_nothing() -> None:
    [one] = limits_of(asked([deductible(100)], [total()], totals={Key("ana", "plan/d", YEAR): 130}))
    assert one.left == 0


def test_words_that_care_alone_tells_are_told_apart_and_equal_answers_put_together() -> None:
    cases = {"cases": [{"when": {"category": "lab"}, "value": 5}, {"value": 9}]}
    facts = {"category": ["lab", "drug", "visit"]}
    lab, others = sorted(limits_of(asked([deductible(cases)], [total()], facts=facts)), key=lambda one: one.limit or 0)
    assert (lab.limit, lab.when) == (5, ({"category": "lab"},))
    assert (others.limit, [way["category"] for way in others.when]) == (9, ["drug", "visit"])


def test_a_known_fact_is_not_told_apart() -> None:
    cases = {"cases": [{"when": {"category": "lab"}, "value": 5}, {"value": 9}]}
    facts = {"category": ["lab", "drug"]}
    [one] = limits_of(asked([deductible(cases)], [total()], facts=facts, known={"category": "drug"}))
    assert (one.limit, one.when) == (9, ())


def test_a_default_stands_for_what_nobody_says_but_not_for_what_care_brings_along() -> None:
    cases = {"cases": [{"when": {"admitted": True}, "value": 5}, {"value": 9}]}
    [one] = limits_of(asked([deductible(cases)], [total()], facts={"admitted": "flag"}))
    assert one.limit == 9
    cases = {"cases": [{"when": {"emergency": True}, "value": 5}, {"value": 9}]}
    assert len(limits_of(asked([deductible(cases)], [total()], facts={"emergency": "flag"}))) == 2


def test_a_total_split_by_a_free_text_needs_it() -> None:
    steps, totals = [deductible(100)], [total(by=["service"])]
    [one] = limits_of(asked(steps, totals, facts={"service": "text"}))
    assert (one.limit, one.used, one.left, one.needs) == (100, None, None, ("service",))
    held = {Key("ana", "plan/d[a%7Cb]", YEAR): 40}
    [one] = limits_of(asked(steps, totals, facts={"service": "text"}, known={"service": "a|b"}, totals=held))
    assert (one.used, one.left, one.split) == (40, 60, (("service", "a|b"),))


def test_too_many_combinations_name_the_fact_instead() -> None:
    words = [f"w{n}" for n in range(MOST_CHOICES + 1)]
    [one] = limits_of(asked([deductible(100)], [total(by=["kind"])], facts={"kind": words}))
    assert (one.used, one.needs) == (None, ("kind",))


def test_a_step_that_cannot_hold_is_not_told() -> None:
    step = deductible(100, when={"sex": "male"})
    assert limits_of(asked([step], [total()], facts={"sex": "text"}, known={"sex": "female"})) == []
    used = deductible(100, when_used={"d": {"at_least": 50}})
    assert limits_of(asked([used], [total()])) == []
    [one] = limits_of(asked([used], [total()], totals={Key("ana", "plan/d", YEAR): 50}))
    assert one.left == 50


def test_bands_of_age_and_limits_that_grow_with_the_family() -> None:
    bands = [{"fact": "age_band", "of": "age", "to": [{"below": 19, "is": "child"}, {"is": "adult"}]}]
    cases = {"cases": [{"when": {"age_band": "child"}, "value": 5}, {"value": 9}]}
    facts = {"age": "number", "family_size": "number"}
    made = asked([deductible(cases)], [total()], facts=facts, known={"age": 12}, bands=bands)
    assert [one.limit for one in limits_of(made)] == [5]
    grows = {"base": 100, "per_extra_member": 10, "members_included": 1, "max": 115}
    made = asked([deductible(grows)], [total()], facts=facts, known={"family_size": 4})
    assert [one.limit for one in limits_of(made)] == [115]
    [unknown] = limits_of(asked([deductible(grows)], [total()], facts=facts))
    assert (unknown.limit, unknown.needs) == (None, ("family_size",))


def test_rolling_days_are_added_up() -> None:
    rolling = total(period={"rolling_days": 3}, feeds=[{"of": "lines"}])
    limit = {"id": "s", "kind": "benefit_limit", "clause": "1", "unit_limits": [{"accumulator": "d", "limit": 5}]}
    held = {Key("ana", "plan/d", f"D2026-03-{day:02d}"): 1 for day in (7, 8, 10)}
    [one] = limits_of(asked([limit], [rolling], totals=held))
    assert (one.counted, one.used, one.left) == ("lines", 2, 3)


def test_a_monthly_cap_with_what_entered_it_and_bands_with_their_bound() -> None:
    cap = {"id": "cap", "kind": "period_cap", "clause": "2", "pool": {"scope": "person", "period": "month"},
           "cap": {"base": 80 * MICROS, "over": 200 * MICROS, "ppm": 10_000}}  # fmt: skip
    held = {Key("ana", "plan/cap#S", "M2026-03"): 30 * MICROS, Key("ana", "plan/cap#C", "M2026-03"): 300 * MICROS}
    [one] = limits_of(asked([cap], [], totals=held))
    assert (one.kind, one.limit, one.used) == ("period_cap", 81 * MICROS, 30 * MICROS)
    bands = {"id": "b", "kind": "coinsurance", "clause": "3", "measure": "c",
             "bands": [{"below": 50, "ppm": 250_000}, {"ppm": 0}]}  # fmt: skip
    covered = total("c", feeds=[{"of": "covered"}])
    [one] = limits_of(asked([bands], [covered], totals={Key("ana", "plan/c", YEAR): 20}))
    assert (one.kind, one.limit, one.left) == ("band", 50, 30)


def test_an_admission_that_nobody_named_may_have_begun() -> None:
    made = [total(period="admission")]
    [one] = limits_of(asked([deductible(100)], made))
    assert (one.used, one.needs) == (None, ("admission",))
    [one] = limits_of(asked([deductible(100)], made, known={"admission": ""}))
    assert (one.used, one.left) == (0, 100)
    [one] = limits_of(
        asked([deductible(100)], made, known={"admission": "a1"}, totals={Key("ana", "plan/d", "A:a1"): 25})
    )
    assert one.left == 75


def test_waiting_periods_and_whether_the_plan_takes_part() -> None:
    wait = {"id": "w", "kind": "waiting_period", "since": "cover_since", "months": 3, "clause": "9"}
    facts = {"cover_since": {"type": "date", "default": None}, "category": ["lab", "visit"]}
    [one] = waiting_of(asked([wait], [], facts=facts, known={"cover_since": "2025-11-30"}))
    assert (one.until, one.over) == (date(2026, 2, 28), True)
    [one] = waiting_of(asked([wait], [], facts=facts, known={"cover_since": "2026-01-01"}))
    assert (one.until, one.over) == (date(2026, 4, 1), False)
    assert waiting_of(asked([wait], [], facts=facts)) == []
    care = {"category": "lab"}
    assert takes_part(asked([], [], facts=facts, applies=care)) is None
    assert takes_part(asked([], [], facts=facts, known={"category": "visit"}, applies=care)) is False
    assert takes_part(asked([], [], facts=facts, known={"category": "lab"}, applies=care)) is True
