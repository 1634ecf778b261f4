"""Every page of staff in other languages: no English word left, nothing clipped, right to left where it has to be.

The pseudo-language finds what nobody marked, and what does not fit; Arabic finds what does not mirror. In CI each page
is opened in both at the narrowest and the widest screen, and asked for the rules at one of them; `make long` takes all
languages, widths and pages.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, clipped, english_left, faults, none, quiet, serving, shots, violations, watched
from desk_visitor import Visitor
from office_story import furnish_office

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.identity.routes import ROUTES
from drachm.adapters.rest.service.speech import LANGUAGES

EVERYTHING = ("Ola", [Role.CLERK, Role.FINANCE, Role.PRICE_EDITOR, Role.AUDITOR, Role.OPERATOR],
              ["clinic", "town-insurance"])  # fmt: skip
NAMES = ("Video visit, 11 minutes", "Heart monitor reading", "town-plan")
"""What stands in the name of a page."""
LEFT_OUT = ("/desk/sign-in/provider", "/desk/sign-in/return", "/desk/office/csv", "/desk/prices/{price_book_id}")
"""What leads elsewhere, is a file, or is the same page as that of a plan."""
NARROW, WIDE = 320, 1280


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    with serving(street, town, tmp_path) as site:
        town.clear(
            town.event("e1", 40, display="Video visit, 11 minutes"),
            town.event("e2", 1_234, display="Heart monitor reading", member="dan", visit="v2"),
            town.event("e4", 10, member="unknown-member", visit="v4"),
            town.event("e5", 0, display="Medicine refill", visit="v5"),
        )
        furnish_office(town, charges=90)
        yield site


def told(street: Any, town: Any, ask: Any) -> list[str]:
    """What others did before, and every page of the desk that can be opened by its address."""
    noor = Visitor(street, town, ask).signed_in("Noor", [Role.CLERK], ["clinic"])
    charge, event = noor.charge("e1"), noor.event("e4")
    one = {"charge_id": charge}
    shift = noor.open_shift()
    noor.get("open_desk_refund_form", one)
    form = {"reason": "sent_twice", "how": "whole", "most": "40", "note": "", "key": "k" * 24}
    refund = noor.post("propose_refund_at_desk", form, one).headers["location"]
    noor.post("take_cash_at_desk", {"wallet": "ana-cash", "amount": "30", "key": "c" * 24}, {"shift_id": shift})
    noor.get("open_desk_cash_refunds")
    cash = {"party": "clinic", "wallet": "ana-cash", "currency": "USD", "amount": "5", "consent": "12345678"}
    back = noor.post("propose_cash_refund_at_desk", {**cash, "key": "b" * 24}).headers["location"]
    owing = {"charge_id": noor.charge("e2")}
    noor.get("open_desk_write_off_form", owing)
    some = {"reason": "hardship", "amount": "3", "note": "", "key": "w" * 24}
    given_up = noor.post("write_off_at_desk", some, owing).headers["location"]
    ana = town.patient("ana")
    receipts = ask("list_receipts", ana).body["data"][:2]
    for receipt in receipts:
        ask("ask_question", ana, path={"receipt_id": receipt["id"]}, body={"choice": "not_received", "stop": True})
    waiting = ask("list_questions", town.clerk("clinic")).body["data"]
    noor.post("answer_question_at_desk", {"answer": "We looked."}, {"question_id": waiting[0]["id"]})
    noor.get("open_desk_emergency")
    noor.post("take_desk_emergency", {"reason": "safety", "words": "He does not speak", "minutes": "15"})
    noor.get("open_desk_charge", one)
    noor.get("open_desk_reviews")
    noor.post("end_desk_emergency", {})
    ada = Visitor(street, town, ask).signed_in("Ada", [Role.PRICE_EDITOR], ["town-insurance"])
    ada.get("open_desk_plan", {"plan_id": "town-plan"})
    assert ada.post("write_desk_plan", {"do": "begin", "version": "2027.1"}, {"plan_id": "town-plan"}).status == 303
    fay = Visitor(street, town, ask).signed_in("Fay", [Role.FINANCE], ["clinic"])
    review = fay.get("open_desk_reviews").body.partition('href="/desk/reviews/')[2].partition('"')[0]
    assert review.startswith("brk_")
    olga = Visitor(street, town, ask).signed_in("Olga", [Role.OPERATOR], [])
    olga.get("open_desk_erasures")
    wishes = [
        olga.post("ask_for_erasure_at_desk", {"member": one, "words": "", "key": one * 10}).headers["location"]
        for one in ("ana", "dan")
    ]
    no = {"ground": "legal_retention", "until": "2036-03-10", "note": ""}
    olga.post("refuse_erasure_at_desk", no, {"erasure_id": wishes[1].rpartition("/")[2]})
    return [
        *(
            "/desk",
            "/desk?show=stuck",
            "/desk?day=2026-03-01",
            "/desk/work",
            "/desk/messages",
            f"/desk/charges/{charge}",
        ),
        *(f"/desk/charges/{noor.charge('e2')}", f"/desk/events/{event}", "/desk/charges/chg_nothing"),
        *("/desk/questions", "/desk/refunds", refund, f"/desk/charges/{charge}/refund", "/desk/help"),
        *("/desk/cash-refunds", back, "/desk/write-offs", given_up, f"/desk/charges/{noor.charge('e2')}/write-off"),
        *("/desk/window", f"/desk/shifts/{shift}", "/desk/prices", "/desk/plans"),
        *("/desk/plans/town-plan?line=3&month=2026-02", "/desk/emergency", "/desk/reviews", f"/desk/reviews/{review}"),
        *("/desk/passkeys", "/desk/office?since=2025-12&until=2026-03", "/desk/office?since=2020-01"),
        *("/desk/office/books", "/desk/erasures", *wishes),
    ]


def places(site: Site, street: Any, ask: Any) -> list[str]:
    # The browser has an event loop of its own in this thread.
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(told, street, site.town, ask).result()


def forgotten(every: Sequence[str]) -> list[str]:
    """Pages of the desk that no place of the list opens."""
    pages = [one.template for one in ROUTES if one.reads and one.template.startswith("/desk")]
    patterns = {one: re.sub(r"\{[a-z_]+\}", "[^/?]+", one) for one in pages if one not in LEFT_OUT}
    return [one for one, pattern in patterns.items() if not any(re.fullmatch(rf"{pattern}(\?.*)?", to) for to in every)]


def at_desk(site: Site, browser: Browser, **context: Any) -> Page:
    page = watched(browser, WIDE, **context)
    page.goto(f"{site.base}/desk/sign-in?lang=en")
    page.locator("#token").fill(site.token(*EVERYTHING))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url == f"{site.base}/desk", page.inner_text("main")
    return page


def opened(page: Page, site: Site, place: str, language: str) -> None:
    page.goto(f"{site.base}{place}{'&' if '?' in place else '?'}lang={language}")
    html = page.locator("html")
    direction = "rtl" if language == "ar" else "ltr"
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == (language, direction), place


def test_no_english_is_left_and_nothing_is_clipped(
    site: Site, browser: Browser, axe: str, street: Any, ask: Any
) -> None:
    page = at_desk(site, browser)
    every = ["/desk/sign-in", *places(site, street, ask)]
    assert forgotten(every) == []
    wrong: list[str] = []
    for number, place in enumerate(every):
        for language in ("en-XA", "ar"):
            opened(page, site, place, language)
            if language == "en-XA":
                wrong += [f"{place}: English: {text}" for text in english_left(page, NAMES)]
            for width in (NARROW, WIDE):
                page.set_viewport_size({"width": width, "height": 860})
                if found := clipped(page):
                    wrong.append(f"{place} in {language} at {width} px: clipped: {found[:6]}")
                    shots(page, f"staff-clipped-{language}-{number:02}-{width}")
            if (number % 2 == 0) == (language == "ar"):
                page.set_viewport_size({"width": (NARROW, WIDE)[number // 2 % 2], "height": 860})
                shots(page, f"staff-{language}-{number:02}")
                wrong += [f"{place} in {language}: breaks {one}" for one in violations(page, axe)]
    assert wrong == [], "\n".join(wrong)
    quiet(page, site.base)
    page.context.close()


def test_answers_to_forms_speak_the_language_too(site: Site, browser: Browser, street: Any, ask: Any) -> None:
    page = at_desk(site, browser)
    opened(page, site, "/desk", "en-XA")
    for typed in ("40", "nothing at all"):
        page.locator("#search").fill(typed)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        none(english_left(page), f"after a search for {typed}")
        # No link opens the answer to a form again.
        assert page.locator("nav.tongues").count() == 0
    opened(page, site, "/desk", "en-XA")
    page.locator("tr[data-chosen] .first a").click()
    page.locator("form[action$='/link'] button").click()
    none(english_left(page), "the link of a receipt")
    opened(page, site, "/desk/window", "en-XA")
    page.locator("#window").fill("a window")
    page.locator("#laid_in").fill("1,5")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    none(english_left(page), "a shift that was not opened")
    opened(page, site, "/desk/help", "en-XA")
    page.locator("#code").fill("7K4M2QXD")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    none(english_left(page), "a code that opens nothing")
    quiet(page, site.base)
    page.context.close()


def test_a_language_is_chosen_at_the_foot_and_stays(site: Site, browser: Browser) -> None:
    page = at_desk(site, browser, locale="de-DE")
    assert page.locator("h1").inner_text().startswith("Today")
    page.goto(f"{site.base}/desk?day=2026-03-01")
    page.locator("nav.tongues a[hreflang=ar]").click()
    assert "day=2026-03-01" in page.url
    assert page.locator("html").get_attribute("dir") == "rtl"
    page.goto(f"{site.base}/desk/refunds")
    assert page.locator("h1").inner_text() == "المبالغ المستردة"
    page.goto(f"{site.base}/desk/refunds?lang=xx")
    assert page.locator("html").get_attribute("lang") == "ar"
    page.context.close()
    fresh = watched(browser, WIDE, locale="es-MX")
    fresh.goto(f"{site.base}/desk/sign-in")
    assert fresh.locator("html").get_attribute("lang") == "es"
    assert fresh.locator("h1").inner_text() == "Iniciar sesión"
    fresh.context.close()


@pytest.mark.long
@pytest.mark.parametrize("language", [*LANGUAGES, "en-XA"])
def test_every_page_in_every_language_and_width(
    site: Site, browser: Browser, axe: str, street: Any, ask: Any, language: str
) -> None:
    page = at_desk(site, browser)
    wrong: list[str] = []
    for number, place in enumerate(["/desk/sign-in", *places(site, street, ask)]):
        opened(page, site, place, language)
        wrong += [f"{place} {one}" for one in faults(page, axe, f"staff-every-{number:02}-{language}")]
    assert wrong == [], "\n".join(wrong)
    quiet(page, site.base)
    page.context.close()
