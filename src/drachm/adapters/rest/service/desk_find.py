"""What do people type into the search of the desk? A receipt, an id, an amount, or a name."""

from __future__ import annotations

import re
from typing import Any, Final

from drachm.adapters.rest.service.call import Reply
from drachm.adapters.rest.service.charge_views import Charge
from drachm.adapters.rest.service.desk_frame import Seat, desk
from drachm.adapters.rest.service.desk_today import Line, line_of, names_of
from drachm.adapters.rest.service.journal_reading import ways_of
from drachm.adapters.rest.service.names import position_of, row_name
from drachm.adapters.rest.service.page_frame import sent_on
from drachm.adapters.rest.service.speech import gettext
from drachm.adapters.rest.service.trouble_words import Trouble
from drachm.domain.errors import DrachmError
from drachm.domain.money import micros

_REFERENCES: Final = 1_000
"""Among so many of the newest receipts the short reference of a receipt is looked for."""
_ID_MAX: Final = 200
_AMOUNTS: Final = 300
"""Among so many of the newest charges an amount is looked for."""
_PEOPLE: Final = 10
_EACH: Final = 5
_AMOUNT: Final = re.compile(r"[^0-9A-Za-z]{0,3}([0-9]{1,9}(?:[.][0-9]{1,6})?)", re.ASCII)


@desk("search_desk", form=True)
def search_desk(seat: Seat) -> Reply:
    """To whatever the id names. A form, not an address: what people type must not stay in logs and histories."""
    seat.call.reach()
    text = seat.call.form.get("id", "").strip()
    if not 0 < len(text) <= _ID_MAX or not text.isprintable():
        return _nothing(seat)
    try:
        place = _place(seat.widened, text)
    except DrachmError:
        place = ""
    if place:
        return sent_on(seat.call, place)
    return _by_amount(seat, text) or _by_name(seat, text) or _nothing(seat)


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
    trouble = Trouble(
        gettext("Nothing found"),
        gettext("Nothing of yours has this name, amount or id."),
        next_step=gettext(
            "Type a family name or both names, an amount such as 12.50, the eight signs of a receipt’s reference, an "
            "id, or your own system’s name and event id with a slash between them."
        ),
        status=404,
    )
    return seat.page("desk_trouble.html", trouble=trouble, tab="")


def _by_amount(seat: Seat, text: str) -> Reply | None:
    """Newest charges with this price, or this part of the patient or the insurance."""
    typed = _AMOUNT.fullmatch(text)
    if typed is None:
        return None
    size, looked, query = micros(typed[1]), 0, {"limit": "100"}
    found: list[Charge] = []
    while looked < _AMOUNTS:
        piece = seat.ask("list_charges", query=query)
        looked += len(piece.data)
        found += [one for one in piece.data if size in _sizes(one)]
        if piece.next is None:
            break
        query = {**query, "cursor": piece.next}
    return _found(seat, "amount", found, looked=looked) if found else None


def _by_name(seat: Seat, text: str) -> Reply | None:
    """The charges of people of this name, newest first."""
    if not seat.may("search_members") or not 2 <= len(text) <= 100 or not any(one.isalpha() for one in text):
        return None
    people = seat.ask("search_members", body={"name": text}).data
    charges: list[Charge] = []
    for person in people[:_PEOPLE]:
        charges += seat.ask("list_charges", query={"member": person.id, "limit": str(_EACH)}).data
    charges.sort(key=lambda one: one.posted_at, reverse=True)
    return _found(seat, "name", charges, people=people) if people else None


def _sizes(charge: Charge) -> set[int]:
    amounts = charge.amounts
    if amounts is None:
        return set()
    payers, patient = amounts.payers.micros, amounts.patient.micros
    return {payers + patient, patient, payers, amounts.due.micros, amounts.billed.micros} - {0}


def _found(seat: Seat, by: str, charges: list[Charge], *, people: list[Any] | None = None, looked: int = 0) -> Reply:
    names = names_of(seat, {one.member for one in charges})
    lines: list[Line] = [line_of(seat, one, names) for one in charges]
    # Dates stand in the list: these are of many days.
    return seat.page(
        "desk_found.html", tab="", by=by, lines=lines, people=people or [], most=_PEOPLE, each=_EACH, looked=looked
    )
