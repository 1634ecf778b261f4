"""States of a payment, what rails cost, and when a pot tops itself up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.errors import InvalidMessage
from drachm.domain.money import MICROS
from drachm.domain.payments.automatic import PATIENCE, AutomaticTopUp, Verdict, verdict
from drachm.domain.payments.model import NEXT, STATES, News, Payment, State, planned, told
from drachm.domain.payments.tariff import Collecting, Tariff, collectable, due_for_collection

NOW = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
CARD = Tariff("USD", 29_000, 300_000)
BANK = Tariff("USD", 8_000, 0, 5 * MICROS)
RULE = AutomaticTopUp(5 * MICROS, 25 * MICROS, 100 * MICROS, "America/New_York")


def paid(state: State = "captured", *, ago: timedelta = timedelta(), **more: object) -> Payment:
    base = Payment("p", "stripe", "pot", "ana", 25 * MICROS, "USD", NOW - ago, state, changed_at=NOW - ago)
    return replace(base, **more)


def test_every_state_is_reached_and_none_but_the_listed_follows() -> None:
    assert set(NEXT) == set(STATES)
    for state, news in product(STATES, STATES):
        before = paid(state)
        after = told(before, News(news), NOW)
        assert (after is not before) == (news in NEXT[state])
        if after is not before:
            assert after.state == news
    assert {state for follow in NEXT.values() for state in follow} | {"planned"} == set(STATES)


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_whatever_is_told_money_came_in_at_most_once_more_than_it_went_back(told_in_order: list[State]) -> None:
    payment, inside = paid("planned"), 0
    for news in told_in_order:
        after = told(payment, News(news), NOW)
        if after is not payment:
            inside += (after.state == "captured") - (after.state == "returned")
        payment = after
        assert inside in (0, 1)
        assert (payment.gone > 0) == (payment.state == "returned")


@pytest.mark.parametrize("amount", [0, -1, 5_000, 2**53])
def test_a_rail_pays_whole_cents_only(amount: int) -> None:
    with pytest.raises(InvalidMessage):
        planned(paid("planned", amount=amount))


def test_what_a_card_costs() -> None:
    """The rows of the published tariff table: 2.9 % and 30 cents."""
    assert CARD.fee(50_000) == 301_450
    assert CARD.share_ppm(500_000) == 629_000
    assert CARD.fee(5 * MICROS) == 445_000
    assert CARD.fee(25 * MICROS) == 1_025_000
    assert CARD.fee(50 * MICROS) == 1_750_000
    assert BANK.fee(25 * MICROS) == 200_000
    assert BANK.fee(1_000 * MICROS) == 5 * MICROS
    wanted = {100_000: 4_230_000, 50_000: 14_290_000, 40_000: 27_280_000, 35_000: 50_000_000}
    assert {share: CARD.floor(share) for share in wanted} == wanted
    assert CARD.floor(29_000) is None


@given(
    st.builds(Tariff, st.just("USD"), st.integers(0, 300) .map(lambda n: n * 100), st.integers(0, 10**6),
              st.none() | st.integers(1, 10**7)),
    st.integers(1, 2_000).map(lambda n: n * 100),
)  # fmt: skip
def test_the_floor_is_the_smallest_amount_that_keeps_the_share(tariff: Tariff, share: int) -> None:
    floor = tariff.floor(share)
    cents = [cent * 10_000 for cent in (1, 2, 3, 10, 99, 1_000, 99_999, 10_000_000)]
    if floor is None:
        assert all(tariff.share_ppm(amount) > share for amount in cents)
        return
    assert tariff.share_ppm(floor) <= share
    assert floor == 10_000 or tariff.share_ppm(floor - 10_000) > share
    assert all(tariff.share_ppm(amount) > share for amount in cents if amount < floor)


@given(st.integers(0, 10**12), st.sampled_from(["USD", "JPY", "KWD"]))
def test_what_is_collected_and_what_stays_are_all_that_is_owed(owed: int, currency: str) -> None:
    asked, stays = collectable(owed, currency)
    assert asked + stays == owed
    assert 0 <= stays < {"USD": 10_000, "JPY": MICROS, "KWD": 1_000}[currency]


def test_collection_waits_for_the_first_of_three() -> None:
    policy, today = Collecting(), date(2026, 3, 31)
    assert due_for_collection(24 * MICROS, today, 0, today, policy) == ""
    assert due_for_collection(25 * MICROS, today, 0, today, policy) == "amount"
    assert due_for_collection(MICROS, today - timedelta(days=29), 0, today, policy) == ""
    assert due_for_collection(MICROS, today - timedelta(days=30), 0, today, policy) == "age"
    assert due_for_collection(MICROS, today, 99 * MICROS, today, policy) == "exposure"
    assert due_for_collection(0, today - timedelta(days=99), 10**9, today, policy) == ""


def test_a_pot_tops_itself_up_when_little_is_left() -> None:
    assert verdict(RULE, 5 * MICROS, [], NOW) == Verdict("enough")
    assert verdict(RULE, 5 * MICROS - 1, [], NOW) == Verdict("due")
    assert verdict(replace(RULE, on=False), 0, [], NOW) == Verdict("off")
    assert verdict(RULE, 0, [paid("waiting")], NOW) == Verdict("on_its_way")


def test_never_more_than_the_months_cap_in_the_holders_own_month() -> None:
    """It is the first of April in UTC half an hour later, but March in New York for hours."""
    four = [paid(ago=timedelta(days=day)) for day in (20, 15, 10, 5)]
    assert verdict(RULE, 0, four, NOW) == Verdict("month_cap")
    assert verdict(RULE, 0, four[:3], NOW) == Verdict("due")
    assert verdict(RULE, 0, four, NOW + timedelta(hours=4)) == Verdict("month_cap")
    assert verdict(RULE, 0, four, NOW + timedelta(hours=5)) == Verdict("due")


def test_a_loop_of_charges_is_no_loop_of_top_ups() -> None:
    generous = replace(RULE, month_cap=10_000 * MICROS)
    three = [paid(ago=timedelta(hours=hours)) for hours in (3, 2, 1)]
    assert verdict(generous, 0, three, NOW) == Verdict("burst", NOW + timedelta(hours=21))
    assert verdict(generous, 0, three, NOW + timedelta(hours=21)) == Verdict("due")


def test_after_each_decline_the_wait_grows_and_then_the_holder_is_asked() -> None:
    bad: list[Payment] = []
    for patience in PATIENCE:
        bad.append(paid("declined"))
        assert verdict(RULE, 0, bad, NOW) == Verdict("declined", NOW + patience)
        assert verdict(RULE, 0, bad, NOW + patience) == Verdict("due")
    assert verdict(RULE, 0, [*bad, paid("returned")], NOW + timedelta(days=99)) == Verdict("stopped")
    assert verdict(RULE, 0, [*bad, paid("captured")], NOW + timedelta(days=1)).why == "due"


@pytest.mark.parametrize(("below", "amount", "cap"), [(5, 4, 100), (-1, 5, 100), (0, 0, 0), (1, 50, 49)])
def test_a_rule_that_cannot_be_is_refused(below: int, amount: int, cap: int) -> None:
    with pytest.raises(InvalidMessage):
        AutomaticTopUp(below, amount, cap, "UTC")
