"""A form that has to be mended: the page begins with what is wrong, leads to the field, and says it there again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, led_to, press, serving, sign_in
from test_desk_pages_browser import CLERK, at_desk


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path) as site:
        town.clear(town.event("e1", 14))
        yield site


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_a_patient_is_led_to_the_amount_at_the_foot_of_a_long_page(
    site: Site, browser: Any, axe: str, java_script_enabled: bool
) -> None:
    # Where the page's scripts are off, what the test looks with still runs.
    page = sign_in(site, browser, "ana", java_script_enabled=java_script_enabled)
    page.goto(f"{site.base}/my/budget")
    page.get_by_label("Up to this much a visit").check()
    page.get_by_label("How much a visit").fill("much")
    with page.expect_navigation():
        page.locator("section", has=page.locator("#itself")).get_by_role("button", name="Save").click()
    assert page.title().startswith("Error:")
    assert led_to(page, "This is no amount").input_value() == "much"
    assert page.get_by_label("Up to this much a visit").is_checked()
    if java_script_enabled:
        checked(page, axe, "my-budget-wrong", (320, 1280))
        page.locator("#kind").evaluate("one => one.closest('details').open = true")
        page.get_by_label("Most in a month").fill("lots")
        with page.expect_navigation():
            page.locator("details", has=page.locator("#kind")).get_by_role("button", name="Save").click()
        assert led_to(page, "This is no amount").input_value() == "lots"
    page.context.close()


def test_a_clerk_is_led_to_the_field_that_is_wrong_and_to_no_other(site: Site, browser: Any, axe: str) -> None:
    page = at_desk(site, browser, CLERK)
    page.goto(f"{site.base}/desk/cash-refunds")
    page.get_by_label("Wallet (id)").fill("ana-cash")
    page.get_by_label("Amount", exact=True).fill("12,50")
    page.get_by_label("When and how the holder said yes").fill("Today, to Noor at the window")
    press(page)
    assert led_to(page, "Write the amount in digits with a point").get_attribute("id") == "amount"
    assert page.locator("[aria-invalid]").count() == 1
    checked(page, axe, "desk-cash-refunds-wrong", (320, 1280), large=False)
    page.set_viewport_size({"width": 1280, "height": 860})
    page.get_by_label("Amount", exact=True).fill("12.50")
    page.get_by_label("Wallet (id)").fill("nobody")
    press(page)
    assert led_to(page, "No cash of this currency came into such a wallet").get_attribute("id") == "wallet"
    assert "schema" not in page.inner_text("main")
    page.context.close()
