"""The conditions of a pot's money are checked once, when it is opened."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.model import Pot, drawing_order
from drachm.domain.funding.purpose import CATEGORIES_MAX, Purpose, checked_purpose

WEST = timezone(timedelta(hours=-10))
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def checked(**conditions: object) -> Purpose:
    return checked_purpose(Purpose(**conditions), where="pot p")  # type: ignore[arg-type]


def test_what_is_left_goes_back_at_the_end_unless_a_later_day_is_named() -> None:
    assert checked(funder="acme", until=NEW_YEAR).closes == NEW_YEAR
    later = NEW_YEAR + timedelta(days=90)
    assert checked(funder="acme", until=NEW_YEAR, closes=later).closes == later
    assert checked(funder="acme").closes is None


def test_instants_are_kept_in_utc_and_categories_in_order() -> None:
    tokyo = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    kept = checked(funder="acme", until=tokyo, categories=("vision", "dental", "vision"))
    assert kept.until == NEW_YEAR
    assert kept.until.tzinfo is UTC
    assert kept.categories == ("dental", "vision")


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"until": NEW_YEAR}, "own money does not expire"),
        ({"funder": "acme", "closes": NEW_YEAR}, "after its last day"),
        ({"funder": "acme", "until": NEW_YEAR, "closes": NEW_YEAR - timedelta(seconds=1)}, "after its last day"),
        ({"funder": "acme", "until": datetime(2026, 1, 1)}, "needs an offset"),  # noqa: DTZ001 - the point of it
        ({"funder": "acme", "until": datetime(9999, 12, 31, 23, tzinfo=WEST)}, "beyond the calendar"),
        ({"categories": ("",)}, "service categories"),
        ({"categories": tuple(f"c{n}" for n in range(CATEGORIES_MAX + 1))}, "service categories"),
        ({"expenses": "us hsa"}, "plain name"),
    ],
)
def test_conditions_that_cannot_stand_are_refused(conditions: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidMessage, match=words):
        checked(**conditions)


def test_pots_are_drawn_by_priority_then_by_the_end_of_their_money_then_by_id() -> None:
    soon, late = Purpose("acme", NEW_YEAR), Purpose("acme", NEW_YEAR + timedelta(days=1))
    pots = [
        Pot("a-cash", "ana", "USD"),
        Pot("b-late", "ana", "USD", purpose=late),
        Pot("c-soon", "ana", "USD", purpose=soon),
        Pot("d-soon", "ana", "USD", purpose=soon),
        Pot("e-first", "ana", "USD", priority=-1),
    ]
    assert [pot.id for pot in sorted(pots, key=drawing_order)] == ["e-first", "c-soon", "d-soon", "b-late", "a-cash"]
