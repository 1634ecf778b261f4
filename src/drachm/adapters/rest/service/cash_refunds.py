"""Cash back at a window: proposed by one person, agreed to by another, handed out of a clerk's open box."""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

from msgspec import Meta

from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.money_shapes import ensure_currency, faulty
from drachm.adapters.rest.service.refunds import CONSENT_MIN
from drachm.adapters.rest.service.register_shapes import ORDER, legible, listed, narrowed, permitted
from drachm.adapters.rest.service.results import Moment
from drachm.adapters.rest.service.shapes import Money, Page, Shape, View, Word, known_currency, money
from drachm.adapters.rest.transport.identifiers import named_by
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.cash_refunds import KIND, agree, cash_of, propose, refund_of, stop
from drachm.application.records import Record
from drachm.application.window import give
from drachm.domain.payments.cash_refund import CashRefund, State

_STATES = get_args(State)


class CashRefundOrder(Shape):
    """Money of a wallet that its holder shall have in cash."""

    party: Word
    """The clinic at whose windows it came in as cash, and goes out."""
    wallet: Word
    amount: Money
    consent: Annotated[str, Meta(max_length=500)] = ""
    """When, how and to whom the holder said yes; may be left out where `charge_refund` is named."""
    charge_refund: Word | None = None
    """The refund of a charge that gave it back to the wallet: no more than that is handed out."""


class PayOrder(Shape):
    """Out of which box."""

    shift: Word


class CashRefundView(View):
    """Cash on its way back, and who had a hand in it."""

    id: str
    party: str
    wallet: str
    amount: Money
    state: Literal["proposed", "withdrawn", "agreed", "ready", "paid", "failed"]
    """`ready`: the money is held in the wallet and may be handed out. `agreed` is being held: agree once more if it
    stays so. `failed`: the wallet holds too little, `why` says it."""
    consent: str | None
    charge_refund: str | None
    proposed_by: str
    proposed_at: Moment
    agreed_by: str | None
    agreed_at: Moment | None
    withdrawn_by: str | None
    withdrawn_at: Moment | None
    shift: str | None
    """Out of whose box it was handed."""
    paid_by: str | None
    paid_at: Moment | None
    why: str | None


_PROBLEMS: Final = ("refund_exceeds", "invalid_refund", "arrears_open", "conflict")


@operation("propose_cash_refund", body=CashRefundOrder, answer=CashRefundView, status=201, problems=_PROBLEMS)
def propose_cash_refund(call: Call) -> CashRefundView:
    """Propose it: nothing moves before a second person agreed. Only what came in as cash here goes out as cash."""
    body: CashRefundOrder = call.body
    call.permit(call.resource(parties=frozenset({body.party})))
    amount = known_currency(body.amount, "/amount")
    consent = legible(body.consent, "/consent").strip()
    if consent and len(consent) < CONSENT_MIN:
        raise faulty("/consent", f"say it in {CONSENT_MIN} letters or more: when, how and to whom they said yes")
    name = named_by("csh", call.caller.subject, body.party, call.key)
    wish = CashRefund(
        name,
        body.party,
        body.wallet,
        _holder(call, body),
        amount.currency,
        amount.micros,
        call.caller.subject,
        call.at,
        consent,
        body.charge_refund or "",
    )
    return _view(propose(wish, call.market.desk, call.market.records))


@operation(
    "list_cash_refunds",
    answer=Page[CashRefundView],
    query={"state": "One state only.", "cursor": "Where to go on.", **ORDER},
)
def list_cash_refunds(call: Call) -> Page[CashRefundView]:
    """Within reach, in the order in which they were named, or of time."""
    reach = call.reach()
    state = call.query.get("state")
    if state is not None and state not in _STATES:
        raise Problem("bad_request", f"a state is one of {', '.join(_STATES)}", where="state")
    terms = [f"state={state}"] if state else []
    found, more = listed(call, KIND, terms, narrowed(reach))
    return Page(data=[_view(one) for one in found], next=more)


@operation("get_cash_refund", answer=CashRefundView)
def get_cash_refund(call: Call) -> CashRefundView:
    """One of them."""
    return _view(_permitted(call))


@operation("agree_to_cash_refund", answer=CashRefundView, problems=_PROBLEMS)
def agree_to_cash_refund(call: Call) -> CashRefundView:
    """Agree as the second person; the money is held in its wallet until it is handed out."""
    record = _permitted(call)
    return _view(agree(record.id, call.caller.subject, call.at, call.market.desk, call.market.records))


@operation("withdraw_cash_refund", answer=CashRefundView)
def withdraw_cash_refund(call: Call) -> CashRefundView:
    """Stop one that was not handed out; what was held is the wallet's again."""
    record = _permitted(call)
    return _view(stop(record.id, call.caller.subject, call.at, call.market.desk, call.market.records))


@operation(
    "pay_cash_refund",
    body=PayOrder,
    answer=CashRefundView,
    problems=("refund_not_ready", "refund_paid", "box_short", "shift_closed", "not_your_shift", "conflict"),
)
def pay_cash_refund(call: Call) -> CashRefundView:
    """Hand it out of the box of one's own open shift: once, whoever else tries."""
    record, body = _permitted(call), call.body
    give(record.id, body.shift, call.caller.subject, call.market.desk, call.market.records)
    return _view(_permitted(call))


def _holder(call: Call, body: CashRefundOrder) -> str:
    """Whose wallet it is. Of one into which no cash came here, nothing is told, not even that it exists."""
    found = call.market.money.purses(ids=[body.wallet], limit=1)
    pot = found[0].pot if found else None
    nobody = faulty("/wallet", "no cash of this currency came into such a wallet at this clinic")
    if pot is None or not pot.member:
        raise nobody
    ensure = CashRefund("", body.party, pot.id, pot.member, pot.currency, 0, "", call.at)
    if not cash_of(ensure, call.market.records):
        raise nobody
    if pot.purpose is not None and pot.purpose.funder:
        raise faulty("/wallet", "what was given for a purpose goes back to whoever gave it, not out")
    ensure_currency(body.amount, pot.currency, "/amount", "the wallet")
    return pot.member


def _permitted(call: Call) -> Record:
    return permitted(call, KIND, call.path["refund_id"], lambda one: refund_of(one).proposed_by)


def _view(record: Record) -> CashRefundView:
    wish = refund_of(record)
    return CashRefundView(
        id=record.id,
        party=wish.party,
        wallet=wish.pot,
        amount=money(wish.amount, wish.currency),
        state=wish.state,
        consent=wish.consent or None,
        charge_refund=wish.charge_refund or None,
        proposed_by=wish.proposed_by,
        proposed_at=wish.proposed_at,
        agreed_by=wish.agreed_by or None,
        agreed_at=wish.agreed_at,
        withdrawn_by=wish.withdrawn_by or None,
        withdrawn_at=wish.withdrawn_at,
        shift=wish.shift or None,
        paid_by=wish.paid_by or None,
        paid_at=wish.paid_at,
        why=record.body.get("why") or None,
    )
