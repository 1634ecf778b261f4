"""The first page of a patient: an example of how pages are tested, for the pages to come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, quiet, serving, sign_in, tab_to


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


def test_who_is_not_signed_in_is_sent_to_the_door(site: Site, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{site.base}/my")
    assert page.url == f"{site.base}/my/sign-in"
    page.context.close()


def test_the_first_page_and_leaving_it(site: Site, browser: Any, axe: str) -> None:
    page = sign_in(site, browser, "ana")
    assert "No visits yet" in page.inner_text("main")
    assert "555 0100" in page.inner_text("footer")
    checked(page, axe, "my-home-empty")
    tab_to(page, "Leave this page now")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url == f"{site.base}/my/left"
    page.goto(f"{site.base}/my")
    assert page.url == f"{site.base}/my/sign-in"
    quiet(page, site.base)
    page.context.close()
