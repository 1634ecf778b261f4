"""Visits and receipts of a patient in a real browser: what they say, to whom, and that they hold in every width."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import XSS, Site, checked, press, quiet, serving, shots, sign_in, tab_to, watched

from drachm.adapters.rest.service.my_receipts import guarded
from drachm.adapters.rest.service.names import row_name
from drachm.application.ties import revoke, ties_to
from drachm.domain.events.model import Code
from drachm.domain.transparency.leaf import event_key


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    town.clear(
        town.event("e1", 40),
        town.event("e2", 16, code=Code("local", "test"), display="Heart monitor reading"),
        town.event("e3", 12, code=Code("local", "drug"), display="Medicine refill"),
        town.event("e4", 25, visit="v2", display="Blood test", facts={"category": "preventive"}),
        town.event("e5", 60, visit="v3", display="Scan", facts={"category": "cosmetic"}),
    )
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


def receipt(town: Any, event_id: str) -> str:
    key = event_key(town.tenant, "ehr", event_id)
    return row_name("rcp", town.market.index.of_key(key)[0], key)


def test_view_visit_and_why_by_keyboard(site: Site, browser: Any, axe: str) -> None:
    page = sign_in(site, browser, "ana")
    checked(page, axe, "my-home")
    cards = page.locator("article.card")
    assert cards.count() == 3
    said = cards.nth(2).inner_text()
    for words in ("Town clinic", "You paid", "$21.60", "Nothing more to pay", "The visit cost $68.00", "$46.40"):
        assert words in said, said
    said = cards.nth(1).inner_text()
    assert "$0.00" in said
    assert "Insurance paid all of it" in said
    cards.nth(2).locator("a").first.focus()
    press(page)
    assert "/my/visits/vis_" in page.url
    checked(page, axe, "my-visit")
    tab_to(page, "What it was for")
    press(page)
    assert page.locator(".part").count() == 3
    checked(page, axe, "my-parts")
    tab_to(page, "Why?")
    press(page)
    said = page.inner_text("main")
    for words in (
        "Why you pay $16.00",
        "You pay the first part",
        "$10.00",
        "$6.00",
        "Agreed price",
        "Adds up to the cent",
    ):
        assert words in said, said
    checked(page, axe, "my-why")
    page.goto(f"{site.base}/my/receipts")
    checked(page, axe, "my-receipts")
    page.locator(".rows a").first.click()
    checked(page, axe, "my-receipt")
    quiet(page, site.base)
    page.context.close()


def test_looks_and_languages_hold(site: Site, browser: Any, axe: str) -> None:
    page = sign_in(site, browser, "ana")
    places = ["/my", f"/my/receipts/{receipt(site.town, 'e1')}/why"]
    for query in ("lang=ar", "lang=de&size=large", "lang=en-XA&size=normal&theme=dark", "lang=zh-Hans&theme=contrast"):
        for number, place in enumerate(places):
            page.goto(f"{site.base}{place}?{query}")
            name = f"my-{number}-{query.replace('&', '-').replace('=', '-')}"
            # Larger text is what 200 % is for: one or the other.
            checked(page, axe, name, (320,), large="large" not in query)
    page.goto(f"{site.base}/my")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert page.locator("html").get_attribute("data-theme") == "contrast"
    page.context.close()
    for look in ({"color_scheme": "dark"}, {"contrast": "more"}, {"forced_colors": "active"}):
        page = sign_in(site, browser, "ana", **look)
        checked(page, axe, f"my-home-{'-'.join(look.values())}", (375,), large=False)
        page.context.close()


def test_a_relative_sees_amounts_and_never_what_the_care_was(site: Site, browser: Any) -> None:
    page = sign_in(site, browser, "ana", relation="relative")
    for place in ("/my", "/my/receipts", f"/my/receipts/{receipt(site.town, 'e5')}"):
        page.goto(site.base + place)
        html = page.content()
        assert "$" in html
        for word in ("Scan", "Blood", "Medicine", "cosmetic", "Town clinic"):
            assert word not in html, (place, word)
    page.goto(f"{site.base}/my/receipts/{receipt(site.town, 'e5')}/why")
    assert "This is not open to you" in page.inner_text("main")
    page.context.close()


def test_another_patient_finds_nothing(site: Site, browser: Any) -> None:
    mine = sign_in(site, browser, "ana")
    visit = mine.locator("article a").first.get_attribute("href")
    mine.context.close()
    page = sign_in(site, browser, "dan")
    for place in (visit, f"{visit}/parts", f"/my/receipts/{receipt(site.town, 'e1')}", "/my/receipts/rcp_nothing"):
        page.goto(site.base + place)
        assert "Nothing here" in page.inner_text("main"), place
    page.goto(f"{site.base}/my?for=ana")
    assert "No visits yet" in page.inner_text("main")
    page.context.close()


def test_a_tie_that_is_revoked_closes_the_page_at_once(site: Site, browser: Any) -> None:
    page = sign_in(site, browser, "ana", relation="relative")
    assert page.locator("article.card").count() == 3
    (tie,) = ties_to(site.town.market.records, "ana")
    revoke(site.town.market.records, tie, "test", site.town.clock.now())
    page.reload()
    assert "Nobody’s pages yet" in page.inner_text("main")
    page.context.close()


def test_a_link_and_its_answer_open_one_visit_and_no_more(site: Site, browser: Any, ask: Any) -> None:
    with ThreadPoolExecutor(1) as elsewhere:
        path = {"receipt_id": receipt(site.town, "e1")}
        made = elsewhere.submit(ask, "create_receipt_link", site.town.clerk(), path, body={}).result()
    page = watched(browser)
    page.goto(f"{site.base}/r/{made.body['url'].rpartition('/')[2]}")
    for name, value in (("Day", "1"), ("Month", "5"), ("Year", "1990")):
        page.get_by_label(name, exact=True).fill(value)
    with page.expect_navigation():
        page.get_by_role("button", name="Show what it was for").click()
    with page.expect_navigation():
        page.get_by_role("button", name="Open the whole visit").click()
    assert "/my/visits/vis_" in page.url
    assert "$21.60" in page.inner_text("main")
    assert page.locator("nav.ways a").count() == 0
    page.get_by_role("link", name="What it was for").click()
    assert "Heart monitor reading" in page.inner_text("main")
    own = f"/my/receipts/{receipt(site.town, 'e2')}/why"
    page.goto(site.base + own)
    assert "Agreed price" in page.inner_text("main")
    for place in ("/my", "/my/receipts", "/my/receipts.csv", f"/my/receipts/{receipt(site.town, 'e4')}"):
        page.goto(site.base + place)
        assert page.locator("[role=alert]").count() == 1, place
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(ask, "revoke_receipt_links", site.town.clerk(), path).result()
    page.goto(site.base + own)
    assert page.url == f"{site.base}/my/sign-in"
    page.context.close()


def test_the_table_has_every_receipt_and_no_formula(site: Site, browser: Any) -> None:
    site.town.clear(site.town.event("e9", 30, visit="v9", display="=HYPERLINK(1)"))
    page = sign_in(site, browser, "ana")
    answer = page.context.request.get(f"{site.base}/my/receipts.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text().lstrip("\ufeff"))))
    assert len(rows) == 6
    assert rows[0]["care"] == "'=HYPERLINK(1)"
    assert {row["you"] for row in rows} >= {"16.00", "0.00", "60.00"}
    assert answer.headers["content-type"].startswith("text/csv")
    page.context.close()
    for text in ("=1", "+1", "-1", "@x", "\tx", "\r=1"):
        assert guarded(text) == "'" + text
    assert guarded("Ana 1-2") == "Ana 1-2"


def test_no_text_of_others_runs(site: Site, browser: Any) -> None:
    site.town.clear(
        *[
            site.town.event(f"x{number}", 30 + number, visit=f"x{number}", display=text)
            for number, text in enumerate(XSS)
        ]
    )
    page = sign_in(site, browser, "ana")
    for _ in range(4):
        for text in page.locator("article.card").all_inner_texts():
            assert "$" in text
        more = page.get_by_role("link", name="Earlier visits")
        if not more.count():
            break
        more.click()
    for number, text in enumerate(XSS):
        page.goto(f"{site.base}/my/receipts/{receipt(site.town, f'x{number}')}/why")
        assert text.split("\u202e")[0] in page.locator("main").text_content()
    page.goto(f"{site.base}/my/receipts")
    quiet(page, site.base)
    page.context.close()


def test_it_prints_as_a_good_pdf(site: Site, browser: Any, tmp_path: Path) -> None:
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my/receipts/{receipt(site.town, 'e1')}")
    page.emulate_media(media="print")
    assert page.locator("form:visible, nav:visible, .head .looks:visible, button:visible").count() == 0
    pdf = page.pdf(format="A4", print_background=True, tagged=True)
    assert b"/StructTreeRoot" in pdf
    page.set_viewport_size({"width": 764, "height": 1000})
    shots(page, "my-receipt-paper")
    page.context.close()
