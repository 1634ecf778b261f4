"""May this posting be written at all, under the locks that were taken?

The same questions for PostgreSQL and for the books in memory. What the schema itself refuses (unbalanced entries, a
floor, a key used twice) is left to it; here stands what it could not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drachm.application.ports import ConstraintFired, Locked, Posting, Row
from drachm.domain.clearing.world import Needs
from drachm.domain.errors import IntegrityError, ensure


@dataclass(frozen=True, slots=True)
class Grip:
    """What one transaction has under lock until it commits."""

    needs: Needs
    locked: Locked
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
    ensure(posting.deltas.keys() <= grip.needs.keys, "a running total was moved without its lock", where="posting")
    pots = grip.needs.pots & grip.locked.avail.keys()
    ensure(posting.moves.keys() <= pots, "a pot was moved without its lock", where="posting")
    ensure(posting.held.keys() <= pots, "a pot's promises were moved without its lock", where="posting")
    for row in posting.rows:
        lengths = (len(row.key), len(row.content), len(row.leaf), len(row.currency.encode()))
        if lengths != (16, 32, 32, 3):
            raise ConstraintFired("a key, hash or currency has the wrong length", where=f"position {row.position}")
    return grip


def _ensure_positions(rows: Sequence[Row], grip: Grip) -> None:
    first = grip.locked.first_position
    last = first - 1
    for row in rows:
        ensure(last < row.position < first + grip.rows, "positions are not in the reserved order", where="posting")
        last = row.position


def queue_changes(rows: Sequence[Row]) -> tuple[list[Row], list[bytes]]:
    """Rows that now wait, and keys that wait no longer; of several rows of one event the last decides."""
    newest = {row.key: row for row in rows}
    waiting = [row for row in newest.values() if row.status == "pended"]
    # The first revision of an event cannot have waited before.
    earlier = {row.key for row in rows if row.revision}
    return waiting, [key for key, row in newest.items() if row.status != "pended" and key in earlier]
