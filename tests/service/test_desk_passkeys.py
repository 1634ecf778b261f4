"""Passkeys of staff, with Chromium's virtual authenticator: made, used, ended, and not fooled."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, at_desk, checked, quiet, serving

from drachm.adapters.rest.identity.model import Role
from drachm.application import passkeys as kept
from drachm.domain.errors import Forbidden

NOOR = ("Noor", [Role.CLERK], ["clinic"])
RIGHTS = kept.Rights(["clerk"], ["clinic"], ["events:read"])


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    # A passkey belongs to a name: the service is served and reached as localhost here.
    with serving(street, town, tmp_path) as site:
        port = site.base.rpartition(":")[2]
        here = f"http://localhost:{port}"
        object.__setattr__(street.house, "base_url", here)
        yield replace(site, base=here)


def authenticator(page: Page, *, verified: bool = True) -> Any:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": verified, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools


def made(site: Site, browser: Browser, axe: str = "") -> Page:
    page = at_desk(site, browser, NOOR)
    authenticator(page)
    page.goto(f"{site.base}/desk/passkeys")
    if axe:
        checked(page, axe, "desk-passkeys")
        page.set_viewport_size({"width": 1280, "height": 860})
    page.locator("#label").fill("Front desk")
    with page.expect_navigation():
        page.get_by_role("button", name="Make a passkey").click()
    assert "Front desk" in page.inner_text("main")
    return page


def test_a_passkey_is_made_and_opens_the_desk(site: Site, browser: Browser, axe: str) -> None:
    page = made(site, browser, axe)
    (record,) = site.town.market.records.find(kept.KIND)
    assert record.body["roles"] == ["clerk"]
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/desk/sign-in")
    checked(page, axe, "desk-sign-in-passkey", (320, 1280), large=False)
    with page.expect_navigation():
        page.get_by_role("button", name="Use my passkey").click()
    assert page.url == f"{site.base}/desk"
    assert "Noor" in page.inner_text("header")
    page.goto(f"{site.base}/desk/passkeys")
    assert "Sign in with your account first" in page.inner_text("main"), "a passkey makes no further passkey"
    with page.expect_navigation():
        page.get_by_role("button", name="End it").click()
    page.goto(f"{site.base}/desk/sign-in")
    with page.expect_navigation():
        page.get_by_role("button", name="Use my passkey").click()
    assert "This passkey does not open the desk" in page.inner_text("main")
    quiet(page, site.base)
    page.context.close()


def test_an_answer_opens_once_and_only_where_it_was_asked(site: Site, browser: Browser) -> None:
    page = made(site, browser)
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/desk/sign-in")
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith("/sign-in/passkey") else None)
    cookies = page.context.cookies()
    with page.expect_navigation():
        page.get_by_role("button", name="Use my passkey").click()
    assert page.url == f"{site.base}/desk"
    body = sent[0].post_data
    field = "; ".join(f"{one['name']}={one['value']}" for one in cookies)
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": field}
    context = browser.new_context()
    again = context.request.post(f"{site.base}/desk/sign-in/passkey", headers=headers, data=body, max_redirects=0)
    assert again.status == 401, "the same answer a second time"
    fresh = context.request.get(f"{site.base}/desk/sign-in")
    assert fresh.status == 200
    other = context.request.post(
        f"{site.base}/desk/sign-in/passkey",
        headers={"content-type": headers["content-type"]},
        data=body,
        max_redirects=0,
    )
    assert other.status == 403, "in a browser that was asked something else"
    context.close()
    page.context.close()


def test_whom_the_device_did_not_make_sure_of_gets_no_passkey(site: Site, browser: Browser) -> None:
    page = at_desk(site, browser, NOOR)
    authenticator(page, verified=False)
    page.goto(f"{site.base}/desk/passkeys")
    page.get_by_role("button", name="Make a passkey").click()
    page.get_by_text("Your device made no passkey. Nothing was kept.").wait_for()
    assert site.town.market.records.find(kept.KIND) == []
    page.context.close()


def new(town: Any, credential: str = "ab", subject: str = "drachm:sandbox|Noor") -> kept.NewPasskey:
    return kept.NewPasskey(f"psk_{credential}", subject, "Noor", "Phone", credential, "00", 0)


def test_it_opens_what_the_account_gave_last_and_for_a_month(town: Any) -> None:
    records, now = town.market.records, town.clock.now()
    record = kept.add(new(town), RIGHTS, now, records)
    assert kept.holds(record, now + kept.HOLDS / 2)
    assert not kept.holds(record, now + kept.HOLDS)
    later = now + kept.HOLDS / 2
    kept.renew(record.body["subject"], kept.Rights(["clerk"], [], []), later, records)
    renewed = records.get(kept.KIND, record.id)
    assert renewed is not None
    assert (renewed.body["parties"], kept.holds(renewed, now + kept.HOLDS)) == ([], True)
    kept.end(renewed, "x", later, records)
    ended = records.get(kept.KIND, record.id)
    assert ended is not None
    assert not kept.holds(ended, later)
    with pytest.raises(Forbidden):
        kept.used(ended, b"c", 1, later, records)


def test_one_challenge_is_used_once_also_at_the_same_moment(town: Any) -> None:
    records, now = town.market.records, town.clock.now()
    record = kept.add(new(town), RIGHTS, now, records)
    kept.used(record, b"one", 1, now, records)
    with pytest.raises(Forbidden):
        kept.used(record, b"one", 1, now, records)
    again = kept.used(record, b"two", 2, now, records)
    assert again.body["count"] == 2
