"""Sessions of patients: who gets one, how it ends, what a foreign page can do with it, and when it is proved anew."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import NOBODY, Visitor, token_for

from drachm.adapters.rest.identity.model import Role
from drachm.adapters.rest.service.browser_session import Place
from drachm.adapters.rest.service.call import OPERATIONS, Call
from drachm.adapters.rest.service.forms import BY_ITSELF
from drachm.adapters.rest.service.look import look_of
from drachm.adapters.rest.service.my_frame import PatientSeat, below_my
from drachm.adapters.rest.service.my_session import MY, session_of
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.sandbox_people import ISSUER
from drachm.application.ties import Tie, allow
from drachm.domain.clearing.privacy import marked
from drachm.domain.money import MICROS
from drachm.domain.transparency.leaf import event_key


@pytest.fixture
def visitor(street: Any, town: Any, ask: Any) -> Any:
    house = street.house
    town.clear(town.event("e1"), town.event("e2", member="dan", visit="v2"))
    yield Visitor(street, town, ask)
    street.house = house


def enter(visitor: Visitor, name: str = "Ana", role: Role = Role.PATIENT, hours: int = 12) -> Any:
    visitor.get("open_my_sign_in")
    return visitor.post("sign_in_to_my", {"token": token_for(visitor, name, [role], [], hours=hours)})


def tie(visitor: Visitor, name: str = "Ana", member: str = "ana", relation: Any = "self") -> None:
    at = visitor.town.clock.now()
    allow(
        visitor.town.market.records,
        Tie(f"rel_{name}{member}", f"{ISSUER}|{name}", member, relation, at, at + timedelta(days=30), allowed_by="t"),
    )


def seat_of(visitor: Visitor) -> PatientSeat:
    call = Call(
        "open_my_home",
        NOBODY,
        visitor.town.clock.now(),
        visitor.street.house,
        "req",
        fields={"cookie": visitor.cookie},
    )
    session = session_of(call)
    assert session is not None
    return PatientSeat(replace(call, caller=session.principal), session)


def test_only_patients_and_relatives_get_one(visitor: Visitor) -> None:
    for role in Role:
        answer = enter(visitor, "Somebody", role)
        allowed = role in MY.roles
        assert answer.status == (303 if allowed else 403), role
        assert bool([one for one in visitor.set_cookies if one.startswith("drachm_my=")]) == allowed
        visitor.cookies.clear()
    for text in ("", "x.y.z", "é" * 9):
        visitor.get("open_my_sign_in")
        assert visitor.post("sign_in_to_my", {"token": text}).status == 401


def test_a_session_of_the_desk_opens_no_patients_page_and_the_other_way_round(visitor: Visitor) -> None:
    clerk = visitor.signed_in("Noor", [Role.CLERK], ["clinic"])
    clerk.cookies["drachm_my"] = clerk.cookies["drachm_desk"]
    assert clerk.get("open_my_home").status == 303
    tie(visitor)
    enter(visitor)
    assert visitor.get("open_my_home").status == 200
    visitor.cookies["drachm_desk"] = visitor.cookies["drachm_my"]
    assert visitor.get("open_desk").status == 303


def test_it_ends_when_idle_when_too_old_and_at_sign_out(visitor: Visitor) -> None:
    tie(visitor)
    enter(visitor)
    assert visitor.get("open_my_home").status == 200
    visitor.town.clock.move(minutes=19)
    assert visitor.get("open_my_home").status == 200
    visitor.town.clock.move(minutes=21)
    assert visitor.get("open_my_home").headers["location"] == "/my/sign-in"
    enter(visitor)
    for _ in range(16):
        visitor.town.clock.move(minutes=15)
        last = visitor.get("open_my_home").status
    assert last == 303
    enter(visitor)
    visitor.get("open_my_home")
    kept = dict(visitor.cookies)
    answer = visitor.post("sign_out_of_my", {"leave": "yes"})
    assert answer.headers["location"] == "/my/left"
    visitor.cookies.update(kept)
    assert visitor.get("open_my_home").status == 303
    left = visitor.get("open_left_page").body
    for word in ("ana", "drachm", "clinic", "visit"):
        assert word not in left.partition("<body>")[2].lower()


def test_a_form_of_another_page_does_nothing(visitor: Visitor) -> None:
    tie(visitor)
    enter(visitor)
    visitor.get("open_my_home")
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert visitor.post("search_my_menu", {"words": "x"}, **headers).status == 403
        assert visitor.post("sign_out_of_my", {}, **headers).status == 403
    assert visitor.post("search_my_menu", {"words": "x", "csrf": "0" * 64}).status == 403
    assert visitor.post("search_my_menu", {"words": "x"}).status == 200
    assert visitor.get("open_my_home").status == 200


def test_every_page_asks_who_is_there_first(visitor: Visitor) -> None:
    pages = [one for one in OPERATIONS.values() if one.route.template.startswith("/my")]
    closed = 0
    for one in pages:
        path = dict.fromkeys(one.route.parameters, "x")
        if one.route.operation.startswith(("open_my_sign", "sign_in_to", "begin_my_pro", "end_my_pro", "open_left")):
            continue
        answer = visitor.post(one.route.operation, {}, path) if one.form else visitor.get(one.route.operation, path)
        assert answer.status == 303, one.route.operation
        assert answer.headers["location"].endswith("/my/sign-in"), one.route.operation
        closed += 1
    assert closed >= 10


def test_a_large_payment_asks_again_who_is_there(visitor: Visitor) -> None:
    tie(visitor)
    enter(visitor)
    limit = visitor.street.house.step_up_micros
    assert limit == 100 * MICROS
    assert seat_of(visitor).must_prove(limit, "/my/pay") is None
    visitor.get("open_my_home")
    visitor.town.clock.move(minutes=11)
    seat = seat_of(visitor)
    assert seat.must_prove(limit - 1, "/my/pay") is None
    asked = seat.must_prove(limit, "/my/pay?visit=x")
    assert asked is not None
    assert (b"location", b"/my/proof?next=%2Fmy%2Fpay%3Fvisit%3Dx") in asked.headers
    visitor.get("open_my_proof", query={"next": "/my/pay?visit=x"})
    other = token_for(visitor, "Dan", [Role.PATIENT], [])
    assert visitor.post("give_my_proof", {"token": other, "next": "/my"}).status == 403
    assert visitor.post("give_my_proof", {"token": "x", "next": "/my"}).status == 403
    assert seat_of(visitor).must_prove(limit, "/my") is not None
    mine = token_for(visitor, "Ana", [Role.PATIENT], [])
    answer = visitor.post("give_my_proof", {"token": mine, "next": "/my/pay?visit=x"})
    assert (answer.status, answer.headers["location"]) == (303, "/my/pay?visit=x")
    assert seat_of(visitor).must_prove(limit, "/my") is None


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example",
        "//evil.example",
        "/my//evil.example",
        "/desk",
        "",
        "/my/\\evil",
        "/my:x",
        "/my\n",
        "/myx y",
    ],
)
def test_nobody_is_sent_elsewhere(place: str) -> None:
    assert below_my(place) in ("/my", "/myx%20y")


def test_a_look_is_kept_and_nonsense_is_not(visitor: Visitor) -> None:
    visitor.get("open_my_sign_in", query={"lang": "ko", "size": "large", "theme": "dark"})
    assert visitor.cookies["drachm_look"] == "ko.elder.dark"
    html = visitor.get("open_my_sign_in").body
    assert '<html lang="ko" dir="ltr" data-size="elder" data-theme="dark">' in html
    visitor.get("open_my_sign_in", query={"lang": "xx", "size": "huge", "theme": "<b>"})
    assert visitor.cookies["drachm_look"] == "ko.elder.dark"
    for text in ("", "a", "ar.x.y.z", '"><script>.elder.dark', "....", "en-XA..contrast"):
        call = Call(
            "x", NOBODY, visitor.town.clock.now(), visitor.street.house, "r", fields={"cookie": f"drachm_look={text}"}
        )
        assert look_of(call).language in ("en", "ar", "en-XA")


def test_a_second_visit_of_a_member_is_not_shown_by_the_link_of_the_first(visitor: Visitor, ask: Any) -> None:
    town = visitor.town
    key = event_key(town.tenant, "ehr", "e1")
    name = row_name("rcp", town.market.index.of_key(key)[0], key)
    made = ask("create_receipt_link", town.clerk(), {"receipt_id": name}, body={})
    token = made.body["url"].rpartition("/")[2]
    assert visitor.post("open_visit_of_link", {}, {"token": token}).status == 403
    answer = visitor.post("give_second_factor", {"day": "1", "month": "5", "year": "1990"}, {"token": token})
    assert answer.status == 303
    answer = visitor.post("open_visit_of_link", {}, {"token": token})
    assert answer.status == 303
    visit = answer.headers["location"].rpartition("/")[2]
    assert visitor.get("open_my_visit", {"visit_id": visit}).status == 200
    seat = seat_of(visitor)
    assert isinstance(MY, Place)
    assert seat.visit == visit
    for operation in ("list_visits", "list_receipts", "create_estimate", "list_wallets"):
        with pytest.raises(Exception, match="roles"):
            seat.ask(operation)
    visitor.town.clock.move(minutes=61)
    assert visitor.get("open_my_visit", {"visit_id": visit}).status == 303


def test_a_page_that_asks_by_itself_keeps_no_session_awake(visitor: Visitor) -> None:
    tie(visitor)
    enter(visitor)
    for minutes in (10, 9):
        visitor.town.clock.move(minutes=minutes)
        headers = {"cookie": visitor.cookie, BY_ITSELF: "1"}
        assert visitor.ask("open_my_home", NOBODY, headers=headers).status == 200
    visitor.town.clock.move(minutes=2)
    assert visitor.get("open_my_home").status == 303, "idle for twenty minutes, whatever its page asked by itself"


def mark(visitor: Visitor) -> str:
    found = re.search(r'data-mark="([0-9a-f]+)"', visitor.get("open_my_home").body)
    assert found is not None
    return found[1]


def test_a_private_receipt_is_no_news_for_a_relative(visitor: Visitor) -> None:
    town = visitor.town
    tie(visitor, "Eva", "ana", "relative")
    tie(visitor)
    enter(visitor, "Eva", Role.RELATIVE)
    before = mark(visitor)
    town.clear(marked(town.event("e5", visit="v5")))
    assert mark(visitor) == before
    town.clear(town.event("e6", visit="v6"))
    assert mark(visitor) != before
    visitor.cookies.clear()
    enter(visitor)
    mine = mark(visitor)
    town.clear(marked(town.event("e7", visit="v7")))
    assert mark(visitor) != mine
