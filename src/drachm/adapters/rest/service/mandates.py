"""What may be paid without asking: a member's budgets of a month, and the rules of automatic payment.

Both are parts of one mandate in the register, so both hold from the next posting on (docs/decisions/0026).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from msgspec import Meta, field

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.money_shapes import Sum, faulty, sum_of
from drachm.adapters.rest.service.register_shapes import alone, member_of_path
from drachm.adapters.rest.service.shapes import END, Money, Name, Shape, View, known_currency
from drachm.adapters.rest.service.wallet_members import Category, Zone
from drachm.application.spending import charges_since, spent_of
from drachm.domain.clearing.numbers import total_number
from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.forecast import MONTHS, forecast, percent, reached
from drachm.domain.funding.mandate import (
    BUDGETS_MAX,
    ORDER_MAX,
    RULES_MAX,
    Budget,
    Mandate,
    Per,
    Rule,
    budget_key,
    checked_mandate,
    month_of_budget,
)
from drachm.domain.funding.quota import CATEGORIES_MAX
from drachm.domain.periods import add_months, local_date

Categories = Annotated[list[Category], Meta(max_length=CATEGORIES_MAX)]
BudgetId = Annotated[
    str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,31}" + END, description="A word of the holder's own for it.")
]
_MARGIN: Final = 1
"""Days by which a local day may lie before the one in another zone."""


class BudgetShape(Shape):
    """How much a person means to spend on care in a month."""

    id: BudgetId
    amount: Money
    zone: Zone = "UTC"
    categories: Categories = field(default_factory=list)
    """It counts only these kinds of care; none: all."""
    asks: bool = True
    """Nothing beyond it is paid without asking; false: it counts and tells, and withholds nothing."""


class BudgetsShape(Shape):
    """All budgets of a person, in the place of those there are."""

    budgets: Annotated[list[BudgetShape], Meta(max_length=BUDGETS_MAX)]


class ForecastView(View):
    """The end of the month as it looks now: what is spent, and what past months brought on the days that remain."""

    low: Sum
    likely: Sum
    """The mean of those months."""
    high: Sum
    months: int
    """How many past months it rests on, 1 to 3."""


class BudgetView(View):
    """A budget, and its month that is now."""

    id: str
    amount: Money
    zone: str
    categories: list[str]
    asks: bool
    month: str
    """YYYY-MM in its own calendar."""
    used: Sum
    """What is paid, what requests have reserved included."""
    left: Sum
    percent: int
    """Of it used, rounded down."""
    reached: list[int]
    """Of 50, 80 and 100 percent."""
    forecast: ForecastView | None
    """Null where no month lies behind."""


class BudgetsView(View):
    """A person's budgets."""

    member: str
    budgets: list[BudgetView]


class AutomaticRule(Shape):
    """Up to which amount care is paid without asking; of several, the first that fits a charge decides."""

    most: Money | None = None
    """Null: any amount; 0 micros: nothing, in every currency; else a share of up to so much, in its currency."""
    provider: Name | None = None
    """Only this party's charges."""
    categories: Categories = field(default_factory=list)
    """Only these kinds of care; none: all."""
    per: Per = "charge"
    """`visit`: what was paid without asking for one visit counts together."""


class AutomaticPaymentsShape(Shape):
    """What is paid without asking, and from which pocket first."""

    rules: Annotated[list[AutomaticRule], Meta(max_length=RULES_MAX)] = field(default_factory=list)
    """None that fits: it is paid without asking."""
    order: Annotated[list[Name], Meta(max_length=ORDER_MAX)] = field(default_factory=list)
    """Wallets from which to draw first; the others follow in their own order."""


class AutomaticStop(View):
    """A party that is paid nothing without asking, until a question is answered or taken back."""

    provider: str
    question: str


class AutomaticPaymentsView(View):
    """What is paid without asking, and from which pocket first."""

    member: str
    rules: list[AutomaticRule]
    order: list[str]
    stops: list[AutomaticStop]


@operation("get_budgets", answer=BudgetsView, tagged=True)
def get_budgets(call: Call) -> Reply:
    """Budgets, what is used of them this month, and how the month will end."""
    return _budgets(call, mandate_of(call))


@operation("set_budgets", body=BudgetsShape, answer=BudgetsView, tagged=True)
@alone
def set_budgets(call: Call) -> Reply:
    """Write all budgets anew; what was spent stays spent, under whatever amount."""
    body: BudgetsShape = call.body
    mandate = mandate_of(call)
    call.require_version(call.path["member_id"], mandate.version)
    budgets = []
    for at, one in enumerate(body.budgets):
        amount = known_currency(one.amount, f"/budgets/{at}/amount")
        budgets.append(Budget(one.id, amount.micros, amount.currency, one.zone, tuple(one.categories), one.asks))
    return _budgets(call, write_mandate(call, mandate._replace(budgets=tuple(budgets)), "/budgets"))


@operation("get_automatic_payments", answer=AutomaticPaymentsView, tagged=True)
def get_automatic_payments(call: Call) -> Reply:
    """Rules and order."""
    return _automatic(call, mandate_of(call))


@operation("set_automatic_payments", body=AutomaticPaymentsShape, answer=AutomaticPaymentsView, tagged=True)
@alone
def set_automatic_payments(call: Call) -> Reply:
    """Write rules and order anew; they hold from the next posting on. No rule at all: everything without asking."""
    body: AutomaticPaymentsShape = call.body
    mandate, member = mandate_of(call), call.path["member_id"]
    call.require_version(member, mandate.version)
    mine = {name for pot in call.market.register.pots(member) for name in (pot.fund or pot.id,)}
    for at, wallet in enumerate(body.order):
        if wallet not in mine:
            raise faulty(f"/order/{at}", "this is no wallet of the member")
    rules = tuple([_rule(one, at) for at, one in enumerate(body.rules)])
    return _automatic(call, write_mandate(call, mandate._replace(rules=rules, order=tuple(body.order)), "/rules"))


def mandate_of(call: Call) -> Mandate:
    """The mandate of the path's member, if the caller may do this to it."""
    return call.market.register.mandate(member_of_path(call))


def write_mandate(call: Call, mandate: Mandate, pointer: str, member: str = "") -> Mandate:
    """The next version of a member's mandate. For handlers that nobody interrupts (`alone`)."""
    mandate = mandate._replace(version=mandate.version + 1)
    try:
        checked_mandate(mandate)
    except InvalidMessage as error:
        raise faulty(pointer, error.message) from None
    call.market.desk.books.enrol(mandates={member or call.path["member_id"]: mandate})
    return mandate


def budgets_of(call: Call, member: str, mandate: Mandate) -> list[BudgetView]:
    """Each budget with its month that is now."""
    if not mandate.budgets:
        return []
    market = call.market
    months = [month_of_budget(one, call.at) for one in mandate.budgets]
    keys = [budget_key(one, member, month) for one, month in zip(mandate.budgets, months, strict=True)]
    numbers = [total_number(market.desk.books.tenant, key) for key in keys]
    used, _ = market.money.stand(numbers, ())
    since = add_months(call.at.date().replace(day=1), -MONTHS - _MARGIN)
    charges = charges_since(member, since, market.index, market.desk.books)
    return [
        _budget(one, month[1:], used.get(number, 0), spent_of(one, charges), local_date(call.at, one.zone))
        for one, month, number in zip(mandate.budgets, months, numbers, strict=True)
    ]


def _budget(budget: Budget, month: str, used: int, by_day: dict[date, int], today: date) -> BudgetView:
    currency = budget.currency
    ahead = forecast(used, today, by_day)
    return BudgetView(
        id=budget.id,
        amount=Money(micros=budget.amount, currency=currency),
        zone=budget.zone,
        categories=list(budget.categories),
        asks=budget.asks,
        month=month,
        used=sum_of(used, currency),
        left=sum_of(max(0, budget.amount - used), currency),
        percent=percent(used, budget.amount),
        reached=reached(used, budget.amount),
        forecast=ForecastView(
            low=sum_of(ahead.low, currency),
            likely=sum_of(ahead.likely, currency),
            high=sum_of(ahead.high, currency),
            months=ahead.months,
        )
        if ahead is not None
        else None,
    )


def _budgets(call: Call, mandate: Mandate) -> Reply:
    member = call.path["member_id"]
    view = BudgetsView(member=member, budgets=budgets_of(call, member, mandate))
    return Reply(view, tag=(member, mandate.version))


def _rule(shape: AutomaticRule, at: int) -> Rule:
    provider, categories = shape.provider or "", tuple(shape.categories)
    if shape.most is None:
        return Rule(None, "", provider, categories, shape.per)
    most = known_currency(shape.most, f"/rules/{at}/most")
    if most.micros < 0:
        raise faulty(f"/rules/{at}/most/micros", "up to an amount, 0 or more", "invalid_money")
    return Rule(most.micros, most.currency if most.micros else "", provider, categories, shape.per)


def _automatic(call: Call, mandate: Mandate) -> Reply:
    member = call.path["member_id"]
    rules = [
        AutomaticRule(
            most=None if one.most is None else Money(micros=one.most, currency=one.currency or "XXX"),
            provider=one.provider or None,
            categories=list(one.categories),
            per=one.per,
        )
        for one in mandate.rules
    ]
    stops = [AutomaticStop(provider=one.provider, question=one.question) for one in mandate.stops]
    view = AutomaticPaymentsView(member=member, rules=rules, order=list(mandate.order), stops=stops)
    return Reply(view, tag=(member, mandate.version))
