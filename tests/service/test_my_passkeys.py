"""Passkeys of patients, with Chromium's virtual authenticator: made, named, used as a second answer, taken away."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, press, quiet, serving, sign_in, tab_to
from test_desk_passkeys import authenticator

from drachm.adapters.rest.service.names import row_name
from drachm.application import passkeys as kept
from drachm.application.ties import revoke, ties_to
from drachm.domain.funding.mandate import Mandate, Rule
from drachm.domain.money import MICROS
from drachm.domain.transparency.leaf import event_key

COSMETIC = {"category": "cosmetic"}


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    # A passkey belongs to a name: the service is served and reached as localhost here. Every payment is a large one.
    with serving(street, town, tmp_path, help_phone="555 0100", step_up_micros=MICROS) as site:
        here = f"http://localhost:{site.base.rpartition(':')[2]}"
        object.__setattr__(street.house, "base_url", here)
        yield replace(site, base=here)


def made(site: Site, browser: Browser, member: str = "ana", axe: str = "") -> Page:
    page = sign_in(site, browser, member)
    authenticator(page)
    page.get_by_role("link", name="Passkeys").click()
    assert "You have none yet." in page.inner_text("main")
    page.get_by_label("What you call it").fill("My phone")
    if axe:
        checked(page, axe, "my-passkeys-none", (320, 1280))
    with page.expect_navigation():
        page.get_by_role("button", name="Make a passkey").click()
    assert "My phone" in page.inner_text("main")
    return page


def test_one_is_made_named_used_for_a_payment_and_taken_away(site: Site, browser: Browser, axe: str) -> None:
    town = site.town
    town.desk.books.enrol(mandates={"ana": Mandate(1, rules=(Rule(0),))})
    town.clear(town.event("e1", 14, facts=COSMETIC))
    page = made(site, browser, axe=axe)
    assert town.market.records.find(kept.KIND) == [], "it opens no desk"
    page.get_by_text("Change", exact=False).first.click()
    page.locator("#label-1").fill("x" * 61)
    page.evaluate("() => document.querySelector('#label-1').removeAttribute('maxlength')")
    page.locator("#label-1").fill("x" * 61)
    page.get_by_role("button", name="Save the name").click()
    assert "A name has 60 letters at most." in page.inner_text("main")
    page.goto(f"{site.base}/my/passkeys")
    page.get_by_text("Change", exact=False).first.click()
    page.locator("#label-1").fill("<b>Kitchen</b>")
    page.get_by_role("button", name="Save the name").click()
    assert "<b>Kitchen</b>" in page.inner_text("main")
    checked(page, axe, "my-passkeys", (320, 1280))
    # Some time later a payment asks once more.
    town.clock.move(minutes=11)
    page.goto(f"{site.base}/my")
    page.get_by_role("link", name="Pay $14.00").click()
    page.get_by_role("button", name="Next").click()
    check = page.url
    page.get_by_role("button", name="Pay $14.00 now").click()
    assert "/my/proof" in page.url
    checked(page, axe, "my-proof-passkey", (320,))
    tab_to(page, "Use my passkey")
    press(page)
    assert page.url == check
    page.get_by_role("button", name="Pay $14.00 now").click()
    assert "/my/pay/done" in page.url
    # What a passkey proved makes no further passkey.
    page.goto(f"{site.base}/my/passkeys")
    assert "First show once more that it is you." in page.inner_text("main")
    page.get_by_text("Change", exact=False).first.click()
    page.get_by_role("button", name="Take it away").click()
    assert "You have none yet." in page.inner_text("main")
    page.goto(f"{site.base}/my/proof?next=/my/wallet")
    assert page.get_by_role("button", name="Use my passkey").count() == 0
    quiet(page, site.base)
    page.context.close()


def test_an_answer_proves_once_and_only_its_own_person(site: Site, browser: Browser) -> None:
    page = made(site, browser)
    site.town.clock.move(minutes=11)
    page.goto(f"{site.base}/my/proof?next=/my/wallet")
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith("/proof/passkey") else None)
    with page.expect_navigation():
        page.get_by_role("button", name="Use my passkey").click()
    assert page.url == f"{site.base}/my/wallet"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    again = page.context.request.post(sent[0].url, headers=headers, data=sent[0].post_data, max_redirects=0)
    assert again.status == 403, "the same answer a second time"
    page.goto(f"{site.base}/my/passkeys")
    stranger = sign_in(site, browser, "dan")
    word = stranger.locator("input[name=csrf]").first.get_attribute("value") or ""
    mine = page.locator("input[name=csrf]").first.get_attribute("value") or ""
    body = (sent[0].post_data or "").replace(mine, word)
    theirs = stranger.context.request.post(sent[0].url, headers=headers, data=body, max_redirects=0)
    assert theirs.status == 403, "in the session of somebody else"
    (record,) = site.town.market.records.find(kept.OF_PATIENTS)
    place = f"{site.base}/my/passkeys/{record.id}"
    for do in ("end", "name"):
        assert stranger.context.request.post(place, form={"csrf": word, "do": do}, max_redirects=0).status == 404
    assert kept.holds(site.town.market.records.get(kept.OF_PATIENTS, record.id), site.town.clock.now())
    stranger.context.close()
    page.context.close()


def linked(site: Site, ask: Any) -> str:
    town = site.town
    key = event_key(town.tenant, "ehr", "e1")
    name = row_name("rcp", town.market.index.of_key(key)[0], key)
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(lambda: ask("create_receipt_link", town.clerk(), {"receipt_id": name}, body={}))
        return str(work.result().body["url"].rpartition("/")[2])


def test_it_is_the_second_answer_of_a_receipts_link(site: Site, browser: Browser, axe: str, ask: Any) -> None:
    town = site.town
    town.clear(town.event("e1", 14, facts=COSMETIC))
    token = linked(site, ask)
    page = sign_in(site, browser, "dan")
    page.goto(f"{site.base}/r/{token}")
    assert page.get_by_role("button", name="Use my passkey").count() == 0, "the patient has none"
    page.context.close()
    page = made(site, browser)
    page.goto(f"{site.base}/r/{token}")
    assert "Video visit" not in page.inner_text("main")
    checked(page, axe, "receipt-passkey", (320,))
    with page.expect_navigation():
        page.get_by_role("button", name="Use my passkey").click()
    assert "Video visit" in page.inner_text("main")
    quiet(page, site.base)
    page.context.close()
    # Another person's passkey opens nothing, nor does that of somebody who is no longer let in.
    other = made(site, browser, "dan")
    other.goto(f"{site.base}/r/{token}")
    with other.expect_navigation():
        other.get_by_role("button", name="Use my passkey").click()
    assert "This passkey does not open it" in other.inner_text("main")
    assert "Video visit" not in other.inner_text("main")
    other.context.close()


def test_a_tie_that_ended_takes_the_second_answer_with_it(site: Site, browser: Browser, ask: Any) -> None:
    town = site.town
    town.clear(town.event("e1", 14, facts=COSMETIC))
    token = linked(site, ask)
    page = made(site, browser)
    page.goto(f"{site.base}/r/{token}")
    (tie,) = [one for one in ties_to(town.market.records, "ana") if one.relation == "self"]
    revoke(town.market.records, tie, "test", town.clock.now() - timedelta(seconds=1))
    with page.expect_navigation():
        page.get_by_role("button", name="Use my passkey").click()
    assert "This passkey does not open it" in page.inner_text("main")
    page.context.close()
