"""The budget of a shared pot: what it may spend in a month, for whoever holds it; amounts alone."""

from __future__ import annotations

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.mandates import ForecastView
from drachm.adapters.rest.service.money_shapes import Sum, faulty, sum_of
from drachm.adapters.rest.service.register_shapes import require_tag
from drachm.adapters.rest.service.shapes import Money, Shape, View, known_currency
from drachm.adapters.rest.service.wallet_members import Zone
from drachm.adapters.rest.service.wallet_records import holder_of
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.pot_budgets import pot_budget, set_pot_budget, spent_by_day, spent_in
from drachm.domain.errors import InvalidMessage
from drachm.domain.funding.forecast import MONTHS, forecast, percent, reached
from drachm.domain.funding.model import Pot
from drachm.domain.periods import add_months, local_date
from drachm.domain.periods import zone as known_zone


class PotBudgetShape(Shape):
    """How much a shared pot is meant to spend in a month."""

    amount: Money | None
    """Null: no budget any more."""
    zone: Zone = "UTC"


class PotBudgetView(View):
    """The budget of a shared pot, and its month that is now."""

    wallet: str
    amount: Money | None
    zone: str
    month: str
    """YYYY-MM in its own calendar."""
    used: Sum
    """What the pot paid for care in it, what requests have reserved included."""
    left: Sum
    percent: int
    """Of it used, rounded down; 0 without a budget."""
    reached: list[int]
    """Of 50, 80 and 100 percent; at each its holder is told once."""
    forecast: ForecastView | None
    """Null where no month lies behind."""


@operation("get_wallet_budget", answer=PotBudgetView, tagged=True)
def get_wallet_budget(call: Call) -> Reply:
    """The budget of a shared pot, what is used of it this month, and how the month will end."""
    return _reply(call, _held(call))


@operation("set_wallet_budget", body=PotBudgetShape, answer=PotBudgetView, tagged=True, problems=("version",))
def set_wallet_budget(call: Call) -> Reply:
    """Write it anew, or take it away. It counts and tells, and withholds nothing."""
    pot, body = _held(call), call.body
    _, version = pot_budget(pot.id, call.market.records)
    require_tag(call, _tag(pot.id, version))
    amount = None
    if body.amount is not None:
        amount = known_currency(body.amount, "/amount").micros
        if body.amount.currency != pot.currency:
            raise faulty("/amount/currency", "the wallet is in another currency", "invalid_money")
        if amount < 0:
            raise faulty("/amount/micros", "a budget is an amount, 0 or more", "invalid_money")
    try:
        known_zone(body.zone)
    except InvalidMessage as error:
        raise faulty("/zone", error.message) from None
    set_pot_budget(pot.id, amount, body.zone, version, call.caller.subject, call.at, call.market.records)
    return _reply(call, pot)


def _held(call: Call) -> Pot:
    """The shared pot of the path, if the caller holds it."""
    call.reach()  # who may see none at all is told so before anything is looked up
    name = call.path["wallet_id"]
    found = call.market.money.purses(ids=[name], limit=1)
    shared = found[0].pot if found and found[0].pot.slices else None
    holder = frozenset({holder_of(call, name)} - {""}) if shared is not None else frozenset()
    call.permit(call.resource(name, members=holder) if shared is not None else None)
    if shared is None:
        raise Problem("not_found")
    return shared


def _reply(call: Call, pot: Pot) -> Reply:
    budget, version = pot_budget(pot.id, call.market.records)
    zone = budget.zone if budget is not None else "UTC"
    today = local_date(call.at, zone)
    since = add_months(today.replace(day=1), -MONTHS)
    by_day = spent_by_day(pot, call.market.desk.books.tenant, zone, since, call.market.money)
    month, currency = today.isoformat()[:7], pot.currency
    used = spent_in(month, by_day)
    ahead = forecast(used, today, {day: amount for day, amount in by_day.items() if amount})
    amount = budget.amount if budget is not None else 0
    view = PotBudgetView(
        wallet=pot.id,
        amount=Money(micros=amount, currency=currency) if budget is not None else None,
        zone=zone,
        month=month,
        used=sum_of(used, currency),
        left=sum_of(max(0, amount - used), currency),
        percent=percent(used, amount) if budget is not None else 0,
        reached=reached(used, amount) if budget is not None else [],
        forecast=ForecastView(
            low=sum_of(ahead.low, currency),
            likely=sum_of(ahead.likely, currency),
            high=sum_of(ahead.high, currency),
            months=ahead.months,
        )
        if ahead is not None
        else None,
    )
    return Reply(view, tag=_tag(pot.id, version))


def _tag(wallet: str, version: int) -> tuple[object, ...]:
    return wallet, "budget", version
