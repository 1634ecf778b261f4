"""Cash at the window, on pages: open a shift, take cash for a wallet, count the box."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from drachm.adapters.rest.service.asking import trouble_of
from drachm.adapters.rest.service.browser_session import new_secret
from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.desk_frame import Seat, desk, key_needed, named, typed_money
from drachm.adapters.rest.service.forms import key_of
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.page_words import amount_of
from drachm.adapters.rest.service.speech import N_
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.adapters.rest.transport.identifiers import encode
from drachm.domain.errors import DrachmError
from drachm.domain.money import CURRENCIES

RECENT: Final = timedelta(days=2)
_FIELDS: Final = ("party", "window", "laid_in", "wallet", "amount", "counted")


@desk("open_desk_window")
def open_desk_window(seat: Seat) -> Reply:
    """The shifts of the last days, and a form that begins one."""
    return _window_page(seat)


@desk("begin_desk_shift", form=True)
def begin_desk_shift(seat: Seat) -> Reply:
    """Begin a shift in one's own name; on to its page."""
    form = seat.call.form
    party, currency = form.get("party", "").strip(), form.get("currency", "").strip().upper()
    seat.call.permit(seat.call.resource(parties=frozenset({party})))
    try:
        body = {"party": party, "window": form.get("window", "").strip(), "laid_in": _money(form, "laid_in", currency)}
        shift = seat.ask("open_shift", body=body)
    except DrachmError as error:
        return _window_page(seat, trouble_of(error, seat.call, "party", "window", "currency", "laid_in"))
    return sent_on(seat.call, f"/desk/shifts/{shift.id}")


@desk("open_desk_shift")
def open_desk_shift(seat: Seat) -> Reply:
    """One shift."""
    return _shift_page(seat)


@desk("take_cash_at_desk", form=True)
def take_cash_at_desk(seat: Seat) -> Reply:
    """Take cash for a wallet. The page's own key makes a form that is sent twice one payment."""
    shift, form = _shift(seat), seat.call.form
    try:
        key = key_needed(form)
        body = {"wallet": form.get("wallet", "").strip(), "amount": _money(form, "amount", shift.laid_in.currency)}
        taken = seat.ask("take_cash", {"shift_id": shift.id}, body=body, key=key)
    except DrachmError as error:
        return _shift_page(seat, trouble_of(error, seat.call, "wallet", "amount"), "cash")
    return _shift_page(seat, taken=taken)


@desk("count_at_desk", form=True)
def count_at_desk(seat: Seat) -> Reply:
    """Count the box and end the shift."""
    shift = _shift(seat)
    try:
        body = {"counted": _money(seat.call.form, "counted", shift.laid_in.currency)}
        seat.ask("count_shift", {"shift_id": shift.id}, body=body, key=shift.id)
    except DrachmError as error:
        return _shift_page(seat, trouble_of(error, seat.call, "counted"), "count")
    return sent_on(seat.call, f"/desk/shifts/{shift.id}")


def _shift(seat: Seat) -> Any:
    shift = seat.ask("get_shift", {"shift_id": seat.call.path["shift_id"]})
    seat.call.permit(seat.call.resource(shift.id, parties=frozenset({shift.party} - {""})))
    return shift


def _window_page(seat: Seat, trouble: Trouble | None = None) -> Reply:
    mine = seat.call.caller.subject
    shifts = recent_shifts(seat)
    currencies = [shift.laid_in.currency for shift in shifts]
    return seat.page(
        "desk_window.html",
        tab="window",
        shifts=[_shown(seat, shift) for shift in reversed(shifts)],
        own_open=[shift.id for shift in shifts if shift.clerk == mine and shift.closed_at is None],
        can_open=seat.may("begin_desk_shift"),
        choices=[(party.id, party.name or party.id) for party in seat.parties if "provider" in party.roles],
        currency=seat.call.form.get("currency") or (currencies[-1] if currencies else "USD"),
        currencies=CURRENCIES,
        form=_given(seat),
        trouble=trouble,
    )


def _shift_page(seat: Seat, trouble: Trouble | None = None, at: str = "", taken: Any = None) -> Reply:
    shift = _shift(seat)
    mine = shift.clerk == seat.call.caller.subject and shift.closed_at is None
    return seat.page(
        "desk_shift.html",
        tab="window",
        shift=shift,
        **_shown(seat, shift),
        mine=mine,
        can_give=seat.may("pay_cash_refund_at_desk"),
        can_take=mine and seat.may("take_cash_at_desk"),
        taken_now=taken,
        taken_amount=amount_of(taken.amount) if taken else None,
        key=(key_of(seat.call.form) if at == "cash" else "") or new_secret(),
        form=_given(seat) if trouble else dict.fromkeys(_FIELDS, ""),
        trouble=trouble,
        trouble_at=at,
    )  # fmt: skip


def _shown(seat: Seat, shift: Any) -> dict[str, Any]:
    return {
        "one": shift,
        "opened": seat.here(shift.opened_at),
        "closed": seat.here(shift.closed_at) if shift.closed_at else None,
        "laid_in": amount_of(shift.laid_in),
        "taken": amount_of(shift.taken),
        "given": amount_of(shift.given),
        "expected": amount_of(shift.expected),
        "counted": amount_of(shift.counted) if shift.counted else None,
        "difference": amount_of(shift.difference) if shift.difference else None,
        "clerk": named(shift.clerk),
    }


def recent_shifts(seat: Seat) -> list[Any]:
    """Shifts that began in the last days, oldest first. Their ids sort by time, so the list begins at a made-up one."""
    asking = seat.asking("list_shifts", query={"limit": "100"})
    milliseconds = int((seat.call.at - RECENT).timestamp() * 1_000)
    cursor = asking.cursor([f"shf_{encode(milliseconds << 80)}"])
    found: list[Any] = []
    for _ in range(5):
        piece = seat.ask("list_shifts", query={"limit": "100", "cursor": cursor})
        found += piece.data
        if piece.next is None:
            break
        cursor = piece.next
    return found


def _given(seat: Seat) -> dict[str, str]:
    """What was typed, to be mended rather than typed again."""
    return {name: seat.call.form.get(name, "") for name in _FIELDS}


def _money(form: Any, name: str, currency: str) -> dict[str, Any]:
    return typed_money(form, name, currency, most=N_("This is more than a box can hold."))
