"""Money of a charge that goes back, on pages: proposed, agreed to by somebody else, withdrawn."""

from __future__ import annotations

from typing import Any, Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.charge_refunds import ChargeRefundView
from drachm.adapters.rest.service.desk_frame import Seat, desk, key_needed, typed_money
from drachm.adapters.rest.service.desk_proposals import charge_named, clinic_of, lists_of, who_did_what
from drachm.adapters.rest.service.forms import key_of, one_line
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.page_words import Amount, amount_of
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.errors import DrachmError
from drachm.domain.money import plain

REASONS: Final = {
    "not_given": N_("The care was not given"),
    "wrong_person": N_("It was somebody else’s care"),
    "sent_twice": N_("The same care was sent twice"),
    "wrong_price": N_("The price was wrong"),
    "goodwill": N_("The clinic gives it back freely"),
}
_STATES: Final = {
    "proposed": ("you", N_("Waits for a second person")),
    "agreed": ("held", N_("Agreed, not booked yet")),
    "done": ("ok", N_("Given back")),
    "waiting": ("held", N_("Stuck in the work list")),
    "failed": ("refused", N_("Could not be booked")),
    "withdrawn": ("held", N_("Withdrawn")),
}


@desk("open_desk_refunds")
def open_desk_refunds(seat: Seat) -> Reply:
    """What waits for a second person, and what became of the others."""
    seat.call.reach()
    return seat.page("desk_refunds.html", tab="refunds", **lists_of(seat, "list_charge_refunds", _STATES, _shown))


@desk("open_desk_refund_form")
def open_desk_refund_form(seat: Seat) -> Reply:
    """Where a refund is proposed."""
    return _form_page(seat)


@desk("propose_refund_at_desk", form=True)
def propose_refund_at_desk(seat: Seat) -> Reply:
    """Keep the proposal; on to its page. The page's own key makes a form that is sent twice one proposal."""
    charge, form = charge_named(seat), seat.call.form
    currency = charge.amounts.billed.currency if charge.amounts else ""
    try:
        key = key_needed(form)
        body: dict[str, Any] = {
            "reason": form.get("reason", ""),
            "note": one_line(form.get("note", "")),
            "most": typed_money(form, "most", currency),
        }
        if form.get("how") == "part":
            body["price"] = typed_money(form, "price", currency)
        made = seat.ask("propose_charge_refund", {"charge_id": charge.id}, body=body, key=key)
    except DrachmError as error:
        return _form_page(seat, trouble_of(error, seat.call, "reason", "price", "most", "note"))
    return sent_on(seat.call, f"/desk/refunds/{made.id}")


@desk("open_desk_refund")
def open_desk_refund(seat: Seat) -> Reply:
    """One refund."""
    return _refund_page(seat)


@desk("agree_to_refund_at_desk", form=True)
def agree_to_refund_at_desk(seat: Seat) -> Reply:
    """Agree as the second person."""
    refund = _refund(seat)
    try:
        seat.ask("agree_to_charge_refund", {"refund_id": refund.id})
    except DrachmError as error:
        return _refund_page(seat, trouble_of(error, seat.call))
    return sent_on(seat.call, f"/desk/refunds/{refund.id}")


@desk("withdraw_refund_at_desk", form=True)
def withdraw_refund_at_desk(seat: Seat) -> Reply:
    """Stop it."""
    refund = _refund(seat)
    try:
        seat.ask("withdraw_charge_refund", {"refund_id": refund.id})
    except DrachmError as error:
        return _refund_page(seat, trouble_of(error, seat.call))
    return sent_on(seat.call, f"/desk/refunds/{refund.id}")


def _refund(seat: Seat) -> Any:
    refund = seat.ask("get_charge_refund", {"refund_id": seat.call.path["refund_id"]})
    parties = clinic_of(seat, refund.charge)
    seat.call.permit(seat.call.resource(refund.id, parties=parties, maker=refund.proposed_by))
    return refund


def _form_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    charge, form = charge_named(seat), seat.call.form
    if charge.amounts is None:
        raise Problem("not_found")
    amounts, currency = charge.amounts, charge.amounts.billed.currency
    whole = Amount(amounts.payers.micros + amounts.patient.micros, currency)
    open_ones = seat.ask("list_charge_refunds", query={"charge": charge.id, "state": "proposed"}).data
    return seat.page(
        "desk_refund_form.html",
        tab="refunds",
        charge=charge,
        reasons={code: gettext(words) for code, words in REASONS.items()},
        whole=whole,
        insurer=amount_of(amounts.payers),
        patient=amount_of(amounts.patient),
        waiting=open_ones[0].id if open_ones else "",
        form={name: form.get(name, "") for name in ("reason", "how", "price", "note")},
        most=form.get("most") or plain(whole.micros, currency),
        key=key_of(form) or new_secret(),
        trouble=trouble,
    )


def _refund_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    refund = seat.ask("get_charge_refund", {"refund_id": seat.call.path["refund_id"]})
    charge = seat.ask("get_charge", {"charge_id": refund.charge})
    if seat.call.operation == "open_desk_refund":
        seat.call.permit(seat.call.resource(refund.id, parties=frozenset({charge.provider or ""} - {""})))
    mine = refund.proposed_by == seat.call.caller.subject
    movable = refund.state in ("proposed", "agreed")
    return seat.page(
        "desk_refund.html",
        tab="refunds",
        charge=charge,
        mine=mine,
        can_agree=movable and not mine and seat.may("agree_to_refund_at_desk"),
        can_cash=refund.state == "done" and refund.patient.micros > 0 and seat.may("propose_cash_refund_at_desk"),
        can_withdraw=refund.state == "proposed" and seat.may("withdraw_refund_at_desk"),
        trouble=trouble,
        **_shown(seat, refund),
    )


def _shown(seat: Seat, refund: ChargeRefundView) -> dict[str, Any]:
    return {
        "refund": refund,
        **who_did_what(seat, refund, _STATES),
        "reason": gettext(REASONS[refund.reason]),
        "back": Amount(refund.payers.micros + refund.patient.micros, refund.most.currency),
        "insurer": amount_of(refund.payers),
        "patient": amount_of(refund.patient),
        "most": amount_of(refund.most),
        "price": amount_of(refund.price) if refund.price else None,
    }
