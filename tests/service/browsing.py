"""What every test of pages in a real browser needs: the browser, the rules, a service to browse, and a critical eye.

    from browsing import checked, serving, sign_in   # `browser` and `axe` are fixtures of conftest.py

    @pytest.fixture
    def site(street, town, tmp_path):
        with serving(street, town, tmp_path) as site:
            yield site

    def test_my_page(site, browser, axe):
        page = sign_in(site, browser, "ana")
        page.goto(site.base + "/my/wallet")
        checked(page, axe, "wallet")

`checked` asks for every rule of WCAG 2.2 (contrast AAA), that nothing is clipped at 320, 375, 768 and 1280 px, at 200 %
text at 320 px, and that nothing foreign was asked for; it leaves a picture of each width in the folder that
DRACHM_SHOTS names, else `.shots` of the repository, which git does not see. Chromium is Debian's; axe-core comes from
the lock file in `axe/`. Where one is missing tests are NOT RUN: skipped on a developer's machine, failed in CI.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from babel import Locale
from desk_visitor import KEYS, sandboxed
from playwright.sync_api import Browser, Page, sync_playwright

from drachm.adapters.rest.identity.model import Environment, Role, anonymous
from drachm.adapters.rest.identity.routes import ROUTES
from drachm.adapters.rest.service.call import OPERATIONS
from drachm.adapters.rest.service.my_live import live_routes
from drachm.adapters.rest.service.operations import every_operation
from drachm.adapters.rest.service.sandbox_people import ISSUER, sandbox_token
from drachm.adapters.rest.service.serving import Serving
from drachm.adapters.rest.transport.app import Service, add, build
from drachm.adapters.rest.transport.idempotency import MemoryKeys
from drachm.adapters.rest.transport.logs import AccessLog
from drachm.adapters.rest.transport.server import Worker, listen
from drachm.application.ties import Tie, allow, ties_of
from drachm.domain.money import CURRENCIES

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 375, 768, 1280)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "contrast": {"contrast": "more"},
    "forced": {"forced_colors": "active"},
}
XSS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    '"><svg onload=alert(3)>',
    "'-alert(4)-'",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(5)",
    "</title></style></script><script>alert(6)</script>",
    "<bdi dir=rtl>\u202e\u2066txt.exe",
)
"""Texts that run, or break a page, wherever somebody forgot to escape."""
_ENGLISH = Locale.parse("en")
_NOT_TRANSLATED = {
    "CSV",
    "drachm",
    "Drachm",
    *CURRENCIES,
    *(name for width in _ENGLISH.months["format"].values() for name in width.values()),
    *(name for width in _ENGLISH.days["format"].values() for name in width.values()),
}
_ROOT = Path(__file__).resolve().parent.parent.parent
_PATHS = ("/kiosk", "/s/", "/my", "/r/", "/static", "/desk", "/operator")


def not_run(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"NOT RUN: {why}")
    pytest.skip(f"NOT RUN: {why}")


def launched() -> Iterator[Browser]:
    """Debian's Chromium; Playwright's own download is never used."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        not_run("Chromium is needed for the page (Debian and Ubuntu: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def rules() -> str:
    """The rules, as a script for a page."""
    if not shutil.which("npm"):
        not_run("npm is needed for axe-core")
    folder = Path(os.environ["DRACHM_TEST_FOLDER"]) / "axe"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        script = folder / "node_modules" / "axe-core" / "axe.min.js"
        if not script.exists():
            for source in (Path(__file__).parent / "axe").glob("*.json"):
                shutil.copy(source, folder)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                not_run(f"npm ci: {done.stderr[-500:]}")
    return script.read_text()


@dataclass
class Site:
    """Every page over HTTP, on a port of its own."""

    base: str
    town: Any
    log: Path

    def token(self, name: str, roles: Sequence[Role], parties: Iterable[str] = ()) -> str:
        """A sandbox token of a person."""
        at = self.town.clock.now()
        return sandbox_token(KEYS, tenant=self.town.tenant, name=name, roles=list(roles), parties=list(parties), at=at)

    def tie(self, name: str, member: str, relation: Any = "self") -> Tie:
        """Let a person see a member's pages, as the member or as a relative."""
        at = self.town.clock.now()
        records = self.town.market.records
        here = [one for one in ties_of(records, f"{ISSUER}|{name}") if (one.member, one.relation) == (member, relation)]
        if here:
            return here[-1]
        key = f"rel_{len(name):02d}{name}{member}{relation}"
        tie = Tie(key, f"{ISSUER}|{name}", member, relation, at, at + timedelta(days=9), allowed_by="test")
        return allow(records, tie)


@contextmanager
def serving(street: Any, town: Any, folder: Path, **house: Any) -> Iterator[Site]:
    """The service of a town, on a thread; `house`: what is other in its house (help_phone=, step_up_micros=, ...)."""
    every_operation()
    log = folder / "access.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT)
    before = street.house
    sandboxed(street)
    street.house = replace(street.house, **house)

    async def gate(scope: Any, passage: Any) -> None:
        scope["principal"] = anonymous(Environment.SANDBOX)

    app = build(Service(gate=gate, access_log=AccessLog(descriptor)))
    routes = Serving(street.house, lambda _: MemoryKeys(lambda: 0.0), anyio.CapacityLimiter(4), now=town.clock.now)
    add(app, live_routes(routes, app.leaving))
    pages = [one for one in ROUTES if one.template.startswith(_PATHS) and not one.streams]
    add(app, routes.routes(OPERATIONS[one.operation] for one in pages))
    listener, worker, ready = listen(), Worker(app), threading.Event()
    worker.ready = ready.set
    thread = threading.Thread(target=lambda: asyncio.run(worker.serve(sockets=[listener])), daemon=True)
    thread.start()
    assert ready.wait(20)
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", town, log)
    worker.should_exit = True
    worker.watch.hurry = True
    thread.join(20)
    street.house = before
    os.close(descriptor)


def watched(browser: Browser, width: int = 360, **context: Any) -> Page:
    """A new page whose requests and complaints are remembered for `quiet`."""
    page = browser.new_context(viewport={"width": width, "height": 740}, **context).new_page()
    said: list[str] = []
    page.__dict__["said"], page.__dict__["seen"] = said, (seen := [])
    page.on("request", lambda request: seen.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("dialog", lambda dialog: (said.append(f"a script ran: {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: said.append(str(error)))
    return page


def quiet(page: Page, base: str) -> None:
    """Nothing foreign was asked for, no script of a stranger ran, and the browser complained of nothing."""
    seen, said = page.__dict__["seen"], page.__dict__["said"]
    foreign = [url for url in seen if not url.startswith((base, "about:", "data:"))]
    assert foreign == []
    # A page that says no has a status that the console repeats.
    assert [one for one in said if "the server responded with a status of" not in one] == []


def sign_in(
    site: Site, browser: Browser, member: str, *, relation: str = "self", width: int = 360, **context: Any
) -> Page:
    """A browser on whose pages somebody is signed in: the member, or a relative whom the member let in."""
    role = Role.PATIENT if relation == "self" else Role.RELATIVE
    name = f"{member} {relation}"
    site.tie(name, member, relation)
    page = watched(browser, width, **context)
    page.goto(f"{site.base}/my/sign-in")
    page.locator("#token").fill(site.token(name, [role]))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url == f"{site.base}/my", page.inner_text("main")
    return page


def at_desk(site: Site, browser: Browser, who: Any, width: int = 1280, **context: Any) -> Page:
    """A browser at the desk: `who` is a name, roles and parties."""
    page = watched(browser, width, **context)
    page.goto(f"{site.base}/desk/sign-in")
    page.locator("#token").fill(site.token(*who))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.startswith(f"{site.base}/desk"), page.inner_text("main")
    return page


def press(page: Page, key: str = "Enter") -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def tab_to(page: Page, words: str, most: int = 80) -> None:
    """Go on by the Tab key until what has the focus says these words."""
    for _ in range(most):
        page.keyboard.press("Tab")
        said = page.evaluate("() => document.activeElement.innerText || document.activeElement.labels?.[0]?.innerText")
        if said and words in said:
            return
    raise AssertionError(f"the Tab key does not lead to {words}")


def led_to(page: Page, words: str) -> Any:
    """The field that the summary of what is wrong leads to, from where a reader of the screen begins."""
    focused = page.locator(":focus")
    assert focused.get_attribute("class") == "card trouble screen"
    assert words in focused.inner_text()
    assert focused.locator("[role=alert]").count() == 1
    assert page.evaluate("() => document.activeElement.getBoundingClientRect().top >= 0")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.tagName") == "A"
    page.keyboard.press("Enter")
    field = page.locator(":focus")
    assert field.get_attribute("aria-invalid") == "true"
    said = page.locator(f"#{(field.get_attribute('aria-describedby') or '').split()[-1]}")
    assert said.inner_text().startswith("Error:")
    assert words in said.inner_text()
    return field


def clipped(page: Page) -> list[str]:
    """What is wider than the screen, or than the box that holds it."""
    found: list[str] = page.evaluate(
        """() => {
          const wide = document.documentElement.clientWidth;
          const out = [];
          if (document.documentElement.scrollWidth > wide) out.push('page ' + document.documentElement.scrollWidth);
          for (const one of document.querySelectorAll('main *, header *, nav *, footer *')) {
            if (one.closest('svg, .unseen, .scroll, .scrolls')) continue;
            if (!one.checkVisibility()) continue;
            const box = one.getBoundingClientRect();
            if (!box.width) continue;
            let [left, right, unseen] = [0, wide, false];
            for (let holder = one; holder; holder = holder.parentElement) {
              const style = getComputedStyle(holder);
              unseen ||= style.clipPath !== 'none';
              if (holder === one || style.overflowX === 'visible') continue;
              const edge = holder.getBoundingClientRect();
              [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
            }
            const held = box.left > left - 0.5 && box.right < right + 0.5;
            if (!unseen && !held) out.push(one.tagName + ' ' + one.className);
          }
          return out;
        }"""
    )
    return found


def english_left(page: Page, data: Iterable[str] = ()) -> list[str]:
    """Texts of a page in the pseudo-language that no catalogue gave: somebody forgot to mark them.

    All that people read or hear is looked at: text, labels, hints, titles, the page's name. Left out is what is data:
    whatever stands in `bdi`, `code` and `kbd` or in a language of its own, names of months and days (CLDR's),
    currencies, ids, and the words of `data`.
    """
    texts: list[str] = page.evaluate(
        """() => {
          const own = (one) => one.closest('script, style, bdi, code, kbd, textarea, .code') !== null
            || one.closest('[lang]') !== document.documentElement;
          const out = [document.title];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const one = walker.currentNode;
            if (!own(one.parentElement)) out.push(one.data.replace(/<[^>]*>/g, ' '));
          }
          const names = ['aria-label', 'placeholder', 'title', 'alt', 'data-label', 'data-failed'];
          for (const one of document.querySelectorAll('body *'))
            for (const name of names)
              if (one.hasAttribute(name) && !own(one)) out.push(one.getAttribute(name));
          return out;
        }"""
    )
    known = sorted((re.escape(word) for word in [*_NOT_TRANSLATED, *data]), key=len, reverse=True)
    no_words = re.compile(
        rf"(?<![A-Za-z])(?:{'|'.join(known)})(?![A-Za-z])|\b[a-z]{{3}}_[0-9a-z]{{20,}}\b|,? and (?=\[)"
    )
    # Between names in their own marks the word that joins them stands alone; it is CLDR's as well.
    left = {text.strip() for text in texts if re.search("[A-Za-z]{2}", no_words.sub(" ", text))} - {"and", ", and"}
    return sorted(left)


def violations(page: Page, axe: str) -> list[str]:
    """Rules that the page breaks, each with the place."""
    page.evaluate(axe)  # By the debugger: the page's own policy lets no script in.
    result = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, rules: {'color-contrast-enhanced': {enabled: true}}})", RULES
    )
    assert len(result["passes"]) > 15
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


def shots(page: Page, name: str) -> None:
    """A picture for people."""
    folder = Path(os.environ.get("DRACHM_SHOTS") or _ROOT / ".shots")
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def enlarged(page: Page) -> None:
    """As if the visitor had set the browser's text to 200 %."""
    page.evaluate("() => { document.documentElement.style.fontSize = '200%' }")


def none(found: Sequence[str], words: str) -> None:
    """Nothing was found; this module is no test, so pytest does not say what was."""
    if found:
        raise AssertionError(f"{words} {list(found)[:8]}")


def faults(page: Page, axe: str, name: str, widths: Sequence[int] = WIDTHS, *, large: bool = True) -> list[str]:
    """Every rule that is broken and all that is clipped, at every width, and at 320 px with text of twice the size."""
    found: list[str] = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        shots(page, f"{name}-{width}")
        found += [f"{name} at {width} px: clipped: {one}" for one in clipped(page)]
        found += [f"{name} at {width} px: breaks {one}" for one in violations(page, axe)]
    if large:
        page.set_viewport_size({"width": 320, "height": 800})
        enlarged(page)
        shots(page, f"{name}-320-twice")
        found += [f"{name} at 320 px with text of 200 %: clipped: {one}" for one in clipped(page)]
        page.evaluate("() => { document.documentElement.style.fontSize = '' }")
    return found


def checked(page: Page, axe: str, name: str, widths: Sequence[int] = WIDTHS, *, large: bool = True) -> None:
    """No rule is broken and nothing is clipped, at every width, and at 320 px with text of twice the size."""
    none(faults(page, axe, name, widths, large=large), "not as it should be:")
