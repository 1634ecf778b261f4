"""A patient pays what is due and says what may be paid without asking, in a real browser, by keyboard and by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import XSS, Site, checked, press, quiet, serving, sign_in, tab_to
from family_helpers import put_terms

from drachm.adapters.rest.service.page_words import typed
from drachm.domain.coverage.model import Party
from drachm.domain.funding.mandate import Budget, Mandate, Rule, Stop
from drachm.domain.money import MICROS

SAME = {"sec-fetch-site": "same-origin"}
COSMETIC = {"category": "cosmetic"}
"""No cover helps with it: the price is the patient's share."""


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    rules = (Rule(0, provider="hospital"),)
    budgets = (Budget("all", 60 * MICROS, "USD", "America/New_York"),)
    town.desk.books.enrol(mandates={"ana": Mandate(1, budgets, rules)})
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


def left(town: Any, *pots: str) -> list[int]:
    return [town.market.money.purses(ids=[pot])[0].pot.avail // MICROS for pot in pots]


def test_what_is_due_is_checked_and_paid_by_keyboard(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    there = {"billing_party": "hospital", "facts": COSMETIC}
    town.clear(town.event("e1", 14, **there), town.event("e2", 8, **there))
    page = sign_in(site, browser, "ana")
    tab_to(page, "Pay $22.00")
    press(page)
    assert "/my/pay?visit=vis_" in page.url
    checked(page, axe, "my-pay")
    said = page.inner_text("main")
    for words in ("$22.00", "In the order you chose", "Cash, $95.00 in it", "Gift", "We took no money yet."):
        assert words in said or words == "Gift", said
    tab_to(page, "Next")
    press(page)
    assert "/my/pay/check" in page.url
    assert left(town, "ana-gift", "ana-cash") == [5, 95]
    checked(page, axe, "my-pay-check")
    shown = page.url
    tab_to(page, "Pay $22.00 now")
    press(page)
    assert "/my/pay/done" in page.url
    said = page.inner_text("main")
    assert "Your payment is booked" in said
    assert "Nothing more to pay" in said
    checked(page, axe, "my-pay-done")
    assert left(town, "ana-gift", "ana-cash") == [0, 78]
    # Back, and once more: nothing is due.
    page.goto(shown)
    assert "Nothing is to pay" in page.inner_text("main")
    quiet(page, site.base)
    page.context.close()


def test_a_double_tap_pays_once_and_less_than_due_stays_due(site: Site, browser: Any) -> None:
    town = site.town
    town.clear(town.event("e1", 90, billing_party="hospital", facts=COSMETIC))
    page = sign_in(site, browser, "ana", java_script_enabled=False)
    page.get_by_role("link", name="Pay").click()
    page.get_by_label("Gift").or_(page.get_by_label("Cash")).first.check()
    page.get_by_role("button", name="Next").click()
    fields = page.locator("main form input").all()
    form = {str(one.get_attribute("name")): str(one.get_attribute("value")) for one in fields}
    answers = [
        page.request.post(f"{site.base}/my/pay", form=form, headers=SAME, max_redirects=0).status for _ in range(2)
    ]
    assert answers == [303, 303]
    paid = int(form["amount"]) // MICROS
    assert sum(left(town, "ana-gift", "ana-cash")) == 100 - paid
    if paid < 90:
        page.goto(f"{site.base}/my")
        assert f"Pay ${90 - paid}.00" in page.inner_text("main")
    # Another's form, another's wallet, no amount: nothing moves.
    for wrong in ({"csrf": "x"}, {"wallet": "ben-cash"}, {"visit": "vis_nothing"}, {"key": ""}):
        again = {**form, "key": "other", **wrong}
        told = page.request.post(f"{site.base}/my/pay", form=again, headers=SAME, max_redirects=0)
        assert told.status in (403, 404), wrong
    assert sum(left(town, "ana-gift", "ana-cash")) == 100 - paid
    page.context.close()


def test_a_budget_and_what_is_paid_by_itself(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    town.clear(town.event("e1", 45, visit="v1", facts=COSMETIC), town.event("e2", 30, visit="v2", facts=COSMETIC))
    page = sign_in(site, browser, "ana")
    page.get_by_role("link", name="Budget").click()
    said = page.inner_text("main")
    for words in (
        "Budget for March 2026",
        "$60.00 of $60.00",
        "21 days left",
        "used up: we ask you before we pay more",
    ):
        assert words in said, said
    checked(page, axe, "my-budget")
    page.get_by_label("How much a month").fill("80,50")
    tab_to(page, "Save")
    press(page)
    assert "$60.00 of $80.50" in page.inner_text("main")
    assert "We ask you first before you pass $80.50." in page.inner_text("main")
    page.get_by_label("Up to this much a visit").check()
    page.get_by_label("How much a visit").fill("20")
    page.locator("section", has=page.locator("#itself")).get_by_role("button", name="Save").click()
    mandate = town.market.register.mandate("ana")
    assert mandate.rules == (Rule(0, "", "hospital"), Rule(20 * MICROS, "USD", per="visit"))
    assert page.get_by_label("How much a visit").input_value() == "20"
    page.get_by_label("How much a month").fill("a lot")
    page.locator("section", has=page.locator("#set")).get_by_role("button", name="Save").click()
    assert "This is no amount" in page.inner_text("main")
    assert page.title().startswith("Error:")
    checked(page, axe, "my-budget-wrong", (320,))
    page.goto(f"{site.base}/my/budget")
    page.get_by_role("button", name="Take the budget away").click()
    assert "No budget yet" in page.inner_text("main")
    checked(page, axe, "my-budget-none", (375,))
    assert town.market.register.mandate("ana").budgets == ()
    quiet(page, site.base)
    page.context.close()


def test_a_stale_form_changes_nothing(site: Site, browser: Any) -> None:
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/budget")
    site.town.desk.books.enrol(mandates={"ana": Mandate(7, stops=(Stop("clinic", "q"),))})
    page.get_by_label("How much a month").fill("10")
    page.locator("section", has=page.locator("#set")).get_by_role("button", name="Save").click()
    assert site.town.market.register.mandate("ana").version == 7
    page.goto(f"{site.base}/my/budget")
    assert "Nothing is paid by itself to Town clinic" in page.inner_text("main")
    page.context.close()


def test_who_else_sees_or_changes_nothing(site: Site, browser: Any) -> None:
    town = site.town
    town.clear(town.event("e1", 14, billing_party="hospital", facts=COSMETIC))
    mine = sign_in(site, browser, "ana")
    visit = mine.locator("article a").first.get_attribute("href").rpartition("/")[2]
    mine.context.close()
    for who, how in (("ana", {"relation": "relative"}), ("dan", {})):
        page = sign_in(site, browser, who, **how)
        for place in (f"/my/pay?visit={visit}", f"/my/pay/check?visit={visit}", f"/my/pay/done?visit={visit}"):
            page.goto(site.base + place)
            assert "$14" not in page.inner_text("main")
        page.goto(f"{site.base}/my/budget")
        assert "$60" not in page.inner_text("main")
        page.context.close()


def test_names_that_would_run_do_not(site: Site, browser: Any) -> None:
    town = site.town
    for number, text in enumerate(XSS):
        town.desk.books.enrol(parties=[Party(f"p{number}", ("provider",), text)])
    stops = tuple(Stop(f"p{number}", f"q{number}") for number in range(len(XSS)))
    budgets = tuple(
        Budget(f"b{n}", 9 * MICROS, "USD", categories=(text,))
        for n, text in enumerate(XSS)
        if "|" not in text and "/" not in text
    )
    town.desk.books.enrol(mandates={"ana": Mandate(2, budgets, stops=stops)})
    page = sign_in(site, browser, "ana")
    page.on("dialog", lambda dialog: pytest.fail("a text was run"))
    page.goto(f"{site.base}/my/budget")
    said = page.inner_text("main")
    assert "{{ 7 * 7 }}" in said
    assert page.locator("main img, main script, main iframe").count() == 0
    page.context.close()


def test_looks_and_languages_hold(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    town.clear(town.event("e1", 14, billing_party="hospital", facts=COSMETIC))
    page = sign_in(site, browser, "ana")
    visit = page.locator("article a").first.get_attribute("href").rpartition("/")[2]
    for query in ("lang=ar&size=large", "lang=de&size=large&theme=dark", "lang=zh-Hans&size=normal&theme=contrast"):
        for number, place in enumerate(("/my/budget?", f"/my/pay?visit={visit}&", f"/my/pay/check?visit={visit}&")):
            page.goto(f"{site.base}{place}{query}")
            checked(page, axe, f"my-money-{number}-{query.replace('&', '-').replace('=', '-')}", (320,))
    page.context.close()


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("60", 60 * MICROS),
        (" 60.5 ", 60_500_000),
        ("60,05", 60_050_000),
        ("0", 0),
        ("", None),
        ("-1", None),
        ("1e3", None),
        ("60.505", None),
        ("1.000,50", None),
        ("٦٠", None),
        ("9" * 10, None),
    ],
)
def test_an_amount_is_read_as_written(text: str, micros: int | None) -> None:
    assert typed(text, "USD") == micros


def test_something_is_wrong_is_said_answered_and_taken_back(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    town.clear(town.event("e1", 14, billing_party="hospital", facts=COSMETIC))
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/receipts")
    page.locator("a[href*='/my/receipts/rcp_']").first.click()
    tab_to(page, "Something is wrong")
    press(page)
    checked(page, axe, "my-question")
    page.get_by_role("button", name="Send it to the clinic").click()
    assert "Choose what is wrong." in page.inner_text("main")
    page.get_by_role("radio", name="The amount is wrong").check()
    page.get_by_label("Anything else, if you like").fill("\n".join(XSS))
    page.get_by_label("Pay this clinic nothing").check()
    page.get_by_role("button", name="Send it to the clinic").click()
    said = page.inner_text("main")
    assert "The clinic answers here." in said
    assert "nothing is paid to this clinic without asking you" in said
    assert XSS[0] in said
    assert [stop.provider for stop in town.market.register.mandate("ana").stops] == ["hospital"]
    checked(page, axe, "my-question-asked")
    page.get_by_role("radio", name="The amount is wrong").check()
    page.get_by_role("button", name="Send it to the clinic").click()
    assert "You asked this already." in page.inner_text("main")
    page.get_by_role("button", name="Take it back").click()
    assert "You took this back" in page.inner_text("main")
    assert town.market.register.mandate("ana").stops == ()
    quiet(page, site.base)


def test_a_question_is_the_patients_alone(site: Site, browser: Any) -> None:
    town = site.town
    town.clear(town.event("e1", 14, billing_party="hospital", facts=COSMETIC))
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/receipts")
    address = page.locator("a[href*='/my/receipts/rcp_']").first.get_attribute("href")
    stranger = sign_in(site, browser, "ben")
    gone = stranger.goto(f"{site.base}{address}/question")
    assert gone is not None
    assert gone.status == 404


def test_a_limit_in_a_shared_pot_is_told_before_it_is_paid(site: Site, browser: Any, ask: Any) -> None:
    town = site.town

    def shared() -> None:
        ana = town.patient("ana")
        wallet = ask("open_wallet", ana, body={"holder": "ana", "currency": "USD"}).body["id"]
        money = {"amount": {"micros": 50 * MICROS, "currency": "USD"}}
        assert ask("top_up_wallet", town.operator(), path={"wallet_id": wallet}, body=money).status == 201
        limit = {"amount": {"micros": 3 * MICROS, "currency": "USD"}, "every": "month", "categories": ["cosmetic"]}
        path = {"wallet_id": wallet, "member_id": "ana"}
        assert put_terms(ask, ana, path, {"limits": [limit]}).status == 200

    # The browser has an event loop of its own in this thread.
    with ThreadPoolExecutor(1) as beside:
        beside.submit(shared).result()
    town.clear(town.event("e1", 14, billing_party="hospital", facts=COSMETIC))
    page = sign_in(site, browser, "ana")
    tab_to(page, "Pay $14.00")
    press(page)
    page.get_by_role("radio", name="$3.00 in it").check()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Pay $3.00 now").click()
    assert "/my/pay/done" in page.url
    assert "$11.00" in page.inner_text("main")
