"""A due that the clinic no longer asks for: by one person up to a limit, by two above, posted, and asked for again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from drachm.application import write_offs
from drachm.application.check_books import check_books
from drachm.application.expiry import sweep_expired
from drachm.domain.errors import Unavailable
from drachm.domain.ledger.client_money import client_money
from drachm.domain.money import MICROS

COSMETIC = {"category": "cosmetic"}
"""No cover helps: the price is the patient's share."""


def usd(dollars: int) -> dict[str, Any]:
    return {"micros": dollars * MICROS, "currency": "USD"}


@pytest.fixture
def owing(town: Any, ask: Any) -> dict[str, str]:
    """Cleo has no pot: a visit of 30 dollars and one of 8 are due."""
    town.clear(
        town.event("e1", 30, member="cleo", facts=COSMETIC),
        town.event("e2", 8, member="cleo", visit="v2", facts=COSMETIC),
    )
    return {one: charge_of(town, ask, one) for one in ("e1", "e2")}


def charge_of(town: Any, ask: Any, event_id: str) -> str:
    town.follow()
    found = ask("list_service_events", town.operator(), query={"source": "ehr", "event_id": event_id}).body["data"]
    return str(found[0]["charge"])


def give_up(town: Any, ask: Any, charge: str, who: str = "first", key: str = "", **body: Any) -> Any:
    caller = town.clerk(subject=who)
    return ask("write_off_due", caller, {"charge_id": charge}, body={"reason": "hardship", **body}, key=key)


def due(town: Any, ask: Any, charge: str) -> tuple[int, int]:
    """What is due of a charge, and what is no longer asked for."""
    town.follow()
    amounts = ask("get_charge", town.clerk(), {"charge_id": charge}).body["amounts"]
    paid = int(amounts["patient"]["micros"]) - int(amounts["due"]["micros"]) - int(amounts["no_longer_asked"]["micros"])
    assert paid == int(amounts["paid"]["micros"])
    return int(amounts["due"]["micros"]) // MICROS, int(amounts["no_longer_asked"]["micros"]) // MICROS


def whole(town: Any) -> None:
    assert check_books(town.desk.books) == []
    assert [one.difference for one in client_money(town.desk.books.sources()) if one.difference] == []


def owed_to_clinic(town: Any) -> int:
    balances = town.desk.books.balances().items()
    return -sum(sum_ for account, sum_ in balances if account.owner == "clinic") // MICROS


def test_a_small_one_is_given_up_alone_and_the_patient_is_told_so(town: Any, ask: Any, owing: Any) -> None:
    before = owed_to_clinic(town)
    done = give_up(town, ask, owing["e2"], note="lost her work")
    assert (done.status, done.body["state"], done.body["alone"]) == (201, "done", True), done.body
    assert due(town, ask, owing["e2"]) == (0, 8)
    assert owed_to_clinic(town) == before - 8
    receipt = ask("get_charge", town.clerk(), {"charge_id": owing["e2"]}).body["receipt"]
    shown = ask("get_receipt", town.patient("cleo"), {"receipt_id": receipt}).body
    assert "The clinic no longer asks for this." in str(shown)
    assert [(one["who"], one["label"]) for one in shown["parts"] if one["bearer"] == "patient"] == [
        ("", "No longer asked for")
    ]
    again = give_up(town, ask, owing["e2"])
    assert (again.status, again.code) == (409, "nothing_due")
    whole(town)


def test_above_the_limit_and_in_small_pieces_two_people_are_needed(town: Any, ask: Any, owing: Any) -> None:
    first = give_up(town, ask, owing["e1"])
    assert (first.body["state"], due(town, ask, owing["e1"])) == ("proposed", (30, 0))
    path = {"write_off_id": first.body["id"]}
    for who in (town.clerk(subject="first"), town.operator(subject="first")):
        assert ask("agree_to_write_off", who, path).status == 403
    assert ask("agree_to_write_off", town.clerk("hospital", subject="second"), path).status == 404
    done = ask("agree_to_write_off", town.finance(subject="second"), path)
    assert (done.status, done.body["state"], done.body["agreed_by"]) == (200, "done", "second")
    assert due(town, ask, owing["e1"]) == (0, 30)
    # Alone: 8 of 20, then pieces of 13 more are one too many, whoever sends them.
    town.clear(town.event("e3", 40, member="cleo", visit="v3", facts=COSMETIC))
    third = charge_of(town, ask, "e3")
    states = [give_up(town, ask, owing["e2"]).body["state"]]
    states += [
        give_up(town, ask, third, who, amount=usd(n)).body["state"] for who, n in (("a", 12), ("b", 1), ("c", 1))
    ]
    assert states == ["done", "done", "proposed", "proposed"]
    assert due(town, ask, third) == (28, 12)
    assert ask("list_write_offs", town.clerk(), query={"state": "proposed"}).body["data"][0]["charge"] == third
    assert ask("list_write_offs", town.clerk("hospital")).body["data"] == []
    whole(town)


def test_it_is_asked_for_again_and_a_correction_decides_anew(town: Any, ask: Any, owing: Any) -> None:
    before = owed_to_clinic(town)
    given = give_up(town, ask, owing["e2"]).body
    path = {"write_off_id": given["id"]}
    for _ in range(2):
        assert ask("end_write_off", town.clerk(subject="third"), path).body["state"] == "taken_back"
        assert due(town, ask, owing["e2"]) == (8, 0)
    small = give_up(town, ask, owing["e1"], amount=usd(5)).body
    assert due(town, ask, owing["e1"]) == (25, 5)
    town.clear(town.event("n1", 20, kind="replacement", replaces="e1", member="cleo", facts=COSMETIC))
    assert due(town, ask, charge_of(town, ask, "n1")) == (20, 0)
    assert ask("end_write_off", town.clerk(), {"write_off_id": small["id"]}).body["state"] == "taken_back"
    town.clear(town.event("r2", kind="reversal", replaces="e2", member="cleo"))
    whole(town)
    town.clock.move(days=2)
    sweep_expired(town.desk)
    assert owed_to_clinic(town) == before - 10 - 8
    whole(town)


def test_strangers_nonsense_and_what_is_withdrawn(town: Any, other_town: Any, ask: Any, owing: Any) -> None:
    charge = {"charge_id": owing["e1"]}
    order = {"reason": "goodwill"}
    for who, status in (
        (town.clerk("hospital"), 404),
        (town.patient("cleo"), 403),
        (town.integrator(), 403),
        (other_town.clerk(), 404),
        (town.nobody(), 401),
    ):
        assert ask("write_off_due", who, charge, body=order).status == status, who.subject
    for wrong, status in (
        ({"amount": usd(0)}, 400),
        ({"amount": usd(31)}, 409),
        ({"amount": {"micros": 1, "currency": "JPY"}}, 400),
        ({"reason": "no idea"}, 422),
    ):
        assert give_up(town, ask, owing["e1"], **wrong).status == status, wrong
    waiting = give_up(town, ask, owing["e1"]).body
    path = {"write_off_id": waiting["id"]}
    assert ask("end_write_off", town.clerk(subject="any"), path).body["state"] == "withdrawn"
    assert ask("agree_to_write_off", town.finance(subject="second"), path).status == 409
    assert ask("end_write_off", town.clerk(), path).status == 409
    assert due(town, ask, owing["e1"]) == (30, 0)


def test_of_many_at_once_no_more_is_given_up_than_is_due_nor_alone_than_may_be(town: Any, ask: Any, owing: Any) -> None:
    def at_once(number: int) -> Any:
        return give_up(town, ask, owing["e1"], f"clerk {number}", f"key-{number}", amount=usd(7))

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(at_once, range(6)))
    done = [one for one in answers if one.status == 201 and one.body["state"] == "done"]
    assert 1 <= len(done) <= 2
    assert due(town, ask, owing["e1"]) == (30 - 7 * len(done), 7 * len(done))
    whole(town)


def test_what_was_paid_meanwhile_is_not_given_up_and_who_died_is_finished(
    town: Any, ask: Any, owing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = give_up(town, ask, owing["e1"]).body
    path = {"write_off_id": waiting["id"]}
    before, pay = owed_to_clinic(town), write_offs.pay_due
    monkeypatch.setattr(write_offs, "pay_due", lambda *_: (_ for _ in ()).throw(Unavailable("gone", where="database")))
    assert ask("agree_to_write_off", town.finance(subject="second"), path).status == 503
    monkeypatch.setattr(write_offs, "pay_due", pay)
    assert ask("get_write_off", town.clerk(), path).body["state"] == "agreed"
    town.clear(town.event("r1", kind="reversal", replaces="e1", member="cleo"))
    failed = ask("agree_to_write_off", town.finance(subject="second"), path).body
    assert (failed["state"], failed["why"]) == ("failed", "nothing_due")
    town.clock.move(days=2)
    sweep_expired(town.desk)
    assert owed_to_clinic(town) == before - 30
    whole(town)
