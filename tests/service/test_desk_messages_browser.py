"""The page of text messages, and the line of a charge, in a real browser and every width."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import checked, quiet, serving, watched
from test_desk_messages import furnished, make, visit

from drachm.adapters.rest.identity.model import Role


def test_the_page_in_every_width(street: Any, town: Any, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    gateway, messages = furnished(town)
    visit(town, "m1")
    make(town, messages)
    messages.send()
    gateway.broken = True
    visit(town, "m2", member="dan")
    make(town, messages)
    messages.send()
    # The browser has an event loop of its own in this thread, so it comes last.
    browser, axe = request.getfixturevalue("browser"), request.getfixturevalue("axe")
    with serving(street, town, tmp_path) as site:
        page = watched(browser, 1280)
        page.goto(f"{site.base}/desk/sign-in")
        page.locator("#token").fill(site.token("Noor", [Role.CLERK], ["clinic"]))
        with page.expect_navigation():
            page.keyboard.press("Enter")
        page.get_by_role("link", name="Text messages").click()
        assert page.url.endswith("/desk/messages")
        checked(page, axe, "desk-messages")
        page.set_viewport_size({"width": 1280, "height": 860})
        page.goto(f"{site.base}/desk")
        page.locator("a[data-row]").first.click()
        assert page.locator("ol.line li").count() >= 3
        checked(page, axe, "desk-charge-line")
        quiet(page, site.base)
        page.context.close()
