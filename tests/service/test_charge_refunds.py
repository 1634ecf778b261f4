"""Money of a charge that goes back: two people, a limit, once, and to the pockets that gave it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from drachm.adapters.rest.service.journal_reading import find_event
from drachm.application import giving_back
from drachm.application.check_books import check_books

DOLLAR = 1_000_000


def usd(dollars: float) -> dict[str, Any]:
    return {"micros": round(dollars * DOLLAR), "currency": "USD"}


def charge_of(town: Any, ask: Any, event_id: str = "e1") -> str:
    page = ask("list_service_events", town.operator(), query={"source": "ehr", "event_id": event_id}).body
    charge: str = page["data"][0]["charge"]
    return charge


def propose(town: Any, ask: Any, charge: str, who: str = "first", key: str = "", **changes: Any) -> Any:
    body = {"reason": "not_given", "most": usd(40), **changes}
    return ask("propose_charge_refund", town.clerk(subject=who), {"charge_id": charge}, body=body, key=key)


def agree(town: Any, ask: Any, refund: dict[str, Any], who: str = "second") -> Any:
    return ask("agree_to_charge_refund", town.finance(subject=who), {"refund_id": refund["id"]})


def pots(town: Any) -> dict[str, int]:
    return {name: left for name, (left, _) in town.desk.books.pots(["ana-gift", "ana-cash"]).items()}


@pytest.fixture
def charge(town: Any, ask: Any) -> str:
    town.clear(town.event("e1", 40))
    return charge_of(town, ask)


def test_the_whole_goes_back_to_the_pockets_that_paid_once_a_second_person_agreed(town: Any, ask: Any) -> None:
    before = pots(town)
    town.clear(town.event("e1", 40))
    spent = pots(town)
    assert spent != before
    charge = charge_of(town, ask)
    made = propose(town, ask, charge, note="told twice")
    assert made.status == 201, made.body
    refund = made.body
    assert refund["state"] == "proposed"
    assert refund["payers"]["micros"] + refund["patient"]["micros"] == 40 * DOLLAR
    assert pots(town) == spent
    done = agree(town, ask, refund)
    assert (done.status, done.body["state"], done.body["agreed_by"]) == (200, "done", "second")
    assert pots(town) == before
    assert check_books(town.desk.books) == []
    event = find_event(town.market, done.body["event"])
    assert event is not None
    assert event.row.kind == "reversal"
    assert ask("get_charge", town.clerk(), {"charge_id": charge}).body["state"] == "reversed"


def test_a_part_goes_back_when_the_price_was_wrong(town: Any, ask: Any, charge: str) -> None:
    refund = propose(town, ask, charge, reason="wrong_price", price=usd(25), most=usd(15)).body
    assert refund["payers"]["micros"] + refund["patient"]["micros"] == 15 * DOLLAR
    done = agree(town, ask, refund).body
    assert done["state"] == "done"
    event = ask("get_service_event", town.clerk(), {"event_id": done["event"]}).body
    now = ask("get_charge", town.clerk(), {"charge_id": event["charge"]}).body["amounts"]
    assert now["payers"]["micros"] + now["patient"]["micros"] == 25 * DOLLAR


def test_nobody_agrees_to_their_own_and_strangers_find_nothing(town: Any, ask: Any, charge: str) -> None:
    refund = propose(town, ask, charge).body
    assert agree(town, ask, refund, "first").code == "second_person_required"
    path = {"refund_id": refund["id"]}
    for stranger in (town.finance("hospital", subject="x"), town.patient("ana"), town.integrator()):
        assert ask("agree_to_charge_refund", stranger, path).status in (403, 404)
        assert ask("withdraw_charge_refund", stranger, path).status in (403, 404)
    assert ask("get_charge_refund", town.clerk("hospital"), path).status == 404
    assert ask("list_charge_refunds", town.clerk("hospital")).body["data"] == []
    other = propose(town, ask, charge, "third")
    assert (other.status, other.code) == (409, "refund_open")
    at_another = {"charge_id": charge}
    body = {"reason": "not_given", "most": usd(40)}
    assert ask("propose_charge_refund", town.clerk("hospital"), at_another, body=body).status == 404
    assert ask("propose_charge_refund", town.payer(), at_another, body=body).status == 403


def test_another_tenant_sees_nothing_of_it(town: Any, other_town: Any, ask: Any, charge: str) -> None:
    refund = propose(town, ask, charge).body
    assert ask("get_charge_refund", other_town.operator(), {"refund_id": refund["id"]}).status == 404
    assert agree(other_town, ask, refund).status == 404


def test_what_cannot_be_is_refused_and_keeps_nothing(town: Any, ask: Any, charge: str) -> None:
    for changes, status in (
        ({"most": usd(39.99)}, 409),
        ({"price": usd(25)}, 422),
        ({"reason": "wrong_price", "price": usd(40)}, 422),
        ({"reason": "wrong_price", "price": usd(-1)}, 422),
        ({"reason": "because"}, 422),
        ({"most": {"micros": 1, "currency": "EUR"}}, 400),
        ({"note": "a\x07b"}, 422),
        ({"note": "a" * 501}, 422),
    ):
        assert propose(town, ask, charge, **changes).status == status, changes
    assert town.market.records.find(giving_back.KIND) == []
    assert propose(town, ask, "chg_nothing").status == 404


def test_a_charge_that_changed_meanwhile_is_not_given_back_on_old_figures(town: Any, ask: Any, charge: str) -> None:
    refund = propose(town, ask, charge).body
    event = ask("get_charge", town.clerk(), {"charge_id": charge}).body["event"]
    assert ask("reverse_service_event", town.integrator(), {"event_id": event}, body={}).status == 201
    answer = agree(town, ask, refund)
    assert (answer.status, answer.code) == (409, "charge_changed")
    assert ask("withdraw_charge_refund", town.clerk(subject="first"), {"refund_id": refund["id"]}).status == 200
    assert propose(town, ask, charge).code == "charge_changed"


def test_stopped_is_stopped_and_done_is_done(town: Any, ask: Any, charge: str) -> None:
    refund = propose(town, ask, charge).body
    path = {"refund_id": refund["id"]}
    stopped = ask("withdraw_charge_refund", town.clerk(subject="third"), path)
    assert (stopped.status, stopped.body["state"]) == (200, "withdrawn")
    assert agree(town, ask, refund).status == 409
    again = propose(town, ask, charge)
    assert again.status == 201
    assert agree(town, ask, again.body).body["state"] == "done"
    assert agree(town, ask, again.body, "third").status == 409
    assert ask("withdraw_charge_refund", town.clerk(), {"refund_id": again.body["id"]}).status == 409
    states = [one["state"] for one in ask("list_charge_refunds", town.finance()).body["data"]]
    assert sorted(states) == ["done", "withdrawn"]
    waiting = ask("list_charge_refunds", town.finance(), query={"state": "proposed"}).body["data"]
    assert waiting == []


def test_the_same_key_is_the_same_proposal(town: Any, ask: Any, charge: str) -> None:
    first = propose(town, ask, charge, key="k1").body
    assert propose(town, ask, charge, key="k1").body["id"] == first["id"]
    assert len(town.market.records.find(giving_back.KIND)) == 1


def test_many_who_agree_at_once_give_it_back_once(town: Any, ask: Any, charge: str) -> None:
    refund = propose(town, ask, charge).body
    rows = len(list(town.desk.books.rows()))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: agree(town, ask, refund, f"p{number}"), range(6)))
    assert [one.status for one in answers].count(200) >= 1
    assert all(one.status in (200, 409) for one in answers), [one.body for one in answers]
    assert len(list(town.desk.books.rows())) == rows + 1
    assert ask("get_charge_refund", town.clerk(), {"refund_id": refund["id"]}).body["state"] == "done"


def test_who_died_between_agreeing_and_posting_is_finished_by_the_next(
    town: Any, ask: Any, charge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = propose(town, ask, charge).body

    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(giving_back, "clear_events", dies)
        with pytest.raises(RuntimeError):
            agree(town, ask, refund)
    path = {"refund_id": refund["id"]}
    assert ask("get_charge_refund", town.clerk(), path).body["state"] == "agreed"
    assert agree(town, ask, refund, "third").body["state"] == "done"
    assert ask("get_charge", town.clerk(), {"charge_id": charge}).body["state"] == "reversed"


def test_erasing_the_patient_erases_what_was_noted(town: Any, ask: Any, charge: str) -> None:
    refund = propose(town, ask, charge, note="about ana's test").body
    town.desk.books.erase("ana")
    assert ask("get_charge_refund", town.clerk(), {"refund_id": refund["id"]}).status == 404
    assert agree(town, ask, refund).status == 404
