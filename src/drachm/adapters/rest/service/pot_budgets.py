"""The budgets of a shared pot, for its holder: what it may spend in a month, on all or on one member; amounts alone."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.mandates import ForecastView
from drachm.adapters.rest.service.money_shapes import Sum, faulty, sum_of
from drachm.adapters.rest.service.register_shapes import require_tag
from drachm.adapters.rest.service.shapes import Money, Page, Shape, View, known_currency
from drachm.adapters.rest.service.wallet_members import Zone
from drachm.adapters.rest.service.wallet_records import holder_of, members_of, record_of
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.pot_budgets import (
    PotBudget,
    Spent,
    budgets_of,
    counted,
    pot_budget,
    set_pot_budget,
    spent_on_care,
)
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
    member: str | None
    """On whose care; null: everybody's."""
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


class _Held(NamedTuple):
    """A shared pot whose holder asks."""

    pot: Pot
    member: str
    """Of the path; empty: of everybody."""


@operation("get_wallet_budget", answer=PotBudgetView, tagged=True)
def get_wallet_budget(call: Call) -> Reply:
    """The budget of a shared pot, what is used of it this month, and how the month will end."""
    return _reply(call, _held(call))


@operation("set_wallet_budget", body=PotBudgetShape, answer=PotBudgetView, tagged=True, problems=("version",))
def set_wallet_budget(call: Call) -> Reply:
    """Write it anew, or take it away. It counts and tells, and withholds nothing."""
    return _set(call, _held(call))


@operation("list_wallet_budgets", answer=Page[PotBudgetView])
def list_wallet_budgets(call: Call) -> Page[PotBudgetView]:
    """The budgets that a shared pot has: its own, and those of its members."""
    pot = _held(call).pot
    inside = members_of(call, record_of(call, pot.id))
    found = [one for one in budgets_of(pot.id, call.market.records) if not one.member or one.member in inside]
    spent = {zone: _spent(call, pot, zone) for zone in {one.zone for one in found}}
    return Page(data=[_view(call, pot, one, spent[one.zone], one.amount) for one in found], next=None)


@operation("get_wallet_member_budget", answer=PotBudgetView, tagged=True)
def get_wallet_member_budget(call: Call) -> Reply:
    """The budget that a pot's holder keeps for one of its members: amounts, never what the care was nor where."""
    return _reply(call, _member_held(call))


@operation("set_wallet_member_budget", body=PotBudgetShape, answer=PotBudgetView, tagged=True, problems=("version",))
def set_wallet_member_budget(call: Call) -> Reply:
    """Write it anew, or take it away. It counts and tells, and withholds nothing; a limit does."""
    return _set(call, _member_held(call))


def tag_of(wallet: str, member: str, version: int) -> tuple[object, ...]:
    """Of what the tag of a budget is made."""
    return wallet, member, "budget", version


def _member_held(call: Call) -> _Held:
    """The pot of the path with the member of the path, if the caller holds the pot and the member belongs to it."""
    held, name = _held(call), call.path["member_id"]
    if name not in members_of(call, record_of(call, held.pot.id)):
        raise Problem("not_found")
    return held._replace(member=name)


def _held(call: Call) -> _Held:
    """The shared pot of the path, if the caller holds it."""
    call.reach()  # who may see none at all is told so before anything is looked up
    name = call.path["wallet_id"]
    found = call.market.money.purses(ids=[name], limit=1)
    shared = found[0].pot if found and found[0].pot.slices else None
    holder = frozenset({holder_of(call, name)} - {""}) if shared is not None else frozenset()
    call.permit(call.resource(name, members=holder) if shared is not None else None)
    if shared is None:
        raise Problem("not_found")
    return _Held(shared, "")


def _set(call: Call, held: _Held) -> Reply:
    (pot, member), body = held, call.body
    _, version = pot_budget(pot.id, call.market.records, member)
    require_tag(call, tag_of(pot.id, member, version))
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
    new = PotBudget(pot.id, amount or 0, body.zone, version, member)
    set_pot_budget(new, away=amount is None, by=call.caller.subject, at=call.at, records=call.market.records)
    return _reply(call, held)


def _reply(call: Call, held: _Held) -> Reply:
    pot, member = held
    budget, version = pot_budget(pot.id, call.market.records, member)
    amount = budget.amount if budget is not None else None
    shown = budget or PotBudget(pot.id, 0, "UTC", version, member)
    return Reply(_view(call, pot, shown, _spent(call, pot, shown.zone), amount), tag=tag_of(pot.id, member, version))


def _spent(call: Call, pot: Pot, zone: str) -> Spent:
    """Day by day, as much as this month and its forecast look at."""
    today = local_date(call.at, zone).replace(day=1)
    first, last = add_months(today, -MONTHS - 1), add_months(today, 1)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return spent_on_care(pot, days, zone, call.market.desk.books.tenant, call.market.money)


def _view(call: Call, pot: Pot, one: PotBudget, spent: Spent, amount: int | None) -> PotBudgetView:
    """`amount`: None where there is no budget, and only what was spent is told."""
    days = counted(spent, one, call.market.desk.books.tenant)
    today, currency, limit = local_date(call.at, one.zone), pot.currency, amount or 0
    used = sum(micros for day, micros in days.items() if day >= today.replace(day=1))
    ahead = forecast(used, today, days)
    return PotBudgetView(
        wallet=pot.id,
        member=one.member or None,
        amount=Money(micros=limit, currency=currency) if amount is not None else None,
        zone=one.zone,
        month=today.isoformat()[:7],
        used=sum_of(used, currency),
        left=sum_of(max(0, limit - used), currency),
        percent=percent(used, limit) if amount is not None else 0,
        reached=reached(used, limit) if amount is not None else [],
        forecast=ForecastView(
            low=sum_of(ahead.low, currency),
            likely=sum_of(ahead.likely, currency),
            high=sum_of(ahead.high, currency),
            months=ahead.months,
        )
        if ahead is not None
        else None,
    )
