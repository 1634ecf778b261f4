"""Slips of paper: what stands on them, what does not, and that their codes are read from what is printed."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from browsing import LOOKS, checked, press, serving, shots, watched  # noqa: F401
from desk_visitor import Visitor

from drachm.adapters.plots.qr import BYTES_MAX, qr
from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.speech import LANGUAGES
from drachm.application.receipt_codes import find_code
from drachm.domain.errors import IntegrityError
from drachm.domain.messages.codes import read_code

HEALTH = ("Video", "CANARY", "Heart", "diagnos", "monitor", "reading")


@pytest.fixture
def noor(visitor: Visitor) -> Visitor:
    town = visitor.town
    town.clear(
        town.event("e1", 40, display="CANARY Video visit"),
        town.event("e2", 25, display="Heart monitor reading"),
        town.event("e5", 60, member="cleo", visit="v9"),
    )
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


def slip(noor: Visitor, event: str = "e1", **form: str) -> Any:
    return noor.post("print_slip", form, {"charge_id": noor.charge(event)})


def picture(svg: str, dots: int) -> Any:
    """A code as a printer draws it, each module so many dots wide."""
    side = int(re.findall(r'viewBox="0 0 ([0-9]+) ', svg)[0])
    page = np.full((side * dots, side * dots), 255, np.uint8)
    for x, y, width in re.findall(r"M([0-9]+) ([0-9]+)h([0-9]+)v1", svg):
        page[int(y) * dots : (int(y) + 1) * dots, int(x) * dots : (int(x) + int(width)) * dots] = 0
    return page


def decoded(page: Any) -> str:
    return next((one.text for one in zxingcpp.read_barcodes(page)), "")


def test_one_visit_one_answer_and_the_parts_by_the_hour(noor: Visitor) -> None:
    answer = slip(noor)
    assert answer.status == 200
    body = answer.body
    # 40 dollars: 10 deductible and a fifth of 30; 25: a fifth.
    assert "$21.00" in body
    assert "$44.00" in body
    assert "$65.00" in body
    assert "Nothing more to pay" in body
    assert "$16.00" in body
    assert "$5.00" in body
    assert not [word for word in HEALTH if word in body]
    assert "<script" not in body
    assert "style=" not in body
    assert answer.headers["cache-control"] == "no-store"
    order = [body.index(word) for word in ("Town clinic", "You paid", "$21.00", "Nothing more to pay", 'class="bar"',
             "Price", 'class="qr"', "Code", "Something wrong?")]  # fmt: skip
    assert order == sorted(order)


def test_who_still_owes_is_told_so_and_where(noor: Visitor) -> None:
    body = slip(noor, "e5").body
    assert "Please pay" in body
    assert "Still to pay" in body
    assert "$60.00" in body
    assert "in cash too" in body


def test_the_code_stands_for_the_receipt_and_is_kept_as_a_hash_only(noor: Visitor, street: Any) -> None:
    body = slip(noor).body
    code = read_code(re.findall(r'class="code">([0-9A-Z-]{9})<', body)[0])
    records, now = noor.town.market.records, noor.town.clock.now()
    found = find_code(records, code, now)
    assert found is not None
    assert (found.member, found.question) == ("ana", "birth_date")
    with psycopg.connect(street.url) as owner:
        for table in ("record", "record_version", "record_tag"):
            rows = owner.execute(f"SELECT * FROM {table} WHERE tenant = %s", [noor.town.tenant]).fetchall()
            assert rows
            assert code not in repr(rows)
    assert find_code(records, "0" * 8, now) is None
    assert find_code(records, code, found.until) is None


def test_the_link_in_the_code_opens_the_receipt_and_says_nothing_of_health(noor: Visitor) -> None:
    body = slip(noor, paper="a6").body
    svg = re.findall(r'<svg class="qr".*?</svg>', body, re.S)[0]
    url = decoded(picture(svg, 5))
    assert url.startswith("http://127.0.0.1:8000/r/v1.")
    assert len(url.encode()) <= BYTES_MAX
    token, _, asked = url.rpartition("/")[2].partition("?")
    assert asked == "lang=en"
    page = noor.ask("open_receipt_page", noor.town.nobody(), {"token": token})
    assert page.status == 200
    assert not [word for word in HEALTH if word in url]


def test_a_module_is_wide_enough_and_a_roll_holds_the_code(noor: Visitor) -> None:
    svg = re.findall(r'<svg class="qr".*?>', slip(noor).body, re.S)[0]
    side = int(re.findall(r'viewBox="0 0 ([0-9]+) ', svg)[0])
    wide = float(re.findall(r'width="([0-9.]+)mm"', svg)[0])
    assert wide / side >= 0.6
    assert wide <= 72


@settings(max_examples=12, deadline=None)
@given(st.text(st.sampled_from("abcDEF0189-._~/:?=é"), min_size=1, max_size=140))
def test_any_text_comes_back_from_the_picture(text: str) -> None:
    assert decoded(picture(str(qr(text, "t")), 4)) == text


def test_a_code_that_lost_a_tenth_is_still_read() -> None:
    """A stain of a tenth of its surface, wherever it does not lie on one of the three corners that find the code."""
    text = "https://drachm.example/r/v1.k1." + "Ab3-" * 30
    whole = picture(str(qr(text, "t")), 6)
    inner = whole.shape[0] - 48
    edge = int(inner * 0.1**0.5)
    places = [inner * part // 20 for part in range(6, 14)]
    read = []
    for x in places:
        for y in places:
            page = whole.copy()
            page[24 + y : 24 + y + edge, 24 + x : 24 + x + edge] = 255
            read.append(decoded(page) == text)
    assert sum(read) / len(read) >= 0.99


def test_too_much_for_paper_is_refused() -> None:
    for text in ("", "x" * (BYTES_MAX + 1)):
        with pytest.raises(IntegrityError):
            qr(text, "t")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("paper", ["roll", "a6"])
def test_every_language_on_both_papers(noor: Visitor, language: str, paper: str) -> None:
    body = slip(noor, paper=paper, language=language).body
    assert f'<html lang="{language}" dir="{LANGUAGES[language].direction}">' in body
    assert f'class="{paper}"' in body
    assert 'dir="ltr" class="money"' in body


def test_nonsense_makes_no_slip(noor: Visitor) -> None:
    for form in ({"paper": "a4"}, {"language": "xx"}, {"language": "en-XA"}, {"csrf": "0" * 64}):
        assert slip(noor, **form).status in (400, 403)
    assert noor.town.market.records.find("receipt_code") == []


def test_another_clinics_clerk_and_finance_make_none(noor: Visitor, visitor: Visitor) -> None:
    charge = {"charge_id": noor.charge("e1")}
    far = visitor.signed_in("Far", [Role.CLERK], ["hospital"])
    money = visitor.signed_in("Iris", [Role.FINANCE], ["clinic"])
    for somebody in (far, money):
        assert somebody.post("print_slip", {}, charge).status in (403, 404)
    assert noor.town.market.records.find("receipt_code") == []
