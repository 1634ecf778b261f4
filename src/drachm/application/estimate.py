"""What would this care cost whom? The line that clears real events, rehearsed.

Same use case, same register, documents, totals and pots, nothing posted. Several events of one estimate see each other
in their order, as the lines of one visit do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drachm.application.clear_events import clear_events
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome
from drachm.application.money_reading import MoneyReading
from drachm.application.receipts import receipt_of
from drachm.application.rehearsal import RehearsalBooks, RehearsalIds
from drachm.domain.benefits import Plan
from drachm.domain.clearing.answer import Answer
from drachm.domain.events.model import ServiceEvent
from drachm.domain.receipts.model import Receipt


@dataclass(frozen=True, slots=True)
class Estimated:
    """What one event would be answered."""

    outcome: Outcome
    receipt: Receipt | None
    """With every step; None for an event whose id is known with other content."""
    plans: tuple[Plan, ...]
    """The versions that were asked, in stack order."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answers for all events, in order."""

    version: int
    """The register's version that was read."""
    events: tuple[Estimated, ...]


def estimate(
    events: Sequence[ServiceEvent], desk: Desk, reading: MoneyReading, answers: dict[str, Answer] | None = None
) -> Estimate:
    """What `clear_events` would answer now, with the reasons. Posts nothing and holds no lock.

    An event that was posted before has its first answer, as it would really have.
    """
    books = RehearsalBooks(desk.books, reading)
    # What is found out about funds here holds for nobody else.
    rehearsed = Desk(books, desk.clock, RehearsalIds(), set(desk.spent))
    outcomes = clear_events(events, rehearsed, answers)
    return Estimate(books.version, tuple([_explained(outcome, books) for outcome in outcomes]))


def _explained(outcome: Outcome, books: RehearsalBooks) -> Estimated:
    receipt = receipt_of(outcome, books)
    hashes = receipt.plans if receipt is not None else ()
    known: Mapping[str, Plan | None] = {one: books.documents().by_hash(one) for one in hashes}
    return Estimated(outcome, receipt, tuple([plan for plan in known.values() if plan is not None]))
