"""Cash back and dues that are given up, in a real browser: by keyboard alone, by two people, in every width."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, press, quiet, serving, tab_to
from test_desk_pages_browser import CLERK, OFFICE, at_desk

from drachm.domain.coverage.model import Member


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path) as site:
        town.desk.books.enrol(members=[Member("zoe")])
        town.clear(
            town.event("e1", 40, display="Video visit, 11 minutes"),
            town.event("z1", 30, member="zoe", visit="z1", display="Blood test"),
        )
        yield site


def wide(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 860})
    page.reload()


def typed(page: Page, words: str, text: str) -> None:
    tab_to(page, words, most=200)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_cash_goes_back_by_keyboard(site: Site, browser: Browser, axe: str) -> None:
    page, other = at_desk(site, browser, CLERK), at_desk(site, browser, OFFICE)
    tab_to(page, "Cash desk")
    press(page)
    typed(page, "Window", "front-1")
    typed(page, "Cash in the box now", "50")
    press(page)
    shift = page.url
    typed(page, "Wallet (id)", "ana-cash")
    typed(page, "Amount in USD", "30")
    press(page)
    tab_to(page, "Pay money back in cash")
    press(page)
    typed(page, "Wallet (id)", "ana-cash")
    typed(page, "Amount", "12.50")
    typed(page, "When and how the holder said yes", "Today, to Noor at the window")
    press(page)
    refund = page.url
    assert "Not you: you proposed it." in page.inner_text("main")
    tab_to(other, "Refunds")
    press(other)
    tab_to(other, "Pay money back in cash")
    press(other)
    checked(other, axe, "desk-cash-refunds")
    wide(other)
    tab_to(other, "ana-cash")
    press(other)
    assert other.url == refund
    checked(other, axe, "desk-cash-refund", (320, 1280), large=False)
    wide(other)
    tab_to(other, "Agree: pay back")
    press(other)
    assert "Ready to be handed out" in other.inner_text("main")
    page.goto(refund)
    checked(page, axe, "desk-cash-refund-ready", (320, 1280), large=False)
    wide(page)
    tab_to(page, "Hand out $12.50")
    press(page)
    assert "Handed out" in page.inner_text("main")
    page.goto(shift)
    assert "$67.50" in page.inner_text("section[aria-labelledby=box]")
    for one in (page, other):
        quiet(one, site.base)
        one.context.close()


def test_a_due_is_given_up_by_keyboard(site: Site, browser: Browser, axe: str) -> None:
    page, other = at_desk(site, browser, CLERK), at_desk(site, browser, OFFICE)
    tab_to(page, "Blood test")
    press(page)
    tab_to(page, "Give up what is due")
    press(page)
    assert page.url.endswith("/write-off")
    checked(page, axe, "desk-write-off-form")
    wide(page)
    typed(page, "A word to the second person", "She lost her work")
    tab_to(page, "Give it up")
    press(page)
    assert "Not you: you proposed it." in page.inner_text("main")
    address = page.url
    other.goto(f"{site.base}/desk/refunds")
    tab_to(other, "Dues given up")
    press(other)
    checked(other, axe, "desk-write-offs")
    wide(other)
    tab_to(other, "The patient cannot pay")
    press(other)
    assert other.url == address
    checked(other, axe, "desk-write-off", (320, 1280), large=False)
    wide(other)
    tab_to(other, "Agree: give up")
    press(other)
    assert "No longer asked for" in other.inner_text("main")
    for one in (page, other):
        quiet(one, site.base)
        one.context.close()


def test_both_work_without_scripts(site: Site, browser: Browser) -> None:
    page = at_desk(site, browser, CLERK, java_script_enabled=False)
    page.get_by_role("link", name="Blood test").first.click()
    page.goto(page.url if "/charges/" in page.url else f"{site.base}/desk")
    if "/charges/" not in page.url:
        page.locator("a", has_text="Explain").first.click()
    page.get_by_role("link", name="Give up what is due").click()
    page.get_by_label("Amount in USD").fill("5")
    page.get_by_role("button", name="Give it up").click()
    assert "Decided alone" in page.inner_text("main")
    page.goto(f"{site.base}/desk/cash-refunds")
    page.get_by_label("Wallet (id)").fill("ana-cash")
    page.get_by_label("Amount", exact=True).fill("5")
    page.get_by_label("When and how the holder said yes").fill("Today at the window")
    page.get_by_role("button", name="Ask for a second pair of eyes").click()
    assert "no cash of this currency" in page.inner_text("main").lower()
    quiet(page, site.base)
    page.context.close()
