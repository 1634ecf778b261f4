"""Try again what could not be decided: pended events clear later, under the same key, as a new revision."""

from __future__ import annotations

from drachm.application.clear_events import clear_batch
from drachm.application.desk import Desk
from drachm.application.first_answers import Outcome, waiting_of


def clear_pended(desk: Desk, *, limit: int = 1000) -> list[Outcome]:
    """Decide the oldest `limit` pended events again, in order of arrival; what is still undecidable stays as it was."""
    positions = [position for position, _, _ in desk.books.queue(limit)]
    rows = [row for position in positions if (row := desk.books.row(position)) is not None]
    return clear_batch(waiting_of(rows), desk, revise=True)
