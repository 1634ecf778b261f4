"""What a person lets be paid without asking, and what it says of one event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from drachm.domain.clearing.numbers import number_at, numbering, place_of, total_number
from drachm.domain.clearing.quotas import Quotas, quotas_of
from drachm.domain.errors import InvalidMessage
from drachm.domain.events.model import Code, ServiceEvent
from drachm.domain.funding.arrange import AsksFirst, FundingPlan, affordable, by_itself, settle, withhold
from drachm.domain.funding.mandate import (
    NO_MANDATE,
    Budget,
    Mandate,
    Rule,
    Stop,
    budget_key,
    checked_mandate,
    month_of_budget,
    visit_key,
)
from drachm.domain.funding.model import Agreed, Leg, Pot
from drachm.domain.funding.quota import Limit, Terms

EVENT = ServiceEvent(
    source="ehr",
    event_id="e1",
    kind="charge",
    member="ana",
    code=Code("local", "visit"),
    currency="USD",
    started_at=datetime(2025, 3, 10, 16, tzinfo=UTC),
    billed=9,
    billing_party="clinic",
    visit="v1",
)


def said(mandate: Mandate | None, pots: tuple[Pot, ...] = (), category: str = "visit", **changes: Any) -> Quotas | None:
    return quotas_of(pots, replace(EVENT, **changes), category, numbering(1), mandate)


def allowed(mandate: Mandate, share: int, used: dict[int, int] | None = None, **changes: Any) -> tuple[int, str]:
    found = said(mandate, **changes)
    return (share, "") if found is None else found.allowed(share, used or {})


def number(budget: Budget, month: str = "M2025-03") -> int:
    return total_number(1, budget_key(budget, "ana", month))


def test_who_said_nothing_is_not_asked() -> None:
    assert said(None) is None
    assert said(Mandate(order=("cash",))) is None
    assert said(Mandate(budgets=(Budget("eur", 5, "EUR"), Budget("teeth", 5, "USD", categories=("dental",))))) is None
    assert said(Mandate(rules=(Rule(5, "USD", provider="other"), Rule(None)))) is None


def test_a_budget_lets_through_what_is_left_of_it() -> None:
    every, teeth = Budget("all", 10, "USD"), Budget("teeth", 4, "USD", categories=("dental",))
    mandate = Mandate(budgets=(every, teeth))
    assert allowed(mandate, 9) == (9, "")
    assert allowed(mandate, 11) == (10, "budget")
    assert allowed(mandate, 9, {number(every): 7}) == (3, "budget")
    assert allowed(mandate, 9, {number(every): 12}) == (0, "budget")
    assert allowed(mandate, 9, category="dental") == (4, "budget")
    telling = Mandate(budgets=(every._replace(asks=False),))
    found = said(telling)
    assert found is not None
    assert found.allowed(50, {}) == (50, "")
    assert found.used([Leg("wallet", "a", 3), Leg("wallet", "b", 4)]) == ((number(every), 7),)
    assert found.used([]) == ()
    assert found.counting("a") == [number(every)]


def test_the_first_rule_that_fits_decides() -> None:
    mandate = Mandate(
        rules=(
            Rule(None, provider="clinic", categories=("drugs",)),
            Rule(50, "USD", provider="clinic"),
            Rule(20, "USD", categories=("dental",)),
            Rule(0),
        )
    )
    assert allowed(mandate, 900, category="drugs") == (900, "")
    assert allowed(mandate, 50) == (50, "")
    assert allowed(mandate, 51) == (0, "rule")
    assert allowed(mandate, 51, billing_party="other", category="dental") == (0, "rule")
    assert allowed(mandate, 20, billing_party="other", category="dental") == (20, "")
    assert allowed(mandate, 1, billing_party="other") == (0, "rule")
    assert allowed(mandate, 1, billing_party="other", currency="EUR") == (0, "rule")


def test_a_rule_per_visit_counts_the_visit() -> None:
    mandate = Mandate(budgets=(Budget("all", 90, "USD"),), rules=(Rule(50, "USD", per="visit"),))
    visit = total_number(1, visit_key("ana", "v1"))
    found = said(mandate)
    assert found is not None
    assert found.numbers == (number(mandate.budgets[0]), visit)
    assert [key.period for key in found.keys] == ["M2025-03", "V:v1"]
    assert found.allowed(30, {visit: 20}) == (30, "")
    assert found.allowed(31, {visit: 20}) == (0, "rule")
    assert found.counting("a") == [number(mandate.budgets[0])]
    alone = said(mandate, visit="")
    assert alone is not None
    assert alone.numbers == found.numbers[:1]
    assert alone.allowed(51, {}) == (0, "rule")


def test_a_question_stops_one_party() -> None:
    mandate = Mandate(rules=(Rule(None),), stops=(Stop("clinic", "q1"),))
    assert allowed(mandate, 1) == (0, "question")
    assert allowed(mandate, 1, billing_party="other") == (1, "")


def test_limits_of_a_shared_pot_stand_beside_the_mandate() -> None:
    pot = Pot("home/0", "", "USD", fund="home", slices=1, terms=Terms((Limit(6, "month"),)))
    without = said(None, (pot,))
    assert without is not None
    assert without.allowed(9, {}) == (9, "")
    assert without.counting("home/0") == list(without.numbers)
    budget = Budget("all", 8, "USD")
    both = said(Mandate(budgets=(budget,)), (pot,))
    assert both is not None
    assert len(both.numbers) == 2
    assert both.numbers[1] == number(budget)
    assert both.used([Leg("wallet", "home/0", 5), Leg("wallet", "cash", 2)]) == (
        (both.numbers[0], 5),
        (number(budget), 7),
    )
    assert both.counting("cash") == [number(budget)]


def test_a_month_is_of_the_budgets_calendar() -> None:
    late = datetime(2024, 2, 29, 23, 30, tzinfo=UTC)
    assert month_of_budget(Budget("a", 1, "JPY", "Asia/Tokyo"), late) == "M2024-03"
    assert month_of_budget(Budget("a", 1, "USD", "America/New_York"), late) == "M2024-02"


def test_an_order_has_a_place_for_everybody() -> None:
    mandate = Mandate(order=("gift", "home"))
    assert [mandate.place("cash"), mandate.place("home", "home/0"), mandate.place("gift")] == [2, 1, 0]
    assert not mandate.binds
    assert not NO_MANDATE.binds
    assert Mandate(stops=(Stop("clinic", "q"),)).binds


def test_what_was_agreed_is_paid_as_far_as_it_is_due() -> None:
    plan = withhold(FundingPlan((Leg("wallet", "a", 5),), 2, 5), 7, "budget")
    assert plan == FundingPlan((Leg("wallet", "a", 5),), 9, 5, 7, "budget")
    yes = [Agreed("p1", "a", "wallet", 3), Agreed("p2", "b", "gift", 4)]
    settled, paid = settle(plan, yes)
    assert settled == FundingPlan((Leg("wallet", "a", 8), Leg("gift", "b", 4)), 2, 12, 2, "budget")
    assert paid == tuple(yes)
    settled, paid = settle(replace(plan, due=3), [*yes, Agreed("p3", "c", "wallet", 9)])
    assert (settled.due, settled.withheld, settled.by, paid) == (0, 0, "", (yes[0],))
    pots = [(Pot("a", "ana", "USD"), 7), (Pot("b", "ana", "USD"), 0)]
    assert affordable(yes, plan, pots) == [yes[0]._replace(amount=2)]
    assert affordable([yes[0], yes[0], yes[0]], FundingPlan(), pots) == [yes[0], yes[0], yes[0]._replace(amount=1)]
    assert AsksFirst(4, "rule").reason == "asks_first"


def test_legs_without_what_was_agreed_to() -> None:
    legs = (Leg("wallet", "a", 8), Leg("gift", "b", 4))
    assert by_itself(legs, ()) is legs
    yes = [Agreed("p1", "a", "wallet", 3), Agreed("p2", "a", "wallet", 1), Agreed("p2", "c", "gift", 9)]
    assert by_itself(legs, yes) == [Leg("wallet", "a", 4), Leg("gift", "b", 4)]


def test_places_and_numbers_are_one() -> None:
    for one in (number(Budget("all", 1, "USD")), number(Budget("x", 1, "EUR", "Asia/Tokyo")), -(1 << 120) + 5):
        assert number_at(*place_of(one)) == one


@pytest.mark.parametrize(
    "mandate",
    [
        Mandate(budgets=(Budget("", 1, "USD"),)),
        Mandate(budgets=(Budget("A b", 1, "USD"),)),
        Mandate(budgets=(Budget("all", -1, "USD"),)),
        Mandate(budgets=(Budget("all", 1, "XXQ"),)),
        Mandate(budgets=(Budget("all", 1, "USD", "Mars/Olympus"),)),
        Mandate(budgets=(Budget("all", 1, "USD", categories=("",)),)),
        Mandate(budgets=(Budget("all", 1, "USD", categories=("a|b",)),)),
        Mandate(budgets=(Budget("all", 1, "USD"), Budget("all", 1, "EUR"))),
        Mandate(budgets=(Budget("a", 1, "USD"), Budget("b", 2, "USD"))),
        Mandate(budgets=tuple(Budget(f"b{n}", 1, "USD", categories=(f"c{n}",)) for n in range(17))),
        Mandate(rules=(Rule(5),)),
        Mandate(rules=(Rule(None, "USD"),)),
        Mandate(rules=(Rule(0, "USD"),)),
        Mandate(rules=(Rule(-5, "USD"),)),
        Mandate(rules=(Rule(5, "XXQ"),)),
        Mandate(rules=(Rule(5, "USD", per="year"),)),  # type: ignore[arg-type]
        Mandate(order=("a", "a")),
        Mandate(order=("",)),
        Mandate(stops=tuple(Stop("clinic", str(n)) for n in range(101))),
    ],
)
def test_nonsense_is_told(mandate: Mandate) -> None:
    with pytest.raises(InvalidMessage):
        checked_mandate(mandate)


def test_what_can_stand_stands() -> None:
    mandate = Mandate(1, (Budget("all", 1, "USD"),), (Rule(5, "USD"), Rule(0)), ("cash",), (Stop("clinic", "q"),))
    assert checked_mandate(mandate) is mandate
