"""Money back: at most what came in, out of a pot that has it, once - whatever is lost, repeated, raced or sent back."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from rail_helpers import Clock, payment
from stripe_fake import FakeStripe, signed

from drachm.adapters.stripe.rail import Stripe
from drachm.application.bank import BankAccount
from drachm.application.body import TopUp
from drachm.application.check_books import check_books
from drachm.application.desk import Desk
from drachm.application.payments import KIND, begin, carry_out, find, hear, record_of
from drachm.application.payouts_to_holders import pay_out
from drachm.application.records import Records
from drachm.application.refunds import (
    begin_refund,
    carry_out_refund,
    find_refund,
    hear_refund,
    refunding,
    work_through_refunds,
)
from drachm.application.top_up import top_up
from drachm.application.transfers import Transfer, move
from drachm.domain.errors import Conflict, IntegrityError, InvalidMessage, Refused, Unavailable
from drachm.domain.funding.model import Pot
from drachm.domain.ledger.model import Account, Entry, Source
from drachm.domain.money import MICROS
from drachm.domain.payments.model import News
from drachm.domain.payments.refund import Refund, RefundNews, refundable

USD = 25 * MICROS


def wish(clock: Clock, id: str = "rfd_1", amount: int = 10 * MICROS, **more: str) -> Refund:
    return Refund(id, more.pop("payment", "pay_1"), "stripe", "ana-cash", "ana", amount, "USD", clock.now(), **more)


def pots(desk: Desk, pot: str = "ana-cash") -> tuple[int, int]:
    return desk.books.pots([pot])[pot]


def balances(desk: Desk) -> dict[str, int]:
    return {f"{account.kind}/{account.owner}": amount for account, amount in desk.books.balances().items() if amount}


@pytest.fixture
def paid(clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe) -> str:
    """The intent by which 25.00 came into the pot."""
    begin(payment(clock), records, author="ana")
    session = carry_out("pay_1", {"stripe": rail}, desk, records).reference
    for news in rail.read_callback(signed(body := fake.pay(session), clock.now().timestamp()), body, clock.now()):
        hear(news, "stripe", desk, records)  # type: ignore[arg-type]
    return find("pay_1", records).reference


@pytest.fixture(autouse=True)
def books_are_whole(desk: Desk):
    yield
    assert check_books(desk.books) == []


def heard(body: bytes, rail: Stripe, desk: Desk, records: Records, clock: Clock) -> None:
    for news in rail.read_callback(signed(body, clock.now().timestamp()), body, clock.now()):
        assert isinstance(news, RefundNews)
        hear_refund(news, desk, records, rail="stripe")


def test_a_refund_goes_back_to_the_card_once(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    for _ in range(2):
        begin_refund(wish(clock), records, author="fay")
        assert carry_out_refund("rfd_1", {"stripe": rail}, desk, records).state == "done"
    assert [one["amount"] for one in fake.refunds.values()] == [1_000]
    assert balances(desk) == {"cash/stripe": 15 * MICROS, "wallet/ana-cash": -15 * MICROS}
    assert refundable(find("pay_1", records)) == 15 * MICROS
    with pytest.raises(Conflict, match="another refund"):
        begin_refund(wish(clock, amount=11 * MICROS), records, author="fay")


def test_never_more_than_came_in(paid: str, clock: Clock, desk: Desk, records: Records, rail: Stripe) -> None:
    top_up(TopUp("gift", "1", "ana-cash", "ana", 100 * MICROS, "USD", "bank", clock.now()), desk)
    with pytest.raises(Conflict, match="may still go back") as caught:
        begin_refund(wish(clock, amount=USD + 10_000), records, author="fay")
    assert caught.value.code == "refund_exceeds"
    for amount in (0, -1, 1, 10_001):
        with pytest.raises(InvalidMessage):
            begin_refund(wish(clock, amount=amount), records, author="fay")
    with pytest.raises(InvalidMessage, match="no payment"):
        begin_refund(wish(clock, payment="pay_9"), records, author="fay")
    with pytest.raises(InvalidMessage, match="no refund"):
        find_refund("rfd_9", records)


def test_two_refunds_at_once_never_pass_what_came_in(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    together, codes = threading.Barrier(6), []

    def run(number: int) -> None:
        together.wait()
        try:
            begin_refund(wish(clock, f"rfd_{number}"), records, author="fay")
            codes.append(carry_out_refund(f"rfd_{number}", {"stripe": rail}, desk, records).state)
        except Conflict as error:
            codes.append(error.code)
        except Unavailable:
            codes.append("busy")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count("done") <= 2
    assert len(fake.refunds) == codes.count("done")
    assert find("pay_1", records).refunded == codes.count("done") * 10 * MICROS
    assert codes.count("done") == 2 or "busy" in codes


def test_one_refund_carried_out_by_many_is_one(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    begin_refund(wish(clock), records, author="fay")
    together = threading.Barrier(6)

    def run() -> None:
        together.wait()
        carry_out_refund("rfd_1", {"stripe": rail}, desk, records)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (find_refund("rfd_1", records).state, len(fake.refunds)) == ("done", 1)
    assert pots(desk) == (15 * MICROS, 0)


def test_an_answer_that_is_lost_is_unknown_until_the_same_key_tells(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    begin_refund(wish(clock), records, author="fay")
    fake.lose_next = 1
    assert carry_out_refund("rfd_1", {"stripe": rail}, desk, records).state == "unknown"
    assert pots(desk) == (15 * MICROS, 10 * MICROS)
    [done] = work_through_refunds({"stripe": rail}, desk, records)
    assert (done.state, len(fake.refunds)) == ("done", 1)
    assert pots(desk) == (15 * MICROS, 0)


@pytest.mark.parametrize("asked", [True, False])
def test_a_refund_that_was_unknown_for_longer_than_keys_live_is_looked_for(
    asked: bool, paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    begin_refund(wish(clock), records, author="fay")
    fake.lose_next, fake.fail_next = int(asked), int(not asked)
    assert carry_out_refund("rfd_1", {"stripe": rail}, desk, records).state == "unknown"
    fake.keys.clear()
    clock.sleep(days=2)
    [end] = work_through_refunds({"stripe": rail}, desk, records)
    assert end.state == ("done" if asked else "declined")
    assert len(fake.refunds) == int(asked)
    assert pots(desk) == (15 * MICROS if asked else USD, 0)


def test_a_pot_that_holds_too_little_refuses_before_anybody_is_asked(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    spent = (
        Entry(Account("wallet", "ana-cash", "USD"), 20 * MICROS, Source.WALLET),
        Entry(Account("provider_payable", "clinic", "USD"), -20 * MICROS, Source.WALLET),
    )
    move(Transfer("care", "1", spent, "ana"), desk)
    begin_refund(wish(clock), records, author="fay")
    end = carry_out_refund("rfd_1", {"stripe": rail}, desk, records)
    assert (end.state, end.reason) == ("declined", "insufficient_funds")
    assert fake.refunds == {}
    assert pots(desk) == (5 * MICROS, 0)
    assert find("pay_1", records).refunded == 0


def test_a_no_of_the_rail_lets_the_money_go(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    begin_refund(wish(clock), records, author="fay")
    fake.intents[paid]["amount_received"] = 0
    end = carry_out_refund("rfd_1", {"stripe": rail}, desk, records)
    assert (end.state, end.reason) == ("declined", "charge_already_refunded")
    assert pots(desk) == (USD, 0)
    assert refundable(find("pay_1", records)) == USD


def test_a_refund_that_takes_time_ends_by_callback_or_by_looking_and_may_come_back(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    fake.slow_refunds = True
    for name in ("rfd_1", "rfd_2"):
        begin_refund(wish(clock, name), records, author="fay")
        assert carry_out_refund(name, {"stripe": rail}, desk, records).state == "waiting"
    assert pots(desk) == (5 * MICROS, 20 * MICROS)
    for _ in range(2):
        heard(fake.settle_refund("re_test_1", "succeeded"), rail, desk, records, clock)
    fake.refunds["re_test_2"]["status"] = "canceled"
    assert work_through_refunds({"stripe": rail}, desk, records) == []
    clock.sleep(minutes=11)
    assert [one.state for one in work_through_refunds({"stripe": rail}, desk, records)] == ["declined"]
    assert pots(desk) == (15 * MICROS, 0)
    late = fake.settle_refund("re_test_1", "succeeded")
    for _ in range(2):
        heard(fake.settle_refund("re_test_1", "failed"), rail, desk, records, clock)
    # What was said before is old now.
    heard(late, rail, desk, records, clock)
    end = find_refund("rfd_1", records)
    assert (end.state, end.reason, end.came_back) == ("declined", "lost_or_stolen_card", True)
    assert balances(desk) == {"cash/stripe": USD, "wallet/ana-cash": -USD}
    assert refundable(find("pay_1", records)) == USD


def test_a_rail_that_pays_what_it_declined_stops_the_books(
    paid: str, clock: Clock, desk: Desk, records: Records
) -> None:
    begin_refund(wish(clock), records, author="fay")
    hear_refund(RefundNews("held", "rfd_1"), desk, records)
    with pytest.raises(IntegrityError, match="another amount"):
        hear_refund(RefundNews("done", "rfd_1", amount=1), desk, records)
    hear_refund(RefundNews("declined", "rfd_1", reason="no"), desk, records)
    with pytest.raises(IntegrityError, match="declined"):
        hear_refund(RefundNews("done", "rfd_1"), desk, records)
    with pytest.raises(InvalidMessage, match="no refund"):
        hear_refund(RefundNews("done", "rfd_1"), desk, records, rail="alipay")


@pytest.mark.parametrize("state", ["held", "done", "declined"])
def test_who_dies_between_booking_and_keeping_is_made_up_for(
    state: str, paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, monkeypatch
) -> None:
    begin_refund(wish(clock), records, author="fay")
    if state == "declined":
        fake.intents[paid]["amount_received"] = 0
    real = type(records).put

    def dies(self: Records, kept):
        if kept[0].body.get("state") == state:
            raise KeyboardInterrupt
        return real(self, kept)

    with monkeypatch.context() as patched:
        patched.setattr(type(records), "put", dies)
        with pytest.raises(KeyboardInterrupt):
            carry_out_refund("rfd_1", {"stripe": rail}, desk, records)
    [end] = work_through_refunds({"stripe": rail}, desk, records)
    assert end.state == ("declined" if state == "declined" else "done")
    assert pots(desk) == (USD if state == "declined" else 15 * MICROS, 0)


def test_the_other_end_that_was_booked_comes_first(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, monkeypatch
) -> None:
    begin_refund(wish(clock), records, author="fay")
    hear_refund(RefundNews("held", "rfd_1"), desk, records)
    with monkeypatch.context() as patched:
        patched.setattr(type(records), "put", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            hear_refund(RefundNews("done", "rfd_1"), desk, records)
    # It was done and booked; that it failed later is heard before that was kept.
    end = hear_refund(RefundNews("declined", "rfd_1", reason="closed"), desk, records)
    assert (end.state, end.came_back) == ("declined", True)
    assert balances(desk) == {"cash/stripe": USD, "wallet/ana-cash": -USD}


def test_into_a_wallet_with_consent(paid: str, clock: Clock, desk: Desk, records: Records, fake: FakeStripe) -> None:
    desk.books.enrol(pots=[Pot("ana-second", "ana", "USD")])
    order = wish(clock, amount=1, wallet="ana-second", consent="at the window on Monday, to Cleo")
    for _ in range(2):
        begin_refund(order, records, author="fay")
        assert carry_out_refund("rfd_1", {}, desk, records).state == "done"
    assert pots(desk, "ana-second") == (1, 0)
    assert pots(desk) == (USD - 1, 0)
    assert fake.refunds == {}


def test_a_payment_that_has_not_come_in_or_went_back_cannot_be_refunded(
    paid: str, clock: Clock, desk: Desk, records: Records, rail: Stripe
) -> None:
    begin(payment(clock, "pay_2"), records, author="ana")
    hear(News("returned", "pay_1"), "stripe", desk, records)
    for name in ("pay_1", "pay_2"):
        with pytest.raises(Conflict) as caught:
            begin_refund(wish(clock, payment=name), records, author="fay")
        assert caught.value.code == "not_refundable"


def test_a_dispute_that_crosses_a_refund_leaves_whole_books(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    fake.slow_refunds = True
    begin_refund(wish(clock), records, author="fay")
    carry_out_refund("rfd_1", {"stripe": rail}, desk, records)
    hear(News("returned", "pay_1"), "stripe", desk, records)
    heard(fake.settle_refund("re_test_1", "succeeded"), rail, desk, records, clock)
    # Both went back: the holder owes the dispute's 25.00, and the pot holds what the refund left of them.
    assert balances(desk) == {
        "cash/stripe": -10 * MICROS,
        "holder_receivable/ana": USD,
        "wallet/ana-cash": -15 * MICROS,
    }


def test_rails_that_take_nothing_back_say_what_to_do(rail: Stripe) -> None:
    rails = {"stripe": rail, "bank": BankAccount("NL26VAYB8060476890")}
    assert refunding("stripe", rails) is rail
    for name in ("bank", "cash"):
        with pytest.raises(InvalidMessage, match="cannot go back") as caught:
            refunding(name, rails)
        assert "consent" in caught.value.next_step


def test_what_is_left_goes_out_the_way_it_came_in(
    paid: str, clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    clock.sleep(days=1)
    begin(payment(clock, "pay_2", amount=8 * MICROS), records, author="ana")
    session = carry_out("pay_2", {"stripe": rail}, desk, records).reference
    fake.pay(session)
    clock.sleep(minutes=11)
    carry_out("pay_2", {"stripe": rail}, desk, records)
    begin(payment(clock, "pay_3", rail="cash", amount=5 * MICROS), records, author="cleo")
    hear(News("captured", "pay_3"), "cash", desk, records)
    for _ in range(2):
        done = pay_out("out_1", "ana-cash", "ana", 12 * MICROS, {"stripe": rail}, desk, records, author="ana")
        assert [(one.payment, one.amount, one.state) for one in done] == [
            ("pay_2", 8 * MICROS, "done"),
            ("pay_1", 4 * MICROS, "done"),
        ]
    assert pots(desk) == (26 * MICROS, 0)
    with pytest.raises(Conflict, match="another payout"):
        pay_out("out_1", "ana-cash", "ana", 1, {"stripe": rail}, desk, records, author="ana")
    rest = pay_out("out_2", "ana-cash", "ana", 100 * MICROS, {"stripe": rail}, desk, records, author="ana")
    assert [one.amount for one in rest] == [21 * MICROS]
    # Cash stays: nobody can push it back through a wire.
    assert pots(desk) == (5 * MICROS, 0)


def test_what_was_refunded_meanwhile_is_left_out_of_a_payout(
    paid: str, clock: Clock, desk: Desk, records: Records, rail: Stripe, monkeypatch
) -> None:
    plan = {"amount": USD, "pot": "ana-cash", "parts": [["pay_1", USD]]}
    kept = records.get(KIND, "pay_1")
    assert kept is not None
    records.put(
        [replace(record_of(find("pay_1", records), before=kept), kind="payout_plan", id="out_1", body=plan, version=0)]
    )
    begin_refund(wish(clock), records, author="fay")
    assert pay_out("out_1", "ana-cash", "ana", USD, {"stripe": rail}, desk, records, author="ana") == []
    carry_out_refund("rfd_1", {"stripe": rail}, desk, records)


def test_a_move_never_takes_a_pot_below_its_floor(paid: str, desk: Desk) -> None:
    entries = (
        Entry(Account("wallet", "ana-cash", "USD"), USD + 1, Source.RAIL),
        Entry(Account("cash", "stripe", "USD"), -USD - 1, Source.RAIL),
    )
    with pytest.raises(Refused, match="1 micros are missing"):
        move(Transfer("x", "1", entries, "ana"), desk)
    away = tuple(one._replace(account=one.account._replace(owner="nowhere")) for one in entries)
    with pytest.raises(Conflict, match="no such pot"):
        move(Transfer("x", "2", away, "ana"), desk)
