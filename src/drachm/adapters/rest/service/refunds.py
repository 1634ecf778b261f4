"""Money out: a payment goes back to its source, or into a wallet with its payer's consent; what is left is paid out.

A refund is decided by a person and asked of the rail at once, outside of any transaction. `state` is `unknown` as long
as nobody can tell whether the rail has it; the same key will.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import Sum, ensure_currency, faulty, sum_of
from drachm.adapters.rest.service.payments import reachable_payment
from drachm.adapters.rest.service.register_shapes import after, permitted
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Money, Page, Shape, View, Word, known_currency, money
from drachm.adapters.rest.service.wallets import reachable_wallet
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.payouts_to_holders import pay_out
from drachm.application.refunds import KIND, begin_refund, carry_out_refund, refund_of, refunding
from drachm.domain.funding.model import Pot
from drachm.domain.payments.model import Payment
from drachm.domain.payments.refund import Refund, RefundState, refundable

CONSENT_MIN: Final = 8

Consent = Annotated[
    str,
    Meta(min_length=CONSENT_MIN, max_length=500, description="When, how and to whom the payer said yes."),
]


class RefundOrder(Shape):
    """What of a payment goes back."""

    amount: Money
    wallet: Word | None = None
    """Instead of to its source, into this wallet of the same holder; needs their consent."""
    consent: Consent | None = None


class RefundView(View):
    """A refund."""

    id: str
    payment: str
    rail: str
    amount: Money
    wallet: str | None
    """Where it goes instead of to its source."""
    state: Literal["planned", "unknown", "waiting", "done", "declined"]
    reason: str | None
    begun_at: Moment


class PayoutOrder(Shape):
    """How much of a pocket its holder wants back."""

    amount: Money


class PayoutView(View):
    """What was sent back to the cards and accounts that had filled the pocket, newest first."""

    wallet: str
    refunds: list[RefundView]
    rest: Sum
    """Of what was asked for: came by ways that take nothing back, such as cash; it stays in the pocket."""


_PROBLEMS: Final = (
    "not_refundable",
    "refund_exceeds",
    "rail_keeps",
    "rail_refused",
    "insufficient_funds",
    "arrears_open",
    "conflict",
)


@operation("begin_refund", body=RefundOrder, answer=RefundView, status=201, problems=_PROBLEMS)
def begin(call: Call) -> RefundView:
    """Send money of a payment back: to its source at most what was captured, else to a wallet with the payer's consent.

    One refund for one Idempotency-Key, also when the first answer was lost.
    """
    payment, body = reachable_payment(call), call.body
    amount = known_currency(body.amount, "/amount")
    ensure_currency(amount, payment.currency, "/amount", "the payment")
    wallet = _wallet_for(call, payment, body)
    if not wallet:
        refunding(payment.rail, call.market.rails)
    name = named_by("rfd", call.caller.subject, payment.id, call.key)
    return _view(_carried_out(call, payment, name, amount.micros, wallet, body.consent or ""))


@operation("list_refunds", answer=Page[RefundView], query={"cursor": "Where to go on."})
def list_refunds(call: Call) -> Page[RefundView]:
    """A payment's refunds, in order of id."""
    payment, limit = reachable_payment(call), call.limit()
    found = call.market.records.find(KIND, after=after(call), limit=limit + 1, terms=[f"payment={payment.id}"])
    more = call.cursor([found[limit - 1].id]) if len(found) > limit else None
    return Page(data=[_view(refund_of(one)) for one in found[:limit]], next=more)


@operation("get_refund", answer=RefundView)
def get_refund(call: Call) -> RefundView:
    """One refund as it stands."""
    return _view(refund_of(permitted(call, KIND, call.path["refund_id"])))


@operation("begin_payout", body=PayoutOrder, answer=PayoutView, status=201, problems=_PROBLEMS)
def begin_payout(call: Call) -> PayoutView:
    """Send what is left in a pocket back to the cards and accounts that filled it, newest payment first.

    Nothing that was given for a purpose is paid out.
    """
    pot = reachable_wallet(call).pot
    body: PayoutOrder = call.body
    amount = known_currency(body.amount, "/amount")
    _ensure_own(pot, amount)
    if amount.micros <= 0:
        raise faulty("/amount/micros", "a payout is more than 0", "invalid_amount")
    name = named_by("out", call.caller.subject, pot.id, call.key)
    market, author = call.market, call.caller.subject
    done = pay_out(name, pot.id, pot.member, amount.micros, market.rails, market.desk, market.records, author=author)
    sent = sum(one.amount for one in done if one.state != "declined")
    return PayoutView(
        wallet=pot.id,
        refunds=[_view(one) for one in done],
        rest=sum_of(amount.micros - sent, pot.currency),
    )


def _carried_out(call: Call, payment: Payment, name: str, micros: int, wallet: str, consent: str) -> Refund:
    refund = Refund(
        name,
        payment.id,
        payment.rail,
        payment.pot,
        payment.member,
        micros,
        payment.currency,
        call.at,
        wallet=wallet,
        consent=consent,
    )
    market = call.market
    begin_refund(refund, market.records, author=call.caller.subject)
    return carry_out_refund(name, market.rails, market.desk, market.records)


def _wallet_for(call: Call, payment: Payment, body: RefundOrder) -> str:
    """The wallet that it shall go to instead; empty: back to the source."""
    if body.wallet is None:
        if body.consent is not None:
            raise faulty("/consent", "what goes back to its source needs no consent")
        return ""
    if body.consent is None:
        raise faulty("/consent", "a wallet instead of the source needs the payer's consent")
    found = call.market.money.purses(ids=[body.wallet], limit=1)
    if not found or found[0].pot.member != payment.member or found[0].pot.currency != payment.currency:
        raise faulty("/wallet", "the payer has no such wallet in this currency")
    if body.wallet == payment.pot:
        raise faulty("/wallet", f"{refundable(payment)} micros of it are in this wallet already")
    return body.wallet


def _ensure_own(pot: Pot, amount: Money) -> None:
    if not pot.member:
        raise faulty("", "a shared pocket is paid out by whoever funds it")
    if pot.purpose is not None and pot.purpose.funder:
        raise faulty("", "what was given for a purpose goes back to whoever gave it, not out")
    ensure_currency(amount, pot.currency, "/amount", "the wallet")
    if pot.frozen:
        raise Problem("arrears_open")


def _view(refund: Refund) -> RefundView:
    shown: dict[RefundState, Literal["planned", "unknown", "waiting", "done", "declined"]] = {"held": "planned"}
    return RefundView(
        id=refund.id,
        payment=refund.payment,
        rail=refund.rail,
        amount=money(refund.amount, refund.currency),
        wallet=refund.wallet or None,
        state=shown.get(refund.state, refund.state),  # type: ignore[arg-type]
        reason=refund.reason or None,
        begun_at=refund.begun_at,
    )
