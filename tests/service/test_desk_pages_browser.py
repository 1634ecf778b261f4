"""The desk's newer pages in a real browser: by keyboard, without scripts, in every width, by the rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, at_desk, checked, press, quiet, serving, tab_to

from drachm.adapters.rest.identity.model import Role
from drachm.domain.events.model import Code

CLERK = ("Noor", [Role.CLERK], ["clinic"])
OFFICE = ("Fay", [Role.FINANCE], ["clinic"])


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path) as site:
        town.clear(
            town.event("e1", 40, display="Video visit, 11 minutes"),
            town.event("e2", 1_234, display="Heart monitor reading", member="dan", visit="v2"),
            town.event("e3", 25, display="<img src=x onerror=alert(1)>", visit="v3", code=Code("local", "test")),
            town.event("e4", 10, member="unknown-member", visit="v4"),
            town.event("e5", 0, display="Medicine refill", visit="v5"),
        )
        yield site


def test_today_by_keys_alone(site: Site, browser: Browser, axe: str) -> None:
    page = at_desk(site, browser, CLERK)
    checked(page, axe, "desk-today")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.keyboard.press("j")
    page.keyboard.press("j")
    with page.expect_response(lambda answer: "open=chg_" in answer.url):
        page.keyboard.press("j")
    page.wait_for_function("() => document.querySelector('tr[data-chosen] [data-row]') === document.activeElement")
    what = page.evaluate("() => document.activeElement.firstChild.textContent")
    beside = page.locator("#side [data-key=e]").get_attribute("href")
    press(page)
    assert page.url == f"{site.base}{beside}"
    assert what in page.inner_text("h1")
    page.keyboard.press("/")
    page.keyboard.type("ehr/e1")
    press(page)
    assert "Video visit" in page.inner_text("h1")
    page.keyboard.press("?")
    quiet(page, site.base)
    page.context.close()


def test_two_people_give_money_back_by_keyboard(site: Site, browser: Browser, axe: str) -> None:
    page = at_desk(site, browser, CLERK)
    tab_to(page, "Video visit, 11 minutes")
    press(page)
    with page.expect_navigation():
        page.keyboard.press("r")
    assert page.url.endswith("/refund")
    checked(page, axe, "desk-refund-form")
    page.set_viewport_size({"width": 1280, "height": 860})
    tab_to(page, "A word to the second person")
    page.keyboard.type("Was told twice")
    tab_to(page, "Ask for a second pair of eyes")
    press(page)
    assert "Not you: you proposed it." in page.inner_text("main")
    address = page.url
    other = at_desk(site, browser, OFFICE)
    tab_to(other, "Refunds")
    press(other)
    checked(other, axe, "desk-refunds")
    other.goto(address)
    checked(other, axe, "desk-refund")
    other.set_viewport_size({"width": 1280, "height": 860})
    tab_to(other, "Agree: give back")
    press(other)
    assert "Given back" in other.inner_text("main")
    for one in (page, other):
        quiet(one, site.base)
        one.context.close()


def test_without_scripts_the_list_the_search_and_refunds_work(site: Site, browser: Browser) -> None:
    page = at_desk(site, browser, CLERK, java_script_enabled=False)
    page.locator("a.look").nth(1).click()
    assert "open=chg_" in page.url
    page.get_by_role("link", name="Refund", exact=True).click()
    page.get_by_role("button", name="Ask for a second pair of eyes").click()
    assert "/desk/refunds/rfd_" in page.url
    page.get_by_role("textbox", name="Name, receipt, amount or id").fill("40")
    page.get_by_role("button", name="Find").click()
    assert "Found by amount" in page.inner_text("h1")
    quiet(page, site.base)
    page.context.close()


def test_a_plan_changes_by_keyboard_and_a_second_person_publishes(site: Site, browser: Browser, axe: str) -> None:
    editor = ("Ada", [Role.PRICE_EDITOR], ["town-insurance"])
    page = at_desk(site, browser, editor)
    tab_to(page, "Plans")
    press(page)
    checked(page, axe, "desk-plans", (320, 1280), large=False)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.goto(f"{site.base}/desk/plans/town-plan")
    tab_to(page, "Begin a draft")
    press(page)
    page.goto(f"{page.url}?line=3#edit")
    checked(page, axe, "desk-plan-draft")
    page.set_viewport_size({"width": 1280, "height": 860})
    page.reload()
    tab_to(page, "Share, percent")
    page.keyboard.press("Control+A")
    page.keyboard.type("10")
    press(page)
    assert page.locator("[name='/steps/3/ppm']").input_value() == "10"
    page.locator("#cost").focus()
    press(page)
    said = page.inner_text("section[aria-labelledby=try]")
    assert "Live" in said
    assert "Draft" in said
    checked(page, axe, "desk-plan-case", (1280,), large=False)
    other = at_desk(site, browser, ("Bob", [Role.PRICE_EDITOR], ["town-insurance"]))
    other.goto(f"{site.base}/desk/plans/town-plan")
    other.locator("#day").fill("2027-01-01")
    tab_to(other, "Publish version")
    press(other)
    assert "comes on 2027-01-01" in other.inner_text("h1") or "2026.1 is live" in other.inner_text("h1")
    for one in (page, other):
        quiet(one, site.base)
        one.context.close()


def test_a_question_is_answered_in_every_width(site: Site, browser: Browser, axe: str, ask: Any) -> None:
    def asked() -> None:
        ana = site.town.patient("ana")
        for receipt in ask("list_receipts", ana).body["data"][:2]:
            ask("ask_question", ana, path={"receipt_id": receipt["id"]}, body={"choice": "not_received", "stop": True})

    # The browser has an event loop of its own in this thread.
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asked).result()
    page = at_desk(site, browser, CLERK)
    page.goto(f"{site.base}/desk/questions")
    tab_to(page, "Your answer, which the patient reads")
    page.keyboard.type("We looked: it was sent once.")
    tab_to(page, "Answer")
    press(page)
    assert "We looked: it was sent once." in page.inner_text("main")
    checked(page, axe, "desk-questions")
    quiet(page, site.base)
    page.context.close()
