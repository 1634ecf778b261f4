"""Pots are drawn in order and never below zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drachm.domain.errors import Refused
from drachm.domain.funding.arrange import FundingPlan, arrange, reserve
from drachm.domain.funding.model import Leg, Pot


def pot(name: str, avail: int) -> tuple[Pot, int]:
    return Pot(name, "ana", "USD"), avail


def test_pots_are_drawn_in_their_order() -> None:
    plan = arrange(10, [pot("z", 2), pot("a", 3), pot("b", 4)])
    assert plan.legs == (Leg("wallet", "z", 2), Leg("wallet", "a", 3), Leg("wallet", "b", 4))
    assert plan.due == 1


def test_nothing_to_pay_draws_nothing() -> None:
    assert arrange(0, [pot("a", 5)]) == FundingPlan()
    assert arrange(-1, [pot("a", 5)]) == FundingPlan()


def test_a_request_beyond_the_money_is_refused_with_the_missing_amount() -> None:
    with pytest.raises(Refused, match="4 micros are missing") as caught:
        reserve(9, [pot("a", 5)], must_serve=False)
    assert caught.value.reason == "insufficient_funds"


def test_an_emergency_request_is_never_refused_for_money() -> None:
    plan = reserve(9, [pot("a", 5)], must_serve=True)
    assert plan == FundingPlan((Leg("wallet", "a", 5, "held"),), 4, 5)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), max_size=6))
def test_share_is_drawn_plus_due_and_no_pot_is_overdrawn(share: int, money: list[int]) -> None:
    pots = [pot(f"p{n}", avail) for n, avail in enumerate(money)]
    plan = arrange(share, pots)
    assert plan.drawn + plan.due == share
    by_id = {p.id: avail for p, avail in pots}
    assert all(0 < leg.amount <= by_id[leg.lot] for leg in plan.legs)
    assert plan.due == 0 or plan.drawn == sum(by_id.values())
