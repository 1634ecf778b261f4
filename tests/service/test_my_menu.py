"""Cover, services and what they would cost, in a real browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import XSS, Site, checked, press, quiet, serving, sign_in, tab_to

from drachm.application.menu import matching, offers
from drachm.domain.coverage.model import Contract, Party
from drachm.domain.events.model import Code
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

SERVICES = {"visit": ("Video visit", 25), "test": ("Blood test", 16), "xss": (XSS[0], 9)}


def book(name: str, percent: int, services: dict[str, tuple[str, int]]) -> dict[str, Any]:
    items = [
        {
            "system": "local",
            "code": code,
            "category": "other",
            "display": display,
            "rule": {"kind": "fixed", "amount": dollars * MICROS * percent // 100},
        }
        for code, (display, dollars) in services.items()
    ]
    return {
        "id": name,
        "version": "1",
        "title": name,
        "source": "made for a test",
        "currency": "USD",
        "zone": "America/New_York",
        "effective": {"from": "2025-01-01"},
        "items": items,
    }


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    books = town.desk.books
    books.publish("price_book", book("cheap", 80, {"visit": SERVICES["visit"]}))
    books.publish("price_book", book("usual", 100, SERVICES))
    start = Period((town.clock.now() - timedelta(days=30)).date())
    books.enrol(
        parties=[Party("hill", ("provider",), "Hill practice"), Party("river", ("provider",), "River practice")],
        contracts=[
            Contract("hill", "town-insurance", "cheap", start),
            Contract("river", "town-insurance", "usual", start),
        ],
    )
    with serving(street, town, tmp_path) as site:
        yield site


def test_cover_shows_how_far_its_limits_are_used(site: Site, browser: Any, axe: str) -> None:
    site.town.clear(site.town.event("e1", 4))
    page = sign_in(site, browser, "ana")
    tab_to(page, "Cover")
    press(page)
    said = page.inner_text("main")
    for words in ("Town insurance", "In force", "$4.00 of $10.00 so far, $6.00 left", "You pay the first 10 dollars"):
        assert words in said, said
    checked(page, axe, "my-cover")
    page.goto(f"{site.base}/my/cover?lang=ar")
    checked(page, axe, "my-cover-ar", (320,))
    page.context.close()
    page = sign_in(site, browser, "cleo")
    page.goto(f"{site.base}/my/cover")
    assert "No cover is known here" in page.inner_text("main")
    page.context.close()


def test_what_care_costs_and_what_it_came_to(site: Site, browser: Any, axe: str) -> None:
    page = sign_in(site, browser, "ana")
    tab_to(page, "Before you go")
    press(page)
    checked(page, axe, "my-menu")
    assert XSS[0] in page.inner_text("main")
    tab_to(page, "What care do you look for?")
    page.keyboard.type("video")
    press(page)
    assert page.locator(".quotes > li").count() == 1
    assert "video" not in page.url
    tab_to(page, "2 places: compare")
    press(page)
    said = page.inner_text("main")
    # Hill: 20.00 = 10.00 + 20 % of 10.00; River: 25.00 = 10.00 + 20 % of 15.00.
    for words in (
        "Video visit: who offers it",
        "Hill practice",
        "$12.00",
        "$20.00",
        "River practice",
        "$13.00",
        "$25.00",
    ):
        assert words in said, said
    assert said.index("Hill") < said.index("River")
    checked(page, axe, "my-estimate")
    # The visit that follows costs what was told; then other care used up the first part meanwhile.
    care = {"billing_party": "river", "started_at": site.town.clock.now() - timedelta(minutes=30)}
    site.town.clear(site.town.event("e1", 25, display="Video visit", visit="told", **care))
    page.goto(f"{site.base}/my")
    page.locator("article a").first.click()
    page.get_by_role("link", name="What it was for").click()
    said = page.inner_text("main")
    assert "Before the visit and now" in said
    assert "It is what we told you." in said
    checked(page, axe, "my-told")
    site.town.clear(site.town.event("e2", 25, display="Video visit", visit="told", **care))
    page.reload()
    assert "$8.00 less: your insurance pays more of it" in page.inner_text("main")
    quiet(page, site.base)
    page.context.close()
    lines = site.log.read_text()
    for word in ("video", "Video", "local", "visit=told"):
        assert word not in lines


def test_a_relative_is_told_no_prices_of_care(site: Site, browser: Any) -> None:
    page = sign_in(site, browser, "ana", relation="relative")
    ways = page.locator("nav.ways a").all_inner_texts()
    assert {"Visits", "Receipts"} <= set(ways)
    assert not {"Cover", "Before you go"} & set(ways)
    for place in ("/my/menu", "/my/cover"):
        page.goto(site.base + place)
        assert "This is not open to you" in page.inner_text("main")
    page.context.close()


def test_offers_are_those_whose_agreement_and_book_hold(site: Site) -> None:
    market, today = site.town.market, site.town.clock.now().date()
    found = offers(market.register, market.money, {"town-insurance"}, today)
    assert [(one.service.code, one.providers) for one in found if one.service.code == "visit"] == [
        ("visit", ("hill", "river"))
    ]
    assert offers(market.register, market.money, {"another"}, today) == []
    assert offers(market.register, market.money, {"town-insurance"}, today - timedelta(days=60)) == []
    assert [one.service.code for one in matching(found, "BLOOD te")] == ["test"]
    assert matching(found, "nothing") == []
    assert Code("local", "visit").value in {one.service.code for one in matching(found, "")}
