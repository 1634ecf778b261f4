"""Money in over the interface: by a rail, by itself, at the window, through the bank; by whoever may."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

sys.path.insert(0, str(Path(__file__).parents[1] / "rails"))

import stripe_fake
from stripe_fake import FakeStripe, signed

from drachm.adapters.rest.identity.model import Kind
from drachm.adapters.rest.service import callbacks
from drachm.adapters.rest.transport.passage import Passage
from drachm.adapters.stripe.rail import Stripe, client_for
from drachm.application.automatic_top_ups import keep_topped_up
from drachm.application.bank import BankAccount
from drachm.application.cards import card_of, keep
from drachm.application.collection import apply_collected
from drachm.application.payments import hear
from drachm.application.refunds import hear_refund, work_through_refunds
from drachm.domain.errors import Forbidden
from drachm.domain.money import MICROS
from drachm.domain.payments.ach import identification
from drachm.domain.payments.model import CardKept
from drachm.domain.payments.refund import RefundNews
from drachm.domain.payments.tariff import Tariff

IBAN = "NL26VAYB8060476890"
Ask = Callable[..., Any]


def dollars(amount: int) -> dict[str, Any]:
    return {"micros": amount * MICROS, "currency": "USD"}


@pytest.fixture
def fake() -> Iterator[FakeStripe]:
    fake = FakeStripe()
    end = stripe_fake.serve(fake)
    yield fake
    end()


@pytest.fixture
def connected(town: Any, street: Any, fake: FakeStripe) -> Any:
    """The town with Stripe and a bank account."""
    stripe = Stripe(
        client_for(stripe_fake.KEY, address=fake.url, seconds=5),
        signing_secret=stripe_fake.SECRET,
        return_url="https://drachm.example/",
        now=town.clock.now,
        card_of=lambda member: card_of("stripe", member, town.market.records),
    )
    rails = {"stripe": stripe, "bank": BankAccount(IBAN)}
    town.market = replace(town.market, rails=rails, tariffs={"stripe": Tariff("USD", 29_000, 300_000)})
    street.markets[town.name] = town.market
    return town


def tell(town: Any, body: bytes) -> None:
    rail = town.market.rails["stripe"]
    now = town.clock.now()
    for news in rail.read_callback(signed(body, now.timestamp()), body, now):
        if isinstance(news, RefundNews):
            hear_refund(news, town.desk, town.market.records, rail="stripe")
        elif isinstance(news, CardKept):
            keep(news, "stripe", town.market.records)
        else:
            hear(news, "stripe", town.desk, town.market.records)


def left(town: Any, pot: str = "ana-cash") -> int:
    return town.desk.books.pots([pot])[pot][0]


def test_a_patient_pays_in_and_follows_the_payment(connected: Any, ask: Ask, fake: FakeStripe) -> None:
    town, ana = connected, connected.patient()
    order = {"amount": dollars(25), "rail": "stripe"}
    path = {"wallet_id": "ana-cash"}
    answers = [ask("begin_payment", ana, path, body=order, key="k1") for _ in range(2)]
    assert [one.status for one in answers] == [201, 201]
    payment = answers[0].body
    assert answers[1].body == payment
    assert payment["state"] == "waiting"
    assert payment["link"] == "https://checkout.example/cs_test_1"
    assert payment["fee"] is None
    tell(town, fake.pay("cs_test_1"))
    assert left(town) == 120 * MICROS
    shown = ask("get_payment", ana, {"payment_id": payment["id"]})
    assert (shown.body["state"], shown.body["link"]) == ("captured", None)
    [listed] = ask("list_payments", ana, path).body["data"]
    assert listed == shown.body
    assert ask("begin_payment", ana, path, body={**order, "amount": dollars(26)}, key="k1").code == (
        "idempotency_key_reused"
    )


def test_a_small_payment_comes_with_a_word_about_its_fee(connected: Any, ask: Ask) -> None:
    order = {"amount": {"micros": 500_000, "currency": "USD"}, "rail": "stripe"}
    fee = ask("begin_payment", connected.patient(), {"wallet_id": "ana-cash"}, body=order).body["fee"]
    assert (fee["share_ppm"], fee["warning"]) == (629_000, "The fee takes 62.9 % of this payment.")
    assert fee["amount"]["micros"] == 314_500
    assert fee["worthwhile_from"]["micros"] == 14_290_000


def test_strangers_see_and_begin_nothing(connected: Any, other_town: Any, ask: Ask) -> None:
    town = connected
    order = {"amount": dollars(25), "rail": "stripe"}
    path = {"wallet_id": "ana-cash"}
    name = ask("begin_payment", town.patient(), path, body=order).body["id"]
    for caller, status in (
        (town.patient("ben"), 404),
        (town.relative(revoked=True), 404),
        (town.clerk(), 403),
        (other_town.patient(), 404),
        (town.nobody(), 401),
    ):
        # A clinic sees the payments at its own windows; of this one it knows nothing.
        assert ask("get_payment", caller, {"payment_id": name}).status == (404 if status == 403 else status)
        if caller.tenant == town.name or not caller.tenant:
            assert ask("begin_payment", caller, path, body=order).status == status
            assert ask("set_automatic_top_up", caller, path, body=rule()).status in (status, 403)
    assert ask("begin_payment", town.relative(), path, body=order).status == 201
    assert ask("set_automatic_top_up", town.relative(), path, body=rule()).status == 403


def rule(**changed: Any) -> dict[str, Any]:
    return {
        "below": dollars(200),
        "amount": dollars(200),
        "month_cap": dollars(600),
        "rail": "stripe",
        "zone": "America/New_York",
        **changed,
    }


def test_a_patient_leaves_a_card_and_the_pocket_tops_itself_up(connected: Any, ask: Ask, fake: FakeStripe) -> None:
    town, ana, path = connected, connected.patient(), {"wallet_id": "ana-cash"}
    page = ask("leave_card", ana, path, body={"rail": "stripe"}, key="k1")
    assert page.body == {"link": "https://checkout.example/cs_test_1"}
    tell(town, fake.leave_card("cs_test_1", "pm_good"))
    assert ask("get_automatic_top_up", ana, path).status == 404
    kept = ask("set_automatic_top_up", ana, path, body=rule())
    assert (kept.status, kept.body["now"]) == (200, "due")
    keep_topped_up(town.market.rails, town.desk, town.market.records)
    assert left(town) == 295 * MICROS
    off = rule(on=False)
    assert ask("set_automatic_top_up", ana, path, body=off).status == 428
    changed = ask("set_automatic_top_up", ana, path, body=off, if_match=kept.etag)
    assert changed.body["now"] == "off"
    assert ask("set_automatic_top_up", ana, path, body=off, if_match=kept.etag).status == 412
    assert ask("forget_card", ana, {**path, "rail": "stripe"}).status == 204
    assert card_of("stripe", "ana", town.market.records) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": {"micros": 1, "currency": "EUR"}}, {"amount": {"micros": 1_000, "currency": "USD"}},
        {"amount": dollars(0)}, {"amount": dollars(-5)}, {"rail": "alipay"}, {"rail": "Stripe!"}, {"extra": 1},
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_refused_and_begins_nothing(
    connected: Any, ask: Ask, fake: FakeStripe, changed: dict[str, Any]
) -> None:
    order = {"amount": dollars(25), "rail": "stripe", **changed}
    answer = ask("begin_payment", connected.patient(), {"wallet_id": "ana-cash"}, body=order)
    assert 400 <= answer.status < 500
    assert fake.sessions == {}
    assert ask("list_payments", connected.patient(), {"wallet_id": "ana-cash"}).body["data"] == []


def test_a_clerk_takes_cash_and_counts(connected: Any, ask: Ask) -> None:
    town = connected
    cleo, dan = town.clerk(subject="cleo"), town.clerk(subject="dan")
    opened = ask("open_shift", cleo, body={"party": "clinic", "window": "1", "laid_in": dollars(100)})
    assert opened.status == 201
    path = {"shift_id": opened.body["id"]}
    again = {"party": "clinic", "window": "1", "laid_in": dollars(0)}
    assert ask("open_shift", dan, body=again).code == "window_taken"
    assert ask("open_shift", town.clerk("hospital"), body=again).status == 403
    assert ask("open_shift", town.clerk("hospital"), body={**again, "party": "hospital"}).status == 201
    order = {"wallet": "ben-cash", "amount": dollars(20)}
    for _ in range(2):
        taken = ask("take_cash", cleo, path, body=order, key="k1")
        assert (taken.status, taken.body["state"]) == (201, "captured")
    assert left(town, "ben-cash") == 70 * MICROS
    assert ask("take_cash", dan, path, body=order).code == "not_your_shift"
    assert ask("take_cash", town.clerk("hospital"), path, body=order).status == 404
    assert ask("take_cash", cleo, path, body={**order, "wallet": "nobody"}).status == 422
    counted = ask("count_shift", cleo, path, body={"counted": {"micros": 118_500_000, "currency": "USD"}})
    assert counted.body["difference"]["micros"] == -1_500_000
    assert ask("take_cash", cleo, path, body=order).code == "shift_closed"
    assert ask("get_shift", town.finance(), path).body == counted.body
    assert [one["id"] for one in ask("list_shifts", town.finance()).body["data"]] == [opened.body["id"]]
    assert len(ask("list_shifts", town.operator()).body["data"]) == 2
    assert ask("list_shifts", town.patient()).status == 403


def test_the_operator_books_a_statement(connected: Any, ask: Ask) -> None:
    town, operator = connected, connected.operator()
    order = {"amount": dollars(25), "rail": "bank"}
    link = ask("begin_payment", town.patient(), {"wallet_id": "ana-cash"}, body=order).body["link"]
    reference = link.partition(" ")[2]
    entries = "".join(
        f'<Ntry><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<BookgDt><Dt>2026-03-09</Dt></BookgDt><AcctSvcrRef>{name}</AcctSvcrRef><NtryDtls><TxDtls><RmtInf>"
        f"<Ustrd>{words}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for name, amount, words in (("a", "25.00", f"for ana {reference}"), ("b", "7.00", "no idea"))
    )
    camt = (
        f"<Document><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    )
    for _ in range(2):
        read = ask("read_bank_statement", operator, body={"camt": camt})
        assert [one["end"] for one in read.body["lines"]] == ["booked", "unallocated"]
        assert read.body["passed_over"] == []
    assert left(town) == 120 * MICROS
    [apart] = ask("list_bank_lines", town.auditor(), query={"end": "unallocated"}).body["data"]
    path = {"line_id": apart["id"]}
    assert ask("allocate_bank_line", town.auditor(), path, body={"wallet": "ben-cash"}).status == 403
    assert ask("allocate_bank_line", operator, path, body={"wallet": "nobody"}).status == 422
    assert ask("allocate_bank_line", operator, path, body={"wallet": "ben-cash"}).body["state"] == "captured"
    assert ask("allocate_bank_line", operator, path, body={"wallet": "ana-cash"}).code == "line_explained"
    assert left(town, "ben-cash") == 57 * MICROS
    for bad in ("<a/>", "x", "<!DOCTYPE a><a/>"):
        assert ask("read_bank_statement", operator, body={"camt": bad}).status == 400
    assert ask("read_bank_statement", town.finance(), body={"camt": camt}).status == 403


def test_a_callback_is_heard_over_http_or_refused(connected: Any, street: Any, ask: Ask, fake: FakeStripe) -> None:
    from drachm.adapters.rest.service.serving import Serving

    town = connected
    order = {"amount": dollars(25), "rail": "stripe"}
    ask("begin_payment", town.patient(), {"wallet_id": "ana-cash"}, body=order)
    body = fake.pay("cs_test_1")
    at = town.clock.now()
    serving = Serving(street.house, street.key_store, anyio.CapacityLimiter(4), now=lambda: at)
    [route] = callbacks.callback_routes(serving)

    def call(tenant: str, rail: str, headers: dict[str, str], sent: bytes) -> int:
        fields = {name.encode(): value.encode() for name, value in headers.items()}
        scope = {
            "type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": list(fields.items()),
            "path_params": {"tenant": tenant, "rail": rail}, "passage": Passage("req_test", fields), "app": Starlette(),
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": sent, "more_body": False}

        async def run() -> int:
            return (await route.endpoint(Request(scope, receive))).status_code

        return anyio.run(run)

    good = signed(body, at.timestamp())
    for headers, sent in (({}, body), (good, body + b" "), (signed(body, at.timestamp() - 999), body)):
        with pytest.raises(Forbidden):
            call(town.name, "stripe", headers, sent)
    for tenant, rail in ((town.name, "paypal"), (town.name, "wechat")):
        with pytest.raises(Exception, match="nothing here"):
            call(tenant, rail, good, body)
    assert left(town) == 95 * MICROS
    assert call(town.name, "stripe", good, body) == 200
    assert call(town.name, "stripe", good, body) == 200
    assert left(town) == 120 * MICROS
    other = body.replace(b'"client_reference_id": "pay_', b'"client_reference_id": "other_')
    assert call(town.name, "stripe", signed(other, at.timestamp()), other) == 200
    assert left(town) == 120 * MICROS


def test_a_refund_is_decided_by_a_person_and_goes_back_once(connected: Any, ask: Ask, fake: FakeStripe) -> None:
    town, ana = connected, connected.patient()
    order = {"amount": dollars(25), "rail": "stripe"}
    payment = ask("begin_payment", ana, {"wallet_id": "ana-cash"}, body=order).body["id"]
    path, back = {"payment_id": payment}, {"amount": dollars(10)}
    assert ask("begin_refund", ana, path, body=back).code == "not_refundable"
    tell(town, fake.pay("cs_test_1"))
    fake.lose_next = 1
    answers = [ask("begin_refund", town.operator(), path, body=back, key="k1") for _ in range(2)]
    assert {one.status for one in answers} == {201}
    [listed] = ask("list_refunds", ana, path).body["data"]
    assert listed["id"] == answers[0].body["id"]
    assert ask("get_refund", town.auditor(), {"refund_id": listed["id"]}).body == listed
    assert listed["state"] == "unknown"
    work_through_refunds(town.market.rails, town.desk, town.market.records)
    assert ask("get_refund", ana, {"refund_id": listed["id"]}).body["state"] == "done"
    assert ask("get_payment", ana, path).body["refunded"] == dollars(10)
    assert (len(fake.refunds), left(town)) == (1, 110 * MICROS)
    assert ask("begin_refund", ana, path, body={"amount": dollars(16)}).code == "refund_exceeds"


def test_a_refund_into_a_wallet_needs_consent_and_the_payers_own_wallet(connected: Any, ask: Ask) -> None:
    town, cleo, fay = connected, connected.clerk(subject="cleo"), connected.finance()
    shift = ask("open_shift", cleo, body={"party": "clinic", "window": "1", "laid_in": dollars(0)}).body["id"]
    taken = ask("take_cash", cleo, {"shift_id": shift}, body={"wallet": "ana-cash", "amount": dollars(20)}).body["id"]
    path, yes = {"payment_id": taken}, "yes, at the window on Monday"
    order = {"amount": dollars(5), "wallet": "ana-gift", "consent": yes}
    assert ask("begin_refund", fay, path, body={"amount": dollars(5)}).code == "rail_keeps"
    for changed in (
        {"consent": None},
        {"wallet": "ben-cash"},
        {"wallet": "ana-cash"},
        {"wallet": None},
        {"consent": "y"},
    ):
        refused = ask("begin_refund", fay, path, body={**order, **changed})
        assert (refused.status, refused.code) == (422, "invalid_body"), changed
    assert ask("begin_refund", cleo, path, body=order).code == "role_missing"
    assert ask("begin_refund", town.finance("hospital"), path, body=order).status == 404
    before = left(town, "ana-gift")
    done = ask("begin_refund", fay, path, body=order).body
    assert (done["state"], done["wallet"]) == ("done", "ana-gift")
    assert left(town, "ana-gift") == before + 5 * MICROS
    assert ask("list_refunds", cleo, path).body["data"] == [done]


def test_nobody_else_looks_at_refunds_or_pays_out(connected: Any, other_town: Any, ask: Ask, fake: FakeStripe) -> None:
    town, order = connected, {"amount": dollars(25), "rail": "stripe"}
    payment = ask("begin_payment", town.patient(), {"wallet_id": "ana-cash"}, body=order).body["id"]
    tell(town, fake.pay("cs_test_1"))
    path, back = {"payment_id": payment}, {"amount": dollars(1)}
    refund = ask("begin_refund", town.patient(), path, body=back).body["id"]
    for caller, status in (
        *((town.patient("ben"), 404), (other_town.patient(), 404), (other_town.operator(), 404)),
        *((town.finance(), 404), (town.nobody(), 401), (town.operator(kind=Kind.MACHINE), 403)),
    ):
        assert ask("begin_refund", caller, path, body=back).status == status, caller
        if caller.tenant in (town.name, ""):
            assert ask("begin_payout", caller, {"wallet_id": "ana-cash"}, body=back).status in (status, 403), caller
        if status != 403:
            assert ask("get_refund", caller, {"refund_id": refund}).status == status
    assert len(fake.refunds) == 1


def test_what_is_left_is_paid_out_to_whoever_paid_it_in(connected: Any, ask: Ask, fake: FakeStripe) -> None:
    town, ana, path = connected, connected.patient(), {"wallet_id": "ana-cash"}
    ask("begin_payment", ana, path, body={"amount": dollars(25), "rail": "stripe"})
    tell(town, fake.pay("cs_test_1"))
    for _ in range(2):
        out = ask("begin_payout", ana, path, body={"amount": dollars(40)}, key="k1")
        assert out.status == 201
        assert [one["amount"] for one in out.body["refunds"]] == [dollars(25)]
        assert out.body["rest"] == {"micros": "15000000", "currency": "USD"}
    assert left(town) == 95 * MICROS
    assert ask("begin_payout", ana, path, body={"amount": dollars(0)}).status == 400
    assert ask("begin_payout", ana, path, body={"amount": {"micros": 1, "currency": "EUR"}}).code == "invalid_money"


def test_a_dispute_freezes_the_wallet_and_its_holder_is_told_how_to_cure_it(
    connected: Any, ask: Ask, fake: FakeStripe
) -> None:
    town, ana = connected, connected.patient()
    member, path = {"member_id": "ana"}, {"wallet_id": "ana-cash"}
    assert ask("list_arrears", ana, member).body["data"] == []
    ask("begin_payment", ana, path, body={"amount": dollars(25), "rail": "stripe"})
    tell(town, fake.pay("cs_test_1"))
    [intent] = fake.intents
    tell(town, fake.dispute(intent))
    [owed] = ask("list_arrears", ana, member).body["data"]
    assert (owed["owed"]["micros"], owed["frozen"]) == ("25000000", ["ana-cash", "ana-gift"])
    assert owed["rails"] == ["bank", "stripe"]
    assert ask("get_wallet", ana, path).body["frozen"] is True
    assert ask("begin_payout", ana, path, body={"amount": dollars(5)}).code == "arrears_open"
    for caller, status in ((town.patient("ben"), 404), (town.finance(), 403)):
        assert ask("pay_arrears", caller, member, body={"amount": dollars(25), "wallet": "ana-cash"}).status == status
        assert ask("list_arrears", caller, member).status == status
    for nonsense in ({}, {"rail": "stripe", "wallet": "ana-cash"}, {"wallet": "ben-cash"}, {"rail": "alipay"}):
        assert ask("pay_arrears", ana, member, body={"amount": dollars(25), **nonsense}).status in (400, 422)
    assert ask("pay_arrears", ana, member, body={"amount": dollars(26), "rail": "stripe"}).code == "nothing_owed"
    part = ask("pay_arrears", ana, member, body={"amount": dollars(5), "wallet": "ana-cash"}, key="k1")
    assert (part.body["paid"]["micros"], part.body["owed"]["micros"]) == ("5000000", "20000000")
    cure = ask("pay_arrears", ana, member, body={"amount": dollars(20), "rail": "stripe"}, key="k2")
    assert cure.body["payment"]["state"] == "waiting"
    tell(town, fake.pay(cure.body["payment"]["link"].rpartition("/")[2]))
    [owed] = ask("list_arrears", ana, member).body["data"]
    assert (owed["owed"]["micros"], owed["frozen"], owed["pay"]) == ("0", [], "")
    assert ask("get_wallet", ana, path).body["frozen"] is False
    assert left(town) == 115 * MICROS


def test_the_operator_hands_in_a_return_file(connected: Any, ask: Ask) -> None:
    town = connected
    name = ask("begin_payment", town.patient(), {"wallet_id": "ana-cash"}, body={"amount": dollars(25), "rail": "bank"})
    entry = f"626091400606{1:<17}{2500:010}{identification(name.body['id']):<15}{'A PAYER':<22}S 1{1:015}"
    lines = [
        "101 091400606 6910001342603100306A094101BANK", "5200DRACHM", entry,
        f"799R10{'091400600000001':<15}{'':6}09100001{'':44}{1:015}",
        "8200", f"9000001000001{2:08}0009140060{2500:012}{0:012}",
    ]  # fmt: skip
    body = {"nacha": "\n".join(lines)}
    for _ in range(2):
        heard = ask("read_ach_returns", town.operator(), body=body).body["returns"]
        assert [(one["code"], one["reason"], one["end"]) for one in heard] == [("R10", "not_authorised", "declined")]
    assert ask("get_payment", town.patient(), {"payment_id": name.body["id"]}).body["reason"] == "not_authorised"
    assert ask("read_ach_returns", town.finance(), body=body).status == 403
    assert ask("read_ach_returns", town.operator(), body={"nacha": "x"}).status == 400


def test_a_patient_pays_all_that_is_due_over_a_rail(connected: Any, ask: Ask, fake: FakeStripe) -> None:
    town, ana, member = connected, connected.patient("cleo"), {"member_id": "cleo"}
    assert ask("list_dues", ana, member).body["data"] == []
    assert ask("pay_dues", ana, member, body={"currency": "USD", "rail": "stripe"}).code == "nothing_due"
    town.clear(town.event(dollars=40, member="cleo"))
    [owed] = ask("list_dues", ana, member).body["data"]
    due = int(owed["owed"]["micros"])
    assert due == 40 * MICROS
    assert (owed["charges"], owed["payment"], owed["collected_from"]) == (1, None, None)
    for caller, status in ((town.patient("ben"), 404), (town.finance(), 403), (town.relative(), 403)):
        assert ask("list_dues", caller, member).status == status
        assert ask("pay_dues", caller, member, body={"currency": "USD", "rail": "stripe"}).status == status
    assert ask("pay_dues", ana, member, body={"currency": "USD", "rail": "alipay"}).code == "unknown_rail"
    for key in ("k1", "k1", "k2"):
        begun = ask("pay_dues", ana, member, body={"currency": "USD", "rail": "stripe"}, key=key)
        assert (begun.status, begun.body["amount"]["micros"]) == (201, due)
    assert len(fake.sessions) == 1
    tell(town, fake.pay("cs_test_1"))
    apply_collected(town.desk, town.market.records, town.market.money)
    [owed] = ask("list_dues", ana, member).body["data"]
    assert (owed["owed"]["micros"], owed["charges"], owed["payment"]) == ("0", 0, None)
    # The clinic for whose care it was collected may see the payment, and refund it.
    path = {"payment_id": begun.body["id"]}
    assert ask("get_payment", town.finance(), path).body["state"] == "captured"
    assert ask("get_payment", town.finance("hospital"), path).status == 404


def test_only_the_patient_lets_dues_be_taken_from_the_card(connected: Any, ask: Ask) -> None:
    town, ana, member = connected, connected.patient(), {"member_id": "ana"}
    read = ask("get_collection_consent", ana, member)
    assert read.body == {"member": "ana", "by_card": False}
    assert ask("set_collection_consent", town.operator(), member, body={"by_card": True}).status == 403
    given = ask("set_collection_consent", ana, member, body={"by_card": True})
    assert given.body["by_card"] is True
    assert ask("set_collection_consent", ana, member, body={"by_card": False}).status == 428
    taken = ask("set_collection_consent", ana, member, body={"by_card": False}, if_match=given.etag)
    assert taken.body["by_card"] is False
