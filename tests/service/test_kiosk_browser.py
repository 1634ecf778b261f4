"""The kiosk in a real browser: every rule, every width, by keyboard, without scripts; and nothing is left behind."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import LOOKS, Site, checked, press, quiet, serving, tab_to, watched

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.names import row_name
from drachm.domain.transparency.leaf import event_key


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Any:
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        town.clear(town.event("e1", 40, display="Video visit"), town.event("e2", 25, display="Blood test"))
        yield site


def code(site: Site, browser: Browser) -> str:
    """The code of a slip that a clerk makes."""
    page = watched(browser, 1280)
    page.goto(f"{site.base}/desk/sign-in")
    page.get_by_role("textbox", name="Token").fill(site.token("Noor", [Role.CLERK], ["clinic"]))
    press(page)
    key = event_key(site.town.tenant, "ehr", "e1")
    page.goto(f"{site.base}/desk/charges/{row_name('chg', site.town.market.index.of_key(key)[0], key)}")
    with page.expect_navigation():
        page.get_by_role("button", name="Make a slip").click()
    found = re.findall(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4})<', page.content())
    page.context.close()
    return str(found[0])


def opened(site: Site, browser: Browser, typed: str, **context: Any) -> Page:
    page = watched(browser, 768, **context)
    page.goto(f"{site.base}/kiosk?at={site.town.name}&size=elder")
    tab_to(page, "code on your slip")
    page.keyboard.type(typed.lower())
    for part in ("1", "5", "1990"):
        page.keyboard.press("Tab")
        page.keyboard.type(part)
    press(page)
    return page


@pytest.mark.parametrize("look", ["light", "contrast"])
def test_every_page_of_the_kiosk_breaks_no_rule(site: Site, browser: Browser, axe: str, look: str) -> None:
    typed = code(site, browser)
    page = watched(browser, 768, **LOOKS[look])
    page.goto(f"{site.base}/kiosk?at={site.town.name}&size=elder")
    checked(page, axe, f"kiosk-{look}")
    page.context.close()
    page = opened(site, browser, typed, **LOOKS[look])
    assert "$21.00" in page.inner_text("main")
    checked(page, axe, f"kiosk-visit-{look}")
    page.goto(f"{site.base}/kiosk/still?at={site.town.name}&size=elder")
    checked(page, axe, f"kiosk-still-{look}", (320, 1280))
    quiet(page, site.base)
    page.context.close()


def test_by_keyboard_without_scripts_and_nothing_is_left(site: Site, browser: Browser) -> None:
    page = opened(site, browser, code(site, browser), java_script_enabled=False)
    assert "Blood test" in page.inner_text("main")
    page.get_by_role("link", name="Done, clear this screen").click()
    assert page.url.startswith(f"{site.base}/kiosk?at=")
    assert page.context.cookies() == [] or {one["name"] for one in page.context.cookies()} <= {"drachm_look"}
    page.go_back()
    assert "Blood test" not in page.content()
    page.context.close()


def test_storage_is_empty_after_the_end(site: Site, browser: Browser) -> None:
    page = opened(site, browser, code(site, browser))
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    page.goto(f"{site.base}/kiosk/end?at={site.town.name}")
    names = {one["name"] for one in page.context.cookies()}
    assert "drachm_kiosk" not in names
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    page.goto(f"{site.base}/kiosk/visit?at={site.town.name}")
    assert "Blood test" not in page.content()
    page.context.close()


def test_the_screen_goes_on_by_itself(site: Site, browser: Browser) -> None:
    """The page names its own next page and time; the browser follows it, so the test need not wait a minute."""
    page = opened(site, browser, code(site, browser))
    answer = page.request.get(page.url)
    assert answer.headers["refresh"].startswith("60; url=/kiosk/still?")
    place = answer.headers["refresh"].partition("url=")[2]
    page.goto(site.base + place)
    assert "Still here?" in page.inner_text("h1")
    site.town.clock.move(seconds=100)
    page.goto(f"{site.base}/kiosk/visit?at={site.town.name}&size=elder")
    assert page.url.startswith(f"{site.base}/kiosk?at=")
    page.context.close()


def test_a_clerk_helps_by_code(site: Site, browser: Browser, axe: str) -> None:
    typed = code(site, browser)
    page = watched(browser, 1280)
    page.goto(f"{site.base}/desk/sign-in")
    page.get_by_role("textbox", name="Token").fill(site.token("Noor", [Role.CLERK], ["clinic"]))
    press(page)
    page.goto(f"{site.base}/desk/help")
    checked(page, axe, "desk-help", (320, 1280))
    tab_to(page, "Code")
    page.keyboard.type(typed)
    press(page)
    assert "Blood test" in page.inner_text("main")
    checked(page, axe, "desk-help-visit", (320, 1280))
    page.context.close()
