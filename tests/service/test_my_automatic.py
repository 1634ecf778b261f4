"""Budgets by kind of care, rules by clinic and kind, the order of pots and the card: given, shown, and taken back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, press, quiet, serving, sign_in, tab_to
from family_helpers import say_yes, usd

from drachm.application.collection import CONSENT
from drachm.domain.coverage.model import Member
from drachm.domain.funding.mandate import Mandate, Rule, Stop
from drachm.domain.money import MICROS

COSMETIC = {"category": "cosmetic"}


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


def test_rules_are_added_and_taken_away_and_hold(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    town.clear(town.event("e1", 14, billing_party="hospital", facts=COSMETIC))
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/budget")
    page.get_by_role("link", name="More rules").click()
    assert "You have no rule" in page.inner_text("main")
    tab_to(page, "Add the rule")
    press(page)
    assert "Choose a clinic or a kind of care." in page.inner_text("main")
    assert page.title().startswith("Error:")
    page.get_by_label("Clinic", exact=True).select_option(label="Town hospital")
    page.get_by_label("Nothing: ask me each time").check()
    tab_to(page, "Add the rule")
    press(page)
    page.get_by_label("Or a kind of care").select_option(label="Care for looks")
    page.get_by_label("Up to this much a visit").check()
    page.get_by_label("How much a visit").fill("much")
    page.get_by_role("button", name="Add the rule").click()
    assert "This is no amount" in page.inner_text("main")
    page.get_by_label("How much a visit").fill("20")
    page.get_by_role("button", name="Add the rule").click()
    said = page.inner_text("main")
    assert "We ask you first: Town hospital." in said
    assert "Paid without asking up to $20.00 a visit: Care for looks." in said
    assert town.market.register.mandate("ana").rules == (
        Rule(0, provider="hospital"),
        Rule(20 * MICROS, "USD", categories=("cosmetic",), per="visit"),
    )
    checked(page, axe, "my-automatic")
    # They hold: the hospital waits, the clinic is paid up to 20.
    town.clear(
        town.event("e2", 8, visit="v2", billing_party="hospital", facts=COSMETIC),
        town.event("e3", 8, visit="v3", facts=COSMETIC),
    )
    page.goto(f"{site.base}/my")
    assert page.get_by_role("link", name="Pay $8.00").count() == 1
    page.goto(f"{site.base}/my/automatic")
    page.get_by_role("button", name="Take away").first.click()
    assert [rule.provider for rule in town.market.register.mandate("ana").rules] == [""]
    quiet(page, site.base)
    page.context.close()


def test_the_order_of_pots_is_changed_and_given_back(site: Site, browser: Any) -> None:
    town = site.town
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/automatic")
    page.get_by_role("button", name="Move up").click()
    assert town.market.register.mandate("ana").order == ("ana-cash", "ana-gift")
    town.clear(town.event("e1", 3, facts=COSMETIC))
    left = [town.market.money.purses(ids=[pot])[0].pot.avail // MICROS for pot in ("ana-gift", "ana-cash")]
    assert left == [5, 92]
    page.get_by_role("button", name="Back to the usual order").click()
    assert town.market.register.mandate("ana").order == ()
    page.context.close()


def test_the_word_about_the_card_is_given_and_taken_back(site: Site, browser: Any) -> None:
    records = site.town.market.records
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/automatic")
    page.get_by_role("button", name="Yes, take it from my card").click()
    assert records.get(CONSENT, "ana").body["by_card"] is True
    assert "It may be taken from your card by itself" in page.inner_text("main")
    page.get_by_role("button", name="Do not take it from my card any more").click()
    assert records.get(CONSENT, "ana").body["by_card"] is False
    page.context.close()


def test_a_budget_for_one_kind_of_care(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/budget")
    page.get_by_text("A budget for one kind of care").click()
    page.get_by_label("Kind of care").select_option(label="Care for looks")
    page.locator("#amount-kind").fill("many")
    page.locator("details", has=page.locator("#kind")).get_by_role("button", name="Save").click()
    assert "This is no amount" in page.inner_text("main")
    page.locator("#amount-kind").fill("10")
    page.locator("details", has=page.locator("#kind")).get_by_role("button", name="Save").click()
    (budget,) = town.market.register.mandate("ana").budgets
    assert (budget.amount, budget.categories, budget.asks) == (10 * MICROS, ("cosmetic",), True)
    town.clear(town.event("e1", 14, facts=COSMETIC))
    page.goto(f"{site.base}/my/budget")
    said = page.inner_text("main")
    assert "Only for: Care for looks" in said
    assert "$10.00 of $10.00" in said
    checked(page, axe, "my-budget-kinds", (320, 1280))
    # The same kind again changes its amount; the budget for all care stands beside it.
    page.get_by_text("A budget for one kind of care").click()
    page.get_by_label("Kind of care").select_option(label="Care for looks")
    page.locator("#amount-kind").fill("30")
    page.locator("details", has=page.locator("#kind")).get_by_role("button", name="Save").click()
    page.locator("#amount").fill("99")
    page.locator("section", has=page.locator("#set")).get_by_role("button", name="Save").click()
    assert [one.amount // MICROS for one in town.market.register.mandate("ana").budgets] == [99, 30]
    page.get_by_role("button", name="Take this budget away").click()
    assert [one.amount // MICROS for one in town.market.register.mandate("ana").budgets] == [99]
    page.context.close()


def test_a_stale_or_foreign_form_changes_nothing(site: Site, browser: Any) -> None:
    town = site.town
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/automatic")
    town.desk.books.enrol(mandates={"ana": Mandate(7, stops=(Stop("clinic", "q"),))})
    page.get_by_label("Or a kind of care").select_option(label="Medicine")
    page.get_by_role("button", name="Add the rule").click()
    assert town.market.register.mandate("ana").version == 7
    page.goto(f"{site.base}/my/automatic")
    assert "Nothing is paid by itself to Town clinic" in page.inner_text("main")
    word = page.locator("input[name=csrf]").first.get_attribute("value")
    version = page.locator("input[name=version]").first.get_attribute("value")
    for path, form in (
        ("rules", {"take": "5"}),
        ("rules", {"provider": "nobody", "how": "all"}),
        ("rules", {"kind": "drug|lab", "how": "all"}),
        ("order", {"wallet": "strange"}),
        ("order", {}),
    ):
        sent = {"csrf": word or "", "version": version or "", **form}
        answer = page.context.request.post(f"{site.base}/my/automatic/{path}", form=sent)
        assert answer.status in (400, 403, 409, 422, 404), (path, form, answer.status)
    assert town.market.register.mandate("ana").version == 7
    page.context.close()
    relative = sign_in(site, browser, "ana", relation="relative")
    answer = relative.goto(f"{site.base}/my/automatic")
    assert answer is not None
    assert answer.status == 403
    relative.context.close()


def test_the_holder_gives_the_family_pot_a_budget(site: Site, browser: Any, axe: str, ask: Any) -> None:
    town = site.town

    def shared() -> str:
        wallet = str(ask("open_wallet", town.patient("ana"), body={"holder": "ana", "currency": "USD"}).body["id"])
        money = {"amount": {"micros": 50 * MICROS, "currency": "USD"}}
        assert ask("top_up_wallet", town.operator(), path={"wallet_id": wallet}, body=money).status == 201
        return wallet

    with ThreadPoolExecutor(1) as beside:
        wallet = beside.submit(shared).result()
    town.desk.books.enrol(mandates={"ana": Mandate(1, order=(wallet,))})
    town.clear(town.event("e1", 14, facts=COSMETIC))
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/budget")
    section = page.locator("section", has=page.locator("#pot-1"))
    section.get_by_label("Most in a month").fill("lots")
    section.get_by_role("button", name="Save").click()
    assert "This is no amount" in section.inner_text()
    section.get_by_label("Most in a month").fill("20")
    section.get_by_role("button", name="Save").click()
    assert "$14.00 of $20.00" in section.inner_text()
    assert "You see sums only" in section.inner_text()
    checked(page, axe, "my-budget-pot", (320, 1280))
    section.get_by_role("button", name="Take this budget away").click()
    assert "whole family" in section.inner_text()
    page.context.close()
    other = sign_in(site, browser, "dan")
    other.goto(f"{site.base}/my/budget")
    assert other.locator("#pot-1").count() == 0
    other.context.close()


def test_the_holder_gives_one_person_a_budget(site: Site, browser: Any, axe: str, ask: Any) -> None:
    town = site.town
    town.desk.books.enrol(members=[Member("dora", date(1975, 1, 1), "female", family="dans")])

    def shared() -> str:
        body = {"currency": "USD", "family": "dans", "funder": "town-fund", "holder": "dan"}
        wallet = str(ask("open_wallet", town.operator(), body=body).body["id"])
        ask("top_up_wallet", town.funder(), path={"wallet_id": wallet}, body={"amount": usd(90)})
        say_yes(town, ask, "dan", "dora")
        return wallet

    with ThreadPoolExecutor(1) as beside:
        wallet = beside.submit(shared).result()
    town.clear(town.event("d1", 12, member="dora"))
    page = sign_in(site, browser, "dan")
    page.goto(f"{site.base}/my/budget")
    section = page.locator("section", has=page.locator("#pot-1"))
    section.get_by_text("A budget for one person").click()
    section.get_by_label("Who?").select_option("dora")
    section.locator("details").get_by_label("Most in a month").fill("lots")
    section.locator("details").get_by_role("button", name="Save").click()
    assert "This is no amount" in section.inner_text()
    assert section.get_by_label("Who?").input_value() == "dora"
    section.locator("details").get_by_label("Most in a month").fill("15")
    section.locator("details").get_by_role("button", name="Save").click()
    assert "$12.00 of $15.00" in section.inner_text()
    checked(page, axe, "my-budget-person", (320, 1280))
    hers = section.locator("form", has=page.get_by_label("Most in a month for dora"))
    section.get_by_label("Most in a month for dora").fill("no")
    hers.get_by_role("button", name="Save").click()
    assert "This is no amount" in section.inner_text()
    section.get_by_label("Most in a month for dora").fill("40")
    hers.get_by_role("button", name="Save").click()
    assert "$12.00 of $40.00" in section.inner_text()
    # What somebody else has changed meanwhile is not written over.
    word = page.locator("input[name=csrf]").first.get_attribute("value") or ""
    for version in ("", '"x"'):
        sent = {"csrf": word, "version": version, "member": "dora", "amount": "7"}
        answer = page.context.request.post(f"{site.base}/my/budget/pots/{wallet}", form=sent)
        assert answer.status in (409, 412, 428), answer.status
    for member in ("ana", "nobody"):
        sent = {"csrf": word, "member": member, "amount": "7"}
        assert page.context.request.post(f"{site.base}/my/budget/pots/{wallet}", form=sent).status == 404
    page.reload()
    section.get_by_role("button", name="Take this budget away dora").click()
    assert "$40" not in section.inner_text()
    page.context.close()
    other = sign_in(site, browser, "dora")
    other.goto(f"{site.base}/my/budget")
    assert other.locator("#pot-1").count() == 0
    other.context.close()
