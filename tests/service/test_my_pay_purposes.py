"""Money for a purpose on the page to pay: only pots that can pay are offered, and of the others it says why not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, checked, press, quiet, serving, sign_in, tab_to

from drachm.application.body import TopUp
from drachm.application.pay_due import may_pay
from drachm.application.top_up import top_up
from drachm.domain.errors import Conflict
from drachm.domain.funding.mandate import Mandate, Rule
from drachm.domain.funding.model import Pot
from drachm.domain.funding.purpose import Purpose
from drachm.domain.money import MICROS
from drachm.domain.transparency.leaf import event_key

COSMETIC = {"category": "cosmetic"}


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    # Nothing is paid by itself, so that everything is due.
    town.desk.books.enrol(mandates={"ana": Mandate(1, rules=(Rule(0),))})
    pots = {
        "teeth": Purpose(categories=("dental", "lab")),
        "looks": Purpose(categories=("cosmetic",)),
        "strict": Purpose(expenses="not-published"),
    }
    town.desk.books.enrol(pots=[Pot(name, "ana", "USD", 0, purpose=purpose) for name, purpose in pots.items()])
    for name in pots:
        top_up(TopUp("drachm top-ups", name, name, "ana", 50 * MICROS, "USD", "bank", town.clock.now()), town.desk)
    town.follow()
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


def left(town: Any, pot: str) -> int:
    return town.market.money.purses(ids=[pot])[0].pot.avail // MICROS


def test_only_pots_that_can_pay_are_offered_and_the_others_say_why(site: Site, browser: Any, axe: str) -> None:
    town = site.town
    town.clear(
        town.event("e1", 14, billing_party="hospital", facts=COSMETIC),
        town.event("e2", 8, billing_party="hospital", facts={"category": "lab"}),
    )
    page = sign_in(site, browser, "ana")
    tab_to(page, "Pay $")
    press(page)
    said = page.inner_text("main")
    assert "It pays for a part of this visit: $14.00." in said
    closed = page.locator("section", has=page.locator("#closed")).inner_text()
    assert "The rules of this pocket are not published for this day." in closed
    assert page.locator("input[name=wallet][value=strict]").count() == 0
    checked(page, axe, "my-pay-closed")
    visit = page.url.rpartition("visit=")[2]
    # Chosen all the same, by its address.
    page.goto(f"{site.base}/my/pay/check?visit={visit}&wallet=strict")
    assert "cannot pay for this" in page.inner_text("main")
    assert page.get_by_role("button", name="Pay $").count() == 0
    checked(page, axe, "my-pay-check-closed", (320,))
    page.get_by_role("link", name="Choose another pot").click()
    # One that may pay a part pays that part, and says what stays.
    page.locator("input[name=wallet][value=looks]").check()
    page.get_by_role("button", name="Next").click()
    assert "It does not pay for all of this visit" in page.inner_text("main")
    page.get_by_role("button", name="Pay $14.00 now").click()
    assert "/my/pay/done" in page.url
    assert (left(town, "looks"), left(town, "teeth")) == (36, 50)
    quiet(page, site.base)
    page.context.close()


def test_where_no_pot_may_pay_the_page_says_so(site: Site, browser: Any) -> None:
    town = site.town
    town.desk.books.enrol(pots=[Pot("only", "cleo", "USD", 0, purpose=Purpose(categories=("dental", "lab")))])
    top_up(TopUp("drachm top-ups", "o", "only", "cleo", 50 * MICROS, "USD", "bank", town.clock.now()), town.desk)
    town.clear(town.event("e1", 14, member="cleo", billing_party="hospital", facts=COSMETIC))
    page = sign_in(site, browser, "cleo")
    page.locator("article a.button").first.click()
    said = page.inner_text("main")
    assert "No pot of yours can pay for this care" in said
    assert "It is only for: Teeth and Lab tests." in said
    assert page.get_by_role("button", name="Next").count() == 0
    page.context.close()


def test_what_may_pay_is_asked_of_a_charge_that_is_there(town: Any) -> None:
    with pytest.raises(Conflict):
        may_pay(event_key(town.tenant, "ehr", "nobody"), town.desk)
