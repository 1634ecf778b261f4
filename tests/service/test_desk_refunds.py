"""The desk's list, what stands beside it, the search by name and amount, and refunds by two people."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.model import Role
from drachm.application import giving_back

FORM = {"reason": "not_given", "how": "whole", "most": "40.00", "note": "told twice", "key": "k" * 30}


@pytest.fixture
def noor(visitor: Visitor, lived_in: Any) -> Visitor:
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


@pytest.fixture
def fay(visitor: Visitor) -> Visitor:
    return visitor.signed_in("Fay", [Role.FINANCE], ["clinic"])


def proposed(noor: Visitor, **changes: str) -> Any:
    return noor.post("propose_refund_at_desk", {**FORM, **changes}, {"charge_id": noor.charge("e1")})


def path_of(answer: Any) -> dict[str, str]:
    assert answer.status == 303, answer.body
    return {"refund_id": answer.headers["location"].rpartition("/")[2]}


def test_two_people_give_a_charge_back_on_pages(noor: Visitor, fay: Visitor) -> None:
    charge = {"charge_id": noor.charge("e1")}
    assert f"/desk/charges/{charge['charge_id']}/refund" in noor.get("open_desk_charge", charge).body
    assert 'value="40.00"' in noor.get("open_desk_refund_form", charge).body
    refund = path_of(proposed(noor))
    assert path_of(proposed(noor)) == refund, "the same form again is the same proposal"
    said = noor.words("open_desk_refund", refund)
    assert "Waits for a second person" in said
    assert "Not you: you proposed it." in said
    assert "Agree: give back" not in said
    assert noor.post("agree_to_refund_at_desk", {}, refund).status == 403
    fay.get("open_desk_refunds")
    assert "told twice" in fay.words("open_desk_refund", refund)
    done = fay.post("agree_to_refund_at_desk", {}, refund)
    assert done.status == 303
    assert "Given back" in fay.words("open_desk_refund", refund)
    assert "Taken back" in noor.words("open_desk_charge", charge)
    again = fay.post("agree_to_refund_at_desk", {}, refund)
    assert (again.status, "agreed to already" in again.body) == (409, True)
    assert "Given back" in fay.words("open_desk_refunds")


def test_a_form_that_does_not_fit_says_so_beside_what_was_typed(noor: Visitor) -> None:
    for changes, words in (
        ({"most": "39.99"}, "More would go back than the limit says."),
        ({"most": "12,50"}, "digits with a point"),
        ({"how": "part", "price": "25"}, "whole charge is taken back"),
        ({"how": "part", "price": "x", "reason": "wrong_price"}, "digits with a point"),
        ({"reason": "because"}, ""),
        ({"key": "short"}, "not whole"),
    ):
        answer = proposed(noor, **changes)
        assert answer.status in (400, 409, 422), changes
        assert words in answer.body
        assert "told twice" in answer.body
    assert noor.town.market.records.find(giving_back.KIND) == []


def test_withdrawn_by_the_first_person_and_open_to_nobody_elsewhere(visitor: Visitor, noor: Visitor) -> None:
    refund = path_of(proposed(noor))
    hank = visitor.signed_in("Hank", [Role.CLERK], ["hospital"])
    assert hank.get("open_desk_refund", refund).status == 404
    assert hank.post("agree_to_refund_at_desk", {}, refund).status == 404
    assert hank.get("open_desk_refund_form", {"charge_id": noor.charge("e1")}).status == 404
    assert "told twice" not in hank.get("open_desk_refunds").body
    aud = visitor.signed_in("Aud", [Role.AUDITOR], [])
    assert aud.get("open_desk_refund", refund).status == 200
    assert aud.post("withdraw_refund_at_desk", {}, refund).status == 403
    assert noor.post("withdraw_refund_at_desk", {"csrf": "x"}, refund).status == 403
    assert noor.post("withdraw_refund_at_desk", {}, refund).status == 303
    assert "Withdrawn" in noor.words("open_desk_refund", refund)


def test_beside_the_list_stands_what_the_chosen_patient_sees(visitor: Visitor, noor: Visitor) -> None:
    first, second = noor.charge("e1"), noor.charge("e2")
    said = noor.get("open_desk", query={"open": first}).body
    assert re.search(rf'<tr role="row" data-chosen>\s*<td[^>]*><a class="look"[^>]*open={first}', said)
    assert f'href="/desk/charges/{first}">Explain' in said
    assert f'href="/desk/charges/{second}">Explain' in noor.get("open_desk", query={"open": second}).body
    foreign = noor.charge("e3")
    assert "Explain" not in noor.get("open_desk", query={"open": foreign}).body
    aud = visitor.signed_in("Aud", [Role.AUDITOR], [])
    assert ">Refund</a>" not in aud.get("open_desk", query={"open": first}).body


def test_a_name_and_an_amount_find_charges_and_stay_out_of_addresses(visitor: Visitor, noor: Visitor, ask: Any) -> None:
    town = noor.town
    for member, given, family, by in (("p1", "Rosa", "Lind", "clinic"), ("p2", "Rosa", "Linde", "hospital")):
        body = {"id": member, "name": {"given": given, "family": family}, "registered_by": by}
        assert ask("create_member", town.clerk(by), body=body).status == 201
    town.clear(town.event("r1", 17, member="p1", visit="vr"))
    for text in ("rosa lind", "Lind Rosa", "LIND"):
        answer = noor.post("search_desk", {"id": text})
        assert answer.status == 200, text
        assert "Rosa Lind" in answer.body
        assert noor.charge("r1") in answer.body
        assert "p2" not in answer.body
    assert "Rosa L." in noor.words("open_desk")
    for text in ("17", "17.00", "$17"):
        assert noor.charge("r1") in noor.post("search_desk", {"id": text}).body
    assert noor.post("search_desk", {"id": "17.01"}).status == 404
    assert noor.post("search_desk", {"id": "60"}).status == 404, "the hospital's charge"
    fay = visitor.signed_in("Fay", [Role.FINANCE], ["clinic"])
    assert fay.post("search_desk", {"id": "Rosa Lind"}).status == 404
    assert "Rosa L." not in fay.get("open_desk").body


def test_a_long_day_goes_on_over_pages(noor: Visitor) -> None:
    town = noor.town
    town.clear(*[town.event(f"n{n}", 1, member="dan", visit=f"n{n}") for n in range(55)])
    later = noor.again()
    page = later.words("open_desk")
    assert "1 to 50 of 58" in page
    assert "51 to 58 of 58" in later.words("open_desk", query={"from": "50"})
    assert later.get("open_desk", query={"from": "-1"}).status == 200
