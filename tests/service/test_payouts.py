"""Payout accounts: two people, a day, and no number anywhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

IBAN = "GB82 WEST 1234 5698 7654 32"
OTHER = "DE89370400440532013000"
NEW = {"party": "clinic", "currency": "USD", "number": {"holder": "Town clinic", "iban": IBAN}}


@pytest.fixture
def account(town: Any, ask: Any) -> dict[str, Any]:
    """An account proposed by the first person of the clinic's office."""
    made = ask("propose_payout_account", town.finance(subject="first"), body=NEW)
    assert made.status == 201, made.body
    return made.body


def approve(town: Any, ask: Any, change: dict[str, Any], who: str = "second") -> Any:
    return ask("approve_payout_change", town.finance(subject=who), {"change_id": change["id"]})


def read(town: Any, ask: Any, account: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = ask("get_payout_account", town.finance(), {"payout_account_id": account["id"]}).body
    return body


def test_a_number_holds_a_day_after_a_second_person_agreed(town: Any, ask: Any, account: Any) -> None:
    assert account["number"] is None
    (change,) = account["waiting"]
    assert (change["state"], change["number"]["shown"]) == ("proposed", "••••5432")
    agreed = approve(town, ask, change)
    assert (agreed.status, agreed.body["state"]) == (200, "approved")
    town.clock.move(hours=23.9)
    assert read(town, ask, account)["number"] is None
    town.clock.move(hours=0.2)
    now = read(town, ask, account)
    assert now["number"] == {"holder": "Town clinic", "scheme": "iban", "shown": "••••5432"}
    assert now["waiting"] == []


def test_the_first_person_does_not_agree_to_their_own_change(town: Any, ask: Any, account: Any) -> None:
    change = account["waiting"][0]
    assert approve(town, ask, change, "first").code == "second_person_required"
    machine = town.integrator(subject="m")
    assert ask("approve_payout_change", machine, {"change_id": change["id"]}).status == 403
    assert ask("approve_payout_change", town.finance("hospital"), {"change_id": change["id"]}).status == 404
    assert ask("approve_payout_change", town.operator(subject="op"), {"change_id": change["id"]}).status == 200
    assert approve(town, ask, change, "third").status == 409


def test_one_person_stops_a_change_until_it_holds(town: Any, ask: Any, account: Any) -> None:
    change = account["waiting"][0]
    path = {"change_id": change["id"]}
    approve(town, ask, change)
    town.clock.move(hours=12)
    stopped = ask("withdraw_payout_change", town.finance(subject="third"), path)
    assert (stopped.body["state"], stopped.body["withdrawn_by"]) == ("withdrawn", "third")
    town.clock.move(days=3)
    assert read(town, ask, account)["number"] is None
    assert approve(town, ask, change, "fourth").status == 409
    assert ask("withdraw_payout_change", town.finance(), path).status == 409


def test_the_old_number_stays_until_the_new_one_holds(town: Any, ask: Any, account: Any) -> None:
    approve(town, ask, account["waiting"][0])
    town.clock.move(hours=25)
    path = {"payout_account_id": account["id"]}
    number = {"number": {"holder": "Town clinic", "iban": OTHER}}
    change = ask("propose_payout_change", town.finance(subject="first"), path, body=number).body
    assert ask("propose_payout_change", town.finance(subject="x"), path, body=number).status == 409
    approve(town, ask, change)
    town.clock.move(hours=23)
    assert read(town, ask, account)["number"]["shown"] == "••••5432"
    town.clock.move(hours=2)
    assert read(town, ask, account)["number"]["shown"] == "••••3000"
    listed = ask("list_payout_changes", town.auditor(), path).body["data"]
    assert [one["state"] for one in listed] == ["replaced", "in_force"]
    assert ask("withdraw_payout_change", town.finance(), {"change_id": change["id"]}).status == 409


def test_of_many_at_once_one_proposes_and_one_agrees(town: Any, ask: Any, account: Any) -> None:
    first = account["waiting"][0]

    def agree(who: str) -> int:
        return approve(town, ask, first, who).status

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(agree, ["a", "b", "c", "d"])) == [200, 409, 409, 409]
    town.clock.move(hours=25)
    number = {"number": {"holder": "Town clinic", "iban": OTHER}}

    def propose(who: str) -> int:
        path = {"payout_account_id": account["id"]}
        return ask("propose_payout_change", town.finance(subject=who), path, body=number).status

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(propose, ["a", "b", "c", "d"])) == [201, 409, 409, 409]


def test_everybody_concerned_is_told(town: Any, ask: Any, account: Any) -> None:
    approve(town, ask, account["waiting"][0])
    notices = town.market.records.find("notice", parties=["clinic"])
    assert [(one.body["what"], one.body["to"]) for one in notices] == [
        ("payout_change_proposed", ["first"]),
        ("payout_change_approved", ["first", "second"]),
    ]
    assert "5432" not in str([one.body for one in notices])


def test_no_number_is_shown_or_stands_readable_in_the_database(town: Any, ask: Any, account: Any, street: Any) -> None:
    plain = IBAN.replace(" ", "")
    for answer in (account, read(town, ask, account)):
        assert "WEST" not in str(answer)
    with psycopg.connect(street.url) as conn:
        for table in ("record", "record_version", "record_tag", "operation"):
            for (row,) in conn.execute(f"SELECT t::text FROM {table} AS t").fetchall():
                assert plain not in row
                assert plain.encode().hex() not in row


@pytest.mark.parametrize(
    ("number", "pointer"),
    [
        ({"iban": "GB82WEST12345698765433"}, "/number/iban"),
        ({"iban": "GB82WEST1234569876543"}, "/number/iban"),
        ({"iban": "XX82WEST12345698765432"}, "/number/iban"),
        ({"routing_number": "021000022", "account_number": "12345678"}, "/number/routing_number"),
        ({"routing_number": "021000021", "account_number": "12-ab"}, "/number/account_number"),
        ({"routing_number": "021000021"}, "/number"),
        ({"iban": IBAN, "account_number": "12345678"}, "/number"),
        ({}, "/number"),
    ],
)
def test_slips_in_a_number_are_told_without_repeating_it(town: Any, ask: Any, number: Any, pointer: str) -> None:
    body = {**NEW, "number": {"holder": "Town clinic", **number}}
    answer = ask("propose_payout_account", town.finance(), body=body)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)
    assert not [value for value in number.values() if value in answer.raw.decode()]


def test_an_american_account_is_taken(town: Any, ask: Any) -> None:
    number = {"holder": "Town clinic", "routing_number": "021000021", "account_number": "000123456789"}
    made = ask("propose_payout_account", town.finance(), body={**NEW, "number": number})
    assert made.body["waiting"][0]["number"] == {"holder": "Town clinic", "scheme": "aba", "shown": "••••6789"}


def test_who_sees_and_who_proposes(town: Any, other_town: Any, ask: Any, account: Any) -> None:
    path = {"payout_account_id": account["id"]}
    assert ask("get_payout_account", town.finance("hospital"), path).status == 404
    assert ask("get_payout_account", other_town.operator(), path).status == 404
    assert ask("get_payout_account", town.clerk(), path).status == 403
    assert ask("list_payout_accounts", town.finance("hospital")).body["data"] == []
    assert len(ask("list_payout_accounts", town.auditor()).body["data"]) == 1
    assert ask("propose_payout_account", town.finance("hospital"), body=NEW).status == 403
    assert ask("propose_payout_account", town.auditor(), body=NEW).status == 403
    stranger = {**NEW, "party": "nobody-here"}
    assert ask("propose_payout_account", town.operator(), body=stranger).status == 422
    assert ask("propose_payout_account", town.finance(), body={**NEW, "currency": "XYZ"}).status == 400
    assert timedelta(hours=24) == timedelta(days=1)
