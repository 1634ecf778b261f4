"""Money into a pocket over a rail: begun, followed, made automatic.

A payment that is begun here is asked of its rail at once, outside of any transaction. Whether it came in is told by the
rail (`callbacks.py`), or found out by looking; `state` is `unknown` as long as nobody can tell.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, Reply, operation
from drachm.adapters.rest.service.fees import FeeView, fee_of
from drachm.adapters.rest.service.money_shapes import ensure_currency, faulty
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import END, Money, Page, Shape, View, known_currency, money
from drachm.adapters.rest.service.wallet_records import holder_of, refuse_strange_money
from drachm.adapters.rest.service.wallets import reachable_wallet
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.automatic_top_ups import RULE, Rule, judge, set_rule
from drachm.application.cards import forget_card, wish_for_card
from drachm.application.households import helper_of
from drachm.application.payments import KIND, begin, carry_out, payment_of
from drachm.domain.payments.automatic import AutomaticTopUp
from drachm.domain.payments.model import Payment

RailName = Annotated[str, Meta(pattern="^[a-z]{2,20}" + END, description="A rail that the operator has connected.")]


class PaymentOrder(Shape):
    """Money to bring in."""

    amount: Money
    rail: RailName


class PaymentView(View):
    """A payment over a rail."""

    id: str
    wallet: str
    rail: str
    amount: Money
    state: Literal["planned", "unknown", "waiting", "captured", "declined", "expired", "returned"]
    link: str | None
    """Where the payer goes, or what the payer's phone opens, while the payment waits for them."""
    reason: str | None
    automatic: bool
    begun_at: Moment
    refunded: Money
    """What of it was refunded, or is on its way back."""
    fee: FeeView | None
    """Only when it is dear for the amount."""


class RuleShape(Shape):
    """When a pocket tops itself up."""

    below: Money
    amount: Money
    month_cap: Money
    rail: RailName
    zone: Annotated[str, Meta(min_length=1, max_length=64, description="IANA zone in which a month begins.")]
    on: bool = True


class RuleView(View):
    """The holder's rule for a pocket, and what it comes to just now."""

    wallet: str
    below: Money
    amount: Money
    month_cap: Money
    rail: str
    zone: str
    on: bool
    now: str
    """`due`, `enough`, `off`, `on_its_way`, `month_cap`, `burst`, `declined`, `stopped` until the holder says so, or
    `frozen` until a payment that went back is made good."""
    look_again_at: Moment | None
    fee: FeeView | None
    """Of each such top-up, where it is dear for the amount."""


class CardOrder(Shape):
    """With whom a card is to be left."""

    rail: RailName


class CardPage(View):
    """Where the holder goes."""

    link: str


@operation(
    "begin_payment",
    body=PaymentOrder,
    answer=PaymentView,
    status=201,
    problems=("unknown_rail", "rail_refused", "conflict"),
)
def begin_payment(call: Call) -> PaymentView:
    """Ask a rail for money. The same Idempotency-Key asks once, also when the first answer was lost."""
    purse = reachable_wallet(call)
    body: PaymentOrder = call.body
    pot, amount = purse.pot, known_currency(body.amount, "/amount")
    holder = pot.member or holder_of(call, pot.id)
    if not holder:
        raise faulty("", "money for a shared pocket without a holder is booked as a top-up, by whoever funds it")
    refuse_strange_money(call, pot, "")
    ensure_currency(amount, pot.currency, "/amount", "the wallet")
    if body.rail not in call.market.rails:
        raise not_connected(call)
    name = named_by("pay", call.caller.subject, pot.id, call.key)
    wish = Payment(name, body.rail, pot.id, holder, amount.micros, amount.currency, call.at)
    begin(wish, call.market.records, author=call.caller.subject)
    return payment_view(carry_out(name, call.market.rails, call.market.desk, call.market.records), call)


@operation("list_payments", answer=Page[PaymentView], query={"cursor": "Where to go on."})
def list_payments(call: Call) -> Page[PaymentView]:
    """A pocket's payments, in order of id."""
    pot, limit = reachable_wallet(call).pot, call.limit()
    after = str(next(iter(call.place()), ""))
    found = call.market.records.find(KIND, after=after, limit=limit + 1, terms=[f"pot={pot.id}"])
    more = call.cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(data=[payment_view(payment_of(one), call) for one in found[:limit]], next=more)


@operation("get_payment", answer=PaymentView)
def get_payment(call: Call) -> PaymentView:
    """One payment as it stands in the books."""
    return payment_view(reachable_payment(call), call)


@operation("get_automatic_top_up", answer=RuleView, tagged=True)
def get_automatic_top_up(call: Call) -> Reply:
    """The rule by which a pocket tops itself up."""
    return _rule_reply(call, reachable_wallet(call).pot.id)


@operation(
    "set_automatic_top_up",
    body=RuleShape,
    answer=RuleView,
    tagged=True,
    problems=("unknown_rail", "unknown_zone", "version"),
)
def set_automatic_top_up(call: Call) -> Reply:
    """Give or change the rule; it holds from now on, and no more than `month_cap` is ever taken in a month."""
    pot = reachable_wallet(call).pot
    body: RuleShape = call.body
    for name, amount in (("below", body.below), ("amount", body.amount), ("month_cap", body.month_cap)):
        ensure_currency(amount, pot.currency, f"/{name}", "the wallet")
    if not pot.member:
        raise faulty("", "a shared pocket has no holder who could allow it")
    refuse_strange_money(call, pot, "")
    if body.rail not in call.market.rails:
        raise not_connected(call)
    rule = AutomaticTopUp(body.below.micros, body.amount.micros, body.month_cap.micros, body.zone, body.on)
    before = call.market.records.get(RULE, pot.id)
    version = before.version if before is not None else 0
    if before is not None:
        call.require_version(pot.id, version)
    kept = Rule(pot.id, pot.member, pot.currency, body.rail, rule)
    set_rule(kept, call.market.records, author=call.caller.subject, version=version)
    return _rule_reply(call, pot.id)


@operation("leave_card", body=CardOrder, answer=CardPage, problems=("unknown_rail", "rail_refused"))
def leave_card(call: Call) -> CardPage:
    """Where the holder goes to leave a card with a rail; it pays automatic top-ups from then on."""
    pot = reachable_wallet(call).pot
    body: CardOrder = call.body
    rail = call.market.rails.get(body.rail)
    if rail is None or not pot.member:
        raise not_connected(call)
    wish = named_by("crd", call.caller.subject, pot.id, call.key)
    records, author = call.market.records, call.caller.subject
    return CardPage(link=wish_for_card(wish, pot.member, pot.currency, rail, records, author=author))


@operation("forget_card", problems=("version",))
def forget(call: Call) -> None:
    """Use the holder's card no more. That there was none is no error."""
    pot, rail = reachable_wallet(call).pot, call.path["rail"]
    if not (rail.isascii() and rail.isalpha()):
        # No rail has such a name, so there never was a card.
        raise Problem("not_found")
    forget_card(rail, pot.member, call.market.records, author=call.caller.subject)


def reachable_payment(call: Call) -> Payment:
    """The payment of the path, if the caller may do this to it."""
    record = call.market.records.get(KIND, call.path["payment_id"])
    thing = None
    if record is not None:
        members = record.members
        if call.operation == "get_payment":
            members |= {helper_of(payment_of(record).pot)}
        thing = call.resource(record.id, parties=record.parties, members=members)
    call.permit(thing)
    if record is None:
        raise Problem("not_found")
    return payment_of(record)


def not_connected(call: Call) -> Problem:
    """The body names a rail that the operator has not connected."""
    return faulty("/rail", f"connected are: {', '.join(sorted(call.market.rails)) or 'none'}", "unknown_rail")


def _rule_reply(call: Call, pot: str) -> Reply:
    record = call.market.records.get(RULE, pot)
    if record is None:
        raise Problem("not_found")
    kept, says, _ = judge(record, call.market.desk, call.market.records)
    rule, currency = kept.rule, kept.currency
    view = RuleView(
        wallet=pot,
        below=money(rule.below, currency),
        amount=money(rule.amount, currency),
        month_cap=money(rule.month_cap, currency),
        rail=kept.rail,
        zone=rule.zone,
        on=rule.on,
        now=says.why,
        look_again_at=says.until,
        fee=fee_of(call, kept.rail, rule.amount, currency),
    )
    return Reply(view, tag=(pot, record.version))


def payment_view(payment: Payment, call: Call) -> PaymentView:
    """A payment for an answer."""
    return PaymentView(
        id=payment.id,
        wallet=payment.pot,
        rail=payment.rail,
        amount=money(payment.amount, payment.currency),
        state=payment.state,
        link=payment.link or None,
        reason=payment.reason or None,
        automatic=payment.automatic,
        begun_at=payment.begun_at,
        refunded=money(payment.refunded, payment.currency),
        fee=fee_of(call, payment.rail, payment.amount, payment.currency),
    )
