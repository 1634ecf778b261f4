"""Keep private on the pages: one visit for good, kinds of care from now on; nobody else does it for somebody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, press, quiet, serving, sign_in, tab_to

from drachm.domain.funding.mandate import Mandate
from drachm.domain.money import MICROS

COSMETIC = {"category": "cosmetic"}


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


def beside(act: Any) -> Any:
    """In another thread: the browser has an event loop of its own in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


def shared(site: Site, ask: Any) -> str:
    """A pot of ana's household that is drawn first."""
    town = site.town

    def make() -> str:
        order = {"holder": "ana", "currency": "USD"}
        wallet = str(ask("open_wallet", town.patient("ana"), body=order).body["id"])
        money = {"amount": {"micros": 50 * MICROS, "currency": "USD"}}
        assert ask("top_up_wallet", town.operator(), path={"wallet_id": wallet}, body=money).status == 201
        return wallet

    return str(beside(make))


def left(site: Site, ask: Any, wallet: str) -> int:
    answer = beside(lambda: ask("get_wallet", site.town.operator(), path={"wallet_id": wallet}))
    return int(answer.body["available"]["micros"]) // MICROS


def test_a_visit_is_kept_private_for_good(site: Site, browser: Any, axe: str, ask: Any) -> None:
    town, wallet = site.town, shared(site, ask)
    # The shared pot pays first, so that there is something to give back.
    town.desk.books.enrol(mandates={"ana": Mandate(1, order=(wallet,))})
    town.clear(town.event("e1", 14, facts=COSMETIC), town.event("e2", 6, facts=COSMETIC))
    assert left(site, ask, wallet) == 30
    relative = sign_in(site, browser, "ana", relation="relative")
    assert "$20.00" in relative.inner_text("main")
    page = sign_in(site, browser, "ana")
    page.locator("article a").first.click()
    visit = page.url
    tab_to(page, "Private")
    page.keyboard.press("Enter")
    tab_to(page, "Keep it private")
    press(page)
    said = page.inner_text("main")
    for words in ("Keep this visit private?", "A pot that you share does not pay for it", "You cannot undo this"):
        assert words in said
    assert left(site, ask, wallet) == 30, "asked once more before anything happens"
    checked(page, axe, "my-private-sure")
    tab_to(page, "Yes, keep it private")
    press(page)
    assert page.url == visit
    assert "You keep this visit private." in page.inner_text("main")
    page.get_by_text("You keep this visit private.").click()
    assert "Your family sees nothing of it" in page.inner_text("main")
    assert page.get_by_role("button", name="Keep it private").count() == 0
    checked(page, axe, "my-private-visit", (320, 1280))
    assert left(site, ask, wallet) == 50
    relative.goto(f"{site.base}/my")
    assert "No visits yet" in relative.inner_text("main")
    assert relative.goto(visit).status == 404
    relative.context.close()
    quiet(page, site.base)
    page.context.close()


def test_a_standing_wish_is_given_and_taken_back(site: Site, browser: Any, axe: str, ask: Any) -> None:
    town, wallet = site.town, shared(site, ask)
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/family")
    page.get_by_role("link", name="What you keep private").click()
    page.get_by_label("The kinds of care that I mark below").check()
    page.get_by_label("Care for looks").check()
    page.get_by_label("Teeth").check()
    page.get_by_role("button", name="Save").click()
    assert page.get_by_label("Care for looks").is_checked()
    assert page.get_by_label("The kinds of care that I mark below").is_checked()
    checked(page, axe, "my-private")
    stale = page.content()
    town.clear(town.event("e1", 14, facts=COSMETIC))
    assert left(site, ask, wallet) == 50
    page.get_by_label("All my care").check()
    page.get_by_role("button", name="Save").click()
    assert page.get_by_label("All my care").is_checked()
    page.get_by_role("radio", name="Nothing").check()
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("radio", name="Nothing").is_checked()
    # What an older page says is not taken.
    word = page.locator("input[name=csrf]").first.get_attribute("value") or ""
    tag = stale.partition('name="tag" value="')[2].partition('"')[0].replace("&#34;", '"').replace("&quot;", '"')
    place = f"{site.base}/my/private/{wallet}"
    answer = page.context.request.post(place, form={"csrf": word, "how": "all", "tag": tag}, max_redirects=0)
    assert answer.status in (409, 412)
    for form in ({"how": "x"}, {}):
        assert page.context.request.post(place, form={"csrf": word, **form}, max_redirects=0).status >= 400
    assert page.context.request.post(f"{site.base}/my/private/nobody", form={"csrf": word, "how": "all"}).status == 404
    page.goto(f"{site.base}/my/private")
    assert page.get_by_role("radio", name="Nothing").is_checked()
    page.context.close()


def test_others_keep_nothing_private(site: Site, browser: Any, ask: Any) -> None:
    town = site.town
    town.clear(town.event("e1", 14, facts=COSMETIC))
    mine = sign_in(site, browser, "ana")
    visit = mine.locator("article a").first.get_attribute("href")
    mine.context.close()
    for who, how in (("ana", {"relation": "relative"}), ("dan", {})):
        page = sign_in(site, browser, who, **how)
        word = page.locator("input[name=csrf]").first.get_attribute("value") or ""
        form = {"csrf": word, "sure": "yes"}
        answer = page.context.request.post(f"{site.base}{visit}/private", form=form, max_redirects=0)
        assert answer.status in (403, 404)
        page.goto(f"{site.base}{visit}")
        assert page.locator("#private").count() == 0
        page.context.close()
