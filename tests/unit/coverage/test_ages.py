"""Ages at which somebody decides alone, and what a minor may keep to itself."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from drachm.domain.coverage.ages import (
    ALL_CARE,
    MAJORITY,
    OWN_SECRETS,
    birthday,
    comes_of_age,
    is_minor,
    may_keep_private,
    own_secrets,
)

BORN = date(2010, 5, 17)


@pytest.mark.parametrize(
    ("place", "years"), [("", 18), ("US", 18), ("US-NE", 19), ("GB-SCT", 16), ("GB-ENG", 18), ("EG", 21), ("EG-C", 21)]
)
def test_a_minor_is_one_until_the_day_itself(place: str, years: int) -> None:
    day = date(2010 + years, 5, 17)
    assert comes_of_age(BORN, place) == day
    assert is_minor(BORN, day - timedelta(days=1), place)
    assert not is_minor(BORN, day, place)


def test_born_on_a_leap_day() -> None:
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert birthday(date(2008, 2, 29), 20) == date(2028, 2, 29)


def test_nobody_is_supposed_to_be_a_minor() -> None:
    assert not is_minor(None, date(2026, 1, 1))
    assert may_keep_private(None, "", "anything", date(2026, 1, 1))


def test_a_minor_keeps_private_what_a_row_says_from_its_age_on() -> None:
    twelve = date(2022, 5, 17)
    assert may_keep_private(BORN, "US-CA", "mental_health", twelve)
    assert not may_keep_private(BORN, "US-CA", "mental_health", twelve - timedelta(days=1))
    assert not may_keep_private(BORN, "US-CA", "dental", twelve)
    assert not may_keep_private(BORN, "US", "mental_health", twelve)
    assert not may_keep_private(BORN, "", "mental_health", twelve)
    assert may_keep_private(BORN, "US-CA", "reproductive", date(2020, 1, 1))
    assert may_keep_private(BORN, "GB-ENG", "dental", date(2026, 5, 17))
    assert not may_keep_private(BORN, "GB-ENG", "dental", date(2026, 5, 16))
    assert may_keep_private(BORN, "US-CA", "dental", date(2028, 5, 17))


def test_what_may_be_kept_is_told() -> None:
    assert own_secrets(BORN, "US-CA", date(2020, 1, 1)) == ("reproductive",)
    assert own_secrets(BORN, "US-CA", date(2023, 1, 1)) == (
        "mental_health",
        "reproductive",
        "sexual_health",
        "substance_use",
    )
    assert own_secrets(BORN, "", date(2023, 1, 1)) == ()
    assert own_secrets(BORN, "", date(2028, 5, 17)) == (ALL_CARE,)
    assert own_secrets(BORN, "GB-WLS", date(2027, 1, 1)) == (ALL_CARE,)


def test_every_row_names_its_source_and_stands_once() -> None:
    assert all(row.source for row in (*MAJORITY, *OWN_SECRETS))
    assert len({row.place for row in MAJORITY}) == len(MAJORITY)
    assert len({(row.place, row.category) for row in OWN_SECRETS}) == len(OWN_SECRETS)


def test_the_page_says_what_the_rows_say() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "family.md").read_text("utf-8")
    for row in MAJORITY:
        assert f"| {row.place} | {row.years} | {row.source} |" in page
    for one in OWN_SECRETS:
        category = "any" if one.category == ALL_CARE else f"`{one.category}`"
        assert f"| {one.place} | {one.years or 'any'} | {category} | {one.source} |" in page
