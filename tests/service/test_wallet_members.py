"""A family's pocket: who sets limits, what each of the family sees, who joins and who leaves."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from drachm.domain.coverage.model import Member
from drachm.domain.money import MICROS

sys.path.insert(0, str(Path(__file__).parent))

from family_helpers import put_terms, say_yes, terms, usd


@pytest.fixture
def pocket(town: Any, ask: Any) -> dict[str, str]:
    """50 dollars for Dan, who holds it, and Dora."""
    town.desk.books.enrol(members=[Member("dora", date(1975, 1, 1), "female", family="dans")])
    body = {"currency": "USD", "family": "dans", "funder": "town-fund", "holder": "dan"}
    opened = ask("open_wallet", town.operator(), body=body)
    assert opened.status == 201
    wallet = {"wallet_id": opened.body["id"]}
    ask("top_up_wallet", town.funder(), path=wallet, body={"amount": usd(50)})
    say_yes(town, ask, "dan", "dora")
    return wallet


def left(town: Any, ask: Any, pocket: dict[str, str]) -> int:
    return int(ask("get_wallet", town.operator(), path=pocket).body["available"]["micros"]) // MICROS


def test_the_holder_limits_a_member_and_the_next_posting_obeys(town, ask, pocket) -> None:
    dora = {**pocket, "member_id": "dora"}
    told = put_terms(ask, town.patient("dan"), dora, terms(12))
    assert (told.status, told.body["member"], told.body["paused"]) == (200, "dora", False)
    town.clear(town.event("d1", 15, member="dora"))
    assert left(town, ask, pocket) == 38
    shown = ask("list_wallet_members", town.patient("dan"), path=pocket).body["data"]
    assert [one["member"] for one in shown] == ["dan", "dora"]
    (limit,) = shown[1]["limits"]
    assert (limit["amount"], limit["every"], limit["zone"]) == (usd(12), "month", "America/New_York")
    put_terms(ask, town.funder(), dora, terms(40, paused=True))
    town.clear(town.event("d2", 5, member="dora", visit="v2"))
    assert left(town, ask, pocket) == 38
    put_terms(ask, town.operator(), dora, {})
    town.clear(town.event("d3", 5, member="dora", visit="v3"))
    assert left(town, ask, pocket) == 33
    for _ in range(2):
        assert ask("remove_wallet_member", town.patient("dan"), path=dora).status == 204
    town.clear(town.event("d4", 5, member="dora", visit="v4"))
    assert left(town, ask, pocket) == 33
    assert [one["member"] for one in ask("list_wallet_members", town.patient("dan"), path=pocket).body["data"]] == [
        "dan"
    ]


def test_what_is_left_is_said_for_the_period_that_is_now(town, ask, pocket) -> None:
    dora = {**pocket, "member_id": "dora"}
    put_terms(ask, town.patient("dan"), dora, terms(12, every="ever"))
    town.clear(town.event("d1", 5, member="dora"))
    (_, shown) = ask("list_wallet_members", town.patient("dan"), path=pocket).body["data"]
    (limit,) = shown["limits"]
    assert (limit["period"], limit["used"]["micros"], limit["left"]["micros"]) == ("L", "5000000", "7000000")


def test_each_sees_amounts_and_who_as_far_as_it_is_theirs(town, ask, pocket) -> None:
    town.clear(town.event("d1", 10, member="dan"), town.event("d2", 15, member="dora", visit="v9"))
    everybody, hers = ["dora", "dan", None], ["dora", None, None]
    for caller, who in ((town.patient("dan"), everybody), (town.funder(), everybody), (town.patient("dora"), hers)):
        entries = ask("list_wallet_entries", caller, path=pocket).body["data"]
        assert [one["member"] for one in entries] == who
        # Nothing of what it was, nor where.
        allowed = {"posted_at", "occurred_at", "kind", "amount", "source", "receipt", "member", "care"}
        assert all(set(one) == allowed and one["receipt"] is one["care"] is None for one in entries)
    seen = ask("list_wallet_members", town.patient("dora"), path=pocket).body["data"]
    assert [one["member"] for one in seen] == ["dora"]


def test_nobody_else_changes_terms(town, ask, pocket) -> None:
    dora, good = {**pocket, "member_id": "dora"}, terms(12)
    for caller, status in (
        (town.patient("dora"), 404),
        (town.patient("ana"), 404),
        (town.relative(of="dan"), 403),
        (town.auditor(), 403),
        (town.clerk(), 403),
    ):
        assert put_terms(ask, caller, dora, good).status == status
        # She may go herself, and nobody else may send her.
        other = {**dora, "member_id": "dan"} if caller.subject == "patient dora" else dora
        assert ask("remove_wallet_member", caller, path=other).status == status
    holder = town.patient("dan")
    assert put_terms(ask, holder, {**pocket, "member_id": "ana"}, good).status == 404
    assert put_terms(ask, holder, {**dora, "wallet_id": "ana-cash"}, good).status == 404
    wrong = {"amount": {"micros": 1, "currency": "EUR"}, "every": "month"}
    assert put_terms(ask, holder, dora, {"limits": [wrong]}).code == "invalid_money"
    twice = good["limits"] * 2
    assert put_terms(ask, holder, dora, {"limits": twice}).code == "invalid_body"
    stranger = {"currency": "USD", "family": "dans", "holder": "ana"}
    assert ask("open_wallet", town.operator(), body=stranger).code == "invalid_body"


def test_who_joins_the_family_draws_and_who_leaves_does_not(town, ask, pocket) -> None:
    town.desk.books.enrol(members=[Member("gran", date(1948, 1, 1), "female")])
    family, today = {"family_id": "dans"}, {"member": "gran", "from_day": "2025-01-01"}
    joined = ask("join_family", town.operator(), path=family, body=today)
    assert joined.status == 200, joined.body
    say_yes(town, ask, "gran")
    gran = {**pocket, "member_id": "gran"}
    assert put_terms(ask, town.patient("dan"), gran, terms(9)).status == 200
    town.clear(town.event("g1", 15, member="gran"))
    assert left(town, ask, pocket) == 41
    assert ask("leave_family", town.operator(), path={**family, "member_id": "gran"}).status == 200
    town.clear(town.event("g2", 15, member="gran", visit="v2"))
    assert left(town, ask, pocket) == 41
    ask("join_family", town.operator(), path=family, body=today)
    # Who comes back is asked again, and finds the limits of then.
    say_yes(town, ask, "gran")
    town.clear(town.event("g3", 15, member="gran", visit="v3"))
    assert left(town, ask, pocket) == 41
