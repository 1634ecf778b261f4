"""A family's pot in a real browser: limits, a pause, asking, answering, letting see, leaving; never what it was for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, press, quiet, serving, sign_in, tab_to
from family_helpers import put_terms, say_yes, terms, usd

from drachm.domain.coverage.model import Member

Ask = Callable[..., Any]


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path) as site:
        yield site


@pytest.fixture
def asked(ask: Ask) -> Iterator[Ask]:
    """`ask` beside a running browser, which has this thread's event loop."""
    with ThreadPoolExecutor(1) as beside:
        yield lambda *given, **more: beside.submit(ask, *given, **more).result()


@pytest.fixture
def pot(site: Site, asked: Ask) -> dict[str, str]:
    """dan holds a pot of 150 for himself, dora and tim, who is 17; dora took 15 of 60 and has a limit for her teeth."""
    town = site.town
    town.desk.books.enrol(
        members=[
            Member("dora", date(1975, 1, 1), "female", family="dans"),
            Member("tim", date(2009, 3, 3), "male", family="dans"),
        ]
    )
    body = {"currency": "USD", "family": "dans", "holder": "dan"}
    wallet = {"wallet_id": asked("open_wallet", town.operator(), body=body).body["id"]}
    asked("top_up_wallet", town.operator(), path=wallet, body={"amount": usd(150)})
    say_yes(town, asked, "dan", "dora")
    agreed = terms(60)
    agreed["limits"] += terms(25, "dental")["limits"]
    put_terms(asked, town.patient("dan"), {**wallet, "member_id": "dora"}, agreed)
    put_terms(asked, town.patient("dan"), {**wallet, "member_id": "tim"}, terms(30))
    town.clear(town.event("d1", 15, member="dora", display="Canary colonoscopy"))
    return wallet


def tab_to_button(page: Any, words: str) -> None:
    """Go on by the Tab key until the focus is on the button that is called so, unseen words with it."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent.replace(/\\s+/g, ' ').trim()") == words:
            return
    raise AssertionError(f"the Tab key does not lead to {words}")


def test_the_holder_pauses_limits_and_invites_by_keyboard(
    site: Site, browser: Any, axe: str, asked: Ask, pot: Any
) -> None:
    page = sign_in(site, browser, "dan")
    tab_to(page, "Family")
    press(page)
    main = page.inner_text("main")
    assert "$135.00" in main.replace("\n", "")
    assert "$15.00 of $60.00" in main
    assert "dental: $25.00 left." in main
    assert "From 3 March 2027 on, tim decides alone." in main
    assert "Last: $15.00 on 10 March 2026." in main
    assert "colonoscopy" not in page.content()
    assert "Town clinic" not in page.content()
    checked(page, axe, "my-family")
    tab_to_button(page, "Pause dora")
    press(page)
    assert "Paused. This pot pays nothing for now." in page.inner_text("main")
    dora = {**pot, "member_id": "dora"}
    assert asked("get_wallet_member", site.town.patient("dan"), path=dora).body["paused"]
    tab_to_button(page, "Start dora")
    press(page)
    # A limit from the page, beside the one for teeth.
    page.locator("summary", has_text="Change dora").click()
    hers = page.locator("section.part", has_text="dora")
    hers.get_by_label("Most in a month (USD)").fill("40")
    with page.expect_navigation():
        hers.get_by_role("button", name="Set the limit").click()
    shown = asked("get_wallet_member", site.town.patient("dan"), path=dora).body
    assert [(one["amount"]["micros"] // 1_000_000, one["categories"]) for one in shown["limits"]] == [
        (40, []),
        (25, ["dental"]),
    ]
    assert shown["limits"][0]["zone"] == "America/New_York"
    # What somebody else has changed meanwhile is not overwritten.
    put_terms(asked, site.town.patient("dan"), dora, terms(33))
    tab_to_button(page, "Pause dora")
    press(page)
    assert "Somebody changed this meanwhile." in page.inner_text("main")
    assert not asked("get_wallet_member", site.town.patient("dan"), path=dora).body["paused"]
    tab_to(page, "Invite")
    press(page)
    code = page.locator("code").inner_text()
    checked(page, axe, "my-family-code")
    quiet(page, site.base)
    page.context.close()
    # ana joins by the code, on her own page.
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/family")
    assert "You share no pot" in page.inner_text("main")
    checked(page, axe, "my-family-none")
    page.locator("summary", has_text="You have a code?").click()
    page.get_by_label("Code of your invitation").fill("inv_none.0000")
    press(page)
    assert "That did not work" in page.inner_text("main")
    page.locator("summary", has_text="You have a code?").click()
    page.get_by_label("Code of your invitation").fill(code)
    press(page)
    main = page.inner_text("main")
    assert "ana (you)" in main
    assert "dora" not in main
    page.context.close()


def test_who_is_asked_answers_lets_see_and_leaves(site: Site, browser: Any, axe: str, asked: Ask, pot: Any) -> None:
    town = site.town
    asked("invite_to_wallet", town.patient("dan"), path=pot, body={"member": "dora"})
    asked("remove_wallet_member", town.patient("dora"), path={**pot, "member_id": "dora"})
    page = sign_in(site, browser, "dora", java_script_enabled=True)
    page.goto(f"{site.base}/my/family")
    assert "dan asks you" in page.inner_text("main")
    checked(page, axe, "my-family-asked")
    tab_to(page, "Yes")
    press(page)
    assert "dora (you)" in page.inner_text("main")
    tab_to(page, "Let them see what it was")
    press(page)
    entries = asked("list_wallet_entries", town.patient("dan"), path=pot).body["data"]
    assert entries[0]["care"]["service"] == "Canary colonoscopy"
    tab_to(page, "Show it no more")
    press(page)
    entries = asked("list_wallet_entries", town.patient("dan"), path=pot).body["data"]
    assert entries[0]["care"] is None
    tab_to(page, "Leave this pot")
    press(page)
    assert "You share no pot" in page.inner_text("main")
    assert asked("get_wallet", town.patient("dora"), path=pot).status == 404
    quiet(page, site.base)
    page.context.close()


def test_without_scripts_and_from_right_to_left(site: Site, browser: Any, axe: str, pot: Any) -> None:
    page = sign_in(site, browser, "dan", java_script_enabled=False)
    page.goto(f"{site.base}/my/family?lang=ar")
    assert page.locator("html").get_attribute("dir") == "rtl"
    with page.expect_navigation():
        page.locator("button[value=pause]").first.click()
    assert page.locator("button[value=start]").count() == 1
    page.context.close()
    stranger = sign_in(site, browser, "dan", relation="relative")
    stranger.goto(f"{site.base}/my/family")
    assert "$135.00" not in stranger.inner_text("main").replace("\n", "")
    stranger.context.close()
