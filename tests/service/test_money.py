"""Wallets, accounts, trial balance and statements: that they add up, cost little, and show no care to who pays."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from drachm.adapters.rest.service.accounts import name_of
from drachm.adapters.rest.transport.idempotency import MemoryKeys
from drachm.application.body import TopUp
from drachm.application.top_up import top_up
from drachm.domain.coverage.model import Member
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, account_id
from drachm.domain.money import MICROS

sys.path.insert(0, str(Path(__file__).parent))

from family_helpers import say_yes


def micros(sum_: Any) -> int:
    return int(sum_["micros"])


def every(ask, name, caller, *, size="2", path=None, **query) -> list[Any]:
    """All items of a list, page by page."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    for _ in range(500):
        answer = ask(name, caller, path=path, query={"limit": size, **query, **cursor})
        assert answer.status == 200, answer.body
        page = answer.body.get("entries", answer.body)
        found += page["data"]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}
    raise AssertionError("the list has no end")


def account(town, kind: str, owner: str, currency: str = "USD") -> str:
    return name_of(account_id(town.tenant, Account(kind, owner, currency)))


@pytest.fixture
def busy(town):
    """Some months of care: charges, a hold and its capture, a reversal, what waits and what is refused."""
    for n in range(12):
        month = 1 + n % 3
        at = datetime(2026, month, 3 + n, 12, tzinfo=UTC)
        town.clear(
            town.event(f"a{n}", 10 + n, visit=f"v{n}", started_at=at),
            town.event(f"b{n}", 20 + n, member="ben", billing_party="hospital", visit=f"w{n}", started_at=at),
        )
    town.clear(town.event("h", 9, kind="hold"), town.event("c", 9, kind="replacement", replaces="h"))
    town.clear(town.event("r", 0, kind="reversal", replaces="a3", billed=0), town.event("p", member="nobody"))
    return town


@pytest.mark.parametrize("indexed", [False, True, "half"])
def test_accounts_entries_and_trial_balance_say_what_the_journal_says(busy, ask, indexed) -> None:
    money = busy.market.money
    if indexed:
        assert money.catch_up(20 if indexed == "half" else 10_000) > 0
    balances = busy.desk.books.balances()
    shown = every(ask, "list_accounts", busy.auditor(), size="3")
    assert {(one["kind"], one["owner"], one["currency"]): micros(one["balance"]) for one in shown} == balances
    assert [one["id"] for one in shown] == [account(busy, *name) for name in sorted(balances)]
    for one in shown:
        alone = ask("get_account", busy.auditor(), path={"account_id": one["id"]})
        assert alone.body == one
        entries = every(ask, "list_account_entries", busy.auditor(), path={"account_id": one["id"]})
        assert sum(micros(entry["amount"]) for entry in entries) == micros(one["balance"])
        expected = [
            (stored.posted_at, entry.amount)
            for stored, written in busy.desk.books.rows()
            for entry in written.entries
            if account(busy, *entry.account) == one["id"]
        ]
        assert [micros(entry["amount"]) for entry in entries] == [amount for _, amount in reversed(expected)]
    trial = ask("get_trial_balance", busy.auditor()).body
    assert trial["balanced"] is True
    [clients] = trial["client_money"]
    owed = sum(-balance for account, balance in balances.items() if account.kind in ("wallet", "wallet_held"))
    assert (micros(clients["wallets"]), micros(clients["difference"])) == (owed, 0)
    assert micros(clients["to_providers"]) > 0
    assert [micros(total["sum"]) for total in trial["totals"]] == [0]
    above = sum(value for value in balances.values() if value > 0)
    assert micros(trial["totals"][0]["debits"]) == above == -micros(trial["totals"][0]["credits"])
    assert sum(line["accounts"] for line in trial["lines"]) == len(balances)


def test_statements_open_with_what_the_last_one_closed_with(busy, ask) -> None:
    # Entries are posted today; older months are made by moving the clock.
    for _ in range(3):
        busy.clock.move(days=31)
        busy.clear(*[busy.event(f"m{busy.clock.now().isoformat()}{n}", 15, visit=f"x{n}") for n in range(3)])
    for caught_up in (False, True):
        if caught_up:
            busy.market.money.catch_up()
        found = every(ask, "list_statements", busy.finance("clinic"))
        months = [one["from"] for one in found]
        assert months == sorted(months, reverse=True)
        assert len(months) == 4
        closing = None
        for one in reversed(found):
            statement = ask("get_statement", busy.finance("clinic"), path={"statement_id": one["id"]}).body
            entries = every(ask, "get_statement", busy.finance("clinic"), path={"statement_id": one["id"]})
            assert len(entries) == statement["count"]
            total = sum(micros(entry["amount"]) for entry in entries)
            assert micros(statement["opening"]) + total == micros(statement["closing"])
            assert micros(statement["turnover"]) == total
            assert closing in (None, micros(statement["opening"]))
            closing = micros(statement["closing"])
        assert closing == micros(found[0]["account"]["balance"])
        assert statement["complete"] is False
    march = every(ask, "list_statements", busy.payer(), month="2026-03")
    assert [one["account"]["kind"] for one in march] == ["payer_receivable"]
    operator = ask("list_statements", busy.operator(), query={"party": "clinic"})
    assert len(operator.body["data"]) == 4
    assert ask("list_statements", busy.operator()).code == "bad_request"
    assert ask("list_statements", busy.operator(), query={"month": "2026-13"}).code == "bad_request"


def test_nobody_sees_the_accounts_of_others(busy, other_town, ask) -> None:
    mine = every(ask, "list_accounts", busy.finance("clinic"))
    assert {(one["kind"], one["owner"]) for one in mine} == {("provider_payable", "clinic")}
    hospital, wallet = account(busy, "provider_payable", "hospital"), account(busy, "wallet", "ana-cash")
    due = account(busy, "patient_receivable", "cleo")
    for caller in (busy.finance("clinic"), busy.payer(), busy.funder(), other_town.operator(), other_town.auditor()):
        for name in (hospital, wallet, due, "acc_00000000000000000000000000", "acc_x", "stm_x"):
            for operation in ("get_account", "list_account_entries"):
                assert ask(operation, caller, path={"account_id": name}).status == 404
    for caller in (busy.patient("ana"), busy.clerk(), busy.integrator()):
        assert ask("list_accounts", caller).code == "role_missing"
        assert ask("get_trial_balance", caller).code == "role_missing"
    assert ask("get_trial_balance", busy.finance("clinic")).code == "role_missing"
    assert every(ask, "list_accounts", other_town.auditor()) != every(ask, "list_accounts", busy.auditor())
    statement = every(ask, "list_statements", busy.finance("hospital"))[0]["id"]
    for caller in (busy.finance("clinic"), other_town.operator(), busy.funder()):
        assert ask("get_statement", caller, path={"statement_id": statement}).status == 404
    # A wallet that bears the name of a party is not the party's.
    busy.desk.books.enrol(pots=[Pot("clinic", "ana", "USD")])
    top_up(TopUp("x", "1", "clinic", "ana", MICROS, "USD", "bank", busy.clock.now()), busy.desk)
    mine = every(ask, "list_accounts", busy.finance("clinic"))
    assert {(one["kind"], one["owner"]) for one in mine} == {("provider_payable", "clinic")}


def test_a_cursor_of_another_account_is_refused(busy, ask) -> None:
    one, other = account(busy, "provider_payable", "clinic"), account(busy, "cash", "cash-desk")
    page = ask("list_account_entries", busy.auditor(), path={"account_id": one}, query={"limit": "1"})
    same = {"limit": "1", "cursor": page.body["next"]}
    assert ask("list_account_entries", busy.auditor(), path={"account_id": one}, query=same).status == 200
    assert ask("list_account_entries", busy.operator(), path={"account_id": one}, query=same).code == "invalid_cursor"
    days = ask("list_account_entries", busy.auditor(), path={"account_id": other}, query={"from": "2026-02-30"})
    assert days.code == "bad_request"


def test_a_funder_opens_a_pocket_fills_it_once_and_sees_amounts_only(town, ask) -> None:
    funder = town.funder()
    order = {"currency": "USD", "member": "cleo", "funder": "town-fund", "pocket": "assistance"}
    opened = ask("open_wallet", funder, body=order)
    assert opened.status == 201
    wallet = {"wallet_id": opened.body["id"]}
    money = {"amount": {"micros": 30 * MICROS, "currency": "USD"}, "rail": "bank"}
    first = ask("top_up_wallet", funder, path=wallet, body=money, key="k1")
    again = ask("top_up_wallet", funder, path=wallet, body=money, key="k1")
    assert (first.status, again.body) == (201, first.body)
    assert ask("top_up_wallet", funder, path=wallet, body=money, key=None).code == "idempotency_key_missing"
    town.clear(town.event("e1", 40, member="cleo", display="Something delicate"))
    seen = ask("get_wallet", funder, path=wallet)
    assert (micros(seen.body["available"]), seen.body["funder"]) == (0, "town-fund")
    entries = ask("list_wallet_entries", funder, path=wallet)
    assert [micros(one["amount"]) for one in entries.body["data"]] == [30 * MICROS, -30 * MICROS]
    assert [one["kind"] for one in entries.body["data"]] == ["charge", "top_up"]
    for text in ("delicate", "visit", "clinic", "rcp_"):
        assert text not in entries.raw.decode()
    accounts = every(ask, "list_accounts", funder)
    assert {(one["kind"], one["owner"]) for one in accounts} == {("wallet", wallet["wallet_id"])}
    shown = every(ask, "list_account_entries", funder, path={"account_id": accounts[0]["id"]})
    assert [one["receipt"] for one in shown] == [None, None]
    statement = every(ask, "list_statements", funder)[0]
    assert "rcp_" not in ask("get_statement", funder, path={"statement_id": statement["id"]}).raw.decode()
    assert ask("list_receipts", funder).status == 403
    # The patient, and a relative until they are revoked, see it as well; nobody else does.
    assert ask("get_wallet", town.patient("cleo"), path=wallet).status == 200
    assert ask("get_wallet", town.relative(of="cleo"), path=wallet).status == 200
    for caller in (
        town.relative(of="cleo", revoked=True),
        town.patient("ana"),
        town.funder("town-hall"),
    ):
        for operation in ("get_wallet", "list_wallet_entries"):
            assert ask(operation, caller, path=wallet).status == 404
        assert wallet["wallet_id"] not in [one["id"] for one in every(ask, "list_wallets", caller)]
    assert ask("get_wallet", town.clerk(), path=wallet).code == "role_missing"


def test_the_same_key_is_the_same_top_up_even_where_keys_were_forgotten(town, street, ask) -> None:
    order = {"amount": {"micros": 7 * MICROS, "currency": "USD"}}
    path, caller = {"wallet_id": "ana-cash"}, town.operator()
    before = town.desk.books.pots()["ana-cash"][0]

    def forget() -> None:
        street.keys[town.name] = MemoryKeys(lambda: 0.0)

    first = ask("top_up_wallet", caller, path=path, body=order, key="k")
    forget()
    second = ask("top_up_wallet", caller, path=path, body=order, key="k")
    assert first.body["id"] == second.body["id"]
    forget()
    changed = {"amount": {"micros": 8 * MICROS, "currency": "USD"}}
    assert ask("top_up_wallet", caller, path=path, body=changed, key="k").status == 409
    results: list[Any] = []

    def race() -> None:
        results.append(ask("top_up_wallet", caller, path=path, body=order, key="race"))

    threads = [threading.Thread(target=race) for _ in range(6)]
    forget()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert town.desk.books.pots()["ana-cash"][0] == before + 14 * MICROS
    done = {one.body["id"] for one in results if one.status == 201}
    assert len(done) == 1
    assert {one.status for one in results} <= {201, 409}


def test_a_familys_pocket_is_drawn_by_each_of_them(town, ask) -> None:
    town.desk.books.enrol(members=[Member("dora", date(1975, 1, 1), "female", family="dans")])
    opened = ask("open_wallet", town.operator(), body={"currency": "USD", "family": "dans", "funder": "town-fund"})
    wallet = {"wallet_id": opened.body["id"]}
    assert (opened.status, opened.body["shared"], opened.body["member"]) == (201, True, None)
    money = {"amount": {"micros": 50 * MICROS, "currency": "USD"}}
    ask("top_up_wallet", town.funder(), path=wallet, body=money)
    say_yes(town, ask, "dan", "dora")
    town.clear(town.event("d", 10, member="dan"), town.event("e", 15, member="dora", visit="v9"))
    for caller in (town.patient("dan"), town.patient("dora"), town.funder(), town.auditor()):
        assert micros(ask("get_wallet", caller, path=wallet).body["available"]) == 25 * MICROS
        entries = ask("list_wallet_entries", caller, path=wallet).body["data"]
        assert [micros(one["amount"]) for one in entries] == [15 * MICROS, 10 * MICROS, -50 * MICROS]
        assert wallet["wallet_id"] in [one["id"] for one in every(ask, "list_wallets", caller)]
    assert ask("get_wallet", town.patient("ana"), path=wallet).status == 404
    for _ in range(3):
        ask("open_wallet", town.operator(), body={"currency": "USD", "family": "dans"})
    last = ask("open_wallet", town.operator(), body={"currency": "USD", "member": "dora"}).body["id"]
    # Who leaves the family sees it no more.
    town.desk.books.enrol(members=[Member("dora", date(1975, 1, 1), "female", family="")])
    assert ask("get_wallet", town.patient("dora"), path=wallet).status == 404
    assert [one["id"] for one in every(ask, "list_wallets", town.patient("dora"), size="1")] == [last]


def test_lists_of_wallets_are_whole_and_in_order(town, ask) -> None:
    for _ in range(5):
        ask("open_wallet", town.funder(), body={"currency": "USD", "member": "ana", "funder": "town-fund"})
    mine = every(ask, "list_wallets", town.patient("ana"))
    assert [one["id"] for one in mine] == sorted(one["id"] for one in mine)
    assert len(mine) == 7
    assert len(every(ask, "list_wallets", town.funder())) == 5
    assert len(every(ask, "list_wallets", town.auditor())) == 8


def test_what_cannot_be_opened_or_filled(town, ask) -> None:
    good = {"currency": "USD", "member": "ana", "funder": "town-fund"}
    funder = town.funder()
    for change, pointer in (
        ({"member": "nobody"}, "/member"),
        ({"member": None, "family": "nobody"}, "/family"),
        ({"family": "dans"}, ""),
        ({"currency": "QQQ"}, "/currency"),
    ):
        answer = ask("open_wallet", funder, body={**good, **change})
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)
    assert ask("open_wallet", funder, body={**good, "funder": "town-hall"}).code == "not_related"
    assert ask("open_wallet", funder, body={"currency": "USD", "member": "ana"}).code == "not_related"
    assert ask("open_wallet", town.patient("ana"), body=good).code == "not_related"
    assert ask("open_wallet", town.clerk(), body=good).code == "role_missing"
    wallet, operator = {"wallet_id": "ana-cash"}, town.operator()
    for amount in (
        {"micros": 0, "currency": "USD"},
        {"micros": -5, "currency": "USD"},
        {"micros": 5, "currency": "EUR"},
    ):
        answer = ask("top_up_wallet", operator, path=wallet, body={"amount": amount})
        assert answer.code == "invalid_money"
    assert ask("top_up_wallet", operator, path={"wallet_id": "none"}, body={"amount": amount}).status == 404
    assert ask("top_up_wallet", funder, path=wallet, body={"amount": amount}).status == 404
    # A slice, and an admission to a fund, are no wallets.
    family = ask("open_wallet", operator, body={"currency": "USD", "family": "dans"}).body["id"]
    for name in (f"{family}/0", f"{family}@dan"):
        assert ask("get_wallet", operator, path={"wallet_id": name}).status == 404


def test_followers_at_work_while_others_post_lose_nothing(town) -> None:
    money, stop = town.market.money, threading.Event()
    faults: list[BaseException] = []

    def follow() -> None:
        try:
            while not stop.is_set():
                money.catch_up(7)
        except BaseException as fault:
            faults.append(fault)
            raise

    def post(name: str) -> None:
        for n in range(25):
            town.clear(town.event(f"{name}{n}", 3, member="cleo", visit=f"{name}{n}"), index=False)

    followers = [threading.Thread(target=follow) for _ in range(2)]
    posters = [threading.Thread(target=post, args=(name,)) for name in "xyz"]
    for thread in (*followers, *posters):
        thread.start()
    for thread in posters:
        thread.join()
    stop.set()
    for thread in followers:
        thread.join()
    assert not faults
    while money.catch_up():
        pass
    expected = town.desk.books.balances()
    assert {one.account: one.micros for one in money.accounts(limit=1_000)} == expected
    number = account_id(town.tenant, Account("patient_receivable", "cleo", "USD"))
    assert len(money.movements([number], limit=1_000)) == 75
