"""Journeys of staff by keyboard alone: a price change seen through and published, emergency access and its review."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, at_desk, checked, press, quiet, serving, tab_to
from test_desk_documents import BOOK

from drachm.adapters.rest.identity.model import Role
from drachm.domain.coverage.model import Contract, Coverage, Member
from drachm.domain.events.model import Code
from drachm.domain.periods import Period

EVA = ("Eva", [Role.PRICE_EDITOR], ["clinic"])
FINN = ("Finn", [Role.PRICE_EDITOR], ["clinic"])
NOOR = ("Noor", [Role.CLERK], ["clinic"])
FAY = ("Fay", [Role.FINANCE], ["clinic"])
PATIENTS = 12
"""Enough that sums of a month tell of nobody."""


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path) as site:
        yield site


@pytest.fixture
def priced(site: Site, town: Any) -> Site:
    """The clinic's book, and last month's care by it."""
    books, always = town.desk.books, Period(town.clock.now().date().replace(year=2025))
    books.publish("price_book", BOOK)
    people = [f"p{n}" for n in range(PATIENTS)]
    books.enrol(
        members=[Member(one) for one in people],
        coverages=[Coverage(f"c-{one}", one, "town-help", always) for one in people],
        contracts=[Contract("clinic", "town-hall", "clinic-book", always)],
    )
    last_month = town.clock.now() - timedelta(days=20)
    town.clear(
        *[
            town.event(f"l{n}", 17, member=one, visit=one, code=Code("local", "c17"), started_at=last_month)
            for n, one in enumerate(people)
        ]
    )
    return site


def typed(page: Page, words: str, text: str) -> None:
    """Go to a field by the Tab key and write into it."""
    tab_to(page, words, most=200)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_a_price_changes_by_keyboard_and_holds_from_a_day_on(priced: Site, browser: Browser, axe: str) -> None:
    page = at_desk(priced, browser, EVA)
    assert page.url.endswith("/desk/prices")
    checked(page, axe, "desk-prices")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.reload()
    tab_to(page, "Clinic prices")
    press(page)
    checked(page, axe, "desk-price-book", (320, 1280), large=False)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.reload()
    typed(page, "Name of the version", "2")
    press(page)
    typed(page, "Only lines with this word", "Care 17")
    press(page)
    tab_to(page, "Edit")
    press(page)
    assert "line=16" in page.url
    typed(page, "mount, USD", "15.00")
    press(page)
    typed(page, "Month, such as", "2026-02")
    press(page)
    effect = page.inner_text("section[aria-labelledby=effect]")
    # Half of 17.00 for each of twelve, then half of 15.00.
    assert "$102.00" in effect
    assert "$90.00" in effect
    assert f"Charges that change: {PATIENTS} of {PATIENTS}." in effect
    page.goto(f"{priced.base}/desk/prices/clinic-book?line=16&find=Care+17&month=2026-02")
    checked(page, axe, "desk-price-draft")
    page.set_viewport_size({"width": 1280, "height": 860})
    assert "Ask for a second pair of eyes" in page.inner_text("main")
    other = at_desk(priced, browser, FINN)
    tab_to(other, "Clinic prices")
    press(other)
    tab_to(other, "From", most=300)
    # A day is typed as the browser's own language has it.
    other.keyboard.type("04012026")
    press(other)
    versions = other.inner_text("section[aria-labelledby=versions]")
    assert "2026-04-01" in versions or "1 April 2026" in versions
    checked(other, axe, "desk-price-published", (320, 1280), large=False)
    for one in (page, other):
        quiet(one, priced.base)
        one.context.close()


def test_emergency_access_is_taken_used_and_reviewed_by_somebody_else(site: Site, browser: Browser, axe: str) -> None:
    site.town.clear(site.town.event("h1", 40, member="ben", billing_party="hospital", visit="vh", display="Blood test"))
    page = at_desk(site, browser, NOOR)
    tab_to(page, "Emergency access")
    press(page)
    checked(page, axe, "desk-emergency")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.reload()
    typed(page, "In your own words", "Ben is here and does not speak")
    tab_to(page, "Take emergency access")
    press(page)
    assert "You have it until" in page.inner_text("main")
    checked(page, axe, "desk-emergency-taken", (320, 1280), large=False)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.keyboard.press("/")
    page.keyboard.type("ehr/h1")
    press(page)
    assert "/desk/charges/chg_" in page.url
    assert "Blood test" in page.inner_text("h1")
    # It widens looking at this page only: the head leads nowhere that stays closed.
    assert "Office" not in page.inner_text("header")
    assert "Everything that you open is written down" in page.inner_text("body")
    checked(page, axe, "desk-emergency-charge", (320, 1280), large=False)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"{site.base}/desk/emergency")
    tab_to(page, "End it now")
    press(page)
    other = at_desk(site, browser, FAY)
    tab_to(other, "Reviews")
    press(other)
    checked(other, axe, "desk-reviews")
    other.set_viewport_size({"width": 1280, "height": 860})
    other.reload()
    tab_to(other, "Noor")
    press(other)
    assert "Ben is here and does not speak" in other.inner_text("main")
    assert "1 page" in other.inner_text("main")
    checked(other, axe, "desk-review")
    other.set_viewport_size({"width": 1280, "height": 860})
    other.reload()
    tab_to(other, "It was right")
    other.keyboard.press("Space")
    typed(other, "Why", "Ben was unconscious")
    press(other)
    assert "It was right" in other.inner_text("section[aria-labelledby=done]")
    for one in (page, other):
        quiet(one, site.base)
        one.context.close()


def test_emergency_access_without_scripts(site: Site, browser: Browser) -> None:
    page = at_desk(site, browser, NOOR, java_script_enabled=False)
    page.get_by_role("link", name="Emergency access", exact=True).click()
    page.locator("#words").fill("Ben is here")
    page.get_by_role("button", name="Take emergency access").click()
    assert "You have it until" in page.inner_text("main")
    page.get_by_role("button", name="End it now").click()
    assert "Take emergency access" in page.inner_text("main")
    quiet(page, site.base)
    page.context.close()
