"""A patient's wallet in a real browser: what can be spent, the pots and their rules, a top-up with its fee, a rule."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "rails"))

import stripe_fake
from browsing import XSS, Site, checked, led_to, press, quiet, serving, sign_in, tab_to
from stripe_fake import FakeStripe

from drachm.adapters.stripe.rail import Stripe, client_for
from drachm.application.bank import BankAccount
from drachm.application.payments import KIND, begin, carry_out
from drachm.domain.money import MICROS
from drachm.domain.payments.model import Payment
from drachm.domain.payments.tariff import Tariff

Ask = Callable[..., Any]
IBAN = "NL26VAYB8060476890"


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    fake = FakeStripe()
    end = stripe_fake.serve(fake)
    yield fake
    end()


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path, fake: FakeStripe) -> Iterator[Site]:
    """A town with Stripe and a bank account, and pages in front of it."""
    stripe = Stripe(
        client_for(stripe_fake.KEY, address=fake.url, seconds=5),
        signing_secret=stripe_fake.SECRET,
        return_url="https://drachm.example/",
        now=town.clock.now,
        card_of=lambda member: None,
    )
    rails = {"stripe": stripe, "bank": BankAccount(IBAN)}
    town.market = replace(town.market, rails=rails, tariffs={"stripe": Tariff("USD", 29_000, 300_000)})
    street.markets[town.name] = town.market
    with serving(street, town, tmp_path) as site:
        yield site


@pytest.fixture
def asked(ask: Ask) -> Iterator[Ask]:
    """`ask` beside a running browser, which has this thread's event loop."""
    with ThreadPoolExecutor(1) as beside:
        yield lambda *given, **more: beside.submit(ask, *given, **more).result()


def send(page: Any, place: str, fields: dict[str, str]) -> int:
    """Send a form that the page itself does not hold; the status of the answer."""
    with page.expect_response(lambda one: one.request.is_navigation_request()) as answer, page.expect_navigation():
        page.evaluate(
            """([place, fields]) => {
              const form = document.createElement('form');
              form.method = 'post';
              form.action = place;
              for (const [name, value] of Object.entries(fields)) {
                const one = document.createElement('input');
                [one.name, one.value, one.type] = [name, value, 'hidden'];
                form.append(one);
              }
              document.body.append(form);
              form.submit();
            }""",
            [place, fields],
        )
    return int(answer.value.status)


def gift(ask: Ask, town: Any, dollars: int = 20, **order: Any) -> str:
    body = {"currency": "USD", "member": "ana", "funder": "town-fund", "pocket": "gift", **order}
    wallet = str(ask("open_wallet", town.operator(), body=body).body["id"])
    if dollars:
        money = {"amount": {"micros": dollars * MICROS, "currency": "USD"}}
        assert ask("top_up_wallet", town.operator(), path={"wallet_id": wallet}, body=money).status == 201
    return wallet


def payments(town: Any) -> int:
    return len(town.market.records.find(KIND))


def test_spendable_money_first_then_pots_in_their_order(site: Site, browser: Any, axe: str, asked: Ask) -> None:
    town = site.town
    gift(asked, town, expires_at="2026-12-31T00:00:00Z", categories=["dental", "primary_care"])
    asked("publish_expense_rules", town.operator(), body={"document": RULES})
    body = {"currency": "USD", "member": "ana", "pocket": "health_savings", "expense_rules": "hsa", "priority": 7}
    asked("open_wallet", town.operator(), body=body)
    page = sign_in(site, browser, "ana")
    tab_to(page, "Wallet")
    press(page)
    main = page.inner_text("main")
    assert "You can use now" in main
    assert "$100.00" in main.replace("\n", ""), "both pots of her own, and no gift"
    said = [one.inner_text().replace("\n", " ") for one in page.locator(".pots li").all()]
    assert [words.split()[1] for words in said] == ["Gift", "Cash", "Cash", "Health"]
    assert "Only for: dental, primary care." in said[0]
    assert "What is left on 31 December 2026 goes back to" in said[0]
    assert "Only for care that its rules allow." in said[3]
    checked(page, axe, "my-wallet")
    quiet(page, site.base)
    page.context.close()


def test_a_small_top_up_is_warned_of_before_it_is_asked(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/wallet")
    tab_to(page, "Top up")
    press(page)
    tab_to(page, "Amount in USD")
    page.keyboard.type("0.50")
    press(page)
    main = page.inner_text("main")
    assert "The fee takes 62.9 % of this payment: $0.3145." in main
    assert "From $14.29 on, it takes at most a twentieth." in main
    assert payments(town) == 0, "nothing was asked yet"
    checked(page, axe, "my-wallet-fee")
    tab_to(page, "Pay $0.50 all the same")
    press(page)
    assert "/my/wallet/payments/" in page.url
    assert page.get_by_role("link", name="Go on to pay").get_attribute("href").startswith("https://")
    assert payments(town) == 1
    checked(page, axe, "my-wallet-payment")
    quiet(page, site.base)
    page.context.close()


def test_a_transfer_says_what_to_write_and_two_taps_are_one_payment(site: Site, browser: Any, axe: str) -> None:
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/wallet/pots/ana-cash")
    page.locator("#amount").fill("25,50")
    page.locator("form[action$=top-up]").get_by_label("Bank transfer").check()
    fields = page.evaluate("() => [...new FormData(document.querySelector('form[action$=top-up]'))]")
    for _ in range(2):
        assert send(page, f"{site.base}/my/wallet/pots/ana-cash/top-up", dict(fields)) == 303
        assert "/my/wallet/payments/" in page.url
    assert payments(site.town) == 1
    main = page.inner_text("main")
    assert "$25.50" in main
    assert IBAN in main
    checked(page, axe, "my-wallet-transfer", widths=(320,))
    page.context.close()


def test_a_pot_shows_what_went_in_and_out_and_whose_it_is(site: Site, browser: Any, axe: str, asked: Ask) -> None:
    wallet = gift(asked, site.town, 30, priority=0)
    site.town.clear(site.town.event("e1", 40))
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/wallet/pots/{wallet}")
    main = page.inner_text("main")
    assert "Money in" in main
    assert "Care" in main
    assert page.locator("#amount").count() == 0, "nobody adds own money to a gift"
    checked(page, axe, "my-wallet-gift", widths=(320, 768))
    page.context.close()


def test_a_rule_is_switched_on_and_off(site: Site, browser: Any, axe: str) -> None:
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/wallet/pots/ana-cash")
    assert "Off. Nothing comes in without you." in page.inner_text("main")
    tab_to(page, "Switch it on")
    page.keyboard.press("Enter")
    for label, amount in (("When less than", "10"), ("bring in", "20"), ("never more", "nothing")):
        tab_to(page, label)
        page.keyboard.type(amount)
    press(page)
    most = led_to(page, "Write an amount in digits")
    assert most.get_attribute("name") == "month_cap"
    assert page.get_by_label("bring in").input_value() == "20"
    most.fill("100")
    press(page)
    assert "when less than $10.00 is left, $20.00 come in. Never more than $100.00" in page.inner_text("main")
    checked(page, axe, "my-wallet-rule", widths=(320, 375))
    tab_to(page, "Switch it off")
    press(page)
    assert "Off. Nothing comes in without you." in page.inner_text("main")
    page.context.close()


def test_what_is_left_goes_back_the_way_it_came(site: Site, browser: Any, axe: str, fake: FakeStripe) -> None:
    """Ten dollars by card can go back to it; what came over the window's counter stays."""
    town = site.town
    wish = Payment("pay_1", "stripe", "ana-cash", "ana", 10 * MICROS, "USD", town.clock.now())
    begin(wish, town.market.records, author="test")
    carry_out("pay_1", town.market.rails, town.desk, town.market.records)
    fake.pay("cs_test_1")
    carry_out("pay_1", town.market.rails, town.desk, town.market.records)
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/wallet/pots/ana-cash")
    form = page.locator("form[action$=pay-out]")
    form.locator("#out").fill("25")
    with page.expect_navigation():
        form.locator("button").click()
    main = page.inner_text("main")
    assert "We are sending $10.00 back the way it came in." in main
    assert "$15.00 stays here" in main
    assert town.desk.books.pots(["ana-cash"])["ana-cash"][0] == 95 * MICROS
    checked(page, axe, "my-wallet-out", widths=(320,))
    page.context.close()


@pytest.mark.parametrize("amount", ["", "0", "-5", "1,000", "1e3", "12.345", "٣", "99999999999", *XSS])
def test_nonsense_is_told_and_nothing_is_asked(site: Site, browser: Any, amount: str) -> None:
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/wallet/pots/ana-cash")
    page.locator("#amount").evaluate("(one, text) => { one.removeAttribute('maxlength'); one.value = text }", amount)
    with page.expect_navigation():
        page.locator("form[action$=top-up] button").click()
    assert "Write an amount in digits" in page.inner_text("main")
    assert payments(site.town) == 0
    quiet(page, site.base)
    page.context.close()


def test_strangers_and_relatives(site: Site, browser: Any) -> None:
    page = sign_in(site, browser, "ben")
    for place in ("pots/ana-cash", "pots/none", "payments/pay_none"):
        answer = page.goto(f"{site.base}/my/wallet/{place}")
        assert answer is not None
        assert answer.status == 404
    token = page.evaluate("() => document.querySelector('input[name=csrf]').value")
    fields = {"csrf": token, "key": "k" * 24, "amount": "25", "rail": "stripe"}
    place = f"{site.base}/my/wallet/pots/ana-cash"
    rule = {"below": "1", "month_cap": "100", "do": "on"}
    assert send(page, f"{place}/top-up", fields) == 404
    assert send(page, f"{place}/rule", {**fields, **rule}) == 404
    assert send(page, f"{place}/top-up", {**fields, "csrf": "x"}) == 403
    assert payments(site.town) == 0
    page.context.close()
    page = sign_in(site, browser, "ana", relation="relative")
    page.goto(f"{site.base}/my/wallet/pots/ana-cash")
    assert "Top up by itself" not in page.inner_text("main")
    assert page.locator("#amount").count() == 1, "a relative may pay in"
    fields["csrf"] = page.evaluate("() => document.querySelector('input[name=csrf]').value")
    assert send(page, f"{place}/rule", {**fields, **rule}) == 403
    page.context.close()


RULES: dict[str, Any] = {
    "id": "hsa",
    "version": "1",
    "zone": "UTC",
    "effective": {"from": "2026-01-01"},
    "rules": [],
    "otherwise": True,
}
