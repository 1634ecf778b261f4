"""Issue the receipt of an outcome, now or again later."""

from __future__ import annotations

from datetime import datetime

from drachm.application.body import Body, read_body
from drachm.application.clear_events import Outcome
from drachm.application.ports import Books, Stored
from drachm.domain.clearing.documents import Documents
from drachm.domain.clearing.model import Clearing
from drachm.domain.errors import Conflict
from drachm.domain.events.model import ServiceEvent
from drachm.domain.ledger.model import EntryKind, JournalEntry
from drachm.domain.periods import local_date
from drachm.domain.receipts.issue import issue_receipt
from drachm.domain.receipts.model import Receipt


def receipt_of(outcome: Outcome, documents: Documents) -> Receipt | None:
    """The receipt of an outcome; None where its content is gone (erased) or belongs to another (conflict)."""
    body = outcome.body
    if body is None or body.event is None:
        return None
    posted_at = outcome.posted_at or body.received
    return _issue(body, body.event, outcome.position, outcome.revision, posted_at, outcome.leaf, documents)


def find_receipt(number: str, books: Books) -> Receipt:
    """The receipt called `rcp_<position>`; `Conflict` when there is none in this tenant."""
    digits = number.removeprefix("rcp_")
    stored = books.row(int(digits)) if digits.isdecimal() and len(digits) < 19 else None
    if stored is None:
        raise Conflict("there is no such receipt", where=number[:40], next_step="Look for it with its full number.")
    body = body_of(stored)
    if body is None or body.event is None:
        raise Conflict(
            "nothing can be shown of it", where=number[:40], next_step="Its content was erased, or it is a top-up."
        )
    position, revision = stored.position, stored.revision
    return _issue(body, body.event, position, revision, stored.posted_at, stored.leaf, books.documents())


def body_of(stored: Stored) -> Body | None:
    """The body of a stored row; None when its content was erased."""
    return read_body(stored.body, where=f"position {stored.position}") if stored.body else None


def _issue(
    body: Body,
    event: ServiceEvent,
    position: int,
    revision: int,
    posted_at: datetime,
    leaf: bytes,
    documents: Documents,
) -> Receipt:
    context = body.context
    clearing = Clearing(
        status=body.status,
        reason=body.reason,
        entry=JournalEntry(EntryKind.HOLD if event.kind == "hold" else EntryKind.CHARGE),
        standing=body.standing,
        priced=body.priced,
        adjudication=body.adjudication,
        funding=body.funding,
    )
    covers = context.covers if context else ()
    plans = (documents.by_hash(cover.plan_hash) for cover in covers)
    return issue_receipt(
        event,
        clearing,
        position=position,
        revision=revision,
        day=local_date(event.started_at, context.provider.zone if context else "UTC"),
        posted_at=posted_at,
        leaf=leaf,
        clauses={plan.id: plan.text or {} for plan in plans if plan is not None},
        next_step=body.next_step,
    )
