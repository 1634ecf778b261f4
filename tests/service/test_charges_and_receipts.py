"""Charges, visits and receipts: sums that add up, each reader their own part, relatives amounts only."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from drachm.adapters.rest.service import charges
from drachm.domain.coverage.model import Contract, Member
from drachm.domain.events.model import Code
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

CANARY = "Zosterbehandlung"
"""A word that a relative must never read."""


def micros(amounts: Any) -> dict[str, int]:
    return {part: amount["micros"] for part, amount in amounts.items()}


def data(answer: Any) -> list[Any]:
    assert answer.status == 200, answer.body
    return list(answer.body["data"])


@pytest.fixture
def treated(town: Any) -> Any:
    """Ana: two lines of one visit at the clinic, one of the same visit at the hospital; ben at the hospital; a denied
    line; all with words that tell what it was."""
    secret = {"display": CANARY, "code": Code("http://snomed.info/sct", "4740000")}
    town.clear(
        town.event("e1", 40, **secret),
        town.event("e2", 25, **secret),
        town.event("e3", 60, billing_party="hospital", **secret),
        town.event("e4", 50, member="ben", billing_party="hospital", visit="v2", **secret),
        town.event("e5", 70, visit="v3", facts={"category": "cosmetic"}, **secret),
    )
    return town


def test_a_charge_adds_up(treated: Any, ask: Any) -> None:
    found = data(ask("list_charges", treated.operator()))
    assert len(found) == 5
    for charge in found:
        amounts = micros(charge["amounts"])
        assert amounts["billed"] == amounts["agreed_cut"] + amounts["payers"] + amounts["patient"]
        assert amounts["patient"] == amounts["paid"] + amounts["due"]
        assert amounts["payers"] == sum(part["amount"]["micros"] for part in charge["by_payer"])
        assert ask("get_charge", treated.operator(), {"charge_id": charge["id"]}).body == charge
    denied = [charge for charge in found if charge["status"] == "denied"]
    assert [micros(charge["amounts"])["patient"] for charge in denied] == [70 * MICROS]


def test_a_visit_is_one_answer_to_the_patient(treated: Any, ask: Any) -> None:
    visits = data(ask("list_visits", treated.patient("ana")))
    assert [visit["charges"] for visit in visits] == [1, 3]
    whole = ask("get_visit", treated.patient("ana"), {"visit_id": visits[1]["id"]}).body
    assert {name: whole[name] for name in visits[1]} == visits[1]
    assert whole["providers"] == ["clinic", "hospital"]
    (total,) = whole["totals"]
    assert micros(total["amounts"])["billed"] == 125 * MICROS
    for part, amount in micros(total["amounts"]).items():
        assert amount == sum(micros(item["amounts"])[part] for item in whole["items"])
    # 10 dollars of deductible, then a fifth of the rest: 23 + 10 = 33, paid from her pockets.
    assert micros(total["amounts"]) == {
        "billed": 125 * MICROS,
        "allowed": 125 * MICROS,
        "agreed_cut": 0,
        "payers": 92 * MICROS,
        "patient": 33 * MICROS,
        "paid": 33 * MICROS,
        "no_longer_asked": 0,
        "due": 0,
    }
    assert whole["answer"] == "Your part is paid. Nothing more to do."


def test_each_clinic_sees_its_own_part_of_a_visit(treated: Any, ask: Any) -> None:
    (visit,) = [one for one in data(ask("list_visits", treated.clerk("clinic"))) if one["charges"] == 2]
    whole = ask("get_visit", treated.clerk("clinic"), {"visit_id": visit["id"]}).body
    assert [item["provider"] for item in whole["items"]] == ["clinic", "clinic"]
    assert micros(whole["totals"][0]["amounts"])["billed"] == 65 * MICROS
    other = ask("get_visit", treated.clerk("hospital"), {"visit_id": visit["id"]}).body
    assert [item["provider"] for item in other["items"]] == ["hospital"]
    assert ask("get_visit", treated.patient("ben"), {"visit_id": visit["id"]}).status == 404


def test_what_was_taken_back_is_not_in_the_sum(treated: Any, ask: Any) -> None:
    town = treated
    town.clear(town.event("r1", kind="reversal", replaces="e2"))
    town.clear(town.event("n1", 30, kind="replacement", replaces="e1", visit=""))
    found = [one for one in data(ask("list_visits", town.patient("ana"))) if one["charges"] == 2]
    (visit,) = found  # the replacement names no visit, and belongs to that of what it replaces
    whole = ask("get_visit", town.patient("ana"), {"visit_id": visit["id"]}).body
    assert [(item["state"], micros(item["amounts"])["billed"] // MICROS) for item in whole["items"]] == [
        ("replaced", 40),
        ("reversed", 25),
        ("standing", 60),
        ("standing", 30),
    ]
    assert micros(whole["totals"][0]["amounts"])["billed"] == 90 * MICROS
    town.clear(town.event("r2", kind="reversal", replaces="e5", visit="v3"))
    (undone,) = [one for one in data(ask("list_visits", town.patient("ana"))) if one["charges"] == 0]
    assert (undone["totals"], undone["answer"]) == ([], "Everything was taken back. Nothing to pay.")


def test_a_visit_with_a_line_that_waits_is_not_complete(town: Any, ask: Any) -> None:
    town.clear(town.event("e1", 40), town.event("e2", 40, billing_party="unknown-clinic"))
    (visit,) = data(ask("list_visits", town.patient("ana")))
    assert (visit["charges"], visit["complete"]) == (1, False)
    # The clinic does not reach the other's line, and its own part is whole.
    (own,) = data(ask("list_visits", town.clerk("clinic")))
    assert own["complete"]


def test_a_visit_of_thousands_of_lines_is_cut_and_says_so(town: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    town.clear(*[town.event(f"e{number}") for number in range(6)])
    monkeypatch.setattr(charges, "LINES_MAX", 4)
    (visit,) = data(ask("list_visits", town.patient("ana")))
    assert (visit["charges"], visit["complete"]) == (4, False)
    whole = ask("get_visit", town.patient("ana"), {"visit_id": visit["id"]}).body
    assert (len(whole["items"]), whole["complete"]) == (4, False)


def test_visits_come_once_on_pages_of_any_size(town: Any, ask: Any) -> None:
    events = [town.event(f"e{number}", visit=f"v{number % 5}") for number in range(13)]
    town.clear(*events, town.event("alone", visit=""))
    everything = [one["id"] for one in data(ask("list_visits", town.patient("ana")))]
    assert len(everything) == len(set(everything)) == 6
    for limit in ("1", "2", "5"):
        found: list[str] = []
        cursor = None
        for _ in range(20):
            answer = ask(
                "list_visits", town.patient("ana"), query={"limit": limit} | ({"cursor": cursor} if cursor else {})
            )
            found += [one["id"] for one in data(answer)]
            cursor = answer.body["next"]
            if cursor is None:
                break
        assert found == everything
    assert len(data(ask("list_charges", town.patient("ana"), query={"visit": everything[-1]}))) > 1


def test_days_narrow_visits_by_the_charges_that_fit(town: Any, ask: Any) -> None:
    early = town.event().started_at - timedelta(days=5)
    town.clear(town.event("e1", started_at=early), town.event("e2"))
    (visit,) = data(ask("list_visits", town.patient("ana"), query={"until": "2026-03-06"}))
    assert (visit["day"], visit["until"]) == ("2026-03-05", "2026-03-10")
    assert data(ask("list_visits", town.patient("ana"), query={"until": "2026-03-04"})) == []


def test_two_people_with_one_word_for_a_visit_have_two_visits(town: Any, ask: Any) -> None:
    town.clear(town.event("e1", visit="same"), town.event("e2", visit="same", member="ben"))
    visits = {one["id"] for one in data(ask("list_visits", town.clerk("clinic")))}
    assert len(visits) == 2
    assert "same" not in json.dumps(sorted(visits))


def test_receipts_have_every_amount_and_say_why(treated: Any, ask: Any) -> None:
    receipts = data(ask("list_receipts", treated.clerk("clinic")))
    assert [one["event_id"] for one in receipts] == ["e5", "e2", "e1"]
    first = ask("get_receipt", treated.clerk("clinic"), {"receipt_id": receipts[-1]["id"]}).body
    assert first == receipts[-1]
    amounts = micros(first["amounts"])
    assert amounts == {
        "billed": 40 * MICROS,
        "allowed": 40 * MICROS,
        "provider": 0,
        "payers": 24 * MICROS,
        "patient": 16 * MICROS,
        "due": 0,
    }
    assert sum(part["amount"]["micros"] for part in first["parts"]) == amounts["billed"]
    assert [(part["bearer"], part["who"]) for part in first["parts"]] == [
        ("payer", "town-insurance"),
        ("patient", "ana-gift"),
        ("patient", "ana-cash"),
    ]
    assert len(bytes.fromhex(first["leaf"])) == 32
    why = ask("explain_receipt", treated.clerk("clinic"), {"receipt_id": first["id"]}).body
    steps = [(one["clause"], one["amount"]["micros"] // MICROS) for one in why["steps"]]
    assert ("3", 10) in steps
    assert ("4", 6) in steps
    step = next(one for one in why["steps"] if one["clause"] == "3")
    assert step["clause_text"] == "You pay the first 10 dollars of a year."
    assert (step["limit_name"], step["of_limit"], step["left"]) == ("deductible", 10 * MICROS, 0)
    (plan,) = why["plans"]
    assert (plan["id"], plan["version"], len(plan["hash"])) == ("town-plan", "2026.1", 64)
    assert why["price"]["price_book"] == "as-submitted"


def test_a_published_price_book_is_named_with_its_version(town: Any, ask: Any) -> None:
    book = {
        "id": "town-prices",
        "version": "7",
        "currency": "USD",
        "zone": "America/New_York",
        "effective": {"from": "2025-01-01"},
        "items": [{"system": "local", "code": "visit", "rule": {"kind": "fixed", "amount": 30 * MICROS}}],
    }
    hashed = town.desk.books.publish("price_book", book)
    town.desk.books.enrol(contracts=[Contract("clinic", "town-insurance", "town-prices", Period(date(2000, 1, 1)))])
    town.clear(town.event("e1", 40))
    (receipt,) = data(ask("list_receipts", town.clerk("clinic")))
    why = ask("explain_receipt", town.clerk("clinic"), {"receipt_id": receipt["id"]}).body
    assert (why["price"]["price_book"], why["price"]["version"], why["price"]["hash"]) == ("town-prices", "7", hashed)
    assert micros(receipt["amounts"])["provider"] == 10 * MICROS


def test_a_later_answer_is_named_on_the_earlier_receipt(treated: Any, ask: Any) -> None:
    treated.clear(treated.event("r1", kind="reversal", replaces="e1"))
    receipts = {one["event_id"]: one for one in data(ask("list_receipts", treated.clerk("clinic")))}
    assert (receipts["e1"]["current"], receipts["e1"]["next_receipt"]) == (False, receipts["r1"]["id"])
    assert (receipts["r1"]["current"], receipts["r1"]["charge"]) == (True, None)
    assert receipts["r1"]["visit"] == receipts["e1"]["visit"]


READING = ("list_charges", "list_visits", "list_receipts")


def test_a_relative_sees_amounts_and_never_where_or_for_what(treated: Any, ask: Any) -> None:
    relative, told = treated.relative(), []
    for operation in READING:
        answer = ask(operation, relative)
        assert data(answer)
        told.append(answer)
    (charge, *_), (visit, *_), (receipt, *_) = map(data, told)
    told.append(ask("get_charge", relative, {"charge_id": charge["id"]}))
    told.append(ask("get_visit", relative, {"visit_id": visit["id"]}))
    told.append(ask("get_receipt", relative, {"receipt_id": receipt["id"]}))
    told.append(ask("explain_receipt", relative, {"receipt_id": receipt["id"]}))
    for answer in told:
        assert answer.status == 200
        text = answer.raw.decode()
        for word in (CANARY, "4740000", "snomed", "clinic", "hospital", "cosmetic", '"ehr"', '"e1"', "town-plan"):
            assert word not in text
    assert micros(charge["amounts"])["billed"] == 70 * MICROS
    # The patient reads all of it, under the same names.
    mine = ask("get_charge", treated.patient("ana"), {"charge_id": charge["id"]})
    assert CANARY in mine.raw.decode()
    assert "clinic" in mine.raw.decode()


def test_a_relative_cannot_find_out_the_clinic_by_asking(treated: Any, ask: Any) -> None:
    for operation in READING:
        assert data(ask(operation, treated.relative(), query={"party": "clinic"})) == []
        assert data(ask(operation, treated.patient("ana"), query={"party": "clinic"})) != []


def test_a_list_shows_what_the_caller_reaches(treated: Any, ask: Any) -> None:
    town = treated
    nothing = [town.relative(revoked=True), town.relative(of="dan"), town.patient("dan"), town.clerk("elsewhere")]
    for operation in READING:
        for caller in nothing:
            assert data(ask(operation, caller)) == []
        assert {one["member"] for one in data(ask(operation, town.payer("town-hall")))} == {"ben"}
        assert {one["member"] for one in data(ask(operation, town.relative()))} == {"ana"}
        assert {one["member"] for one in data(ask(operation, town.auditor()))} == {"ana", "ben"}
        # A funder sees amounts of their wallets, and no care at all.
        assert ask(operation, town.funder()).status == 403
        assert ask(operation, town.nobody()).status == 401


SINGLE = (
    ("get_charge", "charge_id"),
    ("get_visit", "visit_id"),
    ("get_receipt", "receipt_id"),
    ("explain_receipt", "receipt_id"),
)


def test_one_thing_is_shown_to_those_whom_it_concerns_only(treated: Any, other_town: Any, ask: Any) -> None:
    town = treated
    charge = next(one for one in data(ask("list_charges", town.operator())) if one["member"] == "ben")
    names = {"charge_id": charge["id"], "visit_id": charge["visit"], "receipt_id": charge["receipt"]}
    may = [town.patient("ben"), town.relative(of="ben"), town.clerk("hospital"), town.finance("hospital")]
    may += [town.payer("town-insurance"), town.payer("town-hall"), town.auditor(), town.operator()]
    may_not = [town.patient("ana"), town.relative(), town.relative(of="ben", revoked=True), town.clerk("clinic")]
    may_not += [other_town.operator(), other_town.patient("ben")]
    for operation, parameter in SINGLE:
        path = {parameter: names[parameter]}
        assert [ask(operation, caller, path).status for caller in may] == [200] * len(may)
        hidden = [ask(operation, caller, path) for caller in may_not]
        nothing = ask(operation, town.operator(), {parameter: names[parameter][:4] + "0" * 26})
        assert nothing.status == 404
        assert {answer.raw for answer in hidden} == {nothing.raw}
        assert ask(operation, town.funder(), path).status == 403
        assert ask(operation, town.nobody(), path).status == 401


def test_what_waits_or_was_refused_has_no_receipt(lived_in: Any, ask: Any) -> None:
    (waiting,) = data(ask("list_service_events", lived_in.operator(), query={"status": "pended"}))
    assert waiting["receipt"] is None
    made = "rcp_" + waiting["id"].removeprefix("evt_")
    assert ask("get_receipt", lived_in.operator(), {"receipt_id": made}).status == 404
    assert ask("get_charge", lived_in.operator(), {"charge_id": "chg_" + made[4:]}).status == 404


def test_money_that_came_in_is_no_receipt_of_care(town: Any, ask: Any) -> None:
    town.follow()
    assert data(ask("list_receipts", town.operator())) == []
    happened = data(ask("list_events", town.operator()))
    assert [one["what"] for one in happened] == ["top_up"] * 3
    made = "rcp_" + happened[0]["id"].removeprefix("rev_")
    assert ask("get_receipt", town.operator(), {"receipt_id": made}).status == 404


def test_many_readers_at_once_do_not_wait_for_each_other(treated: Any, ask: Any) -> None:
    """More readers than connections, with nothing remembered: each needs several looks, none while it holds another."""
    town = treated
    for number in range(3):
        town.desk.books.enrol(members=[Member(f"new{number}")])
        town.clear(town.event(f"more{number}"))
        with ThreadPoolExecutor(12) as threads:
            answers = list(threads.map(lambda at: ask(READING[at % 3], town.operator()), range(12)))
        assert {answer.status for answer in answers} == {200}


def test_erased_receipts_keep_their_place(treated: Any, ask: Any) -> None:
    before = data(ask("list_receipts", treated.clerk("clinic")))
    treated.desk.books.erase("ana")
    after = data(ask("list_receipts", treated.clerk("clinic")))
    assert [one["id"] for one in after] == [one["id"] for one in before]
    assert {json.dumps(one["amounts"]) for one in after} == {"null"}
    assert CANARY not in json.dumps(after)
    assert ask("explain_receipt", treated.clerk("clinic"), {"receipt_id": after[0]["id"]}).body["steps"] == []
    (visit,) = [one for one in data(ask("list_visits", treated.clerk("clinic"))) if one["charges"] == 2]
    assert (visit["totals"], visit["complete"]) == ([], False)
