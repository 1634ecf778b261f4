"""Charges, and visits: many charges, one answer to the patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.charge_views import (
    Charge,
    Visit,
    VisitSummary,
    charge_of,
    summary_of,
    visit_of_charges,
)
from drachm.adapters.rest.service.journal_reading import (
    ANSWERED,
    CHARGES,
    FILTERS,
    Filters,
    before_of,
    charge_of_path,
    filters_of,
    fits,
    newest_of,
    own_members,
    receipts_of,
    sees_all,
    status_of,
    visit_name,
    visit_of,
    ways_of,
)
from drachm.adapters.rest.service.private_rows import hide_private, shown_rows
from drachm.adapters.rest.service.shapes import Page
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.journal_index import Indexed, Looked

_PIECES: Final = 8
"""How many pieces of the list of charges one page of visits may look through; it may then be short, with a cursor."""
LINES_MAX: Final = 5_000
"""Lines that are looked at for one answer about visits; what lies beyond makes them incomplete."""


@operation("list_charges", answer=Page[Charge], query={**FILTERS, "status": "posted or denied.", "visit": "`vis_...`"})
def list_charges(call: Call) -> Page[Charge]:
    reach, filters, limit, before = call.reach(), filters_of(call), call.limit(), before_of(call)
    if (status := status_of(call)) and status not in ANSWERED:
        raise Problem("bad_request", "a charge is posted or denied", where="status")
    visit = ""
    if "visit" in call.query:
        found = visit_of(call.query["visit"])
        if found is None:
            raise Problem("bad_request", "this is not the name of a visit", where="visit")
        visit = found
    rows = call.market.index.page(
        "charges",
        **ways_of(call, reach, by_party=bool(filters["party"])),
        **filters,
        status=status,
        visit=visit,
        before=before,
        limit=limit + 1,
    )
    shown = rows[:limit]
    return Page(
        data=_charges(call, reach, shown_rows(call, reach, newest_of(call.market, [row.key for row in shown]))),
        next=call.cursor([shown[-1].first]) if len(rows) > limit else None,
    )


@operation("get_charge", answer=Charge)
def get_charge(call: Call) -> Charge:
    looked, reach = charge_of_path(call)
    hide_private(call, reach, looked)
    return _charges(call, reach, [looked])[0]


@operation("list_visits", answer=Page[VisitSummary], query=FILTERS)
def list_visits(call: Call) -> Page[VisitSummary]:
    """Visits by their newest charge: a charge leads to its visit only where it is the newest the caller reaches."""
    reach, filters, limit, before = call.reach(), filters_of(call), call.limit(), before_of(call)
    ways = ways_of(call, reach, by_party=bool(filters["party"]))
    wanted: list[str] = []
    more = True
    for _ in range(_PIECES):
        rows = call.market.index.page("charges", **ways, **filters, before=before, limit=limit + 1)
        newest = _newest_places(call, reach, [row.visit for row in rows], filters)
        for row in rows:
            if len(wanted) == limit:
                break
            before = row.first
            if newest[row.visit] == row.first:
                wanted.append(row.visit)
        else:
            more = len(rows) > limit
        if len(wanted) == limit or not more:
            break
    found = _visits(call, reach, wanted)
    return Page(
        data=[summary_of(found[visit]) for visit in wanted if visit in found],
        next=call.cursor([before]) if more else None,
    )


@operation("get_visit", answer=Visit)
def get_visit(call: Call) -> Visit:
    call.reach()
    visit = visit_of(call.path["visit_id"])
    rows = call.market.index.of_visit(visit, parties=None, members=None) if visit else ()
    charges = [row for row in rows if row.kind in CHARGES and row.status in ANSWERED]
    concerned = call.resource(
        parties=frozenset[str]().union(*[row.parties for row in charges]),
        members=frozenset(row.member for row in charges if row.member),
    )
    reach = call.permit(concerned if charges else None)
    # Of a visit that several providers share, each sees its own part.
    assert visit is not None
    found = _visits(call, reach, [visit])
    if visit not in found:
        call.permit(None)
    return found[visit]


def _charges(call: Call, reach: Reach, rows: Sequence[Looked]) -> list[Charge]:
    shown = receipts_of(call.market, rows)
    return [
        charge_of(looked, one, whole=sees_all(call, reach, looked.row), own=looked.row.member in own_members(call))
        for looked, one in zip(rows, shown, strict=True)
    ]


def _rows_of_visits(call: Call, reach: Reach, visits: Sequence[str]) -> Sequence[Indexed]:
    return call.market.index.of_visits(visits, **ways_of(call, reach), limit=LINES_MAX + 1)


def _newest_places(call: Call, reach: Reach, visits: Sequence[str], filters: Filters) -> dict[str, int]:
    """For each visit the place of its newest charge that the caller reaches and asks for."""
    newest: dict[str, int] = dict.fromkeys(visits, 0)
    for row in _rows_of_visits(call, reach, list(newest)):
        if row.kind in CHARGES and row.status in ANSWERED and fits(row, filters):
            newest[row.visit] = max(newest[row.visit], row.first)
    return newest


def _visits(call: Call, reach: Reach, visits: Sequence[str]) -> dict[str, Visit]:
    """Each visit with what the caller reaches of it; one without a charge is left out."""
    if not visits:
        return {}
    rows = _rows_of_visits(call, reach, visits)
    whole_visits = len(rows) <= LINES_MAX
    events = list(dict.fromkeys(row.key for row in rows[:LINES_MAX] if row.kind in CHARGES))
    newest = newest_of(call.market, events)
    charges = shown_rows(call, reach, [looked for looked in newest if looked.row.status in ANSWERED])
    shown = receipts_of(call.market, charges)
    found: dict[str, Visit] = {}
    for visit in visits:
        own = [(looked, one) for looked, one in zip(charges, shown, strict=True) if looked.row.visit == visit]
        if own:
            whole = all(sees_all(call, reach, looked.row) for looked, _ in own)
            found[visit] = visit_of_charges(
                visit_name(visit),
                [charge_of(looked, one, whole=whole) for looked, one in own],
                [one for _, one in own],
                waiting=not whole_visits
                or any(looked.row.status == "pended" for looked in newest if looked.row.visit == visit),
                whole=whole,
            )
    return found
