"""Cash back at the window, over the interface and on pages: by two people, out of one's own box, once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from desk_visitor import Visitor

from drachm.adapters.rest.identity.model import Role
from drachm.application.cash_refunds import KIND
from drachm.application.check_books import check_books

MICROS = 1_000_000
YES = "yes, on Monday at the window"


def dollars(amount: float) -> dict[str, Any]:
    return {"micros": round(amount * MICROS), "currency": "USD"}


def pot(town: Any, name: str = "ana-cash") -> tuple[int, int]:
    found: tuple[int, int] = town.desk.books.pots([name])[name]
    return found


@pytest.fixture
def shift(town: Any, ask: Any) -> str:
    """Cleo's box: 10.00 laid in, 30.00 taken from Ana."""
    cleo = town.clerk(subject="cleo")
    opened = ask("open_shift", cleo, body={"party": "clinic", "window": "1", "laid_in": dollars(10)}).body["id"]
    order = {"wallet": "ana-cash", "amount": dollars(30)}
    assert ask("take_cash", cleo, {"shift_id": opened}, body=order).status == 201
    return str(opened)


def propose(town: Any, ask: Any, key: str = "", who: str = "cleo", **changes: Any) -> Any:
    body = {"party": "clinic", "wallet": "ana-cash", "amount": dollars(20), "consent": YES, **changes}
    return ask("propose_cash_refund", town.clerk(subject=who), body=body, key=key)


def agree(town: Any, ask: Any, refund: dict[str, Any], who: str = "fay") -> Any:
    return ask("agree_to_cash_refund", town.finance(subject=who), {"refund_id": refund["id"]})


def hand_out(town: Any, ask: Any, refund: dict[str, Any], shift: str, who: str = "cleo") -> Any:
    path = {"refund_id": refund["id"]}
    return ask("pay_cash_refund", town.clerk(subject=who), path, body={"shift": shift})


def test_wallet_money_goes_out_of_the_box_once_two_people_said_so(town: Any, ask: Any, shift: str) -> None:
    before = pot(town)[0]
    made = propose(town, ask, key="k1")
    assert (made.status, made.body["state"]) == (201, "proposed"), made.body
    assert propose(town, ask, key="k1").body["id"] == made.body["id"]
    assert hand_out(town, ask, made.body, shift).code == "refund_not_ready"
    assert agree(town, ask, made.body, "cleo").code == "second_person_required"
    ready = agree(town, ask, made.body)
    assert (ready.status, ready.body["state"], ready.body["agreed_by"]) == (200, "ready", "fay")
    assert pot(town) == (before - 20 * MICROS, 20 * MICROS)
    for _ in range(2):
        paid = hand_out(town, ask, made.body, shift)
        assert (paid.status, paid.body["state"], paid.body["shift"]) == (200, "paid", shift)
    box = ask("get_shift", town.finance(), {"shift_id": shift}).body
    assert (box["given"], box["expected"]) == (dollars(20), dollars(20))
    counted = ask("count_shift", town.clerk(subject="cleo"), {"shift_id": shift}, body={"counted": dollars(20)})
    assert counted.body["difference"] == dollars(0)
    assert pot(town) == (before - 20 * MICROS, 0)
    assert check_books(town.desk.books) == []


def test_what_came_by_bank_is_in_no_box_and_the_refusal_says_so(town: Any, ask: Any, shift: str) -> None:
    ask("top_up_wallet", town.operator(), path={"wallet_id": "ana-cash"}, body={"amount": dollars(50)})
    refused = propose(town, ask, amount=dollars(31))
    assert (refused.status, refused.code) == (409, "refund_exceeds")
    assert refused.body["next_step"].startswith("Hand out at most 30.00 USD.")
    assert "what came by bank is in no box" in refused.body["next_step"]
    assert propose(town, ask, amount=dollars(30)).status == 201


def test_what_a_charge_gave_back_goes_out_and_no_more_than_that(town: Any, ask: Any, shift: str) -> None:
    town.clear(town.event("e1", 40))
    charge = ask("list_charges", town.clerk()).body["data"][0]["id"]
    order = {"reason": "not_given", "most": dollars(40)}
    path = {"charge_id": charge}
    back = ask("propose_charge_refund", town.clerk(subject="cleo"), path, body=order).body
    early = propose(town, ask, charge_refund=back["id"], consent="", amount=dollars(1))
    assert (early.status, early.code) == (422, "invalid_refund")
    done = ask("agree_to_charge_refund", town.finance(subject="fay"), {"refund_id": back["id"]}).body
    assert done["state"] == "done"
    with_it = {"charge_refund": back["id"], "consent": ""}
    given = 0
    for amount in (11, 9, 4, 2, 1, 1):
        refund = propose(town, ask, **with_it, amount=dollars(amount))
        if refund.status == 409:
            assert refund.code == "refund_exceeds"
            continue
        assert agree(town, ask, refund.body).body["state"] == "ready"
        given += amount
    # What came back to this wallet is the patient's part, less what came back to her gift.
    assert 0 < given * MICROS <= done["patient"]["micros"]
    assert given + 1 > (done["patient"]["micros"] - 5 * MICROS) / MICROS
    assert propose(town, ask, **with_it, amount=dollars(1)).code == "refund_exceeds"
    for wrong in ({"charge_refund": "rfd_none"}, {"charge_refund": back["id"], "party": "hospital"}):
        assert propose(town, ask, consent=YES, **wrong).status in (403, 422), wrong


def test_nobody_elsewhere_and_no_machine(town: Any, other_town: Any, ask: Any, shift: str) -> None:
    body = {"party": "clinic", "wallet": "ana-cash", "amount": dollars(20), "consent": YES}
    for who in (town.clerk("hospital"), town.patient("ana"), town.integrator(), town.payer(), town.auditor()):
        assert ask("propose_cash_refund", who, body=body).status == 403
    at_hospital = ask("propose_cash_refund", town.clerk("hospital"), body={**body, "party": "hospital"})
    nobody = ask("propose_cash_refund", town.clerk("hospital"), body={**body, "party": "hospital", "wallet": "x"})
    assert (at_hospital.status, at_hospital.body["errors"]) == (422, nobody.body["errors"])
    refund = propose(town, ask).body
    path = {"refund_id": refund["id"]}
    for who in (town.finance("hospital"), town.patient("ana"), town.integrator(), other_town.operator()):
        assert ask("agree_to_cash_refund", who, path).status in (403, 404)
        assert ask("withdraw_cash_refund", who, path).status in (403, 404)
        assert ask("pay_cash_refund", who, path, body={"shift": shift}).status in (403, 404)
    assert ask("get_cash_refund", town.clerk("hospital"), path).status == 404
    assert ask("list_cash_refunds", town.clerk("hospital")).body["data"] == []
    assert ask("get_cash_refund", town.auditor(), path).body == refund
    far = {"party": "hospital", "window": "1", "laid_in": dollars(99)}
    theirs = ask("open_shift", town.clerk("hospital", subject="hal"), body=far).body["id"]
    agree(town, ask, refund)
    assert hand_out(town, ask, refund, theirs).status == 409
    assert hand_out(town, ask, refund, shift, "dan").code == "not_your_shift"


def test_what_cannot_be_is_refused_and_keeps_nothing(town: Any, ask: Any, shift: str) -> None:
    for changes, status in (
        ({"amount": dollars(31)}, 409),
        ({"amount": dollars(0)}, 400),
        ({"amount": dollars(-1)}, 400),
        ({"amount": {"micros": 5, "currency": "USD"}}, 400),
        ({"amount": {"micros": MICROS, "currency": "EUR"}}, 400),
        ({"consent": ""}, 422),
        ({"consent": "y"}, 422),
        ({"consent": "a\x07bcdefgh"}, 422),
        ({"wallet": "ben-cash"}, 422),
        ({"wallet": "nobody"}, 422),
    ):
        answer = propose(town, ask, **changes)
        assert answer.status == status, (changes, answer.body)
    assert town.market.records.find(KIND) == []


def test_a_box_that_is_short_or_closed_says_so(town: Any, ask: Any, shift: str) -> None:
    cleo = town.clerk(subject="cleo")
    refund = propose(town, ask, amount=dollars(30)).body
    agree(town, ask, refund)
    poor = {"party": "clinic", "window": "2", "laid_in": dollars(29)}
    dans = ask("open_shift", town.clerk(subject="dan"), body=poor).body["id"]
    short = hand_out(town, ask, refund, dans, "dan")
    assert (short.status, short.code) == (409, "box_short")
    assert "29.00" in short.body["detail"]
    ask("count_shift", cleo, {"shift_id": shift}, body={"counted": dollars(40)})
    assert hand_out(town, ask, refund, shift).code == "shift_closed"
    stopped = ask("withdraw_cash_refund", cleo, {"refund_id": refund["id"]})
    assert (stopped.status, stopped.body["state"], pot(town)[1]) == (200, "withdrawn", 0)
    assert hand_out(town, ask, refund, dans, "dan").code == "refund_not_ready"


def test_two_clerks_at_once_hand_out_once(town: Any, ask: Any, shift: str) -> None:
    second = {"party": "clinic", "window": "2", "laid_in": dollars(50)}
    dans = ask("open_shift", town.clerk(subject="dan"), body=second).body["id"]
    refund = propose(town, ask).body
    agree(town, ask, refund)
    with ThreadPoolExecutor(4) as pool:
        tries = [("cleo", shift), ("dan", dans), ("cleo", shift), ("dan", dans)]
        answers = list(pool.map(lambda one: hand_out(town, ask, refund, one[1], one[0]), tries))
    assert {one.status for one in answers} <= {200, 409}
    boxes = [ask("get_shift", town.operator(), {"shift_id": one}).body["given"]["micros"] for one in (shift, dans)]
    assert sorted(boxes) == [0, 20 * MICROS]
    assert pot(town)[1] == 0


@pytest.fixture
def noor(visitor: Visitor, lived_in: Any) -> Visitor:
    return visitor.signed_in("Noor", [Role.CLERK], ["clinic"])


@pytest.fixture
def fay(visitor: Visitor) -> Visitor:
    return visitor.signed_in("Fay", [Role.FINANCE], ["clinic"])


FORM = {"party": "clinic", "wallet": "ana-cash", "currency": "USD", "amount": "12.50", "consent": YES, "key": "k" * 30}


def test_on_pages_from_the_proposal_to_the_box(noor: Visitor, fay: Visitor) -> None:
    shift = {"shift_id": noor.open_shift()}
    noor.post("take_cash_at_desk", {"wallet": "ana-cash", "amount": "30", "key": "c" * 30}, shift)
    assert "/desk/cash-refunds" in noor.get("open_desk_shift", shift).body
    assert "/desk/cash-refunds" in noor.get("open_desk_refunds").body
    noor.get("open_desk_cash_refunds")
    for changes, words in (
        ({"amount": "31"}, "Less than this came in as cash here."),
        ({"amount": "1,5"}, "digits with a point"),
        ({"wallet": "ben-cash"}, "No cash of this currency"),
        ({"key": "short"}, "not whole"),
    ):
        answer = noor.post("propose_cash_refund_at_desk", {**FORM, **changes})
        assert answer.status in (400, 409, 422), changes
        assert words in answer.body
        assert YES in answer.body
    made = [noor.post("propose_cash_refund_at_desk", FORM).headers["location"] for _ in range(2)]
    assert made[0] == made[1]
    path = {"refund_id": made[0].rpartition("/")[2]}
    assert "Not you: you proposed it." in noor.words("open_desk_cash_refund", path)
    assert noor.post("agree_to_cash_refund_at_desk", {}, path).status == 403
    assert YES in fay.words("open_desk_cash_refund", path)
    assert fay.post("agree_to_cash_refund_at_desk", {}, path).status == 303
    assert "Hand out" not in fay.words("open_desk_cash_refund", path)
    assert fay.post("pay_cash_refund_at_desk", shift, path).status == 403
    assert "Ready to be handed out" in noor.words("open_desk_cash_refunds")
    said = noor.words("open_desk_cash_refund", path)
    assert "which should hold $80.00" in said
    assert noor.post("pay_cash_refund_at_desk", {"shift": "shf_none"}, path).status == 400
    assert noor.post("pay_cash_refund_at_desk", {"shift": shift["shift_id"]}, path).status == 303
    assert "Handed out" in noor.words("open_desk_cash_refund", path)
    assert "$67.50" in noor.words("open_desk_shift", shift)
    assert noor.post("withdraw_cash_refund_at_desk", {}, path).status == 409
    hank = noor.signed_in("Hank", [Role.CLERK], ["hospital"])
    assert hank.get("open_desk_cash_refund", path).status == 404
    assert YES not in hank.get("open_desk_cash_refunds").body


def test_a_refund_of_a_charge_leads_to_its_cash(noor: Visitor, fay: Visitor) -> None:
    shift = {"shift_id": noor.open_shift()}
    noor.post("take_cash_at_desk", {"wallet": "ana-cash", "amount": "30", "key": "c" * 30}, shift)
    charge = {"charge_id": noor.charge("e1")}
    noor.get("open_desk_refund_form", charge)
    form = {"reason": "not_given", "how": "whole", "most": "40.00", "note": "", "key": "k" * 30}
    name = noor.post("propose_refund_at_desk", form, charge).headers["location"].rpartition("/")[2]
    assert "refund=" not in noor.get("open_desk_refund", {"refund_id": name}).body
    fay.get("open_desk_refunds")
    assert fay.post("agree_to_refund_at_desk", {}, {"refund_id": name}).status == 303
    assert f"/desk/cash-refunds?refund={name}" in noor.get("open_desk_refund", {"refund_id": name}).body
    page = noor.get("open_desk_cash_refunds", query={"refund": name}).body
    assert 'value="ana-cash"' in page
    assert f'name="refund" value="{name}"' in page
    assert noor.get("open_desk_cash_refunds", query={"refund": "rfd_none"}).status == 404
    made = noor.post("propose_cash_refund_at_desk", {**FORM, "amount": "2", "consent": "", "refund": name})
    assert made.status == 303
