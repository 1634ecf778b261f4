"""What does a clinic's day look like? Its charges and whom they wait for, and the events that could not be cleared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.charge_views import Charge
from drachm.adapters.rest.service.desk_frame import Seat, desk, unreadable
from drachm.adapters.rest.service.journal_reading import ways_of
from drachm.adapters.rest.service.names import position_of, row_name
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.page_words import Amount
from drachm.adapters.rest.service.shapes import Money
from drachm.adapters.rest.transport.problems import Problem
from drachm.domain.errors import DrachmError, InvalidMessage
from drachm.domain.periods import read_day

PIECES: Final = 3
"""A page counts so many hundreds of a day's charges; of a longer day it says that there are more."""
QUEUE: Final = 20
_REFERENCES: Final = 1_000
"""Among so many of the newest receipts the short reference of a receipt is looked for."""
_ID_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """For whom a charge waits."""

    group: str
    """`paid`, `insurer`, `patient` or `back`."""
    tone: str
    pill: str


@dataclass(frozen=True, slots=True)
class Line:
    """One charge on the list."""

    charge: Charge
    standing: Standing
    time: str
    what: str
    price: Amount | None
    insurer: Amount | None
    patient: Amount | None


@dataclass(frozen=True, slots=True)
class Count:
    """One of the numbers on top."""

    group: str
    label: str
    number: int
    sums: Sequence[Amount]


@desk("open_desk", query={"day": "A service day, YYYY-MM-DD.", "show": "paid, insurer, patient or back"})
def open_desk(seat: Seat) -> Reply:
    """A day: today, or the latest day with care where today has none yet."""
    seat.call.reach()
    today = seat.here(seat.call.at).date()
    asked = seat.call.query.get("day")
    day = _day(asked) if asked is not None else today
    charges, more = _charges(seat, day)
    empty_today = asked is None and not charges
    if empty_today and (latest := _latest(seat)) is not None:
        day = latest
        charges, more = _charges(seat, day)
    lines = [_line(seat, charge) for charge in charges]
    show = seat.call.query.get("show", "")
    shown = [line for line in lines if line.standing.group == show] if show in _GROUPS else lines
    stuck, stuck_more = _stuck(seat)
    return seat.page(
        "desk_today.html",
        tab="today",
        day=day,
        today=today,
        counts=_counts(lines),
        lines=shown,
        show=show if show in _GROUPS else "",
        groups=_GROUPS,
        more=more,
        empty_today=empty_today,
        before=day - timedelta(days=1) if day > date.min else None,
        after=day + timedelta(days=1) if day < today else None,
        stuck=stuck,
        stuck_more=stuck_more,
        sees_queue=seat.may("list_work_queue"),
    )


@desk("search_desk", form=True)
def search_desk(seat: Seat) -> Reply:
    """To whatever the id names. A form, not an address: what people type must not stay in logs and histories."""
    seat.call.reach()
    text = seat.call.form.get("id", "").strip()
    if not 0 < len(text) <= _ID_MAX or not text.isprintable():
        return _nothing(seat)
    try:
        place = _place(seat, text)
    except DrachmError:
        place = ""
    return sent_on(seat.call, place) if place else _nothing(seat)


def standing_of(charge: Charge) -> Standing:
    """For whom a charge waits."""
    amounts = charge.amounts
    if charge.state != "standing":
        return Standing("back", "held", "Taken back" if charge.state == "reversed" else "Corrected")
    if amounts is None:
        return Standing("back", "held", "Data erased")
    if charge.provisional:
        return Standing("insurer", "insurer", "Waiting for insurer")
    if amounts.due.micros > 0:
        refused = charge.status == "denied"
        return Standing("patient", "you", "Insurance refused" if refused else "Waiting for patient")
    if charge.status == "denied":
        return Standing("paid", "ok", "Refused, patient paid")
    return Standing("paid", "ok", "Paid" if amounts.patient.micros else "Nothing due")


def amount_of(money: Money) -> Amount:
    """An amount of the interface for a page."""
    return Amount(money.micros, money.currency)


_GROUPS: Final = {
    "paid": "Paid",
    "insurer": "Waiting for insurer",
    "patient": "Waiting for patient",
    "back": "Taken back or corrected",
}


def _charges(seat: Seat, day: date) -> tuple[list[Charge], bool]:
    """(charges of a day, newest first; whether there are more)."""
    found: list[Charge] = []
    query = {"since": day.isoformat(), "until": day.isoformat(), "limit": "100"}
    for _ in range(PIECES):
        piece = seat.ask("list_charges", query=query)
        found += piece.data
        if piece.next is None:
            return found, False
        query = {**query, "cursor": piece.next}
    return found, True


def _latest(seat: Seat) -> date | None:
    piece = seat.ask("list_charges", query={"limit": "1"})
    return date.fromisoformat(piece.data[0].day) if piece.data else None


def _line(seat: Seat, charge: Charge) -> Line:
    amounts = charge.amounts
    return Line(
        charge,
        standing_of(charge),
        f"{seat.here(charge.posted_at):%H:%M}",
        charge.display or (charge.service.value if charge.service else "Care"),
        Amount(amounts.payers.micros + amounts.patient.micros, amounts.billed.currency) if amounts else None,
        amount_of(amounts.payers) if amounts else None,
        amount_of(amounts.patient) if amounts else None,
    )


def _counts(lines: Sequence[Line]) -> list[Count]:
    found = []
    for group in ("paid", "insurer", "patient"):
        mine = [line for line in lines if line.standing.group == group]
        sums: dict[str, int] = {}
        for line in mine:
            amounts = line.charge.amounts
            if amounts is None:
                continue
            asked = {"insurer": amounts.payers.micros, "patient": amounts.due.micros}
            micros = asked.get(group, amounts.payers.micros + amounts.patient.micros)
            sums[amounts.due.currency] = sums.get(amounts.due.currency, 0) + micros
        totals = [Amount(micros, currency) for currency, micros in sorted(sums.items())]
        found.append(Count(group, _GROUPS[group], len(mine), totals))
    return found


def _stuck(seat: Seat) -> tuple[list[Any], bool]:
    """(what waits and since when, whether there is more); nothing for who has no work queue."""
    if not seat.may("list_work_queue"):
        return [], False
    piece = seat.ask("list_work_queue", query={"limit": str(QUEUE)})
    return [{"item": item, "since": seat.here(item.waiting_since)} for item in piece.data], piece.next is not None


def _place(seat: Seat, text: str) -> str:
    """The page of what an id names; empty, or an error, when there is nothing that this person may see."""
    word = text.lower()
    if position_of(word, "chg"):
        seat.ask("get_charge", {"charge_id": word})
        return f"/desk/charges/{word}"
    if position_of(word, "evt"):
        return _place_of_event(seat.ask("get_service_event", {"event_id": word}))
    if position_of(word, "rcp"):
        return _place_of_receipt(seat, word)
    found = _by_reference(seat, word.replace("-", "").replace(" ", ""))
    if found:
        return _place_of_receipt(seat, found)
    source, _, event_id = text.partition("/")
    if not event_id:
        source, _, event_id = text.partition(" ")
    if not source or not event_id:
        return ""
    page = seat.ask("list_service_events", query={"source": source.strip(), "event_id": event_id.strip()})
    return _place_of_event(page.data[0]) if page.data else ""


def _place_of_receipt(seat: Seat, name: str) -> str:
    receipt = seat.ask("get_receipt", {"receipt_id": name})
    return f"/desk/charges/{receipt.charge}" if receipt.charge else f"/desk/events/{receipt.event}"


def _place_of_event(event: Any) -> str:
    return f"/desk/charges/{event.charge}" if event.charge else f"/desk/events/{event.id}"


def _by_reference(seat: Seat, end: str) -> str:
    """The newest receipt whose name ends so: what a patient reads out."""
    if len(end) != 8 or not end.isascii() or not end.isalnum():
        return ""
    asking = seat.asking("list_receipts")
    ways = ways_of(asking, asking.reach())
    for row in seat.call.market.index.page("receipts", **ways, limit=_REFERENCES):
        name = row_name("rcp", row.position, row.key)
        if name.endswith(end):
            return name
    return ""


def _nothing(seat: Seat) -> Reply:
    error = Problem("not_found")
    trouble = {
        "status": 404,
        "title": error.message,
        "detail": "Nothing of yours has this id.",
        "next_step": "Type a receipt, charge or event id (rcp_…, chg_…, evt_…), the eight signs of a receipt’s "
        "reference, or your own system’s name and event id with a slash between them.",
        "faults": [],
    }
    return seat.page("desk_trouble.html", 404, title="Nothing found", trouble=trouble, tab="")


def _day(text: str) -> date:
    try:
        return read_day(text)
    except InvalidMessage:
        raise unreadable("A day is written as year-month-day, such as 2026-01-31.") from None
