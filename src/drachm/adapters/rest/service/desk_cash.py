"""Cash back at the window, on pages: proposed, agreed to by somebody else, handed out of one's own box."""

from __future__ import annotations

from typing import Any, Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.cash_refunds import CashRefundView
from drachm.adapters.rest.service.desk_frame import Seat, desk, key_needed, named, typed_money
from drachm.adapters.rest.service.desk_proposals import lists_of, who_did_what
from drachm.adapters.rest.service.desk_window import recent_shifts
from drachm.adapters.rest.service.forms import key_of, one_line
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.page_words import amount_of
from drachm.adapters.rest.service.speech import N_
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.application.cash_refunds import cash_of, given_back
from drachm.application.giving_back import KIND as CHARGE_REFUND
from drachm.domain.errors import DrachmError
from drachm.domain.money import CURRENCIES, plain
from drachm.domain.payments.cash_refund import CashRefund

_STATES: Final = {
    "proposed": ("you", N_("Waits for a second person")),
    "agreed": ("held", N_("Agreed, not held yet")),
    "ready": ("you", N_("Ready to be handed out")),
    "paid": ("ok", N_("Handed out")),
    "failed": ("refused", N_("The wallet holds too little")),
    "withdrawn": ("held", N_("Withdrawn")),
}
_FIELDS: Final = ("party", "wallet", "amount", "consent", "refund")


@desk("open_desk_cash_refunds", query={"refund": "The refund of a charge that shall be handed out."})
def open_desk_cash_refunds(seat: Seat) -> Reply:
    """What waits, what may be handed out, what became of the others; and a form that proposes one."""
    return _list_page(seat)


@desk("propose_cash_refund_at_desk", form=True)
def propose_cash_refund_at_desk(seat: Seat) -> Reply:
    """Keep the proposal; on to its page. The page's own key makes a form that is sent twice one proposal."""
    form = seat.call.form
    party, currency = form.get("party", "").strip(), form.get("currency", "").strip().upper()
    seat.call.permit(seat.call.resource(parties=frozenset({party})))
    try:
        key = key_needed(form)
        body: dict[str, Any] = {
            "party": party,
            "wallet": form.get("wallet", "").strip(),
            "amount": typed_money(form, "amount", currency),
            "consent": one_line(form.get("consent", "")),
        }
        if form.get("refund"):
            body["charge_refund"] = form["refund"].strip()
        made = seat.ask("propose_cash_refund", body=body, key=key)
    except DrachmError as error:
        return _list_page(seat, trouble_of(error, seat.call, "party", "wallet", "currency", "amount", "consent"))
    return sent_on(seat.call, f"/desk/cash-refunds/{made.id}")


@desk("open_desk_cash_refund")
def open_desk_cash_refund(seat: Seat) -> Reply:
    """One of them."""
    return _refund_page(seat)


@desk("agree_to_cash_refund_at_desk", form=True)
def agree_to_cash_refund_at_desk(seat: Seat) -> Reply:
    """Agree as the second person."""
    return _done(seat, "agree_to_cash_refund")


@desk("withdraw_cash_refund_at_desk", form=True)
def withdraw_cash_refund_at_desk(seat: Seat) -> Reply:
    """Stop it."""
    return _done(seat, "withdraw_cash_refund")


@desk("pay_cash_refund_at_desk", form=True)
def pay_cash_refund_at_desk(seat: Seat) -> Reply:
    """Hand it out of one's own box."""
    return _done(seat, "pay_cash_refund", {"shift": seat.call.form.get("shift", "")})


def _done(seat: Seat, name: str, body: dict[str, Any] | None = None) -> Reply:
    refund = _refund(seat)
    try:
        seat.ask(name, {"refund_id": refund.id}, body=body)
    except DrachmError as error:
        return _refund_page(seat, trouble_of(error, seat.call))
    return sent_on(seat.call, f"/desk/cash-refunds/{refund.id}")


def _refund(seat: Seat) -> CashRefundView:
    refund: CashRefundView = seat.ask("get_cash_refund", {"refund_id": seat.call.path["refund_id"]})
    parties = frozenset({refund.party})
    seat.call.permit(seat.call.resource(refund.id, parties=parties, maker=refund.proposed_by))
    return refund


def _list_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    seat.call.reach()
    form = seat.call.form
    typed = {name: form.get(name, "") for name in _FIELDS} if trouble else _named(seat)
    return seat.page(
        "desk_cash_refunds.html",
        tab="refunds",
        **lists_of(seat, "list_cash_refunds", _STATES, _shown, ["ready"]),
        can_propose=seat.may("propose_cash_refund_at_desk"),
        choices=[(party.id, party.name or party.id) for party in seat.parties if "provider" in party.roles],
        currencies=CURRENCIES,
        currency=form.get("currency") or typed.get("currency") or "USD",
        form=typed,
        key=key_of(form) or new_secret(),
        trouble=trouble,
    )


def _named(seat: Seat) -> dict[str, str]:
    """What the form begins with when a refund of a charge is named: what it gave back to a wallet filled here."""
    empty, name = dict.fromkeys(_FIELDS, ""), seat.call.query.get("refund", "")
    if not name:
        return empty
    seat.ask("get_charge_refund", {"refund_id": name})
    record = seat.call.market.records.get(CHARGE_REFUND, name)
    if record is None:
        return empty
    back = given_back(record, seat.call.market.desk)
    for purse in seat.call.market.money.purses(ids=sorted(back), limit=len(back) or 1) if back else []:
        pot = purse.pot
        for party in sorted(record.parties):
            wish = CashRefund("", party, pot.id, pot.member, pot.currency, 0, "", seat.call.at)
            if pot.member and cash_of(wish, seat.call.market.records):
                amount = plain(back[pot.id], pot.currency)
                return {**empty, "party": party, "wallet": pot.id, "amount": amount, "refund": name,
                        "currency": pot.currency}  # fmt: skip
    return {**empty, "refund": name}


def _refund_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    refund: CashRefundView = seat.ask("get_cash_refund", {"refund_id": seat.call.path["refund_id"]})
    if seat.call.operation == "open_desk_cash_refund":
        seat.call.permit(seat.call.resource(refund.id, parties=frozenset({refund.party})))
    me = seat.call.caller.subject
    mine = refund.proposed_by == me
    can_pay = refund.state == "ready" and seat.may("pay_cash_refund_at_desk")
    boxes = [
        (shift.id, shift.window, amount_of(shift.expected))
        for shift in (recent_shifts(seat) if can_pay else [])
        if shift.clerk == me and shift.closed_at is None and shift.party == refund.party
        and shift.laid_in.currency == refund.amount.currency
    ]  # fmt: skip
    return seat.page(
        "desk_cash_refund.html",
        tab="refunds",
        mine=mine,
        boxes=boxes,
        can_pay=can_pay,
        can_agree=refund.state in ("proposed", "agreed") and not mine and seat.may("agree_to_cash_refund_at_desk"),
        can_withdraw=refund.state in ("proposed", "ready") and seat.may("withdraw_cash_refund_at_desk"),
        trouble=trouble,
        **_shown(seat, refund),
    )


def _shown(seat: Seat, refund: CashRefundView) -> dict[str, Any]:
    return {
        "refund": refund,
        **who_did_what(seat, refund, _STATES),
        "amount": amount_of(refund.amount),
        "paid": seat.here(refund.paid_at) if refund.paid_at else None,
        "payer": named(refund.paid_by),
    }
