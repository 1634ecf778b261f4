"""Requests to be erased, at the desk: what waits, who decides it, and what is in its way."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk, key_needed, named, unreadable
from drachm.adapters.rest.service.desk_today import Standing
from drachm.adapters.rest.service.erasure_words import GROUNDS, IN_THE_WAY, STATES
from drachm.adapters.rest.service.erasures import ErasureView
from drachm.adapters.rest.service.forms import key_of, one_line
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.page_words import amount_of
from drachm.adapters.rest.service.speech import N_, gettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.domain.errors import DrachmError
from drachm.domain.periods import read_day

PLACE: Final = "/desk/erasures"
SHOWN: Final = 50
_WAITING: Final = ("agreed", "proposed", "asked")
_LONG: Final = 280


@desk("open_desk_erasures")
def open_desk_erasures(seat: Seat) -> Reply:
    """What waits, the first to be answered first; and what became of the others."""
    return _list_page(seat)


@desk("ask_for_erasure_at_desk", form=True)
def ask_for_erasure_at_desk(seat: Seat) -> Reply:
    """Write down what a person asked elsewhere; it is taken up by whoever writes it down."""
    call, form = seat.call, seat.call.form
    call.permit(call.resource())
    member = form.get("member", "").strip()
    try:
        key = key_needed(form)
        if not call.market.register.members(ids=[member], limit=1):
            raise unreadable(gettext("Nobody is registered under this id."), "member")
        body = {"words": one_line(form.get("words", ""))[:_LONG]}
        made = seat.ask("ask_for_erasure", {"member_id": member}, body=body, key=key)
    except DrachmError as error:
        return _list_page(seat, trouble_of(error, call, "member", "words"))
    return sent_on(call, f"{PLACE}/{made.id}")


@desk("open_desk_erasure")
def open_desk_erasure(seat: Seat) -> Reply:
    """One of them."""
    return _one_page(seat)


@desk("propose_erasure_at_desk", form=True)
def propose_erasure_at_desk(seat: Seat) -> Reply:
    """Take it up."""
    return _done(seat, "propose_erasure")


@desk("agree_to_erasure_at_desk", form=True)
def agree_to_erasure_at_desk(seat: Seat) -> Reply:
    """Agree as the second person: it is done at once."""
    return _done(seat, "agree_to_erasure")


@desk("refuse_erasure_at_desk", form=True)
def refuse_erasure_at_desk(seat: Seat) -> Reply:
    """Refuse it; the person reads why."""
    form = seat.call.form
    body: dict[str, Any] = {"ground": form.get("ground", ""), "note": one_line(form.get("note", ""))[:_LONG]}
    if form.get("until", "").strip():
        body["until"] = form["until"].strip()
    return _done(seat, "refuse_erasure", body)


@desk("withdraw_erasure_at_desk", form=True)
def withdraw_erasure_at_desk(seat: Seat) -> Reply:
    """Take it back."""
    return _done(seat, "withdraw_erasure")


def _done(seat: Seat, name: str, body: dict[str, Any] | None = None) -> Reply:
    one = _permitted(seat)
    try:
        seat.ask(name, {"erasure_id": one.id}, body=body)
    except DrachmError as error:
        return _one_page(seat, trouble_of(error, seat.call, "ground", "until", "note"))
    return sent_on(seat.call, f"{PLACE}/{one.id}")


def _permitted(seat: Seat) -> ErasureView:
    one: ErasureView = seat.ask("get_erasure", {"erasure_id": seat.call.path["erasure_id"]})
    maker = one.proposed_by or one.asked_by
    seat.call.permit(seat.call.resource(one.id, members=frozenset({one.member}), maker=maker))
    return one


def _list_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    seat.call.reach()
    found: list[ErasureView] = seat.ask_all("list_erasures")
    waiting = sorted((one for one in found if one.state in _WAITING), key=lambda one: one.asked_at)
    others = sorted((one for one in found if one.state not in _WAITING), key=lambda one: one.asked_at, reverse=True)
    form = seat.call.form
    return seat.page(
        "desk_erasures.html",
        tab="erasures",
        waiting=[_shown(seat, one) for one in waiting],
        others=[_shown(seat, one) for one in others[:SHOWN]],
        more=len(others) > SHOWN,
        may_ask=seat.may("ask_for_erasure_at_desk"),
        form={name: form.get(name, "") for name in ("member", "words")},
        key=key_of(form) or new_secret(),
        trouble=trouble,
    )


def _one_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    one: ErasureView = seat.ask("get_erasure", {"erasure_id": seat.call.path["erasure_id"]})
    me, form = seat.call.caller.subject, seat.call.form
    decides = seat.may("agree_to_erasure_at_desk")
    return seat.page(
        "desk_erasure.html",
        tab="erasures",
        can_take_up=decides and one.state == "asked" and me != one.asked_by,
        can_agree=decides and one.state in ("proposed", "agreed") and me not in (one.asked_by, one.proposed_by),
        can_refuse=decides and one.state in ("asked", "proposed"),
        not_you=one.state == "proposed" and me in (one.asked_by, one.proposed_by),
        first=[_way(way) for way in one.in_the_way],
        grounds={code: gettext(words) for code, words in GROUNDS.items()},
        form={name: form.get(name, "") for name in ("ground", "until", "note")},
        trouble=trouble,
        **_shown(seat, one),
    )


def _way(way: Any) -> dict[str, Any]:
    what, step = IN_THE_WAY[way.what]
    amount = amount_of(way.amount) if way.amount else None
    return {"what": gettext(what), "step": gettext(step), "of": way.of or "", "amount": amount}


def _shown(seat: Seat, one: ErasureView) -> dict[str, Any]:
    tone, words = STATES[one.state]
    deeds: list[tuple[str, datetime | None, str | None]] = [
        (gettext(N_("Asked")), one.asked_at, one.asked_by),
        (gettext(N_("Taken up")), one.proposed_at, one.proposed_by),
        (gettext(N_("Agreed")), one.agreed_at, one.agreed_by),
        (gettext(N_("Erased")), one.erased_at, one.agreed_by),
        (gettext(N_("Refused")), one.refused_at, one.refused_by),
        (gettext(N_("Withdrawn")), one.withdrawn_at, one.withdrawn_by),
    ]
    return {
        "one": one,
        "standing": Standing(one.state, tone, gettext(words)),
        "asked": seat.here(one.asked_at),
        "deeds": [(title, seat.here(at), named(by)) for title, at, by in deeds if at is not None],
        "answer_by": one.answer_by,
        "late": one.state in _WAITING and read_day(one.answer_by) < seat.call.at.date(),
        "ground": gettext(GROUNDS[one.ground]) if one.ground else "",
        "until": one.until,
    }
