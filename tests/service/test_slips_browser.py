"""Slips as a printer sees them: size, black only, and codes read from the pixels of the page."""

from __future__ import annotations

import re
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent))

from browsing import Site, clipped, press, serving, shots, violations, watched

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.names import row_name
from drachm.domain.transparency.leaf import event_key


@pytest.fixture
def site(street: Any, town: Any, tmp_path: Path) -> Any:
    with serving(street, town, tmp_path, help_phone="555 0100") as site:
        town.clear(
            town.event("e1", 40, display="CANARY Video visit"),
            town.event("e2", 25, display="CANARY Heart monitor"),
            town.event("e3", 12, display="CANARY Refill"),
        )
        yield site


def slip(site: Site, browser: Browser, paper: str, language: str = "en") -> Page:
    page = watched(browser, 1280)
    page.goto(f"{site.base}/desk/sign-in")
    page.get_by_role("textbox", name="Token").fill(site.token("Noor", [Role.CLERK], ["clinic"]))
    press(page)
    key = event_key(site.town.tenant, "ehr", "e1")
    name = row_name("chg", site.town.market.index.of_key(key)[0], key)
    page.goto(f"{site.base}/desk/charges/{name}")
    page.select_option("#paper", paper)
    page.select_option("#language", language)
    with page.expect_navigation():
        page.get_by_role("button", name="Make a slip").click()
    return page


def pixels(png: bytes) -> Any:
    """The pixels of a picture of eight bits a colour, as rows of (red, green, blue)."""
    at, data = 8, b""
    width = height = depth = 0
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", body[:10])
            assert bits == 8
            depth = {2: 3, 6: 4}[colour]
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * depth)
    page = np.zeros((height, width * depth), np.uint8)
    for y in range(height):
        line, above = lines[y, 1:].astype(np.int32), page[y - 1].astype(np.int32) if y else np.zeros(width * depth, int)
        page[y] = _unfiltered(int(lines[y, 0]), line, above, depth)
    return page.reshape(height, width, depth)[:, :, :3]


def _unfiltered(kind: int, line: Any, above: Any, depth: int) -> Any:
    if kind in (0, 2):
        return (line + (above if kind else 0)) % 256
    out = line.copy()
    for x in range(len(line)):
        left = int(out[x - depth]) if x >= depth else 0
        up, corner = int(above[x]), int(above[x - depth]) if x >= depth else 0
        guess = {1: left, 3: (left + up) // 2, 4: _paeth(left, up, corner)}[kind]
        out[x] = (int(line[x]) + guess) % 256
    return out


def _paeth(left: int, up: int, corner: int) -> int:
    base = left + up - corner
    near = (abs(base - left), abs(base - up), abs(base - corner))
    return (left, up, corner)[near.index(min(near))]


@pytest.mark.parametrize(("paper", "wide"), [("roll", 72), ("a6", 93)])
def test_a_slip_prints_on_its_paper_black_only_and_its_code_is_read_from_the_print(
    site: Site, browser: Browser, axe: str, paper: str, wide: int
) -> None:
    page = slip(site, browser, paper)
    assert violations(page, axe) == []
    page.emulate_media(media="print")
    page.set_viewport_size({"width": wide * 96 // 25, "height": 900})
    assert clipped(page) == []
    shots(page, f"slip-{paper}")
    assert "CANARY" not in page.content()
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('main *')].filter(one => one.checkVisibility() && [...one.childNodes]"
        ".some(node => node.nodeType === 3 && node.data.trim())).map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(sizes) >= 14 * 96 / 72 - 0.1
    assert max(sizes) >= 33 * 96 / 72 - 0.1
    printed = page.locator("main").bounding_box()
    assert printed is not None
    assert printed["width"] <= wide * 96 / 25.4 + 0.5
    seen = pixels(page.locator("main").screenshot())
    # Text is smoothed at its edges; no colour, and hardly anything between black and white.
    assert int((seen.max(axis=2).astype(int) - seen.min(axis=2)).max()) <= 2
    (code,) = zxingcpp.read_barcodes(np.ascontiguousarray(seen), formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.text.startswith("http://127.0.0.1:8000/r/v1.")
    assert str(code.error_correction_level if hasattr(code, "error_correction_level") else code.ec_level) in (
        "Q",
        "25%",
    )
    page.context.close()


@pytest.mark.parametrize("language", ["ar", "de", "zh-Hans"])
def test_other_languages_clip_nothing_on_the_roll(site: Site, browser: Browser, axe: str, language: str) -> None:
    page = slip(site, browser, "roll", language)
    assert violations(page, axe) == []
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 276, "height": 900})
    assert clipped(page) == []
    shots(page, f"slip-roll-{language}")
    page.context.close()


def test_an_a6_slip_of_three_parts_is_one_page(site: Site, browser: Browser) -> None:
    page = slip(site, browser, "a6")
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    # A6 is 105 x 148 mm: 297.6 x 419.5 points.
    boxes = re.findall(rb"MediaBox *\[0 0 ([0-9]+)[.0-9]* ([0-9]+)", pdf)
    assert boxes == [(b"298", b"420")]
    page.context.close()
