"""Contracts and covers that change from a day on: no day is lost, none has two answers, the past stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.coverage.agreements import agreement_name, amended, ensure_apart
from drachm.domain.coverage.cover_changes import changed_from, ended, ensure_once, ensure_order
from drachm.domain.coverage.model import NO_PLAN, Contract, Coverage
from drachm.domain.errors import Conflict
from drachm.domain.periods import Period

FIRST = date(2026, 1, 1)
DAYS = st.integers(0, 60).map(lambda days: FIRST + timedelta(days=days))
CALENDAR = [FIRST + timedelta(days=days) for days in range(-2, 70)]


def contract(start: int = 0, end: int | None = None, **changes: str) -> Contract:
    period = Period(FIRST + timedelta(days=start), None if end is None else FIRST + timedelta(days=end))
    return Contract("clinic", "insurer", changes.get("price_book", "old"), period, changes.get("network", "in"))


def book_on(terms: list[Contract], day: date) -> list[str]:
    return [term.price_book for term in terms if day in term.period]


@given(DAYS, st.none() | DAYS)
def test_a_contract_says_the_new_from_its_day_on_and_the_old_before(start: date, end: date | None) -> None:
    before = [contract(0, 30), contract(30, None, price_book="later")]
    try:
        written = amended(before, start, price_book="new", end=end)
    except Conflict:
        # It would end before it begins, or reach into the later term.
        held = before[0] if start < before[0].period.end else before[1]  # type: ignore[operator]
        assert end is not None
        assert end <= start or (held is before[0] and end > before[0].period.end)  # type: ignore[operator]
        return
    after = {term.period.start: term for term in before}
    after.update((term.period.start, term) for term in written)
    terms = list(after.values())
    for day in CALENDAR:
        found = book_on(terms, day)
        assert len(found) <= 1
        if day < start:
            assert found == book_on(before, day)
        elif found and (end is None or day < end) and day in written[-1].period:
            assert found == ["new"]


def test_a_contract_is_not_changed_where_it_does_not_hold() -> None:
    with pytest.raises(Conflict):
        amended([contract(0, 10)], FIRST + timedelta(days=10), network="out")
    with pytest.raises(Conflict):
        ensure_apart([contract(0, 10)], Period(FIRST + timedelta(days=9)))
    ensure_apart([contract(0, 10)], Period(FIRST + timedelta(days=10)))


def test_contracts_have_names_of_their_own() -> None:
    names = {agreement_name(t, p, q) for t in (1, 11) for p in ("a", "ab") for q in ("", "*", "b", "bb")}
    assert len(names) == 16
    assert all(len(name) == 16 for name in names)


COVER = Coverage("c", "ana", "plan", Period(FIRST, FIRST + timedelta(days=50)))


@given(DAYS)
def test_a_changed_cover_holds_on_the_same_days_for_the_same_policy(start: date) -> None:
    if start not in COVER.period:
        with pytest.raises(Conflict):
            changed_from(COVER, start, "past", plan="new")
        return
    written = changed_from(COVER, start, "past", plan="new", rank=2)
    for day in CALENDAR:
        found = [one for one in written if day in one.period]
        assert len(found) == (day in COVER.period)
        for one in found:
            assert (one.plan, one.rank) == (("new", 2) if day >= start else ("plan", 1))
            assert (one.policy or one.id) == "c"
    assert written[-1].id == "c"


@given(DAYS)
def test_an_ended_cover_holds_until_its_end_or_never(end: date) -> None:
    if end > COVER.period.end:  # type: ignore[operator]
        with pytest.raises(Conflict):
            ended(COVER, end)
        return
    now = ended(COVER, end)
    holds = [day for day in CALENDAR if day in now.period and now.plan != NO_PLAN]
    assert holds == [day for day in CALENDAR if day in COVER.period and day < end]


def test_a_plan_covers_a_member_once_a_day() -> None:
    later = Coverage("d", "ana", COVER.plan, Period(FIRST + timedelta(days=10)), rank=2)
    with pytest.raises(Conflict, match=f"{COVER.id} has the plan {COVER.plan} on some of the days of d") as refused:
        ensure_once([COVER], later)
    assert {COVER.id, "d"} <= set(refused.value.next_step.split())
    ensure_once([ended(COVER, FIRST + timedelta(days=10))], later)
    ensure_once([ended(COVER, FIRST)], later)
    ensure_once([COVER], Coverage("d", "ben", COVER.plan, COVER.period))
    ensure_once([COVER], Coverage("d", "ana", "help", COVER.period, rank=2))
    ensure_once([COVER], COVER)
    # Two that were there before this was asked can be changed, and ended.
    ensure_once([COVER], ended(later, FIRST + timedelta(days=20)), later)
    with pytest.raises(Conflict):
        ensure_once([COVER], later, ended(later, FIRST + timedelta(days=10)))


def test_ranks_are_taken_once_a_day() -> None:
    other = Coverage("d", "ana", "help", Period(FIRST + timedelta(days=10)))
    with pytest.raises(Conflict):
        ensure_order([COVER], other)
    ensure_order([ended(COVER, FIRST + timedelta(days=10))], other)
    ensure_order([ended(COVER, FIRST)], other)
    ensure_order([COVER], Coverage("d", "ben", "help", COVER.period))
    ensure_order([COVER], Coverage("d", "ana", "help", COVER.period, rank=2))
