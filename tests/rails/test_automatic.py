"""Pots that top themselves up: as often as the holder allowed, and once however many look."""

from __future__ import annotations

import threading

import pytest
from rail_helpers import Clock
from stripe_fake import FakeStripe

from drachm.adapters.stripe.rail import Stripe
from drachm.application.automatic_top_ups import Rule, judge, keep_topped_up, set_rule
from drachm.application.desk import Desk
from drachm.application.payments import work_through
from drachm.application.records import Records
from drachm.domain.errors import Conflict
from drachm.domain.money import MICROS
from drachm.domain.payments.automatic import AutomaticTopUp
from drachm.domain.payments.model import Card

MONTHLY = AutomaticTopUp(30 * MICROS, 30 * MICROS, 90 * MICROS, "America/New_York")
RULE = Rule("ana-cash", "ana", "USD", "stripe", MONTHLY)


def left(desk: Desk) -> int:
    return desk.books.pots(["ana-cash"])["ana-cash"][0]


def test_a_pot_is_topped_up_once_however_many_look(
    desk: Desk, records: Records, rail: Stripe, fake: FakeStripe, cards: dict[str, Card]
) -> None:
    cards["ana"] = Card("cus_1", "pm_good")
    set_rule(RULE, records, author="ana")
    together = threading.Barrier(4)

    def run() -> None:
        together.wait()
        keep_topped_up({"stripe": rail}, desk, records)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left(desk) == 30 * MICROS
    assert len(fake.intents) == 1
    assert keep_topped_up({"stripe": rail}, desk, records) == []


def test_a_declined_card_is_tried_again_later_and_then_not_any_more(
    desk: Desk, records: Records, rail: Stripe, cards: dict[str, Card], clock: Clock, fake: FakeStripe
) -> None:
    cards["ana"] = Card("cus_1", "pm_declined")
    record = set_rule(RULE, records, author="ana")
    for days in range(30):
        keep_topped_up({"stripe": rail}, desk, records)
        assert days < 9 or judge(record, desk, records)[1].why == "stopped"
        clock.sleep(days=1)
    assert len(fake.intents) == 4
    assert left(desk) == 0


def test_an_answer_that_is_lost_holds_back_the_next_top_up(
    desk: Desk, records: Records, rail: Stripe, cards: dict[str, Card], fake: FakeStripe
) -> None:
    cards["ana"] = Card("cus_1", "pm_good")
    set_rule(RULE, records, author="ana")
    fake.lose_next = 1
    assert [one.state for one in keep_topped_up({"stripe": rail}, desk, records)] == ["unknown"]
    assert keep_topped_up({"stripe": rail}, desk, records) == []
    assert [one.state for one in work_through({"stripe": rail}, desk, records)] == ["captured"]
    assert left(desk) == 30 * MICROS


def test_a_rule_is_changed_in_the_version_that_was_read(desk: Desk, records: Records, rail: Stripe) -> None:
    first = set_rule(RULE, records, author="ana")
    with pytest.raises(Conflict):
        set_rule(RULE, records, author="ana")
    off = Rule(
        "ana-cash", "ana", "USD", "stripe", AutomaticTopUp(30 * MICROS, 30 * MICROS, 90 * MICROS, "UTC", on=False)
    )
    changed = set_rule(off, records, author="ana", version=first.version)
    assert judge(changed, desk, records)[1].why == "off"
    nowhere = set_rule(Rule("no-pot", "ana", "USD", "stripe", MONTHLY), records, author="ana")
    assert judge(nowhere, desk, records)[1].why == "off"
    assert keep_topped_up({"stripe": rail}, desk, records) == []
