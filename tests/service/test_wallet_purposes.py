"""Wallets for a purpose over the interface: opened once with their conditions, drawn by them, given back in time."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from family_helpers import put_terms, say_yes, terms

from drachm.application.expiry import sweep_expired
from drachm.domain.money import MICROS
from drachm.domain.payments.tariff import Tariff
from drachm.service import following

Ask = Callable[..., Any]
RULES: dict[str, Any] = {
    "id": "teeth-only",
    "version": "1",
    "title": "Teeth",
    "zone": "UTC",
    "effective": {"from": "2026-01-01"},
    "facts": {"category": "text"},
    "rules": [{"when": {"category": "dental"}, "eligible": True, "clause": "1"}],
    "otherwise": False,
    "text": {"1": "Teeth."},
}


def dollars(amount: int) -> dict[str, Any]:
    return {"micros": amount * MICROS, "currency": "USD"}


def opened(ask: Ask, caller: Any, dollars_in: int = 0, **order: Any) -> str:
    answer = ask("open_wallet", caller, body={"currency": "USD", "member": "cleo", **order})
    assert answer.status == 201, answer.body
    wallet = str(answer.body["id"])
    if dollars_in:
        ask("top_up_wallet", caller, path={"wallet_id": wallet}, body={"amount": dollars(dollars_in)})
    return wallet


def left(ask: Ask, town: Any, wallet: str) -> int:
    return int(ask("get_wallet", town.operator(), path={"wallet_id": wallet}).body["available"]["micros"]) // MICROS


def publish(ask: Ask, town: Any, **changes: Any) -> Any:
    return ask("publish_expense_rules", town.operator(), body={"document": {**RULES, **changes}})


def test_a_gift_says_its_conditions_and_goes_back_in_time(town: Any, ask: Ask) -> None:
    order = {
        "funder": "town-fund",
        "pocket": "gift",
        "expires_at": "2026-03-31T22:00:00-04:00",
        "categories": ["dental"],
    }
    wallet = opened(ask, town.funder(), 30, **order, returns_at="2026-04-30T00:00:00Z")
    seen = ask("get_wallet", town.patient("cleo"), path={"wallet_id": wallet}).body
    assert (seen["expires_at"], seen["returns_at"]) == ("2026-04-01T02:00:00Z", "2026-04-30T00:00:00Z")
    assert (seen["categories"], seen["funder"], seen["expense_rules"]) == (["dental"], "town-fund", None)
    town.clear(town.event("e1", 12, member="cleo", facts={"category": "dental"}))
    town.clear(town.event("e2", 12, member="cleo", visit="v2"))
    assert left(ask, town, wallet) == 18
    town.clock.move(days=40)
    assert sweep_expired(town.desk) == 0
    town.clock.move(days=20)
    assert sweep_expired(town.desk) == 1
    assert left(ask, town, wallet) == 0
    [account] = ask("list_accounts", town.funder(), query={"kind": "funder_payable"}).body["data"]
    assert (account["owner"], int(account["balance"]["micros"])) == ("town-fund", -18 * MICROS)
    entries = ask("list_wallet_entries", town.patient("cleo"), path={"wallet_id": wallet}).body["data"]
    assert [one["kind"] for one in entries] == ["expiry", "charge", "top_up"]
    assert entries[0]["receipt"] is None
    assert ask("list_accounts", town.funder("town-hall"), query={"kind": "funder_payable"}).body["data"] == []


def test_who_follows_the_journal_also_gives_back_what_expired(
    town: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of everything that follows, the sweeping alone is let run."""
    wallet = opened(ask, town.funder(), 30, funder="town-fund", expires_at="2026-04-01T00:00:00Z")
    town.clock.move(days=60)
    for name in [one for one in vars(following) if one.startswith("keep_") and one != "keep_sweeping"]:
        monkeypatch.setattr(following, name, lambda *given, **more: None)
    stopping = threading.Event()
    known = {"desk": town.desk, "stopping": stopping}
    threads = following.follow(**{name: known.get(name) for name in inspect.signature(following.follow).parameters})
    try:
        for _ in range(200):
            if not left(ask, town, wallet):
                break
            stopping.wait(0.05)
        assert left(ask, town, wallet) == 0
    finally:
        stopping.set()
        for thread in threads:
            thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize(
    ("order", "pointer"),
    [
        ({"funder": "town-fund", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2030-01-01T00:00:00Z"}, ""),
        ({"funder": "town-fund", "returns_at": "2030-01-01T00:00:00Z"}, ""),
        (
            {"funder": "town-fund", "expires_at": "2030-01-01T00:00:00Z", "returns_at": "2029-12-31T23:59:59Z"},
            "",
        ),
        ({"expense_rules": "unheard-of"}, "/expense_rules"),
        ({"funder": "town-fund", "expires_at": "9999-12-31T23:59:59-10:00"}, ""),
        ({"expires_at": "2030-01-01T00:00:00"}, "/expires_at"),
        ({"categories": [""]}, "/categories/0"),
    ],
)
def test_conditions_that_cannot_stand_are_refused(town: Any, ask: Ask, order: dict[str, Any], pointer: str) -> None:
    answer = ask("open_wallet", town.operator(), body={"currency": "USD", "member": "cleo", **order})
    assert answer.status == 422, answer.body
    assert [one["pointer"] for one in answer.body["errors"]] == [pointer]


def test_savings_pay_by_published_rules_and_the_receipt_says_why_not(town: Any, ask: Ask) -> None:
    assert publish(ask, town).status == 201
    savings = opened(ask, town.operator(), 50, pocket="health_savings", expense_rules="teeth-only")
    town.clear(town.event("e1", 12, member="cleo", facts={"category": "dental"}))
    assert left(ask, town, savings) == 38
    town.clear(town.event("e2", 12, member="cleo", visit="v2", facts={"category": "fitness"}))
    assert left(ask, town, savings) == 38
    town.follow()
    newest = ask("list_receipts", town.patient("cleo")).body["data"][0]["id"]
    for caller, told in ((town.patient("cleo"), "teeth-only 1"), (town.relative(of="cleo"), None)):
        steps = ask("explain_receipt", caller, path={"receipt_id": newest}).body["steps"]
        [step] = [one for one in steps if one["wallet"]]
        assert (step["wallet"], step["plan"], step["amount"]["micros"]) == (savings, told, 0)
        assert ("may not pay" in step["sentence"]) == (told is not None), "a relative is not told what it was"


def test_rules_are_published_once_by_the_operator_and_read_by_all(town: Any, ask: Ask) -> None:
    first = publish(ask, town)
    assert (first.status, publish(ask, town).body["version"]) == (201, first.body["version"])
    assert publish(ask, town, otherwise=True).code == "conflict"
    assert publish(ask, town, version="2", otherwise="no").code == "invalid_document"
    later = publish(ask, town, version="2", effective={"from": "2026-06-01"})
    assert [one["version"] for one in later.body["versions"]] == ["1", "2"]
    one = {"rules_id": "teeth-only"}
    for caller in (town.patient("ana"), town.funder(), town.clerk(), town.integrator()):
        assert ask("get_expense_rules", caller, path=one).body["document"]["version"] == "1"
        assert [each["id"] for each in ask("list_expense_rules", caller).body["data"]] == ["teeth-only"]
    assert ask("get_expense_rules", town.funder(), path=one, query={"version": "2"}).body["version"]["version"] == "2"
    assert ask("get_expense_rules", town.funder(), path={"rules_id": "none"}).status == 404
    for caller in (town.funder(), town.patient("ana"), town.auditor()):
        assert ask("publish_expense_rules", caller, body={"document": RULES}).code == "role_missing"


def test_a_familys_pocket_keeps_its_purpose_for_each_member(town: Any, ask: Ask) -> None:
    body = {"currency": "USD", "family": "dans", "funder": "town-fund", "categories": ["dental"]}
    answer = ask("open_wallet", town.funder(), body=body)
    wallet = {"wallet_id": answer.body["id"]}
    ask("top_up_wallet", town.funder(), path=wallet, body={"amount": dollars(40)})
    say_yes(town, ask, "dan")
    assert put_terms(ask, town.funder(), {**wallet, "member_id": "dan"}, terms(20)).status == 200
    town.clear(town.event("e1", 8, member="dan", facts={"category": "vision"}))
    assert left(ask, town, answer.body["id"]) == 40
    town.clear(town.event("e2", 8, member="dan", visit="v2", facts={"category": "dental"}))
    assert left(ask, town, answer.body["id"]) == 36, "his part of it"
    assert ask("get_wallet", town.funder(), path=wallet).body["categories"] == ["dental"]


def test_a_top_up_below_the_floor_warns_with_the_part_that_is_lost(town: Any, street: Any, ask: Ask) -> None:
    town.market = replace(town.market, tariffs={"card": Tariff("USD", 29_000, 300_000)})
    street.markets[town.name] = town.market
    path = {"wallet_id": "ana-cash"}
    half = {"amount": {"micros": 500_000, "currency": "USD"}, "rail": "card"}
    fee = ask("top_up_wallet", town.operator(), path=path, body=half).body["fee"]
    assert fee["warning"] == "The fee takes 62.9 % of this payment."
    assert (fee["share_ppm"], fee["amount"]["micros"]) == (629_000, 314_500)
    for amount, rail in ((25, "card"), (25, "bank")):
        order = {"amount": dollars(amount), "rail": rail}
        assert ask("top_up_wallet", town.operator(), path=path, body=order).body["fee"] is None


def test_nobody_puts_own_money_where_what_is_left_is_the_funders(town: Any, street: Any, ask: Ask) -> None:
    gift = opened(ask, town.funder(), 10, funder="town-fund", expires_at="2026-12-31T00:00:00Z")
    own = opened(ask, town.operator())
    shift = ask("open_shift", town.clerk(), body={"party": "clinic", "window": "w1", "laid_in": dollars(10)}).body["id"]
    rule = {"below": dollars(5), "amount": dollars(20), "month_cap": dollars(100), "rail": "bank", "zone": "UTC"}
    asked = {
        "begin_payment": (town.patient("cleo"), {}, {"amount": dollars(20), "rail": "bank"}),
        "set_automatic_top_up": (town.patient("cleo"), {}, rule),
        "take_cash": (town.clerk(), {"shift_id": shift}, {"amount": dollars(20)}),
    }
    for operation, (caller, more, body) in asked.items():
        for wallet, said in ((gift, "only its funder"), (own, "")):
            given = {**body, "wallet": wallet} if more else body
            answer = ask(operation, caller, path=more or {"wallet_id": wallet}, body=given)
            if said:
                assert (answer.status, said in answer.raw.decode()) == (422, True), operation
            else:
                assert "only its funder" not in answer.raw.decode(), operation
    town.clock.move(days=365)
    late = ask("top_up_wallet", town.funder(), path={"wallet_id": gift}, body={"amount": dollars(1)})
    assert "time of this pocket is over" in late.raw.decode()
    assert sweep_expired(town.desk) == 1
