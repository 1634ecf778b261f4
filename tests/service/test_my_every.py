"""Every page of a patient in every language, size and width. Minutes, so `make long`; CI samples it elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, english_left, faults, quiet, serving, sign_in

from drachm.adapters.rest.identity.routes import ROUTES
from drachm.adapters.rest.service.speech import LANGUAGES

LEFT_OUT = ("/my/sign-in/provider", "/my/sign-in/return", "/my/receipts.csv")
"""What leads elsewhere, or is no page."""


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    town.clear(town.event("e1", 40), town.event("e2", 16, display="Heart monitor reading"))
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


def _is_plain(route: Any) -> bool:
    return route.reads and route.template.startswith("/my") and not route.parameters and not route.streams


def places(page: Any, site: Site) -> list[str]:
    """Every page without a parameter, and those of the first visit, receipt and pot."""
    found = [one.template for one in ROUTES if _is_plain(one)]
    page.goto(f"{site.base}/my")
    visit = page.locator("article a").first.get_attribute("href")
    page.goto(f"{site.base}/my/receipts")
    receipt = page.locator(".rows a").first.get_attribute("href")
    page.goto(f"{site.base}/my/wallet")
    pot = page.locator(".pots a").first.get_attribute("href")
    plain = [one for one in found if one not in LEFT_OUT]
    return [*plain, visit, f"{visit}/parts", receipt, f"{receipt}/why", f"{receipt}/question", pot]


NAMES = (
    *("Town clinic", "Town insurance", "Video visit", "Heart monitor reading", "ana", "ana-cash", "town-plan"),
    *("You pay the first 10 dollars of a year", "You pay one fifth"),
)
"""Data of the town, words of its plan among them."""


def test_no_page_says_a_word_that_no_catalogue_gave(site: Site, browser: Any) -> None:
    page = sign_in(site, browser, "ana")
    wrong = []
    for place in places(page, site):
        page.goto(f"{site.base}{place}?lang=en-XA")
        wrong += [f"{place}: {text}" for text in english_left(page, NAMES)]
    assert wrong == [], "\n".join(wrong)
    page.context.close()


@pytest.mark.long
@pytest.mark.parametrize("size", ["normal", "elder"])
@pytest.mark.parametrize("language", [*LANGUAGES, "en-XA"])
def test_every_page_in_every_language_and_width(site: Site, browser: Any, axe: str, language: str, size: str) -> None:
    page = sign_in(site, browser, "ana")
    wrong: list[str] = []
    for number, place in enumerate(places(page, site)):
        page.goto(f"{site.base}{place}?lang={language}&size={size}")
        assert page.locator("html").get_attribute("lang") == language, place
        wrong += [f"{place} {one}" for one in faults(page, axe, f"every-{number:02}-{language}-{size}")]
    assert wrong == [], "\n".join(wrong)
    quiet(page, site.base)
    page.context.close()
