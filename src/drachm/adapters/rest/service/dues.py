"""What a patient owes of care: how much, when it is collected, and how to pay all of it at once over a rail."""

from __future__ import annotations

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.money_shapes import Sum, sum_of
from drachm.adapters.rest.service.payments import PaymentView, RailName, not_connected, payment_view
from drachm.adapters.rest.service.register_shapes import member_of_path
from drachm.adapters.rest.service.shapes import Currency, Day, Page, Shape, View
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.collection import CONSENT, Owed, Policy, collect, owed_of, set_consent

DEBTS_MAX = 100


class DuesView(View):
    """What is due of care in one currency."""

    currency: Currency
    owed: Sum
    """With what is carried over."""
    residue: Sum
    """Carried over from collections: less than the smallest coin."""
    charges: int
    oldest: Day | None
    """Since when the oldest of it is due."""
    collected_from: Sum | None
    """From how much on it is collected by itself; null: it is not."""
    collected_after_days: int | None
    rail: str | None
    """By which it is collected."""
    payment: PaymentView | None
    """A collection on its way: its link is where to pay."""


class DuesOrder(Shape):
    """Pay all that is due in a currency."""

    currency: Currency
    rail: RailName


class ConsentShape(Shape):
    """Whether what is due may be taken from the card on file."""

    by_card: bool


class ConsentView(View):
    """The patient's word."""

    member: str
    by_card: bool


@operation("list_dues", answer=Page[DuesView])
def list_dues(call: Call) -> Page[DuesView]:
    """What a member owes of care, by currency."""
    member = member_of_path(call)
    found = [(currency, _owed(call, member, currency)) for currency in _currencies(call, member)]
    return Page(data=[_view(call, currency, owed) for currency, owed in found], next=None)


@operation(
    "pay_dues",
    body=DuesOrder,
    answer=PaymentView,
    status=201,
    problems=("unknown_rail", "rail_refused", "nothing_due", "conflict"),
)
def pay_dues(call: Call) -> PaymentView:
    """One payment over a rail for everything that is due; one that is on its way is given as it stands.

    It asks for whole coins, and the rest is carried over. As soon as it has come in it pays the dues, oldest first.
    """
    member, body = member_of_path(call), call.body
    market = call.market
    if body.rail not in market.rails:
        raise not_connected(call)
    policy = Policy(body.rail)
    payment = collect(
        *(member, body.currency, policy, market.rails, market.desk, market.records, market.money), asked=True
    )
    if payment is None:
        raise Problem("nothing_due", "nothing is due, or less than the smallest coin")
    return payment_view(payment, call)


@operation("get_collection_consent", answer=ConsentView, tagged=True)
def get_consent(call: Call) -> Reply:
    """Whether what is due may be taken from the member's card on file; without a word it may not."""
    return _consent(call, member_of_path(call))


@operation("set_collection_consent", body=ConsentShape, answer=ConsentView, tagged=True, problems=("version",))
def set_collection_consent(call: Call) -> Reply:
    """Give or take back the word; taking it back holds from now on."""
    member, records = member_of_path(call), call.market.records
    before = records.get(CONSENT, member)
    version = before.version if before is not None else 0
    if before is not None:
        call.require_version(member, version)
    set_consent(member, call.body.by_card, records, author=call.caller.subject, version=version)
    return _consent(call, member)


def _consent(call: Call, member: str) -> Reply:
    record = call.market.records.get(CONSENT, member)
    view = ConsentView(member=member, by_card=bool(record and record.body["by_card"]))
    return Reply(view, tag=(member, record.version if record is not None else 0))


def _currencies(call: Call, member: str) -> list[str]:
    """Those in which the member owes or ever owed."""
    money, found, after = call.market.money, [], ("patient_receivable", member, "")
    for one in money.accounts(after=after, limit=DEBTS_MAX, kind="patient_receivable"):
        if one.account.owner != member:
            break
        found.append(one.account.currency)
    return found


def _owed(call: Call, member: str, currency: str) -> Owed:
    return owed_of(member, currency, call.market.records, call.market.money)


def _view(call: Call, currency: str, owed: Owed) -> DuesView:
    policy = call.market.collecting.get(currency)
    return DuesView(
        currency=currency,
        owed=sum_of(owed.amount, currency),
        residue=sum_of(owed.residue, currency),
        charges=len(owed.dues),
        oldest=min(due.day for due in owed.dues).isoformat() if owed.dues else None,
        collected_from=sum_of(policy.when.amount, currency) if policy is not None else None,
        collected_after_days=policy.when.days if policy is not None else None,
        rail=policy.rail if policy is not None else None,
        payment=payment_view(owed.open, call) if owed.open is not None else None,
    )
