"""Pages of patients stay up to date, with the real server: what is new comes by itself, and only what is theirs."""

from __future__ import annotations

import http.client
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import clipped, quiet, watched

from drachm.adapters.rest.service import browser_session
from drachm.application.body import TopUp
from drachm.application.ties import Tie, allow
from drachm.application.top_up import top_up
from drachm.domain.money import MICROS
from drachm.service.run import Running, running
from drachm.settings import Settings

COSMETIC = {"category": "cosmetic"}


@pytest.fixture
def service(service_database: str, town: Any, tmp_path: Path) -> Iterator[Running]:
    with running(Settings(data_dir=tmp_path, master_key=bytes(range(32))), service_database) as found:
        yield found


def let_in(service: Running, town: Any, name: str, member: str, relation: Any = "self") -> str:
    """A token of a person who may see a member's pages."""
    at = town.clock.now()
    one = Tie(
        f"rel_{name}{member}{relation}", service.subject_of(name), member, relation, at, at + timedelta(days=999),
        allowed_by="test",
    )  # fmt: skip
    allow(town.market.records, one)
    role = "patient" if relation == "self" else "relative"
    return service.person_token(name, [role], tenant=town.tenant)


def entered(service: Running, town: Any, browser: Any, member: str = "ana", **context: Any) -> Any:
    token = let_in(service, town, f"{member}live", member)
    page = watched(browser, **context)
    page.goto(f"{service.base_url}/my/sign-in")
    page.locator("#token").fill(token)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return page


def staying(page: Any) -> None:
    """A word that a reload would take away."""
    page.evaluate("() => { window.stayed = true }")


def stayed(page: Any) -> bool:
    return bool(page.evaluate("() => window.stayed === true"))


def test_a_new_receipt_comes_by_itself_on_every_page(service: Running, town: Any, browser: Any) -> None:
    page = entered(service, town, browser)
    assert "No visits yet" in page.inner_text("main")
    staying(page)
    town.clear(town.event("e1", 14, facts=COSMETIC, billing_party="hospital"))
    page.get_by_text("Please pay").or_(page.get_by_text("You paid")).first.wait_for()
    page.locator("[role=status]", has_text="Updated. Town").wait_for(state="attached")
    assert "$14.00" in page.locator("[role=status]").inner_text()
    assert stayed(page)
    assert page.locator("#answer > .live article").count() == 1
    # The visit's page: another charge changes its number; what had the focus has it still.
    page.locator("article a").first.click()
    page.locator("#live details summary").first.click()
    page.locator(".taps a").first.focus()
    staying(page)
    before = page.locator(".hero").inner_text()
    town.clear(town.event("e2", 6, facts=COSMETIC, billing_party="hospital"))
    page.get_by_text("2 parts").wait_for()
    assert page.locator(".hero").inner_text() != before
    assert page.evaluate("() => document.activeElement.closest('.taps') !== null")
    assert page.locator("#live details[open]").count() == 1
    assert stayed(page)
    assert clipped(page) == []
    # The wallet: money that came in.
    page.goto(f"{service.base_url}/my/wallet")
    staying(page)
    was = page.locator(".hero").inner_text()
    wallet = town.market.register.pots("ana")
    own = next(one for one in wallet if one.id == "ana-cash")
    top_up(TopUp("drachm top-ups", "t1", own.id, "ana", 7 * MICROS, "USD", "bank", town.clock.now()), town.desk)
    town.follow()
    page.locator("[role=status]", has_text="Updated. You can use").wait_for(state="attached")
    assert page.locator(".hero").inner_text() != was
    assert stayed(page)
    quiet(page, service.base_url)
    page.context.close()


def test_it_comes_back_after_a_loss_and_says_what_was_missed(
    service_database: str, town: Any, tmp_path: Path, browser: Any
) -> None:
    settings = Settings(data_dir=tmp_path, master_key=bytes(range(32)))
    with running(settings, service_database) as first:
        page = entered(first, town, browser)
        staying(page)
        port = urlsplit(first.base_url).port
    town.clear(town.event("e1", 14, facts=COSMETIC))
    with running(settings, service_database, port=port or 0):
        page.get_by_text("The visit cost $14.00").wait_for()
        assert stayed(page)
        page.context.close()


def test_the_end_of_a_session_is_the_end_of_its_stream(service: Running, town: Any, browser: Any) -> None:
    page = entered(service, town, browser)
    town.clear(town.event("e1", 14, facts=COSMETIC))
    page.get_by_text("The visit cost $14.00").wait_for()
    assert browser_session.end_all(town.market.records, service.subject_of("analive")) >= 1
    page.get_by_text("You are signed out. Sign in again to see what is new.").wait_for()
    town.clear(town.event("e2", 16, visit="v2", facts=COSMETIC))
    assert "$16.00" not in page.inner_text("main")
    page.context.close()


def test_without_scripts_a_page_is_as_it_was(service: Running, town: Any, browser: Any) -> None:
    town.clear(town.event("e1", 14, facts=COSMETIC))
    page = entered(service, town, browser, java_script_enabled=False)
    assert "$14.00" in page.inner_text("main")
    assert page.locator("[role=status]").inner_text() == ""
    page.context.close()


def heard(service: Running, path: str, cookie: str = "") -> tuple[int, str]:
    """Status and first message of a stream."""
    host = urlsplit(service.base_url)
    connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=20)
    connection.request("GET", path, headers={"cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    lines = []
    if answer.status == 200:
        while line := answer.readline().decode().strip():
            lines.append(line)
        while line := answer.readline().decode().strip():
            lines.append(line)
    connection.close()
    return answer.status, " ".join(lines)


def test_nobody_and_others_hear_nothing(service: Running, town: Any, browser: Any) -> None:
    town.clear(town.event("e1", 14, facts=COSMETIC), town.event("e9", 14, member="dan", visit="v9", facts=COSMETIC))
    assert heard(service, "/my/stream?page=home")[0] == 204
    page = entered(service, town, browser)
    cookie = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    mark = page.locator("[data-mark]").get_attribute("data-mark")
    status, first = heard(service, "/my/stream?page=home&mark=old", cookie)
    assert (status, first) == (200, f"retry: 2000 event: changed data: {{}} id: {mark}")
    visit = re.search(r"vis_\w+", page.locator("article a").first.get_attribute("href"))
    assert visit is not None
    assert heard(service, f"/my/stream?page={visit[0]}&mark=old", cookie)[0] == 200
    for other in ("", "cover", "vis_0", "home\0"):
        assert heard(service, f"/my/stream?page={other}".replace("\0", "%00"), cookie)[0] == 404
    page.context.close()
    stranger = entered(service, town, browser, "ben")
    theirs = "; ".join(f"{one['name']}={one['value']}" for one in stranger.context.cookies())
    assert heard(service, f"/my/stream?page={visit[0]}", theirs)[0] == 404
    stranger.context.close()
