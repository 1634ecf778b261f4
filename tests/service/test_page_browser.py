"""The page in a real browser: every width, dark, forced colours, on paper, by keyboard, without scripts, by the rules.

Chromium is Debian's (`apt-get install chromium`), axe-core comes from the lock file in `axe/`. Where one of them is
missing the tests are NOT RUN: skipped on a developer's machine, failed in CI.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import LOOKS, clipped, shots, violations

from drachm.adapters.rest.identity.model import Environment, anonymous
from drachm.adapters.rest.service.call import OPERATIONS
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.serving import Serving
from drachm.adapters.rest.transport.app import Application, Service, add, build
from drachm.adapters.rest.transport.idempotency import MemoryKeys
from drachm.adapters.rest.transport.logs import AccessLog
from drachm.adapters.rest.transport.server import Worker, listen
from drachm.domain.transparency.leaf import event_key

PAGES = ("open_receipt_page", "give_second_factor", "open_receipt_services", "open_visit_of_link", "get_static_file")
SERVICE = "Video visit"
PAPERS = {"80 mm": ("80mm", "297mm"), "A6": ("105mm", "148mm"), "A4": ("210mm", "297mm")}


class Site(NamedTuple):
    """The pages over HTTP, and links of every kind to them."""

    base: str
    paid: str
    due: str
    held: str
    code: str
    log: Path

    def address(self, token: str) -> str:
        return f"{self.base}/r/{token}"


def application(street: Any, clock: Any, log: int) -> Application:
    async def gate(scope: Any, passage: Any) -> None:
        scope["principal"] = anonymous(Environment.SANDBOX)

    app = build(Service(gate=gate, access_log=AccessLog(log)))
    serving = Serving(street.house, lambda _: MemoryKeys(lambda: 0.0), anyio.CapacityLimiter(4), now=clock)
    add(app, serving.routes(OPERATIONS[name] for name in PAGES))
    return app


@pytest.fixture
def site(street: Any, town: Any, ask: Any, tmp_path: Path) -> Iterator[Site]:
    log = tmp_path / "access.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    listener = listen()
    # Time goes on for the page's cookie: a browser counts by its own clock.
    worker = Worker(application(street, town.clock.now, descriptor))
    thread = threading.Thread(target=lambda: asyncio.run(worker.serve(sockets=[listener])), daemon=True)

    def link(body: dict[str, Any] | None = None, **changes: Any) -> str:
        (outcome,) = town.clear(town.event(**{"display": SERVICE, **changes}))
        name = row_name("rcp", outcome.position, event_key(town.tenant, "ehr", outcome.event_id))
        # Playwright has an event loop in this thread; a call of ours wants one of its own.
        with ThreadPoolExecutor(1) as elsewhere:
            path = {"receipt_id": name}
            made = elsewhere.submit(ask, "create_receipt_link", town.clerk(), path, body=body or {}).result()
        return str(made.body["url"].rpartition("/")[2])

    ready = threading.Event()
    worker.ready = ready.set
    thread.start()
    assert ready.wait(20)
    yield Site(
        f"http://127.0.0.1:{listener.getsockname()[1]}",
        paid=link(),
        due=link(event_id="e2", member="dan", dollars=12_345),
        held=link({"second_factor": {"question": "none"}}, event_id="e3", kind="hold"),
        code=link({"second_factor": {"question": "code", "answer": "blue 42 moon"}}, event_id="e4"),
        log=log,
    )
    worker.should_exit = True
    worker.watch.hurry = True
    thread.join(20)
    os.close(descriptor)


def open_page(browser: Browser, address: str, width: int = 360, **context: Any) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 740}, **context).new_page()
    page.goto(address)
    return page


def give_birth_date(page: Page, year: str = "1990") -> None:
    for name, value in (("Day", "1"), ("Month", "5"), ("Year", year)):
        page.get_by_label(name, exact=True).fill(value)
    with page.expect_navigation():
        page.get_by_role("button", name="Show what it was for").click()


@pytest.mark.parametrize("look", LOOKS)
def test_no_rule_is_broken_and_nothing_is_clipped_in_any_width_and_look(
    site: Site, browser: Browser, axe: str, look: str
) -> None:
    page = open_page(browser, "about:blank", **LOOKS[look])
    for name in ("paid", "due", "held", "code", "services"):
        page.goto(site.address(site.paid if name == "services" else getattr(site, name)))
        if name == "services":
            give_birth_date(page)
            page.locator("main summary").first.click()
        for width in (1280, 360, 320):
            page.set_viewport_size({"width": width, "height": 740})
            assert clipped(page) == [], (width, name)
            shots(page, f"{name}-{width}-{look}")
        assert violations(page, axe) == [], name
    page.context.close()


def test_wrong_answers_and_closed_links_break_no_rule_either(site: Site, browser: Browser, axe: str) -> None:
    page = open_page(browser, site.address(site.paid), 320)
    give_birth_date(page, "1991")
    assert page.title().startswith("Error: ")
    assert violations(page, axe) == []
    shots(page, "wrong-320")
    for _ in range(5):
        give_birth_date(page, "1991")
    assert "Wait 15 minutes" in page.inner_text("main")
    assert violations(page, axe) == []
    shots(page, "locked-320")
    page.goto(site.address("v1.nothing"))
    assert "This link does not open" in page.inner_text("h1")
    assert (violations(page, axe), clipped(page)) == ([], [])
    shots(page, "unknown-320")


def test_large_text_and_spaced_text_fit_a_small_phone(site: Site, browser: Browser) -> None:
    spaced = (
        "*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}"
        "p{margin-bottom:2em!important}"
    )
    for token in (site.paid, site.due):
        page = open_page(browser, site.address(token) + "?size=large", 320)
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == 26
        assert clipped(page) == []
        shots(page, f"large-320-{token[-4:]}")
        page.context.close()
        page = open_page(browser, site.address(token), 320, bypass_csp=True)
        page.add_style_tag(content=spaced)
        assert clipped(page) == []
        page.context.close()


def test_targets_are_large_and_the_focus_is_seen_on_every_stop(site: Site, browser: Browser) -> None:
    page = open_page(browser, site.address(site.paid))
    give_birth_date(page)
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
            return e === document.body ? null
              : [e.tagName, s.outlineStyle + s.outlineWidth, b.width, b.height, b.top]}"""
        )
        if stop is None:
            break
        stops.append(stop)
    assert [stop[0] for stop in stops] == ["A", "SUMMARY", "A", "BUTTON", "SUMMARY", "SUMMARY"]
    for tag, outline, width, height, top in stops:
        assert outline == "solid3px", tag
        assert width >= 44, tag
        assert height >= 44, tag
        assert top >= 0


def test_the_whole_way_by_keyboard_and_without_scripts(site: Site, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False).new_page()
    page.goto(site.address(site.paid) + "?size=large")
    page.get_by_label("Day", exact=True).focus()
    for text in ("1", "5", "1990"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/services?size=large")
    assert SERVICE in page.inner_text("main")
    page.locator("main summary").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("local visit").is_visible()


def test_a_code_opens_in_a_private_window_and_the_page_asks_again_without_cookies(site: Site, browser: Browser) -> None:
    page = open_page(browser, site.address(site.code))
    page.get_by_label("The code that the clinic gave you").fill("BLUE-42-moon")
    with page.expect_navigation():
        page.get_by_role("button").click()
    assert SERVICE in page.inner_text("main")
    page.context.clear_cookies()
    page.reload()
    assert SERVICE not in page.inner_text("main")
    assert page.get_by_role("button").is_visible()


def test_nothing_foreign_is_loaded_and_no_token_leaks(site: Site, browser: Browser) -> None:
    page = browser.new_context().new_page()
    seen: list[tuple[str, str]] = []
    errors: list[str] = []
    page.on("request", lambda request: seen.append((request.url, request.headers.get("referer", ""))))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(site.address(site.paid))
    give_birth_date(page)
    assert {"/".join(url.split("/")[:3]) for url, _ in seen} == {site.base}
    assert {referer for _, referer in seen if not referer.startswith(f"{site.base}/static/")} == {""}
    assert errors == []
    cookies = page.context.cookies()
    assert [(one["httpOnly"], one["sameSite"], one["path"]) for one in cookies] == [(True, "Strict", f"/r/{site.paid}")]
    page.context.close()
    lines = ""
    for _ in range(40):
        lines = site.log.read_text()
        if "/r/{token}/services" in lines:
            break
        threading.Event().wait(0.1)
    assert '"route":"/r/{token}"' in lines
    assert '"route":"/r/{token}/services"' in lines
    for secret in (site.paid, "1990", SERVICE, cookies[0]["value"]):
        assert secret not in lines


@pytest.mark.parametrize("paper", PAPERS)
def test_it_prints(site: Site, browser: Browser, tmp_path: Path, paper: str) -> None:
    page = open_page(browser, site.address(site.paid))
    give_birth_date(page)
    width, height = PAPERS[paper]
    page.emulate_media(media="print")
    assert page.locator("form:visible, .skip:visible, .size:visible").count() == 0
    pdf = page.pdf(width=width, height=height, print_background=True, tagged=True)
    (tmp_path / "receipt.pdf").write_bytes(pdf)
    if folder := os.environ.get("DRACHM_SHOTS"):
        (Path(folder) / f"{paper.replace(' ', '')}.pdf").write_bytes(pdf)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == (2 if paper == "A4" else 1)
    assert b"/StructTreeRoot" in pdf
    page.set_viewport_size({"width": 272 if paper == "80 mm" else 367 if paper == "A6" else 764, "height": 900})
    said = page.inner_text("main")
    for words in ("Town clinic", SERVICE, "$16.00", "Nothing more to pay", "What you do now"):
        assert words in said
    assert page.locator("details.why").is_visible() == (paper == "A4")
    if paper != "A4":
        smallest = page.evaluate(
            """() => Math.min(...[...document.querySelectorAll('main *')].filter(e => !e.closest('svg') &&
               e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e =>
               parseFloat(getComputedStyle(e).fontSize)))"""
        )
        assert smallest >= 14 * 96 / 72 - 0.01


def test_the_bar_is_as_long_as_the_shares(site: Site, browser: Browser) -> None:
    page = open_page(browser, site.address(site.paid), 1280)
    widths = page.evaluate(
        "[...document.querySelectorAll('.bar')[0].querySelectorAll('.seg')].map(s => s.getAttribute('width'))"
    )
    assert widths == ["60.0%", "40.0%"]
    label = page.locator(".bar").first.get_attribute("aria-label")
    assert label == "Of $40.00: insurance paid $24.00 and you paid $16.00."


def test_from_right_to_left_the_page_is_mirrored_and_amounts_are_not(site: Site, browser: Browser) -> None:
    page = open_page(browser, site.address(site.paid), 320)
    give_birth_date(page)
    where = (
        "[...document.querySelectorAll('.bar')[0].querySelectorAll('rect')].map(r => r.getBoundingClientRect().left)"
    )
    insurance, you = page.evaluate(where)
    assert insurance < you
    page.evaluate("document.documentElement.dir = 'rtl'")
    insurance, you = page.evaluate(where)
    assert insurance > you
    assert clipped(page) == []
    assert {one.get_attribute("dir") for one in page.locator(".money, .code, .hero bdi").all()} == {"ltr"}
    shots(page, "services-320-rtl")
