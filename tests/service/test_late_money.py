"""Money that comes after the care, as a patient sees it: paid, on a new receipt, and questioned there."""

from __future__ import annotations

from typing import Any

import pytest

from drachm.application.late_dues import pay_late
from drachm.domain.coverage.model import Member
from drachm.domain.funding.model import Pot
from drachm.domain.money import MICROS


def usd(dollars: int) -> dict[str, Any]:
    return {"micros": dollars * MICROS, "currency": "USD"}


@pytest.fixture
def noor(town: Any) -> Any:
    """Without cover, with an empty wallet, and two visits at different clinics."""
    town.desk.books.enrol(members=[Member("noor")], pots=[Pot("noor-cash", "noor", "USD")])
    town.clear(
        town.event("n1", 12, member="noor", visit="n1"),
        town.event("n2", 8, member="noor", visit="n2", billing_party="hospital"),
        town.event("n3", 5, member="noor", visit="n3"),
    )
    return town.patient("noor")


def come_in(town: Any, ask: Any, dollars: int) -> list[int]:
    done = ask("top_up_wallet", town.operator(), path={"wallet_id": "noor-cash"}, body={"amount": usd(dollars)})
    assert done.status == 201
    paid = pay_late("noor", "USD", town.desk, town.market.records, town.market.money)
    town.follow()
    return [one.amount // MICROS for one in paid]


def test_the_receipt_says_paid_and_is_questioned_like_any_other(town: Any, ask: Any, noor: Any) -> None:
    assert [one["amounts"]["due"] for one in ask("list_charges", noor).body["data"]] == [usd(5), usd(8), usd(12)]
    assert come_in(town, ask, 12) == [12]
    first = ask("list_charges", noor).body["data"][-1]
    assert (first["amounts"]["due"], first["amounts"]["paid"], first["waits"]) == (usd(0), usd(12), None)
    receipt = {"receipt_id": first["receipt"]}
    shown = ask("get_receipt", noor, path=receipt).body
    assert [(part["who"], part["label"]) for part in shown["parts"]] == [("noor-cash", "Paid")]
    # It moved the wallet, in a list that adds up.
    entries = ask("list_wallet_entries", noor, path={"wallet_id": "noor-cash"}).body["data"]
    assert sum(int(one["amount"]["micros"]) for one in entries) == 0
    asked = ask("ask_question", noor, path=receipt, body={"choice": "not_agreed", "stop": True}, key="q1")
    assert (asked.status, asked.body["state"]) == (201, "asked"), asked.body
    # Nothing more is paid by itself to that clinic until it is answered, also of what came due before.
    assert come_in(town, ask, 20) == [8]
    assert [one["amounts"]["due"] for one in ask("list_charges", noor).body["data"]] == [usd(5), usd(0), usd(0)]
    assert ask("take_back_question", noor, path={"question_id": asked.body["id"]}).status in (200, 204)
    assert come_in(town, ask, 1) == [5]


def test_what_was_paid_by_hand_meanwhile_is_not_paid_again(town: Any, ask: Any, noor: Any) -> None:
    ask("top_up_wallet", town.operator(), path={"wallet_id": "noor-cash"}, body={"amount": usd(30)})
    (_, _, first) = ask("list_charges", noor).body["data"]
    assert ask("pay_charge", noor, path={"charge_id": first["id"]}, body={"amount": usd(7)}, key="p1").status == 201
    assert come_in(town, ask, 1) == [5, 8, 5]
    assert ask("pay_charge", noor, path={"charge_id": first["id"]}, body={}, key="p2").code == "nothing_due"
    assert ask("pay_charge", noor, path={"charge_id": first["id"]}, body={"amount": usd(7)}, key="p1").status == 201
    assert int(town.market.money.purses(ids=["noor-cash"])[0].pot.avail) == 6 * MICROS
