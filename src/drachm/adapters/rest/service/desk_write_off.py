"""Dues that the clinic no longer asks for, on pages: asked for with a reason, decided by somebody else, taken back."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.charge_views import Charge
from drachm.adapters.rest.service.desk_frame import Seat, desk, key_needed, typed_money
from drachm.adapters.rest.service.desk_proposals import charge_named, clinic_of, lists_of, who_did_what
from drachm.adapters.rest.service.forms import key_of, one_line
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.page_words import Amount, amount_of
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.staff_words import own_words
from drachm.adapters.rest.service.trouble_words import SAID, Trouble
from drachm.adapters.rest.service.write_offs import WriteOffView
from drachm.adapters.rest.transport.problem_table import KINDS
from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.errors import DrachmError
from drachm.domain.money import plain

REASONS: Final = {
    "hardship": N_("The patient cannot pay"),
    "small_balance": N_("It is too little to ask for"),
    "goodwill": N_("The clinic gives it up freely"),
    "not_collectable": N_("It cannot be collected"),
    "own_error": N_("The clinic made a mistake"),
}
_STATES: Final = {
    "proposed": ("you", N_("Waits for a second person")),
    "agreed": ("held", N_("Agreed, not booked yet")),
    "done": ("ok", N_("No longer asked for")),
    "failed": ("refused", N_("Could not be booked")),
    "taken_back": ("held", N_("Asked for again")),
    "withdrawn": ("held", N_("Withdrawn")),
}


@desk("open_desk_write_offs", query={"charge": "Of this charge only."})
def open_desk_write_offs(seat: Seat) -> Reply:
    """What waits for a second person, and what became of the others."""
    seat.call.reach()
    charge = seat.call.query.get("charge", "")
    narrow = {"charge": charge} if charge else {}
    lists = lists_of(seat, "list_write_offs", _STATES, _shown, **narrow)
    return seat.page("desk_write_offs.html", tab="refunds", charge=charge, **lists)


@desk("open_desk_write_off_form")
def open_desk_write_off_form(seat: Seat) -> Reply:
    """Where it is asked for."""
    return _form_page(seat)


@desk("write_off_at_desk", form=True)
def write_off_at_desk(seat: Seat) -> Reply:
    """Ask for it; on to its page. The page's own key makes a form that is sent twice one."""
    charge, form = charge_named(seat), seat.call.form
    try:
        key = key_needed(form)
        body = {
            "reason": form.get("reason", ""),
            "note": one_line(form.get("note", "")),
            "amount": typed_money(form, "amount", charge.amounts.due.currency if charge.amounts else ""),
        }
        made = seat.ask("write_off_due", {"charge_id": charge.id}, body=body, key=key)
    except DrachmError as error:
        return _form_page(seat, trouble_of(error, seat.call, "reason", "amount", "note"))
    return sent_on(seat.call, f"/desk/write-offs/{made.id}")


@desk("open_desk_write_off")
def open_desk_write_off(seat: Seat) -> Reply:
    """One of them."""
    return _one_page(seat)


@desk("agree_to_write_off_at_desk", form=True)
def agree_to_write_off_at_desk(seat: Seat) -> Reply:
    """Agree as the second person."""
    return _done(seat, "agree_to_write_off")


@desk("end_write_off_at_desk", form=True)
def end_write_off_at_desk(seat: Seat) -> Reply:
    """Withdraw it, or ask for the amount again."""
    return _done(seat, "end_write_off")


def can_write_off(seat: Seat, charge: Charge) -> bool:
    """Whether something is due of a charge that this person may give up."""
    owing = charge.amounts is not None and charge.amounts.due.micros > 0
    return owing and charge.state == "standing" and not charge.provisional and seat.may("open_desk_write_off_form")


def _done(seat: Seat, name: str) -> Reply:
    one: WriteOffView = seat.ask("get_write_off", {"write_off_id": seat.call.path["write_off_id"]})
    seat.call.permit(seat.call.resource(one.id, parties=clinic_of(seat, one.charge), maker=one.proposed_by))
    try:
        seat.ask(name, {"write_off_id": one.id})
    except DrachmError as error:
        return _one_page(seat, trouble_of(error, seat.call))
    return sent_on(seat.call, f"/desk/write-offs/{one.id}")


def _form_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    charge, form = charge_named(seat), seat.call.form
    if charge.amounts is None:
        raise Problem("not_found")
    due = charge.amounts.due
    waiting = seat.ask("list_write_offs", query={"charge": charge.id, "state": "proposed"}).data
    return seat.page(
        "desk_write_off_form.html",
        tab="refunds",
        charge=charge,
        reasons={code: gettext(words) for code, words in REASONS.items()},
        patient=amount_of(charge.amounts.patient),
        paid=amount_of(charge.amounts.paid),
        given_up=amount_of(charge.amounts.no_longer_asked),
        due=amount_of(due),
        alone=Amount(seat.call.house.write_off_micros, due.currency),
        waiting=waiting[0].id if waiting else "",
        form={name: form.get(name, "") for name in ("reason", "note")},
        typed=form.get("amount") or plain(due.micros, due.currency),
        key=key_of(form) or new_secret(),
        trouble=trouble,
    )


def _one_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    one: WriteOffView = seat.ask("get_write_off", {"write_off_id": seat.call.path["write_off_id"]})
    charge = seat.ask("get_charge", {"charge_id": one.charge})
    if seat.call.operation == "open_desk_write_off":
        seat.call.permit(seat.call.resource(one.id, parties=clinic_of(seat, one.charge)))
    mine = one.proposed_by == seat.call.caller.subject
    may_end = seat.may("end_write_off_at_desk")
    return seat.page(
        "desk_write_off.html",
        tab="refunds",
        charge=charge,
        mine=mine,
        can_agree=one.state in ("proposed", "agreed") and not mine and seat.may("agree_to_write_off_at_desk"),
        can_withdraw=one.state == "proposed" and may_end,
        can_ask_again=one.state == "done" and may_end,
        trouble=trouble,
        **_shown(seat, one),
    )


def _shown(seat: Seat, one: WriteOffView) -> dict[str, Any]:
    return {
        "one": one,
        **who_did_what(seat, one, _STATES),
        "reason": gettext(REASONS[one.reason]),
        "amount": amount_of(one.amount),
        "why": _why(one.why or ""),
    }


def _why(code: str) -> Markup:
    """What was in its way."""
    return own_words(KINDS[code].text if code in SAID else code.replace("_", " "))
