"""The office in a real browser: every width, by the rules, by keyboard, without scripts, on paper."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import clipped, press, shots, tab_to
from desk_visitor import KEYS
from office_story import furnish_office
from test_desk_browser import Desk, checked, desk  # noqa: F401 - a fixture among them

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.sandbox_people import sandbox_token


@pytest.fixture
def office(desk: Desk, browser: Browser, town: Any) -> Any:  # noqa: F811
    furnish_office(town)
    pages: list[Page] = []

    def open_office(role: Role, parties: list[str], **context: Any) -> Page:
        at = town.clock.now()
        token = sandbox_token(KEYS, tenant=town.tenant, name="Iris", roles=[role], parties=parties, at=at)
        page = browser.new_context(viewport={"width": 1280, "height": 860}, **context).new_page()
        pages.append(page)
        page.goto(f"{desk.base}/desk/sign-in")
        page.get_by_role("textbox", name="Token").fill(token)
        press(page)
        page.goto(f"{desk.base}/desk/office?since=2025-12&until=2026-03")
        return page

    yield open_office
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("look", [{}, {"color_scheme": "dark"}, {"contrast": "more"}])
def test_no_rule_is_broken_and_nothing_is_clipped(office: Any, axe: str, look: dict[str, Any]) -> None:
    foreign: list[str] = []
    page = office(Role.OPERATOR, [], **look)
    page.on("request", lambda request: foreign.append(request.url) if "//127.0.0.1" not in request.url else None)
    name = "-".join(look.values()) or "light"
    checked(page, axe, f"office-{name}", (1280, 768, 375, 320))
    if not look:
        page.click("text=lines = entries = ledger")
        checked(page, axe, "office-books", (1280, 320))
    assert foreign == []


def test_text_at_twice_its_size_clips_nothing(office: Any) -> None:
    page = office(Role.FINANCE, ["clinic"])
    page.set_viewport_size({"width": 640, "height": 860})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert clipped(page) == []
    shots(page, "desk-office-twice")


def test_tables_and_files_are_reached_by_keyboard(office: Any) -> None:
    page = office(Role.FINANCE, ["clinic"])
    tab_to(page, "What was done")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.get_by_role("rowheader", name="Lab").is_visible()
    page.goto(page.url)
    tab_to(page, "Last 12 months")
    press(page)
    assert "April 2025 to March 2026" in page.inner_text("h1")


def test_without_scripts_a_period_is_chosen(office: Any) -> None:
    page = office(Role.FINANCE, ["clinic"], java_script_enabled=False)
    page.select_option("#since", "2026-01")
    page.select_option("#until", "2026-02")
    page.get_by_role("button", name="Show").click()
    assert "January to February 2026" in page.inner_text("h1")


def test_on_paper_the_patterns_are_left(office: Any) -> None:
    page = office(Role.OPERATOR, [])
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1100})
    assert not page.locator(".top").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.plot .you')).fill").startswith("url(")
    shots(page, "desk-office-print")
