"""The desk in a real browser: by keyboard and without scripts, in every width and look, by the rules."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import clipped, press, shots, tab_to, violations
from desk_visitor import KEYS, sandboxed

from drachm.adapters.rest.identity.model import Environment, Role, anonymous
from drachm.adapters.rest.identity.routes import ROUTES
from drachm.adapters.rest.service.call import OPERATIONS
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.sandbox_people import sandbox_token
from drachm.adapters.rest.service.serving import Serving
from drachm.adapters.rest.transport.app import Service, add, build
from drachm.adapters.rest.transport.idempotency import MemoryKeys
from drachm.adapters.rest.transport.logs import AccessLog
from drachm.adapters.rest.transport.server import Worker, listen
from drachm.domain.events.model import Code
from drachm.domain.transparency.leaf import event_key

WIDTHS = (1280, 768, 320)
XSS = "<img src=x onerror=alert(1)><script>alert(2)</script>"


class Desk(NamedTuple):
    """The desk over HTTP."""

    base: str
    token: str
    charge: str
    event: str
    log: Path


@pytest.fixture
def desk(street: Any, town: Any, ask: Any, tmp_path: Path) -> Iterator[Desk]:
    log = tmp_path / "access.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    house = street.house
    sandboxed(street)

    async def gate(scope: Any, passage: Any) -> None:
        scope["principal"] = anonymous(Environment.SANDBOX)

    app = build(Service(gate=gate, access_log=AccessLog(descriptor)))
    serving = Serving(street.house, lambda _: MemoryKeys(lambda: 0.0), anyio.CapacityLimiter(4), now=town.clock.now)
    add(
        app,
        serving.routes(OPERATIONS[one.operation] for one in ROUTES if one.template.startswith(("/desk", "/static"))),
    )
    listener, worker, ready = listen(), Worker(app), threading.Event()
    worker.ready = ready.set
    thread = threading.Thread(target=lambda: asyncio.run(worker.serve(sockets=[listener])), daemon=True)
    thread.start()
    town.clear(
        town.event("e1", 40, display="Video visit, 11 minutes"),
        town.event("e2", 1_234, display="Heart monitor reading", member="dan", visit="v2"),
        town.event("e3", 25, display=XSS, visit="v3", code=Code("local", "test")),
        town.event("e4", 10, member="unknown-member", visit="v4"),
        town.event("e5", 0, display="Medicine refill", visit="v5"),
    )

    def name(prefix: str, event_id: str) -> str:
        key = event_key(town.tenant, "ehr", event_id)
        return row_name(prefix, town.market.index.of_key(key)[0], key)

    token = sandbox_token(
        KEYS, tenant=town.tenant, name="Noor", roles=[Role.CLERK], parties=["clinic"], at=town.clock.now()
    )
    assert ready.wait(20)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield Desk(base, token, name("chg", "e1"), name("evt", "e4"), log)
    worker.should_exit = True
    worker.watch.hurry = True
    thread.join(20)
    street.house = house
    os.close(descriptor)


def signed_in(browser: Browser, desk: Desk, **context: Any) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 860}, **context).new_page()
    page.goto(f"{desk.base}/desk/sign-in")
    page.get_by_role("textbox", name="Token").fill(desk.token)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url == f"{desk.base}/desk"
    return page


def checked(page: Page, axe: str, name: str, widths: tuple[int, ...] = WIDTHS) -> None:
    """No rule is broken and nothing is clipped, at every width."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 860})
        assert clipped(page) == [], (name, width)
        assert violations(page, axe) == [], (name, width)
        shots(page, f"desk-{name}-{width}")


def test_without_scripts_every_form_works(desk: Desk, browser: Browser) -> None:
    page = signed_in(browser, desk, java_script_enabled=False)
    page.get_by_role("link", name="Heart monitor reading").click()
    assert "The patient still owes $50.00" in page.inner_text("main")
    page.get_by_role("textbox", name="Name, receipt, amount or id").fill("ehr/e1")
    page.get_by_role("button", name="Find").click()
    assert page.url == f"{desk.base}/desk/charges/{desk.charge}"
    page.context.close()


def test_a_days_work_by_keyboard(desk: Desk, browser: Browser) -> None:
    page = signed_in(browser, desk)
    # Find a charge, and why it costs what it does.
    tab_to(page, "Video visit, 11 minutes")
    press(page)
    assert "/desk/charges/chg_" in page.url
    said = page.inner_text("main")
    for words in ("What happened to this money", "You pay the first 10 dollars of a year.", "Balanced", "Seal"):
        assert words in said
    tab_to(page, "Make a receipt link")
    press(page)
    assert "/r/" in page.inner_text(".address")
    # By an id, from anywhere.
    tab_to(page, "Name, receipt, amount or id")
    page.keyboard.type("ehr/e4")
    press(page)
    assert "This event is stuck" in page.inner_text("h1")
    tab_to(page, "Try again now")
    press(page)
    assert "still waits" in page.inner_text("[role=status]")
    # Cash.
    tab_to(page, "Cash")
    press(page)
    tab_to(page, "Window")
    page.keyboard.type("front-1")
    tab_to(page, "Cash in the box now")
    page.keyboard.type("50")
    press(page)
    tab_to(page, "Wallet")
    page.keyboard.type("ana-cash")
    tab_to(page, "Amount")
    page.keyboard.type("12.5")
    press(page)
    assert "$12.50 is booked" in page.inner_text("[role=status]")
    tab_to(page, "Counted")
    page.keyboard.type("62")
    press(page)
    assert "Too little in the box" in page.inner_text("main")
    assert "−$0.50" in page.inner_text(".hero")
    tab_to(page, "Sign out")
    press(page)
    assert page.url == f"{desk.base}/desk/sign-in"
    page.goto(f"{desk.base}/desk")
    assert page.url == f"{desk.base}/desk/sign-in"
    page.context.close()


def test_no_rule_is_broken_and_nothing_is_clipped(desk: Desk, browser: Browser, axe: str) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{desk.base}/desk/sign-in")
    checked(page, axe, "sign-in")
    page.get_by_role("textbox", name="Token").fill("x.y.z")
    press(page)
    checked(page, axe, "sign-in-wrong", (320,))
    page.context.close()
    page = signed_in(browser, desk)
    checked(page, axe, "today")
    page.goto(f"{desk.base}/desk?day=2026-03-01")
    checked(page, axe, "empty", (320,))
    page.goto(f"{desk.base}/desk/charges/{desk.charge}")
    checked(page, axe, "charge")
    page.get_by_role("button", name="Make a receipt link").click()
    checked(page, axe, "link", (1280, 320))
    page.goto(f"{desk.base}/desk/events/{desk.event}")
    checked(page, axe, "event", (1280, 320))
    page.goto(f"{desk.base}/desk/charges/chg_nothing")
    checked(page, axe, "nothing", (320,))
    page.goto(f"{desk.base}/desk/window")
    page.get_by_role("textbox", name="Window").fill("front-1")
    page.get_by_role("textbox", name="Cash in the box now").fill("1,5")
    press(page)
    checked(page, axe, "window-wrong", (320,))
    page.get_by_role("textbox", name="Cash in the box now").fill("50")
    press(page)
    page.get_by_role("textbox", name="Wallet").fill("ana-cash")
    page.get_by_role("textbox", name="Amount in").fill("12.50")
    press(page)
    checked(page, axe, "shift")
    page.get_by_role("textbox", name="Counted").fill("62")
    press(page)
    checked(page, axe, "counted", (1280, 320))
    page.goto(f"{desk.base}/desk/window")
    checked(page, axe, "window")
    page.context.close()


def test_other_looks_break_no_rule(desk: Desk, browser: Browser, axe: str) -> None:
    looks: dict[str, Any] = {
        "dark": {"color_scheme": "dark"},
        "contrast": {"contrast": "more"},
        "forced": {"forced_colors": "active"},
    }
    for look, context in looks.items():
        page = signed_in(browser, desk, **context)
        checked(page, axe, f"today-{look}", (1280,))
        page.goto(f"{desk.base}/desk/charges/{desk.charge}")
        checked(page, axe, f"charge-{look}", (1280,))
        page.context.close()


def test_nothing_foreign_is_loaded_nothing_runs_and_no_id_of_a_person_is_logged(
    desk: Desk,
    browser: Browser,
) -> None:
    page = browser.new_context().new_page()
    seen: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.goto(f"{desk.base}/desk/sign-in")
    page.get_by_role("textbox", name="Token").fill(desk.token)
    press(page)
    assert XSS in page.inner_text("main")
    page.get_by_text(XSS).click()
    assert XSS in page.inner_text("h1")
    page.get_by_role("link", name="Today").click()
    assert {"/".join(url.split("/")[:3]) for url in seen} == {desk.base}
    assert errors == []
    (kept,) = [one for one in page.context.cookies() if one["name"] == "drachm_desk"]
    assert (kept["httpOnly"], kept["sameSite"], kept["path"]) == (True, "Lax", "/desk")
    page.context.close()
    for _ in range(40):
        lines = desk.log.read_text()
        if "/desk/charges/{charge_id}" in lines:
            break
        threading.Event().wait(0.1)
    assert '"route":"/desk/charges/{charge_id}"' in lines
    for secret in ("ana", "Video", desk.charge, kept["value"], desk.token, "Noor"):
        assert secret not in lines


def test_a_slip_is_one_page_with_the_whole_address(desk: Desk, browser: Browser) -> None:
    page = signed_in(browser, desk)
    page.goto(f"{desk.base}/desk/charges/{desk.charge}")
    page.get_by_role("button", name="Make a receipt link").click()
    page.emulate_media(media="print")
    assert page.locator("form:visible, header:visible, footer:visible").count() == 0
    pdf = page.pdf(width="80mm", height="297mm", print_background=True)
    if folder := os.environ.get("DRACHM_SHOTS"):
        (Path(folder) / "desk-slip.pdf").write_bytes(pdf)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    page.set_viewport_size({"width": 272, "height": 900})
    assert clipped(page) == []
    assert page.get_by_text("shown only now").is_visible() is False
    page.context.close()


def test_targets_are_large_and_the_focus_is_seen(desk: Desk, browser: Browser) -> None:
    page = signed_in(browser, desk)
    page.set_viewport_size({"width": 320, "height": 740})
    for place in ("/desk", f"/desk/charges/{desk.charge}", "/desk/window"):
        page.goto(desk.base + place)
        stops = 0
        for _ in range(60):
            page.keyboard.press("Tab")
            stop = page.evaluate(
                """() => {const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
                return e === document.body ? null : [e.outerHTML.slice(0, 90), s.outlineStyle, b.width, b.height]}"""
            )
            if stop is None:
                break
            stops += 1
            said, outline, width, height = stop
            assert outline == "solid", said
            assert min(width, height) >= 24, said
        assert stops > 8
    page.context.close()
