"""Receipts: every amount with its bearer, and why."""

from __future__ import annotations

from collections.abc import Sequence

from drachm.adapters.rest.identity.decide import Reach
from drachm.adapters.rest.service.call import Call, operation
from drachm.adapters.rest.service.journal_reading import (
    ANSWERED,
    FILTERS,
    before_of,
    filters_of,
    find_row,
    receipts_of,
    resource_of,
    sees_all,
    status_of,
    ways_of,
)
from drachm.adapters.rest.service.names import row_name
from drachm.adapters.rest.service.private_rows import hide_private, shown_rows
from drachm.adapters.rest.service.receipt_views import ReceiptView, ReceiptWhy, receipt_of, why_of
from drachm.adapters.rest.service.shapes import Page
from drachm.adapters.rest.transport.problems import Problem
from drachm.application.journal_index import Looked


@operation("list_receipts", answer=Page[ReceiptView], query={**FILTERS, "status": "posted or denied."})
def list_receipts(call: Call) -> Page[ReceiptView]:
    reach, filters, limit, before = call.reach(), filters_of(call), call.limit(), before_of(call)
    if (status := status_of(call)) and status not in ANSWERED:
        raise Problem("bad_request", "a receipt is posted or denied", where="status")
    rows = call.market.index.page(
        "receipts",
        **ways_of(call, reach, by_party=bool(filters["party"])),
        **filters,
        status=status,
        before=before,
        limit=limit + 1,
    )
    page = rows[:limit]
    looked = call.market.index.look([row.position for row in page])
    return Page(
        data=views_of(call, reach, shown_rows(call, reach, looked[::-1])),
        next=call.cursor([page[-1].position]) if len(rows) > limit else None,
    )


@operation("get_receipt", answer=ReceiptView)
def get_receipt(call: Call) -> ReceiptView:
    looked, reach = _found(call)
    return views_of(call, reach, [looked])[0]


@operation("explain_receipt", answer=ReceiptWhy)
def explain_receipt(call: Call) -> ReceiptWhy:
    looked, reach = _found(call)
    shown = receipts_of(call.market, [looked], explain=True)[0]
    hashes: list[str] = []
    if shown is not None and shown.recalled.at is not None:
        hashes = [cover.plan_hash for cover in shown.recalled.at.covers]
        hashes += [shown.receipt.price_book] if shown.receipt.price_book else []
    names = call.market.index.documents(hashes) if hashes else {}
    return why_of(looked, shown, names, whole=sees_all(call, reach, looked.row))


def views_of(call: Call, reach: Reach, rows: Sequence[Looked]) -> list[ReceiptView]:
    """Receipts as this caller may see them."""
    shown = receipts_of(call.market, rows)
    later = {one.row.position: one for one in call.market.index.look([one.by_position for one in rows])}
    return [
        receipt_of(
            looked,
            one,
            whole=sees_all(call, reach, looked.row),
            following=_following(reach, later.get(looked.by_position)),
        )
        for looked, one in zip(rows, shown, strict=True)
    ]


def _following(reach: Reach, later: Looked | None) -> str | None:
    if later is None:
        return None
    row = later.row
    mine = reach.everything or not row.parties.isdisjoint(reach.parties) or row.member in reach.members
    return row_name("rcp", row.position, row.key) if mine else None


def _found(call: Call) -> tuple[Looked, Reach]:
    call.reach()  # who may see none at all is told so before anything is looked up
    looked = find_row(call.market, call.path["receipt_id"], "rcp")
    there = looked is not None and looked.row.status in ANSWERED
    reach = call.permit(resource_of(call, looked.row) if looked is not None and there else None)
    assert looked is not None  # what is not there is never permitted
    hide_private(call, reach, looked)
    return looked, reach
