"""Money in through Stripe: once, whatever is lost, late, repeated, forged or taken back."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
import stripe_fake
from rail_helpers import Clock, payment
from stripe_fake import FakeStripe, signed

from drachm.adapters.stripe.rail import Stripe
from drachm.application.bank import BankAccount
from drachm.application.cards import card_of, forget_card, keep, wish_for_card
from drachm.application.desk import Desk
from drachm.application.payments import begin, carry_out, find, hear, work_through
from drachm.application.records import Records
from drachm.domain.errors import Conflict, Forbidden, IntegrityError, InvalidMessage
from drachm.domain.money import MICROS
from drachm.domain.payments.model import Card, CardKept, News


def left(desk: Desk, pot: str = "ana-cash") -> int:
    return desk.books.pots([pot])[pot][0]


def balances(desk: Desk) -> dict[str, int]:
    return {f"{account.kind}/{account.owner}": amount for account, amount in desk.books.balances().items() if amount}


@pytest.fixture
def begun(clock: Clock, desk: Desk, records: Records, rail: Stripe) -> str:
    """A payment whose payer is on Stripe's page; the session's name."""
    begin(payment(clock), records, author="ana")
    return carry_out("pay_1", {"stripe": rail}, desk, records).reference


def tell(body: bytes, rail: Stripe, desk: Desk, records: Records, clock: Clock) -> None:
    for news in rail.read_callback(signed(body, clock.now().timestamp()), body, clock.now()):
        if isinstance(news, CardKept):
            keep(news, "stripe", records)
        else:
            hear(news, "stripe", desk, records)


def test_a_payer_pays_on_stripes_page_and_the_pot_has_it_once(
    begun: str, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, clock: Clock
) -> None:
    waiting = find("pay_1", records)
    assert (waiting.state, waiting.link) == ("waiting", f"https://checkout.example/{begun}")
    assert left(desk) == 0
    body = fake.pay(begun)
    for _ in range(3):
        tell(body, rail, desk, records, clock)
    assert left(desk) == 25 * MICROS
    done = find("pay_1", records)
    assert (done.state, done.link) == ("captured", "")
    assert done.reference.startswith("pi_")
    assert balances(desk) == {"cash/stripe": 25 * MICROS, "wallet/ana-cash": -25 * MICROS}
    # An old callback that comes late changes nothing.
    hear(News("expired", "pay_1"), "stripe", desk, records)
    assert find("pay_1", records).state == "captured"


def test_an_answer_that_is_lost_is_found_by_the_same_key(
    clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    begin(payment(clock), records, author="ana")
    fake.lose_next = 1
    assert carry_out("pay_1", {"stripe": rail}, desk, records).state == "unknown"
    assert len(fake.sessions) == 1
    [found] = work_through({"stripe": rail}, desk, records)
    assert found.state == "waiting"
    assert len(fake.sessions) == 1
    assert left(desk) == 0


def test_a_stripe_that_is_down_leaves_the_payment_to_be_asked_again(
    clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    begin(payment(clock), records, author="ana")
    fake.fail_next = 2
    assert carry_out("pay_1", {"stripe": rail}, desk, records).state == "unknown"
    assert [one.state for one in work_through({"stripe": rail}, desk, records)] == ["unknown"]
    assert [one.state for one in work_through({"stripe": rail}, desk, records)] == ["waiting"]


def test_a_lost_callback_is_made_up_for_by_looking(
    begun: str, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, clock: Clock
) -> None:
    fake.pay(begun)
    assert work_through({"stripe": rail}, desk, records) == []
    clock.sleep(minutes=11)
    assert [one.state for one in work_through({"stripe": rail}, desk, records)] == ["captured"]
    assert left(desk) == 25 * MICROS


def test_a_payment_unknown_for_a_day_is_searched_for_and_never_asked_twice(
    clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    """Stripe forgets idempotency keys after 24 hours: asking again would open a second page."""
    for name in ("pay_1", "pay_2"):
        begin(payment(clock, name), records, author="ana")
        fake.lose_next = 1
        assert carry_out(name, {"stripe": rail}, desk, records).state == "unknown"
    fake.pay("cs_test_1")
    fake.keys.clear()
    clock.sleep(days=2)
    ends = {one.id: one.state for one in work_through({"stripe": rail}, desk, records)}
    assert ends == {"pay_1": "captured", "pay_2": "expired"}
    assert len(fake.sessions) == 2
    assert left(desk) == 25 * MICROS


def test_forged_stale_and_unreadable_callbacks_are_refused(
    begun: str, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, clock: Clock
) -> None:
    body, now = fake.pay(begun), clock.now()
    good = signed(body, now.timestamp())
    dearer = body.replace(b"2500", b"9900")
    for headers, sent, code in (
        ({}, body, "callback_forged"),
        ({"stripe-signature": "t=1,v1="}, body, "callback_forged"),
        ({"stripe-signature": "nonsense"}, body, "callback_forged"),
        (good, dearer, "callback_forged"),
        (signed(body, now.timestamp(), "whsec_of_somebody"), body, "callback_forged"),
        (signed(body, now.timestamp() - 301), body, "callback_stale"),
        (signed(body, now.timestamp() + 301), body, "callback_stale"),
    ):
        with pytest.raises(Forbidden) as caught:
            rail.read_callback(headers, sent, now)
        assert caught.value.code == code
    for sent in (b"[]", b"{}", b'{"type": "checkout.session.completed", "data": {"object": {}}}', b"\xff"):
        with pytest.raises((InvalidMessage, Forbidden)):
            rail.read_callback(signed(sent, now.timestamp()), sent, now)
    assert left(desk) == 0
    assert rail.read_callback(good, body, now) != []


def test_another_amount_than_was_asked_for_is_never_booked(begun: str, desk: Desk, records: Records) -> None:
    with pytest.raises(IntegrityError, match="another amount"):
        hear(News("captured", "pay_1", begun, 99 * MICROS, "USD"), "stripe", desk, records)
    with pytest.raises(IntegrityError, match="another currency"):
        hear(News("captured", "pay_1", begun, 25 * MICROS, "EUR"), "stripe", desk, records)
    assert left(desk) == 0
    assert find("pay_1", records).state == "waiting"


def test_news_of_a_payment_of_another_rail_mean_nobody(begun: str, desk: Desk, records: Records) -> None:
    with pytest.raises(InvalidMessage, match="no payment of this rail"):
        hear(News("captured", "pay_1", begun), "alipay", desk, records)
    with pytest.raises(InvalidMessage, match="no payment of this rail"):
        hear(News("captured", "pay_9"), "stripe", desk, records)


def test_a_dispute_is_owed_by_the_holder_and_never_takes_the_pot_below_its_floor(
    begun: str, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, clock: Clock
) -> None:
    tell(fake.pay(begun), rail, desk, records, clock)
    [intent] = fake.intents
    lost = fake.dispute(intent)
    for _ in range(2):
        tell(lost, rail, desk, records, clock)
    assert left(desk) == 25 * MICROS
    assert balances(desk) == {"holder_receivable/ana": 25 * MICROS, "wallet/ana-cash": -25 * MICROS}
    assert find("pay_1", records).reason == "fraudulent"
    won = fake.dispute(intent, kind="funds_reinstated")
    for _ in range(2):
        tell(won, rail, desk, records, clock)
    assert balances(desk) == {"cash/stripe": 25 * MICROS, "wallet/ana-cash": -25 * MICROS}
    tell(fake.dispute(intent, amount=1_000), rail, desk, records, clock)
    assert balances(desk)["holder_receivable/ana"] == 10 * MICROS
    assert balances(desk)["cash/stripe"] == 15 * MICROS


def test_a_card_on_file_pays_at_once_or_says_why_not(
    clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, cards: dict[str, Card]
) -> None:
    ends = {}
    for name, method in (("a", ""), ("b", "pm_declined"), ("c", "pm_bank_asks"), ("d", "pm_good")):
        cards.clear()
        if method:
            cards["ana"] = Card("cus_1", method)
        begin(payment(clock, name, automatic=True), records, author="rule")
        done = carry_out(name, {"stripe": rail}, desk, records)
        ends[name] = (done.state, done.reason, bool(done.link))
    assert ends == {
        "a": ("declined", "no_card", False),
        "b": ("declined", "insufficient_funds", False),
        # The bank wants its customer: the same payment goes on by a link.
        "c": ("waiting", "", True),
        "d": ("captured", "", False),
    }
    assert left(desk) == 25 * MICROS


def test_a_holder_leaves_a_card_with_stripe_and_takes_it_away(
    clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe
) -> None:
    pages = {wish_for_card("crd_1", "ana", "USD", rail, records, author="ana") for _ in range(2)}
    assert pages == {"https://checkout.example/cs_test_1"}
    body = fake.leave_card("cs_test_1", "pm_good")
    for _ in range(2):
        tell(body, rail, desk, records, clock)
    assert card_of("stripe", "ana", records) == Card("cus_1", "pm_good")
    wish_for_card("crd_2", "ana", "USD", rail, records, author="ana")
    tell(fake.leave_card("cs_test_2", "pm_newer"), rail, desk, records, clock)
    assert card_of("stripe", "ana", records) == Card("cus_1", "pm_newer")
    forget_card("stripe", "ana", records, author="ana")
    assert card_of("stripe", "ana", records) is None
    with pytest.raises(InvalidMessage):
        keep(CardKept("crd_9", Card("cus_1", "pm_good")), "stripe", records)
    with pytest.raises(InvalidMessage):
        wish_for_card("crd_3", "ana", "USD", BankAccount("NL26VAYB8060476890"), records, author="ana")
    assert "ana" not in json.dumps([sent for sent, _, _ in fake.keys.values()])


def test_a_charge_whose_answer_is_lost_is_made_once(
    clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, cards: dict[str, Card]
) -> None:
    cards["ana"] = Card("cus_1", "pm_good")
    begin(payment(clock, automatic=True), records, author="rule")
    fake.lose_next = 2
    for wanted in ("unknown", "captured"):
        assert carry_out("pay_1", {"stripe": rail}, desk, records).state == wanted
    assert len(fake.intents) == 1
    assert left(desk) == 25 * MICROS


def test_news_that_race_are_booked_once(
    begun: str, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe, clock: Clock
) -> None:
    body = fake.pay(begun)
    together = threading.Barrier(8)
    faults: list[Exception] = []

    def run() -> None:
        together.wait()
        try:
            tell(body, rail, desk, records, clock)
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert left(desk) == 25 * MICROS


def test_the_same_payment_again_is_the_same_and_another_one_is_refused(clock: Clock, records: Records) -> None:
    first = begin(payment(clock), records, author="ana")
    clock.sleep(seconds=5)
    assert begin(payment(clock), records, author="ana") == first
    with pytest.raises(Conflict):
        begin(payment(clock, amount=26 * MICROS), records, author="ana")
    for amount in (0, -1, 1, 25 * MICROS + 1, 2**53):
        with pytest.raises(InvalidMessage):
            begin(payment(clock, "pay_2", amount=amount), records, author="ana")


def test_yen_have_no_cents(clock: Clock, fake: FakeStripe, desk: Desk, records: Records, rail: Stripe) -> None:
    begin(payment(clock, pot="ana-yen", currency="JPY", amount=3_000 * MICROS), records, author="ana")
    session = carry_out("pay_1", {"stripe": rail}, desk, records).reference
    assert fake.sessions[session]["amount_total"] == 3_000
    tell(fake.pay(session), rail, desk, records, clock)
    assert left(desk, "ana-yen") == 3_000 * MICROS


def test_what_we_send_holds_no_card_and_no_word_of_care(begun: str, fake: FakeStripe) -> None:
    [(_, (sent, _, _))] = fake.keys.items()
    assert "card" not in sent
    assert stripe_fake.nested(sent.partition(" ")[2])["line_items"]["0"]["price_data"]["product_data"] == {
        "name": "Top-up"
    }


def test_a_slow_stripe_is_an_unknown_answer(clock: Clock, fake: FakeStripe, desk: Desk, records: Records) -> None:
    from drachm.adapters.stripe.rail import client_for

    begin(payment(clock), records, author="ana")
    fake.late = 1.0
    hasty = Stripe(
        client_for(stripe_fake.KEY, address=fake.url, seconds=0.2),
        signing_secret=stripe_fake.SECRET,
        return_url="https://drachm.example/",
        now=clock.now,
    )
    assert carry_out("pay_1", {"stripe": hasty}, desk, records).state == "unknown"
    fake.late = 0
    assert carry_out("pay_1", {"stripe": hasty}, desk, records).state == "waiting"
    assert len(fake.sessions) == 1
    assert clock.now() - find("pay_1", records).begun_at < timedelta(days=1)


def test_a_wrong_key_of_ours_is_told_to_the_operator(
    clock: Clock, fake: FakeStripe, desk: Desk, records: Records
) -> None:
    from drachm.adapters.stripe.rail import client_for

    begin(payment(clock), records, author="ana")
    wrong = Stripe(
        client_for("sk_test_wrong", address=fake.url),
        signing_secret="x",
        return_url="https://x.example/",
        now=clock.now,
    )
    with pytest.raises(InvalidMessage, match="does not take this request"):
        carry_out("pay_1", {"stripe": wrong}, desk, records)
    assert find("pay_1", records).state == "planned"
