"""Which version holds on a day is what a naive picker says, whatever was published and in whatever order."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drachm.application.draft_checks import faults_of
from drachm.application.money_reading import Published, succeeding
from drachm.domain.benefits import Plan, load_plan
from drachm.domain.catalog import Books, PriceBook, load_price_book
from drachm.domain.clearing.documents import Documents
from drachm.domain.errors import Conflict, InvalidMessage, Pended
from drachm.storage.published import ensure_fits

FIRST = date(2025, 1, 1)
DAYS = [FIRST + timedelta(n) for n in range(-1, 16)]
NEVER = datetime(2025, 1, 1, tzinfo=UTC)

Days = tuple[int, int | None]
"""First day and first day behind, counted from FIRST; None: open."""

days = st.tuples(st.integers(0, 10), st.none() | st.integers(1, 5)).map(
    lambda one: (one[0], None if one[1] is None else one[0] + one[1])
)


def said(version: int, period: Days) -> dict[str, Any]:
    first, end = period
    effective = {"from": day(first)} | ({"until": day(end)} if end is not None else {})
    return {"id": "town", "version": str(version), "currency": "USD", "zone": "Asia/Tokyo", "effective": effective}


def day(number: int) -> str:
    return (FIRST + timedelta(number)).isoformat()


def plan_of(version: int, period: Days) -> Plan:
    return load_plan({**said(version, period), "payer": "insurer", "steps": []})


def book_of(version: int, period: Days) -> PriceBook:
    return load_price_book(said(version, period))


def naive(published: dict[int, Days], on: date) -> str:
    """Of the versions whose days hold the day, the one with the latest first day."""
    number = (on - FIRST).days
    holding = [(first, version) for version, (first, end) in published.items() if first <= number < (end or 99)]
    return str(max(holding)[1]) if holding else ""


def plan_picks(plans: list[Plan]) -> list[str]:
    documents = Documents(plans)
    noons = [datetime.combine(one, time(3), UTC) for one in DAYS]
    return [found.version if (found := documents.plan("town", noon)) else "" for noon in noons]


def book_pick(books: Books, on: date) -> str:
    try:
        return books.find("town", on).version
    except Pended:
        return ""


def listed(published: dict[int, Days]) -> list[Published]:
    plans = [plan_of(*one) for one in published.items()]
    return succeeding(
        [
            Published(
                "plan", "town", one.version, one.hash, "", "USD", "", one.effective.start, one.effective.end, NEVER
            )
            for one in plans
        ]
    )


def fits(new: Plan | PriceBook, others: list[Plan] | list[PriceBook]) -> bool:
    try:
        ensure_fits(new, others)
    except Conflict:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(st.lists(days, min_size=1, max_size=8))
def test_plans_books_and_lists_pick_as_the_naive_picker(wanted: list[Days]) -> None:
    published: dict[int, Days] = {}
    for version, period in enumerate(wanted, 1):
        plans = [plan_of(*one) for one in published.items()]
        books = [book_of(*one) for one in published.items()]
        before = [naive(published, one) for one in DAYS]
        new = plan_of(version, period)
        accepted = fits(new, plans)
        assert fits(book_of(version, period), books) is accepted
        document = {**said(version, period), "payer": "insurer", "steps": []}
        faults = faults_of("plan", document, listed(published), None)  # type: ignore[arg-type]
        assert [fault.code for fault in faults] == ([] if accepted else ["days_overlap"])
        if not accepted:
            continue
        published[version] = period
        after = [naive(published, one) for one in DAYS]
        assert plan_picks([*plans, new]) == plan_picks([new, *plans[::-1]]) == after
        found = Books([book_of(version, period), *books])
        assert [book_pick(found, one) for one in DAYS] == after
        # A list says of each version on which days it holds: of one at a time, and in one piece.
        known = listed(published)
        assert ["".join(each.version for each in known if each.holds(one)) for one in DAYS] == after
        # It takes its own days whole, and none of anybody who begins later; others lose days, and gain none.
        first, end = period
        for one, old, now in zip(DAYS, before, after, strict=True):
            mine = first <= (one - FIRST).days < (end or 99)
            assert now == (str(version) if mine else old)
            assert not (mine and old) or published[int(old)][0] < first


def test_what_an_earlier_state_of_the_shelf_picks_does_not_change() -> None:
    one, two = plan_of(1, (0, None)), plan_of(2, (5, None))
    assert set(plan_picks([one])[1:]) == {"1"}
    assert plan_picks([one, two])[1:] == ["1"] * 5 + ["2"] * 11


@pytest.mark.parametrize(
    ("published", "new", "words"),
    [
        ((0, None), (0, None), "begins on the same day"),
        ((0, None), (0, 5), "begins on the same day"),
        ((5, None), (0, None), "until` 2025-01-06"),
        ((5, 9), (0, 6), "until` 2025-01-06"),
        ((0, None), (5, 9), "would come back on 2025-01-10"),
        ((0, 10), (5, 9), "would come back on 2025-01-10"),
    ],
)
def test_what_cannot_take_over_is_told_what_to_do(published: Days, new: Days, words: str) -> None:
    with pytest.raises(Conflict) as refusal:
        ensure_fits(plan_of(2, new), [plan_of(1, published)])
    assert words in f"{refusal.value.message} {refusal.value.next_step}"


@pytest.mark.parametrize(
    ("published", "new"),
    [
        ([(0, None), (10, None)], (5, 10)),
        ([(5, 10), (10, None)], (0, 5)),
        ([(0, 10)], (10, 12)),
        ([(0, 10)], (5, 10)),
        ([(0, 10)], (5, 12)),
        ([(0, 10)], (12, None)),
    ],
    ids=["an amendment up to the next", "before all", "behind all", "to the same end", "beyond the end", "after a gap"],
)
def test_what_fits(published: list[Days], new: Days) -> None:
    assert fits(plan_of(9, new), [plan_of(version, one) for version, one in enumerate(published)])


def test_versions_of_a_book_that_cannot_follow_one_another_are_no_books() -> None:
    for second in ((0, None), (3, 4)):
        with pytest.raises(InvalidMessage, match="overlap"):
            Books([book_of(2, second), book_of(1, (0, None))])


def test_a_plan_that_moves_to_another_calendar_takes_over_on_its_own_first_day() -> None:
    tokyo = plan_of(1, (0, None))
    york = load_plan({**said(2, (5, None)), "zone": "America/New_York", "payer": "insurer", "steps": []})
    documents = Documents([tokyo, york])
    for hour, version in ((4, "1"), (5, "2")):
        found = documents.plan("town", datetime(2025, 1, 6, hour, tzinfo=UTC))
        assert found is not None
        assert found.version == version
