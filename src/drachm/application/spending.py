"""What did a member spend on which day? Read from the charges that stand, for whoever looks at budgets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from drachm.application.journal_index import JournalIndex
from drachm.application.ports import Books
from drachm.application.shown_receipts import Shown, shown_receipts
from drachm.domain.clearing.line import category_of
from drachm.domain.funding.mandate import Budget
from drachm.domain.periods import local_date

MOST: Final = 2_000
"""Charges that are looked at."""
_PAGE: Final = 100


def charges_since(member: str, since: date, index: JournalIndex, books: Books) -> list[Shown]:
    """The member's standing charges of care since a day, as receipts; the newest `MOST` of them."""
    found: list[Shown] = []
    for positions in _pages(member, since, index):
        rows = [one.stored for one in index.look(positions) if not one.stored.superseded]
        found += [one for one in shown_receipts(rows, books) if one is not None]
    return found


def spent_of(budget: Budget, charges: list[Shown]) -> dict[date, int]:
    """What was spent of a budget on each day of its calendar."""
    sums: dict[date, int] = {}
    for receipt, recalled in charges:
        event, decision = recalled.body.event, recalled.decision
        if event is None or decision.priced is None or not decision.funding.drawn:
            continue
        if budget.counts(category_of(event, decision.priced), receipt.currency):
            day = local_date(event.started_at, budget.zone)
            sums[day] = sums.get(day, 0) + decision.funding.drawn
    return sums


def _pages(member: str, since: date, index: JournalIndex) -> Iterator[list[int]]:
    before = seen = 0
    while seen < MOST:
        page = index.page("charges", parties=None, members=None, before=before, limit=_PAGE, member=member, since=since)
        places = index.of_keys([row.key for row in page])
        yield [found[-1] for found in places.values()]
        seen += len(page)
        if len(page) < _PAGE:
            return
        before = page[-1].first or page[-1].position
