"""Dues that the clinic no longer asks for, on pages: from the charge, by one or by two, and asked for after all."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.model import Role
from drachm.application.write_offs import KIND
from drachm.domain.coverage.model import Member

FORM = {"reason": "hardship", "amount": "30.00", "note": "lost her work", "key": "k" * 30}


@pytest.fixture
def noor(visitor: Visitor, town: Any) -> Visitor:
    town.desk.books.enrol(members=[Member("zoe")])
    town.clear(
        town.event("z1", 30, member="zoe", visit="z1", display="Blood test"),
        town.event("z2", 8, member="zoe", visit="z2"),
        town.event("e1", 40),
    )
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


@pytest.fixture
def fay(visitor: Visitor, noor: Visitor) -> Visitor:
    return visitor.signed_in("Fay", [Role.FINANCE], ["clinic"])


def asked(noor: Visitor, event_id: str = "z1", **changes: str) -> Any:
    return noor.post("write_off_at_desk", {**FORM, **changes}, {"charge_id": noor.charge(event_id)})


def path_of(answer: Any) -> dict[str, str]:
    assert answer.status == 303, answer.body
    return {"write_off_id": answer.headers["location"].rpartition("/")[2]}


def test_two_people_give_up_a_due_and_ask_for_it_after_all(noor: Visitor, fay: Visitor) -> None:
    charge = {"charge_id": noor.charge("z1")}
    assert f"/desk/charges/{charge['charge_id']}/write-off" in noor.get("open_desk_charge", charge).body
    form = noor.get("open_desk_write_off_form", charge).body
    assert 'value="30.00"' in form
    assert "$20.00" in form
    one = path_of(asked(noor))
    assert path_of(asked(noor)) == one, "the same form again is the same one"
    said = noor.words("open_desk_write_off", one)
    assert "Waits for a second person" in said
    assert "The patient cannot pay" in said
    assert "Not you: you proposed it." in said
    assert noor.post("agree_to_write_off_at_desk", {}, one).status == 403
    assert "One for this charge waits already." in noor.words("open_desk_write_off_form", charge)
    assert one["write_off_id"] in fay.get("open_desk_write_offs").body
    assert "lost her work" in fay.words("open_desk_write_off", one)
    assert fay.post("agree_to_write_off_at_desk", {}, one).status == 303
    noor.town.follow()
    assert "No longer asked for" in fay.words("open_desk_write_off", one)
    told = noor.words("open_desk_charge", charge)
    assert "The clinic no longer asks the patient for $30.00" in told
    assert "The patient’s part is paid" not in told
    assert "Give up what is due" not in told
    assert "Given up" in noor.words("open_desk", query={"day": "2026-03-09"}) or "Given up" in noor.words("open_desk")
    narrowed = f"/desk/write-offs?charge={charge['charge_id']}"
    assert narrowed in noor.get("open_desk_charge", charge).body
    assert one["write_off_id"] in noor.get("open_desk_write_offs", query=charge_query(charge)).body
    assert one["write_off_id"] not in noor.get("open_desk_write_offs", query={"charge": noor.charge("z2")}).body
    assert fay.post("agree_to_write_off_at_desk", {}, one).status == 409
    assert noor.post("end_write_off_at_desk", {}, one).status == 303
    noor.town.follow()
    assert "Asked for again" in noor.words("open_desk_write_off", one)
    assert "The patient still owes $30.00" in noor.words("open_desk_charge", charge)


def charge_query(charge: dict[str, str]) -> dict[str, str]:
    return {"charge": charge["charge_id"]}


def test_a_small_one_is_decided_alone_and_one_that_waits_is_withdrawn(noor: Visitor) -> None:
    small = path_of(asked(noor, "z2", amount="8"))
    said = noor.words("open_desk_write_off", small)
    assert "Decided alone" in said
    assert "No longer asked for" in said
    large = path_of(asked(noor, "z1", key="l" * 30))
    assert noor.post("end_write_off_at_desk", {}, large).status == 303
    assert "Withdrawn" in noor.words("open_desk_write_off", large)


def test_what_does_not_fit_is_said_beside_what_was_typed(noor: Visitor) -> None:
    noor.get("open_desk_write_offs")
    for changes, words in (
        ({"amount": "30.01"}, "Less is due of this charge."),
        ({"amount": "0"}, "more than 0"),
        ({"amount": "1,5"}, "digits with a point"),
        ({"reason": "because"}, ""),
        ({"key": "short"}, "not whole"),
    ):
        answer = asked(noor, **changes)
        assert answer.status in (400, 409, 422), changes
        assert words in answer.body
        assert "lost her work" in answer.body
    paid = asked(noor, "e1", amount="1")
    assert paid.status == 409
    assert noor.town.market.records.find(KIND) == []


def test_nobody_elsewhere(visitor: Visitor, noor: Visitor) -> None:
    noor.get("open_desk_write_offs")
    one = path_of(asked(noor))
    hank = visitor.signed_in("Hank", [Role.CLERK], ["hospital"])
    charge = {"charge_id": noor.charge("z1")}
    assert hank.get("open_desk_write_off", one).status == 404
    assert hank.get("open_desk_write_off_form", charge).status == 404
    assert hank.post("write_off_at_desk", FORM, charge).status == 404
    assert hank.post("agree_to_write_off_at_desk", {}, one).status == 404
    assert one["write_off_id"] not in hank.get("open_desk_write_offs").body
    aud = visitor.signed_in("Aud", [Role.AUDITOR], [])
    assert aud.get("open_desk_write_off", one).status == 200
    assert aud.post("end_write_off_at_desk", {}, one).status == 403
    assert (
        "/write-off"
        not in aud.get("open_desk_charge", charge).body.partition("<main")[2].partition("/desk/write-offs")[0]
    )
    assert noor.post("end_write_off_at_desk", {"csrf": "x"}, one).status == 403
