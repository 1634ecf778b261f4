"""What does a page say of a price book or a plan: its lines, and what the draft would have cost?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from drachm.adapters.rest.service.desk_frame import Seat, unreadable
from drachm.adapters.rest.service.document_fields import fields_of, figure
from drachm.adapters.rest.service.drafts import Shelf
from drachm.adapters.rest.service.page_words import Amount
from drachm.adapters.rest.service.plans import SHELF as PLANS
from drachm.adapters.rest.service.price_books import SHELF as PRICES
from drachm.adapters.rest.service.speech import N_, gettext

ROWS: Final = 50
LOOKED: Final = 500
"""Charges of a month that a page tries a draft on; the interface takes more."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is different between the pages of prices and those of plans."""

    shelf: Shelf
    tab: str
    lines: str
    """Key of the document's list of lines."""
    titles: Mapping[str, str]

    @property
    def kind(self) -> str:
        return self.shelf.kind

    def place(self, name: str = "") -> str:
        return f"/desk/{self.tab}/{name}" if name else f"/desk/{self.tab}"


BOOKS: Final = Room(
    PRICES,
    "prices",
    "items",
    {
        "all": N_("Price books"),
        "many": N_("Prices"),
        "edit": N_("Edit price %(number)s"),
        "change": N_("Change price %(number)s"),
        "remove": N_("Remove price %(number)s"),
        "add": N_("Add a price"),
    },
)
RULES: Final = Room(
    PLANS,
    "plans",
    "steps",
    {
        "all": N_("Plans"),
        "many": N_("Rules, used from top to bottom"),
        "edit": N_("Edit rule %(number)s"),
        "change": N_("Change rule %(number)s"),
        "remove": N_("Remove rule %(number)s"),
        "add": N_("Add a rule"),
    },
)
KINDS: Final = {
    "deductible": N_("The member pays first"),
    "coinsurance": N_("The member pays a share"),
    "copay": N_("The member pays a fixed amount"),
    "pay": N_("The plan pays"),
    "exclude": N_("Not in the plan"),
    "out_of_pocket_max": N_("The member pays at most"),
    "period_cap": N_("At most in a time"),
}


@dataclass(frozen=True, slots=True)
class LineView:
    """One price, or one rule."""

    number: int
    title: str
    words: str
    figure: Amount | str
    changed: str
    """`new`, `changed`, or empty."""
    faults: list[str]


def lines_of(
    seat: Seat, room: Room, document: Mapping[str, Any], before: Any, currency: str, faults: Mapping[str, str]
) -> tuple[list[LineView], int]:
    lines = document.get(room.lines)
    if not isinstance(lines, list):
        return [], 0
    known = {_key(one): one for one in before if isinstance(one, dict)} if isinstance(before, list) else None
    word, first = seat.call.query.get("find", "").strip().lower(), number(seat.call.query.get("from", "")) or 0
    fitting = [
        place for place, one in enumerate(lines) if not word or word in json.dumps(one, ensure_ascii=False).lower()
    ]
    text = document.get("text") if isinstance(document.get("text"), dict) else {}
    shown = []
    for place in fitting[first : first + ROWS]:
        one = lines[place] if isinstance(lines[place], dict) else {}
        own = [detail for pointer, detail in faults.items() if f"{pointer}/".startswith(f"/{room.lines}/{place}/")]
        same = known.get(_key(one)) if known is not None else one
        changed = "" if same == one else gettext("new") if same is None else gettext("changed")
        title, words = _said(room, one, text or {})
        summary = figure(fields_of(document, f"/{room.lines}/{place}", currency), currency)
        shown.append(LineView(place, title, words, summary, changed, own))
    return shown, len(fitting)


def _said(room: Room, one: Mapping[str, Any], text: Mapping[str, Any]) -> tuple[str, str]:
    """(title, what members read, or what is done)."""
    if room is RULES:
        clause = str(one.get("clause", ""))
        words = str(text.get(clause, "")) or gettext("No sentence yet: members read the rule’s general words.")
        kind = str(one.get("kind", ""))
        called = gettext(KINDS.get(kind, kind.replace("_", " ")))
        return f"{called} ({clause})" if clause else called, words
    kind = one.get("rule", {}).get("kind", "") if isinstance(one.get("rule"), dict) else ""
    return str(one.get("display") or one.get("code", "")), f"{one.get('system', '')} {one.get('code', '')}, {kind}"


def _key(one: Mapping[str, Any]) -> str:
    """By which a line is known again in another version."""
    names = ("id", "system", "code", "modifiers", "when")
    return json.dumps([one.get(name) for name in names], sort_keys=True, ensure_ascii=False)


def preview_of(seat: Seat, room: Room, path: Mapping[str, str]) -> tuple[dict[str, Any] | None, str]:
    """What a month would have come to under the draft; None unless it is asked for."""
    last = seat.here(seat.call.at).date().replace(day=1) - timedelta(days=1)
    month = seat.call.query.get("month", "")
    if not month or not seat.may(f"preview_{room.kind}"):
        return None, f"{last:%Y-%m}"
    try:
        since = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise unreadable(gettext("A month is written as year and month, such as 2026-01."), "month") from None
    until = (since.replace(day=28) + timedelta(days=4)).replace(day=1)
    body = {"from": since.isoformat(), "until": until.isoformat(), "most": LOOKED}
    found = seat.ask(f"preview_{room.kind}", path, body=body)
    sums = [
        {
            "currency": one.currency,
            "members": (_amount(one.before.patient), _amount(one.after.patient)),
            "plan": (_amount(one.before.payers), _amount(one.after.payers)),
            "more": Amount(int(one.after.patient.micros) - int(one.before.patient.micros), one.currency),
            "payers": Amount(int(one.after.payers.micros) - int(one.before.payers.micros), one.currency),
        }
        for one in found.sums
    ]
    return {"found": found, "sums": sums}, month


def _amount(one: Any) -> Amount:
    return Amount(int(one.micros), one.currency)


def number(text: str) -> int | None:
    """A place in a list, as a form or an address says it."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
