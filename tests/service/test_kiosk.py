"""A kiosk shows a visit to whoever has its code and knows one answer, and forgets it; a clerk helps by the code."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import FORM, NOBODY, Visitor

from drachm.adapters.rest.identity.model import Role
from drachm.application.receipt_codes import LINK_LETTERS, Coded, make_code

BIRTH = {"day": "1", "month": "5", "year": "1990"}


class Screen:
    """A kiosk's browser."""

    def __init__(self, town: Any, ask: Any) -> None:
        self.town, self.ask, self.cookie = town, ask, ""

    def get(self, name: str, **query: str) -> Any:
        headers = {"cookie": self.cookie} if self.cookie else {}
        return self._kept(self.ask(name, NOBODY, query={"at": self.town.name, **query}, headers=headers))

    def type(self, code: str, headers: dict[str, str] | None = None, **form: str) -> Any:
        body = urlencode({"at": self.town.name, "code": code, **BIRTH, **form}).encode()
        return self._kept(self.ask("show_at_kiosk", NOBODY, body=body, media=FORM, headers=headers or {}))

    def _kept(self, answer: Any) -> Any:
        for one in answer.cookies:
            if one.startswith("drachm_kiosk="):
                self.cookie = "" if "Max-Age=0" in one else one.partition(";")[0]
        return answer


@pytest.fixture
def noor(visitor: Visitor) -> Visitor:
    town = visitor.town
    town.clear(
        town.event("e1", 40, display="Video visit"),
        town.event("e2", 25, display="Heart monitor reading"),
        town.event("e7", 11, display="Elsewhere", billing_party="hospital"),
        town.event("e5", 60, member="cleo", visit="v9"),
    )
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


@pytest.fixture
def screen(noor: Visitor) -> Screen:
    return Screen(noor.town, noor.ask)


def code(noor: Visitor, event: str = "e1") -> str:
    body = noor.post("print_slip", {}, {"charge_id": noor.charge(event)}).body
    return str(re.findall(r'class="code">([0-9A-Z-]{9})<', body)[0])


def test_a_code_and_a_birth_date_open_the_visit(noor: Visitor, screen: Screen) -> None:
    answer = screen.type(code(noor).lower())
    assert answer.status == 303
    assert answer.headers["location"].startswith("/kiosk/visit?at=")
    page = screen.get("show_kiosk_visit")
    for said in ("Town clinic", "$21.00", "$65.00", "Video visit", "Heart monitor reading", "$16.00", "$5.00"):
        assert said in page.body
    assert "Elsewhere" not in page.body
    assert 'aria-label="You paid $21.00"' in page.body
    assert page.headers["refresh"].startswith("60; url=/kiosk/still?")
    assert page.headers["cache-control"] == "no-store"


def test_who_walks_away_is_asked_and_then_forgotten(noor: Visitor, screen: Screen) -> None:
    screen.type(code(noor))
    screen.get("show_kiosk_visit")
    still = screen.get("ask_at_kiosk")
    assert "Still here?" in still.body
    assert still.headers["refresh"].startswith("20; url=/kiosk/end?")
    assert "$21.00" not in still.body
    assert screen.get("show_kiosk_visit").status == 200
    kept = screen.cookie
    end = screen.get("end_at_kiosk")
    assert end.status == 303
    assert end.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert screen.cookie == ""
    assert screen.get("show_kiosk_visit").status == 303
    # Even a screen that did not go on by itself shows nothing after its time.
    screen.cookie = kept
    noor.town.clock.move(seconds=100)
    assert screen.get("show_kiosk_visit").status == 303
    assert screen.get("ask_at_kiosk").status == 303


def test_a_blank_page_forgets_whoever_was_here(noor: Visitor, screen: Screen) -> None:
    screen.type(code(noor))
    assert screen.cookie
    page = screen.get("open_kiosk")
    assert screen.cookie == ""
    assert "$" not in page.body


def test_what_is_wrong_is_never_told_apart(noor: Visitor, screen: Screen) -> None:
    right, other = code(noor), code(noor, "e5")
    bodies = set()
    for typed, form in (
        (right, {"day": "2"}),
        ("0000-0000", {}),
        (other, {}),  # nobody's birth date is registered there: the window helps
        (right, {"at": "999999"}),
        (right, {"at": "nonsense"}),
        (right, {"at": ""}),
        (right, {"at": "\x00" * 500}),
    ):
        answer = screen.type(typed, **form)
        assert answer.status == 403, (typed, form)
        bodies.add(re.sub(r'name="at" value="[^"]*"', "", answer.body))
        assert screen.cookie == ""
    assert len(bodies) == 1
    for typed, form in (("", {}), ("7K4M", {}), ("ÄÖÜ-?!$%", {}), (right, {"day": ""}), (right, {"month": "13"})):
        assert screen.type(typed, **form).status == 422


def test_guessing_the_birth_date_ends_and_waiting_helps(noor: Visitor, screen: Screen) -> None:
    right = code(noor)
    for day in range(2, 8):
        assert screen.type(right, day=str(day)).status == 403
    assert screen.type(right).status == 403
    noor.town.clock.move(minutes=16)
    assert screen.type(right).status == 303


def test_a_form_of_another_page_opens_nothing(noor: Visitor, screen: Screen) -> None:
    right = code(noor)
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert screen.type(right, headers=headers).status == 403
        assert screen.cookie == ""


def test_a_withdrawn_receipt_and_an_old_slip_open_nothing(noor: Visitor, screen: Screen) -> None:
    right = code(noor)
    screen.type(right)
    assert screen.get("show_kiosk_visit").status == 200
    receipt = noor.ask("get_charge", noor.town.clerk(), {"charge_id": noor.charge("e1")}).body["receipt"]
    noor.ask("revoke_receipt_links", noor.town.clerk(), {"receipt_id": receipt})
    assert screen.get("show_kiosk_visit").status == 303
    assert screen.type(right).status == 403
    fresh = code(noor)
    noor.town.clock.move(days=91)
    assert screen.type(fresh).status == 403


def test_an_erased_patient_is_gone_from_the_kiosk(noor: Visitor, screen: Screen) -> None:
    right = code(noor)
    noor.town.desk.books.erase("ana")
    answer = screen.type(right)
    assert answer.status == 403 or screen.get("show_kiosk_visit").status == 303


def test_another_tenants_kiosk_knows_nothing_of_it(noor: Visitor, other_town: Any, ask: Any) -> None:
    right = code(noor)
    assert Screen(other_town, ask).type(right).status == 403


def test_a_cookie_nobody_signed_is_nothing(screen: Screen) -> None:
    for word in ("", "x", "1.2.3", "é"):
        screen.cookie = f"drachm_kiosk={word}"
        assert screen.get("show_kiosk_visit").status == 303


# --- the short link of a text message


def test_a_short_link_opens_the_amounts_until_it_ends(noor: Visitor, ask: Any) -> None:
    town = noor.town
    receipt = ask("get_charge", town.clerk(), {"charge_id": noor.charge("e1")}).body["receipt"]
    coded = Coded(receipt, "ana", 0, town.clock.now() + timedelta(days=30), "birth_date")
    text = make_code(
        town.market.records, "cod_1", coded, frozenset({"clinic"}), town.desk.ids.random_bytes, "test", LINK_LETTERS
    )
    answer = ask("open_short_link", NOBODY, {"code": f"{town.name}-{text.lower()}"})
    assert answer.status == 303
    token = answer.headers["location"].rpartition("/")[2]
    page = ask("open_receipt_page", NOBODY, {"token": token})
    assert page.status == 200
    assert "Video" not in page.body
    for wrong in (text, f"{town.name}-{'0' * 10}", "9999-" + text, "-", f"{town.name}-{text}X"):
        assert ask("open_short_link", NOBODY, {"code": wrong}).headers["location"] == "/r/nothing"
    # Eight signs are for the kiosk; the link's ten are for the link.
    assert ask("open_short_link", NOBODY, {"code": f"{town.name}-{code(noor)}"}).headers["location"] == "/r/nothing"
    town.clock.move(days=31)
    assert ask("open_short_link", NOBODY, {"code": f"{town.name}-{text}"}).headers["location"] == "/r/nothing"


# --- a clerk who helps


def test_a_code_read_aloud_shows_the_patients_view_and_is_written_down(noor: Visitor) -> None:
    right = code(noor)
    page = noor.get("open_desk_help")
    assert "read the code aloud" in page.body
    shown = noor.post("help_at_desk", {"code": right.lower()})
    assert shown.status == 200
    assert "Video visit" in shown.body
    assert "$21.00" in shown.body
    assert shown.headers["refresh"] == "300; url=/desk/help"
    (log,) = noor.town.market.records.find("helped_at_desk")
    assert log.body["by"].endswith("Noor")
    assert log.members == {"ana"}


def test_without_the_code_nothing_is_shown_and_guessing_ends(noor: Visitor) -> None:
    right = code(noor)
    assert noor.post("help_at_desk", {"code": "0000"}).status in (400, 422)
    for number in range(5):
        assert noor.post("help_at_desk", {"code": f"0000-000{number}"}).status == 404
    assert noor.post("help_at_desk", {"code": right}).status == 429
    assert noor.town.market.records.find("helped_at_desk") == []
    noor.town.clock.move(minutes=16)
    again = noor.again()
    assert again.post("help_at_desk", {"code": right}).status == 200


def test_another_clinics_clerk_and_others_cannot_look(noor: Visitor, visitor: Visitor) -> None:
    right = code(noor)
    far = visitor.signed_in("Far", [Role.CLERK], ["hospital"])
    assert far.post("help_at_desk", {"code": right}).status in (403, 404)
    boss = visitor.signed_in("Ola", [Role.OPERATOR], [])
    assert boss.post("help_at_desk", {"code": right}).status in (403, 404)
    assert boss.get("open_desk_help").status in (403, 404)
    assert noor.post("help_at_desk", {"code": right, "csrf": "0" * 64}).status == 403
    assert noor.town.market.records.find("helped_at_desk") == []
