"""Dues collected over a rail: rarely, whole coins, every micro accounted for, each due paid once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from rail_helpers import Clock
from stripe_fake import FakeStripe, signed

from drachm.adapters.stripe.rail import Stripe
from drachm.application.audit import audit
from drachm.application.check_books import check_books
from drachm.application.clear_events import clear_events
from drachm.application.collection import (
    Policy,
    apply_collected,
    apply_dues,
    collect,
    dues_pot,
    keep_collecting,
    owed_of,
    set_consent,
)
from drachm.application.desk import Desk
from drachm.application.pay_due import Yes, pay_due
from drachm.application.payments import find, hear, work_through
from drachm.application.records import Records
from drachm.application.refunds import begin_refund, carry_out_refund
from drachm.domain.coverage.model import Contract, Member, Party
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.money import MICROS
from drachm.domain.payments.model import Card, News, Payment
from drachm.domain.payments.refund import Refund
from drachm.domain.payments.tariff import Collecting
from drachm.domain.periods import Period
from drachm.domain.transparency.leaf import event_key
from drachm.storage.memory import MemoryBooks
from drachm.storage.memory_dues import MemoryDues
from drachm.storage.money_reading import PostgresMoney

POLICY = Policy("stripe", Collecting(25 * MICROS, 30, 100 * MICROS))
CENT = MICROS // 100


@pytest.fixture
def reading(desk: Desk) -> Any:
    return MemoryDues(desk.books) if isinstance(desk.books, MemoryBooks) else PostgresMoney.of(desk.books)


@pytest.fixture
def street(desk: Desk) -> Desk:
    """A clinic whose patients have no cover, and hardly any money in their pots."""
    ever = Period(date(1900, 1, 1))
    desk.books.enrol(
        parties=[Party("clinic", ("provider",), "Clinic", "UTC"), Party("lab", ("provider",), "Lab", "UTC")],
        contracts=[Contract(party, "", "as-submitted", ever) for party in ("clinic", "lab")],
        members=[Member("ben")],
    )
    return desk


class Tally(dict):  # type: ignore[type-arg]
    def get(self, key: str) -> int:  # type: ignore[override]
        return super().get(key, 0)

    def add(self, key: str, delta: int) -> None:
        self[key] = self.get(key) + delta

    def count(self) -> int:
        return sum(1 for value in self.values() if value)


@pytest.fixture(autouse=True)
def books_are_whole(desk: Desk):
    yield
    assert check_books(desk.books) == []
    report = audit(desk.books, Tally(), Tally(), lambda: 0.0, lambda _: None)
    assert report.ok, report.first_difference


def visit(name: str, micros: int, desk: Desk, clock: Clock, **more: Any) -> None:
    event = ServiceEvent(
        **{
            "source": "ehr", "event_id": name, "kind": "charge", "member": "ana", "code": Code("local", "visit"),
            "currency": "USD", "started_at": clock.now(), "billed": micros, "billing_party": "clinic", "visit": name,
            "display": "Visit", **more,
        }
    )  # fmt: skip
    [outcome] = clear_events([event], desk)
    assert outcome.status == "posted", outcome


def balances(desk: Desk, *kinds: str) -> dict[str, int]:
    return {
        f"{account.kind}/{account.owner}": amount
        for account, amount in desk.books.balances().items()
        if amount and (not kinds or account.kind in kinds)
    }


@pytest.fixture
def go(street: Desk, records: Records, rail: Stripe, reading: Any) -> Any:
    """Collect from Ana."""

    def run(**more: Any) -> Payment | None:
        return collect("ana", "USD", POLICY, {"stripe": rail}, street, records, reading, **more)

    return run


def pay(payment: Payment | None, fake: FakeStripe, street: Desk, records: Records, rail: Stripe, clock: Clock) -> None:
    assert payment is not None
    assert payment.state == "waiting", payment
    body = fake.pay(payment.reference)
    for news in rail.read_callback(signed(body, clock.now().timestamp()), body, clock.now()):
        hear(news, "stripe", street, records)  # type: ignore[arg-type]


def test_small_dues_wait_and_many_are_one_payment_with_the_residue_carried(
    go: Any, street: Desk, records: Records, rail: Stripe, fake: FakeStripe, clock: Clock, reading: Any
) -> None:
    for number in range(3):
        visit(f"e{number}", 6_002_500, street, clock)
    assert go() is None
    assert fake.calls == []
    visit("e3", 7_000_000, street, clock, billing_party="lab")
    first = go()
    # 25.0075 are due: whole cents are asked for, three quarters of a cent stay.
    assert (first.amount, first.residue, first.parties) == (25 * MICROS, 7_500, ("clinic", "lab"))
    assert go() == first
    pay(first, fake, street, records, rail, clock)
    assert apply_collected(street, records, reading) == 25_007_500
    assert apply_collected(street, records, reading) == 0
    assert balances(street) == {
        "cash/stripe": 25 * MICROS,
        "residue/ana": 7_500,
        "provider_payable/clinic": -18_007_500,
        "provider_payable/lab": -7_000_000,
    }
    # The residue is paid with the next one: 30.0000 + 0.0075 make 30.00, and 0.0075 go on.
    visit("e4", 30 * MICROS + 5_000, street, clock)
    second = go()
    assert (second.amount, second.residue) == (30 * MICROS + CENT, -5_000)
    pay(second, fake, street, records, rail, clock)
    apply_collected(street, records, reading)
    assert balances(street, "residue", "patient_receivable", "wallet") == {"residue/ana": 2_500}
    assert owed_of("ana", "USD", records, reading).amount == 2_500
    clock.sleep(days=400)
    assert go() is None


def test_age_and_exposure_are_reasons_too(
    go: Any, street: Desk, clock: Clock, records: Records, rail: Stripe, reading: Any
) -> None:
    visit("e1", 3 * MICROS, street, clock)
    assert go() is None
    clock.sleep(days=31)
    assert go().amount == 3 * MICROS
    visit("b1", 24 * MICROS, street, clock, member="ben")
    exposed = Policy("stripe", Collecting(90 * MICROS, 90, 24 * MICROS))
    assert collect("ben", "USD", exposed, {"stripe": rail}, street, records, reading).amount == 24 * MICROS


def test_less_than_a_coin_is_never_collected(go: Any, street: Desk, clock: Clock) -> None:
    visit("e1", CENT - 1, street, clock)
    clock.sleep(days=400)
    assert go() is None
    assert go(asked=True) is None


def test_everybody_of_whom_it_is_time(
    street: Desk, records: Records, rail: Stripe, clock: Clock, reading: Any, fake: FakeStripe
) -> None:
    visit("e1", 40 * MICROS, street, clock)
    visit("e2", 40 * MICROS, street, clock, member="ben")
    policies = {"USD": POLICY}
    assert len(keep_collecting(policies, {"stripe": rail}, street, records, reading)) == 2
    assert len(keep_collecting(policies, {"stripe": rail}, street, records, reading)) == 2
    assert len(fake.sessions) == 2
    assert keep_collecting({"EUR": POLICY}, {"stripe": rail}, street, records, reading) == []


def test_a_card_on_file_is_used_with_consent_only(
    go: Any, street: Desk, records: Records, clock: Clock, fake: FakeStripe, reading: Any, cards: dict[str, Card]
) -> None:
    from drachm.application.cards import CARD
    from drachm.application.records import Record

    cards["ana"] = Card("cus_1", "pm_good")
    records.put([Record(CARD, "stripe/ana", {"customer": "cus_1", "method": "pm_good", "wish": "w"})])
    visit("e1", 30 * MICROS, street, clock)
    link = go()
    assert (link.state, link.automatic) == ("waiting", False)
    hear(News("expired", link.id), "stripe", street, records)
    clock.sleep(hours=2)
    set_consent("ana", True, records, author="ana")
    done = go()
    assert (done.state, done.automatic) == ("captured", True)
    assert balances(street, "patient_receivable", "wallet") == {}


def test_a_declined_collection_waits_longer_each_time_and_then_for_the_patient(
    go: Any, street: Desk, records: Records, clock: Clock
) -> None:
    visit("e1", 30 * MICROS, street, clock)
    begun = set()
    for _ in range(30):
        payment = go()
        if payment is not None:
            begun.add(payment.id)
            hear(News("declined", payment.id), "stripe", street, records)
        clock.sleep(days=1)
    assert len(begun) == 4
    assert go(asked=True).state == "waiting"


def test_a_due_that_is_paid_meanwhile_leaves_money_for_the_next_or_back(
    go: Any, street: Desk, records: Records, rail: Stripe, fake: FakeStripe, clock: Clock, reading: Any
) -> None:
    visit("e1", 30 * MICROS, street, clock)
    visit("e2", 10 * MICROS, street, clock)
    payment = go()
    assert payment.amount == 40 * MICROS
    key = event_key(street.books.tenant, "ehr", "e1")
    from drachm.application.body import TopUp
    from drachm.application.top_up import top_up

    top_up(TopUp("window", "1", "ana-cash", "ana", 30 * MICROS, "USD", "cash", clock.now()), street)
    pay_due(Yes("window-1", key, None, ("ana-cash",)), street)
    pay(payment, fake, street, records, rail, clock)
    assert apply_collected(street, records, reading) == 10 * MICROS
    pot = dues_pot("ana", "USD").id
    assert street.books.pots([pot])[pot] == (30 * MICROS, 0)
    # New care is not paid by it on its own; as a due it is, before anybody is asked for more.
    visit("e3", 8 * MICROS, street, clock)
    assert balances(street, "patient_receivable") == {"patient_receivable/ana": 8 * MICROS}
    clock.sleep(days=40)
    assert go() is None
    assert balances(street, "patient_receivable") == {}
    back = Refund("rfd_1", payment.id, "stripe", pot, "ana", 22 * MICROS, "USD", clock.now())
    begin_refund(back, records, author="fay")
    assert carry_out_refund("rfd_1", {"stripe": rail}, street, records).state == "done"
    assert balances(street, "wallet") == {}


def test_care_that_is_taken_back_after_it_was_collected_pays_the_next_due(
    go: Any, street: Desk, records: Records, rail: Stripe, fake: FakeStripe, clock: Clock, reading: Any
) -> None:
    visit("e1", 30 * MICROS, street, clock)
    pay(go(), fake, street, records, rail, clock)
    apply_collected(street, records, reading)
    visit("r1", 0, street, clock, kind="reversal", replaces="e1", billed=None)
    pot = dues_pot("ana", "USD").id
    assert street.books.pots([pot])[pot][0] == 30 * MICROS
    visit("e2", 12 * MICROS, street, clock)
    assert apply_dues("ana", "USD", street, records, reading) == 12 * MICROS
    assert balances(street, "patient_receivable", "wallet") == {f"wallet/{pot}": -18 * MICROS}


def test_a_charge_at_a_lower_price_is_due_at_that(
    go: Any, street: Desk, clock: Clock, reading: Any, records: Records, rail: Stripe, fake: FakeStripe
) -> None:
    visit("e1", 40 * MICROS, street, clock)
    visit("e2", 28 * MICROS, street, clock, kind="replacement", replaces="e1")
    visit("e3", 20 * MICROS, street, clock)
    visit("r3", 0, street, clock, kind="reversal", replaces="e3", billed=None)
    [due] = reading.dues("ana", "USD")
    assert (due.key, due.amount) == (event_key(street.books.tenant, "ehr", "e2"), 28 * MICROS)
    pay(go(), fake, street, records, rail, clock)
    apply_collected(street, records, reading)
    assert reading.dues("ana", "USD") == []


def test_lost_answers_and_many_at_once_collect_once(
    go: Any, street: Desk, records: Records, rail: Stripe, fake: FakeStripe, clock: Clock, reading: Any
) -> None:
    visit("e1", 30 * MICROS, street, clock)
    fake.lose_next = 1
    assert go().state == "unknown"
    assert go().state == "unknown"
    [waiting] = work_through({"stripe": rail}, street, records)
    assert len(fake.sessions) == 1
    body = fake.pay(waiting.reference)
    together, faults = threading.Barrier(6), []

    def run(number: int) -> None:
        together.wait()
        try:
            for news in rail.read_callback(signed(body, clock.now().timestamp()), body, clock.now()):
                hear(news, "stripe", street, records)  # type: ignore[arg-type]
            apply_collected(street, records, reading)
            go()
        except Exception as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    apply_collected(street, records, reading)
    assert balances(street) == {"cash/stripe": 30 * MICROS, "provider_payable/clinic": -30 * MICROS}
    assert len(fake.sessions) == 1


def test_a_collection_that_went_back_is_owed_and_its_dues_stay_paid(
    go: Any, street: Desk, records: Records, rail: Stripe, fake: FakeStripe, clock: Clock, reading: Any
) -> None:
    visit("e1", 30 * MICROS + 2_500, street, clock)
    payment = go()
    pay(payment, fake, street, records, rail, clock)
    apply_collected(street, records, reading)
    hear(News("returned", payment.id), "stripe", street, records)
    assert balances(street) == {
        "holder_receivable/ana": 30 * MICROS,
        "provider_payable/clinic": -30 * MICROS - 2_500,
        "residue/ana": 2_500,
    }
    assert owed_of("ana", "USD", records, reading).residue == 2_500
    assert find(payment.id, records).applied


def test_who_dies_before_the_money_reaches_its_dues_is_made_up_for(
    go: Any, street: Desk, records: Records, rail: Stripe, fake: FakeStripe, clock: Clock, reading: Any
) -> None:
    visit("e1", 30 * MICROS, street, clock)
    visit("e2", 10 * MICROS, street, clock)
    pay(go(), fake, street, records, rail, clock)
    [first, _] = reading.dues("ana", "USD")
    pot = dues_pot("ana", "USD")
    pay_due(Yes(f"collected-{first.position}", first.key, first.amount, outside=pot), street)
    assert go() is None
    assert balances(street, "patient_receivable", "wallet") == {}
    assert [one.applied for one in owed_of("ana", "USD", records, reading).payments] == [True]


def test_currencies_are_collected_each_for_itself(
    street: Desk, records: Records, rail: Stripe, clock: Clock, reading: Any
) -> None:
    visit("e1", 30 * MICROS, street, clock, currency="JPY")
    yen = replace_policy(POLICY)
    assert collect("ana", "JPY", yen, {"stripe": rail}, street, records, reading).amount == 30 * MICROS
    assert collect("ana", "USD", yen, {"stripe": rail}, street, records, reading) is None


def replace_policy(policy: Policy) -> Policy:
    return Policy(policy.rail, replace(policy.when, amount=20 * MICROS))
