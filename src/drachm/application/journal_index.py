"""Which journal rows concern whom? The readers' index, kept up beside the journal, not inside the posting.

The journal is found by event key and by position. Lists ("receipts of this clinic, newest first") and streams read an
index that follows the journal a moment later; it is derived from it, and may be dropped and built again. What a list
does not show yet, a look-up by id does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

from drachm.application.ports import Stored
from drachm.domain.ledger.model import EntryKind


class Indexed(NamedTuple):
    """One journal row, as far as lists need it."""

    position: int
    key: bytes
    """Event key, 16 bytes."""
    revision: int
    kind: str
    """The event's kind, or `top_up`."""
    status: str
    member: str
    provider: str
    parties: frozenset[str]
    """Provider, site and payers: who may see it. A funder is not among them."""
    visit: str
    source: str
    day: date
    """Local service date."""
    posted_at: datetime
    first: int = 0
    """Position of the event's first row, by which the event keeps its name and its place on lists."""


class Looked(NamedTuple):
    """One journal row as it stands now, looked up by its position."""

    row: Indexed
    stored: Stored
    """With its body; `superseded` when another row took its place."""
    by_position: int = 0
    """The row that took its place; 0: none did."""
    by_key: bytes = b""
    by_kind: EntryKind | None = None


class Waiting(NamedTuple):
    """Events that wait for one reason, of one provider, seen by the same parties."""

    reason: str
    provider: str
    parties: frozenset[str]
    number: int
    oldest: datetime
    """When the first of them came."""
    long_ago: int
    """How many of them came before the moment that was asked for."""


Wanted = Literal["events", "charges", "receipts"]
"""Rows of every event; of events that posted money, newest revision only; every posted or denied row."""


class JournalIndex(Protocol):
    """The index of one tenant."""

    def follow(self, limit: int = 1000) -> int:
        """Index up to `limit` journal rows that came since the last time; how many there were. One follower at a time
        in all processes: another finds nothing to do."""

    def page(
        self,
        wanted: Wanted,
        *,
        parties: Collection[str] | None,
        members: Collection[str] | None,
        before: int = 0,
        limit: int = 100,
        member: str = "",
        party: str = "",
        visit: str = "",
        status: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> list[Indexed]:
        """Newest first, from before position `before` (0: from the newest). `parties` and `members` narrow to rows that
        concern any of either (both None: the whole tenant); the others narrow further."""

    def waiting(
        self,
        *,
        parties: Collection[str] | None,
        members: Collection[str] | None,
        before: int = 0,
        limit: int = 100,
        member: str = "",
        party: str = "",
        provider: str = "",
        reason: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> list[Indexed]:
        """The events that wait, newest first, like a page of `events` of that status; by reason and provider too."""

    def waiting_groups(
        self, *, parties: Collection[str] | None, members: Collection[str] | None, long_ago: datetime
    ) -> list[Waiting]:
        """All that waits, added up."""

    def after(
        self, position: int, *, parties: Collection[str] | None, members: Collection[str] | None, limit: int = 100
    ) -> list[Indexed]:
        """Rows behind a position, oldest first: for streams and for machines that keep up."""

    def revised(self, after: int, until: int, limit: int) -> list[Indexed]:
        """Rows of charges in the place of an earlier row of the same charge, behind a position up to another, oldest
        first: what was due of it was paid, or a payer answered later."""

    def of_key(self, key: bytes) -> list[int]:
        """Positions of every revision of an event, oldest first; from the journal itself, so never late."""

    def of_keys(self, keys: Collection[bytes]) -> dict[bytes, list[int]]:
        """The same of several events; one that is not here is left out."""

    def documents(self, hashes: Collection[str]) -> dict[str, tuple[str, str]]:
        """Content hash -> (id, version) of published plans and price books, as far as they are here."""

    def open_holds(self, members: Collection[str], limit: int = 100) -> list[Indexed]:
        """Events of these members that hold something and were neither delivered nor ended; by the index."""

    def posted_behind(self, members: Collection[str]) -> bool:
        """Whether anything of these members was posted that is not in the index yet."""

    def look(self, positions: Collection[int]) -> list[Looked]:
        """The journal's rows at these positions, as far as there are any, in order; read afresh, so never late."""

    def of_visits(
        self,
        visits: Collection[str],
        *,
        parties: Collection[str] | None,
        members: Collection[str] | None,
        limit: int = 10_000,
    ) -> Sequence[Indexed]:
        """The rows of some visits, oldest first; `limit` of them at most."""

    def of_visit(
        self, visit: str, *, parties: Collection[str] | None, members: Collection[str] | None
    ) -> Sequence[Indexed]:
        """Every row of a visit, oldest first."""

    def followed(self) -> int:
        """Up to which position the index is whole."""

    def rebuild(self) -> int:
        """Forget everything and follow again from the first row, as one change; how many rows there are."""

    def lag(self) -> int:
        """How many journal positions the index is behind."""
