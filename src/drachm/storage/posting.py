"""May this posting be written at all, under the locks that were taken?

The same questions for PostgreSQL and for the books in memory. What the schema itself refuses (unbalanced entries, a
floor, a key used twice) is left to it; here stands what it could not see.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NamedTuple

from drachm.application.ports import ConstraintFired, Posting, Row
from drachm.domain.errors import IntegrityError, ensure


class Grip(NamedTuple):
    """What one transaction has under lock until it commits."""

    totals: Set[int]
    """By number."""
    pots: Set[str]
    """Those that are here."""
    first_position: int
    rows: int
    """How many positions were reserved."""


def ensure_writable(posting: Posting, grip: Grip | None) -> Grip:
    """The grip, when it holds all that the posting touches.

    Raises IntegrityError for a total, pot or position that was not taken hold of: what was decided about it was decided
    blindly. Raises ConstraintFired for a row whose fixed fields have another length than the journal's.
    """
    if grip is None:
        raise IntegrityError("a posting needs its locks first", where="posting")
    _ensure_positions(posting.rows, grip)
    ensure(posting.deltas.keys() <= grip.totals, "a running total was moved without its lock", where="posting")
    ensure(posting.moves.keys() <= grip.pots, "a pot was moved without its lock", where="posting")
    ensure(posting.held.keys() <= grip.pots, "a pot's promises were moved without its lock", where="posting")
    for row in posting.rows:
        currency = row.currency
        if len(row.key) != 16 or len(row.leaf) != 32 or len(currency) != 3 or not currency.isascii():
            raise ConstraintFired("a key, hash or currency has the wrong length", where=f"position {row.position}")
    return grip


def _ensure_positions(rows: Sequence[Row], grip: Grip) -> None:
    last, end = grip.first_position - 1, grip.first_position + grip.rows
    for row in rows:
        position = row.position
        if not last < position < end:
            raise IntegrityError("positions are not in the reserved order", where="posting")
        last = position


def queue_changes(rows: Sequence[Row]) -> tuple[list[Row], list[bytes]]:
    """Rows that now wait, and keys that wait no longer; of several rows of one event the last decides."""
    # The first revision of an event cannot have waited before.
    newest = {row.key: row for row in rows if row.revision or row.status == "pended"}
    waiting = [row for row in newest.values() if row.status == "pended"]
    return waiting, [key for key, row in newest.items() if row.status != "pended"]
