"""To be erased, in a real browser: asked by keyboard, taken up, refused and agreed to; at every width, by the rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, at_desk, checked, press, quiet, serving, sign_in, tab_to

from drachm.adapters.rest.identity.model import Role

OLGA = ("Olga", [Role.OPERATOR], [])
OTTO = ("Otto", [Role.OPERATOR], [])
NARROW_AND_WIDE = (320, 1280)


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    town.clear(town.event("e1", 40), town.event("h1", 30, kind="hold", visit="v2"))
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


@pytest.mark.long
def test_asked_by_keyboard_and_decided_by_two(site: Site, browser: Browser, axe: str) -> None:
    page = sign_in(site, browser, "ana")
    tab_to(page, "What we keep of you")
    press(page)
    checked(page, axe, "my-kept", NARROW_AND_WIDE)
    page.set_viewport_size({"width": 360, "height": 800})
    tab_to(page, "Anything you want to say")
    page.keyboard.type("I moved away.")
    tab_to(page, "Ask us to erase it")
    press(page)
    assert "This has to be settled first" in page.inner_text("main")
    assert "$" in page.inner_text("main")
    checked(page, axe, "my-kept-asked", NARROW_AND_WIDE)
    desk = at_desk(site, browser, OLGA)
    tab_to(desk, "Erasing")
    press(desk)
    checked(desk, axe, "desk-erasures", NARROW_AND_WIDE)
    desk.set_viewport_size({"width": 1280, "height": 860})
    desk.locator("main a[data-row]").first.click()
    checked(desk, axe, "desk-erasure", NARROW_AND_WIDE)
    desk.set_viewport_size({"width": 1280, "height": 860})
    tab_to(desk, "Take it up")
    press(desk)
    address = desk.url
    other = at_desk(site, browser, OTTO)
    other.goto(address)
    tab_to(other, "Agree: erase it for ever")
    press(other)
    assert "Nothing was erased" in other.inner_text("main")
    checked(other, axe, "desk-erasure-not-settled", NARROW_AND_WIDE)
    other.goto(address)
    other.locator("#until").fill("2036-03-10")
    other.locator("#note").fill("Ten years, by the law on records.")
    other.get_by_role("button", name="Refuse it").click()
    page.goto(f"{site.base}/my/kept")
    assert "You can ask again on" in page.inner_text("main")
    checked(page, axe, "my-kept-refused", NARROW_AND_WIDE)
    quiet(page, site.base)
    for one in (page, desk, other):
        one.context.close()
