"""How heavy is a page of a patient, and how soon can the amount be read on a slow phone? The figures of the promise.

At most 40 kB and three round trips to the first paint, 120 kB the whole page with 50 kB of script, and the amount
readable within 2.5 s at 400 kbit/s and 400 ms latency, with an empty cache. The conditions are the browser's own
(DevTools protocol), so they do not depend on the network of this machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, serving, sign_in

LATENCY_MS = 400
BYTES_PER_SECOND = 400_000 // 8
FIRST_BYTES, ROUND_TRIPS, WHOLE_BYTES, SCRIPT_BYTES, READABLE_MS = 40_000, 3, 120_000, 50_000, 2_500


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Iterator[Site]:
    town.clear(
        town.event("e1", 40),
        town.event("e2", 16, display="Heart monitor reading"),
        town.event("e3", 12, display="Medicine refill"),
    )
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        yield site


class Meter:
    """What one page costs on the wire, by the protocol of the browser's own tools."""

    def __init__(self, page: Any) -> None:
        self.session = page.context.new_cdp_session(page)
        self.kinds: dict[str, str] = {}
        self.sizes: dict[str, float] = {}
        self.session.on("Network.responseReceived", lambda said: self.kinds.update({said["requestId"]: said["type"]}))
        self.session.on(
            "Network.loadingFinished", lambda said: self.sizes.update({said["requestId"]: said["encodedDataLength"]})
        )
        self.session.send("Network.enable")
        self.session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        conditions = {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_PER_SECOND,
            "uploadThroughput": BYTES_PER_SECOND,
        }
        self.session.send("Network.emulateNetworkConditions", conditions)

    def bytes_of(self, *kinds: str) -> float:
        """Bytes with their headers; of every kind when none is named."""
        return sum(size for one, size in self.sizes.items() if not kinds or self.kinds.get(one) in kinds)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("place", ["/my", "visit", "parts"])
def test_the_weight_of_a_page_and_the_time_to_its_amount(site: Site, browser: Any, place: str, language: str) -> None:
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my?lang={language}")
    visit = page.locator("article a").first.get_attribute("href")
    address = {"/my": "/my", "visit": visit, "parts": f"{visit}/parts"}[place]
    fastest = READABLE_MS * 4.0
    # The machine may be busy with other tests: the best of three loads is the page's own time.
    for _ in range(3):
        meter = Meter(page)
        page.goto(site.base + address, wait_until="networkidle")
        paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
        fastest = min(fastest, paint)
        if fastest <= READABLE_MS:
            break
    assert fastest <= READABLE_MS
    # The first paint needs the page and its style, one after the other, and a connection: nothing else blocks it.
    blocking = page.evaluate(
        """() => performance.getEntriesByType('resource').filter(one => one.renderBlockingStatus === 'blocking')
             .map(one => one.name)"""
    )
    assert [one for one in blocking if not one.endswith("-patient.css")] == []
    assert 2 + len(blocking) <= ROUND_TRIPS
    assert 0 < meter.bytes_of("Document", "Stylesheet") <= FIRST_BYTES
    assert meter.bytes_of() <= WHOLE_BYTES
    assert meter.bytes_of("Script") <= SCRIPT_BYTES
    assert meter.bytes_of("Font") > 0
    assert page.locator(".hero").count() or place == "parts"
    page.context.close()


def test_what_was_loaded_once_is_not_loaded_again(site: Site, browser: Any) -> None:
    page = sign_in(site, browser, "ana")
    page.goto(f"{site.base}/my")
    seen: list[str] = []
    page.on("requestfinished", lambda request: seen.append(request.url) if _sent(request) else None)
    page.goto(f"{site.base}/my/receipts")
    assert [url for url in seen if "/static/" in url] == []
    page.context.close()


def _sent(request: Any) -> bool:
    return bool(request.sizes()["responseBodySize"]) and not request.response().from_service_worker
