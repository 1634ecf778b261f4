"""What does a tenant keep beside its books: sites, practitioners, payout accounts, families, drafts, ties?

Whatever the clearing line does not read is a *record*: a kind, an id, a version and a body. One store for all of them
keeps history, finds by whom a record concerns, and lets two writers never overwrite each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Record:
    """One version of one thing."""

    kind: str
    """A word of the room that keeps it: `site`, `payout_account`, `plan_draft` ..."""
    id: str
    body: Mapping[str, Any]
    """JSON values. Sealed where it is kept: under the member's data key when the record concerns one member, so that
    erasing the member erases it."""
    version: int = 0
    """1 for the first; the store counts."""
    parties: frozenset[str] = frozenset()
    """Parties whom it concerns, and who may see it."""
    members: frozenset[str] = frozenset()
    """Members whom it concerns."""
    terms: frozenset[str] = field(default_factory=frozenset)
    """Words by which it is found (``state=waiting``, ``npi=1234567893``); kept as keyed hashes only."""
    author: str = ""
    """`Principal.subject` of whoever wrote this version."""
    at: datetime | None = None
    """When this version was written."""


class Records(Protocol):
    """The records of one tenant."""

    def get(self, kind: str, id: str) -> Record | None:
        """The newest version; None when there is none."""

    def history(self, kind: str, id: str) -> list[Record]:
        """Every version, oldest first."""

    def find(
        self,
        kind: str,
        *,
        after: str = "",
        limit: int = 100,
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
        terms: Collection[str] = (),
    ) -> list[Record]:
        """Newest versions in order of id, from behind `after`, that bear all `terms`.

        `parties` and `members` narrow to records that concern any of either; both None: the whole tenant.
        """

    def by_time(
        self,
        kind: str,
        *,
        newest: bool,
        behind: tuple[datetime, str] | None = None,
        limit: int = 100,
        parties: Collection[str] | None = None,
        members: Collection[str] | None = None,
        terms: Collection[str] = (),
    ) -> list[Record]:
        """The same in order of when the newest version was written, from behind such a moment and id: the last written
        first if `newest`, else the first. Costs a look at every record that bears the terms, however few are given."""

    def put(self, records: Sequence[Record]) -> list[Record]:
        """Write these together: `version` is the one each takes the place of, 0 for a new one.

        Gives them back with their new versions. Raises `Conflict` (code `version`) when one of them is not the newest
        any more, or is here already; nothing is kept then.
        """
