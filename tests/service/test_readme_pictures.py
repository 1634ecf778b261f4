"""The four pages that README shows, as they are today: the run leaves them where other pictures of pages are left.

    DRACHM_SHOTS=docs/pictures ./drachm test tests/service/test_readme_pictures.py

puts new ones into the repository. What README says of each picture has to stand on the page.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, quiet, serving, sign_in, watched

from drachm.adapters.rest.identity.model import Role
from drachm.domain.events.model import Code

_ROOT = Path(__file__).resolve().parent.parent.parent
PHONE, SCREEN = {"width": 375, "height": 900}, {"width": 1280, "height": 900}


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    town.clear(
        town.event("e1", 40),
        town.event("e2", 16, code=Code("local", "test"), display="Heart monitor reading"),
        town.event("e3", 12, code=Code("local", "drug"), display="Medicine refill"),
        town.event("e4", 25, member="dan", visit="v2"),
        town.event("e5", 60, member="dan", visit="v2", code=Code("local", "test"), display="Blood test"),
    )
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


def taken(page: Any, name: str, size: dict[str, int]) -> None:
    folder = Path(os.environ.get("DRACHM_SHOTS") or _ROOT / ".shots")
    folder.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size(size)
    page.evaluate("() => document.fonts.ready")
    page.screenshot(path=folder / f"{name}.png")


def test_readme_shows_pages_as_they_are(site: Site, browser: Any) -> None:
    page = sign_in(site, browser, "ana")
    page.locator("article a").first.click()
    visit = page.url
    assert "You paid" in page.inner_text("main")
    assert "$21.60" in page.inner_text("main")
    taken(page, "visit", PHONE)
    page.goto(f"{visit}?lang=ar")
    assert page.locator("html").get_attribute("dir") == "rtl"
    taken(page, "arabic", PHONE)
    page.goto(f"{visit}/parts?lang=en")
    page.locator("a[href$='/why']").first.click()
    assert "$16.00" in page.inner_text("h1")
    taken(page, "why", PHONE)
    quiet(page, site.base)
    page.context.close()

    page = watched(browser, 1280)
    page.goto(f"{site.base}/desk/sign-in")
    page.locator("#token").fill(site.token("Noor", [Role.CLERK], ["clinic"]))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("h1").inner_text().startswith("Today")
    assert "What the patient sees" in page.inner_text("#side")
    taken(page, "desk", SCREEN)
    quiet(page, site.base)
    page.context.close()
