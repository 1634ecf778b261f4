"""What do rows of the journal say to readers, many at a time?

The receipts of lists, pages and streams: decided again together, because rows of one version of the register share
what is read of it. One row that cannot be decided again does not take the others with it; the audit names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from drachm.application.ports import Books, Stored
from drachm.application.recall import Kept, Recalled, kept_of, recall
from drachm.domain.errors import IntegrityError
from drachm.domain.periods import local_date
from drachm.domain.receipts.issue import issue_receipt
from drachm.domain.receipts.model import Receipt


class Shown(NamedTuple):
    """A row's receipt and what it was made from."""

    receipt: Receipt
    recalled: Recalled


def shown_receipts(rows: Sequence[Stored], books: Books, *, explain: bool = False) -> list[Shown | None]:
    """For each row its receipt; None where its content was erased or cannot be read, and for money that came in."""
    recalled = recalled_of([_kept(row) for row in rows], books, explain=explain)
    return [_shown(row, one, books, explain) for row, one in zip(rows, recalled, strict=True)]


def recalled_of(kept: Sequence[Kept | None], books: Books, *, explain: bool = False) -> list[Recalled | None]:
    """For each row what was decided, for whoever needs no receipt; None where it cannot be decided again."""
    try:
        found = iter(recall([one for one in kept if one is not None], books, explain=explain))
        return [next(found) if one is not None else None for one in kept]
    except IntegrityError:
        return [_alone(one, books, explain) for one in kept]


def _kept(row: Stored) -> Kept | None:
    try:
        return kept_of(row)
    except IntegrityError:
        return None


def _alone(kept: Kept | None, books: Books, explain: bool) -> Recalled | None:
    try:
        return recall([kept], books, explain=explain)[0] if kept is not None else None
    except IntegrityError:
        return None


def _shown(row: Stored, recalled: Recalled | None, books: Books, explain: bool) -> Shown | None:
    event = recalled.body.event if recalled is not None else None
    if recalled is None or event is None:
        return None
    at, problem = recalled.at, recalled.body.problem
    clauses = {}
    if explain and at is not None:
        documents = books.documents(recalled.body.version)
        plans = [plan for cover in at.covers if (plan := documents.by_hash(cover.plan_hash))]
        clauses = {plan.id: plan.text or {} for plan in plans}
    receipt = issue_receipt(
        event,
        recalled.decision,
        position=row.position,
        revision=row.revision,
        day=local_date(event.started_at, at.provider.zone if at else "UTC"),
        posted_at=row.posted_at,
        leaf=row.leaf,
        clauses=clauses,
        next_step=problem.next_step if problem else "",
        passed=at.passed if explain and at is not None else (),
    )
    return Shown(receipt, recalled)
