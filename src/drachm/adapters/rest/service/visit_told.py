"""What is told of a visit to its patient at a kiosk, or to the clerk who helps: amounts, and what each part was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from drachm.adapters.rest.service.charge_views import charge_of, visit_of_charges
from drachm.adapters.rest.service.house import Market
from drachm.adapters.rest.service.journal_reading import (
    ANSWERED,
    CHARGES,
    find_row,
    newest_of,
    receipts_of,
    visit_name,
)
from drachm.adapters.rest.service.page_words import reference
from drachm.adapters.rest.service.slip_view import SlipView, slip_of
from drachm.application.journal_index import Indexed


@dataclass(frozen=True, slots=True)
class VisitTold:
    """A whole visit, in each of its currencies."""

    clinic: str
    day: date
    slips: Sequence[SlipView]
    number: str
    row: Indexed
    """Of the receipt that was asked for: whom it concerns."""


def visit_told(market: Market, receipt: str) -> VisitTold | None:
    """The visit of a receipt; None when nothing of it can be shown any more."""
    looked = find_row(market, receipt, "rcp")
    if looked is None:
        return None
    row = looked.row
    # A visit may have parts elsewhere; of these only amounts that this provider asked are told here.
    rows = market.index.of_visit(row.visit, parties=None, members=None) or [row]
    keys = list(dict.fromkeys(one.key for one in rows if one.kind in CHARGES and one.provider == row.provider))
    found = [one for one in newest_of(market, keys) if one.row.kind in CHARGES and one.row.status in ANSWERED]
    if not found:
        return None
    shown = receipts_of(market, found)
    charges = [charge_of(one, told, whole=True) for one, told in zip(found, shown, strict=True)]
    waiting = any(one.status == "pended" for one in rows if one.key not in {one.row.key for one in found})
    visit = visit_of_charges(visit_name(row.visit), charges, shown, waiting=waiting, whole=True)
    party = next(iter(market.register.parties(ids=[row.provider])), None) if row.provider else None
    zone = _zone(party.zone if party else "")
    return VisitTold(
        clinic=(party.name if party else "") or row.provider,
        day=row.day,
        slips=[slip_of(market, visit, total, zone) for total in visit.totals],
        number=reference(receipt),
        row=row,
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
