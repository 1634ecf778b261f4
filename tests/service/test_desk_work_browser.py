"""The work list in a real browser: chosen and tried again by keyboard alone, without scripts, in every width."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, at_desk, checked, press, quiet, serving, tab_to

from drachm.adapters.rest.identity.model import Role
from drachm.domain.coverage.model import Member

CLERK = ("Noor", [Role.CLERK], ["clinic"])


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path) as site:
        town.clear(*[town.event(f"o{n}", 10 + n, member=f"stranger-{n}", visit=f"o{n}") for n in range(2)])
        town.clock.move(hours=25)
        town.clear(*[town.event(f"w{n}", 10 + n, member="newcomer", visit=f"v{n}") for n in range(3)])
        town.clear(town.event("x1", 10, currency="EUR"), town.event("e1", 40, display="Video visit, 11 minutes"))
        town.desk.books.enrol(members=[Member("newcomer")])
        yield site


def test_chosen_events_are_tried_by_keyboard_and_lead_to_their_charge(site: Site, browser: Browser, axe: str) -> None:
    page = at_desk(site, browser, CLERK)
    tab_to(page, "work list")
    press(page)
    checked(page, axe, "desk-work")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.reload()
    for _ in range(2):
        tab_to(page, "Choose n")
        page.keyboard.press("Space")
    assert page.locator("input[type=checkbox]:checked").count() == 2
    tab_to(page, "Try the chosen ones again")
    press(page)
    assert "2 events cleared." in page.inner_text("[role=status]")
    checked(page, axe, "desk-work-tried", (320, 1280), large=False)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.locator("#came").scroll_into_view_if_needed()
    page.locator("#main").focus()
    tab_to(page, "Open the charge")
    press(page)
    assert "/desk/charges/chg_" in page.url
    quiet(page, site.base)
    page.context.close()


def test_keys_go_through_the_list_and_choose(site: Site, browser: Browser) -> None:
    page = at_desk(site, browser, CLERK)
    page.goto(f"{site.base}/desk/work")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("input[type=checkbox]:checked").count() == 1
    page.locator("input[type=checkbox]:checked").focus()
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator("input[type=checkbox]:checked").count() in (1, 2)
    tab_to(page, "Choose all on this page")
    page.keyboard.press("Enter")
    assert page.locator("input[type=checkbox]:not(:checked)").count() == 0
    quiet(page, site.base)
    page.context.close()


def test_without_scripts_all_of_one_reason(site: Site, browser: Browser) -> None:
    page = at_desk(site, browser, CLERK, java_script_enabled=False)
    page.get_by_role("link", name="Work list", exact=True).click()
    assert page.locator("#all").is_hidden()
    page.get_by_label("Reason").select_option("unknown_member")
    page.get_by_role("button", name="Show", exact=True).click()
    assert "reason=unknown_member" in page.url
    page.get_by_role("button", name="Try all 5 again").click()
    assert "3 events cleared. 2 still wait." in page.inner_text("[role=status]")
    quiet(page, site.base)
    page.context.close()
