"""A member's budgets and rules of automatic payment, what is paid on purpose, what is told, and what is questioned."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest

from drachm.application.notices import MARK, NOTICE, Notices
from drachm.domain.coverage.model import Coverage
from drachm.domain.funding.mandate import Budget, Mandate, Rule
from drachm.domain.money import MICROS
from drachm.domain.periods import Period

ALWAYS = Period(date(2000, 1, 1))
ANA = {"member_id": "ana"}


def usd(dollars: int) -> dict[str, Any]:
    return {"micros": dollars * MICROS, "currency": "USD"}


def digits(dollars: int) -> dict[str, Any]:
    return {"micros": str(dollars * MICROS), "currency": "USD"}


def budget(dollars: int, *categories: str, id: str = "all", asks: bool = True) -> dict[str, Any]:
    said = {"id": id, "amount": usd(dollars), "zone": "America/New_York", "categories": list(categories)}
    return {**said, "asks": asks}


def wish(ask: Any, caller: Any, *budgets: dict[str, Any], path: Any = ANA) -> Any:
    now = ask("get_budgets", caller, path=path)
    return ask("set_budgets", caller, path=path, body={"budgets": list(budgets)}, if_match=now.etag)


def rule(ask: Any, caller: Any, *rules: dict[str, Any], order: tuple[str, ...] = ()) -> Any:
    now = ask("get_automatic_payments", caller, path=ANA)
    body = {"rules": list(rules), "order": list(order)}
    return ask("set_automatic_payments", caller, path=ANA, body=body, if_match=now.etag)


def charges(ask: Any, caller: Any) -> list[dict[str, Any]]:
    return list(reversed(ask("list_charges", caller).body["data"]))


def cash(town: Any, pot: str = "ana-cash") -> int:
    return int(town.market.money.purses(ids=[pot])[0].pot.avail) // MICROS


def visit(town: Any, name: str, dollars: int, **said: Any) -> Any:
    """Of a service without cover's help: the excluded category is all the patient's."""
    return town.event(name, dollars, visit=f"v-{name}", facts={"category": "cosmetic"}, **said)


def test_a_budget_withholds_and_says_what_is_left(town, ask) -> None:
    ana = town.patient()
    first = wish(ask, ana, budget(40), budget(10, "dental", id="teeth", asks=False))
    assert first.status == 200, first.body
    town.clear(visit(town, "e1", 30), visit(town, "e2", 30))
    (every, teeth) = ask("get_budgets", ana, path=ANA).body["budgets"]
    assert (every["used"], every["left"], every["percent"], every["reached"]) == (
        digits(40),
        digits(0),
        100,
        [50, 80, 100],
    )
    assert (every["month"], every["forecast"], teeth["used"]) == ("2026-03", None, digits(0))
    _, second = charges(ask, ana)
    assert (second["amounts"]["due"], second["waits"]) == (usd(20), {"amount": usd(20), "because": "budget"})
    # Who billed learns what is due, not why; nor do relatives.
    for caller in (town.clerk(), town.relative()):
        assert [one["waits"] for one in charges(ask, caller)] == [None, None]
    wish(ask, ana)
    town.clear(visit(town, "e3", 5))
    assert charges(ask, ana)[-1]["amounts"]["due"] == usd(0)


def test_a_month_is_forecast_from_the_months_behind(town, ask) -> None:
    ana = town.patient()
    wish(ask, ana, budget(500, asks=False))
    for month, day, dollars in ((12, 20, 3), (1, 11, 4), (1, 9, 50), (2, 28, 9)):
        year = 2025 if month == 12 else 2026
        town.clear(visit(town, f"m{month}-{day}", dollars, started_at=datetime(year, month, day, 18, tzinfo=UTC)))
    town.clear(visit(town, "now", 10))
    (every,) = ask("get_budgets", ana, path=ANA).body["budgets"]
    micros = 10 * MICROS + (16 * MICROS * 2 + 3) // 6
    likely = {"micros": str(micros), "currency": "USD"}
    assert every["used"] == digits(10)
    assert every["forecast"] == {"low": digits(13), "likely": likely, "high": digits(19), "months": 3}


def test_rules_and_order_hold_at_once(town, ask) -> None:
    ana = town.patient()
    small = {"most": usd(20), "provider": "clinic"}
    told = rule(ask, ana, small, {"most": usd(0)}, order=("ana-cash",))
    assert told.status == 200, told.body
    town.clear(visit(town, "e1", 20), visit(town, "e2", 21), visit(town, "e3", 1, billing_party="hospital"))
    assert [one["amounts"]["due"]["micros"] // MICROS for one in charges(ask, ana)] == [0, 21, 1]
    assert charges(ask, ana)[1]["waits"]["because"] == "rule"
    assert (cash(town), cash(town, "ana-gift")) == (75, 5)
    shown = ask("get_automatic_payments", ana, path=ANA).body
    assert shown["rules"][0] == {"most": usd(20), "provider": "clinic", "categories": [], "per": "charge"}
    assert (shown["rules"][1]["most"]["micros"], shown["order"]) == (0, ["ana-cash"])
    # What was read is what may be sent back.
    again = rule(
        ask, ana, *[{**one, "most": one["most"] and {**one["most"], "currency": "USD"}} for one in shown["rules"]]
    )
    assert again.status == 200
    rule(ask, ana)
    town.clear(visit(town, "e4", 30))
    assert charges(ask, ana)[-1]["amounts"]["due"] == usd(0)


def test_covers_that_cannot_stand_together_are_a_conflict_of_the_charge_and_not_the_orders_fault(town, ask) -> None:
    ana = town.patient()
    rule(ask, ana, {"most": usd(0)})
    town.clear(visit(town, "e1", 40))
    (one,) = charges(ask, ana)
    before = cash(town)
    town.desk.books.enrol(coverages=[Coverage("c-ana-again", "ana", "town-plan", ALWAYS, rank=2)])
    refused = ask("pay_charge", ana, path={"charge_id": one["id"]}, body={}, key="k1")
    assert (refused.status, refused.code) == (409, "conflict")
    assert cash(town) == before


def test_what_is_due_is_paid_once_for_each_key(town, ask) -> None:
    ana = town.patient()
    rule(ask, ana, {"most": usd(0)})
    town.clear(visit(town, "e1", 40))
    (one,) = charges(ask, ana)
    charge = {"charge_id": one["id"]}
    order = {"amount": usd(15), "wallets": ["ana-gift", "ana-cash"]}
    paid = ask("pay_charge", ana, path=charge, body=order, key="k1")
    assert paid.status == 201, paid.body
    assert [(part["wallet"], part["amount"]) for part in paid.body["parts"]] == [
        ("ana-gift", usd(5)),
        ("ana-cash", usd(10)),
    ]
    again = ask("pay_charge", ana, path=charge, body=order, key="k1")
    assert (again.body["amount"], again.body["due"]) == (usd(15), usd(25))
    receipt = ask("get_receipt", ana, path={"receipt_id": paid.body["receipt"]})
    assert (receipt.body["revision"], receipt.body["amounts"]["due"]) == (1, usd(25))
    assert ask("pay_charge", ana, path=charge, body={"amount": usd(26)}).code == "less_due"
    assert ask("pay_charge", ana, path=charge, body={"amount": usd(0)}).code == "invalid_money"
    wrong = {"amount": {"micros": 1, "currency": "EUR"}}
    assert ask("pay_charge", ana, path=charge, body=wrong).code == "invalid_money"
    assert ask("pay_charge", ana, path=charge, body={"wallets": ["ben-cash"]}).status == 400
    poor = ask("pay_charge", ana, path=charge, body={"wallets": ["ana-gift"]})
    assert (poor.status, poor.code) == (422, "insufficient_funds")
    assert ask("pay_charge", ana, path=charge, body={}, key="k3").body["due"] == usd(0)
    assert ask("pay_charge", ana, path=charge, body={}, key="k4").code == "nothing_due"
    assert (cash(town), cash(town, "ana-gift")) == (60, 0)
    (one,) = charges(ask, ana)
    assert (one["amounts"]["paid"], one["waits"], one["revision"]) == (usd(40), None, 2)


def test_nobody_else_pays_or_wishes(town, other_town, ask) -> None:
    ana = town.patient()
    rule(ask, ana, {"most": usd(0)})
    town.clear(visit(town, "e1", 40))
    charge = {"charge_id": charges(ask, ana)[0]["id"]}
    etag = ask("get_budgets", ana, path=ANA).etag
    for caller, status in (
        (town.patient("ben"), 404),
        (town.relative(), 403),
        (town.clerk(), 403),
        (town.finance(), 403),
        (town.payer(), 403),
        (other_town.patient(), 404),
    ):
        assert ask("pay_charge", caller, path=charge, body={}, key="k").status == status
        for name in ("get_budgets", "get_automatic_payments", "list_notices"):
            found = ask(name, caller, path=ANA)
            # Of another town, there is another Ana.
            assert found.status == (200 if caller.tenant != town.name else status)
        if caller.tenant == town.name:
            assert ask("set_budgets", caller, path=ANA, body={"budgets": []}, if_match=etag).status == status
            assert ask("set_automatic_payments", caller, path=ANA, body={}, if_match=etag).status == status
    assert ask("get_budgets", town.operator(), path={"member_id": "nobody"}).status == 404
    assert cash(town) == 95


def test_nonsense_and_stale_wishes_are_refused(town, ask) -> None:
    ana = town.patient()
    before = ask("get_budgets", ana, path=ANA).etag
    assert wish(ask, ana, budget(5)).status == 200
    stale = ask("set_budgets", ana, path=ANA, body={"budgets": []}, if_match=before)
    assert stale.status == 412
    assert ask("set_budgets", ana, path=ANA, body={"budgets": []}).status == 428
    for wrong in (
        [budget(5), budget(6)],
        [budget(5, id="a"), budget(6, id="b")],
        [budget(-5)],
        [{**budget(5), "zone": "Mars/Olympus"}],
        [{**budget(5), "amount": {"micros": 5, "currency": "XXQ"}}],
        [{**budget(5), "id": "Big Words"}],
        [budget(5, "a|b")],
    ):
        assert wish(ask, ana, *wrong).status in (400, 422)
    assert rule(ask, ana, order=("ben-cash",)).code == "invalid_body"
    assert rule(ask, ana, {"most": {"micros": -1, "currency": "USD"}}).code == "invalid_money"
    assert ask("get_budgets", ana, path=ANA).body["budgets"][0]["amount"] == usd(5)


def test_an_estimate_tells_what_would_wait(town, ask) -> None:
    ana = town.patient()
    wish(ask, ana, budget(25))
    shape = {
        "source": "ehr",
        "event_id": "x1",
        "kind": "charge",
        "member": "ana",
        "code": {"system": "local", "value": "visit"},
        "currency": "USD",
        "started_at": "2026-03-10T15:00:00Z",
        "billed": usd(40),
        "billing_party": "clinic",
        "facts": {"category": "cosmetic"},
    }
    made = ask("create_estimate", ana, body={"events": [shape]})
    assert made.status == 200, made.body
    (one,) = made.body["events"]
    assert (one["waits"], one["amounts"]["due"]) == ({"amount": usd(15), "because": "budget"}, usd(15))
    (hold,) = ask("create_estimate", ana, body={"events": [{**shape, "kind": "hold"}]}).body["events"]
    assert (hold["status"], hold["reason"]) == ("refused", "asks_first")


def notices(town: Any) -> Notices:
    market = town.market
    return Notices(town.desk.books, market.index, market.register, market.money, market.records, town.clock.now)


def told(ask: Any, caller: Any) -> list[tuple[str, str, int]]:
    found = ask("list_notices", caller, path=ANA).body["data"]
    return [(one["budget"], one["month"], one["percent"]) for one in found]


def test_each_step_is_told_once(town, ask) -> None:
    ana = town.patient()
    wish(ask, ana, budget(40), budget(90, "cosmetic", id="skin", asks=False))
    town.clear(visit(town, "e1", 19))
    teller = notices(town)
    while teller.tell():
        pass
    assert told(ask, ana) == []
    town.clear(visit(town, "e2", 1), visit(town, "e3", 15))
    assert teller.tell() == 2
    assert told(ask, ana) == [("all", "2026-03", 50), ("all", "2026-03", 80)]
    # Another process, from the beginning: nobody is told twice.
    other = notices(town)
    while other.tell():
        pass
    town.clear(town.event("r", 0, kind="reversal", replaces="e3"), visit(town, "e4", 16), visit(town, "e5", 40))
    for one in (other, teller, teller):
        one.tell()
    assert [percent for name, _, percent in told(ask, ana) if name == "all"] == [50, 80, 100]
    assert told(ask, ana)[2:] == [("all", "2026-03", 100)]
    # A budget of another amount is another one.
    wish(ask, ana, budget(200))
    town.clear(visit(town, "e6", 30, started_at=datetime(2026, 4, 1, 3, tzinfo=UTC)), visit(town, "e7", 30))
    teller.tell()
    # 1 April 3:00 UTC is 31 March in New York.
    assert told(ask, ana)[3:] == [("all", "2026-03", 50)]
    first = ask("list_notices", ana, path=ANA, query={"limit": "1"}).body
    assert first["next"]
    behind = ask("list_notices", ana, path=ANA, query={"after": first["data"][0]["id"]}).body["data"]
    assert len(behind) == 3


def test_many_followers_tell_once(town, ask) -> None:
    wish(ask, town.patient(), budget(40))
    town.clear(*[visit(town, f"e{n}", 4) for n in range(9)])

    def follow(_: int) -> None:
        teller = notices(town)
        while teller.tell():
            pass

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(follow, range(6)))
    kept = town.market.records
    assert len(kept.find(NOTICE, members=["ana"])) == len(kept.find(MARK, members=["ana"])) == 2


@pytest.fixture
def receipt(town: Any, ask: Any) -> dict[str, str]:
    town.clear(visit(town, "e1", 10))
    return {"receipt_id": ask("list_receipts", town.patient()).body["data"][0]["id"]}


def test_a_question_stops_automatic_payment_until_it_is_answered(town, ask, receipt) -> None:
    ana = town.patient()
    body = {"choice": "not_received", "note": "I was not there.", "stop": True}
    asked = ask("ask_question", ana, path=receipt, body=body, key="q1")
    assert asked.status == 201, asked.body
    assert (asked.body["state"], asked.body["stops"], asked.body["provider"]) == ("asked", True, "clinic")
    assert ask("ask_question", ana, path=receipt, body=body, key="q1").body["id"] == asked.body["id"]
    assert ask("ask_question", ana, path=receipt, body=body, key="q2").code == "question_open"
    town.clear(visit(town, "e2", 5), visit(town, "e3", 5, billing_party="hospital"))
    _, stopped, other = charges(ask, ana)
    assert (stopped["waits"], other["waits"]) == ({"amount": usd(5), "because": "question"}, None)
    stops = ask("get_automatic_payments", ana, path=ANA).body["stops"]
    assert stops == [{"provider": "clinic", "question": asked.body["id"]}]
    (listed,) = ask("list_questions", town.clerk(), query={"state": "asked"}).body["data"]
    assert listed["note"] == "I was not there."
    path = {"question_id": asked.body["id"]}
    answered = ask("answer_question", town.finance(), path=path, body={"answer": "It was a mistake."})
    assert (answered.status, answered.body["state"]) == (200, "answered")
    assert ask("answer_question", town.finance(), path=path, body={"answer": "Again."}).code == "question_settled"
    assert ask("take_back_question", ana, path=path).code == "question_settled"
    town.clear(visit(town, "e4", 5))
    assert charges(ask, ana)[-1]["amounts"]["due"] == usd(0)
    # What was due meanwhile waits for a payment.
    assert charges(ask, ana)[1]["amounts"]["due"] == usd(5)


def test_a_question_is_taken_back(town, ask, receipt) -> None:
    ana = town.patient()
    wish(ask, ana, budget(500))
    for choice in ("amount_wrong", "not_agreed"):
        asked = ask("ask_question", ana, path=receipt, body={"choice": choice, "stop": True}, key=choice)
        assert asked.status == 201
    taken = [one["id"] for one in ask("list_questions", ana).body["data"]]
    assert ask("take_back_question", ana, path={"question_id": taken[0]}).status == 204
    assert len(ask("get_automatic_payments", ana, path=ANA).body["stops"]) == 1
    assert ask("take_back_question", ana, path={"question_id": taken[1]}).status == 204
    assert ask("get_automatic_payments", ana, path=ANA).body["stops"] == []
    assert len(ask("get_budgets", ana, path=ANA).body["budgets"]) == 1


def test_only_the_patient_asks_and_only_who_billed_answers(town, ask, receipt) -> None:
    order = {"choice": "amount_wrong"}
    for caller, status in ((town.patient("ben"), 404), (town.relative(), 403), (town.clerk(), 403)):
        assert ask("ask_question", caller, path=receipt, body=order, key="k").status == status
    asked = ask("ask_question", town.patient(), path=receipt, body=order, key="k").body
    path = {"question_id": asked["id"]}
    for caller, status in ((town.clerk("hospital"), 404), (town.patient(), 403), (town.payer(), 403)):
        assert ask("answer_question", caller, path=path, body={"answer": "No."}).status == status
    assert ask("take_back_question", town.patient("ben"), path=path).status == 404
    assert ask("list_questions", town.clerk("hospital")).body["data"] == []
    assert ask("list_questions", town.patient("ben")).body["data"] == []
    for wrong in ({"choice": "other"}, {}, {"choice": "amount_wrong", "note": "x" * 1001}):
        assert ask("ask_question", town.patient(), path=receipt, body=wrong).status == 422


def test_erased_wishes_are_gone(town, ask) -> None:
    town.desk.books.enrol(mandates={"ana": Mandate(1, (Budget("all", 5, "USD"),), (Rule(0),))})
    town.desk.books.erase("ana")
    assert town.market.register.mandate("ana") == Mandate()
    assert town.market.register.budgeted() == frozenset()
