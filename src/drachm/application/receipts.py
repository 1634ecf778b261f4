"""Issue the receipt of an outcome, now or again later."""

from __future__ import annotations

from datetime import datetime

from drachm.application.body import read_body
from drachm.application.first_answers import Outcome
from drachm.application.ports import Books
from drachm.application.recall import Kept, kept_of, recall
from drachm.domain.errors import Conflict
from drachm.domain.periods import local_date
from drachm.domain.receipts.issue import issue_receipt
from drachm.domain.receipts.model import Receipt


def receipt_of(outcome: Outcome, books: Books) -> Receipt | None:
    """The receipt of an outcome; None where its content is gone (erased) or belongs to another (conflict)."""
    if outcome.status == "conflict" or not outcome.body:
        return None
    kept = Kept(b"", outcome.status, read_body(outcome.body, where=f"position {outcome.position}"))
    posted_at = outcome.posted_at or kept.body.received
    return _issue(kept, outcome.position, outcome.revision, posted_at, outcome.leaf, books)


def find_receipt(number: str, books: Books) -> Receipt:
    """The receipt called `rcp_<position>`; `Conflict` (`not_found`) when there is none in this tenant."""
    digits = number.removeprefix("rcp_")
    stored = books.row(int(digits)) if digits.isdecimal() and len(digits) < 19 else None
    if stored is None:
        raise Conflict(
            "there is no such receipt",
            where=number[:40],
            next_step="Look for it with its full number.",
            code="not_found",
        )
    kept = kept_of(stored)
    if kept is None or kept.body.event is None:
        raise Conflict(
            "nothing can be shown of it", where=number[:40], next_step="Its content was erased, or it is a top-up."
        )
    return _issue(kept, stored.position, stored.revision, stored.posted_at, stored.leaf, books)


def _issue(kept: Kept, position: int, revision: int, posted_at: datetime, leaf: bytes, books: Books) -> Receipt:
    recalled = recall([kept], books, explain=True)[0]
    event, at, problem = recalled.body.event, recalled.at, recalled.body.problem
    if event is None:
        raise Conflict("a top-up has no receipt of care", where=f"position {position}")
    plans = [plan for cover in at.covers if (plan := books.documents().by_hash(cover.plan_hash))] if at else []
    return issue_receipt(
        event,
        recalled.decision,
        position=position,
        revision=revision,
        day=local_date(event.started_at, at.provider.zone if at else "UTC"),
        posted_at=posted_at,
        leaf=leaf,
        clauses={plan.id: plan.text or {} for plan in plans},
        next_step=problem.next_step if problem else "",
        passed=at.passed if at else (),
    )
